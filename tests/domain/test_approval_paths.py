"""How approvals run by definitions: votes, abstentions, groups, fields, HTTP steps, ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from herzum_approval.domain import approval_path_runs as runs
from herzum_approval.domain.approval_path_reports import Occasion, report
from herzum_approval.domain.approval_path_runs import Start
from herzum_approval.domain.approval_path_votes import Around, tally
from herzum_approval.domain.approval_paths import (
    ApprovalDefinition,
    Decision,
    DefinitionStep,
    FieldResolution,
    MailKind,
    PathStatus,
    PathStep,
    Product,
    Reference,
    StepAction,
    StepKind,
    StepStatus,
    Vote,
)
from herzum_approval.domain.http_steps import AllowedHosts, CallPolicy, CallState
from herzum_approval.errors import Fault, Problem

NOW = datetime(2022, 9, 26, 15, 32, 42, 340000, UTC)
ACCEPTED, REJECTED, ABSTAINED = Decision.ACCEPTED, Decision.REJECTED, Decision.ABSTAINED
ISSUE = Reference(
    product=Product.JIRA,
    id=12305,
    collection_id=10000,
    title="Task",
    key="TEST-1",
    fields=(("assignee", ("carol",)), ("customfield_1", ("bob", "carol")), ("customfield_2", ("board",))),
)
MEMBERS = {"board": ["alice", "bob", "carol"], "nobody": []}
AROUND = Around(reference=ISSUE, members=MEMBERS, conditions={1: True, 2: False})
OPEN = replace(AROUND, policy=CallPolicy(unsent_status=None))


def user(name, **options):
    return DefinitionStep(kind=StepKind.USER, username=name, **options)


def group(name="board", needed=1, against=1, **options):
    return DefinitionStep(
        kind=StepKind.GROUP, group=name, required_votes=needed, required_reject_votes=against, **options
    )


def http(**options):
    return DefinitionStep(kind=StepKind.HTTP, url_template="https://example.com/${ref.id}", **options)


def field(field_id, kind=StepKind.USER_FIELD, **options):
    return DefinitionStep(kind=kind, field_id=field_id, **options)


def definition(*steps, **options):
    return ApprovalDefinition(id=7, product=Product.JIRA, name="QA", steps=steps, **options)


def start(*steps, around=AROUND, rejection_steps=(), success_steps=(), condition_id=None, **wish):
    made = definition(
        *steps, rejection_steps=rejection_steps, success_steps=success_steps, condition_id=condition_id
    )
    return runs.start(made, 38, Start(performer="admin", now=NOW, **wish), around)


def vote(path, voter, decision=ACCEPTED, *, around=AROUND, now=NOW, position=None):
    return runs.vote(path, voter, decision, around=around, now=now, position=position)


def statuses(path):
    return [step.status.value for step in path.steps[1:]]


def refused(fault, action, *args, **kwargs):
    with pytest.raises(Problem) as caught:
        action(*args, **kwargs)
    assert caught.value.fault is fault


# -- the start --------------------------------------------------------------------------------


def test_the_first_step_is_that_of_whoever_started_it():
    path = start(user("bob")).path
    (first,) = path.happened
    assert (first.definition.kind, first.definition.action) == (StepKind.USER, StepAction.STARTED)
    assert (first.definition.username, first.status, first.decision) == (
        "admin",
        StepStatus.SUCCESS,
        ACCEPTED,
    )
    assert first.decided_at == first.refreshed_at == NOW
    assert [step.definition.username for step in path.active_steps] == ["bob"]
    assert (path.summary, path.name, path.ref_id, path.collection_id) == ("TEST-1 Task", "QA", 12305, 10000)


def test_what_the_starter_gives_wins():
    path = start(user("bob"), name="Other", summary="", expires_at=NOW, allows_abstaining=True).path
    assert (path.name, path.summary, path.expires_at, path.allows_abstaining) == ("Other", "", NOW, True)


def test_steps_of_false_conditions_and_of_those_that_cannot_be_asked_are_left_out():
    path = start(
        user("bob", condition_id=1), user("alice", condition_id=2), user("carol", condition_id=3)
    ).path
    assert [step.definition.username for step in path.steps] == ["admin", "bob"]


@pytest.mark.parametrize("condition_id", [2, 3])
def test_a_false_condition_of_the_definition_refuses_the_start(condition_id):
    refused(Fault.PATH_CONDITION_FALSE, start, user("bob"), condition_id=condition_id)


def test_without_steps_left_it_is_approved_at_once():
    outcome = start(user("bob", condition_id=2))
    assert outcome.path.path_status is PathStatus.SUCCESS
    assert outcome.report == "Approval QA was approved."


@pytest.mark.parametrize(
    "empty",
    [
        group("nobody"),
        group("gone"),
        field("customfield_9"),
        field("customfield_9", StepKind.GROUP_FIELD),
        field("customfield_9", StepKind.EMAIL_FIELD),
        field("reporter"),
    ],
)
def test_a_step_for_nobody_refuses_the_start_or_is_left_out(empty):
    refused(Fault.PATH_STEP_EMPTY, start, user("bob"), empty)
    path = start(user("bob"), replace(empty, is_skipped_when_empty=True)).path
    assert statuses(path) == ["ACTIVE"]


def test_the_creator_is_excluded_where_the_step_says_so():
    around = replace(AROUND, members={"board": ["admin", "bob"], "self": ["admin"]})
    step = group("board", is_creator_excluded=True)
    assert start(step, around=around).path.active_steps[0].members == ("bob",)
    refused(Fault.PATH_STEP_EMPTY, start, group("self", is_creator_excluded=True), around=around)
    assert start(group("self"), around=around).path.active_steps[0].members == ("admin",)


def test_a_field_is_looked_into_when_its_step_says():
    later = replace(AROUND, reference=replace(ISSUE, fields=(("assignee", ("alice",)),)))
    for resolution, members in (
        (FieldResolution.APPROVAL_START, ("carol",)),
        (FieldResolution.STEP_START, ("alice",)),
    ):
        path = start(user("bob"), field("assignee", resolution=resolution)).path
        path = vote(path, "bob", around=later).path
        assert path.active_steps[0].members == members


@pytest.mark.parametrize(("is_skipped", "status"), [(True, "SUCCESS"), (False, "FAIL")])
def test_a_field_that_is_empty_when_its_step_comes_is_left_out_or_fails(is_skipped, status):
    step = field("assignee", resolution=FieldResolution.STEP_START, is_skipped_when_empty=is_skipped)
    path = start(user("bob"), step).path
    empty = replace(AROUND, reference=replace(ISSUE, fields=()))
    path = vote(path, "bob", around=empty).path
    assert path.path_status.value == status
    assert statuses(path) == ["SUCCESS", "SKIPPED" if is_skipped else "FAIL"]


def test_the_members_of_a_group_field_are_those_of_its_groups():
    path = start(field("customfield_2", StepKind.GROUP_FIELD)).path
    assert path.active_steps[0].members == ("alice", "bob", "carol")


def test_the_addresses_of_a_field_are_asked_and_vote():
    addresses = ("customfield_3", ("Ann@example.com", "ben@example.com", "ann@EXAMPLE.com"))
    around = replace(AROUND, reference=replace(ISSUE, fields=(addresses,)))
    outcome = start(field("customfield_3", StepKind.EMAIL_FIELD, required_votes=2), around=around)
    assert outcome.path.active_steps[0].members == ("Ann@example.com", "ben@example.com")
    assert [mail.recipient for mail in outcome.mails] == ["email:Ann@example.com", "email:ben@example.com"]
    path = vote(outcome.path, "ANN@example.com", around=around).path
    refused(Fault.VOTE_CAST, vote, path, "ann@example.com", around=around)
    ended = vote(path, "ben@example.com", around=around)
    assert ended.path.path_status is PathStatus.SUCCESS
    assert ended.report.endswith(
        "\ncustomfield_3: ACCEPTED\n- Ann@example.com: ACCEPTED\n- ben@example.com: ACCEPTED"
    )


# -- order ------------------------------------------------------------------------------------


def test_steps_come_one_after_the_other():
    path = start(user("alice"), user("bob"), user("bob")).path
    assert statuses(path) == ["ACTIVE", "PENDING", "PENDING"]
    refused(Fault.VOTER_NOT_ASKED, vote, path, "bob")
    path = vote(path, "alice").path
    path = vote(path, "bob").path
    assert statuses(path) == ["SUCCESS", "SUCCESS", "ACTIVE"]
    outcome = vote(path, "bob", now=NOW + timedelta(seconds=1))
    assert outcome.path.path_status is PathStatus.SUCCESS
    assert outcome.path.modified_at == NOW + timedelta(seconds=1)
    assert outcome.report == "Approval QA was approved.\nalice: ACCEPTED\nbob: ACCEPTED\nbob: ACCEPTED"


def test_adjacent_steps_of_one_number_run_beside_each_other():
    path = start(
        user("alice", parallel_group=1),
        user("bob", parallel_group=1),
        user("carol", parallel_group=2),
        user("alice", parallel_group=1),
    ).path
    assert statuses(path) == ["ACTIVE", "ACTIVE", "PENDING", "PENDING"]
    path = vote(path, "bob").path
    assert statuses(path) == ["ACTIVE", "SUCCESS", "PENDING", "PENDING"]
    path = vote(path, "alice").path
    assert statuses(path) == ["SUCCESS", "SUCCESS", "ACTIVE", "PENDING"]


def test_a_rejection_ends_the_path_and_cuts_off_what_was_open():
    path = start(user("alice", parallel_group=1), user("bob", parallel_group=1), user("carol")).path
    outcome = vote(path, "bob", REJECTED)
    assert outcome.path.path_status is PathStatus.FAIL
    assert statuses(outcome.path) == ["SKIPPED", "FAIL", "SKIPPED"]
    assert (len(outcome.path.happened), outcome.path.active_steps) == (2, ())
    assert outcome.report == "Approval QA was rejected.\nbob: REJECTED"
    refused(Fault.PATH_ENDED, vote, outcome.path, "alice")


def test_a_notification_informs_and_holds_nothing_up():
    outcome = start(
        user("alice", action=StepAction.NOTIFICATION),
        DefinitionStep(kind=StepKind.EMAIL, email="x@example.com", action=StepAction.NOTIFICATION),
        group("nobody", action=StepAction.NOTIFICATION),
        user("bob", action=StepAction.CONSENT),
    )
    assert statuses(outcome.path) == ["SUCCESS", "SUCCESS", "SUCCESS", "ACTIVE"]
    assert all(step.decision is None for step in outcome.path.steps[1:])
    assert [(mail.recipient, mail.kind) for mail in outcome.mails] == [
        ("user:alice", MailKind.NOTICE),
        ("email:x@example.com", MailKind.NOTICE),
        ("user:bob", MailKind.REQUEST),
    ]


# -- votes ------------------------------------------------------------------------------------


def test_a_vote_is_final():
    path = vote(start(group(needed=2)).path, "bob").path
    refused(Fault.VOTE_CAST, vote, path, "bob", REJECTED)
    refused(Fault.VOTER_NOT_ASKED, vote, path, "dave")


def test_a_vote_may_name_its_step():
    path = start(user("bob", parallel_group=1), user("bob", parallel_group=1), user("bob")).path
    path = vote(path, "bob", position=2).path
    assert statuses(path) == ["ACTIVE", "SUCCESS", "PENDING"]
    for position in (0, 2, 3, 4, -1):
        refused(Fault.STEP_NOT_ACTIVE, vote, path, "bob", position=position)
    refused(Fault.VOTER_NOT_ASKED, vote, path, "alice", position=1)


def test_an_address_votes_as_it_is_spelt_or_otherwise():
    path = start(DefinitionStep(kind=StepKind.EMAIL, email="Ann@Example.com")).path
    path = vote(path, "ann@example.COM").path
    assert path.steps[1].votes[0].voter == "Ann@Example.com"
    assert path.path_status is PathStatus.SUCCESS


def test_nobody_abstains_unless_the_approval_lets_them():
    refused(Fault.ABSTAINING_DISABLED, vote, start(user("bob")).path, "bob", ABSTAINED)
    path = vote(start(user("bob"), allows_abstaining=True).path, "bob", ABSTAINED).path
    assert (path.path_status, path.steps[1].decision) == (PathStatus.SUCCESS, ABSTAINED)


@pytest.mark.parametrize(
    ("needed", "against", "votes", "result"),
    [
        # The vendor's two cases: three members, one of each, two rejections needed to fail.
        (2, 2, [ACCEPTED, REJECTED, ABSTAINED], ACCEPTED),
        (3, 2, [ACCEPTED, REJECTED, ABSTAINED], REJECTED),
        # The vendor: everybody abstaining is approved.
        (2, 2, [ABSTAINED] * 3, ABSTAINED),
        (9, 1, [ABSTAINED] * 3, ABSTAINED),
        # Neutral while votes come in.
        (2, 2, [ABSTAINED, ABSTAINED], None),
        (2, 2, [ACCEPTED, ABSTAINED], None),
        (1, 1, [ABSTAINED, ACCEPTED], ACCEPTED),
        (1, 1, [ABSTAINED, REJECTED], REJECTED),
        (2, 2, [ACCEPTED, ACCEPTED], ACCEPTED),
        (2, 2, [REJECTED, REJECTED], REJECTED),
        # Waits until all have voted, and fails then.
        (3, 3, [REJECTED], None),
        (3, 3, [REJECTED, ACCEPTED, ACCEPTED], REJECTED),
        (4, 4, [ACCEPTED, ACCEPTED, ACCEPTED], REJECTED),
        (2, 2, [], None),
    ],
)
def test_what_votes_come_to(needed, against, votes, result):
    members = ("alice", "bob", "carol")
    cast = tuple(
        Vote(voter=name, decision=each, voted_at=NOW) for name, each in zip(members, votes, strict=False)
    )
    step = PathStep(definition=group(needed=needed, against=against), members=members, votes=cast)
    assert tally(step) is result


# -- HTTP steps -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "end"), [(200, "SUCCESS"), (299, "SUCCESS"), (300, "FAIL"), (500, "FAIL")]
)
def test_an_unsent_request_is_answered_at_once(status, end):
    outcome = start(http(), around=replace(AROUND, policy=CallPolicy(unsent_status=status)))
    assert outcome.path.path_status.value == end
    (call,) = outcome.calls
    assert (call.state, call.status, call.url) == (CallState.ANSWERED, status, "https://example.com/12305")


def test_an_http_notification_is_always_approved():
    outcome = start(
        http(action=StepAction.NOTIFICATION), around=replace(AROUND, policy=CallPolicy(unsent_status=500))
    )
    assert (outcome.path.path_status, outcome.path.steps[1].decision) == (PathStatus.SUCCESS, ACCEPTED)


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        (CallPolicy(unsent_status=None), CallState.OPEN),
        (CallPolicy(hosts=AllowedHosts.parse("example.com")), CallState.WAITING),
    ],
)
def test_a_request_holds_the_path_until_it_is_answered(policy, state):
    around = replace(AROUND, policy=policy)
    outcome = start(http(), user("bob"), around=around)
    (call,) = outcome.calls
    assert (call.state, statuses(outcome.path)) == (state, ["ACTIVE", "PENDING"])
    refused(Fault.VOTER_NOT_ASKED, vote, outcome.path, "bob")
    refused(Fault.STEP_NOT_ACTIVE, vote, outcome.path, "bob", position=1)
    answered = replace(call, state=CallState.ANSWERED, status=204)
    path = runs.answer(outcome.path, answered, around=around, now=NOW).path
    assert statuses(path) == ["SUCCESS", "ACTIVE"]
    assert runs.answer(path, answered, around=around, now=NOW).path is path
    failed = replace(call, state=CallState.FAILED)
    assert runs.answer(outcome.path, failed, around=around, now=NOW).path.path_status is PathStatus.FAIL


def test_an_answer_that_comes_too_late_changes_nothing():
    outcome = start(http(), around=OPEN, expires_at=NOW + timedelta(hours=1))
    answered = replace(outcome.calls[0], state=CallState.ANSWERED, status=200)
    later = NOW + timedelta(hours=1)
    assert runs.answer(outcome.path, answered, around=OPEN, now=later).path is outcome.path


def test_rejection_steps_inform_after_a_rejection_only():
    after = http(action=StepAction.NOTIFICATION, name="after")
    outcome = start(user("bob"), rejection_steps=(after,))
    assert vote(outcome.path, "bob").calls == ()
    rejected = vote(outcome.path, "bob", REJECTED)
    assert [(call.is_of_rejection, call.position) for call in rejected.calls] == [(True, 0)]
    assert rejected.path.rejection_steps[0].status is StepStatus.SUCCESS
    assert [step.definition.kind for step in rejected.path.happened] == [StepKind.USER] * 2


def test_success_steps_inform_after_a_success_only():
    after = http(name="after", action=StepAction.NOTIFICATION)
    outcome = start(user("bob"), success_steps=(after, http(condition_id=2)), around=OPEN)
    assert (outcome.calls, [step.status.value for step in outcome.path.success_steps]) == ((), ["PENDING"])
    rejected = vote(outcome.path, "bob", REJECTED, around=OPEN)
    assert (rejected.calls, rejected.path.success_steps[0].status) == ((), StepStatus.SKIPPED)
    accepted = vote(outcome.path, "bob", around=OPEN)
    (call,) = accepted.calls
    assert (call.is_of_success, call.is_of_rejection, call.position) == (True, False, 0)
    assert accepted.path.success_steps[0].status is StepStatus.SUCCESS
    assert [step.definition.kind for step in accepted.path.happened] == [StepKind.USER] * 2
    answered = replace(call, state=CallState.ANSWERED, status=500)
    assert runs.answer(accepted.path, answered, around=OPEN, now=NOW).path is accepted.path


# -- ends -------------------------------------------------------------------------------------


def test_an_approval_expires_at_its_moment():
    end = NOW + timedelta(hours=1)
    path = start(user("bob"), expires_at=end).path
    assert runs.as_of(path, end - timedelta(milliseconds=1)) is path
    expired = runs.as_of(path, end + timedelta(days=1))
    assert (expired.path_status, expired.modified_at, expired.active_steps) == (PathStatus.EXPIRED, end, ())
    refused(Fault.PATH_ENDED, vote, path, "bob", now=end)


def test_an_approval_can_be_put_away_once():
    path = start(user("bob")).path
    later = NOW + timedelta(hours=1)
    archived = runs.archive(path, later)
    assert (archived.path_status, archived.modified_at, archived.active_steps) == (
        PathStatus.ARCHIVED,
        later,
        (),
    )
    refused(Fault.PATH_ENDED, runs.archive, archived, later)
    done = vote(path, "bob").path
    assert runs.archive(done, later).path_status is PathStatus.ARCHIVED


def test_a_report_names_votes_of_groups():
    path = vote(start(group(needed=2), allows_abstaining=True).path, "bob").path
    assert report(path, Occasion.RESET) == "Approval QA was in progress when it was reset."
    path = vote(vote(path, "alice", ABSTAINED).path, "carol").path
    assert report(path, Occasion.DELETED).split("\n") == [
        "Approval QA was approved when it was deleted.",
        "board: ACCEPTED",
        "- bob: ACCEPTED",
        "- alice: ABSTAINED",
        "- carol: ACCEPTED",
    ]
