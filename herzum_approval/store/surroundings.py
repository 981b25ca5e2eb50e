"""Issues with everything that bears on their approvals: locked and read."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from peewee import Database, Query, SqliteDatabase

from herzum_approval.domain.configuration import Configuration
from herzum_approval.domain.issue_approvals import IssueApproval
from herzum_approval.domain.issues import Surroundings
from herzum_approval.domain.jira import Issue
from herzum_approval.domain.mappings import ApprovalMapping
from herzum_approval.domain.sites import Site
from herzum_approval.store import tables
from herzum_approval.store.configuration import read_configuration
from herzum_approval.store.rows import SiteRows
from herzum_approval.store.site_rows import to_site
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

    None where there is no such issue.
    """
    return read_all_surroundings(database, [issue_id]).get(issue_id)


def read_all_surroundings(
    database: Database, issue_ids: Sequence[int], approval_ids: Sequence[int] = ()
) -> dict[int, Surroundings]:
    """Return issues, by id, with everything that bears on their approvals; those that exist.

    approval_ids: approvals to read beside those that records and mappings ask for.
    The number of queries does not depend on the number of issues.
    """
    if not issue_ids:
        return {}
    sizes = (list_size(issue_ids), list_size(approval_ids) if approval_ids else 0)
    values = {**dict(spread("issue", issue_ids)), **dict(spread("approval", approval_ids))}
    rows: SiteRows = defaultdict(list)
    for table, condition in _conditions(*sizes).items():
        shape = ("surroundings", table._meta.table_name, sizes)
        rows[table] = run(database, shape, _whole_rows(table, condition), values)
    return _pictures(to_site(rows), read_configuration(database))


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
    issues = _Issues(size, approval_count)
    return {
        tables.Issue: lambda: issues.are(tables.Issue.id),
        tables.IssueField: lambda: issues.are(tables.IssueField.issue),
        tables.Project: lambda: tables.Project.id.in_(issues.their(tables.Issue.project)),
        tables.IssueType: lambda: tables.IssueType.id.in_(issues.their(tables.Issue.issue_type)),
        tables.Status: None,
        tables.WorkflowScheme: lambda: tables.WorkflowScheme.id.in_(issues.scheme_ids()),
        tables.WorkflowSchemeEntry: lambda: tables.WorkflowSchemeEntry.workflow_scheme.in_(
            issues.scheme_ids()
        ),
        tables.Workflow: lambda: issues.are_workflows(tables.Workflow.id),
        tables.WorkflowStatus: lambda: issues.are_workflows(tables.WorkflowStatus.workflow),
        tables.Transition: lambda: issues.are_workflows(tables.Transition.workflow),
        tables.TransitionSource: lambda: issues.are_workflows(tables.TransitionSource.workflow),
        tables.ConditionalRule: None,
        tables.Approval: lambda: issues.are_approvals(tables.Approval.id),
        tables.Approver: lambda: issues.are_approvals(tables.Approver.approval),
        tables.SingleIssueConfiguration: lambda: issues.are(tables.SingleIssueConfiguration.issue),
        tables.ApprovalMapping: lambda: tables.ApprovalMapping.id.in_(issues.mapping_ids()),
        tables.MappedApproval: lambda: tables.MappedApproval.approval_mapping.in_(issues.mapping_ids()),
        tables.ConditionedMinimum: lambda: tables.ConditionedMinimum.approval_mapping.in_(
            issues.mapping_ids()
        ),
        tables.IssueApproval: lambda: issues.are(tables.IssueApproval.issue),
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
