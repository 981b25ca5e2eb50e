"""What an entry mentions, read so far that it can be checked."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from peewee import Database, Query

from herzum_approval.domain.sites import Site
from herzum_approval.store import tables
from herzum_approval.store.approval_path_tables import ApprovalCondition, Space
from herzum_approval.store.rows import SiteRows
from herzum_approval.store.site_rows import to_site
from herzum_approval.store.statements import list_size, run, slots, spread
from herzum_approval.store.tables import Table

_WHOLE: tuple[type[Table], ...] = (
    tables.Status, tables.ProjectRole, tables.CustomField, tables.ConditionalRule,
)  # fmt: skip
"""Small tables, read as they are."""

_MENTIONED: Mapping[str, tuple[type[Table], Any]] = {
    "users[].username": (tables.User, tables.User.username),
    "groups[].name": (tables.Group, tables.Group.name),
    "issue_types[].id": (tables.IssueType, tables.IssueType.id),
    "approvals[].id": (tables.Approval, tables.Approval.id),
    "projects[].id": (tables.Project, tables.Project.id),
    "spaces[].id": (Space, Space.id),
    "approval_conditions[].id": (ApprovalCondition, ApprovalCondition.id),
    "single_issue_configurations[].issue_id": (
        tables.SingleIssueConfiguration,
        tables.SingleIssueConfiguration.issue,
    ),
}


def read_mentioned(database: Database, mentions: Mapping[str, Iterable[Any]]) -> Site:
    """Return a site that holds what is mentioned, as far as it is there.

    mentions: as `site_references.mentions` gives them. Projects come with their workflows, and issues
    that are configured singly as such.
    """
    rows: SiteRows = defaultdict(list)
    for table in _WHOLE:
        rows[table] = _read(database, table, None, ())
    for target, (table, field) in _MENTIONED.items():
        rows[table] = _read(database, table, field, sorted(mentions.get(target, ())))
    issue_ids = [issue_id for (issue_id,) in rows[tables.SingleIssueConfiguration]]
    rows[tables.Issue] = _read(database, tables.Issue, tables.Issue.id, issue_ids)
    _read_workflows(database, rows, sorted(mentions.get("projects[].id", ())))
    return to_site(rows)


def _read_workflows(database: Database, rows: SiteRows, project_ids: list[int]) -> None:
    project, scheme = tables.Project, tables.WorkflowScheme

    def of_projects(size: int) -> Query:
        return project.select(project.workflow_scheme).where(project.id.in_(slots("value", size)))

    rows[scheme] = _read(database, scheme, scheme.id, project_ids, of_projects)
    entry = tables.WorkflowSchemeEntry
    rows[entry] = _read(database, entry, entry.workflow_scheme, project_ids, of_projects)

    def workflow_ids(size: int) -> Query:
        defaults = scheme.select(scheme.default_workflow).where(scheme.id.in_(of_projects(size)))
        return defaults | entry.select(entry.workflow).where(entry.workflow_scheme.in_(of_projects(size)))

    for table, field in (
        (tables.Workflow, tables.Workflow.id),
        (tables.WorkflowStatus, tables.WorkflowStatus.workflow),
        (tables.Transition, tables.Transition.workflow),
        (tables.TransitionSource, tables.TransitionSource.workflow),
    ):
        rows[table] = _read(database, table, field, project_ids, workflow_ids)


def _read(
    database: Database,
    table: type[Table],
    field: Any,
    values: list[Any] | tuple[()],
    inner: Callable[[int], Query] | None = None,
) -> list[tuple[Any, ...]]:
    """Return whole rows: all where no field is given, else those of the values.

    inner: makes the query of what the field may be, out of as many values.
    """
    if field is None:
        return run(database, ("whole", table), lambda: table.select(*table._meta.sorted_fields), {})
    if not values:
        return []
    size = list_size(values)

    def build() -> Query:
        allowed = slots("value", size) if inner is None else inner(size)
        return table.select(*table._meta.sorted_fields).where(field.in_(allowed))

    return run(database, ("mentioned", table, inner is None, size), build, dict(spread("value", values)))
