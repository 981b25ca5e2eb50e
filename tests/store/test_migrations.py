"""Migrations: a database of the first release, with data in every table, becomes one of today."""

import runpy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from peewee import Database

from herzum_approval import store
from herzum_approval.domain.candidates import derive
from herzum_approval.domain.sites import Site
from herzum_approval.examples import merged
from herzum_approval.services import databases, snapshot
from herzum_approval.services.site_documents import load_site
from herzum_approval.store import migrations, sites
from herzum_approval.store.kept import site_version
from herzum_approval.store.rows import columns
from herzum_approval.store.site_rows import to_rows, to_site
from herzum_approval.store.tables import ALL_TABLES, Candidate, CompositePart
from tests.conftest import ENGINES

MIGRATIONS = sorted(Path(next(iter(migrations.__path__))).glob("[0-9]*.py"))
FIRST = MIGRATIONS[0]
AT = "2020-05-08T15:24:28Z"

EXCLUDING = [
    {"kind": "group", "value": "jira-software-users"},
    {"kind": "user", "value": "dave", "is_excluded": True},
]
MORE: dict[str, Any] = {
    "conditional_rules": [{"id": 1, "name": "rule", "jql": "project = SOFT"}],
    "custom_fields": [{"id": "customfield_1", "name": "Who", "type": "user picker"}],
    "issues": [{"id": 10500, "labels": ["a", "b"], "fields": {"customfield_1": ["carol", "bob"]}}],
    "approvals": [{"id": 1, "approvers": {"$replace": EXCLUDING}}],
    "approval_mappings": [
        {
            "id": 2,
            "conditioned_minimums": [{"kind": "rejections", "conditional_rule_id": 1, "minimum": 0.5}],
            "settings": {"super_approvers": [{"kind": "user", "value": "carol"}]},
        }
    ],
    "delegations": [{"id": 7, "delegator": "bob", "delegate": "carol", "project_id": 10000}],
    "history": [
        {"id": 5, "at": AT, "kind": "APPROVED", "issue_id": 10500, "username": "bob", "details": {"a": [1]}}
    ],
    "comments": [{"id": 6, "issue_id": 10500, "author": "bob", "body": "Yes.\n", "created_at": AT}],
    "messages": [
        {"id": 3, "recipient": "user:bob", "kind": "request", "created_at": AT, "issue_id": 10500},
        {
            "id": 8,
            "recipient": "user:bob",
            "kind": "reply",
            "created_at": AT,
            "issue_id": 10500,
            "sent_at": AT,
        },
    ],
    "login_records": [{"username": "bob", "failed_count": 2, "login_count": 40, "last_login_at": AT}],
    "sessions": [{"token_digest": "0" * 64, "username": "bob", "created_at": AT, "seen_at": AT}],
}
"""What the demonstration site does not have of itself."""


@pytest.fixture(params=ENGINES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each engine in turn in which there is nothing, made current."""
    if request.param == "sqlite":
        yield from opened(f"sqlite:///{tmp_path / 'first.db'}")
        return
    url, name = request.getfixturevalue("postgresql_url"), "herzum_approval_test_migrations"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
        yield from opened(urlsplit(url)._replace(path=f"/{name}").geturl())
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def opened(url: str) -> Iterator[Database]:
    database = store.open_database(url)
    with store.active(database):
        yield database
    database.close_all()


@pytest.fixture
def site(settings: object, sqlite_database: Database) -> Site:
    """A site with something in every table."""
    with store.active(sqlite_database):
        snapshot.reset()
        document = merged(snapshot.export_all(), MORE)
    return load_site(document)


def first_release(database: Database, site: Site) -> dict[Any, list[tuple[Any, ...]]]:
    """Make the database one of the first release that holds the site; return what it holds by name of table.

    Written by the frozen tables of the first migration, and recorded as done, as it was then.
    """
    tables = {table._meta.table_name: table for table in runpy.run_path(str(FIRST))["TABLES"]}
    rows = to_rows(site, derive(site))
    held = {}
    with store._runner(database) as runner:
        runner.up(FIRST.stem)
        for table in (table for table in ALL_TABLES if table._meta.table_name in tables):
            frozen = tables[table._meta.table_name]
            names = [field.column_name for field in frozen._meta.sorted_fields]
            held[table] = [
                tuple(dict(zip(columns(table), row, strict=True)).get(name) for name in names)
                for row in rows[table]
            ]
            for row in held[table]:
                values = dict(zip(frozen._meta.sorted_fields, row, strict=True))
                frozen.insert(values).execute(database)
    assert len(held) == len(tables)
    return held


def whole(held: Mapping[Any, Any], site: Site) -> dict[Any, Any]:
    """Return the rows of today's tables that the first release could hold."""
    return {table: rows for table, rows in to_rows(site, derive(site)).items() if table in held}


def test_every_table_of_the_first_release_holds_something(empty: Database, site: Site) -> None:
    held = first_release(empty, site)
    assert [table._meta.table_name for table, rows in held.items() if not rows] == []


def test_a_site_of_the_first_release_is_whole_after_all_migrations(empty: Database, site: Site) -> None:
    held = first_release(empty, site)
    assert not store.is_migrated(empty)
    assert databases.migrate() == [path.stem for path in MIGRATIONS[1:]]
    assert store.is_migrated(empty)
    assert databases.find_faults() == []
    with store.reading() as database:
        assert sites.read_site(database) == to_site({**dict.fromkeys(ALL_TABLES, ()), **whole(held, site)})
        captured = sites.capture(database)
        assert site_version(database) is not None
    for table, rows in held.items():
        assert len(captured[table]) == len(rows), table


def test_it_goes_on_from_there(empty: Database, site: Site) -> None:
    """New rows are numbered after the old ones, and every table can be written."""
    first_release(empty, site)
    databases.migrate()
    document = snapshot.export_all()
    snapshot.reset()
    assert databases.find_faults() == []
    snapshot.import_all(document)
    assert snapshot.export_all() == document


def test_what_migrations_make_is_what_the_tables_say(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = store.open_database(f"sqlite:///{tmp_path / 'made.db'}")
    for table in (Candidate, CompositePart):  # the migration decides that, by engine
        monkeypatch.setattr(table._meta, "without_rowid", True)
    with made.connection_context(), made.bind_ctx(ALL_TABLES):
        made.create_tables(ALL_TABLES)
        expected = schema(made)
    made.close_all()
    with sqlite_database.connection_context():
        assert schema(sqlite_database) == expected


def schema(database: Database) -> dict[str, Any]:
    """Return columns, indexes and references of every table."""
    return {
        name: (
            {
                (each.name, each.data_type, each.null, each.primary_key, each.default)
                for each in database.get_columns(name)
            },
            {(tuple(each.columns), each.unique) for each in database.get_indexes(name)},
            {(each.column, each.dest_table, each.dest_column) for each in database.get_foreign_keys(name)},
        )
        for name in sorted({table._meta.table_name for table in ALL_TABLES})
    }
