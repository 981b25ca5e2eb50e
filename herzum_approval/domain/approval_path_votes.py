"""Who votes on a step, and what the votes come to.

Source: Approval Path, "Group step", "Issue field step" and "Abstain"; see `docs/approval-path.md`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from herzum_approval.domain.approval_paths import (
    ApprovalPath,
    Decision,
    DefinitionStep,
    PathStep,
    Reference,
    StepKind,
    StepStatus,
)
from herzum_approval.domain.http_steps import CallPolicy
from herzum_approval.domain.people import folded
from herzum_approval.errors import Fault, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """All that bears on a run beside its own state.

    members: group name to the usernames of its active members, in order.
    conditions: condition id to whether it is true; one that cannot be asked is not there.
    """

    reference: Reference
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    conditions: Mapping[int, bool] = field(default_factory=dict)
    policy: CallPolicy = field(default_factory=CallPolicy)


def members_of(step: DefinitionStep, starter: str, around: Around) -> tuple[str, ...]:
    """Return who may vote on a step: usernames, or e-mail addresses; nobody twice, however they are spelt."""
    found: Iterable[str]
    match step.kind:
        case StepKind.HTTP:
            return ()
        case StepKind.USER:
            return (step.username,) if step.username else ()
        case StepKind.EMAIL:
            return (step.email,) if step.email else ()
        case StepKind.GROUP:
            found = around.members.get(step.group or "", ())
        case StepKind.USER_FIELD | StepKind.EMAIL_FIELD:
            found = around.reference.names_in(step.field_id or "")
        case StepKind.GROUP_FIELD:
            groups = around.reference.names_in(step.field_id or "")
            found = [name for group in groups for name in around.members.get(group, ())]
    excluded = starter if step.is_creator_excluded else None
    voters: dict[str, str] = {}
    for name in found:
        voters.setdefault(folded(name), name)
    return tuple(name for name in voters.values() if name != excluded)


def place_of(path: ApprovalPath, voter: str, position: int | None) -> tuple[int, str]:
    """Return the place of the step to vote on, and the voter as the step spells the name."""
    active = {
        place: step
        for place, step in enumerate(path.steps)
        if step.status is StepStatus.ACTIVE and step.definition.kind is not StepKind.HTTP
    }
    if position is not None:
        if position not in active:
            raise Problem(Fault.STEP_NOT_ACTIVE, id=path.id, position=position)
        active = {position: active[position]}
    asked = {
        place: member
        for place, step in active.items()
        for member in step.members
        if folded(member) == folded(voter)
    }
    if not asked:
        raise Problem(Fault.VOTER_NOT_ASKED, id=path.id, name=voter)
    for place, member in asked.items():
        if all(each.voter != member for each in path.steps[place].votes):
            return place, member
    raise Problem(Fault.VOTE_CAST, id=path.id, name=voter)


def tally(step: PathStep) -> Decision | None:
    """Return what the votes on a step come to, None as long as it stays open (7, 8).

    Abstentions wait until all have voted; then they count as silent accepts. Where everybody abstained the
    step is passed, whatever is required.
    """
    decisions = [each.decision for each in step.votes]
    accepts = decisions.count(Decision.ACCEPTED)
    if decisions.count(Decision.REJECTED) >= step.definition.required_reject_votes:
        return Decision.REJECTED
    if accepts >= step.definition.required_votes:
        return Decision.ACCEPTED
    if len(decisions) < len(step.members):
        return None
    abstentions = decisions.count(Decision.ABSTAINED)
    if abstentions == len(decisions):
        return Decision.ABSTAINED
    return Decision.ACCEPTED if accepts + abstentions >= step.definition.required_votes else Decision.REJECTED
