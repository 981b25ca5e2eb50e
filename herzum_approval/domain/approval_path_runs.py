"""How an approval runs: from its start, vote by vote, to its end. Pure, and the only place that knows.

Source: Approval Path's product documentation; the numbers in brackets are those of the list in
`docs/approval-path.md`, which also says what is inferred.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from herzum_approval.domain.approval_path_reports import Occasion, report
from herzum_approval.domain.approval_path_votes import Around, members_of, place_of, tally
from herzum_approval.domain.approval_paths import (
    ADDRESS_KINDS,
    FIELD_KINDS,
    ApprovalDefinition,
    ApprovalPath,
    Decision,
    DefinitionStep,
    FieldResolution,
    MailKind,
    PathMail,
    PathStatus,
    PathStep,
    StepAction,
    StepKind,
    StepStatus,
    Vote,
)
from herzum_approval.domain.http_steps import CallPolicy, CallState, HttpCall, rendered
from herzum_approval.domain.people import user_principal
from herzum_approval.errors import Fault, Problem

_UNDECIDED = (StepStatus.PENDING, StepStatus.ACTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of something that happened to a run.

    calls, mails: new ones, their ids yet to come. report: the comment to leave on the issue or page.
    """

    path: ApprovalPath
    calls: tuple[HttpCall, ...] = ()
    mails: tuple[PathMail, ...] = ()
    report: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How an approval is to start. name: None for that of the definition; summary: for that of the ref."""

    performer: str
    now: datetime
    name: str | None = None
    summary: str | None = None
    expires_at: datetime | None = None
    allows_abstaining: bool = False


# -- what can happen to a run -----------------------------------------------------------------


def start(definition: ApprovalDefinition, id: int, wish: Start, around: Around) -> Outcome:
    """Return the approval as it stands right after its start, which may be its end (1, 9, 10).

    Raises: PATH_CONDITION_FALSE, PATH_STEP_EMPTY.
    """
    if not _is_met(definition.condition_id, around):
        raise Problem(Fault.PATH_CONDITION_FALSE, name=definition.name)
    reference = around.reference
    started = PathStep(
        definition=DefinitionStep(
            kind=StepKind.USER, action=StepAction.STARTED, username=wish.performer, notifies_watchers=False
        ),
        status=StepStatus.SUCCESS,
        decision=Decision.ACCEPTED,
        decided_at=wish.now,
        refreshed_at=wish.now,
    )
    path = ApprovalPath(
        id=id,
        product=definition.product,
        definition_id=definition.id,
        name=wish.name or definition.name,
        summary=reference.summary if wish.summary is None else wish.summary,
        collection_id=reference.collection_id,
        ref_id=reference.id,
        started_by=wish.performer,
        started_at=wish.now,
        modified_at=wish.now,
        steps=(started, *_steps(definition, wish.performer, around)),
        rejection_steps=_informing(definition.rejection_steps, around),
        success_steps=_informing(definition.success_steps, around),
        expires_at=wish.expires_at,
        allows_abstaining=wish.allows_abstaining,
    )
    run = _Run(path, around, wish.now)
    run.advance()
    return run.outcome()


def vote(
    path: ApprovalPath,
    voter: str,
    decision: Decision,
    *,
    around: Around,
    now: datetime,
    position: int | None = None,
) -> Outcome:
    """Return the approval after a vote (6, 7, 8).

    voter: a username, or an e-mail address that was asked. position: the place of the step in `path.steps`;
    None is the first active one on which the voter has yet to vote.
    Raises: PATH_ENDED, STEP_NOT_ACTIVE, VOTER_NOT_ASKED, VOTE_CAST, ABSTAINING_DISABLED.
    """
    _require_running(path, now)
    place, member = place_of(path, voter, position)
    if decision is Decision.ABSTAINED and not path.allows_abstaining:
        raise Problem(Fault.ABSTAINING_DISABLED, id=path.id)
    run = _Run(path, around, now)
    step = run.steps[place]
    run.steps[place] = replace(step, votes=(*step.votes, Vote(voter=member, decision=decision, voted_at=now)))
    result = tally(run.steps[place])
    if result is not None:
        run.decide(place, result)
        run.advance()
    return run.outcome()


def answer(path: ApprovalPath, call: HttpCall, *, around: Around, now: datetime) -> Outcome:
    """Return the approval after an HTTP step's request was answered, or was not (5).

    An answer that comes too late, or to a step that only informs, changes nothing.
    """
    current = as_of(path, now)
    is_awaited = (
        current.is_running
        and not call.informs_of_end
        and current.steps[call.position].status is StepStatus.ACTIVE
    )
    if not is_awaited:
        return Outcome(path=path)
    run = _Run(path, around, now)
    run.decide(call.position, Decision.ACCEPTED if call.is_accepted else Decision.REJECTED)
    run.advance()
    return run.outcome()


def archive(path: ApprovalPath, now: datetime) -> ApprovalPath:
    """Return the approval put away, whatever its state; what was to come never comes.

    Raises: PATH_ENDED where it was put away before.
    """
    if path.path_status is PathStatus.ARCHIVED:
        raise Problem(Fault.PATH_ENDED, id=path.id, status=path.path_status.value)
    return _ended(path, PathStatus.ARCHIVED, now)


def as_of(path: ApprovalPath, now: datetime) -> ApprovalPath:
    """Return the approval as it stands at the moment: expired, where its time has passed meanwhile."""
    if not path.is_running or path.expires_at is None or now < path.expires_at:
        return path
    return _ended(path, PathStatus.EXPIRED, path.expires_at)


# -- the start --------------------------------------------------------------------------------


def _is_met(condition_id: int | None, around: Around) -> bool:
    return condition_id is None or around.conditions.get(condition_id, False)


def _steps(origin: ApprovalDefinition, starter: str, around: Around) -> Iterable[PathStep]:
    """Give the steps of a run: conditions asked, empty ones left out or refused."""
    for place, definition in enumerate(origin.steps):
        if not _is_met(definition.condition_id, around):
            continue
        step = PathStep(definition=definition)
        if definition.kind in FIELD_KINDS and definition.resolution is FieldResolution.STEP_START:
            yield step
            continue
        members = members_of(definition, starter, around)
        if not members and definition.kind is not StepKind.HTTP and definition.awaits_decision:
            if definition.is_skipped_when_empty:
                continue
            raise Problem(Fault.PATH_STEP_EMPTY, name=origin.name, position=place + 1)
        # Groups are counted when their turn comes; fields are not looked into again.
        yield replace(step, members=members) if definition.kind in FIELD_KINDS else step


def _informing(steps: Iterable[DefinitionStep], around: Around) -> tuple[PathStep, ...]:
    """Return those steps that are to come after one end, conditions asked."""
    return tuple(PathStep(definition=step) for step in steps if _is_met(step.condition_id, around))


def _require_running(path: ApprovalPath, now: datetime) -> None:
    status = as_of(path, now).path_status
    if status is not PathStatus.IN_PROGRESS:
        raise Problem(Fault.PATH_ENDED, id=path.id, status=status.value)


# -- how it goes on ---------------------------------------------------------------------------


class _Run:
    """A run while something happens to it."""

    def __init__(self, path: ApprovalPath, around: Around, now: datetime) -> None:
        self.path = path
        self.around = around
        self.now = now
        self.steps = list(path.steps)
        self.rejection_steps = path.rejection_steps
        self.success_steps = path.success_steps
        self.status = path.path_status
        self.modified_at = path.modified_at
        self.calls: list[HttpCall] = []
        self.mails: list[PathMail] = []

    def outcome(self) -> Outcome:
        later = replace(
            self.path,
            steps=tuple(self.steps),
            rejection_steps=self.rejection_steps,
            success_steps=self.success_steps,
            modified_at=self.modified_at,
        )
        if self.status is PathStatus.IN_PROGRESS:
            return Outcome(path=later, calls=tuple(self.calls), mails=tuple(self.mails))
        ended = _ended(later, self.status, self.modified_at)
        return Outcome(
            path=ended, calls=tuple(self.calls), mails=tuple(self.mails), report=report(ended, Occasion.ENDED)
        )

    def decide(self, place: int, decision: Decision) -> None:
        """Close a step with a decision."""
        status = StepStatus.FAIL if decision is Decision.REJECTED else StepStatus.SUCCESS
        self.steps[place] = replace(self.steps[place], status=status, decision=decision, decided_at=self.now)
        self.modified_at = self.now

    def advance(self) -> None:
        """Open block after block until one awaits a decision, or the path ends (2, 11)."""
        while self.status is PathStatus.IN_PROGRESS:
            if any(step.status is StepStatus.FAIL for step in self.steps):
                self._reject()
            elif any(step.status is StepStatus.ACTIVE for step in self.steps):
                return
            elif block := self._next_block():
                self._open(block)
            else:
                self._succeed()

    def _next_block(self) -> list[int]:
        """Return the places of the next step and of those beside it in its parallel group."""
        pending = [place for place, step in enumerate(self.steps) if step.status is StepStatus.PENDING]
        if not pending:
            return []
        first = pending[0]
        group = self.steps[first].definition.parallel_group
        block = [first]
        while group is not None and block[-1] + 1 < len(self.steps):
            following = block[-1] + 1
            if self.steps[following].definition.parallel_group != group:
                break
            block.append(following)
        return block

    def _open(self, block: list[int]) -> None:
        for place in block:
            self._gather(place)
        if any(self.steps[place].status is StepStatus.FAIL for place in block):
            return  # nobody is asked for what has failed already
        for place in block:
            step = self.steps[place]
            if step.status is StepStatus.SKIPPED:
                continue
            if step.definition.kind is StepKind.HTTP:
                self._call(place)
            else:
                self._ask(place)

    def _gather(self, place: int) -> None:
        """Find out who votes on a step; one without anybody is left out, or fails."""
        step = self.steps[place]
        definition = step.definition
        if definition.kind is StepKind.HTTP or step.members:
            return
        members = members_of(definition, self.path.started_by, self.around)
        if members or not definition.awaits_decision:
            self.steps[place] = replace(step, members=members)
        elif definition.is_skipped_when_empty:
            self.steps[place] = replace(step, status=StepStatus.SKIPPED)
        else:
            # The start looked for somebody and found them, or could not look: it cannot wait for nobody.
            self.decide(place, Decision.REJECTED)

    def _ask(self, place: int) -> None:
        step = self.steps[place]
        awaits_decision = step.definition.awaits_decision
        status = StepStatus.ACTIVE if awaits_decision else StepStatus.SUCCESS
        self.steps[place] = replace(step, status=status)
        is_address = step.definition.kind in ADDRESS_KINDS
        for member in step.members:
            self.mails.append(
                PathMail(
                    id=0,
                    path_id=self.path.id,
                    position=place,
                    recipient=f"email:{member}" if is_address else user_principal(member),
                    kind=MailKind.REQUEST if awaits_decision else MailKind.NOTICE,
                    created_at=self.now,
                )
            )

    def _call(self, place: int) -> None:
        step = self.steps[place]
        call = _recorded(rendered(step.definition, self.path, place, self.now), self.around.policy)
        self.calls.append(call)
        if not step.definition.awaits_decision:
            self.decide(place, Decision.ACCEPTED)
        elif call.is_decided:
            self.decide(place, Decision.ACCEPTED if call.is_accepted else Decision.REJECTED)
        else:
            self.steps[place] = replace(step, status=StepStatus.ACTIVE)

    def _reject(self) -> None:
        """End the path as rejected; its rejection steps inform."""
        self.status, self.modified_at = PathStatus.FAIL, self.now
        self.rejection_steps = self._informed(self.rejection_steps)

    def _succeed(self) -> None:
        """End the path as approved; its success steps inform."""
        self.status, self.modified_at = PathStatus.SUCCESS, self.now
        self.success_steps = self._informed(self.success_steps)

    def _informed(self, steps: Iterable[PathStep]) -> tuple[PathStep, ...]:
        """Make the requests of the steps after the end that has come, and return these steps as done."""
        informed = []
        for place, step in enumerate(steps):
            call = rendered(step.definition, self.path, place, self.now)
            self.calls.append(
                replace(
                    _recorded(call, self.around.policy),
                    is_of_rejection=self.status is PathStatus.FAIL,
                    is_of_success=self.status is PathStatus.SUCCESS,
                )
            )
            informed.append(
                replace(step, status=StepStatus.SUCCESS, decision=Decision.ACCEPTED, decided_at=self.now)
            )
        return tuple(informed)


def _recorded(call: HttpCall, policy: CallPolicy) -> HttpCall:
    """Return the request in its first state: to be sent, answered at once, or open."""
    if policy.is_sent(call):
        return call
    if policy.unsent_status is None:
        return replace(call, state=CallState.OPEN)
    return replace(call, state=CallState.ANSWERED, status=policy.unsent_status, answered_at=call.created_at)


def _ended(path: ApprovalPath, status: PathStatus, at: datetime) -> ApprovalPath:
    """Return the path ended; steps that were open are cut off."""
    return replace(
        path,
        path_status=status,
        modified_at=at,
        steps=tuple(_cut_off(step) for step in path.steps),
        rejection_steps=tuple(_cut_off(step) for step in path.rejection_steps),
        success_steps=tuple(_cut_off(step) for step in path.success_steps),
    )


def _cut_off(step: PathStep) -> PathStep:
    return replace(step, status=StepStatus.SKIPPED) if step.status in _UNDECIDED else step
