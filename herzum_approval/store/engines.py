"""The two engines: SQLite and PostgreSQL, each with a pool of connections and bounded waits."""

import math
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from peewee import Database, DatabaseError, InternalError, OperationalError
from playhouse.pool import (
    MaxConnectionsExceeded,
    PooledPostgresqlDatabase,
    PooledSqliteDatabase,
)

from herzum_approval import clock
from herzum_approval.errors import Fault, Problem
from herzum_approval.store.glances import CACHE_KILOBYTES, MAPPED_BYTES, Glances
from herzum_approval.store.kept import Kept
from herzum_approval.store.turns import Turns

WAL_PAGES = 4096
"""How many pages (16 MB) the log of SQLite takes before they move to their place, for which one waits."""

_POOL_POLL_SECONDS = 0.05
_NEARLY_ALL = 0.9
_READ_ONLY = "25006"
_IDLE_TOO_LONG = "25P03"


class Pooled:
    """What both engines share: how long to wait for a connection, and which errors mean that it is gone.

    wait_seconds: for a connection and for locks.
    is_copy: follows another database, and is only read.
    """

    wait_seconds: float
    is_copy = False
    _pool_available: threading.Condition

    def connect_within(self, seconds: float) -> None:
        """Take a connection for this thread, waiting so long at most. Raises: BUSY where none comes free."""
        deadline = clock.monotonic() + seconds
        while True:
            try:
                Database.connect(self)  # type: ignore[arg-type]
                return
            except MaxConnectionsExceeded as error:
                remaining = deadline - clock.monotonic()
                if remaining <= 0:
                    raise Problem(Fault.BUSY) from error
                with self._pool_available:
                    # One that came free since the look before would not be heard of, hence the poll.
                    self._pool_available.wait(min(remaining, _POOL_POLL_SECONDS))

    def is_lost(self, error: DatabaseError) -> bool:
        """Return whether the error means that the connection, and so the transaction, is gone."""
        raise NotImplementedError

    def transaction_within(self, seconds: float) -> Any:
        """Return a context: one write transaction that waits for each lock so long at most."""
        raise NotImplementedError


class Sqlite(Pooled, PooledSqliteDatabase):
    """SQLite with one writer at a time, decided in this process before the file's own lock.

    SQLite's busy handler sleeps between looks, so writers of one process queue on a lock instead.
    """

    def __init__(self, path: str, *, wait_seconds: float, **options: object) -> None:
        self.turns = Turns()
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

    def is_lost(self, error: DatabaseError) -> bool:
        return False

    @contextmanager
    def transaction_within(self, seconds: float) -> Iterator[None]:
        is_short = seconds < _NEARLY_ALL * self.wait_seconds
        if is_short:
            self._wait_for_locks(max(seconds, 0))
        try:
            with self.atomic():
                yield
        finally:
            if is_short:
                self._wait_for_locks(self.wait_seconds)

    def _wait_for_locks(self, seconds: float) -> None:
        self.execute_sql(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


class Postgresql(Pooled, PooledPostgresqlDatabase):
    """PostgreSQL by psycopg 3.

    A host that is silent would keep each caller for the whole wait, one after the other, since
    connections are opened one at a time. After one such wait the others are refused for a second.
    """

    glances = watcher = None

    _SILENT_SECONDS = 1.0

    def __init__(self, url: str, *, wait_seconds: float, **options: object) -> None:
        self.wait_seconds = wait_seconds
        self._silent_until = -math.inf
        self.kept = Kept()
        given = dict(parse_qsl(urlsplit(url).query)).get("options", "")
        super().__init__(
            url,
            prefer_psycopg3=True,
            timeout=wait_seconds,
            options=f"{given} -c lock_timeout={round(wait_seconds * 1000)}".strip(),
            connect_timeout=max(2, math.ceil(wait_seconds)),  # libpq knows whole seconds from 2 on
            tcp_user_timeout=round(wait_seconds * 1000),
            **options,
        )

    def _connect(self) -> Any:
        started = clock.monotonic()
        is_silent = started < self._silent_until and not self._connections
        if is_silent:
            raise OperationalError("the database did not answer a moment ago")
        try:
            return super()._connect()
        except Exception:
            if clock.monotonic() - started > self._SILENT_SECONDS:
                self._silent_until = clock.monotonic() + self._SILENT_SECONDS
            raise

    def _is_closed(self, conn: Any) -> bool:
        """Return whether an idle connection has ended; asked over the network only where it said something.

        A server that stops says so, or its system does; asking each time would cost each caller a round trip.
        """
        if conn.closed:
            return True
        poll = select.poll()
        poll.register(conn.fileno(), select.POLLIN)
        return bool(poll.poll(0)) and bool(super()._is_closed(conn))

    def is_lost(self, error: DatabaseError) -> bool:
        state = sqlstate(error)
        if isinstance(error, InternalError):
            # What was the primary is a copy now, or the connection was ended from afar.
            return state in (_READ_ONLY, _IDLE_TOO_LONG)
        return isinstance(error, OperationalError) and (state is None or state.startswith(("08", "57P")))

    @contextmanager
    def transaction_within(self, seconds: float) -> Iterator[None]:
        with self.atomic():
            if seconds < _NEARLY_ALL * self.wait_seconds:
                milliseconds = max(round(seconds * 1000), 1)  # 0 would be for ever
                self.execute_sql(f"SET LOCAL lock_timeout = {milliseconds}")
            yield


Handle = Sqlite | Postgresql
"""A database: what queries are executed on."""


def sqlstate(error: DatabaseError) -> str | None:
    """Return PostgreSQL's code of the error that Peewee wraps; None where it came from nearer."""
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def open_database(
    url: str, *, connections: int = 16, wait_seconds: float = 5.0, synchronous: str = "FULL"
) -> Handle:
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
            "cache_size": -CACHE_KILOBYTES,
            "mmap_size": MAPPED_BYTES,
            "wal_autocheckpoint": WAL_PAGES,
        }
        return Sqlite(parts.path[1:], wait_seconds=wait_seconds, pragmas=pragmas, max_connections=connections)
    if parts.scheme in ("postgresql", "postgres"):
        return Postgresql(url, wait_seconds=wait_seconds, max_connections=connections)
    # The address may hold a password, so it is not repeated.
    raise ValueError("A database address is sqlite:///FILE or postgresql://USER@HOST/NAME.")
