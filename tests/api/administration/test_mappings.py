"""`/rest/approval-admin/1.0/mappings`."""

import pytest

from tests.api.administration.conftest import SEARCH, assert_refused

MAPPING = {
    "projectId": 10000,
    "issueTypeId": 10002,
    "sourceStatusId": 1,
    "transitionId": 5,
    "approvals": [{"approvalId": 1}],
}
SETTINGS = {
    "transitionsOnApprobations": False,
    "transitionsOnRejections": False,
    "waitsForAllReplies": False,
    "sendsRequestMail": False,
    "announcesByComment": False,
    "requiresComment": False,
    "minimumApprobations": -1.0,
    "minimumRejections": -1.0,
    "conditionalRuleId": None,
    "isSequential": False,
    "opensAfterAnyDecision": False,
    "abstainOverride": "follow global",
    "showsStatusOnPortal": False,
    "showsButtonsOnPortal": False,
    "rejectionTransitionId": None,
    "assigneeAfterDecision": None,
    "requestMailTemplate": None,
    "replyMailTemplate": None,
    "replyNotification": None,
    "reminderDays": None,
    "superApprovers": [],
}
EVERYTHING = {
    **MAPPING,
    "issueId": None,
    "settings": {
        **SETTINGS,
        "transitionsOnApprobations": True,
        "minimumApprobations": 0.5,
        "minimumRejections": 2.0,
        "conditionalRuleId": 7,
        "isSequential": True,
        "abstainOverride": "off",
        "rejectionTransitionId": 11,
        "assigneeAfterDecision": "bob",
        "requestMailTemplate": "Please",
        "replyNotification": "every rejection",
        "reminderDays": 3,
        "superApprovers": [
            {"kind": "user", "value": "carol", "isExcluded": False},
            {"kind": "reporter", "value": None, "isExcluded": True},
        ],
    },
    "approvals": [
        {"approvalId": 3, "isOptional": True, "conditionalRuleId": 7},
        {"approvalId": 1, "isOptional": False, "conditionalRuleId": None},
    ],
    "conditionedMinimums": [{"kind": "rejections", "conditionalRuleId": 7, "minimum": 1.0}],
}
RULE = {"id": 7, "name": "bugs", "jql": "type = Bug"}


@pytest.fixture
def with_rule(client):
    document = client.get("/__emulator/snapshot").json
    client.put_json("/__emulator/snapshot", document | {"conditional_rules": [RULE]}, status=204)


@pytest.fixture
def with_system_workflow(client):
    document = client.get("/__emulator/snapshot").json
    workflow = next(each for each in document["workflows"] if each["id"] == 2)
    document["workflows"].append({**workflow, "id": 9, "name": "jira", "is_system": True})
    document["workflow_schemes"].append({"id": 9, "name": "System", "default_workflow_id": 9})
    model = next(each for each in document["projects"] if each["key"] == "SOFT")
    document["projects"].append({**model, "id": 10900, "key": "SYS", "workflow_scheme_id": 9})
    client.put_json("/__emulator/snapshot", document, status=204)


def test_show(ask):
    assert ask("GET", "mappings/4").json == {
        "id": 4,
        "projectId": 10000,
        "issueTypeId": 10002,
        "sourceStatusId": 1,
        "transitionId": 11,
        "issueId": None,
        "settings": SETTINGS,
        "approvals": [{"approvalId": 3, "isOptional": False, "conditionalRuleId": None}],
        "conditionedMinimums": [],
    }


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("projectId=10000", [4, 5, 7, 8]),
        ("projectId=10000&issueTypeId=10002", [4, 7, 8]),
        ("sourceStatusId=3", [8]),
        ("transitionId=21", [2]),
        ("approvalId=3", [2, 4, 5, 8]),
        ("approvalId=3&projectId=10300&transitionId=21&issueTypeId=10001&sourceStatusId=10001", [2]),
        ("projectId=99", []),
        ("approvalId=%202%20&approvalId=3", [6, 7]),
        ("os_authType=any&approvalId=0005", [3]),
    ],
)
def test_list(ask, query, ids):
    found = ask("GET", f"mappings?{query}").json
    assert [mapping["id"] for mapping in found] == ids
    assert all(mapping == ask("GET", f"mappings/{mapping['id']}").json for mapping in found)


@pytest.mark.parametrize("name", ["projectId", "issueTypeId", "sourceStatusId", "transitionId", "approvalId"])
@pytest.mark.parametrize("value", ["", "x", "-1", "2147483648", "%00", "9" * 5000])
def test_what_is_no_id_is_refused(ask, name, value):
    answer = ask("GET", f"mappings?{name}={value}", status=400)
    assert_refused(answer, "parameter.invalid", f"{name}: must be an id")


@pytest.mark.parametrize("name", ["approvalid", "approval_id", "name", ""])
def test_a_misspelt_filter_is_refused(ask, name):
    answer = ask("GET", f"mappings?projectId=10000&{name}=3", status=400)
    assert_refused(answer, "parameter.invalid", f"{name}: is no parameter")


def test_create_asks_the_issues_that_wait(ask):
    answer = ask("POST", "mappings", MAPPING, status=201)
    created = answer.json
    assert answer.headers["Location"] == f"http://localhost/rest/approval-admin/1.0/mappings/{created['id']}"
    shown = ask("GET", answer.headers["Location"].removeprefix("http://localhost"))
    assert (shown.json, shown.headers["ETag"]) == (created, answer.headers["ETag"])
    assert created["settings"] == SETTINGS
    found = ask("GET", f"{SEARCH}?issuekey=TEST-2&appname=tech").json
    assert [record["transitionName"] for record in found] == ["Close Issue"]


def test_everything_is_kept(ask, with_rule):
    created = ask("POST", "mappings", EVERYTHING, status=201).json
    assert created == {"id": created["id"], **EVERYTHING}
    assert list(created) == list(ask("GET", "mappings/4").json)
    changed = {**created, "settings": {"isSequential": True}, "approvals": [], "conditionedMinimums": []}
    edited = ask("PUT", f"mappings/{created['id']}", changed).json
    assert edited == {**changed, "settings": {**SETTINGS, "isSequential": True}}
    assert ask("GET", f"mappings/{created['id']}").json == edited


def test_a_mapping_of_one_issue(ask):
    given = {**MAPPING, "sourceStatusId": 3, "issueId": 12305}
    created = ask("POST", "mappings", given, status=201).json
    assert created["issueId"] == 12305
    found = ask("GET", f"{SEARCH}?issuekey=TEST-1&appname=tech").json
    assert [record["type"] for record in found] == ["SINGLE_ISSUE"]
    assert_refused(ask("POST", "mappings", given, status=409), "mapping.exists")
    # What is for all issues is another scope.
    ask("POST", "mappings", {**given, "issueId": None}, status=201)


def test_edit_keeps_votes_and_delete_takes_records(ask):
    ask("POST", f"{SEARCH}/77/action", {"action": "APPROVE"})
    mapping = ask("GET", "mappings/4").json
    mapping["settings"]["requiresComment"] = True
    ask("PUT", "mappings/4", mapping)
    (record,) = ask("GET", f"{SEARCH}?issuekey=TEST-2").json
    assert (record["id"], record["approvalStatus"], record["rac"]) == (77, "APPROVED", True)
    answer = ask("DELETE", "mappings/4", status=204)
    assert answer.body == b""
    assert ask("GET", f"{SEARCH}?issuekey=TEST-2").json == []
    ask("GET", "mappings/4", status=404)


def test_delete_expects_a_version(ask):
    tag = ask("GET", "mappings/4").headers["ETag"]
    assert_refused(ask("DELETE", "mappings/4", headers={"If-Match": '"0"'}, status=412), "version.stale")
    ask("GET", "mappings/4")
    ask("DELETE", "mappings/4", headers={"If-Match": tag}, status=204)


@pytest.mark.parametrize(
    "change", [{"projectId": 10100}, {"issueTypeId": 10004}, {"transitionId": 5}, {"issueId": 12305}]
)
def test_what_a_mapping_is_for_stays(ask, change):
    mapping = ask("GET", "mappings/4").json
    assert_refused(ask("PUT", "mappings/4", {**mapping, **change}, status=400), "mapping.scope.fixed")


def test_what_is_mapped_cannot_be_mapped_again(ask):
    answer = ask("POST", "mappings", {**MAPPING, "transitionId": 11}, status=409)
    assert_refused(answer, "mapping.exists", "The mapping 4 is for this transition already")


def changed(**members):
    return {**MAPPING, **members}


def settings(**members):
    return {**MAPPING, "settings": members}


IDS = "must be from 1 to 2147483647"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "projectId: is missing"),
        (changed(none=1), "none: is no member"),
        (changed(project_id=1), "project_id: is no member"),
        (changed(id=4), "id: is given by the server"),
        (changed(id=0), f"id: {IDS}"),
        (changed(projectId="10000"), "projectId: must be a whole number"),
        (changed(projectId=10000.0), "projectId: must be a whole number"),
        (changed(projectId=True), "projectId: must be a whole number"),
        (changed(projectId=None), "projectId: must not be null"),
        (changed(projectId=2**31), f"projectId: {IDS}"),
        (changed(projectId=2**70), "projectId: must be a whole number"),
        (changed(transitionId=0), f"transitionId: {IDS}"),
        (changed(approvals={}), "approvals: must be a list"),
        (changed(approvals=[1]), "approvals[0]: must be an object"),
        (changed(approvals=[{"approvalId": 1}, {}]), "approvals[1].approvalId: is missing"),
        (
            changed(approvals=[{"approvalId": 1, "isOptional": 1}]),
            "approvals[0].isOptional: must be true or false",
        ),
        (changed(approvals=[{"approvalId": 1}] * 1001), "approvals: has more than 1000 entries"),
        (changed(settings=[]), "settings: must be an object"),
        (changed(settings=None), "settings: must not be null"),
        (settings(awt=True), "settings.awt: is no member"),
        (settings(isSequential="true"), "settings.isSequential: must be true or false"),
        (settings(minimumApprobations="1"), "settings.minimumApprobations: must be a number"),
        (
            settings(minimumApprobations=-2),
            "settings.minimumApprobations: -2.0 is neither -1.0 (all) nor 0 or more",
        ),
        (
            settings(abstainOverride=1),
            "settings.abstainOverride: must be one of 'follow global', 'on', 'off'",
        ),
        (settings(reminderDays=0), f"settings.reminderDays: {IDS}"),
        (settings(requestMailTemplate=1), "settings.requestMailTemplate: must be a text"),
        (
            settings(requestMailTemplate="a\0b"),
            "settings.requestMailTemplate: must not hold the character NUL",
        ),
        (settings(superApprovers=[{}]), "settings.superApprovers[0].kind: is missing"),
        (
            changed(conditionedMinimums=[{"kind": "x", "conditionalRuleId": 1, "minimum": 1}]),
            "conditionedMinimums[0].kind: must be one of 'approbations', 'rejections'",
        ),
    ],
)
def test_a_body_that_cannot_be(ask, body, text):
    answer = ask("POST", "mappings", body, status=400)
    assert_refused(answer, "body.invalid", text)
    if "id" not in body:
        ask("PUT", "mappings/4", body, status=400)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (changed(projectId=99), "projectId: 99 is the id of none of the projects"),
        (changed(issueTypeId=99), "issueTypeId: 99 is the id of none of the issue_types"),
        (changed(sourceStatusId=99), "sourceStatusId: 99 is the id of none of the statuses"),
        (changed(issueId=12400), "issueId: 12400 is the issue_id of none of the single_issue_configurations"),
        (changed(issueId=12700), "issueId: the issue is of another project or issue type"),
        (
            changed(approvals=[{"approvalId": 99}]),
            "approvals[0].approvalId: 99 is the id of none of the approvals",
        ),
        (
            settings(conditionalRuleId=99),
            "settings.conditionalRuleId: 99 is the id of none of the conditional_rules",
        ),
        (
            settings(assigneeAfterDecision="nobody"),
            "settings.assigneeAfterDecision: 'nobody' is the username of none of the users",
        ),
        (
            settings(superApprovers=[{"kind": "user", "value": "nobody"}]),
            "settings.superApprovers[0].value: 'nobody' is the username of none of the users",
        ),
        (
            settings(superApprovers=[{"kind": "project role", "value": "10009"}]),
            "settings.superApprovers[0].value: 10009 is the id of none of the project_roles",
        ),
        (
            settings(superApprovers=[{"kind": "reporter", "value": "bob"}]),
            "settings.superApprovers[0].value: the property 'reporter' has no value",
        ),
    ],
)
def test_what_does_not_lead_anywhere(ask, body, text):
    assert_refused(ask("POST", "mappings", body, status=400), "reference.invalid", text)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (changed(transitionId=111), "transitionId: 111 is no transition from status 1 in 'Classic Workflow'"),
        (changed(transitionId=99), "transitionId: 99 is no transition from status 1 in 'Classic Workflow'"),
        (
            changed(sourceStatusId=10001),
            "transitionId: the status 10001 is not in the workflow 'Classic Workflow'",
        ),
        (
            settings(rejectionTransitionId=111),
            "settings.rejectionTransitionId: 111 is no transition from status 1 in 'Classic Workflow'",
        ),
    ],
)
def test_a_transition_has_to_leave_the_status(ask, body, text):
    assert_refused(ask("POST", "mappings", body, status=400), "transition.invalid", text)


def test_the_system_workflow_takes_no_approvals(ask, with_system_workflow):
    body = changed(projectId=10900, sourceStatusId=10001, transitionId=11)
    answer = ask("POST", "mappings", body, status=400)
    assert_refused(answer, "workflow.system", "The system workflow jira takes no approvals")


def test_nothing_is_written_where_something_is_refused(ask, client):
    before = client.get("/__emulator/snapshot").json
    ask("POST", "mappings", changed(approvals=[{"approvalId": 99}]), status=400)
    ask("POST", "mappings", changed(transitionId=11), status=409)
    mapping = ask("GET", "mappings/4").json
    ask("PUT", "mappings/4", mapping, headers={"If-Match": '"0"'}, status=412)
    ask("PUT", "mappings/4", {**mapping, "id": 5}, status=400)
    after = client.get("/__emulator/snapshot").json
    assert after | {"login_records": []} == before | {"login_records": []}
