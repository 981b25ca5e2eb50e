"""`/rest/approval-admin/1.0/configuration`."""

import pytest

from tests.api.administration.conftest import SEARCH, assert_refused

DEFAULTS = {
    "isRejectEnabled": True,
    "isAbstainEnabled": False,
    "isReversingLocked": False,
    "reversingExemptedUsers": [],
    "areActionsEnabledAfterDecision": True,
    "credentialsRequired": "none",
    "isDelegationEnabled": False,
    "isTransitionResponsive": False,
    "responsiveUser": None,
    "doMinimumsDriveTransitions": False,
    "areDecisionsLoggedAsComments": True,
    "decisionLogUser": None,
    "conditionalRuleUser": None,
    "commentLimit": 32767,
    "superApproverUsers": [],
    "superApproverGroups": [],
}
OTHERS = {
    "isRejectEnabled": False,
    "isAbstainEnabled": True,
    "isReversingLocked": True,
    "reversingExemptedUsers": ["bob", "carol"],
    "areActionsEnabledAfterDecision": False,
    "credentialsRequired": "username and password",
    "isDelegationEnabled": True,
    "isTransitionResponsive": True,
    "responsiveUser": "admin",
    "doMinimumsDriveTransitions": True,
    "areDecisionsLoggedAsComments": False,
    "decisionLogUser": "alice",
    "conditionalRuleUser": "alice",
    "commentLimit": 0,
    "superApproverUsers": ["dave"],
    "superApproverGroups": ["approvers"],
}


def test_show(ask):
    assert ask("GET", "configuration").text == ask("PUT", "configuration", {}).text
    assert ask("GET", "configuration").json == DEFAULTS


def test_replace(ask):
    assert ask("PUT", "configuration", OTHERS).json == OTHERS
    assert ask("GET", "configuration").json == OTHERS
    # What is left out has its default again.
    assert ask("PUT", "configuration", {"commentLimit": 10}).json == {**DEFAULTS, "commentLimit": 10}


def test_a_super_approver_is_found_at_once(ask):
    def found():
        return {record["id"] for record in ask("GET", f"{SEARCH}?username=carol").json}

    before = found()
    ask("PUT", "configuration", {"superApproverUsers": ["carol"]})
    assert found() > before
    ask("POST", f"{SEARCH}/77/action", {"action": "APPROVE"}, as_="carol")
    ask("PUT", "configuration", {})
    assert found() == before


def test_a_switch_holds_at_once(ask):
    answer = ask("POST", f"{SEARCH}/77/action", {"action": "ABSTAIN"}, status=403)
    assert answer.json["errorCode"] == "issueapproval.action.disabled"
    ask("PUT", "configuration", {"isAbstainEnabled": True})
    ask("POST", f"{SEARCH}/77/action", {"action": "ABSTAIN"})


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"isRejectEnabled": "yes"}, "body.invalid", "isRejectEnabled: must be true or false"),
        ({"is_reject_enabled": True}, "body.invalid", "is_reject_enabled: is no member"),
        ({"commentLimit": -1}, "body.invalid", "commentLimit: must be from 0 to 2147483647"),
        ({"commentLimit": 1.5}, "body.invalid", "commentLimit: must be a whole number"),
        ({"superApproverUsers": "bob"}, "body.invalid", "superApproverUsers: must be a list"),
        ({"superApproverUsers": [None]}, "body.invalid", "superApproverUsers[0]: must not be null"),
        (
            {"credentialsRequired": "PASSWORD"},
            "body.invalid",
            "credentialsRequired: must be one of 'none', 'password', 'username and password'",
        ),
        (
            {"superApproverUsers": ["bob", "nobody"]},
            "reference.invalid",
            "superApproverUsers[1]: 'nobody' is the username of none of the users",
        ),
        (
            {"superApproverGroups": ["none"]},
            "reference.invalid",
            "superApproverGroups[0]: 'none' is the name of none of the groups",
        ),
        (
            {"responsiveUser": "nobody"},
            "reference.invalid",
            "responsiveUser: 'nobody' is the username of none of the users",
        ),
    ],
)
def test_what_cannot_be(ask, body, code, text):
    before = ask("GET", "configuration")
    assert_refused(ask("PUT", "configuration", body, status=400), code, text)
    after = ask("GET", "configuration")
    assert (after.json, after.headers["ETag"]) == (before.json, before.headers["ETag"])


def test_there_is_nothing_to_delete(ask):
    assert_refused(
        ask("DELETE", "configuration", status=405), "method.notallowed", "Use GET, HEAD, OPTIONS, PUT"
    )
