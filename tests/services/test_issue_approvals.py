"""The search as a use case: how many queries it takes, whatever it finds."""

from typing import NamedTuple

import pytest
from peewee import SqliteDatabase
from playhouse.test_utils import count_queries

from herzum_approval.domain.actions import Action
from herzum_approval.domain.configuration import LicenceState
from herzum_approval.domain.issue_approvals import ApprovalStatus, SearchFilters
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import decisions, issue_approvals, licence, snapshot
from herzum_approval.services.decisions import Credentials
from herzum_approval.store import reading, writing
from herzum_approval.store.kept import facts
from herzum_approval.store.tables import Group

ADMIN = Actor(username="admin", display_name="Admin")


@pytest.fixture(autouse=True)
def demonstration(engine, settings):
    snapshot.reset()


class Queries(NamedTuple):
    """How many a search takes the first time, and as long as nothing else is administered."""

    first: int
    kept: int


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (SearchFilters(), Queries(8, 2)),
        (SearchFilters(start_at=0, max_results=2), Queries(9, 2)),
        (SearchFilters(issue_key="TEST-1", issue_ids=("12500",)), Queries(9, 2)),
        (
            SearchFilters(
                approval_name="tech", username="bob", approval_status=ApprovalStatus.PENDING, max_results=50
            ),
            Queries(16, 2),
        ),
    ],
)
def test_a_search_takes_a_fixed_number_of_queries(engine, filters, expected):
    first, kept = expected
    if not isinstance(engine, SqliteDatabase):
        # Whether anybody wrote is one more to ask; where nobody does ask, the versions of the records are.
        first, kept = first + filters.is_paged, kept + 1
    assert queries(filters) == first
    assert queries(filters) == kept
    decisions.act(ADMIN, 11, Action.APPROVE, credentials=Credentials(), comment=None)
    # What was decided is shown anew: how many match, the versions of the records, and what of them is other.
    assert kept <= queries(filters) <= kept + 3
    assert queries(filters) == kept


def queries(filters):
    with count_queries() as counter:
        issue_approvals.search(ADMIN, filters)
    return counter.count


def test_records_are_made_once_however_much_else_is_kept(engine):
    """Facts that nobody asks for any more make room for others; the memory of records is asked for."""
    made = []

    def render(rows):
        made.extend(row[0] for row in rows)
        return [row[0] for row in rows]

    for turn in range(20):
        assert issue_approvals.search(ADMIN, SearchFilters(), render).rows == sorted(made)
        # Somebody writes, so that the records' versions are looked at; then a thousand facts come in.
        writing(lambda database: Group.insert(name=str(turn)).execute(database), is_daily=True)  # noqa: B023
        with reading() as database:
            for number in range(1000):
                facts(database).put((turn, number), number)
    assert len(made) == 8
    decisions.act(ADMIN, 11, Action.APPROVE, credentials=Credentials(), comment=None)
    issue_approvals.search(ADMIN, SearchFilters(), render)
    assert made[8:] == [11]


def test_each_way_to_make_records_has_its_own(engine):
    for _ in range(2):
        for render in (list, brief):
            found = issue_approvals.search(ADMIN, SearchFilters(), render).rows
            assert found == render(issue_approvals.search(ADMIN, SearchFilters(), tuple).rows)


def brief(rows):
    return [row[:2] for row in rows]


def test_rows_have_a_place_for_each_column():
    found = issue_approvals.search(ADMIN, SearchFilters(issue_key="TEST-2"))
    assert found.page is None
    (row,) = found.rows
    *values, version, issue_version = row
    assert dict(zip(issue_approvals.COLUMNS, values, strict=True))["approval_name"] == "Roberto Pupo"
    assert (version, issue_version) == (1, 1)


def test_an_expired_licence_is_refused():
    assert licence.licence().is_valid
    licence.set_licence(LicenceState.EXPIRED)
    with pytest.raises(Problem) as raised:
        licence.require_valid()
    assert raised.value.fault is Fault.LICENCE_INVALID
    licence.set_licence(LicenceState.VALID)
    licence.require_valid()
