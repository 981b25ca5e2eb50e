"""The search as a use case: how many queries it takes, whatever it finds."""

import pytest
from playhouse.test_utils import count_queries

from herzum_approval.domain.configuration import LicenceState
from herzum_approval.domain.issue_approvals import ApprovalStatus, SearchFilters
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import issue_approvals, licence, snapshot

ADMIN = Actor(username="admin", display_name="Admin")


@pytest.fixture(autouse=True)
def demonstration(engine, settings):
    snapshot.reset()


@pytest.mark.parametrize(
    ("filters", "queries"),
    [
        (SearchFilters(), 5),
        (SearchFilters(start_at=0, max_results=2), 6),
        (SearchFilters(issue_key="TEST-1", issue_ids=("12500",)), 6),
        (
            SearchFilters(
                approval_name="tech", username="bob", approval_status=ApprovalStatus.PENDING, max_results=50
            ),
            13,
        ),
    ],
)
def test_a_search_takes_a_fixed_number_of_queries(filters, queries):
    with count_queries() as counter:
        issue_approvals.search(ADMIN, filters)
    assert counter.count == queries


def test_rows_have_a_place_for_each_column():
    found = issue_approvals.search(ADMIN, SearchFilters(issue_key="TEST-2"))
    assert found.page is None
    (row,) = found.rows
    assert len(row) == len(issue_approvals.COLUMNS)
    assert dict(zip(issue_approvals.COLUMNS, row, strict=True))["approval_name"] == "Roberto Pupo"


def test_an_expired_licence_is_refused():
    assert licence.licence().is_valid
    licence.set_licence(LicenceState.EXPIRED)
    with pytest.raises(Problem) as raised:
        licence.require_valid()
    assert raised.value.fault is Fault.LICENCE_INVALID
    licence.set_licence(LicenceState.VALID)
    licence.require_valid()
