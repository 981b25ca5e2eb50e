"""`/rest/approval-admin/1.0/approvals`."""

import pytest

from tests.api.administration.conftest import SEARCH, assert_refused

APPROVAL = {
    "name": "Legal",
    "description": "Contracts",
    "match": "all",
    "isSequential": False,
    "approvers": [
        {"kind": "group", "value": "approvers", "isExcluded": False},
        {"kind": "project role", "value": "10001", "isExcluded": False},
        {"kind": "reporter", "value": None, "isExcluded": True},
    ],
}


def ids_for(ask, username):
    return [record["id"] for record in ask("GET", f"{SEARCH}?username={username}").json]


def test_show(ask):
    answer = ask("GET", "approvals/1")
    assert answer.json == {
        "id": 1,
        "name": "tech",
        "description": "",
        "match": "any",
        "isSequential": True,
        "approvers": [
            {"kind": "user", "value": "admin", "isExcluded": False},
            {"kind": "group", "value": "approvers", "isExcluded": False},
        ],
    }


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("name=tech", [1]),
        ("name=%20MARCO%20polo%20", [2]),
        ("name=none", []),
        ("name=%00", []),
        ("name=tech&name=restricted", [1]),
    ],
)
def test_list(ask, query, ids):
    found = ask("GET", f"approvals?{query}").json
    assert [approval["id"] for approval in found] == ids
    assert all(approval == ask("GET", f"approvals/{approval['id']}").json for approval in found)


def test_an_empty_name_is_refused(ask):
    answer = ask("GET", "approvals?name=%20", status=400)
    assert_refused(answer, "parameter.invalid", "name: must not be empty")


def test_create(ask):
    answer = ask("POST", "approvals", APPROVAL, status=201)
    created = answer.json
    assert created == {"id": created["id"], **APPROVAL}
    assert answer.headers["Location"] == f"http://localhost/rest/approval-admin/1.0/approvals/{created['id']}"
    shown = ask("GET", f"approvals/{created['id']}")
    assert (shown.json, shown.headers["ETag"]) == (created, answer.headers["ETag"])
    assert ask("GET", "approvals?name=legal").json == [created]
    smallest = ask("POST", "approvals", {"name": "x"}, status=201).json
    assert smallest == {
        "id": smallest["id"],
        "name": "x",
        "description": "",
        "match": "any",
        "isSequential": True,
        "approvers": [],
    }


def test_other_approvers_are_found_at_once(ask):
    assert 77 not in ids_for(ask, "carol")
    approval = ask("GET", "approvals/3").json
    edited = {**approval, "approvers": [{"kind": "user", "value": "carol", "isExcluded": False}]}
    assert ask("PUT", "approvals/3", edited).json == edited
    # 76 is of a status that its issue is not in.
    assert ids_for(ask, "carol") == [11, 77, 78]
    assert not {11, 77, 78} & set(ids_for(ask, "bob"))
    ask("POST", f"{SEARCH}/77/action", {"action": "APPROVE"}, as_="carol")
    ask("POST", f"{SEARCH}/78/action", {"action": "APPROVE"}, as_="bob", status=403)


def test_a_new_name_is_shown_and_found_at_once(ask):
    before = ask("GET", f"{SEARCH}?appname=tech").json
    approval = ask("GET", "approvals/1").json
    ask("PUT", "approvals/1", {**approval, "name": "Technology"})
    after = ask("GET", f"{SEARCH}?appname=technology").json
    assert after == [{**record, "approvalName": "Technology"} for record in before]
    assert ask("GET", f"{SEARCH}?issuekey=SOFT-1").json[1]["approvalName"] == "Technology"
    ask("GET", f"{SEARCH}?appname=tech", status=404)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "The approval tech is in use: in 2 mappings and 2 issue approvals"),
        (5, "The approval restricted is in use: in 1 mappings and 1 issue approvals"),
    ],
)
def test_what_is_in_use_cannot_be_deleted(ask, number, text):
    assert_refused(ask("DELETE", f"approvals/{number}", status=409), "approval.inuse", text)
    ask("GET", f"approvals/{number}")


def test_what_is_mapped_only_is_in_use(ask):
    created = ask("POST", "approvals", APPROVAL, status=201).json
    scope = {"projectId": 10000, "issueTypeId": 10004, "sourceStatusId": 3, "transitionId": 111}
    mapped = {**scope, "approvals": [{"approvalId": created["id"]}]}
    mapping = ask("POST", "mappings", mapped, status=201).json
    answer = ask("DELETE", f"approvals/{created['id']}", status=409)
    assert_refused(answer, "approval.inuse")
    ask("DELETE", f"mappings/{mapping['id']}", status=204)
    ask("DELETE", f"approvals/{created['id']}", status=204)


def test_delete(ask):
    created = ask("POST", "approvals", APPROVAL, status=201)
    path = f"approvals/{created.json['id']}"
    assert_refused(ask("DELETE", path, headers={"If-Match": '"0"'}, status=412), "version.stale")
    answer = ask("DELETE", path, headers={"If-Match": created.headers["ETag"]}, status=204)
    assert answer.body == b""
    ask("GET", path, status=404)


def test_a_version_is_looked_at_before_the_use(ask):
    ask("DELETE", "approvals/1", headers={"If-Match": '"0"'}, status=412)


def test_names_are_unique(ask):
    answer = ask("POST", "approvals", {**APPROVAL, "name": "tech"}, status=409)
    assert_refused(answer, "approval.exists", "There is an approval tech already")
    approval = ask("GET", "approvals/2").json
    answer = ask("PUT", "approvals/2", {**approval, "name": "tech"}, status=409)
    assert_refused(answer, "approval.exists")
    # Another letter case is another name.
    ask("PUT", "approvals/2", {**approval, "name": "TECH"})


def changed(**members):
    return {**APPROVAL, **members}


def approvers(*properties):
    return changed(approvers=list(properties))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "name: is missing"),
        (changed(name=""), "name: is not spelt as it must be"),
        (changed(name=" x"), "name: is not spelt as it must be"),
        (changed(name=5), "name: must be a text"),
        (changed(name="a\0"), "name: must not hold the character NUL"),
        (changed(id=5), "id: is given by the server"),
        (changed(version=5), "version: is no member"),
        (changed(description=None), "description: must not be null"),
        (changed(match="some"), "match: must be one of 'any', 'all'"),
        (changed(isSequential=1), "isSequential: must be true or false"),
        (changed(approvers={}), "approvers: must be a list"),
        (approvers({"kind": "USER"}), None),
        (approvers({"kind": ["user"]}), None),
        (approvers({"value": "bob"}), "approvers[0].kind: is missing"),
        (approvers({"kind": "user", "value": 5}), "approvers[0].value: must be a text"),
        (
            approvers(
                {"kind": "user", "value": "bob"}, {"kind": "user", "value": "carol", "isExcluded": True}
            ),
            "approvers[0].kind: the property 'user' both includes and excludes",
        ),
    ],
)
def test_a_body_that_cannot_be(ask, body, text):
    assert_refused(ask("POST", "approvals", body, status=400), "body.invalid", text)
    if "id" not in body:
        assert_refused(ask("PUT", "approvals/1", body, status=400), "body.invalid", text)


def test_the_id_of_a_body_is_that_of_the_address(ask):
    answer = ask("PUT", "approvals/1", changed(id=2), status=400)
    assert_refused(answer, "body.invalid", "id: is 1 in the address")


@pytest.mark.parametrize(
    ("approver", "text"),
    [
        ({"kind": "user", "value": "nobody"}, "'nobody' is the username of none of the users"),
        ({"kind": "user", "value": "BOB"}, "'BOB' is the username of none of the users"),
        ({"kind": "user"}, "the property 'user' needs a value"),
        ({"kind": "group", "value": "none"}, "'none' is the name of none of the groups"),
        ({"kind": "project role", "value": "x"}, "'x' is the id of none of the project_roles"),
        ({"kind": "assignee", "value": "bob"}, "the property 'assignee' has no value"),
        (
            {"kind": "user picker", "value": "customfield_1"},
            "'customfield_1' is the id of none of the custom_fields",
        ),
    ],
)
def test_what_does_not_lead_anywhere(ask, approver, text):
    answer = ask("POST", "approvals", approvers(approver), status=400)
    assert_refused(answer, "reference.invalid", f"approvers[0].value: {text}")
