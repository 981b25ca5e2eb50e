"""`/webapi/approvals`: what is shown, what a body may hold, and what a setting takes away."""

import re

import pytest
from webtest import TestApp

from herzum_approval.app import create_app
from tests.api.approval_path.conftest import (
    ADMIN,
    BOB,
    CONFLUENCE_KEY,
    JIRA_KEY,
    assert_refused,
)

MEMBERS = [
    "id",
    "definitionId",
    "name",
    "summary",
    "collectionId",
    "refId",
    "steps",
    "status",
    "activeSteps",
    "modificationDate",
]
USER_STEP = [
    "type",
    "status",
    "userId",
    "displayName",
    "parallelGroupNumber",
    "action",
    "decision",
    "decisionDate",
    "lastUpdated",
]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")
LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0[12]:00")
VOTE = "/rest/approval-admin/1.0/approval-path"


def only(answer):
    assert list(answer.json) == ["result", "totalCount"]
    assert answer.json["totalCount"] == 1
    return answer.json["result"][0]


# -- shapes -----------------------------------------------------------------------------------


def test_a_new_approval_of_an_issue(ask):
    created = only(ask("POST", "approvals/test-1", {"definitionId": "197"}))
    assert list(created) == MEMBERS
    assert (created["status"], created["refId"], created["collectionId"]) == ("IN_PROGRESS", "12305", "10000")
    (start,), (active,) = created["steps"], created["activeSteps"]
    with_pictures = [*USER_STEP[:5], "avatarUrls", *USER_STEP[5:]]
    assert list(start) == list(active) == with_pictures
    assert (start["userId"], start["action"], start["decision"]) == (ADMIN, "STARTED", "ACCEPTED")
    assert MOMENT.fullmatch(start["decisionDate"])
    assert LOCAL.fullmatch(start["lastUpdated"])
    assert (active["status"], active["decision"], active["decisionDate"]) == ("ACTIVE", None, None)
    assert active["lastUpdated"] is None
    assert list(start["avatarUrls"]) == ["48x48", "32x32", "24x24", "16x16"]
    assert created["modificationDate"] == start["decisionDate"]
    assert only(ask("GET", "approvals/12305")) == created


def test_an_approval_of_a_page_shows_no_pictures(ask):
    body = {"definitionId": "45", "userId": BOB}
    created = only(ask("POST", "approvals/10068", body, key=CONFLUENCE_KEY))
    assert list(created["steps"][0]) == USER_STEP
    by_type = {step["type"]: step for step in created["steps"][1:]}
    assert set(by_type) == {"EMAIL", "HTTP"}, "notices have happened at once"
    assert list(by_type["EMAIL"]) == [
        "type",
        "status",
        "parallelGroupNumber",
        "email",
        "action",
        "issueWatchersNotification",
        "decision",
        "decisionDate",
    ]
    assert by_type["HTTP"]["urlTemplate"].startswith("https://webhook.site/")
    (active,) = created["activeSteps"]
    assert (active["displayName"], active["action"]) == ("Kamil Zarychta", "CONSENT")


def test_what_is_decided_moves_from_one_list_to_the_other(ask, client):
    ask("POST", "approvals/TEST-1", {"definitionId": "35"})
    client.authorization = ("Basic", ("admin", "admin"))
    client.post_json(f"{VOTE}/approvals/1/votes", {"voter": "bob", "decision": "ACCEPTED"}, status="2*")
    client.authorization = None
    found = only(ask("GET", "approvals/TEST-1"))
    assert (found["status"], found["activeSteps"]) == ("SUCCESS", [])
    assert [step["decision"] for step in found["steps"]] == ["ACCEPTED", "ACCEPTED"]
    assert found["modificationDate"] == found["steps"][1]["decisionDate"]


def test_several_approvals_come_by_id(ask):
    for definition_id in ("197", "35", "197"):
        ask("POST", "approvals/TEST-1", {"definitionId": definition_id})
    found = ask("GET", "approvals/TEST-1?startAt=1&maxResults=1&anything").json
    assert [approval["id"] for approval in found["result"]] == ["1", "2", "3"]
    assert found["totalCount"] == 3


def test_an_issue_field_step_is_shown_with_members_of_our_own(ask, give):
    step = {"kind": "USER_FIELD", "field_id": "reporter"}
    give({"approval_definitions": [{"id": 500, "product": "jira", "name": "fields", "steps": [step]}]})
    definitions = ask("GET", "approval-definitions").json["result"]
    shown = next(each for each in definitions if each["id"] == "500")["steps"][0]
    assert shown == {
        "type": "USER_FIELD",
        "parallelGroupNumber": None,
        "fieldId": "reporter",
        "resolution": "approval start",
        "action": "APPROVAL",
        "requiredVotes": 1,
        "requiredRejectVotes": 1,
        "approvalCreatorExcluded": False,
        "skipFromApprovalWhenEmpty": False,
        "issueWatchersNotification": "ENABLED",
    }


def test_success_steps_are_not_shown(ask, give):
    """How the vendor spells them is unknown."""
    before = ask("GET", "approval-definitions").json
    after = {"kind": "HTTP", "url_template": "https://hooks.example.com/"}
    give({"approval_definitions": [{"id": 35, "success_steps": [after]}]})
    assert ask("GET", "approval-definitions").json == before


def test_somebody_without_an_account_id_is_shown_by_name(ask, give):
    step = {"kind": "USER", "username": "dave"}
    give({"approval_definitions": [{"id": 500, "product": "jira", "name": "dave", "steps": [step]}]})
    (active,) = only(ask("POST", "approvals/TEST-1", {"definitionId": 500}))["activeSteps"]
    assert (active["userId"], active["displayName"]) == ("dave", "Dave")


# -- bodies -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "summary"),
    [
        ({"definitionId": "35"}, None),
        ({"definitionId": 35, "summary": None, "userId": None}, None),
        ({"definitionId": "35", "summary": "  "}, None),
        ({"definitionId": "35", "summary": "A ‮ summary 💥"}, "A ‮ summary 💥"),
        ({"definitionId": "35", "summary": 5}, "5"),
        ({"definitionId": "35", "unknown": [1], "createComment": "x"}, None),
    ],
)
def test_bodies_that_do(ask, body, summary):
    created = only(ask("POST", "approvals/TEST-1", body))
    issue = ask("GET", "/rest/api/2/issue/TEST-1", headers={"Authorization": "Basic YWRtaW46YWRtaW4="}).json
    assert created["summary"] == (summary or f"TEST-1 {issue['fields']['summary']}")


REFUSED_BODIES = [
    ({}, "definitionId: is missing"),
    ({"definitionId": None}, "definitionId: is missing"),
    ({"definitionId": ""}, "definitionId: is missing"),
    ({"definitionId": "  "}, "definitionId: is missing"),
    ({"definitionId": True}, "definitionId: must be a text"),
    ({"definitionId": 35.0}, "definitionId: must be a text"),
    ({"definitionId": {"id": 35}}, "definitionId: must be a text"),
    ({"definitionId": "35", "summary": ["x"]}, "summary: must be a text"),
    ({"definitionId": "35", "summary": "a\0b"}, "summary: must not hold the character NUL"),
    ({"definitionId": "35", "userId": {}}, "userId: must be a text"),
    ([], "The request body is malformed: it must be an object"),
    ("text", "The request body is malformed: it must be an object"),
]


def test_bodies_that_do_not(ask):
    for body, text in REFUSED_BODIES:
        assert_refused(ask("POST", "approvals/TEST-1", body, status=400), text)
    assert ask("GET", "approvals/TEST-1").json["totalCount"] == 0


UNKNOWN_IDS = ["0", " 35 ", "99999999999999999999", "-35", "35x", "٣٥", "3.5e1", "x" * 5000]


def test_definitions_that_are_not_there(ask):
    for id in UNKNOWN_IDS:
        answer = ask("POST", "approvals/TEST-1", {"definitionId": id}, status=404)
        assert_refused(answer, "Approval definition not found")


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"definitionId": "35"}', "application/json", 200),
        (b'{"definitionId": "35"}', "application/json; charset=utf-8", 200),
        (b'{"definitionId": "35"}', "'application/json'", 200),  # as the vendor's page prints it
        (b'{"definitionId": "35"}', "text/plain", 415),
        (b'{"definitionId": "35"}', "", 415),
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"definitionId": "\\ud800"}', "application/json", 400),
        (b'{"definitionId": "\xff"}', "application/json", 400),
        (b'{"definitionId": NaN}', "application/json", 400),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "application/json", 400),
        (b" " * (1024 * 1024 + 1), "application/json", 413),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_contents_of_a_body(ask, content, content_type, status):
    headers = {"Content-Type": content_type}
    answer = ask("POST", "approvals/TEST-1", headers=headers, status=status, content=content)
    if status != 200:
        assert_refused(answer)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 200),
        ({}, 200),
        ({"createComment": None, "userId": None}, 200),
        ({"createComment": False}, 200),
        ({"createComment": True}, 200),
        ({"createComment": "true"}, 400),
        ({"createComment": 1}, 400),
        ({"createComment": []}, 400),
        ([], 400),
    ],
)
def test_bodies_of_a_reset(ask, client, body, status):
    ask("POST", "approvals/TEST-1", {"definitionId": "35"})
    answer = ask("POST", "approvals/TEST-1/reset", body, status=status)
    left = ask("GET", "approvals/TEST-1").json["totalCount"]
    assert left == (0 if status == 200 else 1)
    comments = client.get("/__emulator/snapshot").json.get("comments", [])
    assert len(comments) == (1 if repr(body) == "{'createComment': True}" else 0)
    if status == 400:
        assert_refused(answer)


def test_a_reset_answers_what_it_discarded_once(ask):
    created = [only(ask("POST", "approvals/TEST-1", {"definitionId": "35"})) for _ in range(2)]
    assert ask("POST", "approvals/12305/reset").json == {"result": created, "totalCount": 2}
    assert ask("POST", "approvals/TEST-1/reset").json == {"result": [], "totalCount": 0}


# -- references -------------------------------------------------------------------------------


REFS = ("NONE-1", "0", "99", "99999999999", "-1", "%00", "%20", "TEST-1%00", "%ED%A0%80", "%FF", "a" * 5000)


@pytest.mark.parametrize("key", [JIRA_KEY, CONFLUENCE_KEY])
def test_references_that_are_not_there(ask, key):
    for ref in REFS:
        for method, path, body in (
            ("GET", f"approvals/{ref}", None),
            ("POST", f"approvals/{ref}", {}),
            ("POST", f"approvals/{ref}/reset", None),
            ("DELETE", f"approvals/{ref}/1", None),
            ("GET", f"approval-definitions/{ref}", None),
        ):
            assert ask(method, path, body, key=key, status=404).json["status"] == 404


# -- deleting: ours ---------------------------------------------------------------------------


def test_one_approval_is_deleted(ask):
    for _ in range(2):
        ask("POST", "approvals/TEST-1", {"definitionId": "35"})
    assert ask("DELETE", "approvals/TEST-1/1", status=204).body == b""
    assert [each["id"] for each in ask("GET", "approvals/TEST-1").json["result"]] == ["2"]
    for ref, id in (("TEST-1", "1"), ("TEST-2", "2"), ("TEST-1", "9" * 40)):
        assert_refused(ask("DELETE", f"approvals/{ref}/{id}", status=404), "Approval not found")
    assert_refused(
        ask("DELETE", "approvals/TEST-1/x", status=404),
        "There is nothing at http://localhost/webapi/approvals/TEST-1/x",
    )
    ask("DELETE", "approvals/TEST-1/reset", status=405)


def test_a_setting_takes_deleting_away(sqlite_database):
    url = f"sqlite:///{sqlite_database.database}"
    settings = {"database_url": url, "demonstration": True, "bcrypt_cost": 4}
    app = create_app(**settings, approval_path_deletes=False, approval_path_time_zone="Asia/Kolkata")
    client = TestApp(app)
    client.post("/__emulator/reset", status=204)
    headers = {"Authorization": f"Bearer {JIRA_KEY}"}
    created = client.post_json("/webapi/approvals/TEST-1", {"definitionId": "35"}, headers=headers).json
    assert created["result"][0]["steps"][0]["lastUpdated"].endswith("+05:30")
    for sent in (headers, {}):
        answer = client.delete("/webapi/approvals/TEST-1/1", headers=sent, status=404)
        assert_refused(answer, "There is nothing at http://localhost/webapi/approvals/TEST-1/1")
    assert client.get("/webapi/approvals/TEST-1", headers=headers).json == created
    app.wsgi_app.database.close_all()


# -- outside of the endpoints -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/webapi", 404),
        ("GET", "/webapi/none", 404),
        ("GET", "/webapi/approvals", 404),
        ("PUT", "/webapi/approvals/TEST-1", 405),
        ("GET", "/webapi/approvals/TEST-1/reset", 405),
        ("POST", "/webapi/approval-definitions", 405),
        ("GET", "/jira/webapi/none", 404),
    ],
)
def test_what_is_not_there_is_said_in_the_familys_shape(client, method, path, status):
    answer = client.request(path, method=method, status=status)
    assert_refused(answer)


def test_the_context_path_is_part_of_the_path_that_an_error_names(ask):
    answer = ask("GET", "/jira/webapi/approvals/NONE-1", status=404)
    assert answer.json["path"] == "/jira/webapi/approvals/NONE-1"
