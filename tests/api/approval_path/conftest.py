"""How the tests of the Web API ask."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp, TestResponse

from herzum_approval import examples

JIRA_KEY = "mc96LyRi9nUQySSjKXEf8xfqUZzjS2CYhRK8bWSRRfQi"
CONFLUENCE_KEY = "MASi45ub7Qe4ZE36UT5G6cU4ud8Fhhe4deS4F3cw9KTA"
ALICE, BOB = "6105b29ec51f3a0069c9ccda", "6299df401648f2006963deb8"
ADMIN = "557058:aea7ac02-75c1-4f47-9beb-dd89777d4949"

Ask = Callable[..., TestResponse]
Give = Callable[[dict[str, Any]], None]


@pytest.fixture
def ask(client: TestApp, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Send a request by an API key, and return the answer, which must have the status.

    body: sent as JSON; content: as it stands. peer: the address of who is connected.
    """

    def send(method, path, body=None, *, status=200, key=JIRA_KEY, peer=None, headers=(), content=b""):
        headers = dict(headers)
        monkeypatch.setattr(client, "extra_environ", {"REMOTE_ADDR": peer} if peer else {})
        if key is not None:
            headers.setdefault("Authorization", f"Bearer {key}")
        address = path if path.startswith("/") else f"/webapi/{path}"
        options = {"headers": headers, "status": status}
        if body is None:
            return client.request(address, method=method, body=content, **options)
        return client.post_json(address, body, **options)

    return send


@pytest.fixture
def give(client: TestApp) -> Give:
    """Lay something over the demonstration site, as the examples do."""

    def lay(given):
        document = client.get("/__emulator/snapshot", status=200).json
        client.put_json("/__emulator/snapshot", examples.merged(document, given), status=204)

    return lay


def assert_refused(answer: TestResponse, text: str | None = None) -> None:
    """Check the five members of an error, which are those of Spring Boot."""
    assert list(answer.json) == ["timestamp", "status", "error", "message", "path"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", answer.json["timestamp"])
    assert answer.json["status"] == answer.status_int
    assert answer.json["path"] == answer.request.path
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    if text is not None:
        assert answer.json["message"] == text
