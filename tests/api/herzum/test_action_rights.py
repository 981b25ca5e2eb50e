"""Who may act, and when: approvers, super approvers, delegates, sequences, the switches on reversing."""

from typing import Any

import pytest

from herzum_approval.errors import Fault
from tests.api.herzum.acting import Site

UNAUTHORIZED = Fault.ACTION_UNAUTHORIZED
SUBMITTED = "2020-05-08T12:43:52Z"  # of record 11


# -- approvers --------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "record_id"), [("admin", 11), ("bob", 11), ("bob", 21), ("admin", 75)])
def test_approvers_by_name_and_by_group(site: Site, who: str, record_id: int) -> None:
    assert site.act("APPROVE", record_id, who)["approverUser"] == who


@pytest.mark.parametrize("action", ["APPROVE", "REJECT", "RESET"])
@pytest.mark.parametrize("who", ["alice", "carol"])
def test_others_may_not_and_administering_jira_gives_no_right(site: Site, who: str, action: str) -> None:
    site.refused(UNAUTHORIZED, action, who=who)
    site.decided(11, "ABSTAINED")
    site.refused(UNAUTHORIZED, action, who=who)


def test_what_may_not_be_browsed_is_not_there(site: Site) -> None:
    site.given(approvals=[{"id": 3, "approvers": [{"kind": "user", "value": "dave"}]}])
    site.refused(Fault.ISSUE_APPROVAL_NOT_FOUND, "APPROVE", who="dave")
    site.refused(Fault.ISSUE_APPROVAL_NOT_FOUND, "APPROVE", 90, who="dave")
    site.configure(super_approver_users=["dave"])
    site.refused(Fault.ISSUE_APPROVAL_NOT_FOUND, "APPROVE", who="dave")


@pytest.mark.parametrize(
    ("approver", "who"),
    [
        ({"kind": "reporter"}, "carol"),
        ({"kind": "assignee"}, "bob"),
        ({"kind": "project lead"}, "alice"),
        ({"kind": "project role", "value": "10002"}, "alice"),
        ({"kind": "user picker", "value": "customfield_10001"}, "carol"),
        ({"kind": "group picker", "value": "customfield_10002"}, "bob"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else value,
)
def test_approvers_of_every_kind(site: Site, approver: dict[str, str], who: str) -> None:
    pick(site, users=["carol"], groups=["approvers"])
    site.given(approvals=[{"id": 3, "approvers": [approver]}])
    if approver["kind"] == "group picker":
        site.given(issue_approvals=[{"id": 11, "target": "group:approvers"}])
    site.refused(UNAUTHORIZED, "APPROVE", who="admin" if who != "alice" else "carol")
    site.act("APPROVE", who=who)


def pick(site: Site, **names: list[str]) -> None:
    """Give SOFT-1 a user picker and a group picker that hold these names."""
    ids = {"users": "customfield_10001", "groups": "customfield_10002"}
    site.given(
        custom_fields=[
            {"id": ids["users"], "name": "Who", "type": "user picker"},
            {"id": ids["groups"], "name": "Which", "type": "group picker"},
        ],
        issues=[{"id": 10500, "fields": {ids[name]: held for name, held in names.items()}}],
    )


def enter(site: Site) -> list[dict[str, Any]]:
    """Take SOFT-1 out of To Do and back, and return the records that it has there for In Progress."""
    site.move("SOFT-1", 31)
    site.move("SOFT-1", 11)
    return [
        record
        for record in site.all("issue_approvals")
        if (record["issue_id"], record["transition_id"]) == (10500, 21)
    ]


def test_a_picker_of_all_users_makes_a_record_for_each(site: Site) -> None:
    pick(site, users=["bob", "carol"])
    site.given(
        approvals=[{"id": 3, "approvers": [{"kind": "user picker all", "value": "customfield_10001"}]}]
    )
    records = {record["target"]: record["id"] for record in enter(site)}
    assert set(records) == {"user:bob", "user:carol"}
    site.refused(UNAUTHORIZED, "APPROVE", records["user:bob"], "carol")
    site.refused(UNAUTHORIZED, "APPROVE", records["user:carol"], "admin")
    site.act("APPROVE", records["user:carol"], "carol")
    assert "In Progress" not in site.offered()
    site.act("APPROVE", records["user:bob"], "bob")
    assert "In Progress" in site.offered()


def test_a_picker_of_groups_makes_a_record_for_each_of_which_any_member_decides(site: Site) -> None:
    pick(site, groups=["approvers", "jira-administrators"])
    site.given(approvals=[{"id": 3, "approvers": [{"kind": "group picker", "value": "customfield_10002"}]}])
    records = {record["target"]: record["id"] for record in enter(site)}
    assert set(records) == {"group:approvers", "group:jira-administrators"}
    site.refused(UNAUTHORIZED, "APPROVE", records["group:approvers"], "alice")
    site.act("APPROVE", records["group:jira-administrators"], "alice")
    site.act("REJECT", records["group:jira-administrators"], "admin")


# -- super approvers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "switches", [{"super_approver_users": ["carol"]}, {"super_approver_groups": ["jira-software-users"]}]
)
def test_super_approvers_of_the_site_act_on_everything(site: Site, switches: dict[str, list[str]]) -> None:
    site.configure(**switches)
    for record_id in (11, 13, 75):
        site.act("APPROVE", record_id, "carol")
    site.act("RESET", 75, "carol")
    site.refused(Fault.CONFIGURATION_ROW, "APPROVE", 90, "carol")
    site.refused(UNAUTHORIZED, "APPROVE", 76, "carol")  # not submitted yet


def test_super_approvers_of_a_mapping_act_on_what_it_asks_for(site: Site) -> None:
    group = {"kind": "group", "value": "jira-software-users"}
    site.given(
        approval_mappings=[
            {
                "id": 2,
                "settings": {
                    "super_approvers": [group, {"kind": "user", "value": "alice", "is_excluded": True}]
                },
            }
        ]
    )
    site.refused(UNAUTHORIZED, "APPROVE", 21, "carol")
    site.refused(UNAUTHORIZED, "APPROVE", 11, "alice")
    site.act("APPROVE", 11, "carol")


def test_super_approvers_wait_for_their_turn_too(site: Site) -> None:
    first, second = site.ask(1, 4, is_sequential=True)
    site.configure(super_approver_users=["carol"])
    site.refused(UNAUTHORIZED, "APPROVE", second, "carol")
    site.act("APPROVE", first, "carol")
    site.act("APPROVE", second, "carol")


# -- delegates --------------------------------------------------------------------------------


def test_a_delegate_acts_for_an_approver_where_delegation_is_on(site: Site) -> None:
    site.delegate("bob", "carol")
    site.configure(is_delegation_enabled=False)
    site.refused(UNAUTHORIZED, "APPROVE", who="carol")
    site.configure(is_delegation_enabled=True)
    assert site.act("APPROVE", who="carol")["approverUser"] == "carol"
    (event,) = site.all("history")
    assert (event["username"], event["on_behalf_of"]) == ("carol", "bob")
    assert site.comments() == ["Roberto Pupo: APPROVED by carol on behalf of bob (In Progress)"]


def test_the_delegators_groups_count_and_his_super_rights_do_not(site: Site) -> None:
    site.delegate("bob", "carol")
    site.act("APPROVE", 21, "carol")
    site.configure(super_approver_users=["bob"])
    site.refused(UNAUTHORIZED, "APPROVE", 13, "carol")


@pytest.mark.parametrize(
    ("limits", "is_covered"),
    [
        ({"starts_at": SUBMITTED}, True),
        ({"starts_at": "2020-05-08T12:43:53Z"}, False),
        ({"ends_at": SUBMITTED}, True),
        ({"ends_at": "2020-05-08T12:43:51Z"}, False),
        ({"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-12-31T00:00:00Z"}, True),
        ({"starts_at": "2021-01-01T00:00:00Z"}, False),  # today is later, but the submission is not
        ({"project_id": 10300}, True),
        ({"project_id": 10000}, False),
        ({"issue_type_id": 10001}, True),
        ({"issue_type_id": 10002}, False),
        ({"source_status_id": 10001}, True),
        ({"source_status_id": 3}, False),
        ({"transition_id": 21}, True),
        ({"transition_id": 11}, False),
        ({"approval_id": 3}, True),
        ({"approval_id": 1}, False),
        ({"project_id": 10300, "approval_id": 1}, False),
    ],
)
def test_the_limits_of_a_delegation(site: Site, limits: dict[str, Any], is_covered: bool) -> None:
    site.delegate("bob", "carol", **limits)
    assert (11 in site.found("carol")) is is_covered
    if is_covered:
        site.act("APPROVE", who="carol")
    else:
        site.refused(UNAUTHORIZED, "APPROVE", who="carol")


def test_a_delegate_undoes_his_own_decisions_only(site: Site) -> None:
    site.delegate("bob", "carol")
    site.act("APPROVE", 11, "carol")
    site.act("REJECT", 11, "carol")
    site.act("RESET", 11, "carol")
    site.act("APPROVE", 11, "bob")
    for action in ("REJECT", "RESET"):
        site.refused(UNAUTHORIZED, action, 11, "carol")
    site.act("RESET", 11, "admin")
    site.act("APPROVE", 11, "carol")
    site.act("RESET", 11, "bob")  # an approver may undo whatever was decided


def test_what_was_delegated_is_not_delegated_on(site: Site) -> None:
    site.delegate("bob", "carol")
    site.delegate("carol", "alice")
    site.refused(UNAUTHORIZED, "APPROVE", who="alice")
    site.act("APPROVE", who="carol")


def test_an_approver_who_is_a_delegate_too_acts_as_approver(site: Site) -> None:
    site.delegate("bob", "admin")
    site.act("APPROVE")
    assert "on_behalf_of" not in site.all("history")[0]
    site.act("RESET", who="bob")
    site.act("APPROVE", who="bob")
    site.act("REJECT")


def test_whoever_is_inactive_passes_nothing_on(site: Site) -> None:
    site.delegate("bob", "carol")
    site.given(users=[{"id": 10002, "is_active": False}])
    site.refused(UNAUTHORIZED, "APPROVE", who="carol")
    assert site.found("carol") == []


def test_a_delegate_must_be_able_to_browse_the_issue(site: Site) -> None:
    site.delegate("bob", "dave")
    site.refused(Fault.ISSUE_APPROVAL_NOT_FOUND, "APPROVE", who="dave")


def test_of_several_delegators_the_first_by_name_is_named(site: Site) -> None:
    site.delegate("bob", "carol")
    site.delegate("admin", "carol")
    site.act("APPROVE", who="carol")
    assert site.all("history")[0]["on_behalf_of"] == "admin"


# -- sequences --------------------------------------------------------------------------------


def test_one_after_the_other(site: Site) -> None:
    first, second, third = site.ask(1, 3, 4, is_sequential=True)
    site.refused(UNAUTHORIZED, "APPROVE", second)
    site.act("APPROVE", first)
    site.refused(UNAUTHORIZED, "APPROVE", third)
    site.act("REJECT", second)
    site.refused(UNAUTHORIZED, "APPROVE", third)  # a rejection keeps the rest closed
    site.act("APPROVE", second)
    site.act("APPROVE", third)
    site.act("RESET", first)  # and closes again what is behind it
    for record_id in (second, third):
        site.refused(UNAUTHORIZED, "RESET", record_id)


def test_an_abstention_opens_the_next_as_an_approbation_does(site: Site) -> None:
    site.configure(is_abstain_enabled=True)
    first, second = site.ask(1, 4, is_sequential=True)
    site.act("ABSTAIN", first)
    site.act("APPROVE", second)


def test_the_next_may_open_after_any_decision(site: Site) -> None:
    first, second = site.ask(1, 4, is_sequential=True, opens_after_any_decision=True)
    site.refused(UNAUTHORIZED, "APPROVE", second)
    site.act("REJECT", first)
    site.act("APPROVE", second)


def test_an_approval_may_be_free_of_the_sequence(site: Site) -> None:
    site.given(approvals=[{"id": 4, "is_sequential": False}])
    _first, second, third = site.ask(1, 4, 3, is_sequential=True)
    site.act("APPROVE", second)
    site.refused(UNAUTHORIZED, "APPROVE", third)  # the first is still awaited


def test_optional_approvals_hold_nobody_up_until_they_are_cast(site: Site) -> None:
    first, second = site.ask(1, 4, optional=(1,), is_sequential=True)
    site.act("APPROVE", second)
    site.act("RESET", second)
    site.act("REJECT", first)
    site.refused(UNAUTHORIZED, "APPROVE", second)


# -- switches ---------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["REJECT", "ABSTAIN", "RESET"])
def test_a_lock_on_reversing_leaves_decisions_as_they_are(site: Site, action: str) -> None:
    site.configure(is_abstain_enabled=True, is_reversing_locked=True, reversing_exempted_users=["bob"])
    site.act("APPROVE")
    site.refused(UNAUTHORIZED, action)
    site.act(action, who="bob")


@pytest.mark.parametrize("action", ["APPROVE", "ABSTAIN"])
def test_actions_may_be_off_after_a_decision_until_it_is_reset(site: Site, action: str) -> None:
    site.configure(is_abstain_enabled=True, are_actions_enabled_after_decision=False)
    site.act("REJECT")
    site.refused(UNAUTHORIZED, action)
    site.act("RESET")
    site.act(action)


@pytest.mark.parametrize(
    ("is_enabled", "override", "is_allowed"),
    [
        (False, 0, False),
        (True, 0, True),
        (False, 1, True),
        (True, 1, True),
        (True, 2, False),
        (False, 2, False),
    ],
)
def test_a_mapping_has_its_own_word_on_abstaining(
    site: Site, is_enabled: bool, override: int, is_allowed: bool
) -> None:
    site.configure(is_abstain_enabled=is_enabled)
    site.settle(2, abstain_override=override)
    if is_allowed:
        assert site.act("ABSTAIN")["approvalStatus"] == "ABSTAINED"
    else:
        site.refused(Fault.ACTION_DISABLED, "ABSTAIN")


def test_rejecting_may_be_off(site: Site) -> None:
    site.decided(11, "REJECTED")
    site.configure(is_reject_enabled=False)
    site.refused(Fault.ACTION_DISABLED, "REJECT", 13)
    site.refused(Fault.ACTION_DISABLED, "REJECT", 13, "carol")  # before it is asked who may act
    site.act("RESET")


REQUIRED = [("APPROVE", True), ("REJECT", True), ("ABSTAIN", True), ("RESET", False)]


@pytest.mark.parametrize(("action", "is_required"), REQUIRED)
def test_a_comment_may_be_required_of_decisions(site: Site, action: str, is_required: bool) -> None:
    site.configure(is_abstain_enabled=True)
    site.settle(2, requires_comment=True)
    if action == "RESET":
        site.decided(11, "REJECTED")
    if is_required:
        site.refused(Fault.COMMENT_REQUIRED, action)
        site.act(action, comment="Because.")
    else:
        site.act(action)


def test_a_comment_may_be_required_by_a_single_issues_configuration(site: Site) -> None:
    site.settle(7, requires_comment=True)
    site.refused(Fault.COMMENT_REQUIRED, "APPROVE", 75)
    site.act("APPROVE", 77)  # of TEST-2, which follows the project's mapping


# -- the table of states ----------------------------------------------------------------------

STATES = ("PENDING", "APPROVED", "REJECTED", "ABSTAINED")
RESULTS = {"APPROVE": "APPROVED", "REJECT": "REJECTED", "ABSTAIN": "ABSTAINED", "RESET": "PENDING"}


@pytest.mark.parametrize("action", RESULTS)
@pytest.mark.parametrize("state", STATES)
def test_each_action_from_each_state(site: Site, state: str, action: str) -> None:
    site.configure(is_abstain_enabled=True)
    if state != "PENDING":
        site.decided(11, state, "bob")
    if RESULTS[action] == state:
        site.refused(UNAUTHORIZED, action)
        assert site.all("history") == []
        return
    site.act(action)
    assert site.statuses(11) == [RESULTS[action]]
