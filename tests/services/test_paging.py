"""Pages and parts of a search: whatever is kept, they are cuts of the plain list as it is then."""

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from peewee import Database, PostgresqlDatabase

from herzum_approval import store
from herzum_approval.domain.actions import Action
from herzum_approval.domain.issue_approvals import ApprovalStatus, SearchFilters
from herzum_approval.errors import Problem
from herzum_approval.services import issue_approvals, issues, licence, snapshot
from herzum_approval.store.kept import answers
from tests.services.sites import act, actor, grow

ADMIN = actor("admin")
PLACES = [
    issue_approvals.COLUMNS.index(name)
    for name in ("record.id", "record.approval_status", "record.approver_username", "issue_status_id")
]

FILTERS = (
    SearchFilters(),
    SearchFilters(username="admin"),
    SearchFilters(approval_status=ApprovalStatus.APPROVED),
    SearchFilters(approval_name="tech", username="bob", approval_status=ApprovalStatus.PENDING),
)


def brief(rows: Sequence[Any]) -> list[Any]:
    return [tuple(row[place] for place in PLACES) for row in rows]


def found(filters: SearchFilters) -> list[Any]:
    return issue_approvals.search(ADMIN, filters, brief).rows


@pytest.fixture
def site(engine: Database, settings: Any) -> Database:
    snapshot.reset()
    grow(1100)
    return engine


@pytest.fixture
def forgetful(site: Database, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Another handle on the same database, of which nothing is ever kept."""
    is_postgresql = isinstance(site, PostgresqlDatabase)
    database = store.open_database(
        request.getfixturevalue("postgresql_url") if is_postgresql else f"sqlite:///{site.database}"
    )
    yield database
    database.close_all()


def plain(forgetful: Database, filters: SearchFilters) -> list[Any]:
    """Return the whole list as it is now."""
    forgetful.kept = type(forgetful.kept)()
    with store.active(forgetful):
        return found(filters)


# -- pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_any_pages_are_cuts_of_the_plain_list(site: Database, forgetful: Database, seed: int) -> None:
    dice = random.Random(seed)
    whole = {filters: plain(forgetful, filters) for filters in FILTERS}
    for _ in range(12):
        for _ in range(8):
            filters = dice.choice(FILTERS)
            start, size = dice.choice(STARTS)(dice), dice.choice(SIZES)(dice)
            wanted = replace(filters, start_at=0 if start is size is None else start, max_results=size)
            page = issue_approvals.search(ADMIN, wanted, brief)
            expected = whole[filters][start or 0 :]
            expected = expected if size is None else expected[:size]
            assert page.page is not None
            assert page.page.total == len(whole[filters])
            assert page.rows == expected, (start, size)
        assert found(filters) == whole[filters]
        write(dice)
        whole = {filters: plain(forgetful, filters) for filters in FILTERS}


STARTS = (
    lambda dice: None,
    lambda dice: dice.randrange(1300),
    lambda dice: dice.choice((499, 500, 501, 999, 1000, 1001)),
)
SIZES = (
    lambda dice: None,
    lambda dice: dice.randrange(60),
    lambda dice: dice.choice((499, 500, 501, 502, 1000, 1001, 2**40)),
)


def write(dice: random.Random) -> None:
    """Decide, move or administer something; what may not be is no matter here."""
    number = dice.randrange(1100)
    with suppress(Problem):
        match dice.randrange(4):
            case 0:
                licence.set_licence(licence.licence().state)
            case 1:
                issues.transition(ADMIN, f"TEST-{100 + number}", dice.choice((5, 11)))
            case _:
                act("admin", 1000 + number, dice.choice((Action.APPROVE, Action.REJECT, Action.RESET)))


def test_what_the_dice_write_is_seen(site: Database, forgetful: Database) -> None:
    """The property above would hold for a list that never changes too."""
    dice, lists = random.Random(1), []
    for _ in range(12):
        write(dice)
        lists.append(tuple(plain(forgetful, SearchFilters())))
    assert len(set(lists)) > 4


def test_walking_through_all_pages_keeps_few_places(site: Database) -> None:
    """A place is kept for each 500 records at most, however many pages there are and however often."""
    whole = found(SearchFilters())
    with store.reading(at_one_moment=True) as database:
        for size in (7, 100, 7):
            walked = []
            for start in range(0, len(whole), size):
                walked += found(SearchFilters(start_at=start, max_results=size))
            assert walked == whole
        memory = answers(database)
        kept = {**memory._old, **memory._young}
        ends = [value for key, value in kept.items() if key[0] == "ends"]
    assert [end // 500 for end, _ in ends[0]] == [1, 2]
    assert [whole[end - 1][0] for end, _ in ends[0]] == [id for _, id in ends[0]]


# -- parts ------------------------------------------------------------------------------------


PARTS = (
    (SearchFilters(), [500, 500, 108]),
    (SearchFilters(start_at=0), [500, 500, 108]),
    (SearchFilters(start_at=8, max_results=1050), [500, 500, 50]),
    (SearchFilters(start_at=8, max_results=1000), [500, 500]),
    (SearchFilters(start_at=300, max_results=501), [500, 1]),
    (SearchFilters(start_at=300, max_results=500), [500]),
    (SearchFilters(start_at=608), [500]),
    (SearchFilters(start_at=607, max_results=2**40), [500, 1]),
    (SearchFilters(start_at=2000), [0]),
)


def test_a_long_list_comes_in_parts(site: Database) -> None:
    whole = found(SearchFilters())
    assert [row[0] for row in whole] == sorted({row[0] for row in whole})
    for filters, parts in PARTS * 2:  # read, and then kept
        result = issue_approvals.search(ADMIN, filters, brief)
        pieces = [list(part) for part in result.parts]
        assert [len(piece) for piece in pieces] == parts, filters
        assert result.is_long is (len(pieces) > 1)
        start = filters.start_at or 0
        end = None if filters.max_results is None else start + filters.max_results
        assert [row for piece in pieces for row in piece] == whole[start:end], filters


def test_a_part_shows_its_records_as_they_are_when_it_is_asked_for(site: Database) -> None:
    """Records of later parts are decided, and made no longer to match, while the first is read."""
    filters = SearchFilters(approval_status=ApprovalStatus.PENDING, issue_key=None)
    whole = [row[0] for row in found(SearchFilters())]
    parts = iter(issue_approvals.search(ADMIN, SearchFilters(), brief).parts)
    first = next(parts)
    early, late = first[499][0], whole[500]
    assert early < late
    pending = next(row[0] for row in found(filters) if row[0] > late)
    act("admin", pending, Action.APPROVE)
    second = next(parts)
    assert [row[0] for row in (*first, *second)] == whole[:1000]
    assert (pending, "APPROVED", "admin") in [row[:3] for row in second]


def test_what_matches_no_more_is_missing_from_later_parts_and_nothing_comes_twice(site: Database) -> None:
    filters = SearchFilters(start_at=0, max_results=1050)
    parts = iter(issue_approvals.search(ADMIN, filters, brief).parts)
    first = next(parts)
    snapshot.reset()  # all that comes after is gone
    assert list(parts) == []
    assert len(first) == 500
