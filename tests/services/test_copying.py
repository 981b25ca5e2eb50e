"""A site moved from one engine to the other and back: every row of every table, and the numbering."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from peewee import Database

from herzum_approval import config, store
from herzum_approval.domain.actions import Action
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import accounts, databases, decisions, logins, snapshot
from herzum_approval.services.decisions import Credentials
from herzum_approval.store import copies, sites, tables
from herzum_approval.store.numbering import last_numbers
from tests.conftest import ENGINES

Urls = tuple[str, str]


@pytest.fixture(params=ENGINES)
def urls(
    request: pytest.FixtureRequest,
    postgresql_url: str,
    postgresql_database: Database,
    sqlite_database: Database,
    settings: config.Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Urls:
    """The addresses of a site in use, on each engine in turn, and of an empty database on the other."""
    monkeypatch.setattr(copies, "BATCH", 7)
    used, _ = in_turn(request.param, sqlite_database, postgresql_database)
    with store.active(used):
        snapshot.reset()
        use()
    used.close_all()
    return in_turn(request.param, f"sqlite:///{sqlite_database.database}", postgresql_url)


def in_turn(engine: str, sqlite: Any, postgresql: Any) -> tuple[Any, Any]:
    return (sqlite, postgresql) if engine == "sqlite" else (postgresql, sqlite)


def use() -> None:
    """Leave traces: a session, failures, a history, and a number that was given and is not there any more."""
    bob = Actor(username="bob", display_name="Bob")
    decisions.act(bob, 77, Action.APPROVE, credentials=Credentials(), comment="Größe – ✓\n'quoted\"")
    logins.open_session(bob)
    logins.verify_password("carol", "wrong")
    accounts.create_user("gone", "secret", display_name="", email="", groups=())
    with store.reading() as database:
        tables.User.delete().where(tables.User.username == "gone").execute(database)


def silent(name: str, done: int, total: int) -> None:
    assert done <= total, name


def everything(url: str) -> tuple[dict[str, set[Any]], dict[str, int]]:
    """Return all rows by table, and the numbering; not the site's version, which each writer makes anew."""
    with opened(url) as database, database.connection_context():
        rows = sites.capture(database)
        kept = [table for table in tables.ALL_TABLES if table is not tables.SiteVersion]
        return {table.__name__: set(rows[table]) for table in kept}, last_numbers(database)


@contextmanager
def opened(url: str) -> Iterator[Any]:
    database = store.open_database(url)
    try:
        yield database
    finally:
        database.close_all()


def copy(urls: Urls, **options: Any) -> int:
    return databases.copy(*urls, **{"replaces": False, "progress": silent, **options})


def test_a_site_goes_to_the_other_engine_and_back(urls: Urls, tmp_path: Path) -> None:
    count = copy(urls)
    rows, numbers = everything(urls[0])
    assert everything(urls[1]) == (rows, numbers)
    assert count == sum(map(len, rows.values())) + 1
    assert {name for name in rows if rows[name]} >= {"User", "Session", "History", "Issue", "Candidate"}
    home = f"sqlite:///{tmp_path}/home.db"
    assert copy((urls[1], home)) == count
    assert everything(home) == (rows, numbers)


def test_the_copy_is_whole_and_goes_on_numbering_where_the_site_was(urls: Urls) -> None:
    copy(urls)
    ids = []
    for url in urls:
        with opened(url) as database, store.active(database):
            assert databases.find_faults() == []
            accounts.create_user("new", "secret", display_name="", email="", groups=())
            ids.append([user.id for user in accounts.list_users() if user.username == "new"])
    assert ids[0] == ids[1]


def test_progress_is_told_by_table_up_to_the_end(urls: Urls) -> None:
    told: dict[str, list[tuple[int, int]]] = {}
    copy(urls, progress=lambda name, done, total: told.setdefault(name, []).append((done, total)))
    assert {"copied issue_approval", "compared issue_approval"} <= set(told)
    for steps in told.values():
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1]
    assert len(told["copied issue_approval"]) > 1


def test_a_target_that_holds_anything_is_refused_or_replaced(urls: Urls) -> None:
    copy(urls)
    with pytest.raises(ValueError, match=r"The target is not empty \(.*people_user.*--replace"):
        copy(urls)
    with opened(urls[1]) as database, store.active(database):
        accounts.create_user("only here", "secret", display_name="", email="", groups=())
    copy(urls, replaces=True)
    assert everything(urls[1]) == everything(urls[0])


@pytest.mark.parametrize("harm", ["lost", "changed"])
def test_of_a_copy_that_differs_nothing_is_kept(
    urls: Urls, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    insert = copies.insert_rows

    def insert_badly(database: Any, table: Any, rows: Any) -> None:
        if table is tables.IssueComment:
            rows = rows[1:] if harm == "lost" else [(*rows[0][:-1], 1), *rows[1:]]
        insert(database, table, rows)

    monkeypatch.setattr(copies, "insert_rows", insert_badly)
    with pytest.raises(ValueError, match="The copy differs and was not kept: issue_comment 1 rows, copied"):
        copy(urls)
    monkeypatch.undo()
    with opened(urls[1]) as database, database.connection_context():
        assert copies.filled_tables(database) == []


def test_a_source_that_is_no_site_is_refused(urls: Urls, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not in the newest schema"):
        copy((f"sqlite:///{tmp_path}/none.db", urls[1]))
    with pytest.raises(ValueError, match="to itself"):
        copy((urls[0], urls[0]))


def test_a_database_that_is_not_there_is_busy(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        copy(("postgresql://postgres@127.0.0.1:1/none", f"sqlite:///{tmp_path}/none.db"))
    assert caught.value.fault is Fault.BUSY


def test_every_table_is_copied() -> None:
    assert set(tables.ALL_TABLES) == set(tables.Table.__subclasses__())
