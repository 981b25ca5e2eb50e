"""What is kept in memory of a database, and the versions that tell whether it still holds.

Two versions answer two questions. The site's own is raised by every write but those of daily business
(decisions, moves, logins), so what is administered is read once for each of its versions. The version
of the data changes with any commit whatever, so as long as it stays nothing needs reading.
"""

import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from secrets import randbits
from typing import Any, TypeVar

from peewee import Database, Query

from herzum_approval.store.statements import run, slot
from herzum_approval.store.tables import SiteVersion

Result = TypeVar("Result")

_MISSING: Any = object()


class Recent:
    """A bounded memory: once it is full, what was not asked for lately makes room.

    Safe to share between threads: at worst, two of them read the same thing.
    weigh: how much of `at_most` a value takes.
    """

    def __init__(self, at_most: int, weigh: Callable[[Any], int] = lambda value: 1) -> None:
        self._at_most = at_most // 2  # of each of two generations
        self._weigh = weigh
        self._weight = 0
        self._young: dict[Hashable, Any] = {}
        self._old: dict[Hashable, Any] = {}

    def get(self, key: Hashable, default: Any = None) -> Any:
        found = self._young.get(key, _MISSING)
        if found is not _MISSING:
            return found
        found = self._old.get(key, _MISSING)
        if found is _MISSING:
            return default
        self.put(key, found)
        return found

    def put(self, key: Hashable, value: Any) -> None:
        if self._weight >= self._at_most:
            self._old, self._young, self._weight = self._young, {}, 0
        self._young[key] = value
        self._weight += self._weigh(value)

    def select(self, keys: Sequence[Hashable]) -> list[Any]:
        """Return what is kept under each of the keys, None where nothing is."""
        found = list(map(self._young.get, keys))
        if None in found:
            found = [self.get(key) if each is None else each for key, each in zip(keys, found, strict=True)]
        return found

    def remembered(self, key: Hashable, read: Callable[[], Result]) -> Result:
        """Return what is kept under the key, reading it where nothing is."""
        found = self.get(key, _MISSING)
        if found is _MISSING:
            found = read()
            self.put(key, found)
        result: Result = found
        return result


class Kept:
    """What is kept of one database, under the version last seen of the site and of the data.

    An entry is only ever found by whoever sees the version under which it was read. It may be
    younger than that version, never older, and no version ever comes again.
    """

    def __init__(self) -> None:
        self._facts: tuple[Hashable, Recent] = (None, _facts())
        self._answers: tuple[Hashable, Recent] = (None, _answers())

    def facts_under(self, version: Hashable) -> Recent:
        if self._facts[0] != version:
            self._facts = (version, _facts())
        return self._facts[1]

    def answers_under(self, version: Hashable) -> Recent:
        if self._answers[0] != version:
            self._answers = (version, _answers())
        return self._answers[1]


def _facts() -> Recent:
    return Recent(4096)


def _answers() -> Recent:
    return Recent(8 * 1024 * 1024, lambda value: 256 + len(value) if isinstance(value, bytes) else 256)


class Watcher:
    """Tells when a SQLite file was last written to, by whatever process: `PRAGMA data_version`.

    SQLite tells each connection of the commits of all others, so the watcher's own never writes.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened = 0

    def data_version(self) -> Hashable:
        with self._lock:
            if self._connection is None:
                self._connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
                self._opened += 1
            return self._opened, self._connection.execute("PRAGMA data_version").fetchone()[0]

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


# -- asking for it ----------------------------------------------------------------------------

_moment: ContextVar["_Moment | None"] = ContextVar("moment", default=None)


class _Moment:
    """One use of a connection, in which the site's version is read once at most."""

    def __init__(self, keeps: bool) -> None:
        self.keeps = keeps
        self.facts: Recent | None = None


@contextmanager
def moment(*, keeps: bool = True) -> Iterator[None]:
    """Let `facts` be of one version within a `with` block.

    keeps: False where they are read anew each time.
    """
    token = _moment.set(_Moment(keeps))
    try:
        yield
    finally:
        _moment.reset(token)


def facts(database: Any) -> Recent:
    """Return what is kept under the site's version, as the connection sees it now.

    In a transaction that changes the site nothing is kept, since it must see what it wrote.
    """
    now = _moment.get()
    if now is None or not now.keeps:
        return _facts()
    if now.facts is None:
        version = site_version(database)
        now.facts = _facts() if version is None else database.kept.facts_under(version)
    return now.facts


def answers(database: Any) -> Recent:
    """Return what is kept as long as nobody writes anything; ask before what is to be kept is read.

    On SQLite this needs no connection and no query, on PostgreSQL both.
    """
    kept: Kept = database.kept
    return kept.answers_under(_data_version(database))


def is_watched(database: Any) -> bool:
    """Return whether it is cheap to tell that nothing was written."""
    return database.watcher is not None


def unless_written(database: Any, key: Hashable, read: Callable[[], Result]) -> Result:
    """Return what `read` does, kept as long as nobody writes anything where that is cheap to tell."""
    return answers(database).remembered(key, read) if is_watched(database) else read()


def _data_version(database: Any) -> Hashable:
    if database.watcher is not None:
        version: Hashable = database.watcher.data_version()
        return version
    # Two snapshots are spelt alike only where no transaction that writes ended between them.
    return str(database.execute_sql("SELECT pg_current_snapshot()::text").fetchone()[0])


# -- the site's version -----------------------------------------------------------------------


def site_version(database: Database) -> int | None:
    """Return the site's version; None where it has none yet, and nothing may be kept."""
    rows = run(database, "site version", lambda: SiteVersion.select(SiteVersion.version), {})
    return rows[0][0] if rows else None


def raise_site_version(database: Database) -> None:
    """Give the site a version that it never had, by chance: no two states ever share one."""
    values = {"version": randbits(62)}
    if not run(database, "raise site version", _raise, values):
        run(database, "first site version", _first, values)


def _raise() -> Query:
    return SiteVersion.update(version=slot("version")).returning(SiteVersion.version)


def _first() -> Query:
    inserted = SiteVersion.insert(id=1, version=slot("version"))
    return inserted.on_conflict(
        conflict_target=[SiteVersion.id], update={SiteVersion.version: slot("version")}
    ).returning(SiteVersion.version)
