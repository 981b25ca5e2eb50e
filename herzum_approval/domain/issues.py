"""Issues under approval: what a decision and a move do to an issue, its records and its history.

Everything here is worked out on `Surroundings`, a picture of one issue; the outcome is written later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from herzum_approval.domain import jql
from herzum_approval.domain.actions import Action, Right, act
from herzum_approval.domain.alignment import NEW, enter, wanted
from herzum_approval.domain.approvals import Approval, ConditionalRule
from herzum_approval.domain.candidates import candidates
from herzum_approval.domain.configuration import Configuration
from herzum_approval.domain.history import (
    Comment,
    Event,
    EventKind,
    Message,
    MessageKind,
)
from herzum_approval.domain.issue_approvals import IssueApproval, open_records
from herzum_approval.domain.jira import (
    Issue,
    IssueType,
    Project,
    Status,
    Transition,
    Workflow,
)
from herzum_approval.domain.mappings import (
    ApprovalMapping,
    MinimumKind,
    ReplyNotification,
)
from herzum_approval.domain.people import user_principal
from herzum_approval.domain.transitions import Ballot, ballots, set_off
from herzum_approval.errors import Fault, Problem


@dataclass(frozen=True)
class Surroundings:
    """Everything that bears on the approvals of one issue.

    mappings: those of its project and issue type, and its own. records: all of the issue.
    is_configured_singly: its own mappings replace all others.
    may_responsive_user_move: whether the user who does automatic transitions in responsive mode exists,
    is active and may browse the project.
    """

    issue: Issue
    project: Project
    issue_type: IssueType
    statuses: Mapping[int, Status]
    workflow: Workflow
    approvals: Mapping[int, Approval]
    rules: Mapping[int, ConditionalRule]
    mappings: Mapping[int, ApprovalMapping]
    records: Sequence[IssueApproval]
    configuration: Configuration
    is_configured_singly: bool = False
    may_responsive_user_move: bool = False

    @cached_property
    def _facts(self) -> jql.Facts:
        return jql.facts(self.issue, self.project, self.issue_type, self.statuses[self.issue.status_id])

    def is_true(self, rule_id: int) -> bool:
        """Return whether the conditional rule is true for the issue."""
        return jql.matches(jql.parse(self.rules[rule_id].jql), self._facts)

    def mapping_of(self, record: IssueApproval) -> ApprovalMapping | None:
        return None if record.mapping_id is None else self.mappings.get(record.mapping_id)

    def ballots(self) -> dict[int, Ballot]:
        return ballots(self.records, self.issue.status_id, self.mapping_of, self.is_true)

    def open_ids(self) -> frozenset[int]:
        return open_records(self.records, self.issue.status_id, self.approvals)

    def mappings_in_force(self) -> list[ApprovalMapping]:
        """Return the mappings that the issue follows: its own where it is configured singly."""
        return [
            mapping
            for mapping in self.mappings.values()
            if (mapping.issue_id is not None) is self.is_configured_singly
        ]

    def transition_name(self, transition_id: int) -> str:
        found = (each.name for each in self.workflow.transitions if each.id == transition_id)
        return next(found, "")

    def wanted(self, mappings: Sequence[ApprovalMapping]) -> list[IssueApproval]:
        """Return the records that these mappings ask of the issue."""
        return [
            record
            for mapping in mappings
            for record in wanted(
                mapping,
                self.issue,
                self.project,
                self.approvals,
                self.transition_name(mapping.transition_id),
                self.is_true,
            )
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What has come of a decision or a move, yet to be written.

    around: the picture afterwards. Records that are new have ids below 0, by which events and messages
        mean them until the database has numbered them; those no longer in it are deleted.
    """

    around: Surroundings
    events: tuple[Event, ...] = ()
    comments: tuple[Comment, ...] = ()
    messages: tuple[Message, ...] = ()

    def and_then(self, later: "Outcome") -> "Outcome":
        return Outcome(
            around=later.around,
            events=self.events + later.events,
            comments=self.comments + later.comments,
            messages=self.messages + later.messages,
        )


# -- moving -----------------------------------------------------------------------------------


def available_transitions(around: Surroundings) -> list[Transition]:
    """Return the transitions that may be taken now: those that leave the status, unless votes are missing.

    Source: HAP "Configure an overall Approval Mapping" (the approval condition hides the button).
    """
    locked = {id for id, ballot in around.ballots().items() if not ballot.is_passed}
    return [each for each in leaving_transitions(around) if each.id not in locked]


def leaving_transitions(around: Surroundings) -> list[Transition]:
    """Return the transitions that leave the issue's status, locked or not."""
    return [each for each in around.workflow.transitions if each.leaves(around.issue.status_id)]


def move(around: Surroundings, transition_id: int, username: str, now: datetime) -> Outcome:
    """Return what comes of taking the transition by hand. Raises: TRANSITION_NOT_AVAILABLE."""
    transition = _found(available_transitions(around), transition_id)
    if transition is None:
        raise Problem(
            Fault.TRANSITION_NOT_AVAILABLE,
            name=around.transition_name(transition_id) or transition_id,
            key=around.issue.key,
        )
    return _moved(around, transition, EventKind.TRANSITION, username, now)


def _found(transitions: Sequence[Transition], transition_id: int) -> Transition | None:
    return next((each for each in transitions if each.id == transition_id), None)


def _moved(
    around: Surroundings, transition: Transition, kind: EventKind, username: str | None, now: datetime
) -> Outcome:
    source_id, destination_id = around.issue.status_id, transition.destination_status_id
    event = _event(
        around,
        kind,
        now,
        username=username,
        details={
            "transition_id": transition.id,
            "transition_name": transition.name,
            "source_status_id": source_id,
            "destination_status_id": destination_id,
        },
    )
    moved = replace(around, issue=replace(around.issue, status_id=destination_id, updated_at=now))
    if destination_id == source_id:
        return Outcome(around=moved, events=(event,))
    # No transition out of the status that is left is due any more.
    left = [record for record in around.records if record.source_status_id == source_id]
    moved = _flagged(moved, left, has_error=False)
    return Outcome(around=moved, events=(event,)).and_then(_entered(moved, now))


def _entered(around: Surroundings, now: datetime) -> Outcome:
    """Return what comes of having entered the status: its approvals are asked for, or asked for anew."""
    status_id = around.issue.status_id
    here = [mapping for mapping in around.mappings_in_force() if mapping.source_status_id == status_id]
    alignment = enter(around.records, around.wanted(here), status_id, now)
    created = (replace(record, id=-place) for place, record in enumerate(alignment.created, start=1))
    submitted = (*(after for _, after in alignment.updated), *created)
    after = replace(around, records=applied(around.records, submitted, alignment.deleted))
    return Outcome(
        around=after,
        events=(
            *(record_event(around, EventKind.REMOVED, now, record) for record in alignment.deleted),
            *(
                record_event(around, EventKind.SUBMITTED, now, record, after=record.approval_status.value)
                for record in submitted
            ),
        ),
        comments=tuple(
            _announcement(around, record, now) for record in submitted if record.settings.announces_by_comment
        ),
        messages=tuple(
            message
            for record in submitted
            if record.settings.sends_request_mail
            for message in _messages(after, record, MessageKind.REQUEST, now)
        ),
    )


def _flagged(around: Surroundings, records: Sequence[IssueApproval], *, has_error: bool) -> Surroundings:
    flagged = [replace(record, has_transition_error=has_error) for record in records]
    return replace(around, records=applied(around.records, flagged, ()))


def applied(
    records: Sequence[IssueApproval], changed: Sequence[IssueApproval], deleted: Sequence[IssueApproval]
) -> tuple[IssueApproval, ...]:
    """Return the records with the changed ones in place, new ones behind, deleted ones gone."""
    by_id = {record.id: record for record in changed}
    gone = {record.id for record in deleted}
    kept = tuple(by_id.pop(record.id, record) for record in records if record.id not in gone)
    return (*kept, *by_id.values())


# -- deciding ---------------------------------------------------------------------------------


def decide(
    around: Surroundings,
    record: IssueApproval,
    action: Action,
    right: Right,
    *,
    comment: str | None,
    now: datetime,
) -> Outcome:
    """Return what comes of the action: the decision, and the transition that it may set off.

    Raises: what `actions.act` raises.
    """
    is_open = record.id in around.open_ids()
    after = act(record, action, right, around.configuration, is_open=is_open, comment=comment, now=now)
    decided = replace(around, records=applied(around.records, (after,), ()))
    ballot = decided.ballots()[record.transition_id]
    target = set_off(ballot, action, around.configuration)
    # Whatever failed before, the votes are others now: either the transition is due anew, or not at all.
    decided = _flagged(decided, ballot.records, has_error=False)
    event = record_event(
        around,
        EventKind(after.approval_status.value),
        now,
        record,
        username=right.username,
        on_behalf_of=right.on_behalf_of,
        comment=comment,
        before=record.approval_status.value,
        after=after.approval_status.value,
    )
    outcome = Outcome(
        around=decided,
        events=(event,),
        comments=_decision_comments(around, after, right, comment, now),
        messages=_reply_messages(around, decided, after, action, now),
    )
    return outcome if target is None else outcome.and_then(_automatic(decided, ballot, target, now))


def _automatic(around: Surroundings, ballot: Ballot, transition_id: int, now: datetime) -> Outcome:
    """Return what comes of the automatic transition that is due, or of its failure.

    Forced mode asks no condition; responsive mode moves as the configured user, under all conditions.
    Source: HAP "Automatic Workflow Transition"; that a transition fails in both modes where it does not
    leave the status is inferred.
    """
    is_responsive = around.configuration.is_transition_responsive
    offered = available_transitions(around) if is_responsive else leaving_transitions(around)
    transition = _found(offered, transition_id)
    if transition is not None and (around.may_responsive_user_move or not is_responsive):
        username = around.configuration.responsive_user if is_responsive else None
        return _moved(around, transition, EventKind.AUTOMATIC_TRANSITION, username, now)
    event = _event(
        around,
        EventKind.AUTOMATIC_TRANSITION_FAILED,
        now,
        details={"transition_id": transition_id, "source_status_id": around.issue.status_id},
    )
    return Outcome(around=_flagged(around, ballot.records, has_error=True), events=(event,))


# -- what is told -----------------------------------------------------------------------------


def _event(around: Surroundings, kind: EventKind, now: datetime, **more: Any) -> Event:
    return Event(id=NEW, at=now, kind=kind, issue_id=around.issue.id, **more)


def record_event(
    around: Surroundings,
    kind: EventKind,
    now: datetime,
    record: IssueApproval,
    *,
    details: Mapping[str, Any] | None = None,
    **more: Any,
) -> Event:
    """Return the event of what happened to one record. details: beside those that tell what it asks for."""
    place = {
        "approval_id": record.approval_id,
        "transition_id": record.transition_id,
        "source_status_id": record.source_status_id,
    }
    details = place | dict(details or {})
    return _event(around, kind, now, issue_approval_id=record.id, details=details, **more)


def _decision_comments(
    around: Surroundings, after: IssueApproval, right: Right, comment: str | None, now: datetime
) -> tuple[Comment, ...]:
    if not around.configuration.are_decisions_logged_as_comments:
        return ()
    name = around.approvals[after.approval_id].name
    behalf = f" on behalf of {right.on_behalf_of}" if right.on_behalf_of else ""
    text = f"{name}: {after.approval_status} by {right.username}{behalf} ({after.transition_name})"
    if comment is not None:
        text += f"\n\n{comment}"
    author = around.configuration.decision_log_user or right.username
    return (_comment(around, author, text, now),)


def _announcement(around: Surroundings, record: IssueApproval, now: datetime) -> Comment:
    name = around.approvals[record.approval_id].name
    text = f"{name}: approval requested ({record.transition_name})"
    return _comment(around, around.configuration.decision_log_user, text, now)


def _comment(around: Surroundings, author: str | None, text: str, now: datetime) -> Comment:
    limit = around.configuration.comment_limit
    return Comment(
        id=NEW, issue_id=around.issue.id, author=author, body=text[:limit] if limit else text, created_at=now
    )


def _reply_messages(
    before: Surroundings, around: Surroundings, record: IssueApproval, action: Action, now: datetime
) -> tuple[Message, ...]:
    """Return what is told of a reply: by default every vote, to the assignee and the approvers.

    before, around: the picture on both sides of the vote.
    Source: HAP "Reply notification", "Recipients".
    """
    if action is Action.RESET:
        return ()
    mapping = around.mapping_of(record)
    scheme = mapping.settings.reply_notification if mapping else None
    if scheme is ReplyNotification.EVERY_REJECTION and action is not Action.REJECT:
        return ()
    if scheme is ReplyNotification.COMPLETE_APPROBATION and (
        _is_approved(before, record) or not _is_approved(around, record)
    ):
        return ()
    return _messages(around, record, MessageKind.REPLY, now, around.issue.assignee)


def _is_approved(around: Surroundings, record: IssueApproval) -> bool:
    ballot = around.ballots()[record.transition_id]
    return ballot.is_decided(MinimumKind.APPROBATIONS, around.configuration)


def _messages(
    around: Surroundings, record: IssueApproval, kind: MessageKind, now: datetime, *usernames: str | None
) -> tuple[Message, ...]:
    approval = around.approvals[record.approval_id]
    principals = {user_principal(username) for username in usernames if username}
    for standing in candidates(record, approval, around.issue, around.project):
        principals |= frozenset().union(*standing.one_of) - standing.none_of
    return tuple(
        Message(
            id=NEW,
            recipient=principal,
            kind=kind,
            created_at=now,
            issue_id=around.issue.id,
            issue_approval_id=record.id,
        )
        for principal in sorted(principals)
    )
