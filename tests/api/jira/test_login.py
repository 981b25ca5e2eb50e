"""How a request becomes an actor, seen on `myself` (needs one) and `serverInfo` (does not)."""

import base64
import re

import pytest
from webtest import TestApp

from tests.api.jira.conftest import basic, sign_in

MYSELF = "/rest/api/2/myself"
SERVER_INFO = "/rest/api/2/serverInfo"
FAILED = "Basic Authentication Failure - Reason : AUTHENTICATED_FAILED"
DENIED = "Basic Authentication Failure - Reason : AUTHENTICATION_DENIED"


def encoded(text: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text).decode()}


# -- Basic ------------------------------------------------------------------------------------


def test_right_credentials(client: TestApp) -> None:
    answer = client.get(MYSELF, headers=basic("admin"), status=200)
    assert answer.headers["X-Seraph-LoginReason"] == "OK"
    assert answer.headers["X-AUSERNAME"] == "admin"
    assert re.fullmatch(r"[0-9a-z]{6}", answer.headers["X-ASESSIONID"])
    assert re.fullmatch(r"\d{1,4}x\d+x1", answer.headers["X-AREQUESTID"])
    assert answer.headers["Cache-Control"] == "no-cache, no-store, no-transform"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_schemes_have_no_letter_case(client: TestApp, scheme: str) -> None:
    credentials = base64.b64encode(b"ADMIN:admin").decode()
    answer = client.get(MYSELF, headers={"Authorization": f"{scheme}  {credentials} "}, status=200)
    assert answer.headers["X-AUSERNAME"] == "admin"


@pytest.mark.parametrize(
    "headers",
    [
        basic("admin", "wrong"),
        basic("nobody"),
        basic("admin", ""),
        encoded(b"admin"),
        encoded(b""),
        encoded(b":"),
        encoded(b"admin\xff:\xfe"),
        encoded(b"ad\0min:admin"),
        encoded(b"admin:admin:admin"),
        encoded(b"admin:" + b"x" * 5000),
        {"Authorization": "Basic"},
        {"Authorization": "Basic YWRtaW46YWRtaW4"},
        {"Authorization": "Basic not*base64"},
        {"Authorization": "Basic \xe9\xe9\xe9\xe9"},
    ],
)
@pytest.mark.parametrize("path", [MYSELF, SERVER_INFO])
def test_useless_credentials(client: TestApp, path: str, headers: dict[str, str]) -> None:
    answer = client.get(path, headers={"Accept": "application/json", **headers}, status=401)
    assert answer.headers["Content-Type"] == "text/html;charset=UTF-8"
    assert FAILED in answer.text
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
    assert answer.headers["X-AUSERNAME"] == "anonymous"
    assert "X-ASESSIONID" not in answer.headers


def test_a_locked_account_is_denied(locked_admin: TestApp) -> None:
    answer = locked_admin.get(SERVER_INFO, headers=basic("admin"), status=403)
    assert answer.headers["Content-Type"] == "text/html;charset=UTF-8"
    assert DENIED in answer.text
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATION_DENIED"
    assert answer.headers["X-Authentication-Denied-Reason"] == (
        "CAPTCHA_CHALLENGE; login-url=http://localhost/login.jsp"
    )


def test_the_header_wins_over_the_cookie(client: TestApp) -> None:
    sign_in(client, "admin", status=200)
    assert client.get(MYSELF, headers=basic("bob"), status=200).json["name"] == "bob"
    client.get(MYSELF, headers=basic("bob", "wrong"), status=401)


# -- other schemes ----------------------------------------------------------------------------


def test_there_are_no_tokens_yet(client: TestApp) -> None:
    sign_in(client, status=200)
    answer = client.get(MYSELF, headers={"Authorization": "Bearer anything"}, status=401)
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
    assert client.get("/rest/auth/1/session", status=200).json["loginInfo"] == {"loginCount": 1}


@pytest.mark.parametrize("header", ["Digest username=admin", "OAuth x", "", "YWRtaW46YWRtaW4="])
def test_unknown_schemes_are_no_credentials(client: TestApp, header: str) -> None:
    client.get(MYSELF, headers={"Authorization": header}, status=401)
    answer = client.get(SERVER_INFO, headers={"Authorization": header}, status=200)
    assert answer.headers["X-AUSERNAME"] == "anonymous"
    sign_in(client, status=200)
    client.get(MYSELF, headers={"Authorization": header}, status=200)


# -- the address ------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["os_username=admin&os_password=admin", "os_username=", "os_password=x"])
@pytest.mark.parametrize("path", [MYSELF, SERVER_INFO])
def test_credentials_in_the_address_are_refused(client: TestApp, path: str, query: str) -> None:
    answer = client.get(f"{path}?{query}", headers=basic("admin"), status=401)
    assert answer.json["errorMessages"] == [
        "Logins in the address are off; send Basic credentials or a session cookie."
    ]


def test_a_challenge_can_be_asked_for(client: TestApp) -> None:
    for path in (MYSELF, SERVER_INFO):
        answer = client.get(f"{path}?os_authType=basic", status=401)
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="protected-area"'
    client.get(f"{MYSELF}?os_authType=basic", headers=basic("admin"), status=200)
    sign_in(client, status=200)
    client.get(f"{MYSELF}?os_authType=basic", status=200)


def test_credentials_can_be_ignored(client: TestApp) -> None:
    sign_in(client, status=200)
    client.get(f"{MYSELF}?os_authType=none", headers=basic("admin"), status=401)
    answer = client.get(f"{SERVER_INFO}?os_authType=none", headers=basic("admin", "wrong"), status=200)
    assert answer.headers["X-AUSERNAME"] == "anonymous"


def test_other_kinds_change_nothing(client: TestApp) -> None:
    client.get(f"{MYSELF}?os_authType=any", status=401)
    client.get(f"{MYSELF}?os_authType=any", headers=basic("admin"), status=200)


# -- names that headers cannot hold -----------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "header"),
    [
        ("jose", "jose"),
        ("jos\u00e9", "jos\u00e9"),
        ("\u9f8d", "%E9%BE%8D"),
        ("a\tb", "a%09b"),
    ],
)
def test_names_in_headers(client: TestApp, username: str, header: str) -> None:
    document = client.get("/__emulator/snapshot", status=200).json
    dave = next(user for user in document["users"] if user["username"] == "dave")
    document["users"].append(
        {
            **{key: value for key, value in dave.items() if key in ("display_name", "email")},
            "id": 4711,
            "username": username,
            "password": "secret",
        }
    )
    client.put_json("/__emulator/snapshot", document, status=204)
    answer = client.get(MYSELF, headers=basic(username, "secret"), status=200)
    assert answer.headers["X-AUSERNAME"] == header
    if username == "jos\u00e9":
        client.get(MYSELF, headers=basic(username, "secret", encoding="latin-1"), status=200)
