"""One issue with everything that bears on its approvals: locked and read."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from peewee import JOIN, Database, Query, SqliteDatabase, fn

from herzum_approval.domain.issues import Surroundings
from herzum_approval.store import tables
from herzum_approval.store.configuration import read_configuration
from herzum_approval.store.site_rows import SiteRows, to_site
from herzum_approval.store.statements import run, slot
from herzum_approval.store.tables import Table

Conditions = dict[type[Table], Callable[[], Any] | None]


def lock_issue(database: Database, issue_id: int) -> None:
    """Let nobody else decide on this issue until the transaction ends; SQLite has one writer anyway."""
    if isinstance(database, SqliteDatabase):
        return
    issue = tables.Issue
    run(
        database,
        "lock issue",
        lambda: issue.select(issue.id).where(issue.id == slot("issue_id")).for_update(),
        {"issue_id": issue_id},
    )


def read_surroundings(database: Database, issue_id: int) -> Surroundings:
    """Return the issue with everything that bears on its approvals, in a fixed number of queries."""
    rows: SiteRows = defaultdict(list)
    _read(database, rows, _OF_ISSUE, {"issue_id": issue_id})
    (issue,) = to_site(rows).issues
    place = {
        "issue_id": issue.id,
        "project_id": issue.project_id,
        "issue_type_id": issue.issue_type_id,
    }
    _read(database, rows, _OF_PLACE, place)
    site = to_site(rows)
    return Surroundings(
        issue=issue,
        project=site.projects[0],
        issue_type=site.issue_types[0],
        statuses={status.id: status for status in site.statuses},
        workflow=site.workflows[0],
        approvals={approval.id: approval for approval in site.approvals},
        rules={rule.id: rule for rule in site.conditional_rules},
        mappings={mapping.id: mapping for mapping in site.approval_mappings},
        records=site.issue_approvals,
        configuration=read_configuration(database),
        is_configured_singly=bool(site.single_issue_configurations),
    )


def _read(database: Database, rows: SiteRows, conditions: Conditions, values: dict[str, int]) -> None:
    for table, condition in conditions.items():
        rows[table] = run(
            database, ("surroundings", table._meta.table_name), _whole_rows(table, condition), values
        )


def _whole_rows(table: type[Table], condition: Callable[[], Any] | None) -> Callable[[], Query]:
    def build() -> Query:
        query = table.select(*table._meta.sorted_fields)
        return query if condition is None else query.where(condition())

    return build


# -- which rows bear on an issue --------------------------------------------------------------


def _workflow_id() -> Query:
    scheme, entry = tables.WorkflowScheme, tables.WorkflowSchemeEntry
    is_entry = (entry.workflow_scheme == scheme.id) & (entry.issue_type == slot("issue_type_id"))
    return (
        tables.Project.select(fn.COALESCE(entry.workflow, scheme.default_workflow))
        .join(scheme)
        .join(entry, JOIN.LEFT_OUTER, on=is_entry)
        .where(tables.Project.id == slot("project_id"))
    )


def _is_mapping() -> Any:
    mapping = tables.ApprovalMapping
    of_place = (mapping.project == slot("project_id")) & (mapping.issue_type == slot("issue_type_id"))
    return (of_place & mapping.issue.is_null()) | (mapping.issue == slot("issue_id"))


def _mapping_ids() -> Query:
    return tables.ApprovalMapping.select(tables.ApprovalMapping.id).where(_is_mapping())


def _names_approval(approval_id: Any) -> Any:
    record, mapped = tables.IssueApproval, tables.MappedApproval
    of_records = record.select(record.approval).where(record.issue == slot("issue_id"))
    of_mappings = mapped.select(mapped.approval).where(mapped.approval_mapping.in_(_mapping_ids()))
    return approval_id.in_(of_records) | approval_id.in_(of_mappings)


_OF_ISSUE: Conditions = {
    tables.Issue: lambda: tables.Issue.id == slot("issue_id"),
    tables.IssueField: lambda: tables.IssueField.issue == slot("issue_id"),
}

_OF_PLACE: Conditions = {
    tables.Project: lambda: tables.Project.id == slot("project_id"),
    tables.IssueType: lambda: tables.IssueType.id == slot("issue_type_id"),
    tables.Status: None,
    tables.Workflow: lambda: tables.Workflow.id == _workflow_id(),
    tables.WorkflowStatus: lambda: tables.WorkflowStatus.workflow == _workflow_id(),
    tables.Transition: lambda: tables.Transition.workflow == _workflow_id(),
    tables.TransitionSource: lambda: tables.TransitionSource.workflow == _workflow_id(),
    tables.ConditionalRule: None,
    tables.Approval: lambda: _names_approval(tables.Approval.id),
    tables.Approver: lambda: _names_approval(tables.Approver.approval),
    tables.SingleIssueConfiguration: lambda: tables.SingleIssueConfiguration.issue == slot("issue_id"),
    tables.ApprovalMapping: _is_mapping,
    tables.MappedApproval: lambda: tables.MappedApproval.approval_mapping.in_(_mapping_ids()),
    tables.ConditionedMinimum: lambda: tables.ConditionedMinimum.approval_mapping.in_(_mapping_ids()),
    tables.IssueApproval: lambda: tables.IssueApproval.issue == slot("issue_id"),
}
