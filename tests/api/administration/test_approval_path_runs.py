"""`/rest/approval-admin/1.0/approval-path/` approvals and requests."""

from dataclasses import replace

import pytest

from herzum_approval import config
from tests.api.administration.conftest import assert_refused

ROOT = "approval-path"
START = {"product": "jira", "ref": "TEST-1", "definitionId": 197}
WEBHOOK = {"product": "confluence", "ref": "10068", "definitionId": 45}


def start(ask, status=201, **members):
    return ask("POST", f"{ROOT}/approvals", {**START, **members}, status=status)


def vote(ask, path_id, voter, decision="ACCEPTED", status=200, **members):
    body = {"voter": voter, "decision": decision, **members}
    return ask("POST", f"{ROOT}/approvals/{path_id}/votes", body, status=status)


def test_start_vote_and_end(ask):
    answer = start(ask)
    path = answer.json
    assert answer.headers["Location"].endswith(f"/rest/approval-admin/1.0/{ROOT}/approvals/{path['id']}")
    assert (path["pathStatus"], path["startedBy"], path["refId"]) == ("IN_PROGRESS", "admin", 12305)
    assert [step["status"] for step in path["steps"]] == ["SUCCESS", "ACTIVE", "PENDING", "PENDING"]
    assert path["steps"][1]["members"] == ["alice"]
    assert ask("GET", f"{ROOT}/approvals/{path['id']}").json == path
    assert ask("GET", f"{ROOT}/approvals?product=jira&ref=test-1").json == [path]
    for voter in ("alice", "bob", "bob"):
        path = vote(ask, path["id"], voter).json
    assert path["pathStatus"] == "SUCCESS"
    assert [vote["voter"] for step in path["steps"] for vote in step["votes"]] == ["alice", "bob", "bob"]
    comments = ask("GET", "/rest/api/2/issue/TEST-1?fields=comment").json["fields"]["comment"]["comments"]
    assert comments[-1]["body"].startswith("Approval QA was approved.")


def test_start_as_the_pages_of_the_vendor_do(ask):
    path = start(
        ask,
        username="carol",
        name="Renamed",
        summary="Why",
        expiresAt="2999-01-01T00:00:00.000Z",
        allowsAbstaining=True,
    ).json
    shown = [path[name] for name in ("startedBy", "name", "summary", "expiresAt", "allowsAbstaining")]
    assert shown == ["carol", "Renamed", "Why", "2999-01-01T00:00:00.000Z", True]
    assert vote(ask, path["id"], "alice", "ABSTAINED").json["steps"][1]["decision"] == "ABSTAINED"


def test_what_has_expired(ask):
    path = start(ask, expiresAt="2020-01-01T00:00:00Z").json
    assert ask("GET", f"{ROOT}/approvals/{path['id']}").json["pathStatus"] == "EXPIRED"
    answer = vote(ask, path["id"], "alice", status=409)
    assert_refused(answer, "path.ended", f"The approval {path['id']} is not running: EXPIRED")
    assert [each["id"] for each in ask("GET", f"{ROOT}/approvals?pathStatus=EXPIRED").json] == [path["id"]]


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"ref": "NONE-1"}, 404, "path.ref.notexist"),
        ({"product": "confluence"}, 404, "path.ref.notexist"),
        ({"definitionId": 99}, 404, "path.definition.notexist"),
        ({"definitionId": 45}, 404, "path.definition.notexist"),
        ({"ref": "PROC-1"}, 404, "path.definition.notexist"),
        ({"username": "nobody"}, 400, "reference.invalid"),
        ({"username": None}, 400, "body.invalid"),
        ({"definitionId": "197"}, 400, "body.invalid"),
        ({"ref": 12305}, 400, "body.invalid"),
        ({"expiresAt": "tomorrow"}, 400, "body.invalid"),
        ({"other": 1}, 400, "body.invalid"),
    ],
)
def test_a_start_that_is_refused(ask, members, status, code):
    assert_refused(start(ask, status=status, **members), code)
    assert ask("GET", f"{ROOT}/approvals").json == []


def test_conditions_and_empty_groups_refuse_a_start(ask):
    condition = ask("POST", f"{ROOT}/conditions", {"name": "bugs", "jql": "type = Bug"}, status=201).json
    definition = {
        "product": "jira",
        "name": "Own",
        "conditionId": condition["id"],
        "steps": [{"kind": "USER_FIELD", "fieldId": "assignee", "isCreatorExcluded": True}],
    }
    made = ask("POST", f"{ROOT}/definitions", definition, status=201).json["id"]
    refused = start(ask, status=400, definitionId=made)
    assert_refused(refused, "path.condition.false", "The condition of Own is not met")
    refused = start(ask, status=400, definitionId=made, ref="SOFT-2", username="alice")
    assert_refused(refused, "path.step.empty", "There is nobody to decide step 1 of Own")
    assert start(ask, definitionId=made, ref="SOFT-2").json["steps"][1]["members"] == ["alice"]


def test_votes_that_are_refused(ask):
    path_id = start(ask).json["id"]
    answer = vote(ask, path_id, "bob", status=409)
    assert_refused(answer, "path.voter.notasked", f"bob is not asked by approval {path_id} now")
    answer = vote(ask, path_id, "alice", "ABSTAINED", status=409)
    assert_refused(answer, "path.abstain.disabled", f"Approval {path_id} lets nobody abstain")
    answer = vote(ask, path_id, "bob", position=2, status=409)
    assert_refused(answer, "path.step.inactive", f"Nobody votes on step 2 of approval {path_id}")
    assert_refused(vote(ask, path_id, "alice", "accepted", status=400), "body.invalid")
    assert_refused(vote(ask, path_id, "alice", position=-1, status=400), "body.invalid")
    assert_refused(
        vote(ask, 99, "alice", status=404), "path.approval.notexist", "There is no such approval 99"
    )
    assert vote(ask, path_id, "alice", position=1).json["steps"][1]["status"] == "SUCCESS"


def test_a_second_vote_is_refused(ask):
    definition = {
        "product": "confluence",
        "name": "Two",
        "steps": [{"kind": "GROUP", "group": "confluence-users", "requiredVotes": 2}],
    }
    made = ask("POST", f"{ROOT}/definitions", definition, status=201).json["id"]
    path_id = start(ask, product="confluence", ref="10068", definitionId=made).json["id"]
    vote(ask, path_id, "bob")
    answer = vote(ask, path_id, "bob", "REJECTED", status=409)
    assert_refused(answer, "path.vote.cast", f"bob has voted on approval {path_id}")
    assert vote(ask, path_id, "kamil").json["pathStatus"] == "SUCCESS"
    (comment,) = ask("GET", f"{ROOT}/pages/10068/comments").json
    assert list(comment) == ["id", "pageId", "author", "body", "createdAt"]
    assert (comment["pageId"], comment["author"]) == (10068, None)
    assert_refused(ask("GET", f"{ROOT}/pages/1/comments", status=404), "path.page.notexist")


def test_archive_and_delete(ask):
    path_id = start(ask).json["id"]
    assert ask("POST", f"{ROOT}/approvals/{path_id}/archive").json["pathStatus"] == "ARCHIVED"
    assert_refused(ask("POST", f"{ROOT}/approvals/{path_id}/archive", status=409), "path.ended")
    ask("DELETE", f"{ROOT}/approvals/{path_id}", status=204)
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/archive")):
        answer = ask(method, f"{ROOT}/approvals/{path_id}{path}", status=404)
        assert_refused(answer, "path.approval.notexist")


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", [0, 1]),
        ("product=jira", [0]),
        ("product=confluence&ref=10068", [1]),
        ("definitionId=45", [1]),
        ("definitionId=1", []),
        ("pathStatus=IN_PROGRESS", [0, 1]),
        ("pathStatus=ARCHIVED", []),
    ],
)
def test_filters(ask, query, places):
    ids = [start(ask).json["id"], start(ask, **WEBHOOK).json["id"]]
    found = ask("GET", f"{ROOT}/approvals?{query}").json
    assert [ids.index(each["id"]) for each in found] == places


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("approvals?ref=TEST-1", 400, "parameter.invalid"),
        ("approvals?product=jira&ref=NONE", 404, "path.ref.notexist"),
        ("approvals?product=jira&ref=%00", 404, "path.ref.notexist"),
        ("approvals?pathStatus=running", 400, "parameter.invalid"),
        ("approvals?product=", 400, "parameter.invalid"),
        ("requests?state=x", 400, "parameter.invalid"),
        ("requests?approvalId=x", 400, "parameter.invalid"),
    ],
)
def test_parameters_that_make_no_sense(ask, query, status, code):
    assert_refused(ask("GET", f"{ROOT}/{query}", status=status), code)


# -- requests ---------------------------------------------------------------------------------


def test_requests_are_recorded_and_answered_by_default(ask):
    path = start(ask, **WEBHOOK).json
    (request,) = ask("GET", f"{ROOT}/requests?approvalId={path['id']}").json
    assert request["url"] == "https://webhook.site/d42d1f3d-74a8-433e-b5a3-961d46505fe4?test=test"
    assert request["body"] == '{"pages":["10068"]}'
    assert (request["state"], request["status"], request["isOfRejection"]) == ("answered", 200, False)
    assert ask("GET", f"{ROOT}/requests/{request['id']}").json == request
    vote(ask, path["id"], "kamil", "REJECTED")
    assert [each["isOfRejection"] for each in ask("GET", f"{ROOT}/requests?state=answered").json] == [
        False,
        True,
    ]
    answer = ask("POST", f"{ROOT}/requests/{request['id']}/answer", {"status": 200}, status=409)
    assert_refused(answer, "path.call.answered", f"The HTTP request {request['id']} was answered already")


def test_success_steps_make_their_requests_after_the_last_vote(ask):
    definition = ask("GET", f"{ROOT}/definitions/197").json
    after = {"kind": "HTTP", "urlTemplate": "https://hooks.example.com/${ref.id}", "action": "NOTIFICATION"}
    definition = {**definition, "steps": definition["steps"][:1], "successSteps": [after]}
    ask("PUT", f"{ROOT}/definitions/197", definition)
    path = start(ask).json
    assert ask("GET", f"{ROOT}/requests").json == []
    path = vote(ask, path["id"], "alice").json
    assert (path["pathStatus"], path["successSteps"][0]["status"]) == ("SUCCESS", "SUCCESS")
    (request,) = ask("GET", f"{ROOT}/requests").json
    assert (request["url"], request["position"]) == ("https://hooks.example.com/12305", 0)
    assert (request["isOfSuccess"], request["isOfRejection"]) == (True, False)


def test_an_open_request_is_answered_by_hand(ask, client):
    site = client.app.wsgi_app
    definition = {
        "product": "jira",
        "name": "Hook",
        "steps": [{"kind": "HTTP", "urlTemplate": "https://hooks.example.com/"}],
    }
    made = ask("POST", f"{ROOT}/definitions", definition, status=201).json["id"]
    site._context.run(config.activate, replace(site.settings, approval_path_http_answer=0))
    try:
        path = start(ask, definitionId=made).json
    finally:
        site._context.run(config.activate, site.settings)
    (request,) = ask("GET", f"{ROOT}/requests?state=open").json
    assert (request["status"], request["answeredAt"]) == (None, None)
    for body in ({}, {"status": 99}, {"status": 600}, {"status": "200"}):
        answer = ask("POST", f"{ROOT}/requests/{request['id']}/answer", body, status=400)
        assert_refused(answer, "body.invalid")
    answered = ask("POST", f"{ROOT}/requests/{request['id']}/answer", {"status": 500}).json
    assert (answered["state"], answered["status"]) == ("answered", 500)
    assert ask("GET", f"{ROOT}/approvals/{path['id']}").json["pathStatus"] == "FAIL"


@pytest.mark.parametrize("number", ["0", "99", "9" * 30])
def test_a_request_that_is_not_there(ask, number):
    assert_refused(ask("GET", f"{ROOT}/requests/{number}", status=404), "path.call.notexist")
    answer = ask("POST", f"{ROOT}/requests/{number}/answer", {"status": 200}, status=404)
    assert_refused(answer, "path.call.notexist", f"There is no HTTP request {number}")
