"""Searches of callers with a session are served from a copy of the database, unless they just wrote.

The copy is another database, whose approvals have other names: so an answer tells where it was read.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from http.cookies import SimpleCookie
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from peewee import Database
from webtest import TestApp

from herzum_approval import clock, config, store
from herzum_approval.app import create_app
from herzum_approval.services import snapshot

SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"
ADMIN = {"Authorization": "Basic YWRtaW46YWRtaW4="}
LAG = 10.0

Sites = tuple[TestApp, TestApp]


@pytest.fixture(scope="module")
def copy_url(postgresql_url: str) -> Iterator[str]:
    """The address of a second database on the same server."""
    database = store.open_database(postgresql_url)
    name = urlsplit(postgresql_url).path.strip("/") + "_copy"
    with database.connection_context():
        database.execute_sql(f"DROP DATABASE IF EXISTS {name}")
        database.execute_sql(f"CREATE DATABASE {name}")
    yield urlsplit(postgresql_url)._replace(path=f"/{name}").geturl()
    with database.connection_context():
        database.execute_sql(f"DROP DATABASE {name}")
    database.close_all()


@pytest.fixture
def sites(postgresql_url: str, postgresql_database: Database, copy_url: str) -> Iterator[Sites]:
    """Two workers of one site with a copy, both with nothing read or written yet."""
    copy = store.open_database(copy_url)
    with config.active(config.Settings(bcrypt_cost=4, demonstration=True)):
        with store.active(postgresql_database):
            snapshot.reset()
        with store.active(copy):
            store.migrate(copy)
            snapshot.import_all(renamed())
    copy.close_all()
    apps = [site(postgresql_url, copy_url) for _ in range(2)]
    yield TestApp(apps[0]), TestApp(apps[1])
    for app in apps:
        app.wsgi_app.close_all()


def site(database_url: str, copy_url: str) -> Any:
    return create_app(
        database_url=database_url,
        database_read_url=copy_url,
        database_read_after_write_seconds=LAG,
        demonstration=True,
        bcrypt_cost=4,
    )


def renamed() -> dict[str, Any]:
    """Return the demonstration site, told apart by the names of its approvals."""
    document = json.loads((files("herzum_approval") / "data" / "demo.json").read_text(encoding="utf-8"))
    for approval in document["approvals"]:
        approval["name"] += " of the copy"
    return dict(document)


def sign_in(client: TestApp, username: str = "admin") -> dict[str, str]:
    answer = client.post_json(
        "/rest/auth/1/session", {"username": username, "password": username}, status=200
    )
    client.reset()
    cookie = SimpleCookie(answer.headers["Set-Cookie"])["JSESSIONID"].value
    return {"Cookie": f"JSESSIONID={cookie}"}


def place_read(client: TestApp, headers: dict[str, str], query: str = "") -> str:
    (names,) = {
        "copy" if record["approvalName"].endswith("of the copy") else "database"
        for record in client.get(SEARCH + query, headers=headers, status=200).json
    }
    return names


def approve(client: TestApp, headers: dict[str, str]) -> None:
    client.post_json(
        f"{SEARCH}/21/action", {"action": "APPROVE", "comment": "ok"}, headers=headers, status=200
    )


@pytest.mark.parametrize("query", ["", "?username=bob", "?status=PENDING"])
def test_a_session_searches_the_copy(sites: Sites, query: str) -> None:
    assert place_read(sites[0], sign_in(sites[0]), query) == "copy"


def test_whoever_has_no_session_searches_where_all_is_written(sites: Sites) -> None:
    assert place_read(sites[0], ADMIN) == "database"


def test_after_a_write_a_session_searches_where_it_wrote_by_whichever_worker(sites: Sites) -> None:
    one, other = sites
    session, bystander = sign_in(one), sign_in(other, "bob")
    assert place_read(other, session) == "copy"
    approve(one, session)
    assert [place_read(client, session) for client in sites] == ["database"] * 2
    assert place_read(one, bystander) == "copy"


def test_a_session_that_wrote_long_ago_searches_the_copy_again(sites: Sites) -> None:
    session = sign_in(sites[0])
    approve(sites[0], session)
    with time_machine.travel(clock.now() + timedelta(seconds=LAG - 1), tick=False):
        assert place_read(sites[1], session) == "database"
    with time_machine.travel(clock.now() + timedelta(seconds=LAG + 1), tick=False):
        assert place_read(sites[1], session) == "copy"


def test_noting_that_a_session_is_used_is_no_write_of_its_own(sites: Sites) -> None:
    session = sign_in(sites[0])
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        assert [place_read(sites[0], session) for _ in range(2)] == ["copy"] * 2


def test_what_is_refused_leaves_the_session_with_the_copy(sites: Sites) -> None:
    session = sign_in(sites[0], "carol")
    sites[0].post_json(f"{SEARCH}/21/action", {"action": "APPROVE"}, headers=session, status=403)
    assert place_read(sites[0], session, "?issuekey=TEST-1") == "copy"


def test_where_the_copy_is_gone_the_database_is_searched(
    postgresql_url: str, sites: Sites, caplog: pytest.LogCaptureFixture
) -> None:
    app = site(postgresql_url, "postgresql://postgres@127.0.0.1:1/nowhere")
    client = TestApp(app)
    assert place_read(client, sign_in(client)) == "database"
    assert "the copy cannot be reached, the database is read instead" in caplog.messages
    app.wsgi_app.close_all()
