"""How many votes a transition needs: all, none, a share or a number, and whether they are in.

Source: HAP "Minimum Required Approbations and Rejections", "Mandatory and optional approvers scenario".
"""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from herzum_approval.domain.issue_approvals import ApprovalStatus, IssueApproval
from herzum_approval.domain.mappings import ALL, ConditionedMinimum, MinimumKind

_VOTE = {
    MinimumKind.APPROBATIONS: ApprovalStatus.APPROVED,
    MinimumKind.REJECTIONS: ApprovalStatus.REJECTED,
}
_PENDING, _ABSTAINED = ApprovalStatus.PENDING, ApprovalStatus.ABSTAINED


def minimum(
    kind: MinimumKind,
    otherwise: float,
    conditioned: Iterable[ConditionedMinimum],
    is_true: Callable[[int], bool],
) -> float:
    """Return the minimum in force: of the conditioned ones the first whose rule is true, else `otherwise`.

    is_true: tells of a conditional rule, by its id, whether it is true for the issue.
    """
    fitting = (
        each.minimum for each in conditioned if each.kind is kind and is_true(each.conditional_rule_id)
    )
    return next(fitting, otherwise)


def is_reached(kind: MinimumKind, needed: float, records: Sequence[IssueApproval]) -> bool:
    """Return whether enough of the records are approved (or rejected).

    records: all that one transition asks for on one issue, configuration rows left out.
    needed: `ALL`, 0 (none), a share below 1, or a number.

    An optional approval counts once it is cast; a share waits for all others where there is one.
    Abstentions follow the others, so they are left out of the count: a number above what is left is
    `ALL`, and where nothing is left nothing stands against approbation, nor speaks for rejection.
    """
    if needed == 0:
        return True
    counted = [
        record
        for record in records
        if record.approval_status is not _ABSTAINED and not _is_uncast_option(record)
    ]
    votes = sum(record.approval_status is _VOTE[kind] for record in counted)
    if kind is MinimumKind.REJECTIONS and votes == 0:
        return False
    if needed == ALL or needed > len(counted):
        return votes == len(counted)
    if needed >= 1:
        return votes >= needed
    if is_waiting(records) and any(record.settings.is_optional for record in records):
        return False
    # As it is written: in binary 0.07 of a hundred is a little more than seven.
    return votes >= Fraction(str(needed)) * len(counted)


def is_waiting(records: Iterable[IssueApproval]) -> bool:
    """Return whether a vote that must be cast is still out."""
    return any(record.approval_status is _PENDING and not record.settings.is_optional for record in records)


def _is_uncast_option(record: IssueApproval) -> bool:
    return record.settings.is_optional and record.approval_status is _PENDING
