"""What holds of every walk: any decisions and moves, one after another."""

from hypothesis import given, settings
from hypothesis import strategies as st

from herzum_approval.domain.actions import Action
from herzum_approval.domain.history import EventKind
from herzum_approval.domain.issue_approvals import ApprovalStatus
from herzum_approval.domain.issues import (
    decide,
    move,
)
from herzum_approval.domain.mappings import (
    MappedApproval,
)
from herzum_approval.errors import Problem
from tests.domain.pictures import (
    AGAIN,
    ALICE,
    AUTOMATIC,
    BACK,
    DONE,
    EACH,
    FINISH,
    GROUPS,
    IS_BUG,
    LATER,
    LEGAL,
    REJECT,
    REJECTING,
    RESPONSIVE,
    REVIEW,
    SUBMIT,
    TECH,
    mapping,
    moved,
    numbered,
    picture,
)
from tests.domain.truth_tables import vote

SITES = [
    picture(
        mapping(1, TECH, LEGAL, **AUTOMATIC | REJECTING),
        mapping(2, EACH, source=REVIEW, transition=FINISH, **AUTOMATIC, minimum_approbations=0.5),
        status=DONE,
        is_abstain_enabled=True,
        do_minimums_drive_transitions=True,
    ),
    picture(
        mapping(1, TECH, LEGAL, GROUPS, is_sequential=True, **AUTOMATIC),
        mapping(2, TECH, transition=REJECT, conditional_rule_id=IS_BUG),
        mapping(3, LEGAL, transition=AGAIN),
        status=DONE,
        is_reversing_locked=True,
    ),
    picture(
        mapping(1, TECH, MappedApproval(approval_id=LEGAL, is_optional=True), **AUTOMATIC | REJECTING),
        mapping(2, EACH, transition=REJECT),
        records=[vote(7, approval_id=TECH, is_configuration=True, mapping_id=1)],
        status=DONE,
        may_move=True,
        **RESPONSIVE,
    ),
]
steps = st.lists(
    st.one_of(
        st.sampled_from([SUBMIT, REJECT, FINISH, BACK, AGAIN]),
        st.tuples(st.integers(0, 5), st.sampled_from(Action)),
    ),
    max_size=20,
)


def walked(around, walk):
    """Give every step that is not refused: the picture before it, and its outcome with records numbered."""
    around = moved(around, BACK)
    for step in walk:
        try:
            if isinstance(step, int):
                found = move(around, step, "dave", LATER)
            else:
                record = around.records[step[0] % len(around.records)]
                found = decide(around, record, step[1], ALICE, comment=None, now=LATER)
        except Problem:
            continue
        yield around, found
        around = numbered(found.around)


@settings(deadline=None)
@given(st.sampled_from(SITES), steps)
def test_history_retells_every_status(start, walk):
    for before, found in walked(start, walk):
        retold = {record.id: record.approval_status for record in before.records}
        for event in found.events:
            if event.kind is EventKind.REMOVED:
                del retold[event.issue_approval_id]
            elif event.issue_approval_id is not None:
                assert event.before is None or event.before == retold[event.issue_approval_id].value
                retold[event.issue_approval_id] = ApprovalStatus(event.after)
        assert retold == {record.id: record.approval_status for record in found.around.records}


@settings(deadline=None)
@given(st.sampled_from(SITES), steps)
def test_a_step_touches_only_the_status_left_or_entered(start, walk):
    for before, found in walked(start, walk):
        old = {record.id: record for record in before.records}
        touched = [record for record in found.around.records if record != old.get(record.id)]
        places = {before.issue.status_id, found.around.issue.status_id}
        assert {record.source_status_id for record in touched} <= places
        assert not any(record.is_configuration for record in touched)


@settings(deadline=None)
@given(st.sampled_from(SITES), steps)
def test_every_record_stays_whole(start, walk):
    for _, found in walked(start, walk):
        for record in found.around.records:
            is_pending = record.approval_status is ApprovalStatus.PENDING
            assert is_pending is (record.decided_at is None) is (record.approver_username is None)


@settings(deadline=None)
@given(st.sampled_from(SITES), steps)
def test_a_locked_transition_is_never_taken_by_hand(start, walk):
    for before, found in walked(start, walk):
        kind, details = found.events[0].kind, found.events[0].details
        locked = {id for id, ballot in before.ballots().items() if not ballot.is_passed}
        assert kind is not EventKind.TRANSITION or details["transition_id"] not in locked


@settings(deadline=None)
@given(st.sampled_from(SITES), steps)
def test_what_is_entered_is_asked_for_anew(start, walk):
    for before, found in walked(start, walk):
        around = found.around
        if around.issue.status_id == before.issue.status_id:
            continue
        present = [record for record in around.records if record.is_asked_for(around.issue.status_id)]
        live = [each for each in present if not each.is_configuration]
        assert all(
            (each.approval_status, each.submitted_at) == (ApprovalStatus.PENDING, LATER) for each in live
        )
        assert not any(record.has_transition_error for record in around.records)
