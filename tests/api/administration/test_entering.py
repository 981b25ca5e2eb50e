"""Who may enter the administration, in which order that is asked, and what every door does alike."""

import pytest

from tests.api.administration.conftest import ROOT, assert_refused

DOORS = [
    ("GET", "mappings"),
    ("POST", "mappings"),
    ("GET", "mappings/4"),
    ("PUT", "mappings/4"),
    ("DELETE", "mappings/4"),
    ("GET", "approvals"),
    ("POST", "approvals"),
    ("GET", "approvals/1"),
    ("PUT", "approvals/1"),
    ("DELETE", "approvals/1"),
    ("GET", "bulk-operations"),
    ("GET", "bulk-operations/1"),
    ("GET", "configuration"),
    ("PUT", "configuration"),
    ("PUT", "approval-path/definitions/35"),
    ("POST", "approval-path/approvals/1/votes"),
    ("GET", "jsm-ops/sites"),
    ("POST", "jsm-ops/sites"),
    ("GET", "jsm-ops/sites/11111111-2222-4333-8444-555555555555"),
    ("PUT", "jsm-ops/sites/11111111-2222-4333-8444-555555555555"),
    ("DELETE", "jsm-ops/sites/11111111-2222-4333-8444-555555555555"),
    ("GET", "jsm-ops/sites/11111111-2222-4333-8444-555555555555/users"),
    ("GET", "jsm-ops/sites/11111111-2222-4333-8444-555555555555/users/630a55c646556c72662aaaaa"),
    ("DELETE", "jsm-ops/sites/11111111-2222-4333-8444-555555555555/users/630a55c646556c72662aaaaa/role"),
    ("GET", "jsm-ops/rights"),
    ("GET", "jsm-ops/tokens"),
    ("POST", "jsm-ops/tokens"),
    ("DELETE", "jsm-ops/tokens/1"),
]
PATH_DOORS = [
    *(
        (method, f"approval-path/{kind}{one if method in ('PUT', 'DELETE') else ''}")
        for kind, one in (
            ("definitions", "/35"),
            ("conditions", "/1"),
            ("spaces", "/10001"),
            ("pages", "/10068"),
        )
        for method in ("GET", "POST", "PUT", "DELETE")
    ),
    ("GET", "approval-path/definitions/35"),
    ("GET", "approval-path/pages/10068/comments"),
    ("GET", "approval-path/approvals"),
    ("POST", "approval-path/approvals"),
    ("GET", "approval-path/approvals/1"),
    ("DELETE", "approval-path/approvals/1"),
    ("GET", "approval-path/requests"),
    ("GET", "approval-path/requests/1"),
    ("POST", "approval-path/requests/1/answer"),
    ("POST", "approval-path/approvals/1/archive"),
]
"""All of one make, so that they are only asked who may enter."""
EXPIRED = {"licence": {"state": "expired"}}


@pytest.fixture
def unlicensed(client):
    document = client.get("/__emulator/snapshot").json
    client.put_json("/__emulator/snapshot", document | EXPIRED, status=204)


@pytest.mark.parametrize(("method", "path"), DOORS + PATH_DOORS)
def test_nobody_has_to_sign_in(ask, method, path):
    assert_refused(ask(method, path, as_=None, status=401), "login.required")


@pytest.mark.parametrize(("method", "path"), DOORS + PATH_DOORS)
def test_users_may_not_enter(ask, method, path):
    answer = ask(method, path, as_="carol", status=403)
    assert_refused(answer, "forbidden", "Only Jira administrators may do this")


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize("who", ["carol", "admin"])
def test_the_licence_is_asked_for_before_the_right(ask, unlicensed, method, path, who):
    assert_refused(ask(method, path, as_=who, status=402), "licence.invalid")


def test_the_login_is_asked_for_before_the_licence(ask, unlicensed):
    ask("GET", "mappings", as_=None, status=401)


@pytest.mark.parametrize("who", ["admin", "alice"])
def test_administrators_may(ask, who):
    assert len(ask("GET", "mappings", as_=who).json) == 9


def test_a_session_will_do(client):
    client.post_json("/rest/auth/1/session", {"username": "admin", "password": "admin"})
    answer = client.get(f"{ROOT}/configuration", status=200)
    assert answer.headers["X-AUSERNAME"] == "admin"


def test_jira_does_not_take_the_family_for_its_own(ask):
    assert_refused(ask("GET", "nothing", status=404), "route.notexist")
    assert "message" in ask("GET", "/rest/approval-admin/2.0", status=404).json
    answer = ask("PATCH", "mappings", status=405)
    assert_refused(answer, "method.notallowed")
    assert "POST" in answer.headers["Allow"]


BODIES = [b"", b"null", b"[]", b"{", b'{"name": "x",}', b'{"name": "\xff"}', b"[" * 1000]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:20]))
@pytest.mark.parametrize(("method", "path"), [door for door in DOORS if door[0] in ("POST", "PUT")])
def test_what_is_no_json_object_is_refused(client, method, path, body):
    headers = {"Authorization": "Basic YWRtaW46YWRtaW4="}
    answer = client.request(
        f"{ROOT}/{path}",
        method=method,
        body=body,
        headers=headers,
        content_type="application/json",
        status=400,
    )
    assert_refused(answer, "body.malformed")


@pytest.mark.parametrize(("method", "path"), [door for door in DOORS if door[0] in ("POST", "PUT")])
def test_another_type_of_body_is_refused(client, method, path):
    headers = {"Authorization": "Basic YWRtaW46YWRtaW4="}
    answer = client.request(
        f"{ROOT}/{path}", method=method, body=b"{}", headers=headers, content_type="text/plain", status=415
    )
    assert_refused(answer, "type.unsupported")


VERSIONED = [
    "mappings/4",
    "approvals/5",
    "configuration",
    "approval-path/definitions/35",
    "approval-path/spaces/10001",
    "approval-path/pages/10068",
    "jsm-ops/sites/11111111-2222-4333-8444-555555555555",
]


@pytest.mark.parametrize("path", VERSIONED)
def test_a_version_is_a_strong_tag_that_each_write_changes(ask, path):
    first = ask("GET", path)
    assert first.headers["ETag"].strip('"').isdigit()
    assert ask("GET", path).headers["ETag"] == first.headers["ETag"]
    written = ask("PUT", path, first.json)
    assert written.headers["ETag"] != first.headers["ETag"]
    again = ask("GET", path)
    assert (again.headers["ETag"], again.json) == (written.headers["ETag"], first.json)


@pytest.mark.parametrize("path", VERSIONED)
@pytest.mark.parametrize(
    ("template", "status"),
    [
        ("{tag}", 200),
        (" {tag} ", 200),
        ('"0", {tag}', 200),
        ('W/"1", {tag}', 200),
        ("*", 200),
        (None, 200),
        ('"0"', 412),
        ("W/{tag}", 412),
        ("{number}", 412),
        ('"0{number}"', 412),
        ('"x"', 412),
        ("", 412),
        ('"' + "9" * 5000 + '"', 412),
    ],
)
def test_a_write_happens_to_an_expected_version_only(ask, path, template, status):
    before = ask("GET", path)
    tag = before.headers["ETag"]
    headers = {} if template is None else {"If-Match": template.format(tag=tag, number=tag.strip('"'))}
    answer = ask("PUT", path, before.json, headers=headers, status=status)
    if status == 412:
        assert_refused(answer, "version.stale")
        assert ask("GET", path).headers["ETag"] == tag


@pytest.mark.parametrize("path", ["mappings", "approvals"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("number", ["0", "99", "2147483648", "9" * 30])
def test_what_is_not_there_is_not_found_whatever_is_expected(ask, path, method, number):
    body = ask("GET", f"{path}/1").json if method == "PUT" else None
    if body:
        del body["id"]
    for headers in ({}, {"If-Match": '"1"'}, {"If-Match": "*"}):
        answer = ask(method, f"{path}/{number}", body, headers=headers, status=404)
        assert_refused(answer, f"{path[:-1]}.notexist", f"There is no {path[:-1]} {number}")


def test_an_import_makes_versions_new(client, ask):
    tags = {path: ask("GET", path).headers["ETag"] for path in VERSIONED}
    client.post("/__emulator/reset", status=204)
    for path, tag in tags.items():
        assert ask("GET", path).headers["ETag"] != tag


PAGES = [
    ("", None),
    ("startAt=0", (0, 5, 5)),
    ("maxResults=2", (0, 2, 2)),
    ("startAt=3", (3, 2, 2)),
    ("startAt=1&maxResults=3", (1, 3, 3)),
    ("startAt=4&maxResults=50", (4, 50, 1)),
    ("startAt=5", (5, 0, 0)),
    ("startAt=9223372036854775807&maxResults=9223372036854775807", (2**63 - 1, 2**63 - 1, 0)),
    ("maxResults=0", (0, 0, 0)),
]


@pytest.mark.parametrize(("query", "page"), PAGES)
@pytest.mark.parametrize("path", ["mappings?projectId=10000", "approvals"])
def test_pages(ask, path, query, page):
    everything = ask("GET", path).json
    total = len(everything)
    answer = ask("GET", path + ("&" if "?" in path else "?") + query).json
    if page is None:
        assert answer == everything
        return
    start, size, _ = page
    name = path.partition("?")[0]
    if "maxResults" not in query:
        size = max(total - start, 0)
    assert list(answer) == ["startAt", "maxResults", "total", name]
    assert (answer["startAt"], answer["maxResults"], answer["total"]) == (start, size, total)
    assert answer[name] == everything[start : start + size]


@pytest.mark.parametrize(
    "value", ["", "%20", "x", "-1", "1.5", "9223372036854775808", "9" * 5000, "%00", "%D9%A3"]
)
@pytest.mark.parametrize("path", ["mappings", "approvals"])
@pytest.mark.parametrize("name", ["startAt", "maxResults"])
def test_what_is_no_count_is_refused(ask, path, name, value):
    answer = ask("GET", f"{path}?{name}={value}", status=400)
    assert_refused(answer, "parameter.invalid", f"{name}: must be a whole number from 0 on")
