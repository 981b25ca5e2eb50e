"""Writers of one process share a transaction of SQLite, and none of them sees anything of that."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest
from peewee import Database, OperationalError

from herzum_approval import config, store
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import snapshot
from herzum_approval.store import Outrun, turns, writing
from tests.reliability.sites import FIRST_ISSUE, site
from tests.reliability.traffic import PATIENCE, at_once

ISSUES = 6
who: ContextVar[int] = ContextVar("who")


@pytest.fixture
def database(sqlite_database: Database, settings: config.Settings) -> Iterator[Any]:
    """A SQLite file, current, with some issues."""
    with store.active(sqlite_database):
        snapshot.import_all(site(ISSUES, {"board": ["alice"]}, ["alice"]))
        yield sqlite_database


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many works each transaction did."""
    counts: list[int] = []

    def do_together(database: Any, jobs: Sequence[Any], seconds: float) -> None:
        counts.append(len(jobs))
        turns.do_together(database, jobs, seconds)

    monkeypatch.setattr(store, "do_together", do_together)
    return counts


def name(place: int, summary: str) -> Callable[[Database], int]:
    """Return the work that gives an issue a summary."""

    def work(database: Database) -> int:
        database.execute_sql("UPDATE issue SET summary = ? WHERE id = ?", (summary, FIRST_ISSUE + place))
        return place

    return work


def summaries() -> list[str]:
    with store.reading() as database:
        return [text for (text,) in database.execute_sql("SELECT summary FROM issue ORDER BY id")]


def all_at_once(database: Any, works: Sequence[Callable[[Database], Any]]) -> list[Any]:
    """Let each of the works wait for the turn before any has it; return what each returned or raised."""

    def write(work: Callable[[Database], Any]) -> Any:
        with store.active(database):
            try:
                return writing(work, is_daily=True)
            except Exception as error:
                return error

    assert database.turns.turn.acquire(timeout=PATIENCE)
    let_go = partial(release_once, database, waiting=len(works))
    return at_once([*(partial(write, work) for work in works), let_go])[:-1]


def release_once(database: Any, *, waiting: int) -> None:
    """Give the turn back once so many works wait for it."""
    until_waiting(database, waiting)
    database.turns.turn.release()


def until_waiting(database: Any, count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(database.turns._waiting) < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_those_who_wait_are_done_in_one_transaction(database: Any, transactions: list[int]) -> None:
    works = [name(place, f"of {place}") for place in range(ISSUES)]
    assert all_at_once(database, works) == list(range(ISSUES))
    assert transactions == [ISSUES]
    assert summaries() == [f"of {place}" for place in range(ISSUES)]


def test_no_more_share_one_than_may(
    database: Any, transactions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "TOGETHER_AT_MOST", 4)
    all_at_once(database, [name(place, "named") for place in range(ISSUES)])
    assert sorted(transactions) == [2, 4]
    assert summaries() == ["named"] * ISSUES


@pytest.mark.parametrize("error", [Problem(Fault.ACTION_UNAUTHORIZED), ValueError("no")])
def test_what_fails_fails_alone_and_leaves_nothing(database: Any, error: Exception) -> None:
    def refuse(database: Database) -> None:
        name(1, "half done")(database)
        raise error

    works = [name(0, "done"), refuse, name(2, "done")]
    assert all_at_once(database, works) == [0, error, 2]
    assert summaries()[:3] == ["done", "", "done"]


def test_what_was_outrun_starts_again_alone(database: Any) -> None:
    tries: list[int] = []

    def work(database: Database) -> str:
        name(1, f"try {len(tries)}")(database)
        tries.append(len(tries))
        if len(tries) == 1:
            raise Outrun
        return "done"

    assert all_at_once(database, [name(0, "done"), work, name(2, "done")]) == [0, "done", 2]
    assert (tries, summaries()[:3]) == ([0, 1], ["done", "try 1", "done"])


def test_a_transaction_that_is_gone_takes_all_with_it_and_all_start_again(database: Any) -> None:
    tries: list[int] = []

    def work(database: Any) -> str:
        tries.append(len(tries))
        if len(tries) == 1:
            database.connection().rollback()  # as SQLite does where the disk is full
            raise OperationalError("the disk is full")
        return "done"

    assert all_at_once(database, [name(0, "named"), work, name(2, "named")]) == [0, "done", 2]
    assert summaries()[:3] == ["named", "", "named"]


def test_nobody_is_done_twice_where_the_commit_failed(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def commit() -> None:
        type(database).commit(database)
        raise OperationalError("the answer got lost")

    def work(place: int, database: Database) -> None:
        tries.append(name(place, "named")(database))

    monkeypatch.setattr(database, "commit", commit)
    answers = all_at_once(database, [partial(work, place) for place in range(ISSUES)])
    monkeypatch.undo()
    assert [answer.fault for answer in answers] == [Fault.BUSY] * ISSUES
    assert sorted(tries) == list(range(ISSUES))
    assert summaries() == ["named"] * ISSUES


def test_whoever_finds_no_connection_is_busy_alone(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    connect, refused = database.connect_within, []

    def connect_within(seconds: float) -> None:
        if not refused:
            refused.append(seconds)
            raise Problem(Fault.BUSY)
        connect(seconds)

    monkeypatch.setattr(database, "connect_within", connect_within)
    answers = all_at_once(database, [name(place, "named") for place in range(3)])
    assert len([answer for answer in answers if isinstance(answer, Problem)]) == 1
    assert sorted(summaries()[:3]) == ["", "named", "named"]
    assert not database.turns._waiting


def test_each_is_done_in_the_context_of_its_own(database: Any) -> None:
    def write(number: int) -> tuple[int, int]:
        who.set(number)
        with store.active(database):
            return number, writing(lambda _: who.get(), is_daily=True)

    assert database.turns.turn.acquire(timeout=PATIENCE)
    let_go = partial(release_once, database, waiting=4)
    told = at_once([*(partial(write, number) for number in range(4)), let_go])[:-1]
    assert told == [(number, number) for number in range(4)]


def test_whoever_waited_too_long_is_busy_and_never_done(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "wait_seconds", 0.05)
    with database.turns.turn, pytest.raises(Problem) as caught:
        writing(name(0, "never"), is_daily=True)
    assert caught.value.fault is Fault.BUSY
    assert writing(name(1, "named"), is_daily=True) == 1
    assert summaries()[:2] == ["", "named"]


def test_whoever_is_being_done_as_his_time_ends_waits_for_that(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else he would be told that it was not done, and it would be."""
    is_over = threading.Event()
    withdraw = database.turns.withdraw

    def withdraw_late(job: Any) -> bool:
        is_over.set()
        return bool(withdraw(job))

    def write() -> int:
        with store.active(database):
            return writing(name(0, "named"), is_daily=True)

    def be_at_it() -> None:
        with database.connection_context():
            until_waiting(database, 1)
            (job,) = database.turns.take(next(iter(database.turns._waiting)))
            assert is_over.wait(PATIENCE)
            turns.do_together(database, [job], PATIENCE)
        database.turns.turn.release()

    monkeypatch.setattr(database.turns, "withdraw", withdraw_late)
    monkeypatch.setattr(database, "wait_seconds", 0.2)
    assert database.turns.turn.acquire(timeout=PATIENCE)
    assert at_once([write, be_at_it]) == [0, None]
    assert summaries()[0] == "named"
