"""What is kept in memory: found as long as its version stands, never after, and never without bound."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from peewee import Database, PostgresqlDatabase

from herzum_approval import store
from herzum_approval.domain.configuration import Configuration, Licence, LicenceState
from herzum_approval.domain.issue_approvals import Criteria
from herzum_approval.store import kept
from herzum_approval.store.configuration import (
    read_configuration,
    read_licence,
    write_document,
)
from herzum_approval.store.glances import Watcher
from herzum_approval.store.kept import (
    Kept,
    Recent,
    Unsure,
    Weighed,
    answers,
    facts,
    site_version,
    size,
)
from herzum_approval.store.tables import Group

EXPIRED, VALID = Licence(state=LicenceState.EXPIRED), Licence(state=LicenceState.VALID)


# -- a bounded memory -------------------------------------------------------------------------


def test_what_is_put_is_found() -> None:
    memory = Recent(10)
    memory.put("a", 1)
    memory.put("nothing", None)
    assert (memory.get("a"), memory.get("b"), memory.get("b", 5)) == (1, None, 5)
    assert memory.get("nothing", 5) is None
    assert memory.select(["b", "a"]) == [None, 1]


def test_what_is_remembered_is_read_once_even_where_it_is_none() -> None:
    memory, asked = Recent(10), []
    for _ in range(3):
        assert memory.remembered("a", lambda: asked.append(1)) is None
    assert asked == [1]


def test_what_was_not_asked_for_lately_makes_room() -> None:
    memory = Recent(20)
    for number in range(1000):
        memory.put(number, number)
        assert memory.get(0) == 0  # asked for all the time
    assert memory.select(range(995, 1000)) == list(range(995, 1000))
    assert memory.get(0) == 0
    assert sum(each is not None for each in memory.select(range(1000))) <= 20


def test_what_is_selected_is_asked_for() -> None:
    memory = Recent(20)
    for number in range(1000):
        memory.put(number, number)
        assert memory.select([number, 0]) == [number, 0]


def test_what_is_put_again_and_again_takes_its_place_once() -> None:
    memory = Recent(20)
    memory.put("a", 1)
    for number in range(1000):
        memory.put("b", number)
    assert memory.select(["a", "b"]) == [1, 999]


def test_heavy_entries_take_more_room() -> None:
    memory = Weighed(100, lambda key, value: value)
    for number, weight in enumerate([10] * 6 + [60] + [10] * 4):
        memory.put(number, weight)
    weights = [each for each in memory.select(range(11)) if each is not None]
    assert sum(weights) <= 160  # the bound, and what overstepped it
    assert memory.get(10) == 10


def test_sizes_grow_with_what_is_inside() -> None:
    assert size("x" * 1000) > 1000
    assert size(b"x" * 1000) > 1000
    assert size(("answer", ("bob", "y" * 5000))) > 5000
    assert size(Criteria(issue_ids=tuple(range(1000)))) > 20 * 1000
    assert size(frozenset({"a", "b"})) > size("a") + size("b")


def test_long_questions_do_not_fill_the_memory() -> None:
    """Whoever asks chooses how long a question is; what is kept of it is bounded all the same."""
    memory = kept._answers()
    keys = [("answer", ("bob", f"{number}" * 10_000)) for number in range(2000)]
    for key in keys:
        memory.put(key, b"[]")
    found = [key for key, answer in zip(keys, memory.select(keys), strict=True) if answer is not None]
    assert 0 < sum(map(size, found)) <= 9 * 1024 * 1024
    memory = kept._facts()
    for key in keys:
        memory.put(key, 1)
    found = [key for key, fact in zip(keys, memory.select(keys), strict=True) if fact is not None]
    assert 0 < sum(map(size, found)) <= 40 * 1024 * 1024


def test_threads_share_a_memory() -> None:
    """Whatever they do at once, each finds what belongs to its key or nothing."""
    memory = Recent(64)

    def work(seed: int) -> bool:
        keys = [(seed * 31 + number * 7) % 200 for number in range(3000)]
        found = [memory.remembered(key, lambda key=key: f"of {key}") for key in keys]  # type: ignore[misc]
        return found == [f"of {key}" for key in keys]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))
    assert sum(each is not None for each in memory.select(range(200))) <= 2 * 64


# -- versions ---------------------------------------------------------------------------------


def test_a_version_finds_its_own_and_no_other() -> None:
    memory = Kept()
    for under in (memory.facts_under, memory.answers_under):
        under(1).put("a", "of 1")
        assert under(1).get("a") == "of 1"
        assert under(2).get("a") is None
        under(2).put("a", "of 2")
        assert under(2).get("a") == "of 2"
        assert under(1).get("a") is None  # one version is kept, and this one begins anew


def test_threads_that_see_different_versions_never_mix_them() -> None:
    """One still reads an older state while others see the new one."""
    memory = Kept()

    def work(version: int) -> bool:
        for _ in range(3000):
            for under in (memory.facts_under, memory.answers_under):
                found = under(version)
                if found.remembered("version", lambda: version) != version:
                    return False
        return True

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, [1, 2, 3, 4]))
    finally:
        sys.setswitchinterval(interval)


# -- the watcher ------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "watched.db"
    execute(path, "PRAGMA journal_mode = wal")
    execute(path, "CREATE TABLE t (x)")
    return path


@pytest.fixture
def watcher(file: Path) -> Iterator[Watcher]:
    watcher = Watcher(str(file))
    yield watcher
    watcher.close()


def execute(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(sql)
    connection.close()


def test_reading_changes_no_version(file: Path, watcher: Watcher) -> None:
    version = watcher.data_version()
    execute(file, "SELECT * FROM t")
    assert watcher.data_version() == version


def test_another_connections_commit_is_seen_and_nothing_before_it(file: Path, watcher: Watcher) -> None:
    version = watcher.data_version()
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("INSERT INTO t VALUES (1)")
    assert watcher.data_version() == version
    connection.execute("COMMIT")
    connection.close()
    assert watcher.data_version() != version


def test_another_processs_commit_is_seen(file: Path, watcher: Watcher) -> None:
    version = watcher.data_version()
    program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('INSERT INTO t VALUES (2)'); "
    subprocess.run([sys.executable, "-c", program + "c.commit(); c.close()", str(file)], check=True)
    assert watcher.data_version() != version


def test_no_version_comes_again_however_often_it_is_closed(file: Path, watcher: Watcher) -> None:
    versions = set()
    for _ in range(5):
        versions.add(watcher.data_version())
        watcher.close()
        watcher.close()
    assert len(versions) == 5


def test_a_file_that_cannot_be_watched_has_another_version_each_time(tmp_path: Path) -> None:
    watcher = Watcher(str(tmp_path / "nowhere" / "site.db"))
    assert watcher.data_version() != watcher.data_version()
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"this is no database, whatever its name is" * 100)
    watcher = Watcher(str(garbage))
    assert watcher.data_version() != watcher.data_version()
    watcher.close()


def test_a_closed_database_is_watched_no_more(sqlite_database: Database) -> None:
    before = sqlite_database.watcher.data_version()
    sqlite_database.close_all()
    assert sqlite_database.watcher._connection._opened is None
    assert sqlite_database.watcher.data_version() != before


# -- facts ------------------------------------------------------------------------------------


def put(name: str) -> Callable[[Any], None]:
    """Return work that adds a group."""
    return lambda database: Group.insert(name=name).execute(database)


def count(database: Any) -> int:
    return Group.select().count(database)


def asked(database: Any) -> int:
    """Return how many groups there are, as a fact."""
    return facts(database).remembered("groups", lambda: count(database))


@pytest.fixture
def site(engine: Database) -> Database:
    """An empty site that has a version."""
    store.writing(lambda database: None)
    return engine


def behind_its_back(database: Database, name: str) -> None:
    """Write without raising the site's version, as nothing but a test does."""
    with database.connection_context():
        put(name)(database)


def test_a_fact_is_kept_until_something_is_administered(site: Database) -> None:
    def known() -> int:
        with store.reading() as database:
            return asked(database)

    assert known() == 0
    behind_its_back(site, "a")
    assert known() == 0  # it was read before
    store.writing(lambda database: None, is_daily=True)
    assert known() == 0
    store.writing(put("b"))
    assert known() == 2


def test_a_use_of_a_connection_asks_for_the_version_once(site: Database) -> None:
    with store.reading() as database:
        first = facts(database)
        store.raise_site_version(database)
        with store.reading() as same:
            assert facts(same) is not None
    with store.reading() as database:
        assert facts(database) is not first


def test_nothing_is_kept_in_a_transaction_that_administers(site: Database) -> None:
    def work(database: Any) -> tuple[int, int]:
        before = asked(database)
        put("a")(database)
        return before, asked(database)

    assert store.writing(work) == (0, 1)


def test_what_was_not_committed_is_found_by_nobody(site: Database) -> None:
    def work(database: Any) -> None:
        put("a")(database)
        assert asked(database) == 1
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.writing(work)
    with store.reading() as database:
        assert asked(database) == 0


def test_daily_work_finds_what_is_kept(site: Database) -> None:
    with store.reading() as database:
        assert asked(database) == 0
    behind_its_back(site, "a")
    assert store.writing(asked, is_daily=True) == 0


def test_daily_work_that_raises_the_version_keeps_nothing_from_then_on(site: Database) -> None:
    def work(database: Any) -> None:
        facts(database)
        put("a")(database)
        store.raise_site_version(database)
        assert asked(database) == 1
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.writing(work, is_daily=True)
    with store.reading() as database:
        assert asked(database) == 0


def test_a_site_without_a_version_keeps_nothing(engine: Database) -> None:
    with engine.connection_context():
        kept.SiteVersion.delete().execute(engine)
    for expected, name in enumerate(("a", "b")):
        with store.reading() as database:
            assert site_version(database) is None
            assert asked(database) == expected
        behind_its_back(engine, name)


def test_no_version_comes_twice(site: Database) -> None:
    def version() -> int | None:
        with store.reading() as database:
            return site_version(database)

    versions = {version()}
    for _ in range(20):
        store.writing(lambda database: None)
        versions.add(version())
    assert len(versions) == 21
    assert None not in versions


def test_a_first_migration_gives_the_site_a_version(tmp_path: Path) -> None:
    database = store.open_database(f"sqlite:///{tmp_path / 'new.db'}")
    store.migrate(database)
    with database.connection_context():
        first = site_version(database)
    assert first is not None
    store.migrate(database)  # nothing left to do
    with database.connection_context():
        assert site_version(database) == first
    database.close_all()


def test_licence_and_configuration_are_facts(site: Database) -> None:
    def read() -> tuple[Licence, Configuration]:
        with store.reading() as database:
            return read_licence(database), read_configuration(database)

    store.writing(lambda database: write_document(database, EXPIRED))
    assert read() == (EXPIRED, Configuration())
    other = Configuration(is_reject_enabled=False)
    store.writing(lambda database: (write_document(database, VALID), write_document(database, other)))
    assert read() == (VALID, other)


# -- answers ----------------------------------------------------------------------------------


def answered(database: Any) -> int:
    """Return how many groups there are, as an answer."""
    return answers(database).remembered("groups", lambda: count(database))


def test_an_answer_is_kept_until_anything_is_written(site: Database) -> None:
    def known() -> list[int]:
        found = []
        for at_one_moment in (False, True):
            with store.reading(at_one_moment=at_one_moment) as database:
                found.append(answered(database))
        return found

    assert known() == [0, 0]
    first = [site.kept._answers[1], known(), site.kept._answers[1]]
    assert first[0] is first[2]
    store.writing(put("a"), is_daily=True)
    assert known() == [1, 1]
    behind_its_back(site, "b")
    assert known() == [2, 2]


def test_within_writing_no_answer_is_kept(site: Database) -> None:
    def work(database: Any) -> list[int]:
        found = [answered(database)]
        put(f"a{found}")(database)
        return [*found, answered(database)]

    assert store.writing(work, is_daily=True) == [0, 1]
    assert store.writing(work) == [1, 2]


def test_an_answer_is_of_the_state_that_is_seen(site: Database) -> None:
    """A reader that began before a commit keeps nothing for those who begin after it."""
    with store.reading(at_one_moment=True) as database:
        assert facts(database) is not None  # from here on it sees this state
        elsewhere(site, lambda: store.writing(put("a"), is_daily=True))
        assert answered(database) == 0
        assert answered(database) == 0
    with store.reading(at_one_moment=True) as database:
        assert answered(database) == 1


def test_a_reader_of_an_older_state_finds_no_younger_answer(site: Database) -> None:
    with store.reading(at_one_moment=True) as database:
        facts(database)
        elsewhere(site, lambda: store.writing(put("a"), is_daily=True))
        assert elsewhere(site, lambda: known_at_once(site)) == 1
        assert answered(database) == count(database) == 0
    assert known_at_once(site) == 1


def known_at_once(site: Database) -> int:
    with store.reading(at_one_moment=True) as database:
        return answered(database)


def elsewhere(site: Database, work: Callable[[], Any]) -> Any:
    """Do the work in another thread, on a connection of its own, and return what it returned."""

    def done() -> Any:
        with store.active(site):
            return work()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(done).result(timeout=30)


def test_what_began_to_read_before_it_asked_keeps_nothing_of_before_for_after(site: Database) -> None:
    """Whatever a transaction read first, its answers are of the version that it sees, or of none."""
    with store.reading(at_one_moment=True) as database:
        assert count(database) == 0  # no fact: it just began to read
        elsewhere(site, lambda: store.writing(put("a"), is_daily=True))
        assert answered(database) == 0
    assert known_at_once(site) == 1


# -- glances ----------------------------------------------------------------------------------


def glanced() -> tuple[int, int]:
    """Return how many groups there are, as a fact and as an answer."""
    return store.at_a_glance(lambda: (asked(store._current.get()), answered(store._current.get())))


def test_a_glance_sees_every_write_and_keeps_what_it_saw(site: Database) -> None:
    for turn in range(4):
        assert [glanced(), glanced(), glanced()] == [(turn, turn)] * 3
        assert known_at_once(site) == turn
        store.writing(put(str(turn)))


def test_a_glance_that_was_overtaken_is_repeated_and_keeps_nothing_of_before(site: Database) -> None:
    tries = []

    def work() -> list[int]:
        database = store._current.get()
        tries.append(database)
        first = answered(database)
        if len(tries) == 1:
            elsewhere(site, lambda: store.writing(put("a")))
        return [first, answers(database).remembered("again", lambda: count(database)), asked(database)]

    found = store.at_a_glance(work)
    if isinstance(site, PostgresqlDatabase):  # there a transaction sees one state
        assert (found, len(tries)) == ([0, 0, 0], 1)
    else:
        assert (found, len(tries)) == ([1, 1, 1], 2)
    assert glanced() == (1, 1)


def test_a_glance_that_is_overtaken_all_the_time_reads_at_one_moment(sqlite_database: Database) -> None:
    tries = []

    def work() -> tuple[int, int]:
        tries.append(1)
        database = store._current.get()
        first = count(database)
        elsewhere(sqlite_database, lambda: store.writing(put(str(len(tries)))))
        return first, count(database)

    with store.active(sqlite_database):
        assert store.at_a_glance(work) == (2, 2)
        assert len(tries) == 3
        assert glanced() == (3, 3)


def test_what_is_unsure_is_found_by_nobody_else_until_it_is_settled() -> None:
    sure = Recent(10)
    sure.put("a", 1)
    unsure = Unsure(sure)
    unsure.put("b", 2)
    unsure.put("a", 3)
    assert unsure.select(["a", "b", "c"]) == [3, 2, None]
    assert sure.select(["a", "b"]) == [1, None]
    unsure.settle()
    assert sure.select(["a", "b"]) == [3, 2]
    assert Unsure(sure).select(["a", "b"]) == [3, 2]


# -- PostgreSQL's snapshots -------------------------------------------------------------------


def test_a_snapshot_of_postgresql_is_spelt_otherwise_after_each_commit(postgresql_database: Database) -> None:
    database = postgresql_database

    def spelt() -> Any:
        with database.connection_context():
            return database.execute_sql("SELECT pg_current_snapshot()::text").fetchone()[0]

    first = spelt()
    with database.connection_context():
        list(Group.select().execute(database))
    assert spelt() == first  # who only reads ends nothing
    versions = [first]
    with store.active(database):
        for name in "abc":
            store.writing(put(name), is_daily=True)
            versions.append(spelt())
    assert len(set(versions)) == 4


def test_a_snapshot_of_postgresql_tells_transactions_that_overlap_apart(
    postgresql_database: Database,
) -> None:
    """One that began earlier and ends later changes the version when it ends, not before."""
    database = postgresql_database
    begun, end = threading.Event(), threading.Event()

    def slow(handle: Any) -> None:
        put("slow")(handle)
        begun.set()
        assert end.wait(30)

    def write() -> None:
        with store.active(database):
            store.writing(slow, is_daily=True)

    with store.active(database), ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        assert begun.wait(30)
        store.writing(put("quick"), is_daily=True)
        assert known_at_once(database) == 1
        assert known_at_once(database) == 1
        end.set()
        writer.result(timeout=30)
        assert known_at_once(database) == 2


# -- several handles --------------------------------------------------------------------------


@pytest.fixture
def other(engine: Database, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Another handle on the same database, as another process has one."""
    if isinstance(engine, PostgresqlDatabase):
        url = request.getfixturevalue("postgresql_url")
    else:
        url = f"sqlite:///{engine.database}"
    database = store.open_database(url)
    yield database
    database.close_all()


def test_two_handles_see_each_others_writes_at_once(site: Database, other: Database) -> None:
    handles = (site, other)
    for turn in range(6):
        for handle in handles:
            with store.active(handle), store.reading() as database:
                assert asked(database) == turn
            with store.active(handle):
                assert known_at_once(handle) == turn
        with store.active(handles[turn % 2]):
            store.writing(put(str(turn)))
