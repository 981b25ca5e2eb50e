"""How the tests of the administration ask."""

import base64
from collections.abc import Callable

import pytest
from webtest import TestApp, TestResponse

ROOT = "/rest/approval-admin/1.0"
SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"

Ask = Callable[..., TestResponse]


@pytest.fixture
def ask(client: TestApp) -> Ask:
    """Send a request as somebody, and return the answer, which must have the status."""

    def send(method, path, body=None, *, status=200, as_="admin", headers=None):
        sent = dict(headers or {})
        if as_ is not None:
            sent["Authorization"] = "Basic " + base64.b64encode(f"{as_}:{as_}".encode()).decode()
        options = {"headers": sent, "status": status}
        address = path if path.startswith("/") else f"{ROOT}/{path}"
        if body is None:
            return client.request(address, method=method, **options)
        return getattr(client, f"{method.lower()}_json")(address, body, **options)

    return send


def assert_refused(answer: TestResponse, code: str, text: str | None = None) -> None:
    """Check the three members of an error."""
    assert list(answer.json) == ["errorCode", "errorMessage", "status"]
    assert answer.json["errorCode"] == f"admin.{code}"
    assert answer.json["status"] == answer.status_int
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    if text is not None:
        assert answer.json["errorMessage"] == text
