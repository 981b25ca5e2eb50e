"""What a transaction does when others are in its way: it starts again, or is refused as busy."""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from peewee import (
    Database,
    DatabaseError,
    InternalError,
    OperationalError,
    SqliteDatabase,
)
from playhouse.pool import PooledPostgresqlDatabase

from herzum_approval import config, store
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import snapshot
from herzum_approval.store import Outrun, reading, writing
from herzum_approval.store.surroundings import lock_issues
from tests.reliability.sites import FIRST_ISSUE, site
from tests.reliability.traffic import PATIENCE, at_once

IMPATIENT = "impatient"
TWO_ISSUES = site(2, {"board": ["alice"]}, ["alice"])


@pytest.fixture
def two_issues(engine: Database, settings: config.Settings) -> Database:
    """A database of each engine in turn, current, with two issues."""
    snapshot.import_all(TWO_ISSUES)
    return engine


@pytest.fixture
def postgresql(postgresql_database: Database, settings: config.Settings) -> Iterator[Database]:
    """PostgreSQL, current, with two issues: it has the many writers that SQLite has not."""
    with store.active(postgresql_database):
        snapshot.import_all(TWO_ISSUES)
        yield postgresql_database


@pytest.fixture
def impatient(postgresql: Database, postgresql_url: str) -> Iterator[Database]:
    """The same with two connections, for which it waits as little as for locks."""
    named = postgresql_url + ("&" if "?" in postgresql_url else "?") + f"application_name={IMPATIENT}"
    database = store.open_database(named, connections=2, wait_seconds=0.3)
    with store.active(database):
        yield database
    database.close_all()


def rename(database: Database, issue_id: int, summary: str) -> None:
    database.execute_sql(f"UPDATE issue SET summary = '{summary}' WHERE id = {issue_id}")


def summaries() -> list[str]:
    with reading() as database:
        return [text for (text,) in database.execute_sql("SELECT summary FROM issue ORDER BY id")]


def lock(issue_id: int) -> Callable[[Database], None]:
    return lambda database: lock_issues(database, [issue_id])


def is_busy(work: Callable[[], Any]) -> bool:
    try:
        work()
    except Problem as problem:
        return problem.fault is Fault.BUSY
    return False


def in_threads(database: Database, *jobs: Callable[[], Any]) -> list[Any]:
    def run(job: Callable[[], Any]) -> Any:
        with store.active(database):
            return job()

    return at_once([partial(run, job) for job in jobs])


def test_work_that_was_outrun_starts_again(two_issues: Database, caplog: pytest.LogCaptureFixture) -> None:
    tries = []

    def work(database: Database) -> str:
        tries.append(rename(database, FIRST_ISSUE, f"try {len(tries)}"))
        if len(tries) < 3:
            raise Outrun
        return "done"

    with caplog.at_level(logging.WARNING):
        assert writing(work) == "done"
    assert summaries() == ["try 2", ""]
    assert caplog.messages == ["a write transaction starts again"] * 2


def test_work_that_is_always_outrun_is_busy(two_issues: Database) -> None:
    def work(database: Database) -> None:
        rename(database, FIRST_ISSUE, "never seen")
        raise Outrun

    assert is_busy(lambda: writing(work))
    assert summaries() == ["", ""]


def test_nothing_is_done_twice_where_the_commit_failed(
    two_issues: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def commit() -> None:
        type(two_issues).commit(two_issues)
        raise OperationalError("the answer got lost")

    monkeypatch.setattr(two_issues, "commit", commit)
    assert is_busy(lambda: writing(lambda database: tries.append(rename(database, FIRST_ISSUE, "kept"))))
    monkeypatch.undo()
    assert (len(tries), summaries()) == (1, ["kept", ""])


def test_of_two_in_a_deadlock_both_are_done(postgresql: Database) -> None:
    both_have_one = threading.Barrier(2)

    def rename_both(first: int, second: int) -> int:
        tries = []

        def work(database: Database) -> None:
            tries.append(rename(database, first, f"first {first}"))
            if len(tries) == 1:
                both_have_one.wait(PATIENCE)
            rename(database, second, f"first {first}")

        writing(work)
        return len(tries)

    one, two = FIRST_ISSUE, FIRST_ISSUE + 1
    tries = in_threads(postgresql, partial(rename_both, one, two), partial(rename_both, two, one))
    assert sorted(tries) == [1, 2]
    assert len(set(summaries())) == 1


def test_a_lock_that_is_not_to_be_had_is_busy(impatient: Database) -> None:
    is_locked, may_end = threading.Event(), threading.Event()

    def hold(database: Database) -> None:
        lock_issues(database, [FIRST_ISSUE])
        is_locked.set()
        assert may_end.wait(PATIENCE)

    def meanwhile() -> list[bool]:
        try:
            assert is_locked.wait(PATIENCE)
            return [is_busy(partial(writing, lock(FIRST_ISSUE + place))) for place in (0, 1)]
        finally:
            may_end.set()

    assert in_threads(impatient, partial(writing, hold), meanwhile)[1] == [True, False]


def test_a_connection_that_is_not_to_be_had_is_busy(impatient: Database) -> None:
    all_connected, may_end = threading.Barrier(3), threading.Event()

    def hold() -> None:
        with reading():
            all_connected.wait(PATIENCE)
            assert may_end.wait(PATIENCE)

    def meanwhile() -> tuple[bool, bool]:
        try:
            all_connected.wait(PATIENCE)
            return is_busy(summaries), is_busy(lambda: writing(lambda database: None))
        finally:
            may_end.set()

    assert in_threads(impatient, hold, hold, meanwhile)[2] == (True, True)
    assert not is_busy(summaries)


def test_a_lost_connection_is_replaced(postgresql: Database, impatient: Database) -> None:
    tries = []

    def work(database: Database) -> None:
        tries.append(rename(database, FIRST_ISSUE, f"try {len(tries)}"))
        if len(tries) == 1:
            end_connections(postgresql)
        rename(database, FIRST_ISSUE + 1, "both")

    writing(work)
    assert (len(tries), summaries()) == (2, ["try 1", "both"])


def test_connections_lost_while_nobody_used_them_are_replaced(
    postgresql: Database, impatient: Database
) -> None:
    all_connected = threading.Barrier(2)

    def connect() -> None:
        with reading():
            all_connected.wait(PATIENCE)

    in_threads(impatient, connect, connect)
    end_connections(postgresql)
    writing(lambda database: rename(database, FIRST_ISSUE, "written"))
    assert summaries() == ["written", ""]


# -- how long it is tried ---------------------------------------------------------------------


def test_the_whole_wait_for_a_lock_is_one_try(impatient: Database) -> None:
    is_locked, may_end = threading.Event(), threading.Event()
    tries = []

    def hold(database: Database) -> None:
        lock_issues(database, [FIRST_ISSUE])
        is_locked.set()
        assert may_end.wait(PATIENCE)

    def wait(database: Database) -> None:
        tries.append("tried")
        lock_issues(database, [FIRST_ISSUE])

    def meanwhile() -> bool:
        try:
            assert is_locked.wait(PATIENCE)
            return is_busy(partial(writing, wait))
        finally:
            may_end.set()

    assert in_threads(impatient, partial(writing, hold), meanwhile)[1]
    assert tries == ["tried"]


def test_a_later_try_waits_for_what_is_left_only(two_issues: Database) -> None:
    is_file = isinstance(two_issues, SqliteDatabase)
    query = "PRAGMA busy_timeout" if is_file else "SHOW lock_timeout"

    def wait_now() -> str:
        return str(two_issues.execute_sql(query).fetchone()[0]).removesuffix("ms")

    with two_issues.connection_context():
        before = wait_now()
        for seconds, expected in ((0.1, "100"), (two_issues.wait_seconds, before)):
            with two_issues.transaction_within(seconds):
                assert wait_now() == expected
            assert wait_now() == before


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
def test_what_others_undid_starts_again(postgresql: Database, state: str) -> None:
    tries = []

    def work(database: Database) -> None:
        tries.append(rename(database, FIRST_ISSUE, f"try {len(tries)}"))
        if len(tries) < 3:
            database.execute_sql(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$")

    writing(work)
    assert (len(tries), summaries()) == (3, ["try 2", ""])


def test_a_connection_to_what_is_no_primary_any_more_is_replaced(postgresql: Database) -> None:
    backends = []

    def work(database: Database) -> None:
        if not backends:
            database.execute_sql("SET TRANSACTION READ ONLY")
        backends.append(database.execute_sql("SELECT pg_backend_pid()").fetchone()[0])
        rename(database, FIRST_ISSUE, "written")

    writing(work)
    assert len(set(backends)) == 2
    assert summaries() == ["written", ""]


def test_other_errors_of_the_engine_are_not_tried_again(postgresql: Database) -> None:
    tries = []

    def work(database: Database) -> None:
        tries.append("tried")
        with contextlib.suppress(DatabaseError):
            database.execute_sql("SELECT 1 / 0")
        database.execute_sql("SELECT 1")  # in a transaction that failed already

    with pytest.raises(InternalError):
        writing(work)
    assert tries == ["tried"]


def test_a_connection_that_says_nothing_is_used_without_asking(
    postgresql: Database, impatient: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    looked = PooledPostgresqlDatabase._is_closed

    def look(database: Any, connection: Any) -> bool:
        asked.append(looked(database, connection))
        return bool(asked[-1])

    monkeypatch.setattr(PooledPostgresqlDatabase, "_is_closed", look)
    for _ in range(3):
        assert summaries() == ["", ""]
    assert asked == []
    end_connections(postgresql)
    assert summaries() == ["", ""]
    assert asked == [True]


# -- a database that is not there -------------------------------------------------------------


def test_a_database_that_is_not_there_is_waited_for_and_then_busy(
    settings: config.Settings, caplog: pytest.LogCaptureFixture
) -> None:
    database = store.open_database("postgresql://postgres@127.0.0.1:1/none", wait_seconds=0.3)
    tries = []
    with store.active(database):
        assert is_busy(lambda: writing(lambda handle: tries.append("tried")))
    assert tries == []
    assert set(caplog.messages) == {"a write transaction starts again"}


def test_for_a_host_that_is_silent_one_caller_waits_and_the_next_are_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        database = store.open_database(f"postgresql://postgres@127.0.0.1:{port}/none", wait_seconds=0.3)
        with store.active(database):
            assert [is_busy(summaries) for _ in range(3)] == [True] * 3
        listener.settimeout(PATIENCE)
        listener.accept()[0].close()
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def end_connections(database: Database) -> None:
    """End the connections of the impatient, as a server does that starts again."""
    with database.connection_context():
        database.execute_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s",
            (IMPATIENT,),
        )
