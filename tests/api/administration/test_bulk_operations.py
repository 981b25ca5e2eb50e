"""`/rest/approval-admin/1.0/bulk-operations`."""

import pytest
from playhouse.test_utils import count_queries

from tests.api.administration.conftest import assert_refused

BULK = "/rest/herzum-hap-services/1.0/api/bulk-mapping-operation"
PATH = "bulk-operations"


@pytest.fixture
def operations(ask):
    """A move, an edit of an issue type, a delete of two transitions, and the undo of the move."""
    move = {"action": "move", "type": "project", "projectId": "10100"}
    ask("POST", BULK, {**move, "mappingList": [{"projectId": 10101}, {"projectId": "10200"}]})
    ask("POST", f"{BULK}/1/undo", {})
    type_ = {"issueTypeId": "10002"}
    edit = {"action": "edit", "type": "project-issuetype", "projectId": "10100", **type_}
    ask("POST", BULK, {**edit, "mappingList": [{"projectId": "10101", **type_}]})
    transition = {"projectId": "10000", "issueTypeId": "10002", "sourceStatusId": "1"}
    places = [{**transition, "transitionId": "11"}, {**transition, "transitionId": "5"}]
    ask("POST", BULK, {"action": "delete", "type": "project-issuetype-status-trans", "mappingList": places})


def test_there_are_none_at_first(ask):
    assert ask("GET", PATH).json == []
    empty = {"startAt": 0, "maxResults": 0, "total": 0, "bulkOperations": []}
    assert ask("GET", f"{PATH}?startAt=0").json == empty


@pytest.mark.usefixtures("operations")
def test_the_newest_comes_first(ask):
    found = ask("GET", PATH).json
    brief = [(each["id"], each["operation"], each["type"], each["undoneBy"]) for each in found]
    assert brief == [
        (3, "DELETE", "project-issuetype-status-trans", None),
        (2, "EDIT", "project-issuetype", None),
        (1, "MOVE", "project", "admin"),
    ]
    counts = [(each["affectedEntries"], each["skippedOperations"]) for each in found]
    assert counts == [(1, 0), (0, 1), (2, 0)]
    assert all(each["username"] == "admin" for each in found)
    assert all("request" not in each and "plan" not in each for each in found)
    assert [each["at"] for each in found] == sorted((each["at"] for each in found), reverse=True)
    assert found[0]["undoneAt"] is None
    assert found[2]["at"] <= found[2]["undoneAt"] <= found[1]["at"]


@pytest.mark.usefixtures("operations")
@pytest.mark.parametrize(
    ("query", "page", "ids"),
    [
        ("startAt=0", (0, 3, 3), [3, 2, 1]),
        ("startAt=1", (1, 2, 3), [2, 1]),
        ("maxResults=1", (0, 1, 3), [3]),
        ("startAt=2&maxResults=7", (2, 7, 3), [1]),
        ("startAt=9", (9, 0, 3), []),
        ("startAt=1&maxResults=0&os_authType=basic", (1, 0, 3), []),
    ],
)
def test_pages(ask, query, page, ids):
    found = ask("GET", f"{PATH}?{query}").json
    assert (found["startAt"], found["maxResults"], found["total"]) == page
    assert [each["id"] for each in found["bulkOperations"]] == ids


@pytest.mark.usefixtures("operations")
def test_one_is_shown_with_what_was_asked_for_and_what_was_done(ask):
    found = ask("GET", f"{PATH}/1").json
    (summary,) = [each for each in ask("GET", PATH).json if each["id"] == 1]
    request, plan = found.pop("request"), found.pop("plan")
    assert found == summary
    destinations = [{"projectId": "10101"}, {"projectId": "10200"}]
    assert request == {"source": {"projectId": "10100"}, "destinations": destinations}
    assert (plan["startAt"], plan["maxResults"], plan["total"]) == (0, 1000, 3)
    done = [(each["projectId"], each["effect"], each["reason"]) for each in plan["entries"]]
    assert done == [
        (10101, "create", "the transition is not mapped"),
        (10200, "create", "the transition is not mapped"),
        (10100, "delete", "the mapping was moved"),
    ]
    assert [each["sourceMappingId"] for each in plan["entries"]] == [6, 6, 6]
    assert plan["entries"][2]["mappingId"] == 6
    assert not any(each["dropsRejectionTransition"] for each in plan["entries"])


@pytest.mark.usefixtures("operations")
def test_what_was_named_is_spelt_as_on_the_wire(ask):
    (first, second) = ask("GET", f"{PATH}/3").json["request"]["destinations"]
    assert first == {
        "projectId": "10000", "issueTypeId": "10002", "sourceStatusId": "1", "transitionId": "11"
    }  # fmt: skip
    assert second == {**first, "transitionId": "5"}


@pytest.mark.usefixtures("operations")
@pytest.mark.parametrize(
    ("query", "page", "projects"),
    [
        ("startAt=1", (1, 1000, 3), [10200, 10100]),
        ("maxResults=2", (0, 2, 3), [10101, 10200]),
        ("startAt=1&maxResults=1", (1, 1, 3), [10200]),
        ("maxResults=0", (0, 0, 3), []),
        ("startAt=3", (3, 1000, 3), []),
        ("startAt=9223372036854775807&maxResults=9223372036854775807", (2**63 - 1, 1000, 3), []),
    ],
)
def test_a_plan_comes_in_pages(ask, query, page, projects):
    plan = ask("GET", f"{PATH}/1?{query}").json["plan"]
    assert (plan["startAt"], plan["maxResults"], plan["total"]) == page
    assert [each["projectId"] for each in plan["entries"]] == projects


@pytest.mark.parametrize("id", [99, 0, 2**31, 10**30])
def test_one_that_there_is_not(ask, id):
    answer = ask("GET", f"{PATH}/{id}", status=404)
    assert_refused(answer, "bulkoperation.notexist", f"There is no bulk operation {id}")


@pytest.mark.usefixtures("operations")
@pytest.mark.parametrize("query", ["startAt=", "startAt=-1", "maxResults=x", "maxResults=1e3", "id=1"])
@pytest.mark.parametrize("path", [PATH, f"{PATH}/1"])
def test_what_is_no_parameter_is_refused(ask, path, query):
    assert_refused(ask("GET", f"{path}?{query}", status=400), "parameter.invalid")


@pytest.mark.usefixtures("operations")
def test_they_can_only_be_read(ask):
    for path in (PATH, f"{PATH}/1"):
        for method in ("POST", "PUT", "DELETE"):
            assert_refused(
                ask(method, path, {} if method != "DELETE" else None, status=405), "method.notallowed"
            )


@pytest.mark.usefixtures("operations")
def test_the_number_of_queries_does_not_grow(ask):
    def count(path):
        with count_queries() as counter:
            ask("GET", path)
        return counter.count

    count(PATH)
    assert count(f"{PATH}?maxResults=1") == count(f"{PATH}?maxResults=3")
    assert count(f"{PATH}/1?maxResults=1") == count(f"{PATH}/1?maxResults=3")
