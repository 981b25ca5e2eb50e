"""The four actions: the table of `tables/actions.csv`, and what holds of all of them."""

from dataclasses import fields, replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from herzum_approval.domain.actions import (
    OUTCOME,
    Action,
    Right,
    act,
    is_enabled,
    is_offered,
    may_decide,
)
from herzum_approval.domain.configuration import Configuration
from herzum_approval.domain.issue_approvals import ApprovalStatus
from herzum_approval.domain.mappings import AbstainOverride
from herzum_approval.errors import Fault, Problem
from tests.domain.truth_tables import NOW, cases, is_yes, rows, vote

ME = "me"
PENDING = ApprovalStatus.PENDING
SWITCHES = {
    "reject-off": {"is_reject_enabled": False},
    "abstain-on": {"is_abstain_enabled": True},
    "lock": {"is_reversing_locked": True, "reversing_exempted_users": ("another",)},
    "lock-exempt": {"is_reversing_locked": True, "reversing_exempted_users": ("another", ME)},
    "reset-first": {"are_actions_enabled_after_decision": False},
}
SETTINGS = {
    "mapping-abstain-on": {"abstain_override": AbstainOverride.ON},
    "mapping-abstain-off": {"abstain_override": AbstainOverride.OFF},
    "comment-required": {"requires_comment": True},
}
RIGHTS = {
    "": Right(username=ME, is_approver=True),
    "approver": Right(username=ME, is_approver=True),
    "delegate": Right(username=ME, is_approver=False, delegators=("boss",)),
    "both": Right(username=ME, is_approver=True, delegators=("boss",)),
    "nobody": Right(username=ME, is_approver=False),
}
ALLOWING = Configuration(is_abstain_enabled=True)


def chosen(switches, choices):
    assert all(switch in SWITCHES | SETTINGS for switch in switches)
    return {name: value for switch in switches for name, value in choices.get(switch, {}).items()}


def record_in(status, decided_by="voter", **settings):
    decision = {} if status is PENDING else {"approver_username": decided_by}
    return vote(7, status, version=4, **decision, **settings)


def done(record, action, right=RIGHTS["approver"], configuration=ALLOWING, *, is_open=True, comment=None):
    return act(record, action, right, configuration, is_open=is_open, comment=comment, now=NOW)


@pytest.mark.parametrize("case", cases("actions"))
def test_table(case):
    switches = case["switches"].split()
    record = record_in(
        ApprovalStatus(case["status"]),
        {"": "voter", "other": "voter", "self": ME}[case["decided by"]],
        **chosen(switches, SETTINGS),
    )

    def attempt():
        return done(
            record,
            Action(case["action"]),
            RIGHTS[case["right"]],
            Configuration(**chosen(switches, SWITCHES)),
            is_open=is_yes(case["open"] or "yes"),
            comment={"": None, "given": "Seen."}[case["comment"]],
        )

    if case["result"] in Fault.__members__:
        with pytest.raises(Problem) as raised:
            attempt()
        assert raised.value.fault is Fault[case["result"]]
    else:
        assert attempt().approval_status is ApprovalStatus(case["result"])


def test_table_has_every_state_with_every_action():
    plain = [row for row in rows("actions") if row["switches"] == "abstain-on" and not row["right"]]
    found = [(row["status"], row["action"]) for row in plain if not row["open"]]
    assert sorted(found) == sorted(
        (status.value, action.value) for status, action in product(ApprovalStatus, Action)
    )


def test_table_has_every_switch_right_and_result():
    found = rows("actions")
    assert {switch for row in found for switch in row["switches"].split()} == set(SWITCHES | SETTINGS)
    assert {row["right"] for row in found} == set(RIGHTS)
    faults = {"ACTION_DISABLED", "ACTION_UNAUTHORIZED", "COMMENT_REQUIRED"}
    assert {row["result"] for row in found} == faults | {status.value for status in ApprovalStatus}


@pytest.mark.parametrize("action", [Action.APPROVE, Action.REJECT, Action.ABSTAIN])
def test_a_decision_records_who_took_it_and_when(action):
    before = record_in(PENDING)
    assert done(before, action) == replace(
        before, approval_status=OUTCOME[action], decided_at=NOW, approver_username=ME, version=5
    )


def test_a_delegate_is_recorded_as_himself():
    after = done(record_in(PENDING), Action.APPROVE, RIGHTS["delegate"])
    assert after.approver_username == ME


def test_a_reset_takes_date_and_approver_away_and_keeps_the_submission():
    before = record_in(ApprovalStatus.APPROVED)
    assert done(before, Action.RESET) == replace(
        before, approval_status=PENDING, decided_at=None, approver_username=None, version=5
    )


@pytest.mark.parametrize(
    ("right", "delegator"),
    [
        (RIGHTS["approver"], None),
        (RIGHTS["both"], None),
        (RIGHTS["nobody"], None),
        (RIGHTS["delegate"], "boss"),
        (Right(username=ME, is_approver=False, delegators=("carol", "bob", "dave")), "bob"),
    ],
)
def test_a_delegate_acts_for_the_first_of_his_delegators(right, delegator):
    assert right.on_behalf_of == delegator


# -- what holds of all of them ----------------------------------------------------------------

statuses, actions = st.sampled_from(ApprovalStatus), st.sampled_from(Action)
decisions = st.sampled_from([action for action in Action if action is not Action.RESET])
records = st.builds(
    record_in,
    statuses,
    st.sampled_from([ME, "voter"]),
    abstain_override=st.sampled_from(AbstainOverride),
    requires_comment=st.booleans(),
)
rights = st.sampled_from(list(RIGHTS.values()))
configurations = st.builds(
    Configuration,
    is_reject_enabled=st.booleans(),
    is_abstain_enabled=st.booleans(),
    is_reversing_locked=st.booleans(),
    reversing_exempted_users=st.sampled_from([(), (ME,)]),
    are_actions_enabled_after_decision=st.booleans(),
)
comments = st.sampled_from([None, "Seen."])
CHANGED = {"approval_status", "decided_at", "approver_username", "version"}


@settings(deadline=None)
@given(records, actions, rights, configurations, st.booleans(), comments)
def test_an_action_changes_the_decision_or_is_refused(record, action, right, configuration, is_open, comment):
    try:
        after = done(record, action, right, configuration, is_open=is_open, comment=comment)
    except Problem:
        return
    changed = {
        each.name for each in fields(record) if getattr(record, each.name) != getattr(after, each.name)
    }
    assert {"approval_status", "version"} <= changed <= CHANGED
    assert after.approval_status is OUTCOME[action]
    assert (
        (after.decided_at is None) is (after.approver_username is None) is (after.approval_status is PENDING)
    )


@settings(deadline=None)
@given(records, actions, rights, configurations, st.booleans(), comments)
def test_an_action_is_taken_exactly_where_everything_allows_it(
    record, action, right, configuration, is_open, comment
):
    allowed = (
        is_open
        and is_enabled(action, record, configuration)
        and may_decide(record, right)
        and is_offered(record, action, right, configuration)
        and (comment is not None or action is Action.RESET or not record.settings.requires_comment)
    )
    try:
        done(record, action, right, configuration, is_open=is_open, comment=comment)
    except Problem:
        assert not allowed
    else:
        assert allowed


@settings(deadline=None)
@given(decisions, st.sampled_from([right for name, right in RIGHTS.items() if name != "nobody"]))
def test_a_decision_that_is_reset_never_was(action, right):
    before = record_in(PENDING)
    after = done(done(before, action, right), Action.RESET, right)
    assert replace(after, version=before.version) == before
    assert after.version == before.version + 2


@settings(deadline=None)
@given(records, actions, configurations)
def test_no_action_succeeds_twice(record, action, configuration):
    try:
        after = done(record, action, configuration=configuration, comment="Seen.")
    except Problem:
        return
    with pytest.raises(Problem):
        done(after, action, configuration=configuration, comment="Seen.")


@settings(deadline=None)
@given(records, actions, rights)
def test_who_has_no_say_can_do_nothing(record, action, right):
    if not may_decide(record, right):
        with pytest.raises(Problem) as raised:
            done(record, action, right, comment="Seen.")
        assert raised.value.fault in (Fault.ACTION_DISABLED, Fault.ACTION_UNAUTHORIZED)
