"""The least that Flask can do behind the same server: a greeting, and one bare UPDATE.

Its argument: the port. `BARE_DATABASE` is the address of the database whose records `/update/ID` changes.
"""

import os
import sys
from contextlib import nullcontext

from flask import Flask

from herzum_approval import config
from herzum_approval.store import open_database
from herzum_approval.store.engines import Sqlite


def serving() -> Flask:
    app = Flask(__name__)
    url = os.environ.get("BARE_DATABASE", "")
    database = open_database(url, synchronous=os.environ.get("BARE_SYNCHRONOUS", "FULL")) if url else None

    @app.route("/")
    def hello() -> dict[str, str]:
        return {"hello": "world"}

    @app.route("/update/<int:record_id>", methods=["POST"])
    def update(record_id: int) -> dict[str, int]:
        assert database is not None
        turn = database.turns.turn if isinstance(database, Sqlite) else nullcontext()
        mark = database.param
        with turn, database.connection_context(), database.atomic():
            database.execute_sql(
                f"UPDATE issue_approval SET approver_username = {mark}, version = version + 1 "
                f"WHERE id = {mark}",
                ("admin", record_id),
            )
        return {"id": record_id}

    return app


def serve(port: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "tests.benchmarks.bare:serving",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=config.Settings().threads,
        factory=True,
        websockets=False,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
