"""What bulk operations need to read: projects and workflows, and the mappings of scopes."""

from collections.abc import Iterator, Sequence
from typing import Any

from peewee import (
    SQL,
    CommaNodeList,
    Database,
    EnclosedNodeList,
    Expression,
    NodeList,
    Query,
    Tuple,
)

from herzum_approval.domain.bulk_mappings import Place, Scope
from herzum_approval.domain.sites import Site
from herzum_approval.store import tables
from herzum_approval.store.rows import SiteRows
from herzum_approval.store.site_rows import to_site
from herzum_approval.store.statements import list_size, run, slot
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

SCOPE = ("project", "issue_type", "source_status", "transition_id")
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
        query = mapping.select(*(getattr(mapping, name) for name in SCOPE), mapping.id)
        return query.where(_among(mapping, size, len(SCOPE)), mapping.issue.is_null())

    rows = run(database, ("mapped places", size), build, dict(_spread_tuples(places)))
    return {Place(*place): id for *place, id in rows}


def _among(mapping: Any, size: int, width: int) -> Any:
    """Return the condition that the first fields of a scope are one of so many tuples."""
    found = [getattr(mapping, name) for name in SCOPE[:width]]
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
