"""Acting as a use case: that search and action agree on who may act, and what an action costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from peewee import Database, SqliteDatabase
from playhouse.test_utils import count_queries

from herzum_approval.domain.actions import Action
from herzum_approval.domain.issue_approvals import SearchFilters
from herzum_approval.domain.issues import Surroundings
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import (
    databases,
    decisions,
    issue_approvals,
    logins,
    people,
    snapshot,
)
from herzum_approval.store import outcomes, tables
from herzum_approval.store.surroundings import read_surroundings
from tests.services.sites import act, actor, decided, given, record

USERS = ("admin", "alice", "bob", "carol", "dave")
RECORDS = (11, 13, 21, 75, 76, 77, 78, 90)
REFUSALS = {
    Fault.ISSUE_APPROVAL_NOT_FOUND,
    Fault.CONFIGURATION_ROW,
    Fault.ACTION_DISABLED,
    Fault.ACTION_UNAUTHORIZED,
}


@pytest.fixture(autouse=True)
def demonstration(engine: Database, settings: Any) -> None:
    snapshot.reset()


# -- search and action agree ------------------------------------------------------------------

DECISIONS: dict[str, Any] = {
    "issue_approvals": [
        decided(11, "APPROVED", "bob"),
        decided(21, "REJECTED"),
        decided(77, "ABSTAINED", "carol"),
    ]
}
DELEGATIONS: dict[str, Any] = {
    "configuration": {"is_delegation_enabled": True},
    "delegations": [
        {"id": 1, "delegator": "bob", "delegate": "carol"},
        {"id": 2, "delegator": "admin", "delegate": "carol", "approval_id": 5},
        {"id": 3, "delegator": "admin", "delegate": "alice", "starts_at": "2023-01-01T00:00:00Z"},
        {"id": 4, "delegator": "bob", "delegate": "alice", "ends_at": "2020-12-31T00:00:00Z"},
        {"id": 5, "delegator": "bob", "delegate": "dave"},
        {"id": 6, "delegator": "carol", "delegate": "bob"},
    ],
}
LOCK = {"is_reversing_locked": True, "reversing_exempted_users": ["bob", "carol"]}


def with_switches(site: dict[str, Any], **switches: Any) -> dict[str, Any]:
    return {**site, "configuration": {**site.get("configuration", {}), **switches}}


def limited(**limits: Any) -> dict[str, Any]:
    delegation = {"id": 1, "delegator": "bob", "delegate": "carol", **limits}
    return {**DELEGATIONS, "delegations": [delegation]}


GROUPS = [f"group {number}" for number in range(60)]
SITES: dict[str, dict[str, Any]] = {
    "the seed": {},
    "decisions": DECISIONS,
    "reversing is locked": with_switches(DECISIONS, **LOCK),
    "actions are off after a decision": with_switches(DECISIONS, are_actions_enabled_after_decision=False),
    "rejecting is off": with_switches(DECISIONS, is_reject_enabled=False, is_abstain_enabled=True),
    "a super approver": with_switches(DECISIONS, super_approver_groups=["jira-software-users"]),
    "a super approver who is locked": with_switches(DECISIONS, super_approver_users=["alice"], **LOCK),
    "a super approver who sees nothing": with_switches({}, super_approver_users=["dave"]),
    "delegations": DELEGATIONS,
    "delegations that are switched off": with_switches(DELEGATIONS, is_delegation_enabled=False),
    "delegations after decisions": {**DECISIONS, **DELEGATIONS},
    "delegations after decisions, locked": with_switches({**DECISIONS, **DELEGATIONS}, **LOCK),
    "the delegate's own decisions": {
        **DELEGATIONS,
        "issue_approvals": [decided(11, "APPROVED", "carol"), decided(78, "REJECTED", "alice")],
    },
    "an inactive delegator": {**DELEGATIONS, "users": [{"id": 10002, "is_active": False}]},
    "a delegation of one project": limited(project_id=10300),
    "a delegation of one issue type": limited(issue_type_id=10002),
    "a delegation of one status": limited(source_status_id=1),
    "a delegation of one transition": limited(transition_id=21),
    "a delegation of one approval": limited(approval_id=1),
    "a delegation of a period": limited(starts_at="2020-05-11T10:09:18Z", ends_at="2023-01-20T10:02:30Z"),
    "an issue elsewhere": {"issues": [{"id": 10500, "status_id": 3}]},
    "several conditions at once, delegated": {
        **DELEGATIONS,
        "approvals": [
            {
                "id": 3,
                "match": "all",
                "approvers": [
                    {"kind": "group", "value": "approvers"},
                    {"kind": "project role", "value": "10000"},
                    {"kind": "user", "value": "admin", "is_excluded": True},
                ],
            }
        ],
    },
    "a super approver of a mapping, delegated": {
        **DELEGATIONS,
        "approval_mappings": [{"id": 3, "settings": {"super_approvers": [{"kind": "user", "value": "bob"}]}}],
    },
    "a sequence": {
        **DELEGATIONS,
        "issue_approvals": [
            {"id": 11, "settings": {"is_sequential": True, "place": 2}},
            {
                "id": 12,
                "issue_id": 10500,
                "approval_id": 5,
                "mapping_id": 2,
                "source_status_id": 10001,
                "transition_id": 21,
                "transition_name": "In Progress",
                "submitted_at": "2020-05-08T12:43:52Z",
                "settings": {"is_sequential": True},
            },
        ],
    },
    "somebody of many groups, and his delegate": {
        **DELEGATIONS,
        "groups": [{"name": name} for name in GROUPS],
        "users": [{"id": 10002, "groups": ["approvers", "jira-software-users", *GROUPS]}],
    },
    "a delegate of many groups": {
        **DELEGATIONS,
        "groups": [{"name": name} for name in GROUPS],
        "users": [{"id": 10003, "groups": ["jira-software-users", *GROUPS]}],
    },
}


def may_act(database: Database, username: str, record_id: int) -> bool:
    """Return whether any action of the user on the record would succeed; nothing stays done."""
    for action in Action:
        with database.connection_context(), database.atomic() as transaction:
            try:
                act(username, record_id, action, comment="Why not.")
                return True
            except Problem as problem:
                if problem.fault not in REFUSALS:
                    raise
            finally:
                transaction.rollback()
    return False


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_the_search_finds_just_what_the_user_can_act_on(engine: Database, site: dict[str, Any]) -> None:
    given(**site)
    for username in USERS:
        found = issue_approvals.search(actor("admin"), SearchFilters(username=username)).rows
        user = people.find_user(username)
        assert user is not None
        allowed = [id for id in RECORDS if user.is_active and may_act(engine, username, id)]
        assert [row[0] for row in found if row[0] in RECORDS] == allowed, username


def test_pages_of_what_was_delegated_come_in_order() -> None:
    given(**DELEGATIONS)
    everything = SearchFilters(username="carol", start_at=0)
    found = issue_approvals.search(actor("admin"), everything)
    assert [row[0] for row in found.rows] == [11, 13, 21, 77, 78]
    assert found.page is not None
    assert found.page.total == 5
    page = SearchFilters(username="carol", start_at=1, max_results=2)
    assert [row[0] for row in issue_approvals.search(actor("admin"), page).rows] == [13, 21]


# -- credentials ------------------------------------------------------------------------------

BOTH = "username and password"


@pytest.mark.parametrize(
    ("required", "sent", "fault"),
    [
        ("none", {}, None),
        ("none", {"username": "Admin", "password": "admin"}, None),
        ("password", {"password": "admin"}, None),
        (BOTH, {"username": "admin", "password": "admin"}, None),
        ("password", {"username": "admin"}, Fault.PASSWORD_REQUIRED),
        (BOTH, {}, Fault.PASSWORD_REQUIRED),
        (BOTH, {"password": "wrong"}, Fault.USERNAME_REQUIRED),
        ("none", {"username": "nobody", "password": "wrong"}, Fault.USER_NOT_FOUND),
        ("none", {"username": "bob", "password": "wrong"}, Fault.USERNAME_OF_ANOTHER),
        ("none", {"username": "admin", "password": "wrong"}, Fault.CREDENTIALS_WRONG),
        ("password", {"password": "wrong"}, Fault.CREDENTIALS_WRONG),
    ],
)
def test_credentials(required: str, sent: dict[str, str], fault: Fault | None) -> None:
    given(configuration={"credentials_required": required})
    if fault is None:
        act("admin", 11, Action.APPROVE, **sent)
        return
    assert refusal("admin", 11, **sent) is fault


def test_guesses_are_counted_and_denied_in_the_end() -> None:
    for _ in range(3):
        assert refusal("admin", 11, password="wrong") is Fault.CREDENTIALS_WRONG
    assert refusal("admin", 11, password="admin") is Fault.CREDENTIALS_DENIED
    act("admin", 11, Action.APPROVE)


def test_the_record_comes_before_the_credentials() -> None:
    assert refusal("admin", 2**31, password="wrong") is Fault.ISSUE_APPROVAL_NOT_FOUND
    assert refusal("dave", 11, password="wrong") is Fault.ISSUE_APPROVAL_NOT_FOUND
    assert refusal("admin", 90, password="wrong") is Fault.CONFIGURATION_ROW


def refusal(who: str, record_id: int, **credentials: str) -> Fault:
    with pytest.raises(Problem) as raised:
        act(who, record_id, Action.APPROVE, **credentials)
    return raised.value.fault


# -- what it costs ----------------------------------------------------------------------------


@dataclass
class Cost:
    """What a piece of work took: queries that read, and statements that wrote (each for many rows)."""

    reads: int = 0
    writes: int = 0


@pytest.fixture
def cost(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], Cost]:
    def measure(work: Callable[[], object]) -> Cost:
        found = Cost()
        change = outcomes.change

        def counted(database: Database, shape: Any, build: Any, values: Sequence[Any]) -> int:
            found.writes += bool(values)
            return change(database, shape, build, values)

        with monkeypatch.context() as patch, count_queries() as counter:
            patch.setattr(outcomes, "change", counted)
            work()
        found.reads = counter.count
        return found

    return measure


Measure = Callable[[Callable[[], object]], Cost]


def reads(engine: Database, on_sqlite: int, on_postgresql: int) -> int:
    """Return how many reads it takes here, without those that SQLite does at a glance, before it locks.

    On PostgreSQL these are counted too, and so are three locks.
    """
    return on_sqlite if isinstance(engine, SqliteDatabase) else on_postgresql


def test_a_decision_takes_a_fixed_number_of_queries(engine: Database, cost: Measure) -> None:
    first = cost(lambda: act("admin", 11, Action.APPROVE))
    assert first == Cost(reads(engine, 24, 34), 5)  # record, candidate, history, comment, messages
    kept = cost(lambda: act("admin", 11, Action.RESET))
    assert kept == Cost(reads(engine, 4, 9), 4)  # the site's version and the record; that, and what changes


def test_so_it_does_whatever_else_the_issue_waits_for(engine: Database, cost: Measure) -> None:
    row = next(each for each in snapshot.export_all()["issue_approvals"] if each["id"] == 11)
    given(issue_approvals=[{**row, "id": 1000 + number} for number in range(50)])
    assert cost(lambda: act("admin", 11, Action.APPROVE)) == Cost(reads(engine, 24, 34), 5)
    assert cost(lambda: act("admin", 1000, Action.APPROVE)) == Cost(reads(engine, 4, 9), 5)


def test_a_delegate_takes_four_queries_more_however_many_delegators(engine: Database, cost: Measure) -> None:
    given(**DELEGATIONS)
    assert cost(lambda: act("carol", 11, Action.APPROVE)) == Cost(reads(engine, 28, 38), 5)
    assert cost(lambda: act("carol", 11, Action.RESET)) == Cost(reads(engine, 8, 13), 4)
    people_more = [
        {"id": 20000 + number, "username": f"user{number}", "display_name": ""} for number in range(20)
    ]
    delegations = [
        {"id": 100 + number, "delegator": user["username"], "delegate": "carol"}
        for number, user in enumerate(people_more)
    ]
    given(users=people_more, delegations=delegations)
    assert cost(lambda: act("carol", 77, Action.APPROVE)) == Cost(reads(engine, 28, 38), 5)
    assert cost(lambda: act("carol", 77, Action.RESET)) == Cost(reads(engine, 8, 13), 4)
    for count in (13, 2 if isinstance(engine, SqliteDatabase) else 3):
        with count_queries() as counter:
            issue_approvals.search(actor("admin"), SearchFilters(username="carol"))
        assert counter.count == count


def test_an_automatic_transition_costs_what_it_writes(engine: Database, cost: Measure) -> None:
    given(
        issue_approvals=[{"id": 11, "settings": {"transitions_on_approbations": True}}],
        configuration={"is_transition_responsive": True, "responsive_user": "alice"},
    )
    found = cost(lambda: act("admin", 11, Action.APPROVE))
    # Who alice is, what she may browse; the issue besides, and the candidates of what closes.
    assert found == Cost(reads(engine, 29, 39), 7)


# -- what happens meanwhile -------------------------------------------------------------------


def test_a_record_that_is_removed_meanwhile_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def removed(database: Database, issue_id: int) -> Surroundings | None:
        around = read_surroundings(database, issue_id)
        return around and replace(around, records=())

    monkeypatch.setattr(decisions, "read_surroundings", removed)
    with pytest.raises(Problem) as raised:
        act("admin", 11, Action.APPROVE)
    assert raised.value.fault is Fault.ISSUE_APPROVAL_NOT_FOUND


def test_an_issue_that_is_removed_meanwhile_takes_its_records_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "read_surroundings", lambda *_: None)
    with pytest.raises(Problem) as raised:
        act("admin", 11, Action.APPROVE)
    assert raised.value.fault is Fault.ISSUE_APPROVAL_NOT_FOUND


def test_whoever_was_faster_is_seen_by_the_next_try(
    engine: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record is written under the version that was read: if somebody wrote it, all is read again."""
    attempts = []

    def outrun_once(database: Database, issue_id: int) -> Surroundings | None:
        around = read_surroundings(database, issue_id)
        attempts.append(issue_id)
        if len(attempts) == 1:
            table = tables.IssueApproval
            table.update(version=table.version + 1).where(table.id == 11).execute(database)
        return around

    monkeypatch.setattr(decisions, "read_surroundings", outrun_once)
    act("admin", 11, Action.APPROVE)
    assert attempts == [10500, 10500]
    assert record(11)["version"] == 2  # the first try left nothing
    assert len(snapshot.export_all()["history"]) == 1


def test_settings_that_change_while_a_password_is_checked_count(monkeypatch: pytest.MonkeyPatch) -> None:
    verify = logins.verify_password

    def slow(*arguments: Any, **options: Any) -> Any:
        result = verify(*arguments, **options)
        given(configuration={"is_reject_enabled": False})
        return result

    monkeypatch.setattr(logins, "verify_password", slow)
    with pytest.raises(Problem) as raised:
        act("admin", 11, Action.REJECT, password="admin")
    assert raised.value.fault is Fault.ACTION_DISABLED


def test_the_view_is_of_what_was_written() -> None:
    view = act("bob", 21, Action.REJECT, "No.")
    assert (view.approval_name, view.issue_status_id) == ("tech", 10001)
    assert (view.record.approver_username, view.record.approval_status) == ("bob", "REJECTED")
    assert view.record.version == record(21)["version"] == 2
    assert databases.find_faults() == []
