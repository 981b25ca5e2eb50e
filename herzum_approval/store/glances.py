"""Short reads of a SQLite file: one connection, kept open, on which those of this process take turns.

Python lets one thread run at a time, so short reads gain nothing from running side by side, and lose
much to handing over from one to the other at each statement.
"""

import sqlite3
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from peewee import SqliteDatabase

from herzum_approval.store.kept import Kept, Recent, Unsure, site_version

Result = TypeVar("Result")

CACHE_KILOBYTES = 2 * 1024
"""Of each connection, for what is not in the file yet."""

MAPPED_BYTES = 1 << 30
"""So much of the file is read where the system keeps it, instead of by a call and a copy for each page."""

_PATIENCE_SECONDS = 0.1
_TRIES = 2


class Watcher:
    """Tells when a SQLite file was last written to, by whatever process: `PRAGMA data_version`.

    SQLite tells each connection of the commits of all others, so the watcher's own does nothing else.
    """

    def __init__(self, path: str) -> None:
        self._connection = _Connection(path)
        self._lock = threading.Lock()

    def data_version(self) -> Hashable:
        """Return a value that changes with any commit; one that never was where it cannot be told."""
        with self._lock:
            try:
                connection = self._connection.opened()
                (version,) = connection.execute("PRAGMA data_version").fetchall()
            except sqlite3.Error:
                return object()  # whoever reads will meet what is wrong
            return self._connection.number, version[0]

    def close(self) -> None:
        with self._lock:
            self._connection.close()


class Glances(SqliteDatabase):
    """A database for queries that only read, all of which see the state of one version.

    Nothing is locked for them: where somebody wrote meanwhile, they are run again, and what was to be
    kept of them is forgotten. Whoever uses it has the turn (`take`), so it needs no pool.
    """

    _is_ready = False

    def __init__(self, path: str, kept: Kept) -> None:
        super().__init__(None)
        self.kept = kept
        self.watcher = Watcher(path)
        self.facts = self.answers = Unsure(Recent(0))
        self._connection = _Connection(path)
        self._turn = threading.Lock()
        self._is_ready = True

    def take(self, work: Callable[[], Result]) -> tuple[Result] | None:
        """Return what the work returns, all of it read at one moment; None where that cannot be had soon.

        Within the work, this database must be the current one.
        """
        if not self._turn.acquire(timeout=_PATIENCE_SECONDS):
            return None
        try:
            for _ in range(_TRIES):
                version = self.watcher.data_version()
                self.answers = Unsure(self.kept.answers_under(version))
                site = self.answers.remembered("site version", lambda: site_version(self))
                self.facts = Unsure(self.kept.facts_under(site))
                result = work()
                if self.watcher.data_version() == version:
                    self.answers.settle()
                    self.facts.settle()
                    return (result,)
            return None
        finally:
            self._turn.release()

    def execute_sql(self, sql: str, params: Sequence[Any] | None = None) -> Any:
        return self._connection.opened().execute(sql, params or ())

    def is_closed(self) -> bool:
        return not self._is_ready

    def in_transaction(self) -> bool:
        return True  # in effect

    def close_all(self) -> None:
        """Close both connections, once no turn is taken."""
        self.watcher.close()
        with self._turn:
            self._connection.close()


class _Connection:
    """A connection that is opened when it is first needed, and again after it was closed."""

    def __init__(self, path: str) -> None:
        self.number = 0
        self._path = path
        self._opened: sqlite3.Connection | None = None

    def opened(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            self._opened.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
            self.number += 1
        return self._opened

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
