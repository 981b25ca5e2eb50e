"""Who may enter: the six endpoints, below both bases, and every kind of caller."""

import re
from itertools import product

import pytest

from tests.api.jsm_ops.conftest import (
    AUTHORIZATIONS,
    BASES,
    CAROL,
    DEVELOPER,
    FINANCE,
    SRE,
    asking,
    assert_refused,
)

R, W, X = (f"{action}:ops-config:jira-service-management" for action in ("read", "write", "delete"))

ENDPOINTS = {
    "R1": ("GET", "", None, 200, (R,)),
    "R2": ("POST", "", {"name": "Night shift"}, 201, (R,)),
    "R3": ("GET", f"/{FINANCE}", None, 200, (R,)),
    "R4": ("PUT", f"/{DEVELOPER}", {"name": "Coder"}, 200, (R, W)),
    "R5": ("DELETE", f"/{SRE}", None, 204, (R, X)),
    "R6": ("POST", "/assign", {"accountId": CAROL, "roleId": FINANCE}, 201, (R, W)),
}
"""Method, path, body, status of a success, and the scopes that the reference page prints."""

ADMITTED = ("admin", "alice", "oauth")
UNKNOWN = [name for name in AUTHORIZATIONS if name not in (*ADMITTED, "bob", "oauth reading")]
ALL = [*product(ENDPOINTS, BASES)]


@pytest.mark.parametrize("who", ADMITTED)
@pytest.mark.parametrize(("endpoint", "base"), ALL)
def test_administrators_of_the_site_may(ask, endpoint, base, who):
    method, path, body, status, _ = ENDPOINTS[endpoint]
    answer = ask(method, path, body, status=status, as_=who, base=base)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.headers["X-Request-ID"])
    assert re.fullmatch(r"\d+\.\d{3}", answer.headers["X-Response-Time"])


@pytest.mark.parametrize("who", [None, *UNKNOWN])
@pytest.mark.parametrize(("endpoint", "base"), ALL)
def test_who_is_nobody_may_not(site_with, endpoint, base, who):
    """On one engine: nothing of it depends on the database but whether a digest is there."""
    method, path, body, _, _ = ENDPOINTS[endpoint]
    answer = asking(site_with())(method, path, body, status=401, as_=who, base=base)
    assert_refused(answer, "Could not authenticate")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(("endpoint", "base"), ALL)
def test_others_may_not(ask, endpoint, base):
    method, path, body, _, _ = ENDPOINTS[endpoint]
    answer = ask(method, path, body, status=403, as_="bob", base=base)
    assert_refused(answer, "You are not authorized to perform this action")


@pytest.mark.parametrize("lacking", [R, W, X])
@pytest.mark.parametrize(("endpoint", "base"), ALL)
def test_a_limited_token_needs_the_printed_scopes(ask, administer, endpoint, base, lacking):
    method, path, body, status, scopes = ENDPOINTS[endpoint]
    wish = {"username": "admin", "scopes": [scope for scope in (R, W, X) if scope != lacking]}
    token = administer("POST", "tokens", wish, status=201).json["token"]
    expected = 403 if lacking in scopes else status
    headers = {"Authorization": f"Bearer {token}"}
    answer = ask(method, path, body, status=expected, as_=None, base=base, headers=headers)
    if lacking in scopes:
        assert_refused(answer, f"The token lacks the scope {lacking}")


def test_strict_mode_asks_a_creator_for_the_scope_of_writing(site_with):
    method, path, body, _, _ = ENDPOINTS["R2"]
    strict = asking(site_with(jsm_ops_strict=True))
    answer = strict(method, path, body, status=403, as_="oauth reading")
    assert_refused(answer, f"The token lacks the scope {W}")
    strict(method, path, body, status=201, as_="oauth")
    strict("GET", as_="oauth reading")


@pytest.mark.parametrize(("endpoint", "base"), ALL)
def test_an_unknown_site_is_not_found(ask, endpoint, base):
    method, path, body, _, _ = ENDPOINTS[endpoint]
    answer = ask(method, path, body, status=404, site="none", base=base)
    assert_refused(answer, "Site not found with identifier: none")


def test_a_login_is_asked_for_before_the_site(ask):
    ask("GET", status=401, as_=None, site="none")
    ask("GET", status=404, as_="bob", site="none")


def test_a_site_without_the_plan(ask, lay_over):
    lay_over(jsm_sites=[{"name": "Demonstration", "has_custom_roles": False}])
    assert_refused(ask("GET", status=402), "Custom user roles are not part of the plan of this site")


def test_a_throttled_site(ask, lay_over):
    lay_over(jsm_sites=[{"name": "Demonstration", "is_throttled": True}])
    answer = ask("POST", "", {"name": "x"}, status=429)
    assert_refused(answer)
    assert answer.headers["Retry-After"] == "1"


def test_a_revoked_token_opens_nothing(ask, administer):
    headers = {"Authorization": AUTHORIZATIONS["admin"]}
    ask("GET", as_=None, headers=headers)
    administer("DELETE", "tokens/1", status=204)
    ask("GET", as_=None, headers=headers, status=401)
    assert 1 not in {token["id"] for token in administer("GET", "tokens").json}


def test_credentials_in_the_address_are_none(ask):
    ask("GET", "?os_username=admin&os_password=admin", as_=None, status=401)


def test_nobody_is_locked_out_by_wrong_tokens(ask, client):
    for _ in range(5):
        ask("GET", as_="password by e-mail", status=401)
    ask("GET")
    client.get("/rest/api/2/myself", headers={"Authorization": AUTHORIZATIONS["password"]}, status=200)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/jsm/ops/api"), ("GET", "/ex/jira/x/rest/api/3/myself"), ("GET", "/ex/jira")],
)
def test_what_is_not_there_is_said_in_the_same_shape(client, method, path):
    assert_refused(
        client.request(path, method=method, status=404), f"There is nothing at http://localhost{path}"
    )


def test_a_method_that_is_not_there(ask):
    answer = ask("PATCH", "", {}, status=405)
    assert_refused(answer)
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert ask("GET", "/assign", status=404).json["message"].endswith(": assign")
    ask("POST", f"/{FINANCE}", {}, status=405)


def test_the_context_path_serves_it_too(client):
    headers = {"Authorization": AUTHORIZATIONS["admin"]}
    client.get("/jira" + BASES[0].format("none"), headers=headers, status=404)
