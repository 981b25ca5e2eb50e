"""Issues: finding them."""

from collections.abc import Sequence

from peewee import Database, Query

from herzum_approval.domain.history import Comment
from herzum_approval.store import tables
from herzum_approval.store.rows import entries
from herzum_approval.store.statements import list_size, run, slot, slots, spread
from herzum_approval.store.tables import Issue


def find_issue_ids(
    database: Database, keys: Sequence[str], ids: Sequence[int], project_ids: Sequence[int] | None
) -> dict[int, str]:
    """Return id and key of those issues, named by key or by id, that are in the projects.

    keys: in upper case. project_ids: None for all projects.
    """
    if not keys and not ids:
        return {}
    shape = ("find issues", bool(keys) and list_size(keys), bool(ids) and list_size(ids))
    rows = run(
        database,
        shape,
        lambda: _named(keys, ids),
        {**dict(spread("key", keys) if keys else ()), **dict(spread("id", ids) if ids else ())},
    )
    allowed = None if project_ids is None else set(project_ids)
    return {id: key for id, key, project_id in rows if allowed is None or project_id in allowed}


def read_comments(database: Database, issue_id: int) -> tuple[Comment, ...]:
    """Return the issue's comments, oldest first."""
    table = tables.IssueComment
    rows = run(
        database,
        "comments",
        lambda: table.select(*table._meta.sorted_fields).where(table.issue == slot("issue_id")),
        {"issue_id": issue_id},
    )
    return entries(Comment, table, rows)


def _named(keys: Sequence[str], ids: Sequence[int]) -> Query:
    by_key = Issue.key.in_(slots("key", list_size(keys))) if keys else None
    by_id = Issue.id.in_(slots("id", list_size(ids))) if ids else None
    condition = by_key if by_id is None else by_id if by_key is None else by_key | by_id
    return Issue.select(Issue.id, Issue.key, Issue.project).where(condition)
