"""Approvals: the definitions, read and written, and what uses them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from peewee import Database, Query, fn

from herzum_approval.domain.approvals import Approval
from herzum_approval.domain.people import folded
from herzum_approval.domain.versions import Versioned
from herzum_approval.store import tables
from herzum_approval.store.numbering import reserve_ids
from herzum_approval.store.rows import SiteRows, columns, flat
from herzum_approval.store.site_rows import to_site
from herzum_approval.store.statements import (
    change,
    insertion,
    list_size,
    run,
    slot,
    slots,
    spread,
)


class Uses(NamedTuple):
    """How many mappings ask for an approval, and how many issue approvals are of it."""

    mappings: int
    issue_approvals: int


# -- reading ----------------------------------------------------------------------------------


def find_approval_ids(database: Database, name_key: str) -> tuple[int, ...]:
    """Return the ids of the approvals of that name, letter case aside. name_key: `people.folded` name."""
    approval = tables.Approval
    rows = run(
        database,
        "approvals by name",
        lambda: approval.select(approval.id).where(approval.name_key == slot("name")).order_by(approval.id),
        {"name": name_key},
    )
    return tuple(id for (id,) in rows)


def find_all_approval_ids(database: Database) -> tuple[int, ...]:
    """Return the ids of all approvals."""
    approval = tables.Approval
    rows = run(database, "all approvals", lambda: approval.select(approval.id).order_by(approval.id), {})
    return tuple(id for (id,) in rows)


def is_named(database: Database, name: str, *, other_than: int) -> bool:
    """Return whether an approval has exactly this name, other than the one of that id."""
    approval = tables.Approval
    rows = run(
        database,
        "approval of name",
        lambda: approval.select(approval.id).where(approval.name == slot("name"), approval.id != slot("id")),
        {"name": name, "id": other_than},
    )
    return bool(rows)


def read_approvals(database: Database, approval_ids: Sequence[int]) -> list[Versioned[Approval]]:
    """Return the approvals of these ids that there are, by id."""
    if not approval_ids:
        return []
    size = list_size(approval_ids)
    values = dict(spread("id", approval_ids))
    rows: SiteRows = defaultdict(list)
    for table, field in ((tables.Approval, tables.Approval.id), (tables.Approver, tables.Approver.approval)):
        shape = ("read approvals", table._meta.table_name, size)
        rows[table] = run(database, shape, _selection(table, field, size), values)
    version = columns(tables.Approval).index("version")
    versions = {row[0]: row[version] for row in rows[tables.Approval]}
    return [Versioned(approval, versions[approval.id]) for approval in to_site(rows).approvals]


def _selection(table: Any, field: Any, size: int) -> Any:
    return lambda: table.select(*table._meta.sorted_fields).where(field.in_(slots("id", size)))


def count_uses(database: Database, approval_id: int) -> Uses:
    """Return what an approval is used for; what is used cannot be deleted."""
    mapped, record = tables.MappedApproval, tables.IssueApproval
    found = (
        run(
            database,
            ("uses of approval", table._meta.table_name),
            lambda table=table: table.select(fn.COUNT(table.approval)).where(table.approval == slot("id")),  # type: ignore[misc]
            {"id": approval_id},
        )
        for table in (mapped, record)
    )
    return Uses(*(count for ((count,),) in found))


def find_issue_ids(database: Database, approval_id: int) -> list[int]:
    """Return the issues that an approval bears on, by id.

    Those are the ones with records of it, and those in the status of a mapping that asks for it.
    """
    rows = run(database, "issues of approval", _issue_query, {"id": approval_id})
    return sorted(id for (id,) in rows)


def _issue_query() -> Query:
    record, issue = tables.IssueApproval, tables.Issue
    mapping, mapped = tables.ApprovalMapping, tables.MappedApproval
    with_records = record.select(record.issue).where(record.approval == slot("id"))
    is_waiting = (
        (issue.project == mapping.project)
        & (issue.issue_type == mapping.issue_type)
        & (issue.status == mapping.source_status)
        & (mapping.issue.is_null() | (mapping.issue == issue.id))
    )
    asking = mapped.select(mapped.approval_mapping).where(mapped.approval == slot("id"))
    waiting = mapping.select(issue.id).join(issue, on=is_waiting).where(mapping.id.in_(asking))
    own = mapping.select(mapping.issue).where(mapping.id.in_(asking), mapping.issue.is_null(False))
    return with_records | waiting | own


# -- writing ----------------------------------------------------------------------------------


def insert_approval(database: Database, approval: Approval) -> Approval:
    """Write a new approval and return it with its id."""
    (id,) = reserve_ids(database, tables.Approval, 1)
    created = replace(approval, id=id)
    names = columns(tables.Approval)
    change(database, "insert approval", lambda: insertion(tables.Approval, names), [_values(created)])
    _insert_approvers(database, created)
    return created


def update_approval(database: Database, approval: Approval) -> None:
    """Write an approval as it is now, all of its properties."""
    change(database, "update approval", _update, [_values(approval)])
    approver = tables.Approver
    change(
        database,
        "delete approvers",
        lambda: approver.delete().where(approver.approval == slot("id")),
        [{"id": approval.id}],
    )
    _insert_approvers(database, approval)


def delete_approval(database: Database, approval_id: int) -> None:
    """Delete an approval that nothing uses, and the delegations that are limited to it."""
    approval = tables.Approval
    change(
        database,
        "delete approval",
        lambda: approval.delete().where(approval.id == slot("id")),
        [{"id": approval_id}],
    )


def _values(approval: Approval) -> dict[str, Any]:
    (row,) = flat(
        tables.Approval, [approval], name_key=lambda each: folded(each.name), version=lambda each: 1
    )
    return dict(zip(columns(tables.Approval), row, strict=True))


def _update() -> Query:
    approval = tables.Approval
    fields: dict[Any, Any] = {field: slot(field.column_name) for field in approval._meta.sorted_fields}
    del fields[approval.id]
    fields[approval.version] = approval.version + 1
    return approval.update(fields).where(approval.id == slot("id"))


def _insert_approvers(database: Database, approval: Approval) -> None:
    table = tables.Approver
    rows = flat(
        table,
        list(enumerate(approval.approvers)),
        approval_id=lambda each: approval.id,
        position=lambda each: each[0],
        kind=lambda each: each[1].kind,
        value=lambda each: each[1].value,
        is_excluded=lambda each: each[1].is_excluded,
    )
    names = columns(table)
    values = [dict(zip(names, row, strict=True)) for row in rows]
    change(database, "insert approvers", lambda: insertion(table, names), values)
