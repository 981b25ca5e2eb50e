"""C8, D1 and D2 of bulk operations: they serialise, and are never half done."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from peewee import Database, SqliteDatabase

from herzum_approval import config, store
from herzum_approval.domain.bulk_mappings import Effect, Operation, ScopeType
from herzum_approval.domain.bulk_requests import WrittenRequest, WrittenScope
from herzum_approval.domain.sites import Site
from herzum_approval.services import bulk_mappings, databases, snapshot
from herzum_approval.services.databases import find_faults
from herzum_approval.store.sites import capture
from tests.live import ROOT
from tests.reliability.running_bulk import ADMIN, move
from tests.reliability.sites import (
    ACCEPT,
    REVIEW,
    SEND_BACK,
    TIMES,
    opened,
    site,
    whole_site,
)
from tests.reliability.traffic import PATIENCE, at_once, rounds

ROUNDS = 20 * TIMES
MAPPINGS = 2000
FIRST, SECOND, THIRD = 10000, 10001, 10002
PROJECTS = (FIRST, SECOND, THIRD)
SEEDS = 15 * TIMES


def many_mappings(issue_type_count: int, project_ids: tuple[int, ...] = (FIRST,)) -> dict[str, Any]:
    """Return a site of three projects and so many issue types, with a mapping for each in these projects.

    Some issues wait in Review, in the first two projects.
    """
    document = site(6, {"board": ["alice"]}, ["alice", "admin"])
    types = [10002 + place for place in range(issue_type_count)]
    document["issue_types"] = [{"id": id, "name": f"Type {id}"} for id in types]
    document["projects"] = [
        document["projects"][0] | {"id": id, "key": key, "name": key}
        for id, key in zip(PROJECTS, ("REL", "SEC", "THI"), strict=True)
    ]
    for place, issue in enumerate(document["issues"]):
        if place % 2:
            issue |= {"project_id": SECOND, "key": f"SEC-{place + 1}"}
    document["approval_mappings"] = [
        {
            "id": place * issue_type_count + number,
            "project_id": project_id,
            "issue_type_id": type_id,
            "source_status_id": REVIEW,
            "transition_id": ACCEPT,
            "settings": {"rejection_transition_id": SEND_BACK, "requires_comment": bool(number % 2)},
            "approvals": [{"approval_id": 1}],
        }
        for place, project_id in enumerate(project_ids)
        for number, type_id in enumerate(types, start=1)
    ]
    document["issue_approvals"] = [
        record
        for place, record in enumerate(document["issue_approvals"])
        if FIRST in project_ids and not place % 2
    ]
    return document


def place_counts(found: Site) -> Counter[int]:
    return Counter(mapping.project_id for mapping in found.approval_mappings)


# -- C8 ---------------------------------------------------------------------------------------


def some_request(dice: random.Random) -> WrittenRequest:
    operation = dice.choice(list(Operation))
    source, *destinations = (WrittenScope(project_id=str(id)) for id in dice.sample(PROJECTS, 3))
    return WrittenRequest(
        operation=operation,
        type=ScopeType.PROJECT,
        source=None if operation is Operation.DELETE else source,
        destinations=tuple(destinations[: dice.randint(1, 2)]),
    )


def test_c8_overlapping_runs_serialise(engine: Database, settings: config.Settings) -> None:
    """What came of operations at once comes of them one after another, in the order of their numbers."""
    callers = 4
    requests = {
        (caller, seed): some_request(random.Random(f"{caller} {seed}"))
        for caller in range(callers)
        for seed in range(SEEDS)
    }
    for seed in range(SEEDS):
        snapshot.import_all(many_mappings(20, (FIRST, SECOND)[: 1 + seed % 2]))
        start = snapshot.export_all()
        barrier = threading.Barrier(callers)
        done = at_once(
            partial(run_together, engine, settings, barrier, requests[caller, seed])
            for caller in range(callers)
        )
        together = whole_site()
        assert find_faults() == []
        snapshot.import_all(start)
        for _, request in sorted(done, key=lambda each: each[0]):
            bulk_mappings.run_bulk(ADMIN, request)
        assert told(whole_site()) == told(together)


def run_together(
    database: Database, settings: config.Settings, barrier: threading.Barrier, request: WrittenRequest
) -> tuple[int, WrittenRequest]:
    with store.active(database), config.active(settings):
        (operation,) = rounds(barrier, [request], partial(bulk_mappings.run_bulk, ADMIN))
    return operation.id, request


def told(found: Site) -> Any:
    """Return what a site says of mappings, records and operations, but for numbers that a rollback skips."""
    places = {
        each.id: (each.project_id, each.issue_type_id, each.source_status_id, each.transition_id)
        for each in found.approval_mappings
    }
    mappings = sorted(
        (places[each.id], repr(each.settings), each.approvals) for each in found.approval_mappings
    )
    records = sorted(
        (each.issue_id, each.transition_id, places.get(each.mapping_id or 0), each.approval_status.value)
        for each in found.issue_approvals
    )
    operations = [
        (each.operation, each.affected, each.skipped, [(entry.place, entry.effect) for entry in each.entries])
        for each in found.bulk_operations
    ]
    return mappings, records, operations


# -- D1 ---------------------------------------------------------------------------------------


def test_d1_killed_in_the_middle(database_url: str, settings: config.Settings) -> None:
    """The killed process goes on where the last one was stopped: copy, edit, delete, move and move back.

    Each of them is what is killed in its turn, at a moment by chance.
    """
    dice = random.Random(20230201)
    with opened(database_url):
        databases.migrate()
        snapshot.import_all(many_mappings(MAPPINGS))
    seconds = seconds_of_an_operation(database_url)
    done = 0
    for round in range(ROUNDS):
        finished = (round - done) % len(STAGES)
        said = kill_after(database_url, done, finished, dice.uniform(0, seconds))
        assert said >= finished
        with opened(database_url):
            assert find_faults() == []
            after = whole_site()
        assert len(after.bulk_operations) >= done + said  # what was answered is there
        done = len(after.bulk_operations)
        assert_whole(after)


# After so many operations of a round trip: the projects that have mappings, and what the last one did.
STAGES = (
    ({FIRST}, {Effect.CREATE, Effect.DELETE}),
    ({FIRST, SECOND}, {Effect.CREATE}),
    ({FIRST, SECOND}, {Effect.OVERWRITE}),
    ({FIRST}, {Effect.DELETE}),
    ({SECOND}, {Effect.CREATE, Effect.DELETE}),
)


def assert_whole(after: Site) -> None:
    """Assert that every operation is there with all that belongs to it."""
    projects, _ = STAGES[len(after.bulk_operations) % len(STAGES)]
    assert place_counts(after) == dict.fromkeys(projects, MAPPINGS)
    for number, operation in enumerate(after.bulk_operations, start=1):
        effects = Counter(entry.effect for entry in operation.entries)
        assert effects == dict.fromkeys(STAGES[number % len(STAGES)][1], MAPPINGS)
        assert (operation.affected, operation.skipped) == (MAPPINGS, 0)
    issues = {issue.id: issue for issue in after.issues}
    held = Counter(issues[record.issue_id].project_id for record in after.issue_approvals)
    assert held == dict.fromkeys(projects, 3)


def seconds_of_an_operation(database_url: str) -> float:
    """Let a process run one round trip, and return how long each operation took on average."""
    with begun(database_url, 0) as process:
        assert process.stdout is not None
        since = time.monotonic()
        for _ in STAGES:
            assert process.stdout.readline()
        seconds = time.monotonic() - since
        process.kill()
    with opened(database_url):
        snapshot.import_all(many_mappings(MAPPINGS))
    return seconds / len(STAGES)


def kill_after(database_url: str, done: int, finished: int, seconds: float) -> int:
    """Let the process finish so many operations and be killed so long after; return how many it said."""
    with begun(database_url, done) as process:
        assert process.stdout is not None
        for _ in range(finished):
            assert process.stdout.readline()
        time.sleep(seconds)
        assert process.poll() is None
        process.kill()
        return finished + len(process.stdout.read().split())


@contextmanager
def begun(database_url: str, done: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start the process that runs operations; it ends with the block."""
    module = "tests.reliability.running_bulk"
    command = [sys.executable, "-m", module, database_url, str(FIRST), str(SECOND), str(done)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"begun\n"
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE)


# -- D2 ---------------------------------------------------------------------------------------


class BrokenError(Exception):
    """What the test breaks a run with."""


class Breaking:
    """Breaks the connection's cursors after so many statements; None never does."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        self.count = 0
        cursor = database.cursor
        monkeypatch.setattr(database, "cursor", lambda *options: BreakingCursor(cursor(*options), self))

    def counted(self) -> None:
        self.count += 1
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise BrokenError


class BreakingCursor:
    def __init__(self, inner: Any, breaking: Breaking) -> None:
        self.inner, self.breaking = inner, breaking

    def execute(self, sql: str, *values: Any) -> Any:
        found = self.inner.execute(sql, *values)
        if not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")):
            self.breaking.counted()
        return found

    def executemany(self, sql: str, values: Any) -> Any:
        found = self.inner.executemany(sql, values)
        self.breaking.counted()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.inner)


def dump(database: Database) -> bytes:
    """Return all that the database holds: SQLite's own dump, or every row of PostgreSQL."""
    if isinstance(database, SqliteDatabase):
        with database.connection_context():
            return "\n".join(database.connection().iterdump()).encode()
    return repr({table._meta.table_name: sorted(rows) for table, rows in rows_of(database).items()}).encode()


def rows_of(database: Database) -> Any:
    with database.connection_context():
        return capture(database)


@pytest.mark.parametrize("what", ["run", "undo"])
def test_d2_a_fault_after_any_statement_changes_nothing(
    engine: Database, settings: config.Settings, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(bulk_mappings, "_ENTRIES_AT_ONCE", 4)
    snapshot.import_all(many_mappings(6))
    operation = bulk_mappings.run_bulk(ADMIN, move(FIRST, SECOND))

    def work() -> None:
        if what == "run":
            bulk_mappings.run_bulk(ADMIN, move(SECOND, FIRST))
        else:
            bulk_mappings.undo_bulk(ADMIN, operation.id)

    before = dump(engine)
    breaking = Breaking(engine, monkeypatch)
    broken = 0
    while True:
        breaking.left = broken + 1
        try:
            work()
        except BrokenError:
            broken += 1
            breaking.left = None
            assert dump(engine) == before
        else:
            break
    assert broken > 40
    breaking.left = None
    assert dump(engine) != before
    assert find_faults() == []


def test_a_dump_shows_a_difference(engine: Database, settings: config.Settings) -> None:
    snapshot.import_all(many_mappings(2))
    before = dump(engine)
    assert dump(engine) == before
    bulk_mappings.run_bulk(ADMIN, move(FIRST, SECOND))
    assert dump(engine) != before


def test_a_child_says_its_operations(tmp_path: Path, settings: config.Settings) -> None:
    url = f"sqlite:///{tmp_path}/site.db"
    with opened(url):
        databases.migrate()
        snapshot.import_all(many_mappings(3))
    assert kill_after(url, 0, finished=2, seconds=0) >= 2
