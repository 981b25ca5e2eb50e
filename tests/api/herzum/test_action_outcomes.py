"""What comes of an action: transitions by themselves, comments, history, messages."""

from typing import Any

import pytest

from herzum_approval.errors import Fault
from tests.api.herzum.acting import Site

TRANSITION = "In Progress"
MOVED, STAYED = "3", "10001"
RULES = [
    {"id": 1, "name": "true", "jql": "project = SOFT AND issuetype = Story"},
    {"id": 2, "name": "false", "jql": "priority in (High, Highest) OR assignee is EMPTY"},
]


def votes(site: Site, records: list[int], actions: str) -> None:
    """Cast a vote on each record: `+` approves, `-` rejects, `0` abstains, `.` leaves it pending."""
    names = {"+": "APPROVE", "-": "REJECT", "0": "ABSTAIN"}
    for record_id, action in zip(records, actions, strict=True):
        if action != ".":
            site.act(names[action], record_id)


# -- thresholds -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minimum", "actions", "is_offered"),
    [
        (-1, "++.", False),
        (-1, "+++", True),
        (-1, "++-", False),
        (-1, "++0", True),  # who abstains follows the others
        (-1, "000", True),
        (0, "...", True),
        (0, "---", True),
        (0.5, "+..", False),
        (0.5, "++.", True),
        (0.34, "+..", False),
        (0.33, "+..", True),
        (2, "+..", False),
        (2, "++-", True),
        (1, "-+-", True),
        (9, "++.", False),  # more than there are is all
        (9, "+++", True),
    ],
)
def test_the_minimum_of_approbations_unlocks_the_transition(
    site: Site, minimum: float, actions: str, is_offered: bool
) -> None:
    site.configure(is_abstain_enabled=True)
    records = site.ask(1, 3, 4, minimum_approbations=minimum)
    votes(site, records, actions)
    assert (TRANSITION in site.offered()) is is_offered
    site.move("SOFT-1", 21, status=204 if is_offered else 400)
    assert site.issue_status() == (MOVED if is_offered else STAYED)


@pytest.mark.parametrize(
    ("conditioned", "is_offered"),
    [
        ([], False),
        ([(1, 1)], True),
        ([(2, 1)], False),
        ([(2, 3), (1, 1)], True),  # the first that is true
        ([(1, 3), (1, 1)], False),
        ([(1, 0)], True),
    ],
)
def test_a_minimum_may_hang_on_a_condition(
    site: Site, conditioned: list[tuple[int, int]], is_offered: bool
) -> None:
    records = site.ask(1, 3, 4, minimum_approbations=2)
    minimums = [
        {"kind": "approbations", "conditional_rule_id": rule, "minimum": minimum}
        for rule, minimum in conditioned
    ]
    site.given(conditional_rules=RULES, approval_mappings=[{"id": 2, "conditioned_minimums": minimums}])
    votes(site, records, "+..")
    assert (TRANSITION in site.offered()) is is_offered


def test_optional_approvals_count_once_they_are_cast(site: Site) -> None:
    first, second = site.ask(1, 4, optional=(4,))
    site.act("APPROVE", first)
    assert TRANSITION in site.offered()
    site.act("REJECT", second)
    assert TRANSITION not in site.offered()
    site.act("APPROVE", second)
    assert TRANSITION in site.offered()


def test_a_share_waits_for_all_but_the_optional(site: Site) -> None:
    first, second, _third = site.ask(1, 3, 4, optional=(4,), minimum_approbations=0.5)
    site.act("APPROVE", first)
    assert TRANSITION not in site.offered()
    site.act("REJECT", second)
    assert TRANSITION in site.offered()


# -- automatic transitions --------------------------------------------------------------------

BOTH = {"transitions_on_approbations": True, "transitions_on_rejections": True}


def ask(site: Site, *, do_minimums_drive: bool = False, **settings: Any) -> list[int]:
    """Ask for three approvals; where all are rejected, SOFT-1 is done."""
    site.configure(is_abstain_enabled=True, do_minimums_drive_transitions=do_minimums_drive)
    records = site.ask(1, 3, 4, **settings)
    site.given(approval_mappings=[{"id": 2, "settings": {"rejection_transition_id": 31}}])
    return records


APPROVED, DONE = "3", "10002"


@pytest.mark.parametrize(
    ("settings", "actions", "status"),
    [
        ({}, "+++", STAYED),
        (BOTH, "++.", STAYED),
        (BOTH, "+++", APPROVED),
        (BOTH, "---", DONE),
        (BOTH, "++-", STAYED),
        (BOTH, "--+", STAYED),
        (BOTH, "0++", APPROVED),
        (BOTH, "0--", DONE),
        ({"transitions_on_approbations": True}, "---", STAYED),
        ({"transitions_on_rejections": True}, "+++", STAYED),
        ({"transitions_on_rejections": True}, "---", DONE),
        (BOTH | {"minimum_approbations": 1, "minimum_rejections": 1}, "+..", STAYED),  # the switch is off
    ],
)
def test_by_default_all_votes_set_a_transition_off(
    site: Site, settings: dict[str, Any], actions: str, status: str
) -> None:
    votes(site, ask(site, **settings), actions)
    assert site.issue_status() == status


@pytest.mark.parametrize(
    ("settings", "actions", "status"),
    [
        ({"minimum_approbations": 2}, "+..", STAYED),
        ({"minimum_approbations": 2}, "++.", APPROVED),
        ({"minimum_approbations": 0.3}, "+..", APPROVED),
        ({"minimum_approbations": 0}, ".-.", STAYED),
        ({"minimum_approbations": 0}, "+..", APPROVED),  # a minimum of none wants a vote to set it off
        ({"minimum_rejections": 1}, "+-.", DONE),
        ({"minimum_rejections": 2}, "+-.", STAYED),
        ({"minimum_rejections": 2, "minimum_approbations": 2}, "+--", DONE),
    ],
)
def test_a_switch_lets_the_minimums_set_it_off(
    site: Site, settings: dict[str, Any], actions: str, status: str
) -> None:
    votes(site, ask(site, do_minimums_drive=True, **BOTH, **settings), actions)
    assert site.issue_status() == status


def test_it_may_wait_for_all_replies(site: Site) -> None:
    minimums = {"minimum_approbations": 1, "minimum_rejections": 1}
    records = ask(site, do_minimums_drive=True, waits_for_all_replies=True, **BOTH, **minimums)
    votes(site, records, "+-.")
    assert site.issue_status() == STAYED
    site.act("REJECT", records[2])
    assert site.issue_status() == DONE  # both are reached: what the last vote was for


def test_taking_a_vote_back_sets_nothing_off(site: Site) -> None:
    records = ask(site, **BOTH)
    votes(site, records, "++.")
    site.settle(2, minimum_approbations=1)
    site.configure(do_minimums_drive_transitions=True)
    site.act("RESET", records[1])
    assert site.issue_status() == STAYED


def test_the_answer_shows_the_status_reached(site: Site) -> None:
    site.settle(2, transitions_on_approbations=True)
    answer = site.act("APPROVE")
    assert (answer["issueStatus"], answer["sourceStatusId"]) == (MOVED, STAYED)
    assert answer["errorTransit"] is False
    decision, transition = site.all("history")
    assert decision["kind"] == "APPROVED"
    assert transition["kind"] == "AUTOMATIC_TRANSITION"
    assert "username" not in transition
    site.refused(Fault.ACTION_UNAUTHORIZED, "RESET")  # the issue is elsewhere now


def test_all_records_of_the_issue_show_the_new_status(site: Site) -> None:
    site.settle(2, transitions_on_approbations=True)
    site.act("APPROVE")
    assert site.found("admin") == [13, 75, 77, 78]


# -- forced and responsive --------------------------------------------------------------------


def responsive(site: Site, **switches: Any) -> None:
    site.settle(2, transitions_on_approbations=True)
    site.configure(is_transition_responsive=True, **switches)


def test_responsive_transitions_are_the_configured_users(site: Site) -> None:
    responsive(site, responsive_user="alice")
    assert site.act("APPROVE")["issueStatus"] == MOVED
    assert site.all("history")[-1]["username"] == "alice"


@pytest.mark.parametrize("user", [None, "dave"])
def test_a_responsive_transition_fails_without_somebody_who_may_move_the_issue(
    site: Site, user: str | None
) -> None:
    responsive(site, responsive_user=user)
    answer = site.act("APPROVE")
    assert (answer["approvalStatus"], answer["issueStatus"]) == ("APPROVED", STAYED)
    assert answer["errorTransit"] is True
    assert [event["kind"] for event in site.all("history")] == ["APPROVED", "AUTOMATIC_TRANSITION_FAILED"]
    assert site.act("RESET")["errorTransit"] is False


def test_an_inactive_user_moves_nothing(site: Site) -> None:
    responsive(site, responsive_user="alice")
    site.given(users=[{"id": 10001, "is_active": False}])
    assert site.act("APPROVE")["errorTransit"] is True


def test_a_failed_transition_can_be_taken_by_hand(site: Site) -> None:
    responsive(site)
    site.act("APPROVE")
    site.move("SOFT-1", 21)
    assert site.issue_status() == MOVED
    assert "has_transition_error" not in site.record(11)


@pytest.mark.parametrize("is_responsive", [False, True])
def test_the_transition_on_rejection_may_itself_be_locked(site: Site, is_responsive: bool) -> None:
    """Record 21 locks transition 11: forced mode passes over it, responsive mode does not."""
    site.given(
        approval_mappings=[{"id": 2, "settings": {"rejection_transition_id": 11}}],
        issue_approvals=[{"id": 11, "settings": {"transitions_on_rejections": True}}],
    )
    site.configure(is_transition_responsive=is_responsive, responsive_user="alice")
    answer = site.act("REJECT")
    assert answer["errorTransit"] is is_responsive
    assert answer["issueStatus"] == STAYED  # it leads back to where it started
    kind = "AUTOMATIC_TRANSITION_FAILED" if is_responsive else "AUTOMATIC_TRANSITION"
    assert site.all("history")[-1]["kind"] == kind


# -- comments ---------------------------------------------------------------------------------


def test_a_decision_is_told_in_a_comment_of_whoever_took_it(site: Site) -> None:
    site.act("APPROVE", who="bob", comment="Well done.")
    (comment,) = site.issue()["comment"]["comments"]
    assert comment["author"]["name"] == "bob"
    assert comment["body"] == "Roberto Pupo: APPROVED by bob (In Progress)\n\nWell done."
    site.act("RESET", who="bob")
    assert site.comments()[-1] == "Roberto Pupo: PENDING by bob (In Progress)"


def test_a_log_user_may_write_it(site: Site) -> None:
    site.configure(decision_log_user="alice")
    site.act("APPROVE", who="bob")
    (comment,) = site.issue()["comment"]["comments"]
    assert comment["author"]["name"] == "alice"
    assert "by bob" in comment["body"]


def test_switched_off_there_is_no_comment_but_history_all_the_same(site: Site) -> None:
    site.configure(are_decisions_logged_as_comments=False)
    site.act("APPROVE", comment="Well done.")
    assert site.comments() == []
    assert site.all("history")[0]["comment"] == "Well done."


@pytest.mark.parametrize(("limit", "kept"), [(60, 60), (0, None), (32767, None)])
def test_a_long_comment_is_cut_in_the_issue_and_whole_in_the_history(
    site: Site, limit: int, kept: int | None
) -> None:
    site.configure(comment_limit=limit)
    comment = "Ü" * 5000
    site.act("APPROVE", comment=comment)
    whole = f"Roberto Pupo: APPROVED by admin (In Progress)\n\n{comment}"
    assert site.comments() == [whole[:kept]]
    assert site.all("history")[0]["comment"] == comment


def test_a_refusal_leaves_nothing_behind(site: Site) -> None:
    before = site.all("issue_approvals")
    site.refused(Fault.ACTION_UNAUTHORIZED, "RESET", comment="No.")
    site.refused(Fault.ACTION_DISABLED, "ABSTAIN")
    assert site.all("issue_approvals") == before
    assert [site.all(name) for name in ("history", "comments", "messages")] == [[], [], []]


# -- history ----------------------------------------------------------------------------------


def test_every_decision_is_in_the_history(site: Site) -> None:
    site.act("APPROVE", comment="Good.")
    site.act("REJECT", who="bob")
    site.act("RESET")
    events = site.all("history")
    assert [event["kind"] for event in events] == ["APPROVED", "REJECTED", "PENDING"]
    assert [(event["before"], event["after"]) for event in events] == [
        ("PENDING", "APPROVED"),
        ("APPROVED", "REJECTED"),
        ("REJECTED", "PENDING"),
    ]
    assert [event["username"] for event in events] == ["admin", "bob", "admin"]
    assert [event.get("comment") for event in events] == ["Good.", None, None]
    assert {event["issue_approval_id"] for event in events} == {11}
    assert events[0]["details"] == {"approval_id": 3, "transition_id": 21, "source_status_id": 10001}


# -- messages ---------------------------------------------------------------------------------


def recipients(site: Site) -> list[str]:
    return [message["recipient"] for message in site.all("messages")]


def test_a_vote_is_announced_to_the_assignee_and_the_approvers(site: Site) -> None:
    site.act("APPROVE")
    assert recipients(site) == ["user:admin", "user:bob"]
    assert {(message["kind"], message["issue_approval_id"]) for message in site.all("messages")} == {
        ("reply", 11)
    }
    assert not any("sent_at" in message for message in site.all("messages"))
    site.act("APPROVE", 21)
    assert recipients(site)[2:] == ["group:approvers", "user:admin", "user:bob"]
    site.act("RESET", 21)
    assert len(recipients(site)) == 5


@pytest.mark.parametrize(
    ("scheme", "told"),
    [("every vote", 3), ("every rejection", 1), ("complete approbation", 1)],
)
def test_what_is_announced_is_a_setting(site: Site, scheme: str, told: int) -> None:
    first, second = site.ask(3, 4)
    site.given(approval_mappings=[{"id": 2, "settings": {"reply_notification": scheme}}])
    site.act("REJECT", first)
    site.act("APPROVE", first)
    site.act("APPROVE", second)
    assert recipients(site) == ["user:admin", "user:bob"] * told
