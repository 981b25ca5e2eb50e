"""What a decision and a move do to an issue, its records and its history."""

from dataclasses import replace

import pytest

from herzum_approval.domain.actions import Action, Right
from herzum_approval.domain.alignment import NEW
from herzum_approval.domain.history import EventKind
from herzum_approval.domain.issue_approvals import ApprovalStatus, RequirementType
from herzum_approval.domain.issues import (
    available_transitions,
    leaving_transitions,
    move,
    record_event,
)
from herzum_approval.domain.mappings import (
    ConditionedMinimum,
    MappedApproval,
    MinimumKind,
)
from herzum_approval.errors import Fault, Problem
from tests.domain.pictures import (
    AGAIN,
    ALICE,
    BACK,
    DELEGATE,
    DONE,
    EACH,
    FINISH,
    GROUPS,
    IS_BUG,
    IS_URGENT,
    ISSUE,
    LATER,
    LEGAL,
    OPEN,
    REJECT,
    REVIEW,
    SUBMIT,
    TECH,
    UNKNOWN,
    after,
    decided,
    mapping,
    moved,
    opened,
    picture,
)
from tests.domain.truth_tables import NOW, vote

APPROVE, ABSTAIN, RESET = Action.APPROVE, Action.ABSTAIN, Action.RESET
PENDING, APPROVED, REJECTED, _ = ApprovalStatus


def ids(transitions):
    return [transition.id for transition in transitions]


def statuses(around):
    return [record.approval_status for record in around.records]


def kinds(outcome):
    return [event.kind for event in outcome.events]


def refusal(around, transition):
    with pytest.raises(Problem) as raised:
        move(around, transition, "dave", NOW)
    assert raised.value.fault is Fault.TRANSITION_NOT_AVAILABLE
    return raised.value.details


# -- which transitions may be taken -----------------------------------------------------------


def test_transitions_leave_the_status_or_any():
    assert ids(leaving_transitions(picture(status=OPEN))) == [SUBMIT, REJECT, BACK, AGAIN]
    assert ids(leaving_transitions(picture(status=REVIEW))) == [FINISH, BACK]
    assert ids(available_transitions(picture(status=OPEN))) == [SUBMIT, REJECT, BACK, AGAIN]


def test_a_transition_is_locked_until_its_votes_are_in():
    around = opened(mapping(1, TECH, LEGAL))
    assert ids(leaving_transitions(around)) == [SUBMIT, REJECT, BACK, AGAIN]
    assert ids(available_transitions(around)) == [REJECT, BACK, AGAIN]
    assert ids(available_transitions(after(around, (1, APPROVE)))) == [REJECT, BACK, AGAIN]
    assert SUBMIT in ids(available_transitions(after(around, (1, APPROVE), (2, APPROVE))))


def test_each_transition_has_a_lock_of_its_own():
    around = opened(mapping(1, TECH), mapping(2, LEGAL, transition=REJECT))
    assert ids(available_transitions(around)) == [BACK, AGAIN]
    assert ids(available_transitions(after(around, (2, APPROVE)))) == [REJECT, BACK, AGAIN]


@pytest.mark.parametrize("transition", [SUBMIT, FINISH, UNKNOWN])
def test_a_move_by_a_transition_that_is_locked_or_not_there_is_refused(transition):
    details = refusal(opened(mapping(1, TECH)), transition)
    name = {SUBMIT: "Submit", FINISH: "Finish", UNKNOWN: UNKNOWN}[transition]
    assert details == {"name": name, "key": "TEST-1"}


def test_a_conditioned_minimum_holds_where_its_rule_is_true():
    conditioned = (
        ConditionedMinimum(kind=MinimumKind.APPROBATIONS, conditional_rule_id=IS_URGENT, minimum=1.0),
    )
    around = after(opened(mapping(1, TECH, LEGAL, conditioned=conditioned)), (1, APPROVE))
    assert SUBMIT not in ids(available_transitions(around))
    urgent = replace(around, issue=replace(around.issue, labels=("urgent",)))
    assert SUBMIT in ids(available_transitions(urgent))


# -- moving -----------------------------------------------------------------------------------


def test_a_move_changes_the_status_and_is_told():
    found = move(picture(), SUBMIT, "dave", NOW)
    assert found.around.issue == replace(ISSUE, status_id=REVIEW, updated_at=NOW)
    (event,) = found.events
    assert (event.kind, event.at, event.issue_id, event.username) == (
        EventKind.TRANSITION,
        NOW,
        ISSUE.id,
        "dave",
    )
    assert event.issue_approval_id is None
    assert event.details == {
        "transition_id": SUBMIT,
        "transition_name": "Submit",
        "source_status_id": OPEN,
        "destination_status_id": REVIEW,
    }
    assert (found.comments, found.messages) == ((), ())


def test_entering_a_status_asks_for_its_approvals_only():
    around = picture(mapping(1, TECH, LEGAL), mapping(2, TECH, source=REVIEW, transition=FINISH), status=DONE)
    found = move(around, BACK, "dave", NOW)
    assert [(record.id, record.approval_id, record.mapping_id) for record in found.around.records] == [
        (-1, TECH, 1),
        (-2, LEGAL, 1),
    ]
    first = found.around.records[0]
    assert (first.submitted_at, first.approval_status, first.type) == (NOW, PENDING, RequirementType.WORKFLOW)
    assert (first.transition_id, first.transition_name, first.source_status_id) == (SUBMIT, "Submit", OPEN)


def test_what_is_asked_for_is_told():
    found = move(picture(mapping(1, TECH, LEGAL), status=DONE), BACK, "dave", NOW)
    assert kinds(found) == [EventKind.TRANSITION, EventKind.SUBMITTED, EventKind.SUBMITTED]
    event = found.events[1]
    assert (event.issue_approval_id, event.at, event.before, event.after) == (-1, NOW, None, "PENDING")
    assert event.username is None
    assert event.details == {"approval_id": TECH, "transition_id": SUBMIT, "source_status_id": OPEN}


def test_a_transition_that_the_workflow_lost_leaves_its_name_empty():
    assert opened(mapping(1, TECH, transition=UNKNOWN)).records[0].transition_name == ""


def test_to_come_again_is_to_ask_again():
    around = after(opened(mapping(1, TECH, LEGAL)), (1, APPROVE), (2, APPROVE))
    away = moved(around, SUBMIT)
    assert away.records == around.records
    found = move(away, BACK, "dave", LATER)
    assert statuses(found.around) == [PENDING, PENDING]
    assert [record.id for record in found.around.records] == [101, 102]
    assert {record.submitted_at for record in found.around.records} == {LATER}
    assert {record.decided_at for record in found.around.records} == {None}
    assert kinds(found) == [EventKind.TRANSITION, EventKind.SUBMITTED, EventKind.SUBMITTED]


def test_a_transition_into_its_own_status_asks_for_nothing_again():
    around = after(opened(mapping(1, TECH, LEGAL)), (1, Action.REJECT))
    for transition in (AGAIN, BACK):
        found = move(around, transition, "dave", LATER)
        assert found.around.records == around.records
        assert found.around.issue == replace(around.issue, updated_at=LATER)
        assert kinds(found) == [EventKind.TRANSITION]


def test_while_the_issue_is_elsewhere_its_records_refuse_every_action():
    around = moved(after(opened(mapping(1, TECH)), (1, APPROVE)), SUBMIT)
    for action in Action:
        with pytest.raises(Problem) as raised:
            decided(
                replace(around, configuration=replace(around.configuration, is_abstain_enabled=True)),
                1,
                action,
            )
        assert raised.value.fault is Fault.ACTION_UNAUTHORIZED


def test_what_is_not_asked_for_any_more_goes_on_entry():
    around = opened(mapping(1, TECH, MappedApproval(approval_id=LEGAL, conditional_rule_id=IS_URGENT)))
    assert [record.approval_id for record in around.records] == [TECH]
    urgent = replace(around.issue, labels=("urgent",))
    around = moved(moved(replace(around, issue=urgent), REJECT), BACK)
    assert [record.approval_id for record in around.records] == [TECH, LEGAL]
    found = move(moved(replace(around, issue=ISSUE), REJECT), BACK, "dave", LATER)
    assert [record.approval_id for record in found.around.records] == [TECH]
    assert kinds(found) == [EventKind.TRANSITION, EventKind.REMOVED, EventKind.SUBMITTED]
    removed = found.events[1]
    assert (removed.issue_approval_id, removed.details["approval_id"], removed.at) == (102, LEGAL, LATER)


@pytest.mark.parametrize(("rule", "asked"), [(None, [TECH]), (IS_URGENT, [TECH]), (IS_BUG, [])])
def test_a_mapping_asks_where_its_rule_is_true(rule, asked):
    issue = replace(ISSUE, labels=("urgent",))
    around = opened(mapping(1, TECH, conditional_rule_id=rule), issue=issue)
    assert [record.approval_id for record in around.records] == asked
    assert [record.settings.conditional_rule_id for record in around.records] == [rule] * len(asked)


def test_pickers_make_a_record_for_each_name():
    around = opened(mapping(1, EACH, GROUPS))
    assert [(record.approval_id, record.target) for record in around.records] == [
        (EACH, "user:bob"),
        (EACH, "user:dave"),
        (GROUPS, "group:admins"),
        (GROUPS, "group:users"),
    ]
    assert SUBMIT not in ids(available_transitions(after(around, (1, APPROVE), (2, APPROVE), (3, APPROVE))))


def test_configuration_rows_stay_as_they_are():
    row = vote(7, APPROVED, mapping_id=1, approval_id=TECH, is_configuration=True)
    around = opened(mapping(1, LEGAL), records=[row])
    assert around.records[0] == row
    assert len(around.records) == 2
    assert moved(after(around, (2, APPROVE)), SUBMIT).records[0] == row
    with pytest.raises(Problem):
        decided(around, 1, RESET)


# -- an issue with a configuration of its own -------------------------------------------------

OWN = mapping(2, LEGAL, issue_id=ISSUE.id)


def test_its_own_configuration_replaces_all_mappings():
    around = opened(mapping(1, TECH), mapping(3, TECH, transition=REJECT), OWN, single=True)
    assert [(record.mapping_id, record.approval_id, record.type) for record in around.records] == [
        (2, LEGAL, RequirementType.SINGLE_ISSUE)
    ]


def test_a_configuration_that_is_empty_asks_for_nothing():
    assert opened(mapping(1, TECH), single=True).records == ()


def test_without_its_own_configuration_its_mappings_hold():
    assert [record.mapping_id for record in opened(mapping(1, TECH), OWN).records] == [1]


def test_its_own_configuration_takes_the_place_of_records_on_entry():
    around = after(opened(mapping(1, TECH), OWN), (1, APPROVE))
    around = moved(moved(replace(around, is_configured_singly=True), SUBMIT), BACK)
    assert [record.mapping_id for record in around.records] == [2]


def test_a_row_for_a_later_status_waits_for_it():
    later = mapping(3, TECH, source=REVIEW, transition=FINISH, issue_id=ISSUE.id)
    row = vote(
        76,
        approval_id=TECH,
        transition_id=FINISH,
        source_status_id=REVIEW,
        submitted_at=None,
        mapping_id=3,
        type=RequirementType.SINGLE_ISSUE,
    )
    around = picture(later, records=[row], single=True)
    with pytest.raises(Problem):
        decided(around, 1, APPROVE)
    reached = moved(around, SUBMIT)
    assert [(record.id, record.submitted_at) for record in reached.records] == [(76, NOW)]
    assert statuses(after(reached, (1, APPROVE))) == [APPROVED]


# -- deciding ---------------------------------------------------------------------------------


def test_a_decision_changes_its_record_and_nothing_else():
    around = opened(mapping(1, TECH, LEGAL))
    found = decided(around, 2, APPROVE, now=LATER)
    before = around.records[1]
    assert found.around == replace(
        around,
        records=(
            around.records[0],
            replace(
                before,
                approval_status=APPROVED,
                decided_at=LATER,
                approver_username="alice",
                version=before.version + 1,
            ),
        ),
    )


def test_a_decision_is_told():
    (event,) = decided(opened(mapping(1, TECH)), 1, APPROVE, DELEGATE, "Looks good.", LATER).events
    assert (event.kind, event.at, event.issue_id, event.issue_approval_id) == (
        EventKind.APPROVED,
        LATER,
        ISSUE.id,
        101,
    )
    assert (event.username, event.on_behalf_of, event.comment) == ("erin", "alice", "Looks good.")
    assert (event.before, event.after) == ("PENDING", "APPROVED")
    assert event.details == {"approval_id": TECH, "transition_id": SUBMIT, "source_status_id": OPEN}


def test_a_comment_satisfies_where_one_is_required():
    around = opened(mapping(1, TECH, requires_comment=True))
    assert statuses(decided(around, 1, APPROVE, comment="Looks good.").around) == [APPROVED]


def test_whatever_is_told_is_yet_to_be_numbered():
    found = decided(opened(mapping(1, TECH)), 1, APPROVE)
    assert {each.id for each in (*found.events, *found.comments, *found.messages)} == {NEW}


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (APPROVE, EventKind.APPROVED),
        (Action.REJECT, EventKind.REJECTED),
        (ABSTAIN, EventKind.ABSTAINED),
        (RESET, EventKind.PENDING),
    ],
)
def test_each_action_has_its_event(action, kind):
    status = REJECTED if action is APPROVE else APPROVED
    around = picture(records=[vote(1, status, approval_id=TECH)], is_abstain_enabled=True)
    if action is RESET:
        around = after(around, (1, ABSTAIN))
    elif action is not APPROVE:
        around = after(around, (1, RESET))
    (event,) = decided(around, 1, action).events
    assert event.kind is kind
    assert (event.before, event.after) == (around.records[0].approval_status.value, kind.value)


def test_an_action_out_of_turn_is_refused():
    around = opened(mapping(1, TECH, LEGAL, is_sequential=True))
    with pytest.raises(Problem) as raised:
        decided(around, 2, APPROVE)
    assert raised.value.fault is Fault.ACTION_UNAUTHORIZED
    assert statuses(after(around, (1, APPROVE), (2, APPROVE))) == [APPROVED, APPROVED]


@pytest.mark.parametrize(
    ("settings", "right", "comment", "fault"),
    [
        ({}, Right(username="mallory", is_approver=False), None, Fault.ACTION_UNAUTHORIZED),
        ({"requires_comment": True}, ALICE, None, Fault.COMMENT_REQUIRED),
    ],
)
def test_an_action_is_refused_for_the_reasons_of_its_own(settings, right, comment, fault):
    with pytest.raises(Problem) as raised:
        decided(opened(mapping(1, TECH, **settings)), 1, APPROVE, right, comment)
    assert raised.value.fault is fault


def test_an_event_of_a_record_may_have_details_of_its_own():
    around = opened(mapping(1, TECH))
    event = record_event(
        around, EventKind.ALIGNED, NOW, around.records[0], username="admin", details={"reason": "edit"}
    )
    assert event.details == {
        "approval_id": TECH,
        "transition_id": SUBMIT,
        "source_status_id": OPEN,
        "reason": "edit",
    }
    assert (event.issue_approval_id, event.username) == (101, "admin")
