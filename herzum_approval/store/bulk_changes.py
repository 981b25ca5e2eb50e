"""What happened since a bulk operation to what it wrote; where anything did, it cannot be undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from peewee import JOIN, Case, Database, IntegrityError, Query, Value, fn

from herzum_approval.domain.bulk_mappings import (
    BulkOperation,
    Effect,
    LaterChange,
    LaterKind,
    Place,
)
from herzum_approval.errors import Fault, Problem
from herzum_approval.store import tables
from herzum_approval.store.bulk_mappings import SCOPE
from herzum_approval.store.statements import run, slot


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
    for ours, theirs in zip(_place_of(entry), (getattr(mapping, name) for name in SCOPE), strict=True):
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
