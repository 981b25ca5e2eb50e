"""Outside of the demonstration there is no emulator and no account that nobody made."""

import base64

import pytest
from webtest import TestApp

from herzum_approval import config, store
from herzum_approval.app import create_app
from herzum_approval.services import accounts

SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"


@pytest.fixture
def client(sqlite_database, monkeypatch):
    """A site as `init` leaves it: one administrator of its own."""
    monkeypatch.setattr(config, "LEAST_BCRYPT_COST", 4)
    settings = {"database_url": f"sqlite:///{sqlite_database.database}", "bcrypt_cost": 4}
    with config.active(config.load({}, **settings)), store.active(sqlite_database):
        accounts.create_first_administrator("root", "a password of my own")
    app = create_app(**settings)
    yield TestApp(app)
    app.wsgi_app.database.close_all()


def basic(username, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/__emulator/reset"),
        ("GET", "/__emulator/snapshot"),
        ("PUT", "/__emulator/snapshot"),
        ("GET", "/openapi/emulator.json"),
        ("GET", "/jira/__emulator/snapshot"),
    ],
)
def test_there_is_no_emulator(client, method, path):
    answer = client.request(path, method=method, headers=basic("root", "a password of my own"), status=404)
    assert answer.content_type == "text/html"


@pytest.mark.parametrize("username", ["admin", "alice", "bob", "carol", "dave"])
def test_the_accounts_of_the_demonstration_do_not_exist(client, username):
    client.get(SEARCH, headers=basic(username, username), status=401)


def test_the_first_administrator_signs_in(client):
    assert client.get(SEARCH, headers=basic("root", "a password of my own"), status=200).json == []


def test_the_page_and_the_documents_are_there(client):
    assert "emulator" not in client.get("/docs/", status=200).text
    assert client.get("/openapi/herzum.json", status=200).json["openapi"] == "3.1.0"
