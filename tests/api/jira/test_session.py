"""/rest/auth/…/session and /rest/auth/…/websudo."""

import re
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from webtest import TestApp, TestResponse

from tests.api.jira.conftest import basic, sign_in

NOT_AUTHENTICATED = {
    "errorMessages": ["You are not authenticated. Authentication required to perform this operation."],
    "errors": {},
}
LOGIN_FAILED = {"errorMessages": ["Login failed"], "errors": {}}
LOGIN_DENIED = {"errorMessages": ["Login denied"], "errors": {}}
JIRA_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")


def cookie(answer: TestResponse) -> "Morsel[str]":
    return SimpleCookie(answer.headers["Set-Cookie"])["JSESSIONID"]


# -- signing in -------------------------------------------------------------------------------


def test_signing_in(client: TestApp) -> None:
    answer = sign_in(client, status=200)
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["X-Seraph-LoginReason"] == "OK"
    assert answer.headers["X-AUSERNAME"] == "admin"
    assert re.fullmatch(r"[0-9a-z]{6}", answer.headers["X-ASESSIONID"])
    token = cookie(answer).value
    assert len(token) >= 32
    assert answer.json == {"session": {"name": "JSESSIONID", "value": token}, "loginInfo": {"loginCount": 1}}


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: TestApp) -> None:
    morsel = cookie(sign_in(client, status=200))
    assert (morsel["path"], morsel["httponly"], morsel["samesite"]) == ("/", True, "Lax")
    assert (morsel["secure"], morsel["domain"], morsel["expires"], morsel["max-age"]) == ("", "", "", "")


def test_the_cookie_is_of_the_context_path(client: TestApp) -> None:
    answer = client.post_json(
        "/jira/rest/auth/1/session", {"username": "admin", "password": "admin"}, status=200
    )
    assert cookie(answer)["path"] == "/jira"
    assert client.get("/jira/rest/auth/1/session", status=200).json["self"] == (
        "http://localhost/jira/rest/api/latest/user?username=admin"
    )


def test_the_cookie_is_secure_under_https(client: TestApp) -> None:
    answer = sign_in(client, extra_environ={"wsgi.url_scheme": "https"}, status=200)
    assert cookie(answer)["secure"] is True


@pytest.mark.parametrize(("username", "password"), [("admin", "wrong"), ("nobody", "admin"), ("admin", "")])
def test_wrong_credentials(client: TestApp, username: str, password: str) -> None:
    """A5: who does not exist is answered like who does."""
    answer = sign_in(client, username, password, status=401)
    assert answer.json == LOGIN_FAILED
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
    assert answer.headers["WWW-Authenticate"] == 'OAuth realm="http%3A%2F%2Flocalhost"'
    assert answer.headers["X-AUSERNAME"] == "anonymous"
    assert "Set-Cookie" not in answer.headers
    assert "X-Authentication-Denied-Reason" not in answer.headers


def test_unknown_and_wrong_are_told_alike(client: TestApp) -> None:
    unknown, wrong = (sign_in(client, name, "wrong", status=401) for name in ("ghost", "carol"))
    assert unknown.body == wrong.body
    volatile = {"X-AREQUESTID", "X-Request-ID"}
    assert {name: value for name, value in unknown.headers.items() if name not in volatile} == {
        name: value for name, value in wrong.headers.items() if name not in volatile
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "admin"},
        {"password": "admin"},
        {"username": None, "password": "admin"},
        {"username": "admin", "password": 1},
        {"username": ["admin"], "password": "admin"},
        {"username": {"$ne": ""}, "password": {"$ne": ""}},
    ],
)
def test_no_credentials_are_wrong_credentials(client: TestApp, body: dict[str, Any]) -> None:
    assert client.post_json("/rest/auth/1/session", body, status=401).json == LOGIN_FAILED


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b'"admin"', b"\xff", b'{"username":"\xed\xa0\x80"}']
)
def test_malformed_bodies(client: TestApp, body: bytes) -> None:
    answer = client.post("/rest/auth/1/session", body, content_type="application/json", status=400)
    assert set(answer.json) == {"errorMessages", "errors"}


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""]
)
def test_bodies_that_are_no_json(client: TestApp, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = client.post(
        "/rest/auth/1/session", b'{"username":"admin","password":"admin"}', headers, status=415
    )
    assert answer.json == {"message": "HTTP 415 Unsupported Media Type", "status-code": 415}


def test_unknown_members_are_ignored_and_of_repeated_ones_the_last_counts(client: TestApp) -> None:
    body = b'{"username":"nobody","username":"admin","password":"admin","isAdmin":true}'
    client.post("/rest/auth/1/session", body, content_type="application/json; charset=utf-8", status=200)


def test_credentials_in_the_address_are_refused(client: TestApp) -> None:
    address = "/rest/auth/1/session?os_username=admin&os_password=admin"
    for method in ("GET", "DELETE"):
        client.request(address, method=method, status=401)
    client.post_json(address, {"username": "admin", "password": "admin"}, status=401)


def test_the_header_is_not_asked_where_the_body_is(client: TestApp) -> None:
    sign_in(client, headers=basic("admin", "wrong"), status=200)
    sign_in(client, "carol", status=200)
    assert client.get("/rest/auth/1/session", status=200).json["name"] == "carol"


# -- the lock ---------------------------------------------------------------------------------


def test_after_three_failures_the_right_password_is_denied(locked_admin: TestApp) -> None:
    answer = sign_in(locked_admin, status=403)
    assert answer.json == LOGIN_DENIED
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATION_DENIED"
    assert answer.headers["X-Authentication-Denied-Reason"] == (
        "CAPTCHA_CHALLENGE; login-url=http://localhost/login.jsp"
    )
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("by_basic", [(True, False, True), (False, True, False), (True, True, True)])
def test_all_doors_count_together(client: TestApp, by_basic: tuple[bool, ...]) -> None:
    """A1."""
    for is_basic in by_basic:
        if is_basic:
            client.get("/rest/api/2/myself", headers=basic("admin", "wrong"), status=401)
        else:
            sign_in(client, password="wrong", status=401)
    sign_in(client, status=403)
    client.get("/rest/api/2/myself", headers=basic("admin"), status=403)
    client.get("/rest/api/2/myself", headers=basic("carol"), status=200)


def test_a_lock_leaves_sessions_alone(client: TestApp) -> None:
    """A4."""
    sign_in(client, status=200)
    for _ in range(3):
        client.get("/rest/api/2/myself", headers=basic("admin", "wrong"), status=401)
    client.get("/rest/api/2/myself", headers=basic("admin"), status=403)
    assert client.get("/rest/auth/1/session", status=200).json["loginInfo"]["failedLoginCount"] == 3


# -- the session ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "latest"])
def test_who_is_signed_in(client: TestApp, version: str) -> None:
    sign_in(client, status=200)
    answer = client.get(f"/rest/auth/{version}/session", status=200)
    assert answer.json == {
        "self": "http://localhost/rest/api/latest/user?username=admin",
        "name": "admin",
        "loginInfo": {"loginCount": 1},
    }
    assert answer.headers["X-AUSERNAME"] == "admin"
    assert answer.headers["X-Seraph-LoginReason"] == "OK"


def test_login_info_tells_of_former_logins(client: TestApp) -> None:
    sign_in(client, status=200)
    sign_in(client, password="wrong", status=401)
    info = sign_in(client, status=200).json["loginInfo"]
    assert list(info) == ["failedLoginCount", "loginCount", "lastFailedLoginTime", "previousLoginTime"]
    assert (info["failedLoginCount"], info["loginCount"]) == (1, 2)
    assert JIRA_TIME.fullmatch(info["lastFailedLoginTime"])
    assert JIRA_TIME.fullmatch(info["previousLoginTime"])


def test_basic_credentials_are_shown_too(client: TestApp) -> None:
    assert client.get("/rest/auth/1/session", headers=basic("BOB", "bob"), status=200).json["name"] == "bob"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_nobody_is_signed_in(client: TestApp, method: str) -> None:
    answer = client.request("/rest/auth/1/session", method=method, status=401)
    assert answer.json == NOT_AUTHENTICATED
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["WWW-Authenticate"] == 'OAuth realm="http%3A%2F%2Flocalhost"'
    assert answer.headers["X-AUSERNAME"] == "anonymous"


def test_every_login_has_a_new_id_and_ends_the_one_before(client: TestApp) -> None:
    """A8."""
    first = cookie(sign_in(client, status=200)).value
    second = cookie(sign_in(client, status=200)).value
    assert first != second
    client.get("/rest/auth/1/session", status=200)
    client.reset()
    client.set_cookie("JSESSIONID", first)
    client.get("/rest/auth/1/session", status=401)


def test_a_planted_id_is_never_taken_over(client: TestApp) -> None:
    client.set_cookie("JSESSIONID", "planted-by-somebody-else-0123456789")
    client.get("/rest/auth/1/session", status=401)
    assert cookie(sign_in(client, status=200)).value != "planted-by-somebody-else-0123456789"


# -- signing out ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "latest"])
def test_signing_out(client: TestApp, version: str) -> None:
    token = cookie(sign_in(client, status=200)).value
    answer = client.delete(f"/rest/auth/{version}/session", status=204)
    assert answer.body == b""
    assert "Content-Type" not in answer.headers
    dropped = cookie(answer)
    assert (dropped.value, dropped["max-age"], dropped["path"]) == ("", "0", "/")
    client.set_cookie("JSESSIONID", token)
    client.get("/rest/auth/1/session", status=401)


def test_signing_out_with_basic_credentials_ends_the_cookies_session(client: TestApp) -> None:
    """Postman sends both; whoever is told to forget the cookie must not leave it alive."""
    token = cookie(sign_in(client, status=200)).value
    answer = client.delete("/rest/auth/1/session", headers=basic("admin"), status=204)
    assert cookie(answer)["max-age"] == "0"
    client.set_cookie("JSESSIONID", token)
    client.get("/rest/auth/1/session", status=401)


def test_signing_out_with_basic_credentials_leaves_other_sessions_alone(client: TestApp) -> None:
    token = cookie(sign_in(client, status=200)).value
    client.reset()
    client.delete("/rest/auth/1/session", headers=basic("admin"), status=204)
    client.set_cookie("JSESSIONID", token)
    client.get("/rest/auth/1/session", status=200)


def test_ending_websudo(client: TestApp) -> None:
    client.delete("/rest/auth/1/websudo", status=401)
    assert client.delete("/rest/auth/1/websudo", headers=basic("admin"), status=204).body == b""


# -- what is not there ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/rest/auth/2/session", "/rest/auth/1/nothing", "/rest/nothing", "/rest"])
def test_unknown_paths(client: TestApp, path: str) -> None:
    answer = client.get(path, status=404)
    assert answer.json == {"message": f"null for uri: http://localhost{path}", "status-code": 404}
    assert answer.headers["X-AUSERNAME"] == "anonymous"


def test_unknown_methods(client: TestApp) -> None:
    answer = client.put("/rest/auth/1/session", status=405)
    assert answer.json == {"message": "HTTP 405 Method Not Allowed", "status-code": 405}
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, POST"
