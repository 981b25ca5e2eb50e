"""The search's SQL: kept by shape, led by indexes, and equal to the plain way of finding the same."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from herzum_approval.domain.candidates import derive
from herzum_approval.domain.delegations import Delegation, covers
from herzum_approval.domain.issue_approvals import ApprovalStatus, Criteria, Delegated
from herzum_approval.domain.jira import LARGEST_ID
from herzum_approval.services import snapshot
from herzum_approval.store import issue_approvals as stored
from herzum_approval.store import sites, statements
from herzum_approval.store.tables import MomentField, moment

USERS = ("user:admin", "user:bob", "group:approvers", "group:jira-software-users")


DELEGATIONS = (
    Delegation(id=1, delegator="bob", delegate="carol", approval_id=1),
    Delegation(id=2, delegator="bob", delegate="carol", project_id=10300, issue_type_id=10001),
    Delegation(id=3, delegator="admin", delegate="carol", starts_at=datetime(2023, 1, 23, tzinfo=UTC)),
    Delegation(id=4, delegator="admin", delegate="carol", ends_at=datetime(2020, 5, 9, tzinfo=UTC)),
    Delegation(id=5, delegator="admin", delegate="alice"),
)
OF_BOB = Delegated(delegator="bob", principals=("group:approvers", "user:bob"))
OF_ADMIN = Delegated(delegator="admin", principals=("user:admin",))


@pytest.fixture
def site(engine, settings):
    """A site of 1,200 issue approvals of all statuses: the demonstration site, grown."""
    snapshot.reset()
    with engine.connection_context():
        small = sites.read_site(engine)
    model = next(record for record in small.issue_approvals if record.id == 77)
    issue = next(issue for issue in small.issues if issue.id == 12400)
    issues, records = [], []
    for number, status in zip(range(1200), itertools.cycle(ApprovalStatus), strict=False):
        new = replace(issue, id=20000 + number, key=f"TEST-{100 + number}")
        decided = None if status is ApprovalStatus.PENDING else model.submitted_at + timedelta(days=1)
        issues.append(new)
        records.append(
            replace(
                model,
                id=1000 + number,
                issue_id=new.id,
                approval_id=(1, 3)[number % 2],
                approval_status=status,
                decided_at=decided,
                approver_username=decided and ("bob", "carol")[number // 4 % 2],
            )
        )
    grown = replace(
        small,
        issues=(*small.issues, *issues),
        issue_approvals=(*small.issue_approvals, *records),
        delegations=DELEGATIONS,
    )
    with engine.atomic():
        sites.restore(engine, snapshot.to_rows(grown, derive(grown)))
    return grown


CRITERIA = [
    Criteria(),
    Criteria(approval_status=ApprovalStatus.REJECTED),
    Criteria(approval_ids=(3,), project_ids=(10000, 10300)),
    Criteria(issue_ids=(12305, 12400, 20005)),
    Criteria(is_open=True, project_ids=(10000,)),
    Criteria(principals=("user:bob",)),
    Criteria(principals=("user:bob",), approval_status=ApprovalStatus.PENDING),
    Criteria(principals=USERS, approval_status=ApprovalStatus.APPROVED, project_ids=(10000,)),
    Criteria(principals=USERS, approval_ids=(1,)),
    Criteria(principals=(*USERS, *(f"role:{n}/10002" for n in range(60)))),
    Criteria(principals=("user:carol",), delegate="carol", delegated=(OF_BOB,)),
    Criteria(principals=("user:bob", "user:carol"), delegate="carol", delegated=(OF_ADMIN, OF_BOB)),
    Criteria(
        principals=("user:carol",),
        delegate="carol",
        delegated=(OF_ADMIN, OF_BOB),
        approval_status=ApprovalStatus.APPROVED,
        project_ids=(10000,),
        approval_ids=(1, 3),
    ),
    Criteria(
        principals=tuple(f"role:{n}/10002" for n in range(60)), delegate="carol", delegated=(OF_BOB, OF_ADMIN)
    ),
    Criteria(principals=()),
    Criteria(issue_ids=()),
]


def expected(site, criteria):
    """Find the ids the plain way: by looking at every record."""
    derived = derive(site)
    issues = {issue.id: issue for issue in site.issues}
    projects = {issue.id: issue.project_id for issue in site.issues}

    def admits(record, principals):
        return any(
            standing.admits(frozenset(principals)) for standing in derived.standings.get(record.id, ())
        )

    def can_act_for(record, each):
        is_own = record.approval_status is ApprovalStatus.PENDING or (
            record.approver_username == criteria.delegate
        )
        is_covered = any(
            covers(delegation, record, issues[record.issue_id])
            for delegation in site.delegations
            if (delegation.delegator, delegation.delegate) == (each.delegator, criteria.delegate)
        )
        return is_own and is_covered and admits(record, each.principals)

    def can_act(record):
        return admits(record, criteria.principals) or any(
            can_act_for(record, each) for each in criteria.delegated
        )

    return [
        record.id
        for record in sorted(site.issue_approvals, key=lambda record: record.id)
        if criteria.approval_ids
        in (None, *([criteria.approval_ids] if record.approval_id in (criteria.approval_ids or ()) else []))
        and (criteria.approval_status in (None, record.approval_status))
        and (criteria.issue_ids is None or record.issue_id in criteria.issue_ids)
        and (criteria.project_ids is None or projects[record.issue_id] in criteria.project_ids)
        and (not criteria.is_open or record.id in derived.open_ids)
        and (criteria.principals is None or can_act(record))
    ]


@pytest.mark.usefixtures("site")
def test_a_search_finds_what_the_plain_way_finds(engine, site):
    with engine.connection_context():
        for criteria in CRITERIA:
            ids = expected(site, criteria)
            assert stored.find_ids(engine, criteria) == ids
            assert stored.count(engine, criteria) == len(ids)
            for offset, limit in ((0, 5), (3, 4), (len(ids) - 1, 10), (len(ids), 5), (7, None)):
                if offset >= 0:
                    page = stored.find_ids(engine, criteria, offset=offset, limit=limit)
                    assert page == ids[offset:][:limit]
                    after = ([0, *ids])[offset] if offset < len(ids) else LARGEST_ID
                    assert stored.find_ids(engine, criteria, after=after, limit=limit) == page


def test_the_kept_text_is_what_peewee_would_write_now(engine):
    statements._kept.clear()
    page = stored._Page(has_start=True, has_offset=True, has_limit=True)
    with engine.connection_context():
        for criteria in CRITERIA[:-2]:
            stored.find_ids(engine, criteria, after=3, offset=1, limit=2)
            query = stored._search_query(criteria, page, stored._Engine.of(engine))
            text, parameters = statements.made_text(engine, query)
            kept_text, kept = statements._kept[type(engine), ("search", stored._shape(criteria), page)]
            names = [getattr(item, "name", item) for item in parameters]
            assert (kept_text, [getattr(item, "name", item) for item in kept]) == (text, names)


def test_lists_of_like_length_share_a_text(engine):
    statements._kept.clear()
    with engine.connection_context():
        for count in range(5, 9):
            stored.find_ids(engine, Criteria(issue_ids=tuple(range(count))))
    assert len(statements._kept) == 1


def test_texts_are_not_kept_without_bound(engine, monkeypatch):
    monkeypatch.setattr(statements, "_KEPT_AT_MOST", 3)
    statements._kept.clear()
    with engine.connection_context():
        for count in range(8):
            stored.find_ids(engine, Criteria(principals=tuple(f"user:{n}" for n in range(count + 1))))
    assert len(statements._kept) <= 3


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    "criteria",
    [
        Criteria(principals=USERS, approval_status=ApprovalStatus.PENDING),
        Criteria(principals=USERS, project_ids=(10000,)),
        Criteria(approval_status=ApprovalStatus.PENDING),
        Criteria(issue_ids=(12305,)),
        Criteria(approval_ids=(1,)),
    ],
)
@pytest.mark.parametrize("has_start", [False, True])
def test_no_filter_looks_at_every_record(sqlite_database, criteria, has_start):
    page = stored._Page(has_start=has_start, has_offset=False, has_limit=True)
    query = stored._search_query(criteria, page, stored._Engine.SQLITE)
    with sqlite_database.connection_context():
        text, parameters = statements.made_text(sqlite_database, query)
        plan = sqlite_database.execute_sql(f"EXPLAIN QUERY PLAN {text}", ["1"] * len(parameters)).fetchall()
    steps = [step[-1] for step in plan]
    assert not [step for step in steps if step.startswith("SCAN") and "issue_approval" in step], steps
    assert not [step for step in steps if step.startswith("SCAN") and "candidate" in step], steps
    assert not [step for step in steps if "TEMP B-TREE" in step], steps


@pytest.mark.usefixtures("site")
def test_what_was_delegated_is_led_by_the_index_of_candidates(sqlite_database):
    criteria = Criteria(principals=("user:carol",), delegate="carol", delegated=(OF_BOB, OF_ADMIN))
    page = stored._Page(has_start=False, has_offset=False, has_limit=True)
    with sqlite_database.connection_context():
        query = stored._search_query(criteria, page, stored._Engine.SQLITE)
        text, parameters = statements.made_text(sqlite_database, query)
        plan = sqlite_database.execute_sql(f"EXPLAIN QUERY PLAN {text}", ["1"] * len(parameters)).fetchall()
    steps = [step[-1] for step in plan]
    assert not [step for step in steps if step.startswith("SCAN") and "subquery" not in step.lower()], steps


def test_a_name_with_nul_is_looked_for_in_vain(engine):
    with engine.connection_context():
        assert stored.find_ids(engine, Criteria(principals=("user:\0",))) == []


def test_moments_are_kept_to_the_millisecond():
    at = datetime(2023, 1, 20, 9, 59, 16, 123000, tzinfo=UTC)
    assert moment(MomentField().db_value(at)) == at
    assert MomentField().python_value(MomentField().db_value(at)) == at
    assert MomentField().python_value(None) is None
