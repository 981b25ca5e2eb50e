"""An action by the short way: it says and does the same as by the plain way, and nothing twice."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from webtest import TestApp, TestResponse

from herzum_approval import clock
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import decisions
from tests.api.ways import basic, only, told

SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"
ACT = f"{SEARCH}/77/action"
JSON = {"Content-Type": "application/json"}
APPROVE = b'{"action": "APPROVE"}'
NOON = datetime(2023, 5, 6, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def known(client: TestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everybody's password be known, so that nothing but the request can be out of order, at noon."""
    for username in ("bob", "carol"):
        client.get(SEARCH, headers=basic(username))
    monkeypatch.setattr(clock, "now", lambda: NOON)


def act(client: TestApp, body: bytes = APPROVE, *, path: str = ACT, **headers: str) -> TestResponse:
    given = {"X-Request-ID": "one", **JSON, **basic("bob"), **headers}
    return client.post(path, body, headers=given, status="*")


def snapshot(client: TestApp) -> dict[str, Any]:
    """Return all that is stored, but for how often somebody signed in."""
    document: dict[str, Any] = client.get("/__emulator/snapshot").json
    return {name: value for name, value in document.items() if name not in ("sessions", "login_records")}


def change_document(client: TestApp, **changes: Any) -> None:
    client.put_json(
        "/__emulator/snapshot", {**client.get("/__emulator/snapshot").json, **changes}, status=204
    )


DONE = {
    "approve": [APPROVE],
    "approve with a comment": [b'{"action": "approve", "comment": " As \\u00fc said "}'],
    "reject": [b'{"action": "REJECT", "unknown": [1]}'],
    "approve and reset": [APPROVE, b'{"action": "RESET"}'],
    "again": [APPROVE, APPROVE],
}


@pytest.mark.parametrize("cookie", [False, True], ids=["basic", "cookie"])
@pytest.mark.parametrize("bodies", DONE.values(), ids=list(DONE))
def test_both_ways_say_and_do_the_same(
    client: TestApp, shortcuts: Any, bodies: list[bytes], cookie: bool
) -> None:
    if cookie:
        client.post("/rest/auth/1/session", b'{"username": "bob", "password": "bob"}', headers=JSON)
    headers = {"Authorization": ""} if cookie else {}
    before = client.get("/__emulator/snapshot").json
    with only(shortcuts, short=False):
        plain = [told(act(client, body, **headers)) for body in bodies]
        done = snapshot(client)
    client.put_json("/__emulator/snapshot", before, status=204)
    client.get(SEARCH, headers=basic("bob"))
    with only(shortcuts, short=len(set(bodies)) == len(bodies)):
        short = [told(act(client, body, **headers)) for body in bodies]
    assert short == plain
    assert numbered_anew(snapshot(client)) == numbered_anew(done)


def numbered_anew(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document in which what was only ever added is numbered from 1: no number is given twice."""
    added = {
        name: [{**entry, "id": number} for number, entry in enumerate(document.get(name, []), start=1)]
        for name in ("history", "comments", "messages")
    }
    return {**document, **added, "last_numbers": None}


UNUSUAL: dict[str, Callable[[TestApp], TestResponse]] = {
    "no body": lambda client: act(client, b""),
    "no JSON": lambda client: act(client, b"APPROVE"),
    "no object": lambda client: act(client, b'["APPROVE"]'),
    "no action": lambda client: act(client, b"{}"),
    "another action": lambda client: act(client, b'{"action": "ACCEPT"}'),
    "no text": lambda client: act(client, b'{"action": 1}'),
    "a password": lambda client: act(client, b'{"action": "APPROVE", "password": "bob"}'),
    "a username": lambda client: act(client, b'{"action": "APPROVE", "username": "bob"}'),
    "a long body": lambda client: act(client, b'{"action": "APPROVE", "comment": "%s"}' % (b"a" * 10_000)),
    "a parameter": lambda client: act(client, path=f"{ACT}?os_authType=basic"),
    "another type": lambda client: act(client, **{"Content-Type": "text/plain"}),
    "no such record": lambda client: act(client, path=f"{SEARCH}/99999/action"),
    "a long number": lambda client: act(client, path=f"{SEARCH}/{10**18}/action"),
    "another path": lambda client: act(client, path=f"{SEARCH}/x77/action"),
    "nobody's login": lambda client: act(client, **basic("nobody")),
    "a wrong password": lambda client: act(client, Authorization="Basic Ym9iOndyb25n"),
    "a token": lambda client: act(client, Authorization="Bearer abc"),
    "no login": lambda client: act(client, Authorization=""),
    "no host": lambda client: act(client, Host="no host"),
}


@pytest.mark.parametrize("ask", UNUSUAL.values(), ids=list(UNUSUAL))
def test_what_is_unusual_goes_the_plain_way(
    client: TestApp, shortcuts: Any, ask: Callable[[TestApp], TestResponse]
) -> None:
    with only(shortcuts, short=False):
        plain = told(ask(client))
    client.post("/__emulator/reset", status=204)
    assert told(ask(client)) == plain
    client.post("/__emulator/reset", status=204)
    with only(shortcuts, short=True), pytest.raises(AssertionError, match="plain way"):
        ask(client)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"licence": {"state": "expired"}}, 402),
        ({"configuration": {"credentials_required": "password"}}, 400),
    ],
    ids=["licence", "credentials"],
)
def test_the_plain_way_refuses_what_the_site_does_not_allow(
    client: TestApp, changes: dict[str, Any], status: int
) -> None:
    change_document(client, **changes)
    client.get(SEARCH, headers=basic("bob"), status="*")
    before = snapshot(client)
    assert act(client).status_int == status
    assert snapshot(client) == before


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What came of each transaction in which a decision was tried."""
    tried: list[Any] = []
    writing = decisions.writing

    def write(*arguments: Any, **options: Any) -> Any:
        tried.append(None)
        return writing(*arguments, **options)

    monkeypatch.setattr(decisions, "writing", write)
    return tried


def test_what_is_refused_is_tried_once(client: TestApp, attempts: list[Any]) -> None:
    answer = act(client, **basic("carol"))
    assert answer.status_int == 403
    assert answer.json["errorCode"] == Fault.ACTION_UNAUTHORIZED.wire("herzum").code
    assert len(attempts) == 1


@pytest.mark.parametrize(("error", "status"), [(Problem(Fault.BUSY), 503), (RuntimeError("no"), 500)])
def test_what_may_have_been_done_is_not_done_again(
    client: TestApp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
) -> None:
    """As where the connection breaks at COMMIT: it was done, but nobody can tell."""
    writing = decisions.writing

    def write(*arguments: Any, **options: Any) -> Any:
        writing(*arguments, **options)
        raise error

    monkeypatch.setattr(decisions, "writing", write)
    caplog.clear()
    assert act(client).status_int == status
    assert [event["kind"] for event in snapshot(client)["history"]].count("APPROVED") == 1
    assert len([entry for entry in caplog.records if entry.levelname == "ERROR"]) == (status == 500)


def test_a_body_that_is_cut_off_is_refused(client: TestApp, attempts: list[Any]) -> None:
    given = {"Content-Length": "100", **JSON, **basic("bob")}
    assert client.post(ACT, APPROVE, headers=given, status="*").status_int == 400
    assert attempts == []
