"""What decisions set off: automatic transitions in forced and responsive mode, and their failure."""

from dataclasses import replace

import pytest

from herzum_approval.domain.actions import Action
from herzum_approval.domain.history import EventKind
from herzum_approval.domain.issue_approvals import ApprovalStatus
from tests.domain.pictures import (
    AGAIN,
    AUTOMATIC,
    DONE,
    EACH,
    FINISH,
    ISSUE,
    LATER,
    LEGAL,
    OPEN,
    REJECT,
    REJECTING,
    RESPONSIVE,
    REVIEW,
    SUBMIT,
    TECH,
    UNKNOWN,
    after,
    decided,
    mapping,
    moved,
    numbered,
    opened,
    picture,
)
from tests.domain.truth_tables import vote

APPROVE, RESET = Action.APPROVE, Action.RESET
PENDING, APPROVED, REJECTED, _ = ApprovalStatus


def statuses(around):
    return [record.approval_status for record in around.records]


def kinds(outcome):
    return [event.kind for event in outcome.events]


def test_the_last_approval_moves_the_issue():
    around = opened(mapping(1, TECH, LEGAL, **AUTOMATIC), mapping(2, TECH, source=REVIEW, transition=FINISH))
    first = decided(around, 1, APPROVE)
    assert (kinds(first), first.around.issue.status_id) == ([EventKind.APPROVED], OPEN)
    found = decided(first.around, 2, APPROVE, now=LATER)
    assert kinds(found) == [EventKind.APPROVED, EventKind.AUTOMATIC_TRANSITION, EventKind.SUBMITTED]
    assert found.around.issue == replace(around.issue, status_id=REVIEW, updated_at=LATER)
    assert [(record.id, record.approval_status) for record in found.around.records] == [
        (101, APPROVED),
        (102, APPROVED),
        (-1, PENDING),
    ]
    event = found.events[1]
    assert (event.username, event.details["transition_id"], event.issue_approval_id) == (None, SUBMIT, None)


def test_a_rejection_moves_the_issue_by_the_transition_configured_for_it():
    around = opened(mapping(1, TECH, LEGAL, **REJECTING))
    found = decided(after(around, (1, Action.REJECT)), 2, Action.REJECT)
    assert found.around.issue.status_id == DONE
    assert found.events[1].details["transition_id"] == REJECT


def test_without_the_switch_nothing_moves():
    around = opened(mapping(1, TECH, rejection_transition_id=REJECT))
    for action in (APPROVE, Action.REJECT):
        assert decided(around, 1, action).around.issue == around.issue


def test_minimums_drive_only_where_they_are_to():
    settings = AUTOMATIC | {"minimum_approbations": 1.0}
    assert decided(opened(mapping(1, TECH, LEGAL, **settings)), 1, APPROVE).around.issue.status_id == OPEN
    around = opened(mapping(1, TECH, LEGAL, **settings), do_minimums_drive_transitions=True)
    assert decided(around, 1, APPROVE).around.issue.status_id == REVIEW


def test_collecting_all_replies_waits_and_then_counts():
    around = opened(
        mapping(
            1,
            TECH,
            LEGAL,
            **AUTOMATIC | REJECTING,
            waits_for_all_replies=True,
            minimum_approbations=1.0,
            minimum_rejections=2.0,
        ),
        do_minimums_drive_transitions=True,
    )
    first = decided(around, 1, APPROVE)
    assert first.around.issue.status_id == OPEN
    assert decided(first.around, 2, Action.REJECT).around.issue.status_id == REVIEW
    rejected = decided(around, 1, Action.REJECT).around
    assert decided(rejected, 2, Action.REJECT).around.issue.status_id == DONE


def test_a_reset_moves_nothing():
    settings = AUTOMATIC | {"minimum_approbations": 1.0}
    records = [vote(id, APPROVED, approval_id=TECH, **settings) for id in (1, 2)]
    around = picture(records=records, do_minimums_drive_transitions=True)
    found = decided(around, 1, RESET)
    assert (kinds(found), found.around.issue.status_id) == ([EventKind.PENDING], OPEN)


def test_an_automatic_transition_into_its_own_status_asks_for_nothing_again():
    found = decided(opened(mapping(1, TECH, transition=AGAIN, **AUTOMATIC)), 1, APPROVE, now=LATER)
    assert kinds(found) == [EventKind.APPROVED, EventKind.AUTOMATIC_TRANSITION]
    assert statuses(found.around) == [APPROVED]
    assert found.around.issue.updated_at == LATER


# -- forced and responsive mode ---------------------------------------------------------------

LOCKED = (mapping(1, TECH, LEGAL, **REJECTING), mapping(2, EACH, transition=REJECT))


def rejected(around):
    return decided(after(around, (1, Action.REJECT)), 2, Action.REJECT, now=LATER)


def test_forced_mode_asks_no_condition():
    found = rejected(opened(*LOCKED, responsive_user="robot"))
    assert found.around.issue.status_id == DONE
    assert found.events[1].username is None


def test_responsive_mode_moves_as_its_user():
    around = opened(mapping(1, TECH, **AUTOMATIC), may_move=True, **RESPONSIVE)
    found = decided(around, 1, APPROVE)
    assert found.around.issue.status_id == REVIEW
    assert found.events[1].kind is EventKind.AUTOMATIC_TRANSITION
    assert found.events[1].username == "robot"


@pytest.mark.parametrize(
    "around",
    [
        opened(*LOCKED, may_move=True, **RESPONSIVE),  # the transition is locked by its own approvals
        opened(LOCKED[0], may_move=False, **RESPONSIVE),  # the user may not move the issue
        opened(mapping(1, TECH, LEGAL, **REJECTING | {"rejection_transition_id": FINISH})),  # leaves another
        opened(mapping(1, TECH, LEGAL, **REJECTING | {"rejection_transition_id": UNKNOWN})),
        opened(
            mapping(1, TECH, LEGAL, **REJECTING | {"rejection_transition_id": FINISH}),
            may_move=True,
            **RESPONSIVE,
        ),
    ],
    ids=["locked", "user", "elsewhere", "unknown", "responsive elsewhere"],
)
def test_a_transition_that_fails_marks_the_records_that_wait_for_it(around):
    found = rejected(around)
    assert kinds(found) == [EventKind.REJECTED, EventKind.AUTOMATIC_TRANSITION_FAILED]
    target = around.mappings[1].settings.rejection_transition_id
    assert found.events[1].details == {"transition_id": target, "source_status_id": OPEN}
    assert (found.events[1].at, found.events[1].issue_id) == (LATER, ISSUE.id)
    assert found.around.issue == around.issue
    assert [record.has_transition_error for record in found.around.records] == [
        record.transition_id == SUBMIT for record in found.around.records
    ]
    assert statuses(found.around)[:2] == [REJECTED, REJECTED]


def failed():
    return numbered(rejected(opened(*LOCKED, may_move=True, **RESPONSIVE)).around)


def errors(around):
    return [record.has_transition_error for record in around.records]


def test_what_failed_is_not_due_once_a_vote_is_taken_back():
    assert errors(failed()) == [True, True, False, False]
    assert errors(after(failed(), (1, RESET))) == [False, False, False, False]


def test_a_vote_for_another_transition_leaves_what_failed_due():
    assert errors(after(failed(), (3, APPROVE))) == [True, True, False, False]


def test_what_failed_is_tried_again_by_the_next_vote():
    around = after(failed(), (3, APPROVE), (4, APPROVE), (1, RESET))
    found = decided(around, 1, Action.REJECT)
    assert found.around.issue.status_id == DONE
    assert errors(found.around) == [False] * 4


def test_what_failed_may_be_done_by_hand_and_is_not_due_then():
    around = moved(after(failed(), (3, APPROVE), (4, APPROVE)), REJECT)
    assert errors(around) == [False] * 4
    assert statuses(around) == [REJECTED, REJECTED, APPROVED, APPROVED]


def test_a_move_into_the_same_status_leaves_what_failed_due():
    assert errors(moved(failed(), AGAIN)) == [True, True, False, False]
