"""A process that moves all mappings of one project to another and back, until it is killed.

Its arguments: the address of the database, and the projects.
"""

import sys

from herzum_approval import store
from herzum_approval.domain.bulk_mappings import Operation, ScopeType
from herzum_approval.domain.bulk_requests import WrittenRequest, WrittenScope
from herzum_approval.domain.people import Actor
from herzum_approval.services import bulk_mappings

ADMIN = Actor(username="admin", display_name="Admin")


def move(source: int, destination: int) -> WrittenRequest:
    return WrittenRequest(
        operation=Operation.MOVE,
        type=ScopeType.PROJECT,
        source=WrittenScope(project_id=str(source)),
        destinations=(WrittenScope(project_id=str(destination)),),
    )


def move_for_ever(database_url: str, first: int, second: int) -> None:
    """Say on standard output that it begins, and each move once it is done."""
    with store.active(store.open_database(database_url)):
        print("begun", flush=True)
        while True:
            for request in (move(first, second), move(second, first)):
                print(bulk_mappings.run_bulk(ADMIN, request).affected, flush=True)


if __name__ == "__main__":
    move_for_ever(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
