"""`/rest/approval-admin/1.0/approval-path/keys`."""

import re

import pytest

from tests.api.administration.conftest import ROOT, assert_refused

KEYS = "approval-path/keys"
SAMPLE = "mc96LyRi9nUQySSjKXEf8xfqUZzjS2CYhRK8bWSRRfQi"
KEY = {"name": "build server", "product": "jira"}
PERFORMER = {"origin": "api call", "user": None, "fieldId": None, "defaultUser": "bob", "group": "approvers"}
EVERYTHING = {
    "name": "é" * 40,
    "product": "jira",
    "description": "d" * 4000,
    "canGetStatus": True,
    "canListDefinitions": True,
    "canCreate": True,
    "canDelete": True,
    "performer": PERFORMER,
    "validFrom": "2022-01-01T00:00:00.000Z",
    "validUntil": "2099-12-31T23:59:59.999Z",
    "allowedIps": "10.0.0.1, 10.1.0.0/16, 10.2.0.1-10.2.0.9, 2001:db8::/32",
}
MEMBERS = ["id", *EVERYTHING, "creator", "createdAt", "modifiedAt", "usedAt", "usageCount"]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def uses(client, value, status=200):
    headers = {"Authorization": f"Bearer {value}"}
    return client.get("/webapi/approval-definitions", headers=headers, status=status)


def test_list_shows_everything_but_values(ask):
    found = ask("GET", KEYS).json
    assert [key["name"] for key in found] == ["Jira", "Confluence", "Jira, reading"]
    assert all(list(key) == MEMBERS for key in found)
    assert found == [ask("GET", f"{KEYS}/{key['id']}").json for key in found]


@pytest.mark.parametrize(
    ("query", "ids"),
    [("startAt=1", [2, 3]), ("maxResults=1", [1]), ("startAt=1&maxResults=1", [2]), ("startAt=9", [])],
)
def test_pages(ask, query, ids):
    page = ask("GET", f"{KEYS}?{query}").json
    assert list(page) == ["startAt", "maxResults", "total", "keys"]
    assert page["total"] == 3
    assert [key["id"] for key in page["keys"]] == ids


def test_create_with_defaults(ask, client):
    answer = ask("POST", KEYS, KEY, status=201)
    created = answer.json
    assert answer.headers["Location"] == f"http://localhost{ROOT}/{KEYS}/{created['id']}"
    assert list(created) == MEMBERS
    assert MOMENT.fullmatch(created["createdAt"])
    assert created == {
        "id": created["id"],
        **KEY,
        "description": "",
        "canGetStatus": False,
        "canListDefinitions": False,
        "canCreate": False,
        "canDelete": False,
        "performer": None,
        "validFrom": None,
        "validUntil": None,
        "allowedIps": "",
        "creator": "admin",
        "createdAt": created["createdAt"],
        "modifiedAt": created["createdAt"],
        "usedAt": None,
        "usageCount": 0,
    }
    value = ask("GET", f"{KEYS}/{created['id']}/reveal").json["value"]
    uses(client, value, status=403)


def test_everything_is_kept_and_what_was_read_can_be_written_back(ask):
    created = ask("POST", KEYS, EVERYTHING, status=201)
    assert {name: created.json[name] for name in EVERYTHING} == EVERYTHING
    changed = {**created.json, "name": "new", "usageCount": 99, "creator": "carol", "id": 12345}
    tag = created.headers["ETag"]
    edited = ask("PUT", f"{KEYS}/{created.json['id']}", changed, headers={"If-Match": tag})
    assert edited.json == {**created.json, "name": "new", "modifiedAt": edited.json["modifiedAt"]}
    assert edited.headers["ETag"] != tag
    stale = ask("PUT", f"{KEYS}/{created.json['id']}", changed, headers={"If-Match": tag}, status=412)
    assert_refused(stale, "version.stale")


def test_moments_are_read_in_any_zone(ask):
    body = {**KEY, "validFrom": "2022-01-01T02:00:00+02:00", "validUntil": "2022-01-01T00:00:00.5Z"}
    created = ask("POST", KEYS, body, status=201).json
    assert created["validFrom"] == "2022-01-01T00:00:00.000Z"
    assert created["validUntil"] == "2022-01-01T00:00:00.500Z"


def test_use_is_seen_and_changes_no_version(ask, client):
    tag = ask("GET", f"{KEYS}/1").headers["ETag"]
    uses(client, SAMPLE)
    uses(client, SAMPLE)
    after = ask("GET", f"{KEYS}/1")
    assert after.json["usageCount"] == 2
    assert MOMENT.fullmatch(after.json["usedAt"])
    assert after.headers["ETag"] == tag


def test_a_value_is_revealed_and_downloaded_as_often_as_one_likes(ask):
    for _ in range(2):
        revealed = ask("GET", f"{KEYS}/1/reveal")
        assert revealed.json == {"id": 1, "value": SAMPLE}
        downloaded = ask("GET", f"{KEYS}/1/download")
        assert downloaded.text == SAMPLE
    assert downloaded.headers["Content-Type"] == "text/plain;charset=UTF-8"
    assert downloaded.headers["Content-Disposition"] == 'attachment; filename="api-key-1.txt"'
    assert {revealed.headers["Cache-Control"], downloaded.headers["Cache-Control"]} == {"no-store"}


def test_a_deleted_key_opens_nothing(ask, client):
    uses(client, SAMPLE)
    tag = ask("GET", f"{KEYS}/1").headers["ETag"]
    assert_refused(ask("DELETE", f"{KEYS}/1", headers={"If-Match": '"0"'}, status=412), "version.stale")
    assert ask("DELETE", f"{KEYS}/1", headers={"If-Match": tag}, status=204).body == b""
    uses(client, SAMPLE, status=401)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/reveal"), ("GET", "/download")):
        answer = ask(method, f"{KEYS}/1{path}", status=404)
        assert_refused(answer, "path.key.notexist", "There is no API key 1")
    ask("PUT", f"{KEYS}/1", KEY, status=404)


@pytest.mark.parametrize("as_", ["carol", None])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/1"),
        ("PUT", "/1"),
        ("DELETE", "/1"),
        ("GET", "/1/reveal"),
        ("GET", "/1/download"),
    ],
)
def test_administrators_only(ask, method, path, as_):
    body = KEY if method in ("POST", "PUT") else None
    answer = ask(method, f"{KEYS}{path}", body, as_=as_, status=401 if as_ is None else 403)
    assert SAMPLE not in answer.text


def test_an_api_key_administers_nothing(client):
    headers = {"Authorization": f"Bearer {SAMPLE}"}
    answer = client.get(f"{ROOT}/{KEYS}", headers=headers, status=401)
    assert_refused(answer, "token.invalid")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"product": "jira"}, "name: is missing"),
        ({"name": "x"}, "product: is missing"),
        ({**KEY, "none": 1}, "none: is no member"),
        ({**KEY, "value": SAMPLE}, "value: is no member"),
        ({**KEY, "name": 5}, "name: must be a text"),
        ({**KEY, "name": " "}, "name: must not be empty"),
        ({**KEY, "name": "x" * 41}, "name: has more than 40 characters"),
        ({**KEY, "name": "a\0"}, "name: must not hold the character NUL"),
        ({**KEY, "description": "x" * 4001}, "description: has more than 4000 characters"),
        ({**KEY, "product": "bamboo"}, "product: must be one of 'jira', 'confluence'"),
        ({**KEY, "canCreate": "true"}, "canCreate: must be true or false"),
        ({**KEY, "validFrom": "today"}, "validFrom: must be a moment such as 2030-01-20T09:59:16.000Z"),
        (
            {**KEY, "validFrom": "2023-02-30T00:00:00Z"},
            "validFrom: must be a moment such as 2030-01-20T09:59:16.000Z",
        ),
        (
            {**KEY, "validFrom": "0001-01-01T00:00:00+14:00"},
            "validFrom: must be a moment such as 2030-01-20T09:59:16.000Z",
        ),
        (
            {**KEY, "validFrom": "2023-01-02T00:00:00Z", "validUntil": "2023-01-01T00:00:00Z"},
            "validUntil: lies before the beginning",
        ),
        ({**KEY, "allowedIps": "home"}, "allowedIps: 'home' is neither an address nor a range of addresses"),
        ({**KEY, "performer": []}, "performer: must be an object"),
        ({**KEY, "performer": {}}, "performer.origin: is missing"),
        (
            {**KEY, "performer": {"origin": "page creator"}},
            "performer.origin: 'page creator' is no origin for jira",
        ),
        (
            {**KEY, "performer": {"origin": "issue field"}},
            "performer.fieldId: is needed where the origin is 'issue field'",
        ),
        (
            {**KEY, "performer": {"origin": "user", "user": "bob", "defaultUser": "bob"}},
            "performer.defaultUser: has no place where the origin is 'user'",
        ),
    ],
)
def test_a_body_that_cannot_be(ask, body, text):
    for method, path in (("POST", KEYS), ("PUT", f"{KEYS}/1")):
        assert_refused(ask(method, path, body, status=400), "body.invalid", text)


@pytest.mark.parametrize(
    ("performer", "text"),
    [
        ({"origin": "user", "user": "eve"}, "performer.user: 'eve' is the username of none of the users"),
        (
            {"origin": "api call", "group": "none"},
            "performer.group: 'none' is the name of none of the groups",
        ),
        (
            {"origin": "issue field", "fieldId": "customfield_1"},
            "performer.fieldId: 'customfield_1' is no field of users",
        ),
    ],
)
def test_what_does_not_lead_anywhere(ask, performer, text):
    answer = ask("POST", KEYS, {**KEY, "performer": performer}, status=400)
    assert_refused(answer, "reference.invalid", text)


@pytest.mark.parametrize("id", ["0", "99", "2147483648", "9" * 30])
def test_a_key_that_is_not_there(ask, id):
    assert_refused(ask("GET", f"{KEYS}/{id}", status=404), "path.key.notexist")
