"""The database: opening it, migrating it, and the only two ways to a connection.

`reading()` and `writing()` work on the database made current by `active()`; nothing else opens
connections, so API, page and command line need no hooks of their own.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from importlib.resources import as_file, files
from typing import Any, TypeVar
from urllib.parse import urlsplit

from peewee import Database, OperationalError
from playhouse.migrations import Runner
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase, PooledSqliteDatabase

from herzum_approval.errors import Fault, Problem
from herzum_approval.store.glances import Glances
from herzum_approval.store.kept import Kept, moment, raise_site_version

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

_current: ContextVar[Database] = ContextVar("database")
_ATTEMPTS = 5


class _Sqlite(PooledSqliteDatabase):
    """SQLite with one writer at a time, decided in this process before the file's own lock.

    SQLite's busy handler sleeps between looks, so writers of one process queue on a lock instead.
    """

    def __init__(self, path: str, *, wait_seconds: float, **options: object) -> None:
        self.writer = threading.Lock()
        self.kept = Kept()
        self.glances: Glances | None = Glances(path, self.kept)
        self.watcher = self.glances.watcher
        self.wait_seconds = wait_seconds
        # The pool hands a connection from thread to thread, though never to two at once.
        options["check_same_thread"] = False
        super().__init__(path, timeout=wait_seconds, lock_type="IMMEDIATE", **options)

    def close_all(self) -> None:
        assert self.glances is not None
        self.glances.close_all()
        super().close_all()


class _Postgresql(PooledPostgresqlDatabase):
    """PostgreSQL by psycopg 3."""

    glances = watcher = None

    def __init__(self, url: str, **options: object) -> None:
        self.kept = Kept()
        super().__init__(url, **options)


class Outrun(Exception):
    """Somebody else wrote a row between its being read and its being written; the work starts again."""


def open_database(
    url: str, *, connections: int = 16, wait_seconds: float = 5.0, synchronous: str = "FULL"
) -> Database:
    """Return the database at `url`; nothing is connected yet.

    url: `sqlite:///relative/path.db`, `sqlite:////absolute/path.db` or `postgresql://…`.
    wait_seconds: how long to wait for a free connection and for locks.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        pragmas = {
            "journal_mode": "wal",
            "synchronous": synchronous,
            "foreign_keys": 1,
            "busy_timeout": round(wait_seconds * 1000),
            "cache_size": -8 * 1024,
        }
        return _Sqlite(
            parts.path[1:], wait_seconds=wait_seconds, pragmas=pragmas, max_connections=connections
        )
    if parts.scheme in ("postgresql", "postgres"):
        return _Postgresql(
            url,
            prefer_psycopg3=True,
            max_connections=connections,
            timeout=wait_seconds,
            options=f"-c lock_timeout={round(wait_seconds * 1000)}",
        )
    # The address may hold a password, so it is not repeated.
    raise ValueError("A database address is sqlite:///FILE or postgresql://USER@HOST/NAME.")


def migrate(database: Database) -> list[str]:
    """Bring the schema up to date and return the names of the migrations that ran.

    Each runs in its own transaction and is recorded in the database. Several processes may start
    at once: on SQLite they queue on the file, on PostgreSQL on an advisory lock.
    """
    with _runner(database) as runner, _migration_lock(database):
        return list(runner.up())


@contextmanager
def _runner(database: Database) -> Iterator[Runner]:
    with as_file(files(__name__) / "migrations") as directory, database.connection_context():
        yield Runner(database, directory=str(directory))


@contextmanager
def _migration_lock(database: Database) -> Iterator[None]:
    if isinstance(database, _Sqlite):
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


@contextmanager
def active(database: Database) -> Iterator[Database]:
    """Make `database` the one that `reading` and `writing` use within a `with` block."""
    token = _current.set(database)
    try:
        yield database
    finally:
        _current.reset(token)


def at_a_glance(work: Callable[[], Result]) -> Result:
    """Return what `work` does, which only reads, and little; all of it sees the same state.

    Raises: BUSY, as `reading`.
    """
    database: Any = _current.get()
    glances: Glances | None = database.glances
    if glances is not None and database.is_closed():
        token = _current.set(glances)
        try:
            done = glances.take(lambda: _glanced(glances, work))
        finally:
            _current.reset(token)
        if done is not None:
            return done[0]
    with reading(at_one_moment=True):
        return work()


def _glanced(glances: Glances, work: Callable[[], Result]) -> Result:
    with moment(facts=glances.facts, answers=glances.answers):
        return work()


def reading(*, at_one_moment: bool = False) -> AbstractContextManager[Database]:
    """Give the current database, connected, for queries within a `with` block.

    at_one_moment: all queries see the same state, whatever is written between them.
    Raises: BUSY where a connection could not be had in time, or was lost.
    """
    database = _current.get()
    is_outermost = database.is_closed()
    if is_outermost or (at_one_moment and not database.in_transaction()):
        return _reading(database, at_one_moment)
    return nullcontext(database)


@contextmanager
def _reading(database: Database, at_one_moment: bool) -> Iterator[Database]:
    try:
        with _connected(database), one_moment(database) if at_one_moment else nullcontext():
            yield database
    except OperationalError as error:
        raise Problem(Fault.BUSY) from error


@contextmanager
def one_moment(database: Database) -> Iterator[None]:
    """Let all queries within a `with` block see the same state; only for reading."""
    # A reader of SQLite need not wait for a writer, which a database of ours otherwise does at BEGIN.
    with database.atomic("DEFERRED" if isinstance(database, _Sqlite) else "REPEATABLE READ"):
        yield


@contextmanager
def _connected(database: Database) -> Iterator[None]:
    if not database.is_closed():
        yield
        return
    try:
        database.connect()
    except MaxConnectionsExceeded as error:
        raise Problem(Fault.BUSY) from error
    try:
        with moment():
            yield
    finally:
        database.close()


def writing(work: Callable[[Database], Result], *, alone: bool = False, is_daily: bool = False) -> Result:
    """Run `work(database)` in one write transaction, commit, and return what it returned.

    The work may run again after a deadlock, a lock it could not get or a lost connection, so it must
    do nothing but read and write through the handle: no hashing, no network. It never runs again once
    COMMIT was sent, because nobody could tell whether that took effect.

    alone: nobody else writes anything meanwhile; for work that takes away what others refer to.
    is_daily: the work changes nothing that is administered: decisions, moves, logins, what is told of
        them. All other work raises the site's version, so that what is kept in memory is read again.

    Raises: BUSY where the lock or a connection could not be had in time.
    """
    database = _current.get()
    for attempt in range(1, _ATTEMPTS + 1):
        committing = False
        try:
            with _writer_turn(database), _connected(database):
                with database.atomic():
                    _take_part(database, alone)
                    result = work(database) if is_daily else _administered(database, work)
                    committing = True
                return result
        except (OperationalError, Outrun) as error:
            if committing or attempt == _ATTEMPTS:
                raise Problem(Fault.BUSY) from error
            logger.warning("a write transaction starts again", exc_info=error)
            time.sleep(0.01 * 2**attempt)
    raise AssertionError("unreachable")


def _administered(database: Database, work: Callable[[Database], Result]) -> Result:
    with moment(keeps=False):
        result = work(database)
    # Last of all: until the transaction ends, others who raise the version wait here.
    raise_site_version(database)
    return result


def _take_part(database: Database, alone: bool) -> None:
    """Wait until whoever writes alone is done, or until all others are; SQLite has one writer anyway."""
    if not isinstance(database, _Sqlite):
        mode = "" if alone else "_shared"
        database.execute_sql(f"SELECT pg_advisory_xact_lock{mode}(740213)")


def _writer_turn(database: Database) -> AbstractContextManager[object]:
    if not isinstance(database, _Sqlite):
        return nullcontext()
    return _turn(database)


@contextmanager
def _turn(database: _Sqlite) -> Iterator[None]:
    if not database.writer.acquire(timeout=database.wait_seconds):
        raise Problem(Fault.BUSY)
    try:
        yield
    finally:
        database.writer.release()
