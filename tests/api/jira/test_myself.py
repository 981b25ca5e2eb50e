"""/rest/api/…/myself."""

from typing import Any

import pytest
from webtest import TestApp

from herzum_approval.services import people
from tests.api.jira.conftest import basic, sign_in


@pytest.mark.parametrize("version", ["2", "latest"])
def test_who_asks(client: TestApp, version: str) -> None:
    answer = client.get(f"/rest/api/{version}/myself", headers=basic("admin"), status=200)
    avatar = "http://localhost/secure/useravatar?size={}&ownerId=admin"
    assert list(answer.json.items()) == [
        ("self", "http://localhost/rest/api/2/user?username=admin"),
        ("key", "admin"),
        ("name", "admin"),
        ("emailAddress", "admin@example.com"),
        (
            "avatarUrls",
            {
                "48x48": avatar.format("large"),
                "24x24": avatar.format("small"),
                "16x16": avatar.format("xsmall"),
                "32x32": avatar.format("medium"),
            },
        ),
        ("displayName", answer.json["displayName"]),
        ("active", True),
        ("deleted", False),
        ("timeZone", "UTC"),
        ("locale", "en_US"),
        ("groups", {"size": 2, "items": []}),
        ("applicationRoles", {"size": 1, "items": []}),
        ("expand", "groups,applicationRoles"),
    ]
    assert answer.json["displayName"]


def test_somebody_without_groups(client: TestApp) -> None:
    sign_in(client, "dave", status=200)
    answer = client.get("/rest/api/2/myself", status=200)
    assert (answer.json["groups"]["size"], answer.json["applicationRoles"]["size"]) == (0, 0)


def test_below_the_context_path(client: TestApp) -> None:
    answer = client.get("/jira/rest/api/2/myself", headers=basic("carol"), status=200)
    assert answer.json["self"] == "http://localhost/jira/rest/api/2/user?username=carol"


def test_nobody_asks(client: TestApp) -> None:
    answer = client.get("/rest/api/2/myself", status=401)
    assert answer.json == {
        "errorMessages": ["You are not authenticated. Authentication required to perform this operation."],
        "errors": {},
    }
    assert answer.headers["WWW-Authenticate"] == 'OAuth realm="http%3A%2F%2Flocalhost"'


def test_an_account_that_went_away_meanwhile(client: TestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> Any:
        return None

    monkeypatch.setattr(people, "find_user", gone)
    client.get("/rest/api/2/myself", headers=basic("admin"), status=401)
