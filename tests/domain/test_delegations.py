"""Which records a delegation covers: its period against the submission, and its limits."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from herzum_approval.domain.delegations import Delegation, covers
from herzum_approval.domain.jira import Issue
from tests.domain.truth_tables import SUBMITTED, vote

SECOND = timedelta(seconds=1)
EARLIER, LATER = SUBMITTED - SECOND, SUBMITTED + SECOND
ISSUE = Issue(id=1, key="TEST-1", project_id=100, issue_type_id=200, status_id=300)
RECORD = vote(1, source_status_id=300, transition_id=11, approval_id=7)
FITTING = {
    "project_id": 100,
    "issue_type_id": 200,
    "source_status_id": 300,
    "transition_id": 11,
    "approval_id": 7,
}


def is_covered(record=RECORD, **limits):
    return covers(Delegation(id=1, delegator="bob", delegate="carol", **limits), record, ISSUE)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "is_within"),
    [
        (None, None, True),
        (EARLIER, None, True),
        (SUBMITTED, None, True),
        (LATER, None, False),
        (None, LATER, True),
        (None, SUBMITTED, True),
        (None, EARLIER, False),
        (EARLIER, LATER, True),
        (SUBMITTED, SUBMITTED, True),
        (LATER, LATER, False),
        (EARLIER, EARLIER, False),
    ],
)
def test_the_period_is_compared_with_the_submission_bounds_included(starts_at, ends_at, is_within):
    assert is_covered(starts_at=starts_at, ends_at=ends_at) is is_within


def test_what_is_not_submitted_is_not_covered():
    assert not is_covered(replace(RECORD, submitted_at=None))


@pytest.mark.parametrize("name", FITTING)
def test_each_limit_excludes_by_itself(name):
    assert is_covered(**{name: FITTING[name]})
    assert is_covered(**FITTING)
    assert not is_covered(**FITTING | {name: 999})
    assert not is_covered(**{name: 0})


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {}, optional={name: st.sampled_from([value, 999]) for name, value in FITTING.items()}
    )
)
def test_all_limits_hold_together(limits):
    assert is_covered(**limits) is all(value != 999 for value in limits.values())
