"""Bulk operations on mappings: what they need to read, and what is kept of them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from peewee import (
    JOIN,
    SQL,
    Case,
    CommaNodeList,
    Database,
    EnclosedNodeList,
    Expression,
    IntegrityError,
    NodeList,
    Query,
    Tuple,
    Value,
    fn,
)

from herzum_approval.domain.bulk_mappings import (
    BulkEntry,
    BulkOperation,
    BulkRecord,
    Effect,
    LaterChange,
    LaterKind,
    Place,
    PlanEntry,
    Scope,
)
from herzum_approval.domain.issue_approvals import IssueApproval
from herzum_approval.domain.sites import Site
from herzum_approval.errors import Fault, Problem
from herzum_approval.store import tables
from herzum_approval.store.bulk_rows import bulk_entry, bulk_operations, bulk_record, kept
from herzum_approval.store.numbering import reserve_ids
from herzum_approval.store.rows import SiteRows, by_column, columns, flat
from herzum_approval.store.site_rows import to_site
from herzum_approval.store.statements import change, insertion, list_size, run, slot, slots, spread
from herzum_approval.store.tables import Table

_GROUND: tuple[type[Table], ...] = (
    tables.IssueType,
    tables.Status,
    tables.Workflow,
    tables.WorkflowStatus,
    tables.Transition,
    tables.TransitionSource,
    tables.WorkflowScheme,
    tables.WorkflowSchemeEntry,
    tables.Project,
)

_SCOPE = ("project", "issue_type", "source_status", "transition_id")
"""The fields of a mapping by which scopes name it, as far as they go."""


def read_ground(database: Database) -> Site:
    """Return projects, issue types and workflows, and nothing else of the site."""
    rows: SiteRows = {table: [] for table in tables.ALL_TABLES}
    for table in _GROUND:
        rows[table] = run(
            database,
            ("ground", table._meta.table_name),
            lambda table=table: table.select(*table._meta.sorted_fields),  # type: ignore[misc]
            {},
        )
    return to_site(rows)


# -- mappings ---------------------------------------------------------------------------------


def find_mapping_ids(database: Database, scopes: Sequence[Scope], after: int, limit: int) -> list[int]:
    """Return some ids of mappings of projects within the scopes, the lowest after this one.

    scopes: some, all of one type.
    """
    keys = [_key(scope) for scope in scopes]
    size, width = list_size(keys), len(keys[0])
    values = {"after": after, "limit": limit, **dict(_spread_tuples(keys))}
    rows = run(database, ("mappings in scopes", size, width), lambda: _scope_query(size, width), values)
    return [id for (id,) in rows]


def _key(scope: Scope) -> tuple[int, ...]:
    values = (scope.project_id, scope.issue_type_id, scope.source_status_id, scope.transition_id)
    return tuple(value for value in values if value is not None)


def _scope_query(size: int, width: int) -> Query:
    mapping = tables.ApprovalMapping
    query = mapping.select(mapping.id).where(_among(mapping, size, width), mapping.issue.is_null())
    return query.where(mapping.id > slot("after")).order_by(mapping.id).limit(slot("limit"))


def find_mapped(database: Database, places: Sequence[Place]) -> dict[Place, int]:
    """Return those of the places that are mapped for their project, with the ids of their mappings."""
    if not places:
        return {}
    size = list_size(places)

    def build() -> Query:
        mapping = tables.ApprovalMapping
        query = mapping.select(*(getattr(mapping, name) for name in _SCOPE), mapping.id)
        return query.where(_among(mapping, size, len(_SCOPE)), mapping.issue.is_null())

    rows = run(database, ("mapped places", size), build, dict(_spread_tuples(places)))
    return {Place(*place): id for *place, id in rows}


def _among(mapping: Any, size: int, width: int) -> Any:
    """Return the condition that the first fields of a scope are one of so many tuples."""
    found = [getattr(mapping, name) for name in _SCOPE[:width]]
    listed = [[slot(f"{row}.{column}") for column in range(width)] for row in range(size)]
    if size == 1:
        condition = found[0] == listed[0][0]
        for field, value in zip(found[1:], listed[0][1:], strict=True):
            condition &= field == value
        return condition
    # `IN ((1, 2), …)` is not SQLite's; both engines take `IN (VALUES (1, 2), …)`.
    values = CommaNodeList([EnclosedNodeList(row) for row in listed])
    return Expression(Tuple(*found), "IN", EnclosedNodeList([NodeList((SQL("VALUES"), values))]))


def _spread_tuples(tuples: Sequence[Sequence[int]]) -> Iterator[tuple[str, int]]:
    """Yield a value for each slot; the last tuple repeats, which `IN` does not mind."""
    for row in range(list_size(tuples)):
        for column, value in enumerate(tuples[min(row, len(tuples) - 1)]):
            yield f"{row}.{column}", value


# -- keeping an operation ---------------------------------------------------------------------


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


# -- reading an operation ---------------------------------------------------------------------


def read_operation(database: Database, operation_id: int) -> BulkOperation | None:
    """Return an operation without its parts."""
    table = tables.BulkOperation
    rows = run(
        database,
        "bulk operation",
        lambda: table.select(*table._meta.sorted_fields).where(table.id == slot("id")),
        {"id": operation_id},
    )
    return next(bulk_operations({each: [] for each in tables.ALL_TABLES} | {table: rows}), None)


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


# -- what happened since ----------------------------------------------------------------------


def find_later_changes(database: Database, operation: BulkOperation, limit: int) -> list[LaterChange]:
    """Return what was written since the operation to what it wrote; as many as the limit of each kind."""
    found = []
    for name, build in _LATER.items():
        values = {
            "operation": operation.id,
            "at": tables.MomentField().db_value(operation.at),
            "limit": limit,
        }
        for *place, kind, issue_key in run(database, ("later changes", name), build, values):
            found.append(LaterChange(place=Place(*place), kind=LaterKind(kind), issue_key=issue_key))
    return found


def _overwritten_mappings() -> Query:
    entry, mapping = tables.BulkEntry, tables.ApprovalMapping
    is_written = entry.effect.in_([Effect.CREATE.value, Effect.OVERWRITE.value])
    kind = Case(None, [(mapping.id.is_null(), LaterKind.UNMAPPED.value)], LaterKind.CHANGED.value)
    return (
        entry.select(*_place_of(entry), kind, Value(None))
        .join(mapping, JOIN.LEFT_OUTER, on=mapping.id == entry.mapping_id)
        .where(
            entry.operation == slot("operation"),
            is_written,
            entry.mapping_id.is_null(False),
            mapping.id.is_null() | (mapping.version != entry.mapping_version),
        )
        .order_by(entry.position)
        .limit(slot("limit"))
    )


def _mapped_anew() -> Query:
    entry, mapping = tables.BulkEntry, tables.ApprovalMapping
    same = mapping.issue.is_null()
    for ours, theirs in zip(_place_of(entry), (getattr(mapping, name) for name in _SCOPE), strict=True):
        same &= ours == theirs
    return (
        entry.select(*_place_of(entry), Value(LaterKind.MAPPED.value), Value(None))
        .join(mapping, on=same)
        .where(entry.operation == slot("operation"), entry.effect == Effect.DELETE.value)
        .order_by(entry.position)
        .limit(slot("limit"))
    )


def _written_records() -> Query:
    """Those that have another version, are gone or back, or whose issue was moved."""
    touched, record, issue = tables.BulkRecord, tables.IssueApproval, tables.Issue
    is_back = touched.version.is_null() & record.id.is_null(False)
    is_other = touched.version.is_null(False) & (record.id.is_null() | (record.version != touched.version))
    is_moved = issue.version != touched.issue_version
    kind = Case(None, [(is_moved, LaterKind.MOVED.value)], LaterKind.ACTED.value)
    return (
        touched.select(
            issue.project,
            issue.issue_type,
            fn.COALESCE(record.source_status, 0),
            fn.COALESCE(record.transition_id, 0),
            kind,
            issue.key,
        )
        .join(issue, on=issue.id == touched.issue_id)
        .join(record, JOIN.LEFT_OUTER, on=record.id == touched.issue_approval_id)
        .where(touched.operation == slot("operation"), is_back | is_other | is_moved)
        .order_by(touched.issue_approval_id)
        .limit(slot("limit"))
    )


def _new_records() -> Query:
    """Those that the operation's mappings have asked for since, of issues that entered the status."""
    entry, record, issue, touched = tables.BulkEntry, tables.IssueApproval, tables.Issue, tables.BulkRecord
    is_since = (entry.effect == Effect.CREATE.value) | (record.submitted_at >= slot("at"))
    is_same = (touched.operation == entry.operation) & (touched.issue_approval_id == record.id)
    return (
        entry.select(*_place_of(entry), Value(LaterKind.ENTERED.value), issue.key)
        .join(record, on=record.mapping == entry.mapping_id)
        .join(issue, on=issue.id == record.issue)
        .join(touched, JOIN.LEFT_OUTER, on=is_same)
        .where(
            entry.operation == slot("operation"),
            entry.effect.in_([Effect.CREATE.value, Effect.OVERWRITE.value]),
            touched.issue_id.is_null(),
            is_since,
        )
        .order_by(entry.position, record.id)
        .limit(slot("limit"))
    )


_LATER = {
    "overwritten": _overwritten_mappings,
    "mapped": _mapped_anew,
    "records": _written_records,
    "new records": _new_records,
}


def _place_of(entry: Any) -> tuple[Any, ...]:
    return (entry.project_id, entry.issue_type_id, entry.source_status_id, entry.transition_id)


@contextmanager
def refusing_what_is_gone(operation: BulkOperation) -> Iterator[None]:
    """Say so where something cannot be put back because what it refers to is gone.

    Raises: BULK_OPERATION_OVERTAKEN.
    """
    try:
        yield
    except IntegrityError as error:
        raise what_is_gone(operation) from error


def what_is_gone(operation: BulkOperation) -> Problem:
    changes = "what it refers to is no longer there"
    return Problem(Fault.BULK_OPERATION_OVERTAKEN, operation_id=operation.id, changes=changes)
