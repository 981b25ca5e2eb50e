"""Which records of an issue are open: a table of cases."""

from datetime import UTC, datetime

import pytest

from herzum_approval.domain.approvals import Approval
from herzum_approval.domain.issue_approvals import (
    ApprovalStatus,
    IssueApproval,
    RecordSettings,
    SearchFilters,
    open_records,
)
from tests.domain.truth_tables import cases, is_yes, votes

A, R, X, P = (
    ApprovalStatus.APPROVED,
    ApprovalStatus.REJECTED,
    ApprovalStatus.ABSTAINED,
    ApprovalStatus.PENDING,
)
NOW = datetime(2023, 1, 20, 10, tzinfo=UTC)
ANY_TIME = Approval(id=9, name="any time", is_sequential=False)
IN_TURN = Approval(id=1, name="in turn")


def record(id, place=1, status=P, *, approval=IN_TURN, submitted=NOW, source=1, transition=11, **more):
    settings = {
        name: more.pop(name)
        for name in ("is_sequential", "opens_after_any_decision", "is_optional")
        if name in more
    }
    return IssueApproval(
        id=id,
        issue_id=12305,
        approval_id=approval.id,
        transition_id=transition,
        transition_name="Start Progress",
        source_status_id=source,
        approval_status=status,
        submitted_at=submitted,
        settings=RecordSettings(place=place, **settings),
        **more,
    )


def opened(*records, status=1):
    return open_records(records, status, {approval.id: approval for approval in (ANY_TIME, IN_TURN)})


def test_a_record_is_open_where_it_was_submitted_for_the_status_the_issue_is_in():
    assert opened(record(1), record(2, source=3), record(3, submitted=None)) == {1}


def test_a_configuration_row_is_never_open():
    assert opened(record(1, is_configuration=True)) == frozenset()


def test_a_decided_record_stays_open():
    assert opened(record(1, status=A), record(2, status=R), record(3, status=X)) == {1, 2, 3}


@pytest.mark.parametrize(
    ("first", "opens_after_any", "is_second_open"),
    [
        (P, False, False),
        (A, False, True),
        (X, False, True),
        (R, False, False),
        (P, True, False),
        (A, True, True),
        (X, True, True),
        (R, True, True),
    ],
)
def test_the_second_of_a_sequence_waits_for_the_first(first, opens_after_any, is_second_open):
    sequence = {"is_sequential": True, "opens_after_any_decision": opens_after_any}
    found = opened(record(1, 1, first, **sequence), record(2, 2, **sequence))
    assert found == ({1, 2} if is_second_open else {1})


def test_records_of_one_place_are_open_together():
    assert opened(
        record(1, 1, A, is_sequential=True), *(record(n, 2, is_sequential=True) for n in (2, 3))
    ) == {
        1,
        2,
        3,
    }


def test_an_approval_without_its_sequential_switch_is_open_at_once_but_holds_up_later_ones():
    records = [record(n, n, is_sequential=True, approval=ANY_TIME if n == 2 else IN_TURN) for n in (1, 2, 3)]
    assert opened(*records) == {1, 2}
    records[0] = record(1, 1, A, is_sequential=True)
    assert opened(*records) == {1, 2}


def test_a_sequence_runs_along_one_transition_only():
    assert opened(
        record(1, 1, is_sequential=True, transition=5), record(2, 2, is_sequential=True, transition=11)
    ) == {1, 2}


@pytest.mark.parametrize(("status", "is_second_open"), [(P, True), (A, True), (X, True), (R, False)])
def test_an_optional_approval_counts_only_once_it_is_cast(status, is_second_open):
    found = opened(
        record(1, 1, status, is_sequential=True, is_optional=True), record(2, 2, is_sequential=True)
    )
    assert (2 in found) is is_second_open


@pytest.mark.parametrize("case", cases("sequence"))
def test_sequence(case):
    """The table of `tables/sequence.csv`."""
    records = votes(case["votes"], is_sequential=True, opens_after_any_decision=is_yes(case["any decision"]))
    definitions = {
        place: Approval(id=place, name=spelling, is_sequential=not spelling.startswith("f:"))
        for place, spelling in enumerate(case["votes"].split(), start=1)
    }
    assert open_records(records, 1, definitions) == {int(place) for place in case["open"].split()}


@pytest.mark.parametrize(
    ("filters", "is_paged"),
    [
        (SearchFilters(), False),
        (SearchFilters(start_at=0), True),
        (SearchFilters(max_results=0), True),
        (SearchFilters(username="admin"), False),
    ],
)
def test_either_number_asks_for_a_page(filters, is_paged):
    assert filters.is_paged is is_paged
