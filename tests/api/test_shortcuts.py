"""The short way and the plain way say the same, whatever was written just before."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from webtest import TestApp, TestResponse
from werkzeug import Request

from herzum_approval.api.shortcuts import _arguments
from herzum_approval.services import issue_approvals
from tests.api.ways import basic, only, told

SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"
BULK = "/rest/herzum-hap-services/1.0/api/bulk-mapping-operation"
ADMINISTRATION = "/rest/approval-admin/1.0"
JSON = {"Content-Type": "application/json"}
WRONG = {"Authorization": "Basic " + base64.b64encode(b"bob:wrong").decode()}
USERS = ("admin", "alice", "bob", "carol", "dave")
QUERIES = (
    "",
    "status=PENDING",
    "status=pending&status=APPROVED",
    "username=bob",
    "username=Bob&status=PENDING",
    "username=carol&startAt=0",
    "appname=Roberto%20Pupo",
    "appname=Roberto+Pupo&unknown=%41",
    "issuekey=test-2",
    "issuekeys=TEST-2,PROC-1",
    "issueids=12305",
    "startAt=1&maxResults=2",
    "startAt=3",
    "maxResults=0",
)
UNUSUAL = (
    "status=",
    "status=WRONG",
    "username=nobody",
    "username=%ff",
    "issuekey=NO-1",
    "startAt=-1",
    "maxResults=99999999999999999999",
    "os_authType=basic",
    "os_authType=none",
    "os_username=bob&os_password=bob",
    "\u00fc",
)


def ask(client: TestApp, query: str, headers: Mapping[str, str]) -> TestResponse:
    return client.get(f"{SEARCH}?{query}", headers={"X-Request-ID": "one", **headers}, status="*")


def assert_both_ways_say_the_same(client: TestApp, shortcuts: Any, users: tuple[str, ...] = USERS) -> None:
    for username in users:
        for query in QUERIES:
            with only(shortcuts, short=False):
                plain = ask(client, query, basic(username))
            assert told(ask(client, query, basic(username))) == told(plain), (username, query)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("headers", [basic("bob"), {}], ids=["basic", "cookie"])
def test_a_search_goes_the_short_way(client: TestApp, shortcuts: Any, query: str, headers: Any) -> None:
    if not headers:
        client.post("/rest/auth/1/session", b'{"username": "bob", "password": "bob"}', headers=JSON)
    with only(shortcuts, short=False):
        plain = ask(client, query, headers)
    if plain.status_int != 200:
        assert told(ask(client, query, headers)) == told(plain)
        return
    with only(shortcuts, short=True):
        for _ in range(2):  # made, and kept
            assert told(ask(client, query, headers)) == told(plain)


@pytest.mark.parametrize("query", UNUSUAL)
def test_what_is_unusual_goes_the_plain_way(client: TestApp, shortcuts: Any, query: str) -> None:
    with only(shortcuts, short=False):
        plain = ask(client, query, basic("bob"))
    assert told(ask(client, query, basic("bob"))) == told(plain)
    with only(shortcuts, short=True), pytest.raises(AssertionError, match="plain way"):
        ask(client, query, basic("bob"))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "a",
        "=",
        "=b",
        "a=",
        "a=b=c",
        "&a=b&&c=d&",
        "a=1&a=2",
        "a=1&a",
        "a;b=1",
        "A=1&a=2",
        "a%3D=b%26",
        "a+b=c+d",
    ],
)
def test_parameters_are_read_as_by_werkzeug(query: str) -> None:
    read = Request({"QUERY_STRING": query, "REQUEST_METHOD": "GET"}).args
    assert dict(_arguments(query)) == read.to_dict()


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic ??"},
        {"Authorization": "Bearer abc"},
        WRONG,
        {"Cookie": "JSESSIONID=unknown"},
        {},
        {**basic("bob"), "Host": "no host"},
        {**basic("bob"), "Content-Length": "3"},
        {**basic("bob"), "X-Request-ID": "not a name"},
    ],
)
def test_whoever_is_not_known_goes_the_plain_way(client: TestApp, shortcuts: Any, headers: Any) -> None:
    """A wrong password is counted once, however many ways are tried."""
    ask(client, "", basic("bob"))
    with only(shortcuts, short=False):
        plain = client.get(SEARCH, headers=headers, status="*")
    answer = client.get(SEARCH, headers=headers, status="*")
    assert (answer.status, answer.body) == (plain.status, plain.body)
    assert sorted(answer.headers) == sorted(plain.headers)
    records = client.get("/__emulator/snapshot").json.get("login_records", [])
    failed = sum(each.get("total_failed_count", 0) for each in records)
    assert failed == (2 if headers is WRONG else 0)


def test_an_unforeseen_error_is_said_and_logged_once(
    client: TestApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ask(client, "", basic("bob"))

    def fail(*arguments: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(issue_approvals, "search", fail)
    assert ask(client, "status=PENDING", basic("bob")).status_int == 500
    assert len([entry for entry in caplog.records if entry.levelname == "ERROR"]) == 1


def test_a_head_request_has_no_body(client: TestApp) -> None:
    ask(client, "", basic("bob"))
    assert client.head(SEARCH, headers=basic("bob"), status=200).body == b""


# -- nothing kept outlives what it was made of ------------------------------------------------


def act(client: TestApp, record: int, action: str, username: str) -> None:
    client.post_json(f"{SEARCH}/{record}/action", {"action": action}, headers=basic(username), status=200)


def change_document(client: TestApp, change: Callable[[dict[str, Any]], None]) -> None:
    document = client.get("/__emulator/snapshot").json
    change(document)
    client.put_json("/__emulator/snapshot", document, status=204)


def rename_approval(client: TestApp) -> None:
    address = f"{ADMINISTRATION}/approvals/3"
    body = client.get(address, headers=basic("admin")).json
    client.put_json(address, {**body, "name": "Renamed"}, headers=basic("admin"), status=200)


def configure(client: TestApp, **more: Any) -> None:
    address = f"{ADMINISTRATION}/configuration"
    body = client.get(address, headers=basic("admin")).json
    client.put_json(address, {**body, **more}, headers=basic("admin"), status=200)


def copy_mappings(client: TestApp) -> TestResponse:
    body = {
        "action": "move",
        "type": "project",
        "mappingSource": {"projectId": 10000},
        "mappingList": [{"projectId": 10001}],
    }
    return client.post_json(BULK, body, headers=basic("admin"), status="*")


def nobody_browses(document: dict[str, Any]) -> None:
    for project in document["projects"]:
        project["browsers"] = []


def move(client: TestApp) -> None:
    address = "/rest/api/2/issue/SOFT-1/transitions"
    offered = client.get(address, headers=basic("admin")).json["transitions"]
    client.post_json(address, {"transition": {"id": offered[0]["id"]}}, headers=basic("admin"), status=204)


WRITES: dict[str, Callable[[TestApp], Any]] = {
    "approve": lambda client: act(client, 77, "APPROVE", "bob"),
    "approve and reset": lambda client: (act(client, 77, "APPROVE", "bob"), act(client, 77, "RESET", "bob")),
    "move": move,
    "rename": rename_approval,
    "lock reversing": lambda client: configure(client, isReversingLocked=True),
    "bulk": copy_mappings,
    "nobody browses": lambda client: change_document(client, nobody_browses),
    "reset": lambda client: client.post("/__emulator/reset", status=204),
}


@pytest.mark.parametrize("write", WRITES)
def test_after_any_write_both_ways_say_the_same(client: TestApp, shortcuts: Any, write: str) -> None:
    users = ("admin", "bob", "dave")
    assert_both_ways_say_the_same(client, shortcuts, users)
    before = ask(client, "", basic("bob")).body
    WRITES[write](client)
    assert_both_ways_say_the_same(client, shortcuts, users)
    if write in ("approve", "move", "rename", "nobody browses"):
        assert ask(client, "", basic("bob")).body != before


def test_a_signed_out_session_is_gone_at_once(client: TestApp, shortcuts: Any) -> None:
    client.post("/rest/auth/1/session", b'{"username": "bob", "password": "bob"}', headers=JSON)
    cookie = {"Cookie": f"JSESSIONID={client.cookies['JSESSIONID']}"}
    client.reset()
    with only(shortcuts, short=True):
        assert ask(client, "", cookie).status_int == 200
    client.delete("/rest/auth/1/session", headers=cookie, status=204)
    assert ask(client, "", cookie).status_int == 401


def test_a_locked_out_user_is_refused_at_once(client: TestApp, shortcuts: Any) -> None:
    ask(client, "", basic("bob"))
    with only(shortcuts, short=True):
        assert ask(client, "", basic("bob")).status_int == 200
    for _ in range(3):
        assert ask(client, "", WRONG).status_int == 401
    assert ask(client, "", basic("bob")).headers["X-Authentication-Denied-Reason"]


def test_an_expired_licence_refuses_at_once(client: TestApp, shortcuts: Any) -> None:
    ask(client, "", basic("bob"))
    change_document(client, lambda document: document.update(licence={"state": "expired"}))
    assert ask(client, "", basic("bob")).status_int != 200
