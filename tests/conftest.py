"""Fixtures that the whole suite shares: real databases on both engines."""

import os
import shutil
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import psycopg
import pytest
from peewee import Database
from webtest import TestApp

from herzum_approval import config, store
from herzum_approval.app import create_app
from herzum_approval.store.kept import data_version
from herzum_approval.store.tables import ALL_TABLES
from tests.live import LiveServer
from tests.postgres import OwnPostgres

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The address of a real PostgreSQL: a server from a wheel, or the one the environment names.

    Tests that run beside these in another process have a server, or a database of that one, to themselves.
    """
    given = os.environ.get("HERZUM_APPROVAL_TEST_POSTGRES")
    if given:
        yield _own_database(given, os.environ.get("PYTEST_XDIST_WORKER", ""))
        return
    with OwnPostgres() as server:
        _let_it_forget(server.url)
        yield server.url


def _let_it_forget(url: str) -> None:
    """Let the server wait for no disk: it is thrown away, and tests that crash one have one of their own."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


def _own_database(url: str, worker: str) -> str:
    if not worker:
        return url
    name = f"herzum_approval_test_{worker}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    return urlsplit(url)._replace(path=f"/{name}").geturl()


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


@pytest.fixture(scope="session")
def sqlite_site(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestApp]:
    path = tmp_path_factory.mktemp("demonstration") / "site.db"
    shutil.copy(migrated_sqlite_file, path)
    yield from _demonstration_site(f"sqlite:///{path}")


@pytest.fixture(scope="session")
def postgresql_site(postgresql_url: str, migrated_postgresql: Database) -> Iterator[TestApp]:
    yield from _demonstration_site(postgresql_url)


def _demonstration_site(database_url: str) -> Iterator[TestApp]:
    app = create_app(database_url=database_url, demonstration=True, bcrypt_cost=4)
    yield TestApp(app)
    app.wsgi_app.database.close_all()


@pytest.fixture(params=ENGINES)
def client(request: pytest.FixtureRequest) -> TestApp:
    """The demonstration site in process, as at its start, on each engine in turn; nobody is signed in."""
    return as_at_its_start(request.getfixturevalue(f"{request.param}_site"))


def as_at_its_start(site: TestApp) -> TestApp:
    """Put a site back, and forget who was signed in, by cookie or by Basic."""
    site.reset()
    site.authorization = None
    database = site.app.wsgi_app.database
    with database.connection_context():
        if data_version(database) == _STARTS.get(database):
            return site
    site.post("/__emulator/reset", status=204)
    with database.connection_context():
        _STARTS[database] = data_version(database)
    return site


_STARTS: WeakKeyDictionary[Any, Hashable] = WeakKeyDictionary()
"""The version of each site's data right after it was put back: where it is the same still, it need not be."""


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The demonstration site as a real process, which must stop in peace; `reset()` puts it back."""
    with LiveServer(tmp_path_factory.mktemp("live") / "server.log") as server:
        yield server
