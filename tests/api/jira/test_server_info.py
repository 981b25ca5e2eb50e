"""/rest/api/…/serverInfo."""

import re

import pytest
from webtest import TestApp

from tests.api.jira.conftest import basic, sign_in


@pytest.mark.parametrize("version", ["2", "latest"])
def test_what_server_this_is(client: TestApp, version: str) -> None:
    answer = client.get(f"/rest/api/{version}/serverInfo?doHealthCheck=true", status=200)
    assert list(answer.json) == [
        "baseUrl",
        "version",
        "versionNumbers",
        "deploymentType",
        "buildNumber",
        "buildDate",
        "databaseBuildNumber",
        "scmInfo",
        "serverTitle",
    ]
    assert answer.json["baseUrl"] == "http://localhost"
    assert answer.json["deploymentType"] == "Server"
    assert ".".join(map(str, answer.json["versionNumbers"])) == answer.json["version"]
    assert answer.json["versionNumbers"][:2] == [9, 12]
    assert answer.headers["X-AUSERNAME"] == "anonymous"
    assert "X-ASESSIONID" not in answer.headers


def test_who_is_signed_in_sees_the_time_too(client: TestApp) -> None:
    answer = client.get("/rest/api/2/serverInfo", headers=basic("dave"), status=200)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", answer.json["serverTime"])
    assert answer.headers["X-AUSERNAME"] == "dave"


def test_the_base_url_is_the_callers(client: TestApp) -> None:
    answer = client.get("/jira/rest/api/2/serverInfo", headers={"Host": "jira.example.com:2990"}, status=200)
    assert answer.json["baseUrl"] == "http://jira.example.com:2990/jira"


def test_a_wrong_password_fails_even_here(client: TestApp) -> None:
    client.get("/rest/api/2/serverInfo", headers=basic("admin", "wrong"), status=401)


def test_a_dead_session_is_nobody(client: TestApp) -> None:
    token = sign_in(client, status=200).json["session"]["value"]
    client.delete("/rest/auth/1/session", status=204)
    client.set_cookie("JSESSIONID", token)
    assert client.get("/rest/api/2/serverInfo", status=200).headers["X-AUSERNAME"] == "anonymous"
