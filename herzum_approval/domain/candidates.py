"""Candidates: who can act on which open issue approval, derived from everything else."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from herzum_approval.domain.approvals import Approval, Standing, principals_of, standing
from herzum_approval.domain.issue_approvals import IssueApproval, open_records
from herzum_approval.domain.jira import Issue, Project
from herzum_approval.domain.mappings import ApprovalMapping
from herzum_approval.domain.people import user_principal
from herzum_approval.domain.sites import Site

SUPER_APPROVER_LIMIT = 100
"""How many users a mapping's super approvers can be. Source: HAP "Super Approvers on Mapping basis"."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What follows from a site, so that searching need not work it out.

    open_ids: the issue approvals that can be acted on now.
    standings: for each of them that somebody can act on, who can (any one of the standings will do).
    """

    open_ids: frozenset[int]
    standings: Mapping[int, tuple[Standing, ...]]


def candidates(
    record: IssueApproval,
    approval: Approval,
    issue: Issue,
    project: Project,
    mapping: ApprovalMapping | None = None,
) -> list[Standing]:
    """Return who can act on an open record: its approvers, and its mapping's super approvers.

    mapping: the one that the record came from, if it is still there.
    Standings that nobody can meet are left out.
    """
    found = [standing(approval, issue, project, record.target)]
    if mapping is not None and mapping.settings.super_approvers:
        found.append(_super_standing(mapping, issue, project))
    return [each for each in found if each.one_of and all(each.one_of)]


def _super_standing(mapping: ApprovalMapping, issue: Issue, project: Project) -> Standing:
    # Only users that are named can be counted; a group or a role counts as it is (inferred).
    included: list[str] = []
    excluded: set[str] = set()
    for approver in mapping.settings.super_approvers:
        principals = sorted(principals_of(approver, issue, project))
        if approver.is_excluded:
            excluded.update(principals)
        else:
            included += principals
    users = [principal for principal in dict.fromkeys(included) if principal.startswith(user_principal(""))]
    counted = frozenset(included) - frozenset(users[SUPER_APPROVER_LIMIT:])
    return Standing((counted,) if counted else (), frozenset(excluded))


def derive(site: Site) -> Derived:
    """Return what follows from a site whose references hold (`site_checks.faults`)."""
    approvals = {approval.id: approval for approval in site.approvals}
    projects = {project.id: project for project in site.projects}
    issues = {issue.id: issue for issue in site.issues}
    mappings = {mapping.id: mapping for mapping in site.approval_mappings}
    open_ids = _open_ids(site, issues, approvals)
    standings = {}
    for record in site.issue_approvals:
        if record.id not in open_ids:
            continue
        issue = issues[record.issue_id]
        mapping = None if record.mapping_id is None else mappings[record.mapping_id]
        found = candidates(record, approvals[record.approval_id], issue, projects[issue.project_id], mapping)
        if found:
            standings[record.id] = tuple(found)
    return Derived(open_ids, standings)


def _open_ids(site: Site, issues: Mapping[int, Issue], approvals: Mapping[int, Approval]) -> frozenset[int]:
    by_issue: defaultdict[int, list[IssueApproval]] = defaultdict(list)
    for record in site.issue_approvals:
        by_issue[record.issue_id].append(record)
    found: set[int] = set()
    for issue_id, records in by_issue.items():
        found |= open_records(records, issues[issue_id].status_id, approvals)
    return frozenset(found)
