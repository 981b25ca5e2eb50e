"""`/rest/approval-admin/1.0/approval-path/` definitions, conditions, spaces and pages."""

import pytest

from tests.api.administration.conftest import assert_refused

ROOT = "approval-path"
STEP = {
    "kind": "USER",
    "action": "APPROVAL",
    "parallelGroup": None,
    "notifiesWatchers": True,
    "conditionId": None,
    "username": "bob",
    "group": None,
    "email": None,
    "fieldId": None,
    "resolution": "approval start",
    "requiredVotes": 1,
    "requiredRejectVotes": 1,
    "isCreatorExcluded": False,
    "isSkippedWhenEmpty": False,
    "name": "",
    "httpMethod": "POST",
    "urlTemplate": "",
    "headersTemplate": "",
    "bodyTemplate": "",
}
DEFINITION = {
    "product": "jira",
    "name": "Own",
    "description": "",
    "collectionId": None,
    "conditionId": None,
    "isAvailableForCustomers": False,
    "steps": [STEP],
    "rejectionSteps": [],
    "successSteps": [],
}
ENTRIES = {
    "definitions": DEFINITION,
    "conditions": {"name": "tasks", "jql": "type = Task"},
    "spaces": {"key": "OPS", "name": "Operations"},
    "pages": {"spaceId": 10001, "title": "Runbook", "creator": "bob", "modifier": None},
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_entry_is_created_shown_edited_and_deleted(ask, kind):
    before = [each["id"] for each in ask("GET", f"{ROOT}/{kind}").json]
    created = ask("POST", f"{ROOT}/{kind}", ENTRIES[kind], status=201)
    assert created.json == {"id": created.json["id"], **ENTRIES[kind]}
    path = f"{ROOT}/{kind}/{created.json['id']}"
    assert created.headers["Location"] == f"http://localhost/rest/approval-admin/1.0/{path}"
    shown = ask("GET", path)
    assert (shown.json, shown.headers["ETag"]) == (created.json, created.headers["ETag"])
    word = "title" if kind == "pages" else "name"
    edited = ask("PUT", path, {**created.json, word: "Another"}, headers={"If-Match": shown.headers["ETag"]})
    assert edited.json == {**created.json, word: "Another"}
    assert_refused(
        ask("PUT", path, created.json, headers={"If-Match": shown.headers["ETag"]}, status=412),
        "version.stale",
    )
    assert [each["id"] for each in ask("GET", f"{ROOT}/{kind}").json] == [*before, created.json["id"]]
    assert_refused(ask("DELETE", path, headers={"If-Match": '"0"'}, status=412), "version.stale")
    ask("DELETE", path, headers={"If-Match": edited.headers["ETag"]}, status=204)
    word = kind[:-1]
    text = f"There is no {word} {created.json['id']}"
    assert_refused(ask("GET", path, status=404), f"path.{word}.notexist", text)


@pytest.mark.parametrize("kind", ENTRIES)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("number", ["0", "99", "2147483648", "9" * 30])
def test_an_entry_that_is_not_there(ask, kind, method, number):
    body = ENTRIES[kind] if method == "PUT" else None
    assert_refused(ask(method, f"{ROOT}/{kind}/{number}", body, status=404), f"path.{kind[:-1]}.notexist")


def test_the_definitions_of_the_demonstration(ask):
    found = ask("GET", f"{ROOT}/definitions").json
    assert [each["id"] for each in found] == [35, 45, 46, 98, 197]
    assert ask("PUT", f"{ROOT}/definitions/45", found[1]).json == found[1]
    webhook = found[1]["steps"][2]
    assert (webhook["kind"], webhook["bodyTemplate"]) == ("HTTP", '{"pages":["${ref.id}"]}')


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("definitions?product=confluence", [45, 46, 98]),
        ("definitions?product=jira&collectionId=10000", [197]),
        ("definitions?collectionId=10001", [46]),
        ("definitions?collectionId=1", []),
        ("pages?spaceId=10001", [10004, 10068]),
        ("pages?spaceId=1", []),
    ],
)
def test_filters(ask, query, ids):
    assert [each["id"] for each in ask("GET", f"{ROOT}/{query}").json] == ids


def test_pages(ask):
    answer = ask("GET", f"{ROOT}/definitions?startAt=1&maxResults=2").json
    assert list(answer) == ["startAt", "maxResults", "total", "definitions"]
    assert (answer["total"], [each["id"] for each in answer["definitions"]]) == (5, [45, 46])


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("definitions?product=x", "product: must be one of 'jira', 'confluence'"),
        ("definitions?collectionId=x", "collectionId: must be an id"),
        ("definitions?spaceId=1", "spaceId: is no parameter"),
        ("conditions?product=jira", "product: is no parameter"),
        ("pages?spaceId=%00", "spaceId: must be an id"),
    ],
)
def test_parameters_that_make_no_sense(ask, query, text):
    assert_refused(ask("GET", f"{ROOT}/{query}", status=400), "parameter.invalid", text)


def step(**members):
    return {**DEFINITION, "steps": [{**STEP, **members}]}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "product: is missing"),
        ({**DEFINITION, "product": "JIRA"}, "product: must be one of 'jira', 'confluence'"),
        ({**DEFINITION, "name": " x"}, "name: is not spelt as it must be"),
        ({**DEFINITION, "id": 5}, "id: is given by the server"),
        ({**DEFINITION, "steps": []}, "steps: is empty; a definition needs a step"),
        ({**DEFINITION, "steps": {}}, "steps: must be a list"),
        ({**DEFINITION, "steps": [1]}, "steps[0]: must be an object"),
        ({**DEFINITION, "steps": [STEP] * 1001}, "steps: has more than 1000 entries"),
        (step(kind="user"), None),
        (step(kind="VOTE"), None),
        (step(action="STARTED"), "steps[0].action: only the start of an approval is of it"),
        (step(parallelGroup=-1), "steps[0].parallelGroup: must be from 0 to 2147483647"),
        (step(username=None), "steps[0].username: a step of kind USER needs one"),
        (step(group="approvers"), "steps[0].group: a step of kind USER has none"),
        (step(requiredVotes=2), "steps[0].requiredVotes: one vote decides a step of kind USER"),
        (step(requiredVotes=0), "steps[0].requiredVotes: must be from 1 to 2147483647"),
        (step(kind="EMAIL", username=None, email="x"), "steps[0].email: is no e-mail address"),
        (step(kind="HTTP", username=None), "steps[0].urlTemplate: must not be empty"),
        (step(urlTemplate="a\0"), "steps[0].urlTemplate: must not hold the character NUL"),
        (
            {**DEFINITION, "rejectionSteps": [STEP]},
            "rejectionSteps[0].kind: after a rejection there are only HTTP steps",
        ),
        (
            {**DEFINITION, "successSteps": [STEP]},
            "successSteps[0].kind: after a success there are only HTTP steps",
        ),
        (
            {**DEFINITION, "product": "confluence", "conditionId": 1},
            "conditionId: conditions are asked of issues only",
        ),
    ],
)
def test_a_definition_that_cannot_be(ask, body, text):
    assert_refused(ask("POST", f"{ROOT}/definitions", body, status=400), "body.invalid", text)
    if "id" not in body:
        assert_refused(ask("PUT", f"{ROOT}/definitions/35", body, status=400), "body.invalid", text)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("a@b", 201),
        ("First.Last+tag=x@mail.example.com", 201),
        ("", 400),
        ("a@", 400),
        ("a@b@c", 400),
        ("a b@c", 400),
        ("a@[", 400),
        ("a..b@c", 400),
        ("=?utf-8?q?x?=@y", 400),
        ("a@b\n", 400),
        ("a@b\r\nBcc: c@d", 400),
        ("a" * 250 + "@example.com", 400),
    ],
)
def test_addresses(ask, address, status):
    ask("POST", f"{ROOT}/definitions", step(kind="EMAIL", username=None, email=address), status=status)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (step(username="nobody"), "steps[0].username: 'nobody' is the username of none of the users"),
        (
            step(kind="GROUP", username=None, group="x"),
            "steps[0].group: 'x' is the name of none of the groups",
        ),
        (step(conditionId=9), "steps[0].conditionId: 9 is the id of none of the approval_conditions"),
        ({**DEFINITION, "conditionId": 9}, "conditionId: 9 is the id of none of the approval_conditions"),
        ({**DEFINITION, "collectionId": 10001}, "collectionId: 10001 is the id of none of the projects"),
        (
            {**DEFINITION, "product": "confluence", "collectionId": 10000},
            "collectionId: 10000 is the id of none of the spaces",
        ),
        (
            step(kind="USER_FIELD", username=None, fieldId="customfield_1"),
            "steps[0].fieldId: 'customfield_1' is the id of none of the custom_fields",
        ),
        (
            step(kind="GROUP_FIELD", username=None, fieldId="assignee"),
            "steps[0].fieldId: assignee holds no groups",
        ),
        (
            step(kind="EMAIL_FIELD", username=None, fieldId="reporter"),
            "steps[0].fieldId: reporter holds no e-mail addresses",
        ),
    ],
)
def test_what_does_not_lead_anywhere(ask, body, text):
    assert_refused(ask("POST", f"{ROOT}/definitions", body, status=400), "reference.invalid", text)


def test_conditions_are_checked_and_unique(ask):
    condition = ENTRIES["conditions"]
    answer = ask("POST", f"{ROOT}/conditions", {**condition, "jql": "type ="}, status=400)
    assert_refused(answer, "body.invalid")
    assert answer.json["errorMessage"].startswith("jql: Error in the JQL Query")
    created = ask("POST", f"{ROOT}/conditions", condition, status=201).json
    taken = ask("POST", f"{ROOT}/conditions", condition, status=409)
    assert_refused(taken, "path.condition.exists", "There is a condition tasks already")
    ask("PUT", f"{ROOT}/conditions/{created['id']}", condition)
    made = ask("POST", f"{ROOT}/definitions", {**DEFINITION, "conditionId": created["id"]}, status=201).json
    used = ask("DELETE", f"{ROOT}/conditions/{created['id']}", status=409)
    assert_refused(used, "path.condition.inuse", "1 definitions ask the condition tasks")
    ask("DELETE", f"{ROOT}/definitions/{made['id']}", status=204)
    ask("DELETE", f"{ROOT}/conditions/{created['id']}", status=204)


def test_spaces_are_unique_and_stay_while_they_are_used(ask):
    answer = ask("POST", f"{ROOT}/spaces", {"key": "DOC", "name": "x"}, status=409)
    assert_refused(answer, "path.space.exists", "There is a space DOC already")
    answer = ask("DELETE", f"{ROOT}/spaces/10001", status=409)
    assert_refused(answer, "path.space.inuse", "The space DOC has 2 pages and 1 definitions")


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"spaceId": 1}, "spaceId: 1 is the id of none of the spaces"),
        ({"creator": "nobody"}, "creator: 'nobody' is the username of none of the users"),
        ({"modifier": "BOB"}, "modifier: 'BOB' is the username of none of the users"),
    ],
)
def test_pages_are_of_spaces_and_people(ask, members, text):
    body = {**ENTRIES["pages"], **members}
    assert_refused(ask("POST", f"{ROOT}/pages", body, status=400), "reference.invalid", text)
