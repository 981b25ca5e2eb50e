"""How many votes are enough: the table of `tables/thresholds.csv`, and what holds of every minimum."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from herzum_approval.domain.issue_approvals import ApprovalStatus
from herzum_approval.domain.mappings import ALL, ConditionedMinimum, MinimumKind
from herzum_approval.domain.thresholds import is_reached, is_waiting, minimum
from tests.domain import truth_tables
from tests.domain.truth_tables import cases, is_yes, vote, votes

APPROBATIONS, REJECTIONS = MinimumKind.APPROBATIONS, MinimumKind.REJECTIONS
PENDING, APPROVED, REJECTED, ABSTAINED = ApprovalStatus


@pytest.mark.parametrize("case", cases("thresholds"))
def test_table(case):
    found = is_reached(MinimumKind(case["kind"]), truth_tables.minimum(case["minimum"]), votes(case["votes"]))
    assert found is is_yes(case["reached"])


def test_a_number_between_two_is_the_higher():
    assert not is_reached(APPROBATIONS, 1.5, votes("A P P"))
    assert is_reached(APPROBATIONS, 1.5, votes("A A P"))


@pytest.mark.parametrize("share", range(1, 100))
def test_shares_are_exact(share):
    approved = votes(" ".join(["A"] * share + ["P"] * (100 - share)))
    assert is_reached(APPROBATIONS, share / 100, approved)
    assert not is_reached(APPROBATIONS, share / 100, [vote(1), *approved[1:]])


@pytest.mark.parametrize(
    ("spelling", "is_out"),
    [("P", True), ("A", False), ("R", False), ("X", False), ("o:P", False), ("A o:P", False), ("A P", True)],
)
def test_only_a_vote_that_must_be_cast_is_waited_for(spelling, is_out):
    assert is_waiting(votes(spelling)) is is_out


# -- conditioned minimums ---------------------------------------------------------------------

CONDITIONED = (
    ConditionedMinimum(kind=REJECTIONS, conditional_rule_id=1, minimum=4.0),
    ConditionedMinimum(kind=APPROBATIONS, conditional_rule_id=2, minimum=0.5),
    ConditionedMinimum(kind=APPROBATIONS, conditional_rule_id=1, minimum=2.0),
    ConditionedMinimum(kind=APPROBATIONS, conditional_rule_id=3, minimum=0.0),
)


@pytest.mark.parametrize(
    ("kind", "true_rules", "needed"),
    [
        (APPROBATIONS, set(), 3.0),
        (APPROBATIONS, {1}, 2.0),
        (APPROBATIONS, {1, 2}, 0.5),
        (APPROBATIONS, {1, 3}, 2.0),
        (APPROBATIONS, {3}, 0.0),
        (REJECTIONS, {1, 2, 3}, 4.0),
        (REJECTIONS, {2, 3}, 3.0),
    ],
)
def test_the_first_conditioned_minimum_whose_rule_is_true_wins(kind, true_rules, needed):
    assert minimum(kind, 3.0, CONDITIONED, true_rules.__contains__) == needed


def test_rules_of_the_other_kind_are_not_asked():
    asked = []
    minimum(REJECTIONS, ALL, CONDITIONED, lambda rule_id: bool(asked.append(rule_id)))
    assert asked == [1]


# -- what holds of every minimum --------------------------------------------------------------

kinds = st.sampled_from(MinimumKind)
minimums = st.one_of(
    st.just(ALL),
    st.just(0.0),
    st.integers(1, 99).map(lambda share: share / 100),
    st.integers(1, 7).map(float),
)


def ballots_of(statuses, min_size=1):
    """Return a strategy for the records of one transition, optional ones among them."""
    cast = st.tuples(st.sampled_from(statuses), st.booleans())
    return st.lists(cast, min_size=min_size, max_size=5).map(
        lambda found: [
            vote(id, status, is_optional=option) for id, (status, option) in enumerate(found, start=1)
        ]
    )


ballots, others = ballots_of(list(ApprovalStatus)), ballots_of(list(ApprovalStatus), min_size=0)


def reached_by(kind, needed, records, status, **settings):
    """Return whether the minimum is reached before and after one more is cast, beside these records."""
    return [is_reached(kind, needed, [*records, vote(9, each, **settings)]) for each in (PENDING, status)]


@settings(deadline=None)
@given(others, minimums, st.booleans())
def test_one_more_approval_never_locks_a_transition(records, needed, is_optional):
    before, after = reached_by(APPROBATIONS, needed, records, APPROVED, is_optional=is_optional)
    assert after or not before


@settings(deadline=None)
@given(others, minimums, st.booleans())
def test_one_more_rejection_never_takes_rejection_away(records, needed, is_optional):
    before, after = reached_by(REJECTIONS, needed, records, REJECTED, is_optional=is_optional)
    assert after or not before


@settings(deadline=None)
@given(others, minimums, st.booleans())
def test_one_more_abstention_never_locks_a_transition(records, needed, is_optional):
    before, after = reached_by(APPROBATIONS, needed, records, ABSTAINED, is_optional=is_optional)
    assert after or not before


@settings(deadline=None)
@given(others, minimums)
def test_one_more_rejection_never_unlocks_a_transition(records, needed):
    mandatory = [replace(record, settings=replace(record.settings, is_optional=False)) for record in records]
    before, after = reached_by(APPROBATIONS, needed, mandatory, REJECTED)
    assert before or not after


@settings(deadline=None)
@given(kinds, ballots, minimums)
def test_all_is_the_most_that_can_be_asked(kind, records, needed):
    assert not is_reached(kind, ALL, records) or is_reached(kind, needed, records)


@settings(deadline=None)
@given(kinds, ballots, minimums)
def test_the_order_of_the_votes_does_not_matter(kind, records, needed):
    assert is_reached(kind, needed, records) is is_reached(kind, needed, records[::-1])


@settings(deadline=None)
@given(ballots)
def test_not_everybody_can_have_approved_and_rejected(records):
    assert not (is_reached(APPROBATIONS, ALL, records) and is_reached(REJECTIONS, ALL, records))


@settings(deadline=None)
@given(ballots_of([PENDING, APPROVED, ABSTAINED]), minimums)
def test_without_a_rejection_nothing_is_rejected(records, needed):
    assert is_reached(REJECTIONS, needed, records) is (needed == 0)


@settings(deadline=None)
@given(ballots_of([APPROVED, ABSTAINED]), minimums)
def test_once_all_have_approved_or_abstained_the_way_is_free(records, needed):
    assert is_reached(APPROBATIONS, needed, records)
