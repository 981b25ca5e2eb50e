"""Transitions under approval: which are locked, and which one a decision sets off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from herzum_approval.domain.actions import Action
from herzum_approval.domain.configuration import Configuration
from herzum_approval.domain.issue_approvals import IssueApproval
from herzum_approval.domain.mappings import ALL, ApprovalMapping, MinimumKind
from herzum_approval.domain.thresholds import is_reached, is_waiting, minimum

_APPROBATIONS, _REJECTIONS = MinimumKind.APPROBATIONS, MinimumKind.REJECTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """All votes that one transition asks for on one issue, and the rules they are counted by.

    records: the transition's issue approvals for the status that the issue is in; never empty.
    mapping: where they came from; None where it is gone and only the records remember its settings.
    is_true: tells of a conditional rule, by its id, whether it is true for the issue.
    """

    records: Sequence[IssueApproval]
    mapping: ApprovalMapping | None
    is_true: Callable[[int], bool]

    @property
    def transition_id(self) -> int:
        return self.records[0].transition_id

    @property
    def is_passed(self) -> bool:
        """Whether the transition may be taken: its minimum of approbations is reached."""
        return is_reached(_APPROBATIONS, self._minimum(_APPROBATIONS), self.records)

    def target(self, kind: MinimumKind) -> int | None:
        """Return the id of the transition that votes of this kind set off by themselves, if any."""
        settings = self.records[0].settings
        if kind is _APPROBATIONS:
            return self.transition_id if settings.transitions_on_approbations else None
        if not settings.transitions_on_rejections or self.mapping is None:
            return None
        return self.mapping.settings.rejection_transition_id

    def is_decided(self, kind: MinimumKind, configuration: Configuration) -> bool:
        """Return whether the votes are in that set off the automatic transition of this kind.

        By default that takes all of them; a switch lets the minimums decide. A minimum of none
        unlocks a transition, but to set it off takes a vote all the same (inferred).
        Source: HAP "Automatic Workflow Transition".
        """
        if self.records[0].settings.waits_for_all_replies and is_waiting(self.records):
            return False
        needed = self._minimum(kind) if configuration.do_minimums_drive_transitions else ALL
        return is_reached(kind, needed or 1, self.records)

    def _minimum(self, kind: MinimumKind) -> float:
        settings = self.records[0].settings
        own = settings.minimum_approbations if kind is _APPROBATIONS else settings.minimum_rejections
        conditioned = () if self.mapping is None else self.mapping.conditioned_minimums
        return minimum(kind, own, conditioned, self.is_true)


def ballots(
    records: Sequence[IssueApproval],
    issue_status_id: int,
    mapping_of: Callable[[IssueApproval], ApprovalMapping | None],
    is_true: Callable[[int], bool],
) -> dict[int, Ballot]:
    """Return the ballots that the issue's status asks for, by transition id.

    records: all records of one issue. Those of other statuses, those not submitted and configuration
    rows have no part in any ballot.
    """
    by_transition: dict[int, list[IssueApproval]] = {}
    for record in records:
        if record.is_asked_for(issue_status_id):
            by_transition.setdefault(record.transition_id, []).append(record)
    return {
        transition_id: Ballot(records=asked, mapping=mapping_of(asked[0]), is_true=is_true)
        for transition_id, asked in by_transition.items()
    }


def set_off(ballot: Ballot, action: Action, configuration: Configuration) -> int | None:
    """Return the id of the transition that the action has set off, or None.

    ballot: with the action done. Taking a vote back sets nothing off. Where both kinds are decided
    (minimums may allow that), the action's own kind comes first (inferred).
    """
    if action is Action.RESET:
        return None
    kinds = (_REJECTIONS, _APPROBATIONS) if action is Action.REJECT else (_APPROBATIONS, _REJECTIONS)
    targets = (ballot.target(kind) for kind in kinds if ballot.is_decided(kind, configuration))
    return next((target for target in targets if target is not None), None)
