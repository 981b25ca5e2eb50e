"""Approval mappings: read, written by the thousand, and the issues that they bear on."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from peewee import Database, Query, SqliteDatabase

from herzum_approval.domain.mappings import ApprovalMapping, MappingFilters
from herzum_approval.domain.sites import Site
from herzum_approval.store import tables
from herzum_approval.store.rows import SiteRows, columns
from herzum_approval.store.site_rows import mapping_rows, to_site
from herzum_approval.store.statements import (
    change,
    insertion,
    list_size,
    run,
    slot,
    slots,
    spread,
)
from herzum_approval.store.tables import Table

_PARTS: tuple[type[Table], ...] = (tables.MappedApproval, tables.ConditionedMinimum)


def lock_mappings(database: Database) -> None:
    """Let nobody move, decide or change mappings until the transaction ends.

    A move reads the mappings of the status it enters; were they changed meanwhile, its records would
    miss the change. SQLite has one writer anyway.
    """
    if not isinstance(database, SqliteDatabase):
        database.execute_sql("SELECT pg_advisory_xact_lock(740212)")


def insert_mappings(database: Database, mappings: Sequence[ApprovalMapping]) -> None:
    """Write new mappings, their ids chosen already (`numbering.reserve_ids`)."""
    _insert(database, mapping_rows(mappings))


def update_mappings(database: Database, mappings: Sequence[ApprovalMapping]) -> None:
    """Write mappings as they are now, all of their settings and approvals."""
    rows = mapping_rows(mappings)
    names = columns(tables.ApprovalMapping)
    values = [dict(zip(names, row, strict=True)) for row in rows[tables.ApprovalMapping]]
    change(database, "update mappings", _update, values)
    ids = [{"id": mapping.id} for mapping in mappings]
    for table in _PARTS:
        change(database, ("delete parts", table._meta.table_name), _deletion(table), ids)
    _insert(database, {table: rows[table] for table in _PARTS})


def delete_mappings(database: Database, mapping_ids: Iterable[int]) -> None:
    """Delete mappings with all that is part of them."""
    mapping = tables.ApprovalMapping
    ids = [{"id": id} for id in mapping_ids]
    change(database, "delete mappings", lambda: mapping.delete().where(mapping.id == slot("id")), ids)


def read_mappings(database: Database, mapping_ids: Sequence[int]) -> tuple[ApprovalMapping, ...]:
    """Return the mappings of these ids that there are, by id."""
    if not mapping_ids:
        return ()
    size = list_size(mapping_ids)
    rows: SiteRows = {table: [] for table in tables.ALL_TABLES}
    whole: tuple[type[Table], ...] = (tables.ApprovalMapping, *_PARTS)
    for table in whole:
        shape = ("read mappings", table._meta.table_name, size)
        rows[table] = run(database, shape, _selection(table, size), dict(spread("id", mapping_ids)))
    site: Site = to_site(rows)
    return site.approval_mappings


def read_version(database: Database, mapping_id: int) -> int | None:
    """Return the present version of a mapping, None where there is none."""
    mapping = tables.ApprovalMapping
    rows = run(
        database,
        "version of mapping",
        lambda: mapping.select(mapping.version).where(mapping.id == slot("id")),
        {"id": mapping_id},
    )
    return rows[0][0] if rows else None


def find_mapping_ids(database: Database, filters: MappingFilters) -> list[int]:
    """Return the ids of the mappings that the filters leave, in their order."""
    values = {name: value for name, value in asdict(filters).items() if value is not None}
    rows = run(database, ("find mappings", *values), lambda: _filtered(values), values)
    return [id for (id,) in rows]


def find_id_of_scope(database: Database, mapping: ApprovalMapping) -> int | None:
    """Return the id of the mapping that has the same scope, None where it is free."""
    table = tables.ApprovalMapping
    is_single = mapping.issue_id is not None

    def build() -> Query:
        place = (table.source_status == slot("status")) & (table.transition_id == slot("transition"))
        if is_single:
            return table.select(table.id).where(place, table.issue == slot("issue"))
        is_of = (table.project == slot("project")) & (table.issue_type == slot("type"))
        return table.select(table.id).where(place, is_of, table.issue.is_null())

    values = {
        "status": mapping.source_status_id,
        "transition": mapping.transition_id,
        "issue": mapping.issue_id,
        "project": mapping.project_id,
        "type": mapping.issue_type_id,
    }
    rows = run(database, ("mapping of scope", is_single), build, values)
    return rows[0][0] if rows else None


def find_issue_ids(database: Database, mapping_ids: Sequence[int]) -> list[int]:
    """Return the issues that mappings bear on, by id: those with records of them, or in their status."""
    if not mapping_ids:
        return []
    size = list_size(mapping_ids)
    rows = run(
        database,
        ("issues of mappings", size),
        lambda: _issue_query(slots("id", size)),
        dict(spread("id", mapping_ids)),
    )
    return sorted(id for (id,) in rows)


def _issue_query(ids: Sequence[Any]) -> Query:
    record, mapping = tables.IssueApproval, tables.ApprovalMapping
    with_records = record.select(record.issue).where(record.mapping.in_(ids))
    own = mapping.select(mapping.issue).where(mapping.id.in_(ids), mapping.issue.is_null(False))
    return with_records | _waiting(ids) | own


def _waiting(ids: Sequence[Any]) -> Query:
    """Return the issues that are in the status of one of the mappings."""
    issue, mapping = tables.Issue, tables.ApprovalMapping
    is_waiting = (
        (issue.project == mapping.project)
        & (issue.issue_type == mapping.issue_type)
        & (issue.status == mapping.source_status)
        & (mapping.issue.is_null() | (mapping.issue == issue.id))
    )
    return mapping.select(issue.id).join(issue, on=is_waiting).where(mapping.id.in_(ids))


def find_newcomers(database: Database, mapping_ids: Sequence[int], since: datetime) -> list[int]:
    """Return the issues, by id, that were moved into the status of one of the mappings since then."""
    if not mapping_ids:
        return []
    size = list_size(mapping_ids)
    rows = run(
        database,
        ("newcomers", size),
        lambda: _waiting(slots("id", size)).where(tables.Issue.updated_at >= slot("since")),
        {"since": tables.MomentField().db_value(since), **dict(spread("id", mapping_ids))},
    )
    return sorted({id for (id,) in rows})


def _filtered(names: Iterable[str]) -> Query:
    mapping, mapped = tables.ApprovalMapping, tables.MappedApproval
    query = mapping.select(mapping.id).order_by(mapping.id)
    for name in names:
        if name == "approval_id":
            asking = mapped.select(mapped.approval_mapping).where(mapped.approval == slot(name))
            query = query.where(mapping.id.in_(asking))
        else:
            query = query.where(mapping._meta.columns[name] == slot(name))
    return query


def _selection(table: Any, size: int) -> Any:
    field = table.id if table is tables.ApprovalMapping else table.approval_mapping
    return lambda: table.select(*table._meta.sorted_fields).where(field.in_(slots("id", size)))


def _insert(database: Database, rows: SiteRows) -> None:
    for table, entries in rows.items():
        names = columns(table)
        values = [dict(zip(names, row, strict=True)) for row in entries]
        shape = ("insert", table._meta.table_name)
        change(database, shape, lambda table=table, names=names: insertion(table, names), values)  # type: ignore[misc]


def _update() -> Query:
    mapping = tables.ApprovalMapping
    fields: dict[Any, Any] = {field: slot(field.column_name) for field in mapping._meta.sorted_fields}
    del fields[mapping.id]
    fields[mapping.version] = mapping.version + 1
    return mapping.update(fields).where(mapping.id == slot("id"))


def _deletion(table: Any) -> Any:
    return lambda: table.delete().where(table.approval_mapping == slot("id"))
