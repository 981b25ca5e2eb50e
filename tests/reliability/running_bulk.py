"""A process that runs bulk operations over two projects, again and again, until it is killed.

Its arguments: the address of the database, the projects, and how many operations were run before.
"""

import sys
from itertools import count

from herzum_approval import store
from herzum_approval.domain.bulk_mappings import Operation, ScopeType
from herzum_approval.domain.bulk_requests import WrittenRequest, WrittenScope
from herzum_approval.domain.people import Actor
from herzum_approval.services import bulk_mappings

ADMIN = Actor(username="admin", display_name="Admin")


def over(operation: Operation, source: int, destination: int) -> WrittenRequest:
    """Return the request for all mappings of a project; deletion has no source."""
    return WrittenRequest(
        operation=operation,
        type=ScopeType.PROJECT,
        source=None if operation is Operation.DELETE else WrittenScope(project_id=str(source)),
        destinations=(WrittenScope(project_id=str(destination)),),
    )


def move(source: int, destination: int) -> WrittenRequest:
    return over(Operation.MOVE, source, destination)


def round_trip(first: int, second: int) -> tuple[WrittenRequest, ...]:
    """Return operations of each kind, after which all mappings are in the first project again."""
    return (
        over(Operation.COPY, first, second),
        over(Operation.EDIT, first, second),
        over(Operation.DELETE, first, second),
        move(first, second),
        move(second, first),
    )


def run_for_ever(database_url: str, first: int, second: int, done: int) -> None:
    """Say on standard output that it begins, and each operation once it is done."""
    requests = round_trip(first, second)
    with store.active(store.open_database(database_url)):
        print("begun", flush=True)
        for number in count(done):
            print(bulk_mappings.run_bulk(ADMIN, requests[number % len(requests)]).affected, flush=True)


if __name__ == "__main__":
    run_for_ever(sys.argv[1], *(int(argument) for argument in sys.argv[2:]))
