"""Delegations: somebody acts for somebody else.

A delegation passes on what the delegator may do as approver himself, never what was delegated to him.
Source: HAP "Approval delegation".
"""

from dataclasses import dataclass
from datetime import datetime

from herzum_approval.domain.issue_approvals import IssueApproval
from herzum_approval.domain.jira import Issue


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """The delegate may act for the delegator; each limit that is None does not limit.

    starts_at, ends_at: compared with when an issue approval was submitted, both included.
    """

    id: int
    delegator: str
    delegate: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    project_id: int | None = None
    issue_type_id: int | None = None
    source_status_id: int | None = None
    transition_id: int | None = None
    approval_id: int | None = None


def covers(delegation: Delegation, record: IssueApproval, issue: Issue) -> bool:
    """Return whether the record is within the delegation's limits; one that is not submitted never is."""
    if record.submitted_at is None:
        return False
    if delegation.starts_at is not None and record.submitted_at < delegation.starts_at:
        return False
    if delegation.ends_at is not None and record.submitted_at > delegation.ends_at:
        return False
    limits = (
        (delegation.project_id, issue.project_id),
        (delegation.issue_type_id, issue.issue_type_id),
        (delegation.source_status_id, record.source_status_id),
        (delegation.transition_id, record.transition_id),
        (delegation.approval_id, record.approval_id),
    )
    return all(limit is None or limit == value for limit, value in limits)
