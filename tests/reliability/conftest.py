"""Real servers on files and on PostgreSQL, whose data outlive the process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from peewee import Database

from tests.conftest import ENGINES
from tests.live import LiveServer


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/site.db"
    database: Database = request.getfixturevalue("postgresql_database")
    database.close_all()
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[LiveServer]:
    """A server of one process, with the pool and the threads that it has by default."""
    with LiveServer(tmp_path / "server.log", database_url=database_url) as running:
        yield running
