"""The four actions on an issue approval: what each makes of it, and when it is refused."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from herzum_approval.domain.configuration import Configuration
from herzum_approval.domain.issue_approvals import ApprovalStatus, IssueApproval
from herzum_approval.domain.mappings import AbstainOverride
from herzum_approval.errors import Fault, Problem


class Action(StrEnum):
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    ABSTAIN = "ABSTAIN"
    RESET = "RESET"


OUTCOME = {
    Action.APPROVE: ApprovalStatus.APPROVED,
    Action.REJECT: ApprovalStatus.REJECTED,
    Action.ABSTAIN: ApprovalStatus.ABSTAINED,
    Action.RESET: ApprovalStatus.PENDING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """By which right somebody acts on an issue approval.

    is_approver: by the definition, as super approver, or as super approver of the mapping.
    delegators: approvers who delegated to him for this record; of no account where he is one himself.
    """

    username: str
    is_approver: bool
    delegators: tuple[str, ...] = ()

    @property
    def on_behalf_of(self) -> str | None:
        """The delegator he acts for: the first by name, where several delegated to him."""
        return min(self.delegators) if self.delegators and not self.is_approver else None


def act(
    record: IssueApproval,
    action: Action,
    right: Right,
    configuration: Configuration,
    *,
    is_open: bool,
    comment: str | None,
    now: datetime,
) -> IssueApproval:
    """Return the issue approval as it stands after the action.

    is_open: whether its approvers can act on it now (`issue_approvals.open_records`).
    comment: without blanks around it; None where there is none.
    now: aware, UTC.
    Raises: ACTION_DISABLED, ACTION_UNAUTHORIZED, COMMENT_REQUIRED, in this order.
    Source: HAP REST API, "Operate on Issue Approvals", and "Approval Actions" for the switches; that a
    decision is refused where it changes nothing is inferred.
    """
    if not is_enabled(action, record, configuration):
        raise Problem(Fault.ACTION_DISABLED)
    if not (is_open and may_decide(record, right) and is_offered(record, action, right, configuration)):
        raise Problem(Fault.ACTION_UNAUTHORIZED)
    if record.settings.requires_comment and action is not Action.RESET and comment is None:
        raise Problem(Fault.COMMENT_REQUIRED)
    is_reset = action is Action.RESET
    return replace(
        record,
        approval_status=OUTCOME[action],
        decided_at=None if is_reset else now,
        approver_username=None if is_reset else right.username,
        version=record.version + 1,
    )


def is_enabled(action: Action, record: IssueApproval, configuration: Configuration) -> bool:
    """Return whether the action is switched on; a mapping may have its own word on abstaining."""
    if action is Action.REJECT:
        return configuration.is_reject_enabled
    if action is not Action.ABSTAIN:
        return True
    override = record.settings.abstain_override
    if override is AbstainOverride.FOLLOW_GLOBAL:
        return configuration.is_abstain_enabled
    return override is AbstainOverride.ON


def may_decide(record: IssueApproval, right: Right) -> bool:
    """Return whether this person has a say: a delegate may undo only what he decided himself.

    Source: HAP "Approval delegation".
    """
    if right.is_approver:
        return True
    is_own = record.approval_status is ApprovalStatus.PENDING or record.approver_username == right.username
    return bool(right.delegators) and is_own


def is_offered(record: IssueApproval, action: Action, right: Right, configuration: Configuration) -> bool:
    """Return whether the action leads anywhere from here, and reversing is not barred by a switch."""
    if OUTCOME[action] is record.approval_status:
        return False
    if record.approval_status is ApprovalStatus.PENDING:
        return True
    if configuration.locks_reversing(right.username):
        return False
    return configuration.are_actions_enabled_after_decision or action is Action.RESET
