"""The database: migrating it, and the only two ways to a connection.

`reading()` and `writing()` work on the database made current by `active()`; nothing else opens
connections, so API, page and command line need no hooks of their own.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from importlib.resources import as_file, files
from typing import Any, TypeVar

from peewee import Database, DatabaseError, InternalError, OperationalError
from playhouse.migrations import Runner

from herzum_approval import clock, metrics
from herzum_approval.errors import Fault, Problem
from herzum_approval.store.engines import Handle, Sqlite, open_database
from herzum_approval.store.glances import Glances
from herzum_approval.store.kept import begin_moment, moment, raise_site_version
from herzum_approval.store.turns import Job, do_together

__all__ = [
    "Outrun",
    "activate",
    "active",
    "at_a_glance",
    "is_migrated",
    "migrate",
    "one_moment",
    "open_database",
    "reading",
    "watch_writes",
    "writing",
]

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

_current: ContextVar[Handle] = ContextVar("database")
_copy: ContextVar[Handle | None] = ContextVar("copy", default=None)
_watcher: ContextVar[Callable[[Database], None] | None] = ContextVar("watcher", default=None)

_CLASHES = 5
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25


class Outrun(Exception):
    """Somebody else wrote a row between its being read and its being written; the work starts again."""


def migrate(database: Database) -> list[str]:
    """Bring the schema up to date and return the names of the migrations that ran.

    Each runs in its own transaction and is recorded in the database. Several processes may start
    at once: on SQLite they queue on the file, on PostgreSQL on an advisory lock.
    """
    with _runner(database) as runner, _migration_lock(database):
        names = list(runner.up())
        if names:
            raise_site_version(database)  # a migration may change anything, and other processes go on
        return names


@contextmanager
def _runner(database: Database) -> Iterator[Runner]:
    with as_file(files(__name__) / "migrations") as directory, database.connection_context():
        yield Runner(database, directory=str(directory))


@contextmanager
def _migration_lock(database: Database) -> Iterator[None]:
    if isinstance(database, Sqlite):
        with database.atomic("IMMEDIATE"):  # each migration is then a savepoint
            yield
        return
    database.execute_sql("SELECT pg_advisory_lock(740211)")
    try:
        yield
    finally:
        database.execute_sql("SELECT pg_advisory_unlock(740211)")


def is_migrated(database: Database) -> bool:
    """Return whether the schema is there and up to date; changes nothing."""
    with _runner(database) as runner:
        return all(migration.applied for migration in runner.status())


def activate(database: Handle, copy: Handle | None = None) -> None:
    """Make `database` the one that `reading` and `writing` use for the rest of the present context.

    copy: follows the database and may lag behind; see `reading`.
    """
    _current.set(database)
    _copy.set(copy)


@contextmanager
def active(database: Handle) -> Iterator[Handle]:
    """Make `database` the one that `reading` and `writing` use within a `with` block."""
    token = _current.set(database)
    try:
        yield database
    finally:
        _current.reset(token)


def watch_writes(watcher: Callable[[Database], None]) -> None:
    """Let `watcher` take part in each write transaction of the present context, last before COMMIT.

    Does nothing where there is no copy to read from: it is for knowing what a copy may not have yet.
    """
    if _copy.get() is not None:
        _watcher.set(watcher)


def at_a_glance(work: Callable[[], Result]) -> Result:
    """Return what `work` does, which only reads, and little; all of it sees the same state.

    Raises: BUSY, as `reading`.
    """
    database: Any = _current.get()
    glances: Glances | None = database.glances
    if glances is not None and database.is_closed():
        started = clock.monotonic()
        token = _current.set(glances)  # type: ignore[arg-type]
        try:
            done = glances.take(lambda: _glanced(glances, work))
        finally:
            _current.reset(token)
            _measure(started)
        if done is not None:
            return done[0]
    with reading(at_one_moment=True):
        return work()


def _glanced(glances: Glances, work: Callable[[], Result]) -> Result:
    with moment(facts=glances.facts, answers=glances.answers):
        return work()


def reading(*, at_one_moment: bool = False, may_lag: bool = False) -> AbstractContextManager[Database]:
    """Give the current database, connected, for queries within a `with` block.

    at_one_moment: all queries see the same state, whatever is written between them.
    may_lag: the state may be that of a moment ago; it comes from the copy where there is one. What is
        read inside of the `with` block comes from the same place.
    Raises: BUSY where a connection could not be had in time, or was lost.
    """
    database = _current.get()
    if not database.is_closed():
        is_new_moment = at_one_moment and not database.in_transaction()
        return _reading(database, is_new_moment) if is_new_moment else nullcontext(database)
    copy = _copy.get() if may_lag else None
    return _reading(database, at_one_moment) if copy is None else _reading_copy(copy, at_one_moment)


@contextmanager
def _reading(database: Handle, at_one_moment: bool) -> Iterator[Database]:
    try:
        with _connected(database), one_moment(database) if at_one_moment else nullcontext():
            yield database
    except (OperationalError, InternalError) as error:
        if isinstance(error, InternalError) and not database.is_lost(error):
            raise
        raise Problem(Fault.BUSY) from error


@contextmanager
def _reading_copy(copy: Handle, at_one_moment: bool) -> Iterator[Database]:
    """Give the copy as the current database, or the database itself where the copy is not there."""
    started = clock.monotonic()
    if not _is_there(copy):
        with _reading(_current.get(), at_one_moment) as database:
            yield database
        return
    token = _current.set(copy)
    try:
        with _given_back(copy), _reading(copy, at_one_moment) as database:
            yield database
    finally:
        _current.reset(token)
        _measure(started)


def _is_there(copy: Handle) -> bool:
    try:
        copy.connect_within(copy.wait_seconds)
    except OperationalError as error:
        logger.warning("the copy cannot be reached, the database is read instead", exc_info=error)
        return False
    return True


@contextmanager
def one_moment(database: Database) -> Iterator[None]:
    """Let all queries within a `with` block see the same state; only for reading."""
    begin_moment(database)
    # A reader of SQLite need not wait for a writer, which a database of ours otherwise does at BEGIN.
    with database.atomic("DEFERRED" if isinstance(database, Sqlite) else "REPEATABLE READ"):
        yield


@contextmanager
def _connected(database: Handle, seconds: float | None = None) -> Iterator[None]:
    if not database.is_closed():
        yield
        return
    started = clock.monotonic()
    try:
        database.connect_within(database.wait_seconds if seconds is None else seconds)
        with _given_back(database):
            yield
    finally:
        _measure(started)


@contextmanager
def _given_back(database: Handle) -> Iterator[None]:
    """Use a connection within a `with` block, and give it back to the pool if it is of any use then."""
    try:
        with moment():
            yield
    except DatabaseError as error:
        if database.is_lost(error):
            # Whatever it still answers, nobody else is to have it.
            database.manual_close()
        raise
    finally:
        database.close()


def _measure(started: float) -> None:
    meter = metrics.current_meter()
    if meter is not None:
        meter.database_seconds += clock.monotonic() - started


def writing(work: Callable[[Database], Result], *, alone: bool = False, is_daily: bool = False) -> Result:
    """Run `work(database)` in one write transaction, commit, and return what it returned.

    The work may run again after a deadlock or a lost connection, so it must do nothing but read and
    write through the handle: no hashing, no network. It never runs again once COMMIT was sent, because
    nobody could tell whether that took effect. Nor does it once the database's wait is over: whatever
    is in its way, it has one wait for everything.

    alone: nobody else writes anything meanwhile; for work that takes away what others refer to.
    is_daily: the work changes nothing that is administered: decisions, moves, logins, what is told of
        them. All other work raises the site's version, so that what is kept in memory is read again.

    Raises: BUSY where the lock or a connection could not be had in time.
    """
    database = _current.get()
    deadline = clock.monotonic() + database.wait_seconds
    clashes, pause = 0, _FIRST_PAUSE
    while True:
        committing = False
        try:
            if is_daily and isinstance(database, Sqlite):
                return _written_with_others(database, work, deadline)
            with _writer_turn(database, deadline), _connected(database, deadline - clock.monotonic()):
                with database.transaction_within(deadline - clock.monotonic()):
                    _take_part(database, alone)
                    result = work(database) if is_daily else _administered(database, work)
                    _tell_watcher(database)
                    committing = True
                return result
        except (OperationalError, InternalError, Outrun) as error:
            is_lost = not isinstance(error, Outrun) and database.is_lost(error)
            if isinstance(error, InternalError) and not is_lost:
                raise
            # A server that starts again is waited for; those who are in each other's way give up sooner.
            clashes += not is_lost
            if committing or clashes == _CLASHES or clock.monotonic() + pause >= deadline:
                raise Problem(Fault.BUSY) from error
            logger.warning("a write transaction starts again", exc_info=error)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _written_with_others(database: Sqlite, work: Callable[[Database], Result], deadline: float) -> Result:
    """Write in one transaction with whatever else waits for the turn; see `turns`."""
    turns = database.turns

    def in_its_own_moment() -> Result:
        with moment():
            result = work(database)
            _tell_watcher(database)
            return result

    job = Job(in_its_own_moment)
    turns.offer(job)
    if not _turn_taken(database, deadline):
        if turns.withdraw(job):
            raise Problem(Fault.BUSY)
        turns.turn.acquire()  # somebody is at it this very moment
    try:
        if not job.is_done:
            _do_together(database, job, deadline)
    finally:
        turns.withdraw(job)  # where there was no connection it was not even begun
        turns.turn.release()
    return job.result()


def _do_together(database: Sqlite, own: Job[Any], deadline: float) -> None:
    """Do one's own job and what waits beside it. Raises: BUSY where no connection is to be had in time."""
    with _connected(database, deadline - clock.monotonic()):
        do_together(database, database.turns.take(own), deadline - clock.monotonic())


def _administered(database: Database, work: Callable[[Database], Result]) -> Result:
    with moment(keeps=False):
        result = work(database)
    # Last of all: until the transaction ends, others who raise the version wait here.
    raise_site_version(database)
    return result


def _take_part(database: Database, alone: bool) -> None:
    """Wait until whoever writes alone is done, or until all others are; SQLite has one writer anyway."""
    if not isinstance(database, Sqlite):
        mode = "" if alone else "_shared"
        database.execute_sql(f"SELECT pg_advisory_xact_lock{mode}(740213)")


def _tell_watcher(database: Database) -> None:
    watcher = _watcher.get()
    if watcher is not None:
        watcher(database)


@contextmanager
def _writer_turn(database: Handle, deadline: float) -> Iterator[None]:
    if not isinstance(database, Sqlite):
        yield
        return
    if not _turn_taken(database, deadline):
        raise Problem(Fault.BUSY)
    try:
        yield
    finally:
        database.turns.turn.release()


def _turn_taken(database: Sqlite, deadline: float) -> bool:
    """Wait for the turn to write; return whether it could be had in time."""
    started = clock.monotonic()
    is_mine = database.turns.turn.acquire(timeout=max(deadline - started, 0))
    _measure(started)
    return is_mine
