"""What is kept in memory of a database, and the versions that tell whether it still holds.

Two versions answer two questions. The site's own is raised by every write but those of daily business
(decisions, moves, logins), so what is administered is read once for each of its versions. The version
of the data changes with any commit whatever, so as long as it stays nothing needs reading.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
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
    """

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most // 2  # of each of two generations
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
        self.put_all({key: value})

    def put_all(self, entries: Mapping[Any, Any]) -> None:
        if len(self._young) >= self._at_most:
            self._old, self._young = self._young, {}
        self._young.update(entries)

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


class Weighed(Recent):
    """A memory of which some entries take more than others.

    weigh: how much of `at_most` an entry takes, from its key and its value.
    """

    def __init__(self, at_most: int, weigh: Callable[[Any, Any], int]) -> None:
        super().__init__(at_most)
        self._weigh = weigh
        self._weight = 0

    def put_all(self, entries: Mapping[Any, Any]) -> None:
        if self._weight >= self._at_most:
            self._old, self._young, self._weight = self._young, {}, 0
        for key, value in entries.items():
            replaced = self._young.get(key, _MISSING)
            if replaced is not _MISSING:
                self._weight -= self._weigh(key, replaced)
            self._young[key] = value
            self._weight += self._weigh(key, value)


class Unsure(Recent):
    """A memory before which others are put: it takes what it is given once that is sure."""

    def __init__(self, sure: Recent) -> None:
        self._sure = sure
        self._given: dict[Hashable, Any] = {}

    def get(self, key: Hashable, default: Any = None) -> Any:
        found = self._given.get(key, _MISSING) if self._given else _MISSING
        return self._sure.get(key, default) if found is _MISSING else found

    def put_all(self, entries: Mapping[Any, Any]) -> None:
        self._given.update(entries)

    def select(self, keys: Sequence[Hashable]) -> list[Any]:
        return list(map(self.get, keys)) if self._given else self._sure.select(keys)

    def settle(self) -> None:
        """Keep what was given."""
        if self._given:
            self._sure.put_all(self._given)


class Kept:
    """What is kept of one database, under the version last seen of the site and of the data.

    An entry is only ever found by whoever sees the version under which it was read. It may be
    younger than that version, never older, and no version ever comes again.
    """

    def __init__(self) -> None:
        self._facts: tuple[Hashable, Recent] = (None, _facts())
        self._answers: tuple[Hashable, Recent] = (None, _answers())

    def facts_under(self, version: int | None) -> Recent:
        """Return what is kept of a site; nothing is where it has no version."""
        if version is None:
            return _facts()
        held = self._facts  # looked at once: another thread may see another version
        if held[0] != version:
            held = self._facts = (version, _facts())
        return held[1]

    def answers_under(self, version: Hashable) -> Recent:
        held = self._answers
        if held[0] != version:
            held = self._answers = (version, _answers())
        return held[1]


def _facts() -> Recent:
    # What is asked for may be as long as a request: of keys, 32 MB at most are kept.
    return Weighed(8192, lambda key, value: 1 + size(key) // 4096)


def _answers() -> Recent:
    return Weighed(8 * 1024 * 1024, lambda key, value: size(key) + size(value))


def size(thing: object) -> int:
    """Return about how many bytes something takes in memory, whatever is in it."""
    if isinstance(thing, (str, bytes)):
        return 64 + len(thing)
    if isinstance(thing, (tuple, list, frozenset)):
        return 64 + sum(map(size, thing))
    if is_dataclass(thing):
        return 64 + sum(size(getattr(thing, field.name)) for field in fields(thing))
    return 32


# -- asking for it ----------------------------------------------------------------------------

_moment: ContextVar["_Moment | None"] = ContextVar("moment", default=None)


class _Moment:
    """One use of a connection, in which each version is read once at most.

    is_still: it is a transaction that only reads, all of it from one state.
    before: the version of the data before that transaction, where the database has a watcher.
    """

    def __init__(self, keeps: bool, facts: Recent | None, answers: Recent | None) -> None:
        self.keeps = keeps
        self.facts = facts
        self.answers = answers
        self.is_still = False
        self.before: Hashable = None


@contextmanager
def moment(
    *, keeps: bool = True, facts: Recent | None = None, answers: Recent | None = None
) -> Iterator[None]:
    """Let `facts` and `answers` be of one version each within a `with` block: these, where they are known.

    keeps: False where everything is read anew each time.
    """
    token = _moment.set(_Moment(keeps, facts, answers))
    try:
        yield
    finally:
        _moment.reset(token)


def begin_moment(database: Any) -> None:
    """Note which version the data has; ask before a transaction that only reads begins."""
    now = _moment.get()
    if now is not None:
        now.is_still = True
        now.before = None if database.watcher is None else database.watcher.data_version()


def facts(database: Any) -> Recent:
    """Return what is kept under the site's version, as the connection sees it now.

    In a transaction that changes the site nothing is kept, since it must see what it wrote.
    """
    now = _moment.get()
    if now is None or not now.keeps:
        return _facts()
    if now.facts is None:
        now.facts = database.kept.facts_under(site_version(database))
    return now.facts


def answers(database: Any) -> Recent:
    """Return what is kept as long as nobody writes anything; for what is read at one moment.

    It is of the very state that the transaction sees, or else nothing is kept. On PostgreSQL this costs
    a query.
    """
    now = _moment.get()
    if now is None or not now.keeps:
        return _answers()
    if now.answers is None:
        if not now.is_still and database.in_transaction():
            return _answers()  # it writes, and what it wrote is nobody else's yet
        now.answers = _answers_of_snapshot(database, now.before)
    return now.answers


def _answers_of_snapshot(database: Any, before: Hashable) -> Recent:
    kept: Kept = database.kept
    if database.is_copy:
        # Of transactions under way a standby's snapshot names the oldest only, so it tells nothing.
        return _answers()
    if database.watcher is None:
        return kept.answers_under(data_version(database))
    if before is None:
        before = data_version(database)
    facts(database)  # begins the snapshot, if nothing did
    return kept.answers_under(before) if data_version(database) == before else _answers()


def data_version(database: Any) -> Hashable:
    """Return what changes with any commit. The database is connected, if it is PostgreSQL."""
    if database.watcher is not None:
        version: Hashable = database.watcher.data_version()
        return version
    # Two snapshots are spelt alike only where no transaction that writes ended between them.
    return str(database.execute_sql("SELECT pg_current_snapshot()::text").fetchone()[0])


def is_watched(database: Any) -> bool:
    """Return whether it is cheap to tell that nothing was written."""
    return database.watcher is not None


# -- the site's version -----------------------------------------------------------------------


def site_version(database: Database) -> int | None:
    """Return the site's version; None where it has none yet, and nothing may be kept."""
    rows = run(database, "site version", lambda: SiteVersion.select(SiteVersion.version), {})
    return rows[0][0] if rows else None


def raise_site_version(database: Database) -> None:
    """Give the site a version that it never had, by chance: no two states ever share one."""
    now = _moment.get()
    if now is not None:
        now.keeps = False  # what the transaction reads from here on nobody else may find
    run(database, "raise site version", _raise, {"version": randbits(62)})


def _raise() -> Query:
    inserted = SiteVersion.insert(id=1, version=slot("version"))
    return inserted.on_conflict(
        conflict_target=[SiteVersion.id], update={SiteVersion.version: slot("version")}
    ).returning(SiteVersion.version)
