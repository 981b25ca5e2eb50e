"""Two hosts that serve one site share sessions, failed logins and configuration by the database only."""

from collections.abc import Iterator
from http.cookies import SimpleCookie

import pytest
from peewee import Database, SqliteDatabase
from webtest import TestApp

from herzum_approval import config
from herzum_approval.app import create_app
from herzum_approval.services import logins, snapshot

SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"
SESSION = "/rest/auth/1/session"
MYSELF = "/rest/api/2/myself"
CONFIGURATION = "/rest/approval-admin/1.0/configuration"
ADMIN = {"Authorization": "Basic YWRtaW46YWRtaW4="}
BOB = {"Authorization": "Basic Ym9iOmJvYg=="}
WRONG = {"Authorization": "Basic Ym9iOndyb25n"}

Hosts = tuple[TestApp, TestApp]


@pytest.fixture
def hosts(request: pytest.FixtureRequest, engine: Database, settings: config.Settings) -> Iterator[Hosts]:
    """Two apps with handles of their own, on the demonstration site of each engine in turn."""
    snapshot.reset()
    is_file = isinstance(engine, SqliteDatabase)
    url = f"sqlite:///{engine.database}" if is_file else request.getfixturevalue("postgresql_url")
    apps = [create_app(database_url=url, demonstration=True, bcrypt_cost=4) for _ in range(2)]
    yield TestApp(apps[0]), TestApp(apps[1])
    for app in apps:
        app.wsgi_app.close_all()


def sign_in(client: TestApp) -> dict[str, str]:
    answer = client.post_json(SESSION, {"username": "bob", "password": "bob"}, status=200)
    client.reset()
    return {"Cookie": "JSESSIONID=" + SimpleCookie(answer.headers["Set-Cookie"])["JSESSIONID"].value}


def test_a_session_of_one_is_a_session_of_the_other(hosts: Hosts) -> None:
    one, other = hosts
    session = sign_in(one)
    assert other.get(MYSELF, headers=session, status=200).json["name"] == "bob"
    other.delete(SESSION, headers=session, status=204)
    one.get(MYSELF, headers=session, status=401)


def test_failures_count_together_and_lock_on_both(hosts: Hosts) -> None:
    one, other = hosts
    for client in (one, other, one):
        client.get(MYSELF, headers=WRONG, status=401)
    for client in hosts:
        client.get(MYSELF, headers=BOB, status=403)
    logins.unlock("bob")
    for client in hosts:
        client.get(MYSELF, headers=BOB, status=200)


def test_a_new_password_is_in_force_on_both(hosts: Hosts) -> None:
    session = sign_in(hosts[0])
    for client in hosts:
        client.get(MYSELF, headers=BOB, status=200)
    logins.set_password("bob", "another")
    for client in hosts:
        client.get(MYSELF, headers=BOB, status=401)
        client.get(MYSELF, headers=session, status=401)


def test_what_one_configures_is_in_force_on_the_other(hosts: Hosts) -> None:
    one, other = hosts
    for is_enabled in (False, True):
        assert len(other.get(f"{SEARCH}?username=bob", headers=BOB, status=200).json) == 4
        document = {"isRejectEnabled": is_enabled, "superApproverUsers": ["carol"]}
        one.put_json(CONFIGURATION, document, headers=ADMIN, status=200)
        assert other.get(CONFIGURATION, headers=ADMIN).json["isRejectEnabled"] is is_enabled
        assert other.get(f"{SEARCH}?username=carol", headers=BOB, status=200).json
        status = 200 if is_enabled else 403
        other.post_json(f"{SEARCH}/77/action", {"action": "REJECT"}, headers=BOB, status=status)
        one.put_json(CONFIGURATION, {}, headers=ADMIN, status=200)
        assert other.get(f"{SEARCH}?username=carol", headers=BOB, status=200).json == []


def test_an_approval_that_one_renames_is_found_on_the_other(hosts: Hosts) -> None:
    one, other = hosts
    approvals = "/rest/approval-admin/1.0/approvals"
    (tech,) = one.get(f"{approvals}?name=tech", headers=ADMIN, status=200).json
    assert other.get(f"{SEARCH}?appname=tech", headers=ADMIN, status=200).json
    one.put_json(f"{approvals}/{tech['id']}", {**tech, "name": "renamed"}, headers=ADMIN, status=200)
    other.get(f"{SEARCH}?appname=tech", headers=ADMIN, status=404)
    found = other.get(f"{SEARCH}?appname=renamed", headers=ADMIN, status=200).json
    assert {record["approvalName"] for record in found} == {"renamed"}
