"""Approval paths: the runs, what bears on them, and what comes of them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from peewee import Database, Query, SqliteDatabase

from herzum_approval.domain.approval_path_runs import Outcome
from herzum_approval.domain.approval_paths import (
    ASSIGNEE,
    REPORTER,
    ApprovalPath,
    PathStatus,
    Product,
    Reference,
)
from herzum_approval.domain.people import Group
from herzum_approval.store import Outrun, tables
from herzum_approval.store import approval_path_tables as path_tables
from herzum_approval.store.approval_path_rows import path_of, path_rows
from herzum_approval.store.columns import Table
from herzum_approval.store.numbering import reserve_ids
from herzum_approval.store.rows import by_column, columns, flat
from herzum_approval.store.statements import change, insertion, list_size, run, slot, slots, spread


class Place(NamedTuple):
    """What a run is of: an issue or a page."""

    product: Product
    ref_id: int


# -- what runs are of -------------------------------------------------------------------------


def read_issue_reference(
    database: Database, *, id: int | None = None, key: str | None = None
) -> Reference | None:
    """Return the issue of the id, or of the key (in upper case); None where there is none."""
    issue = tables.Issue
    column, value = (issue.key, key) if id is None else (issue.id, id)
    rows = run(
        database,
        ("issue reference", id is None),
        lambda: issue.select(
            issue.id, issue.key, issue.project, issue.summary, issue.reporter, issue.assignee
        ).where(column == slot("value")),
        {"value": value},
    )
    if not rows:
        return None
    issue_id, key, project_id, summary, reporter, assignee = rows[0]
    held = {**_held(database, issue_id)}
    held |= {name: (who,) for name, who in ((REPORTER, reporter), (ASSIGNEE, assignee)) if who}
    return Reference(
        product=Product.JIRA,
        id=issue_id,
        collection_id=project_id,
        title=summary,
        key=key,
        fields=tuple(sorted(held.items())),
    )


def _held(database: Database, issue_id: int) -> dict[str, tuple[str, ...]]:
    table = tables.IssueField
    rows = run(
        database,
        "fields of issue",
        lambda: (
            table.select(table.custom_field, table.name)
            .where(table.issue == slot("issue"))
            .order_by(table.custom_field, table.position)
        ),
        {"issue": issue_id},
    )
    held: defaultdict[str, list[str]] = defaultdict(list)
    for field_id, name in rows:
        held[field_id].append(name)
    return {field_id: tuple(names) for field_id, names in held.items()}


def read_page_reference(database: Database, page_id: int) -> Reference | None:
    """Return the page; None where there is none."""
    page = path_tables.Page
    rows = run(
        database,
        "page reference",
        lambda: page.select(page.id, page.space, page.title, page.creator, page.modifier).where(
            page.id == slot("id")
        ),
        {"id": page_id},
    )
    for id, space_id, title, creator, modifier in rows:
        return Reference(
            product=Product.CONFLUENCE,
            id=id,
            collection_id=space_id,
            title=title,
            creator=creator,
            modifier=modifier,
        )
    return None


def find_project_id(database: Database, *, id: int | None = None, key: str | None = None) -> int | None:
    """Return the id of the project of that id or key, None where there is none."""
    table = tables.Project
    column, value = (table.key, key) if id is None else (table.id, id)
    rows = run(
        database,
        ("project id", id is None),
        lambda: table.select(table.id).where(column == slot("value")),
        {"value": value},
    )
    return rows[0][0] if rows else None


def lock_place(database: Database, place: Place) -> None:
    """Let nobody else change runs of this issue or page until the transaction ends.

    SQLite has one writer anyway. Whoever locks more than this locks it first.
    """
    if isinstance(database, SqliteDatabase):
        return
    table = tables.Issue if place.product is Product.JIRA else path_tables.Page
    run(
        database,
        ("lock place", table),
        lambda: table.select(table.id).where(table.id == slot("id")).for_update(),
        {"id": place.ref_id},
    )


def read_members(database: Database, groups: Sequence[str]) -> dict[str, list[str]]:
    """Return the usernames of the active members of each group, in the order of their accounts."""
    if not groups:
        return {}
    user, membership = tables.User, tables.Membership
    size = list_size(groups)
    rows = run(
        database,
        ("members of groups", size),
        lambda: (
            membership.select(membership.group, user.username)
            .join(user)
            .where(membership.group.in_(slots("group", size)), user.is_active)
            .order_by(user.id)
        ),
        dict(spread("group", groups)),
    )
    found: defaultdict[str, list[str]] = defaultdict(list)
    for group, username in rows:
        found[group].append(username)
    return found


def read_groups(database: Database, names: Sequence[str]) -> list[Group]:
    """Return the groups of these names that there are."""
    if not names:
        return []
    table, size = tables.Group, list_size(names)
    rows = run(
        database,
        ("groups", size),
        lambda: table.select(table.name, table.id).where(table.name.in_(slots("name", size))),
        dict(spread("name", names)),
    )
    return [Group(name=name, id=id) for name, id in rows]


# -- reading runs -----------------------------------------------------------------------------


def find_path_ids(
    database: Database,
    place: Place | None = None,
    *,
    product: Product | None = None,
    definition_id: int | None = None,
    path_status: PathStatus | None = None,
    now: datetime,
) -> list[int]:
    """Return the ids of runs, in order. path_status: as it is now, when some may have expired meanwhile."""
    table = path_tables.ApprovalPath

    def build() -> Query:
        query = table.select(table.id).order_by(table.id)
        if product is not None:
            query = query.where(table.product == slot("product"))
        if place is not None:
            query = query.where(table.product == slot("place"), table.ref_id == slot("ref_id"))
        if definition_id is not None:
            query = query.where(table.definition_id == slot("definition_id"))
        if path_status is not None:
            query = query.where(_has_status(path_status))
        return query

    values: dict[str, Any] = {
        "product": None if product is None else product.value,
        "place": None if place is None else place.product.value,
        "ref_id": None if place is None else place.ref_id,
        "definition_id": definition_id,
        "status": None if path_status is None else path_status.value,
        "now": table.expires_at.db_value(now),
    }
    shape = ("find paths", product is None, place is None, definition_id is None, path_status)
    return [id for (id,) in run(database, shape, build, values)]


def _has_status(path_status: PathStatus) -> Any:
    table = path_tables.ApprovalPath
    is_stored = table.path_status == slot("status")
    is_over = table.expires_at.is_null(False) & (table.expires_at <= slot("now"))
    if path_status is PathStatus.IN_PROGRESS:
        return is_stored & ~is_over
    if path_status is PathStatus.EXPIRED:
        return is_stored | ((table.path_status == PathStatus.IN_PROGRESS.value) & is_over)
    return is_stored


def read_paths(database: Database, path_ids: Sequence[int]) -> list[ApprovalPath]:
    """Return the runs of these ids that there are, by id, as they are stored."""
    if not path_ids:
        return []
    table, size = path_tables.ApprovalPath, list_size(path_ids)
    rows = run(
        database,
        ("read paths", size),
        lambda: (
            table.select(*table._meta.sorted_fields).where(table.id.in_(slots("id", size))).order_by(table.id)
        ),
        dict(spread("id", path_ids)),
    )
    return [path_of(values) for values in by_column(table, rows)]


def find_place(database: Database, path_id: int) -> Place | None:
    """Return what the run is of, None where there is no such run."""
    table = path_tables.ApprovalPath
    rows = run(
        database,
        "place of path",
        lambda: table.select(table.product, table.ref_id).where(table.id == slot("id")),
        {"id": path_id},
    )
    return Place(Product(rows[0][0]), rows[0][1]) if rows else None


# -- writing runs -----------------------------------------------------------------------------


def reserve_path_id(database: Database) -> int:
    """Return an id for a new run."""
    (id,) = reserve_ids(database, path_tables.ApprovalPath, 1)
    return int(id)


def insert_path(database: Database, outcome: Outcome) -> None:
    """Write a new run, and all that came of its start."""
    table = path_tables.ApprovalPath
    names = columns(table)
    change(database, "insert path", lambda: insertion(table, names), [_path_values(outcome.path)])
    _write_consequences(database, outcome)


def update_path(database: Database, before: ApprovalPath, outcome: Outcome) -> ApprovalPath:
    """Write what became of a run, all that came of it too, and return it in its new version.

    Raises: Outrun where it was written since it was read, so that no vote is ever lost.
    """
    if outcome.path == before:
        return before
    later = replace(outcome.path, version=before.version + 1)
    values = _path_values(later) | {"read_version": before.version}
    if not change(database, "update path", _path_update, [values]):
        raise Outrun
    _write_consequences(database, outcome)
    return later


def move_paths(database: Database, place: Place, collection_id: int) -> None:
    """Let the runs of an issue or page be of the project or space where that is now."""
    table = path_tables.ApprovalPath
    change(
        database,
        "move paths",
        lambda: table.update(
            {table.collection_id: slot("collection_id"), table.version: table.version + 1}
        ).where(table.product == slot("product"), table.ref_id == slot("ref_id")),
        [{"collection_id": collection_id, "product": place.product.value, "ref_id": place.ref_id}],
    )


def delete_paths(database: Database, path_ids: Sequence[int]) -> None:
    """Delete runs, with what was to be sent for them."""
    table = path_tables.ApprovalPath
    change(
        database,
        "delete path",
        lambda: table.delete().where(table.id == slot("id")),
        [{"id": id} for id in path_ids],
    )


def _path_values(path: ApprovalPath) -> dict[str, Any]:
    (row,) = path_rows([path])
    return dict(zip(columns(path_tables.ApprovalPath), row, strict=True))


def _path_update() -> Query:
    table = path_tables.ApprovalPath
    fields: dict[Any, Any] = {field: slot(field.column_name) for field in table._meta.sorted_fields}
    del fields[table.id]
    return table.update(fields).where(table.id == slot("id"), table.version == slot("read_version"))


def _write_consequences(database: Database, outcome: Outcome) -> None:
    path = outcome.path
    _append(database, path_tables.HttpCall, outcome.calls)
    _append(database, path_tables.PathMail, outcome.mails)
    if outcome.report is not None:
        comment(database, Place(path.product, path.ref_id), None, outcome.report, path.modified_at)


def comment(database: Database, place: Place, author: str | None, body: str, now: datetime) -> None:
    """Leave a comment on the issue or page. author: a username; None where the server speaks for itself."""
    is_issue = place.product is Product.JIRA
    table = tables.IssueComment if is_issue else path_tables.PageComment
    values = {"issue_id" if is_issue else "page_id": place.ref_id, "author": author, "body": body}
    values["created_at"] = table.created_at.db_value(now)
    names = columns(table)[1:]
    change(database, ("append", table._meta.table_name), lambda: insertion(table, names), [values])


def _append(database: Database, table: type[Table], added: Sequence[Any]) -> None:
    """Add entries; the database numbers them."""
    names = columns(table)[1:]
    values = [dict(zip(names, row[1:], strict=True)) for row in flat(table, added)]
    change(database, ("append", table._meta.table_name), lambda: insertion(table, names), values)
