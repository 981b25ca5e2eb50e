"""Issues as a use case: showing and moving them, and what entering a status asks for."""

from typing import Any

import pytest
from peewee import Database, SqliteDatabase
from playhouse.test_utils import count_queries

from herzum_approval.domain.actions import Action
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import databases, issues, snapshot
from tests.services.sites import AT, act, actor, decided, given, record


@pytest.fixture(autouse=True)
def demonstration(engine: Database, settings: Any) -> None:
    snapshot.reset()


def move(key: str, *transition_ids: int, username: str = "admin") -> None:
    for transition_id in transition_ids:
        issues.transition(actor(username), key, transition_id)
        assert databases.find_faults() == []


def refused(work: Any, *arguments: Any) -> Fault:
    with pytest.raises(Problem) as raised:
        work(*arguments)
    return raised.value.fault


def records(issue_id: int) -> dict[int, str]:
    """Return the approval status of each record of the issue, by id."""
    return {
        each["id"]: each.get("approval_status", "PENDING")
        for each in snapshot.export_all()["issue_approvals"]
        if each["issue_id"] == issue_id
    }


def kinds() -> list[str]:
    return [event["kind"] for event in snapshot.export_all()["history"]]


# -- showing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SOFT-1", "soft-1", "10500", "0010500"])
def test_an_issue_is_found_by_id_and_by_key(name: str) -> None:
    view = issues.show(actor("carol"), name)
    assert (view.around.issue.key, view.around.project.key) == ("SOFT-1", "SOFT")
    assert set(view.users) == {"bob", "carol"}


@pytest.mark.parametrize("name", ["NONE-1", "1", "", "SOFT", "SOFT-01", "2147483648", "9" * 100, "٣", "\0"])
def test_what_there_is_not(name: str) -> None:
    for work in (issues.show, issues.transitions):
        assert refused(work, actor("admin"), name) is Fault.ISSUE_UNKNOWN
    assert refused(issues.transition, actor("admin"), name, 31) is Fault.ISSUE_UNKNOWN


def test_what_may_not_be_browsed_is_not_there() -> None:
    for work in (issues.show, issues.transitions):
        assert refused(work, actor("dave"), "SOFT-1") is Fault.ISSUE_UNKNOWN
    assert refused(issues.transition, actor("dave"), "SOFT-1", 31) is Fault.ISSUE_UNKNOWN


def test_the_largest_id_there_can_be() -> None:
    row = next(each for each in snapshot.export_all()["issues"] if each["id"] == 10500)
    given(issues=[{**row, "id": 2**31 - 1, "key": "SOFT-99"}])
    assert issues.show(actor("admin"), str(2**31 - 1)).around.issue.key == "SOFT-99"


def test_an_issue_takes_a_fixed_number_of_queries() -> None:
    def count() -> int:
        with count_queries() as counter:
            issues.show(actor("admin"), "SOFT-1")
        return int(counter.count)

    before = count()
    given(
        comments=[
            {
                "id": number,
                "issue_id": 10500,
                "author": name,
                "body": "x",
                "created_at": AT,
            }
            for number, name in enumerate(("admin", "alice", "bob", "dave"), start=1)
        ]
    )
    assert count() == before == 32
    assert count() == 7  # as long as nothing is administered
    assert set(issues.show(actor("admin"), "SOFT-1").users) == {"admin", "alice", "bob", "carol", "dave"}


def test_an_author_who_is_gone_is_shown_by_name() -> None:
    given(comments=[{"id": 1, "issue_id": 10500, "author": "eve", "body": "x", "created_at": AT}])
    view = issues.show(actor("admin"), "SOFT-1")
    assert [comment.author for comment in view.comments] == ["eve"]
    assert "eve" not in view.users


# -- moving -----------------------------------------------------------------------------------


def offered(key: str) -> list[str]:
    return [each.transition.name for each in issues.transitions(actor("carol"), key)]


def test_a_transition_is_offered_once_its_approvals_are_in() -> None:
    assert offered("SOFT-1") == ["Done"]
    act("admin", 11, Action.APPROVE)
    assert offered("SOFT-1") == ["In Progress", "Done"]
    act("bob", 21, Action.APPROVE)
    assert offered("SOFT-1") == ["To Do", "In Progress", "Done"]
    act("admin", 11, Action.RESET)
    assert refused(issues.transition, actor("admin"), "SOFT-1", 21) is Fault.TRANSITION_NOT_AVAILABLE


def test_a_transition_that_does_not_leave_the_status() -> None:
    assert refused(issues.transition, actor("admin"), "TEST-2", 111) is Fault.TRANSITION_NOT_AVAILABLE
    assert refused(issues.transition, actor("admin"), "TEST-2", 99) is Fault.TRANSITION_NOT_AVAILABLE


def test_configuration_rows_lock_nothing() -> None:
    assert offered("DOUB-1") == ["Submit"]


def test_re_entry_re_submits() -> None:
    act("admin", 11, Action.REJECT)
    before = record(11)
    move("SOFT-1", 31)
    assert record(11)["approval_status"] == "REJECTED"  # it stays, and nobody can act on it
    with pytest.raises(Problem) as raised:
        act("admin", 11, Action.RESET)
    assert raised.value.fault is Fault.ACTION_UNAUTHORIZED
    move("SOFT-1", 11)
    after = record(11)
    assert not {"approval_status", "decided_at", "approver_username"} & set(after)
    assert after["submitted_at"] > before["submitted_at"]
    assert records(10500) == {11: "PENDING", 21: "PENDING"}
    act("admin", 11, Action.APPROVE)
    assert kinds() == ["REJECTED", "TRANSITION", "TRANSITION", "SUBMITTED", "SUBMITTED", "APPROVED"]


def test_a_transition_into_the_status_it_left_is_no_re_entry() -> None:
    given(issue_approvals=[decided(21, "APPROVED", "bob")])
    submitted = record(21)["submitted_at"]
    move("SOFT-1", 11)
    assert record(21)["approval_status"] == "APPROVED"
    assert record(21)["submitted_at"] == submitted
    assert kinds() == ["TRANSITION"]


def test_entering_a_mapped_status_makes_its_records() -> None:
    move("PROC-1", 131)
    (new,) = records(12600)
    assert new == 91  # the next number
    assert (record(new)["approval_id"], record(new)["mapping_id"]) == (2, 6)
    assert record(new)["transition_name"] == "Submit"
    assert "submitted_at" in record(new)
    act("admin", new, Action.APPROVE)
    move("PROC-1", 11, 131)
    assert records(12600) == {new: "PENDING"}


def test_a_configuration_of_the_issue_replaces_the_mapping() -> None:
    act("admin", 75, Action.APPROVE)
    move("TEST-1", 11)
    assert "submitted_at" in record(76)
    assert offered("TEST-1") == ["Close Issue"]
    act("bob", 76, Action.APPROVE)
    move("TEST-1", 111)
    assert records(12305) == {75: "PENDING", 76: "APPROVED"}  # and none of mapping 4


def test_a_mapping_that_changed_is_followed_on_entry() -> None:
    given(approval_mappings=[{"id": 2, "approvals": {"$replace": [{"approval_id": 4}]}}])
    move("SOFT-1", 31, 11)
    (new,) = set(records(10500)) - {21}
    assert record(new)["approval_id"] == 4
    assert [each for each in kinds() if each == "REMOVED"] == ["REMOVED"]


@pytest.mark.parametrize(
    ("jql", "is_asked"), [("priority = Medium", True), ("priority = High", False), ("status = 'To Do'", True)]
)
@pytest.mark.parametrize("place", ["settings", "approvals"])
def test_a_conditional_rule_decides_whether_an_approval_is_asked_for(
    place: str, jql: str, is_asked: bool
) -> None:
    rule = {"conditional_rule_id": 1}
    mapped = {"settings": rule} if place == "settings" else {"approvals": [{"approval_id": 3, **rule}]}
    given(
        conditional_rules=[{"id": 1, "name": "rule", "jql": jql}],
        approval_mappings=[{"id": 2, **mapped}],
    )
    move("SOFT-1", 31, 11)
    assert (11 in records(10500)) is is_asked
    assert ("In Progress" in offered("SOFT-1")) is not is_asked


def test_requests_are_announced_where_the_mapping_says_so() -> None:
    given(
        approval_mappings=[{"id": 6, "settings": {"sends_request_mail": True, "announces_by_comment": True}}]
    )
    move("PROC-1", 131)
    document = snapshot.export_all()
    (message,) = document["messages"]
    (comment,) = document["comments"]
    assert (message["recipient"], message["kind"], message["issue_approval_id"]) == (
        "user:admin",
        "request",
        91,
    )
    assert comment["author"] is None
    assert comment["body"] == "Marco Polo: approval requested (Submit)"


def test_a_move_takes_a_fixed_number_of_queries(engine: Database) -> None:
    given(issue_approvals=[decided(21, "APPROVED"), decided(11, "APPROVED")])
    with count_queries() as counter:
        issues.transition(actor("admin"), "SOFT-1", 31)
    extra = 0 if isinstance(engine, SqliteDatabase) else 3
    assert counter.count == 31 + extra
    with count_queries() as counter:
        issues.transition(actor("admin"), "SOFT-1", 11)
    assert counter.count == 6 + extra


# -- what happens meanwhile -------------------------------------------------------------------


def test_an_issue_that_is_removed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issues, "read_surroundings", lambda *_: None)
    assert refused(issues.show, actor("admin"), "SOFT-1") is Fault.ISSUE_UNKNOWN
    assert refused(issues.transition, actor("admin"), "SOFT-1", 31) is Fault.ISSUE_UNKNOWN
