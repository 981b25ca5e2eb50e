"""Bulk operations, as they are kept: who did what, the plan as it was carried out, and what it touched."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from peewee import SQL, Database, Query, fn

from herzum_approval.domain.bulk_mappings import (
    BulkEntry,
    BulkOperation,
    BulkRecord,
    Effect,
    PlanEntry,
)
from herzum_approval.domain.issue_approvals import IssueApproval
from herzum_approval.store import tables
from herzum_approval.store.bulk_rows import (
    bulk_entry,
    bulk_operations,
    bulk_record,
    kept,
)
from herzum_approval.store.numbering import reserve_ids
from herzum_approval.store.rows import by_column, columns, flat
from herzum_approval.store.statements import (
    change,
    insertion,
    list_size,
    run,
    slot,
    slots,
    spread,
)

# -- writing ----------------------------------------------------------------------------------


def insert_operation(database: Database, operation: BulkOperation) -> BulkOperation:
    """Write an operation without its parts, and return it numbered."""
    table = tables.BulkOperation
    (id,) = reserve_ids(database, table, 1)
    numbered = replace(operation, id=id)
    values = list(by_column(table, flat(table, [numbered])))
    change(database, "insert bulk operation", lambda: insertion(table, columns(table)), values)
    return numbered


def update_operation(database: Database, operation: BulkOperation) -> None:
    """Write what has become of an operation."""
    table = tables.BulkOperation
    names = ("affected", "skipped", "undone_at", "undone_by")
    query = table.update({getattr(table, name): slot(name) for name in names}).where(table.id == slot("id"))
    values = list(by_column(table, flat(table, [operation])))
    change(database, "update bulk operation", lambda: query, values)


def insert_entries(
    database: Database, operation_id: int, position: int, entries: Iterable[tuple[PlanEntry, int | None]]
) -> None:
    """Write entries of a plan that was carried out, from a position on.

    entries: each with the mapping that was written or deleted, whose version is read off the database.
    """
    values = [
        {
            "operation": operation_id,
            "position": place,
            **entry.place._asdict(),
            "effect": entry.effect.value,
            "reason": entry.reason.value,
            "source_mapping_id": entry.source_mapping_id,
            "drops_rejection_transition": entry.drops_rejection_transition,
            "mapping_id": mapping_id,
            "before": None if mapping_id is None else kept(entry.before),
        }
        for place, (entry, mapping_id) in enumerate(entries, start=position)
    ]
    change(database, "insert bulk entries", _entry_insertion, values)


def _entry_insertion() -> Query:
    entry, mapping = tables.BulkEntry, tables.ApprovalMapping
    slotted: dict[Any, Any] = {field: slot(field.name) for field in entry._meta.sorted_fields}
    version = mapping.select(mapping.version).where(mapping.id == slot("mapping_id"))
    return entry.insert(slotted | {entry.mapping_version: version})


class Touched(NamedTuple):
    """An issue approval that was written. before: as it stood; None where it was made."""

    issue_id: int
    issue_approval_id: int
    before: IssueApproval | None


def write_records(database: Database, operation_id: int, touched: Iterable[Touched]) -> None:
    """Write which issue approvals an operation has touched, with the versions that they have now.

    Of one that it touches again, what stood before the first time is kept.
    """
    values = [
        {
            "operation": operation_id,
            "issue_approval_id": each.issue_approval_id,
            "issue_id": each.issue_id,
            "before": kept(each.before),
        }
        for each in touched
    ]
    change(database, "write bulk records", _record_insertion, values)


def _record_insertion() -> Query:
    table, record, issue = tables.BulkRecord, tables.IssueApproval, tables.Issue
    slotted: dict[Any, Any] = {field: slot(field.name) for field in table._meta.sorted_fields}
    slotted[table.version] = record.select(record.version).where(record.id == slot("issue_approval_id"))
    slotted[table.issue_version] = issue.select(issue.version).where(issue.id == slot("issue_id"))
    return table.insert(slotted).on_conflict(
        conflict_target=[table.operation, table.issue_approval_id],
        preserve=[table.version, table.issue_version],
    )


def continue_versions(database: Database, operation_id: int) -> None:
    """Give each mapping that was deleted and put back the version after its last one."""
    entry, mapping = tables.BulkEntry, tables.ApprovalMapping
    query = (
        mapping.update({mapping.version: entry.mapping_version + 1})
        .from_(entry)
        .where(
            entry.mapping_id == mapping.id,
            entry.operation == operation_id,
            entry.effect == Effect.DELETE.value,
        )
    )
    query.execute(database)


# -- reading ----------------------------------------------------------------------------------


def find_operation_ids(database: Database) -> list[int]:
    """Return the ids of all operations, the newest first."""
    table = tables.BulkOperation
    rows = run(database, "all bulk operations", lambda: table.select(table.id).order_by(table.id.desc()), {})
    return [id for (id,) in rows]


def read_operations(database: Database, operation_ids: Sequence[int]) -> list[BulkOperation]:
    """Return those of the operations that there are, the newest first, without their parts."""
    if not operation_ids:
        return []
    table, size = tables.BulkOperation, list_size(operation_ids)
    rows = run(
        database,
        ("bulk operations", size),
        lambda: table.select(*table._meta.sorted_fields).where(table.id.in_(slots("id", size))),
        dict(spread("id", operation_ids)),
    )
    return [*bulk_operations({each: [] for each in tables.ALL_TABLES} | {table: rows})][::-1]


def read_operation(database: Database, operation_id: int) -> BulkOperation | None:
    """Return an operation without its parts."""
    return next(iter(read_operations(database, [operation_id])), None)


def count_entries(database: Database, operation_id: int) -> int:
    """Return how many entries an operation's plan has."""
    table = tables.BulkEntry
    rows = run(
        database,
        "count of bulk entries",
        lambda: table.select(fn.COUNT(SQL("*"))).where(table.operation == slot("operation")),
        {"operation": operation_id},
    )
    return int(rows[0][0])


def read_entries_from(
    database: Database, operation_id: int, position: int, limit: int
) -> tuple[BulkEntry, ...]:
    """Return entries of an operation's plan, from a position on."""
    table = tables.BulkEntry

    def build() -> Query:
        query = table.select(*table._meta.sorted_fields).where(table.operation == slot("operation"))
        return query.where(table.position >= slot("position")).order_by(table.position).limit(slot("limit"))

    values = {"operation": operation_id, "position": position, "limit": limit}
    rows = run(database, "page of bulk entries", build, values)
    return tuple(bulk_entry(values) for values in by_column(table, rows))


def read_entries(
    database: Database, operation_id: int, effects: Sequence[Effect], limit: int
) -> Iterator[tuple[BulkEntry, ...]]:
    """Give the entries of these effects that wrote something, in chunks."""
    table = tables.BulkEntry
    position = -1
    while True:
        values = {"operation": operation_id, "after": position, "limit": limit}
        rows = run(database, ("bulk entries", *effects), lambda: _entry_query(effects), values)
        if not rows:
            return
        position = rows[-1][columns(table).index("position")]
        yield tuple(bulk_entry(values) for values in by_column(table, rows))


def _entry_query(effects: Sequence[Effect]) -> Query:
    table = tables.BulkEntry
    query = table.select(*table._meta.sorted_fields).where(
        table.operation == slot("operation"),
        table.position > slot("after"),
        table.effect.in_([effect.value for effect in effects]),
        table.mapping_id.is_null(False),
    )
    return query.order_by(table.position).limit(slot("limit"))


def read_records(
    database: Database, operation_id: int, limit: int
) -> Iterator[tuple[tuple[int, ...], tuple[BulkRecord, ...]]]:
    """Give the issues of which records were touched, in chunks, with all their records that were."""
    table = tables.BulkRecord
    issue_id = 0
    while True:
        values = {"operation": operation_id, "after": issue_id, "limit": limit}
        ids = tuple(id for (id,) in run(database, "issues of bulk records", _touched_issue_query, values))
        if not ids:
            return
        issue_id = ids[-1]
        size = list_size(ids)
        rows = run(
            database,
            ("bulk records", size),
            lambda size=size: table.select(*table._meta.sorted_fields).where(  # type: ignore[misc]
                table.operation == slot("operation"), table.issue_id.in_(slots("issue", size))
            ),
            {"operation": operation_id, **dict(spread("issue", ids))},
        )
        yield ids, tuple(bulk_record(values) for values in by_column(table, rows))


def _touched_issue_query() -> Query:
    table = tables.BulkRecord
    query = table.select(table.issue_id).where(
        table.operation == slot("operation"), table.issue_id > slot("after")
    )
    return query.distinct().order_by(table.issue_id).limit(slot("limit"))
