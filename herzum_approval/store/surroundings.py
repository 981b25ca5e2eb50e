"""Issues with everything that bears on their approvals: locked and read."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from peewee import Database, Query, SqliteDatabase

from herzum_approval.domain.approvals import Approval
from herzum_approval.domain.configuration import Configuration
from herzum_approval.domain.issue_approvals import IssueApproval
from herzum_approval.domain.issues import Surroundings
from herzum_approval.domain.jira import Issue
from herzum_approval.domain.mappings import ApprovalMapping
from herzum_approval.domain.sites import Site
from herzum_approval.store import tables
from herzum_approval.store.approvals import read_approvals
from herzum_approval.store.configuration import read_configuration
from herzum_approval.store.kept import facts
from herzum_approval.store.rows import SiteRows
from herzum_approval.store.site_rows import issues, records, to_site
from herzum_approval.store.statements import list_size, run, slots, spread
from herzum_approval.store.tables import Table


def lock_issues(database: Database, issue_ids: Sequence[int]) -> None:
    """Let nobody else decide on these issues until the transaction ends; SQLite has one writer anyway.

    They are locked in the order of their ids, so that no two transactions wait for each other; before
    them, mappings are kept from changing (`mappings.lock_mappings`).
    """
    if isinstance(database, SqliteDatabase) or not issue_ids:
        return
    database.execute_sql("SELECT pg_advisory_xact_lock_shared(740212)")
    size = list_size(issue_ids)

    def build() -> Query:
        issue = tables.Issue
        query = issue.select(issue.id).where(issue.id.in_(slots("issue", size)))
        return query.order_by(issue.id).for_update()

    run(database, ("lock issues", size), build, dict(spread("issue", issue_ids)))


def read_surroundings(database: Database, issue_id: int) -> Surroundings | None:
    """Return one issue with everything that bears on its approvals, in a fixed number of queries.

    What is administered is kept under the site's version: mostly, only the issue and its records are read.
    None where there is no such issue.
    """
    rows = _read(database, [issue_id], (), _CHANGING)
    for issue in issues(rows):
        around = _kept_surroundings(database, issue)
        if around is None:
            return read_all_surroundings(database, [issue_id])[issue_id]
        own = tuple(records(rows))
        approvals = _kept_approvals(
            database, {record.approval_id for record in own} - around.approvals.keys()
        )
        return replace(around, issue=issue, records=own, approvals={**around.approvals, **approvals})
    return None


def _kept_surroundings(database: Database, issue: Issue) -> Surroundings | None:
    """Return what bears on every issue of this one's project and type; None where it has its own."""
    kept = facts(database)
    if issue.id in kept.remembered("configured singly", lambda: _configured_singly(database)):
        return None
    return kept.remembered(
        ("surroundings", issue.project_id, issue.issue_type_id),
        lambda: read_all_surroundings(database, [issue.id])[issue.id],
    )


def _kept_approvals(database: Database, approval_ids: set[int]) -> dict[int, Approval]:
    kept = facts(database)
    found = {id: kept.get(("approval", id)) for id in approval_ids}
    missing = [id for id, approval in found.items() if approval is None]
    for each in read_approvals(database, missing) if missing else ():
        found[each.entry.id] = each.entry
        kept.put(("approval", each.entry.id), each.entry)
    return found


def _configured_singly(database: Database) -> frozenset[int]:
    single, mapping = tables.SingleIssueConfiguration, tables.ApprovalMapping
    rows = run(
        database,
        "configured singly",
        lambda: (
            single.select(single.issue) | mapping.select(mapping.issue).where(mapping.issue.is_null(False))
        ),
        {},
    )
    return frozenset(id for (id,) in rows)


def read_all_surroundings(
    database: Database, issue_ids: Sequence[int], approval_ids: Sequence[int] = ()
) -> dict[int, Surroundings]:
    """Return issues, by id, with everything that bears on their approvals; those that exist.

    approval_ids: approvals to read beside those that records and mappings ask for.
    The number of queries does not depend on the number of issues.
    """
    if not issue_ids:
        return {}
    rows = _read(database, issue_ids, approval_ids, None)
    return _pictures(to_site(rows), read_configuration(database))


_CHANGING = (tables.Issue, tables.IssueField, tables.IssueApproval)
"""What decisions and moves change, and what lies beside it."""


def _read(
    database: Database,
    issue_ids: Sequence[int],
    approval_ids: Sequence[int],
    wanted: Sequence[type[Table]] | None,
) -> SiteRows:
    sizes = (list_size(issue_ids), list_size(approval_ids) if approval_ids else 0)
    values = {**dict(spread("issue", issue_ids)), **dict(spread("approval", approval_ids))}
    conditions = _conditions(*sizes)
    rows: SiteRows = defaultdict(list)
    for table in conditions if wanted is None else wanted:
        shape = ("surroundings", table._meta.table_name, sizes)
        rows[table] = run(database, shape, _whole_rows(table, conditions[table]), values)
    return rows


def _whole_rows(table: type[Table], condition: Callable[[], Any] | None) -> Callable[[], Query]:
    def build() -> Query:
        query = table.select(*table._meta.sorted_fields)
        return query if condition is None else query.where(condition())

    return build


# -- one picture for each issue ---------------------------------------------------------------


def _pictures(site: Site, configuration: Configuration) -> dict[int, Surroundings]:
    projects = {project.id: project for project in site.projects}
    issue_types = {issue_type.id: issue_type for issue_type in site.issue_types}
    statuses = {status.id: status for status in site.statuses}
    workflows = {workflow.id: workflow for workflow in site.workflows}
    schemes = {scheme.id: scheme for scheme in site.workflow_schemes}
    approvals = {approval.id: approval for approval in site.approvals}
    rules = {rule.id: rule for rule in site.conditional_rules}
    singly = {single.issue_id for single in site.single_issue_configurations}
    records: dict[int, list[IssueApproval]] = defaultdict(list)
    for record in site.issue_approvals:
        records[record.issue_id].append(record)
    mappings = _by_place(site.approval_mappings)
    return {
        issue.id: Surroundings(
            issue=issue,
            project=projects[issue.project_id],
            issue_type=issue_types[issue.issue_type_id],
            statuses=statuses,
            workflow=workflows[
                schemes[projects[issue.project_id].workflow_scheme_id].workflow_id(issue.issue_type_id)
            ],
            approvals=approvals,
            rules=rules,
            mappings=_bearing_on(issue, mappings),
            records=tuple(records[issue.id]),
            configuration=configuration,
            is_configured_singly=issue.id in singly,
        )
        for issue in site.issues
    }


_Place = tuple[int | None, ...]


def _by_place(mappings: Sequence[ApprovalMapping]) -> Mapping[_Place, dict[int, ApprovalMapping]]:
    """Return mappings by what they are for: a project's issue type, or one issue."""
    found: dict[_Place, dict[int, ApprovalMapping]] = defaultdict(dict)
    for mapping in mappings:
        own = mapping.issue_id is not None
        place = (mapping.issue_id,) if own else (mapping.project_id, mapping.issue_type_id)
        found[place][mapping.id] = mapping
    return found


def _bearing_on(
    issue: Issue, mappings: Mapping[_Place, dict[int, ApprovalMapping]]
) -> dict[int, ApprovalMapping]:
    return {
        **mappings.get((issue.project_id, issue.issue_type_id), {}),
        **mappings.get((issue.id,), {}),
    }


# -- which rows bear on the issues ------------------------------------------------------------


def _conditions(size: int, approval_count: int) -> dict[type[Table], Callable[[], Any] | None]:
    """Return, for each table, which rows to read for a list of so many issues; None for all.

    approval_count: how many approvals are listed beside.
    """
    listed = _Issues(size, approval_count)
    return {
        tables.Issue: lambda: listed.are(tables.Issue.id),
        tables.IssueField: lambda: listed.are(tables.IssueField.issue),
        tables.Project: lambda: tables.Project.id.in_(listed.their(tables.Issue.project)),
        tables.IssueType: lambda: tables.IssueType.id.in_(listed.their(tables.Issue.issue_type)),
        tables.Status: None,
        tables.WorkflowScheme: lambda: tables.WorkflowScheme.id.in_(listed.scheme_ids()),
        tables.WorkflowSchemeEntry: lambda: tables.WorkflowSchemeEntry.workflow_scheme.in_(
            listed.scheme_ids()
        ),
        tables.Workflow: lambda: listed.are_workflows(tables.Workflow.id),
        tables.WorkflowStatus: lambda: listed.are_workflows(tables.WorkflowStatus.workflow),
        tables.Transition: lambda: listed.are_workflows(tables.Transition.workflow),
        tables.TransitionSource: lambda: listed.are_workflows(tables.TransitionSource.workflow),
        tables.ConditionalRule: None,
        tables.Approval: lambda: listed.are_approvals(tables.Approval.id),
        tables.Approver: lambda: listed.are_approvals(tables.Approver.approval),
        tables.SingleIssueConfiguration: lambda: listed.are(tables.SingleIssueConfiguration.issue),
        tables.ApprovalMapping: lambda: tables.ApprovalMapping.id.in_(listed.mapping_ids()),
        tables.MappedApproval: lambda: tables.MappedApproval.approval_mapping.in_(listed.mapping_ids()),
        tables.ConditionedMinimum: lambda: tables.ConditionedMinimum.approval_mapping.in_(
            listed.mapping_ids()
        ),
        tables.IssueApproval: lambda: listed.are(tables.IssueApproval.issue),
    }


class _Issues:
    """Conditions on rows that belong to the issues of a list, or that they lead to."""

    def __init__(self, size: int, approval_count: int) -> None:
        self.size = size
        self.approvals = slots("approval", approval_count)

    def are(self, field: Any) -> Any:
        return field.in_(slots("issue", self.size))

    def their(self, field: Any) -> Query:
        return tables.Issue.select(field).where(self.are(tables.Issue.id))

    def scheme_ids(self) -> Query:
        project = tables.Project
        return project.select(project.workflow_scheme).where(project.id.in_(self.their(tables.Issue.project)))

    def are_workflows(self, field: Any) -> Any:
        scheme, entry = tables.WorkflowScheme, tables.WorkflowSchemeEntry
        defaults = scheme.select(scheme.default_workflow).where(scheme.id.in_(self.scheme_ids()))
        by_type = entry.select(entry.workflow).where(entry.workflow_scheme.in_(self.scheme_ids()))
        return field.in_(defaults) | field.in_(by_type)

    def mapping_ids(self) -> Query:
        mapping, issue = tables.ApprovalMapping, tables.Issue
        is_place = (mapping.project == issue.project) & (mapping.issue_type == issue.issue_type)
        of_place = (
            issue.select(mapping.id)
            .join(mapping, on=is_place)
            .where(self.are(issue.id), mapping.issue.is_null())
        )
        return of_place | mapping.select(mapping.id).where(self.are(mapping.issue))

    def are_approvals(self, field: Any) -> Any:
        record, mapped = tables.IssueApproval, tables.MappedApproval
        of_records = record.select(record.approval).where(self.are(record.issue))
        of_mappings = mapped.select(mapped.approval).where(mapped.approval_mapping.in_(self.mapping_ids()))
        found = field.in_(of_records) | field.in_(of_mappings)
        return found | field.in_(self.approvals) if self.approvals else found
