"""Copying 100,000 mappings, beside bare statements that write the same rows to the same tables."""

import resource
import time
from functools import partial
from typing import Any

import pytest
from peewee import Database

from herzum_approval import config, store
from herzum_approval.domain.bulk_mappings import Operation, ScopeType
from herzum_approval.domain.bulk_requests import WrittenRequest, WrittenScope
from herzum_approval.domain.mappings import (
    ApprovalMapping,
    MappedApproval,
    MappingSettings,
)
from herzum_approval.domain.people import Actor
from herzum_approval.services import bulk_mappings, snapshot
from herzum_approval.store.mappings import insert_mappings
from herzum_approval.store.numbering import reserve_mapping_ids
from herzum_approval.store.rows import columns
from herzum_approval.store.tables import ApprovalMapping as MappingTable

MAPPINGS = 100_000
AT_ONCE = 1000
FREE_IDS = 1_000_000
MOST_TIMES = 15
MOST_MEGABYTES = 30
SOURCE, COPIED, BARE = 10000, 10001, 10002
ISSUE_TYPES = range(1, 101)
ADMIN = Actor(username="admin", display_name="Admin")


def small_site() -> dict[str, Any]:
    return {
        "format": "herzum-approval/1",
        "issue_types": [{"id": id, "name": f"Type {id}"} for id in ISSUE_TYPES],
        "statuses": [{"id": 1, "name": "Open"}],
        "workflows": [{"id": 1, "name": "Flow", "status_ids": [1], "transitions": []}],
        "workflow_schemes": [{"id": 1, "name": "Scheme", "default_workflow_id": 1}],
        "projects": [
            {"id": id, "key": f"P{id}", "name": f"P{id}", "workflow_scheme_id": 1}
            for id in (SOURCE, COPIED, BARE)
        ],
        "approvals": [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}],
    }


def map_source(count: int) -> None:
    """Give the source so many mappings of two approvals each; no issue asks whether the transitions exist."""
    for start in range(0, count, AT_ONCE):
        store.writing(partial(map_some, range(start, min(start + AT_ONCE, count))))


def map_some(places: range, database: Any) -> None:
    ids = reserve_mapping_ids(database, len(places))
    insert_mappings(
        database,
        [
            ApprovalMapping(
                id=id,
                project_id=SOURCE,
                issue_type_id=ISSUE_TYPES[place % len(ISSUE_TYPES)],
                source_status_id=1,
                transition_id=1 + place // len(ISSUE_TYPES),
                settings=MappingSettings(requires_comment=True, minimum_approbations=1.0),
                approvals=(MappedApproval(approval_id=1), MappedApproval(approval_id=2, is_optional=True)),
            )
            for place, id in zip(places, ids, strict=True)
        ],
    )


def copy(destination: int) -> None:
    request = WrittenRequest(
        operation=Operation.COPY,
        type=ScopeType.PROJECT,
        source=WrittenScope(project_id=str(SOURCE)),
        destinations=(WrittenScope(project_id=str(destination)),),
    )
    assert bulk_mappings.run_bulk(ADMIN, request).affected == MAPPINGS


def write_bare() -> None:
    """Write what a copy writes, by statements alone."""
    names = ", ".join(name for name in columns(MappingTable) if name not in ("id", "project_id"))
    source = f"approval_mapping WHERE project_id = {SOURCE}"
    statements = (
        "INSERT INTO bulk_operation (at, username, operation, type, affected, skipped, request) "
        f"VALUES (0, 'admin', 'COPY', 'project', {MAPPINGS}, 0, '{{}}')",
        f"INSERT INTO approval_mapping (id, project_id, {names}) "
        f"SELECT id + {FREE_IDS}, {BARE}, {names} FROM {source}",
        f"INSERT INTO mapped_approval SELECT approval_mapping_id + {FREE_IDS}, position, approval_id, "
        f"is_optional, conditional_rule_id FROM mapped_approval "
        f"WHERE approval_mapping_id IN (SELECT id FROM {source})",
        "INSERT INTO bulk_entry "
        "SELECT (SELECT MAX(id) FROM bulk_operation), row_number() OVER (ORDER BY id), "
        f"{BARE}, issue_type_id, source_status_id, transition_id, 'create', 'the transition is not mapped', "
        f"id, FALSE, id + {FREE_IDS}, 1, NULL FROM {source}",
    )

    def work(database: Any) -> None:
        for statement in statements:
            database.execute_sql(statement)

    store.writing(work)


def count(table: str, condition: str) -> int:
    with store.reading() as database:
        found = database.execute_sql(f"SELECT COUNT(*) FROM {table} WHERE {condition}").fetchone()
    return int(found[0])


def seconds(work: Any, *arguments: Any) -> float:
    begun = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begun


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.fixture
def source(engine: Database, settings: config.Settings) -> Database:
    snapshot.import_all(small_site())
    map_source(MAPPINGS)
    return engine


def test_copy(source: Database) -> None:
    before = peak_megabytes()
    copied = seconds(copy, COPIED)
    grown = peak_megabytes() - before
    bare = seconds(write_bare)
    for table, condition in (
        ("approval_mapping", "project_id = {}"),
        ("mapped_approval", "approval_mapping_id IN (SELECT id FROM approval_mapping WHERE project_id = {})"),
        ("bulk_entry", "project_id = {}"),
    ):
        assert count(table, condition.format(COPIED)) == count(table, condition.format(BARE)) >= MAPPINGS
    name = type(source).__name__.strip("_")
    print(
        f"\n{name}: copying {MAPPINGS:,} mappings {copied:.1f} s, bare statements {bare:.2f} s: "
        f"{copied / bare:.1f} times (at most {MOST_TIMES}), {grown:.0f} MB (at most {MOST_MEGABYTES})"
    )
    assert copied / bare <= MOST_TIMES
    assert grown <= MOST_MEGABYTES
