"""POST bulk-mapping-operation: who may, in which order a request is looked at, and what is answered."""

import copy
from itertools import combinations

import pytest

URL = "/rest/herzum-hap-services/1.0/api/bulk-mapping-operation"
SOURCE = {"projectId": "10101", "issueTypeId": "10002", "sourceStatusId": "1", "transitionId": "11"}
ENTRY = {"projectId": "10100", "issueTypeId": "10003", "sourceStatusId": "10000", "transitionId": "131"}
STATUS_TRANS = {
    "action": "copy",
    "type": "project-issuetype-status-trans",
    **SOURCE,
    "mappingList": [ENTRY, ENTRY],
}
PROJECTS = {
    "action": "copy",
    "type": "project",
    "projectId": "10100",
    "mappingList": [{"projectId": "10101"}, {"projectId": "10200"}],
}


def sent(client, body, *, caller="admin", query="", status="*", path=""):
    client.authorization = None if caller is None else ("Basic", (caller, caller))
    try:
        return client.post_json(URL + path + query, body, status=status)
    finally:
        client.authorization = None


def site(client):
    """Return the site, but for what a login leaves."""
    document = client.get("/__emulator/snapshot", status=200).json
    return {name: value for name, value in document.items() if name != "login_records"}


def put(path, value):
    """Return a change of a request: the member at the path gets the value; None takes it away."""

    def change(body):
        *way, last = path
        for step in way:
            body = body[step]
        if value is None:
            del body[last]
        else:
            body[last] = value

    return change


def entry(name, value, place=1):
    return put(("mappingList", place, name), value)


FLAWS = [
    ("action.required", put(("action",), None)),
    ("action.notexist", put(("action",), "clone")),
    ("operation.type.required", put(("type",), None)),
    ("operation.type.notexist", put(("type",), "project-workflow")),
    ("project.id.required", put(("projectId",), None)),
    ("issuetype.id.required", put(("issueTypeId",), None)),
    ("status.id.required", put(("sourceStatusId",), None)),
    ("transition.id.required", put(("transitionId",), None)),
    ("request.mapping.list.invalid", put(("mappingList", 1), "no object")),
    ("project.id.required", entry("projectId", None, 0)),
    ("issuetype.id.required", entry("issueTypeId", None, 0)),
    ("status.id.required", entry("sourceStatusId", None, 0)),
    ("transition.id.required", entry("transitionId", None, 0)),
    ("transition.id.required", entry("transitionId", None)),
    ("project.notexist", put(("projectId",), "10108")),
    ("issuetype.notexist", put(("issueTypeId",), "30002")),
    ("status.not.exist", put(("sourceStatusId",), "1111")),
    ("transition.id.invalid", put(("transitionId",), "3100")),
    ("project.notexist", entry("projectId", "ten")),
    ("issuetype.notexist", entry("issueTypeId", "30002")),
    ("status.not.exist", entry("sourceStatusId", "1111")),
    ("transition.id.invalid", entry("transitionId", "3100")),
]
"""What can be wrong with a request, in the order in which it is found out."""


@pytest.mark.parametrize("later", range(1, len(FLAWS)))
def test_the_first_flaw_is_answered(client, later):
    for earlier in range(later):
        body = copy.deepcopy(STATUS_TRANS)
        code = FLAWS[earlier][0]
        try:
            for _, change in (FLAWS[later], FLAWS[earlier]):
                change(body)
        except (KeyError, TypeError):
            continue  # both are about the same member
        if FLAWS[earlier][1] is FLAWS[later][1]:
            continue
        answer = sent(client, body, status=400).json
        assert answer["errorCode"].removeprefix("bulk.mapping.") == code, (earlier, later)


@pytest.mark.parametrize(
    ("first", "second"), list(combinations(["nobody", "licence", "right", "query", "body"], 2))
)
def test_who_asks_comes_before_what_is_asked(client, first, second):
    flaws = {first, second}
    if "licence" in flaws:
        document = client.get("/__emulator/snapshot", status=200).json
        client.put_json("/__emulator/snapshot", document | {"licence": {"state": "expired"}}, status=204)
    caller = None if "nobody" in flaws else "carol" if "right" in flaws else "admin"
    query = "?dryRun=perhaps" if "query" in flaws else ""
    answer = sent(client, {} if "body" in flaws else PROJECTS, caller=caller, query=query)
    expected = {"nobody": 401, "licence": 402, "right": 403, "query": 400, "body": 400}[first]
    assert answer.status_int == expected
    if first == "query":
        assert answer.json["errorCode"] == "request.malformed"


def test_missing_scheme_is_told_after_all_is_found(client):
    body = PROJECTS | {"mappingList": [{"projectId": "10000"}, {"projectId": "1"}]}
    assert sent(client, body, status=400).json["errorCode"] == "bulk.mapping.project.notexist"


@pytest.mark.parametrize("value", [None, {}, "10100", 1, [1], [{"projectId": "10101"}, None], [[]]])
def test_a_list_that_is_none(client, value):
    answer = sent(client, PROJECTS | {"mappingList": value}, status=400)
    assert answer.json == {
        "errorCode": "request.mapping.list.invalid",
        "errorMessage": "mappingList must be a list of objects",
        "status": 400,
    }


@pytest.mark.parametrize("value", [True, [], {}, ["10100"]])
def test_an_id_that_is_neither_text_nor_number(client, value):
    answer = sent(client, PROJECTS | {"projectId": value}, status=400)
    assert answer.json["errorCode"] == "request.body.malformed"


@pytest.mark.parametrize(
    ("value", "echoed"),
    [("  ten ", "ten"), (1.5, "1.5"), (-10100, "-10100"), (10**30, None), ("１０１００", "１０１００")],
)
def test_what_is_no_id_does_not_exist(client, value, echoed):
    answer = sent(client, PROJECTS | {"projectId": value}, status=400)
    if echoed is not None:
        assert answer.json["errorMessage"] == f"The project (Id {echoed}) does not exist."


def test_what_a_run_answers(client):
    answer = sent(client, PROJECTS, status=200)
    assert answer.json == {"operation": "COPY", "affectedEntries": 2, "skippedOperations": 0}
    assert answer.headers["X-Operation-Id"] == "1"
    again = sent(client, PROJECTS, status=200)
    assert (again.json["affectedEntries"], again.json["skippedOperations"]) == (0, 2)
    assert again.headers["X-Operation-Id"] == "2"
    assert list(again.json) == ["operation", "affectedEntries", "skippedOperations", "warning"]


@pytest.mark.parametrize("query", ["?dryRun=true", "?dryRun=TRUE&startAt=0", "?dryRun=%20true"])
def test_a_dry_run_changes_nothing(client, query):
    before = site(client)
    answer = sent(client, PROJECTS, query=query, status=200)
    assert "X-Operation-Id" not in answer.headers
    assert len(answer.json["plan"]["entries"]) == answer.json["plan"]["total"] == 2
    assert site(client) == before


def test_a_run_is_undone_once(client):
    before = site(client)
    sent(client, PROJECTS, query="?dryRun=false", status=200)
    undone = sent(client, None, path="/1/undo", status=200)
    assert undone.json == {
        "operationId": 1,
        "operation": "COPY",
        "affectedEntries": 2,
        "skippedOperations": 0,
    }
    assert site(client)["approval_mappings"] == before["approval_mappings"]
    assert sent(client, None, path="/1/undo", status=409).json["errorCode"] == "request.bulk.operation.undone"


@pytest.mark.parametrize(("caller", "status"), [(None, 401), ("carol", 403)])
def test_only_administrators_undo(client, caller, status):
    sent(client, PROJECTS, status=200)
    sent(client, None, path="/1/undo", caller=caller, status=status)
