"""K1: the clients that people use, unmodified, against a real server process."""

from collections.abc import Iterator

import pytest
import requests
from atlassian import Jira
from jira import JIRA, JIRAError

from tests.live import LiveServer

CONTEXT_PATHS = ("", "/jira")


@pytest.fixture
def server(live_server: LiveServer) -> LiveServer:
    live_server.reset()
    return live_server


@pytest.fixture(params=CONTEXT_PATHS, ids=["root", "context path"])
def address(request: pytest.FixtureRequest, server: LiveServer) -> str:
    return f"{server.base_url}{request.param}"


class TestJira:
    """The package `jira`."""

    @pytest.fixture
    def options(self) -> dict[str, object]:
        return {"check_update": False}

    def test_basic(self, address: str, options: dict[str, object]) -> None:
        client = JIRA(address, basic_auth=("admin", "admin"), options=options, max_retries=0)
        assert client.server_info()["deploymentType"] == "Server"
        assert client._version[:2] == (9, 12)
        assert client.myself()["name"] == "admin"
        assert client.current_user() == "admin"
        client.close()

    def test_cookie(self, address: str, options: dict[str, object]) -> None:
        with pytest.warns(DeprecationWarning, match="Cookie based"):
            client = JIRA(address, auth=("admin", "admin"), options=options, max_retries=0)
        assert client.session().name == "admin"
        assert client.myself()["name"] == "admin"
        assert client.kill_websudo().status_code == 204
        cookies = client._session.cookies.get_dict()
        assert client.kill_session().status_code == 204
        assert requests.get(f"{address}/rest/api/2/myself", cookies=cookies, timeout=10).status_code == 401

    def test_validation(self, address: str, options: dict[str, object]) -> None:
        client = JIRA(address, basic_auth=("carol", "carol"), validate=True, options=options, max_retries=0)
        assert client.session().name == "carol"

    def test_anonymous(self, address: str, options: dict[str, object]) -> None:
        client = JIRA(address, options=options, max_retries=0)
        assert client.server_info()["baseUrl"] == address
        with pytest.raises(JIRAError, match="You are not authenticated"):
            client.myself()

    def test_a_wrong_password(self, address: str, options: dict[str, object]) -> None:
        with pytest.raises(JIRAError) as error:
            JIRA(address, basic_auth=("admin", "wrong"), options=options, max_retries=0)
        assert error.value.status_code == 401

    def test_a_token(self, address: str, options: dict[str, object]) -> None:
        with pytest.raises(JIRAError) as error:
            JIRA(address, token_auth="unknown", options=options, max_retries=0)
        assert error.value.status_code == 401

    def test_a_locked_account(self, address: str, options: dict[str, object]) -> None:
        for _ in range(3):
            requests.get(f"{address}/rest/api/2/myself", auth=("admin", "wrong"), timeout=10)
        with pytest.raises(JIRAError, match="CAPTCHA_CHALLENGE") as error:
            JIRA(address, basic_auth=("admin", "admin"), options=options, max_retries=0)
        assert error.value.status_code == 403


class TestAtlassian:
    """The package `atlassian-python-api`."""

    @pytest.fixture
    def session(self) -> Iterator[requests.Session]:
        with requests.Session() as session:
            yield session

    def test_basic(self, address: str) -> None:
        client = Jira(address, username="admin", password="admin", cloud=False)
        assert client.myself()["name"] == "admin"
        assert client.get_server_info(True)["deploymentType"] == "Server"

    def test_cookie(self, address: str, session: requests.Session) -> None:
        credentials = {"username": "admin", "password": "admin"}
        session.post(f"{address}/rest/auth/1/session", json=credentials, timeout=10).raise_for_status()
        client = Jira(address, cookies=session.cookies, cloud=False)
        assert client.myself()["name"] == "admin"
        session.delete(f"{address}/rest/auth/1/session", timeout=10).raise_for_status()
        with pytest.raises(requests.HTTPError):
            client.myself()

    def test_the_text_of_an_error_is_shown(self, address: str) -> None:
        with pytest.raises(requests.HTTPError, match="You are not authenticated"):
            Jira(address, cloud=False).myself()


def test_the_default_address_of_the_jira_package(monkeypatch: pytest.MonkeyPatch, server: LiveServer) -> None:
    """`JIRA()` without a server talks to port 2990 below `/jira`; only the port is another here."""
    default = JIRA.DEFAULT_OPTIONS["server"]
    assert default == "http://localhost:2990/jira"
    monkeypatch.setitem(JIRA.DEFAULT_OPTIONS, "server", default.replace("localhost:2990", server.hostname))
    client = JIRA(basic_auth=("admin", "admin"), options={"check_update": False}, max_retries=0)
    assert client.myself()["self"].startswith(f"{server.base_url}/jira/rest/api/2/user")
