"""`/rest/approval-admin/1.0/jsm-ops`."""

from base64 import b64encode

import pytest

from herzum_approval.domain.custom_roles import RIGHTS
from tests.api.administration.conftest import assert_refused

CLOUD_ID = "11111111-2222-4333-8444-555555555555"
SITE = {
    "cloudId": CLOUD_ID,
    "name": "Demonstration",
    "administrators": ["admin", "alice"],
    "hasCustomRoles": True,
    "isThrottled": False,
}
NEW = {**SITE, "cloudId": "new-site", "name": "New", "administrators": ["bob"]}
CAROL, FINANCE = "630a55c646556c72662aaaaa", "288c1908-2337-47c0-8a15-9d80fb1256ea"
USERS = f"jsm-ops/sites/{CLOUD_ID}/users"
READ = "read:ops-config:jira-service-management"


def roles(cloud_id=CLOUD_ID):
    return f"/jsm/ops/api/{cloud_id}/v1/roles"


def by_token(email, secret):
    return {"Authorization": "Basic " + b64encode(f"{email}:{secret}".encode()).decode()}


ADMIN = by_token("admin@example.com", "demo-token-admin")


# -- sites ------------------------------------------------------------------------------------


def test_sites(ask):
    assert ask("GET", "jsm-ops/sites").json == [SITE]
    answer = ask("POST", "jsm-ops/sites", NEW, status=201)
    assert answer.json == NEW
    assert answer.headers["Location"] == "http://localhost/rest/approval-admin/1.0/jsm-ops/sites/new-site"
    shown = ask("GET", "jsm-ops/sites/new-site")
    assert (shown.json, shown.headers["ETag"]) == (NEW, answer.headers["ETag"])
    assert [site["cloudId"] for site in ask("GET", "jsm-ops/sites").json] == [CLOUD_ID, "new-site"]
    page = ask("GET", "jsm-ops/sites?startAt=1").json
    assert page == {"startAt": 1, "maxResults": 1, "total": 2, "sites": [NEW]}
    ask("DELETE", "jsm-ops/sites/new-site", status=204)
    ask("GET", "jsm-ops/sites/new-site", status=404)


def test_a_site_has_its_own_administrators_at_once(client, ask):
    headers = by_token("bob@example.com", "demo-token-bob")
    ask("POST", "jsm-ops/sites", {"cloudId": "new-site", "name": "New"}, status=201)
    client.get(roles("new-site"), headers=headers, status=403)
    assert ask("PUT", "jsm-ops/sites/new-site", NEW).json == NEW
    client.get(roles("new-site"), headers=headers, status=200)
    ask("PUT", "jsm-ops/sites/new-site", {**NEW, "isThrottled": True})
    client.get(roles("new-site"), headers=headers, status=429)
    ask("PUT", "jsm-ops/sites/new-site", {**NEW, "hasCustomRoles": False})
    client.get(roles("new-site"), headers=headers, status=402)


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"cloudId": "a b"}, "body.invalid", "cloudId: is not spelt as it must be"),
        ({"cloudId": "x" * 65}, "body.invalid", "cloudId: is not spelt as it must be"),
        ({"cloudId": 5}, "body.invalid", "cloudId: must be a text"),
        ({"name": None}, "body.invalid", "name: must not be null"),
        ({"administrators": "bob"}, "body.invalid", "administrators: must be a list"),
        ({"administrators": ["bob", "bob"]}, "body.invalid", "administrators: names somebody twice"),
        ({"isThrottled": 1}, "body.invalid", "isThrottled: must be true or false"),
        ({"version": 1}, "body.invalid", "version: is no member"),
        (
            {"administrators": ["bob", "nobody"]},
            "reference.invalid",
            "administrators[1]: 'nobody' is the username of none of the users",
        ),
    ],
)
def test_a_site_that_cannot_be(ask, change, code, text):
    assert_refused(ask("POST", "jsm-ops/sites", {**NEW, **change}, status=400), code, text)
    if "cloudId" not in change:
        assert_refused(ask("PUT", f"jsm-ops/sites/{CLOUD_ID}", {**SITE, **change}, status=400), code, text)
    assert ask("GET", "jsm-ops/sites").json == [SITE]


def test_refusals(ask):
    assert_refused(ask("POST", "jsm-ops/sites", SITE, status=409), "jsm.site.exists")
    assert_refused(ask("DELETE", f"jsm-ops/sites/{CLOUD_ID}", status=409), "jsm.site.inuse")
    for method, path, body in (
        ("GET", "jsm-ops/sites/none", None),
        ("PUT", "jsm-ops/sites/none", {**NEW, "cloudId": "none"}),
        ("DELETE", "jsm-ops/sites/none", None),
        ("GET", "jsm-ops/sites/none/users", None),
        ("DELETE", f"jsm-ops/sites/none/users/{CAROL}/role", None),
    ):
        assert_refused(ask(method, path, body, status=404), "jsm.site.notexist", "There is no site none")
    answer = ask("PUT", f"jsm-ops/sites/{CLOUD_ID}", NEW, status=400)
    assert_refused(answer, "body.invalid", f"cloudId: is {CLOUD_ID} in the address")
    assert_refused(ask("GET", "jsm-ops/sites?name=x", status=400), "parameter.invalid")


# -- users ------------------------------------------------------------------------------------


def test_users_with_their_rights(client, ask):
    nothing = {"baseRole": "user", "grantedRights": [], "disallowedRights": []}
    users = ask("GET", USERS).json
    assert [user["username"] for user in users] == ["admin", "alice", "bob", "carol", "kamil"]
    assert users[3] == {"accountId": CAROL, "username": "carol", "role": None, **nothing}
    body = {"accountId": CAROL, "roleId": FINANCE}
    client.post_json(f"{roles()}/assign", body, headers=ADMIN, status=201)
    shown = ask("GET", f"{USERS}/{CAROL}").json
    assert shown == {
        "accountId": CAROL,
        "username": "carol",
        "role": {"id": FINANCE, "name": "FinanceRole"},
        "baseRole": "user",
        "grantedRights": ["alert-action", "alert-create"],
        "disallowedRights": ["alert-delete", "alert-delete-note", "alert-close", "alert-close-all"],
    }
    assert ask("GET", f"{USERS}?startAt=3&maxResults=1").json == {
        "startAt": 3,
        "maxResults": 1,
        "total": 5,
        "users": [shown],
    }
    assert ask("DELETE", f"{USERS}/{CAROL}/role", status=204).body == b""
    assert ask("GET", f"{USERS}/{CAROL}").json == users[3]
    client.delete(f"{roles()}/{FINANCE}", headers=ADMIN, status=204)


@pytest.mark.parametrize(("method", "path"), [("GET", "none"), ("DELETE", "none/role")])
def test_an_unknown_user(ask, method, path):
    answer = ask(method, f"{USERS}/{path}", status=404)
    assert_refused(answer, "jsm.user.notexist", "There is no user with the account id none")


def test_an_account_id_with_a_colon(ask):
    assert ask("GET", f"{USERS}/557058:aea7ac02-75c1-4f47-9beb-dd89777d4949").json["username"] == "admin"


def test_rights(ask):
    rights = ask("GET", "jsm-ops/rights").json
    assert [right["name"] for right in rights] == list(RIGHTS)
    assert rights[-1] == {
        "name": "slack-channel-unlink",
        "group": "slack",
        "source": "Opsgenie Terraform provider",
        "requires": None,
    }
    (closing,) = (right for right in rights if right["name"] == "alert-close")
    assert closing["source"] == "JSM Operations reference page"
    assert closing["requires"] == "alert-action"


# -- tokens -----------------------------------------------------------------------------------


def test_a_token_is_shown_once(client, ask):
    body = {"username": "alice", "label": "Terraform"}
    made = ask("POST", "jsm-ops/tokens", body, status=201)
    assert list(made.json) == ["id", "username", "label", "scopes", "createdAt", "expiresAt", "token"]
    assert "no-store" in made.headers["Cache-Control"]
    secret = made.json["token"]
    client.get(roles(), headers=by_token("alice@example.com", secret), status=200)
    listed = ask("GET", "jsm-ops/tokens")
    assert secret not in listed.text
    assert listed.json[-1] == {name: value for name, value in made.json.items() if name != "token"}
    assert secret not in client.get("/__emulator/snapshot").text
    ask("DELETE", f"jsm-ops/tokens/{made.json['id']}", status=204)
    client.get(roles(), headers=by_token("alice@example.com", secret), status=401)


def test_a_token_with_scopes_and_an_end(client, ask):
    wish = {"username": "admin", "scopes": [READ], "expiresAt": "2999-01-01T01:00:00+01:00"}
    made = ask("POST", "jsm-ops/tokens", wish, status=201).json
    assert (made["scopes"], made["expiresAt"]) == ([READ], "2999-01-01T00:00:00.000Z")
    bearer = {"Authorization": f"Bearer {made['token']}"}
    client.get(roles(), headers=bearer, status=200)
    client.post_json(f"{roles()}/assign", {}, headers=bearer, status=403)
    over = ask("POST", "jsm-ops/tokens", {**wish, "expiresAt": "2020-01-01T00:00:00Z"}, status=201).json
    client.get(roles(), headers={"Authorization": f"Bearer {over['token']}"}, status=401)
    page = ask("GET", "jsm-ops/tokens?startAt=5&maxResults=1").json
    assert [token["id"] for token in page["tokens"]] == [made["id"]]


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"username": None}, "body.invalid", "username: must not be null"),
        (
            {"username": "nobody"},
            "reference.invalid",
            "username: 'nobody' is the username of none of the users",
        ),
        ({"scopes": READ}, "body.invalid", "scopes: must be a list"),
        ({"scopes": ["all"]}, "body.invalid", None),
        ({"token": "mine"}, "body.invalid", "token: is no member"),
        *(
            (
                {"expiresAt": moment},
                "body.invalid",
                "expiresAt: must be a moment such as 2030-01-20T09:59:16.000Z",
            )
            for moment in (
                "tomorrow",
                "2030-01-20",
                "2030-01-20T09:59:16",
                5,
                "9999-12-31T23:59:59-23:00",
                [],
            )
        ),
    ],
)
def test_a_token_that_cannot_be(ask, change, code, text):
    answer = ask("POST", "jsm-ops/tokens", {"username": "bob", **change}, status=400)
    assert_refused(answer, code, text)
    assert len(ask("GET", "jsm-ops/tokens").json) == 5


@pytest.mark.parametrize("number", ["99", "0", "9" * 30])
def test_an_unknown_token(ask, number):
    answer = ask("DELETE", f"jsm-ops/tokens/{number}", status=404)
    assert_refused(answer, "jsm.token.notexist", f"There is no token {number}")
