"""How the tests of JSM Operations ask."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from webtest import TestApp, TestResponse

from herzum_approval.app import create_app
from herzum_approval.examples import merged
from tests.conftest import as_at_its_start

SITE = "11111111-2222-4333-8444-555555555555"
OTHER = "22222222-2222-4333-8444-555555555555"
ADMINISTRATION = "/rest/approval-admin/1.0/jsm-ops"
FINANCE = "288c1908-2337-47c0-8a15-9d80fb1256ea"
DEVELOPER = "2c8f2e0b-4784-4276-a3c9-040e8bc299ab"
SRE = "33579c31-627c-4cc1-bb94-fd2c214142f7"
BOB, CAROL = "6299df401648f2006963deb8", "630a55c646556c72662aaaaa"

BASES = ("/jsm/ops/api/{}/v1/roles", "/ex/jira/{}/jsm/ops/api/v1/roles")

Ask = Callable[..., TestResponse]


def basic(username: str, secret: str) -> str:
    return "Basic " + b64encode(f"{username}:{secret}".encode()).decode()


AUTHORIZATIONS = {
    "admin": basic("admin@example.com", "demo-token-admin"),
    "alice": basic("alice@example.com", "demo-token-alice"),
    "bob": basic("bob@example.com", "demo-token-bob"),
    "oauth": "Bearer demo-oauth-admin",
    "oauth reading": "Bearer demo-oauth-admin-read",
    "password": basic("admin", "admin"),
    "password by e-mail": basic("admin@example.com", "admin"),
    "token of another": basic("bob@example.com", "demo-token-admin"),
    "API token as bearer": "Bearer demo-token-admin",
    "OAuth token as basic": basic("admin@example.com", "demo-oauth-admin"),
    "unknown bearer": "Bearer nothing",
    "no base64": "Basic ===",
    "no colon": "Basic YWRtaW4=",
    "no UTF-8": "Basic /zp4",
    "scheme alone": "Basic",
    "bearer alone": "Bearer ",
    "other scheme": "GenieKey demo-token-admin",
}


def asking(client: TestApp) -> Ask:
    """Return what sends a request as somebody and returns the answer, which must have the status."""

    def send(
        method: str,
        path: str = "",
        body: Any = None,
        *,
        status: int = 200,
        as_: str | None = "admin",
        site: str = SITE,
        base: str = BASES[0],
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        sent = dict(headers or {})
        if as_ is not None:
            sent["Authorization"] = AUTHORIZATIONS[as_]
        address = path if path.startswith("/rest/") else base.format(site) + path
        options = {"headers": sent, "status": status}
        if body is None:
            return client.request(address, method=method, **options)
        return getattr(client, f"{method.lower()}_json")(address, body, **options)

    return send


def administering(client: TestApp) -> Ask:
    """Return what sends a request to the administration, as Jira's administrator."""
    send = asking(client)

    def administer(method: str, path: str, body: Any = None, *, status: int = 200) -> TestResponse:
        headers = {"Authorization": basic("admin", "admin")}
        return send(method, f"{ADMINISTRATION}/{path}", body, status=status, as_=None, headers=headers)

    return administer


@pytest.fixture
def ask(client: TestApp) -> Ask:
    return asking(client)


@pytest.fixture
def administer(client: TestApp) -> Ask:
    return administering(client)


@pytest.fixture
def lay_over(client: TestApp) -> Callable[..., None]:
    """Lay parts of a snapshot document over the site."""

    def lay(**parts: Any) -> None:
        document = client.get("/__emulator/snapshot", status=200).json
        client.put_json("/__emulator/snapshot", merged(document, parts), status=204)

    return lay


@pytest.fixture
def other_site(lay_over: Callable[..., None]) -> str:
    """A second site, which bob and admin administer."""
    lay_over(jsm_sites=[{"cloud_id": OTHER, "name": "Other", "administrators": ["bob", "admin"]}])
    return OTHER


@pytest.fixture(scope="session")
def site_with(
    migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., TestApp]]:
    """Make a demonstration site with other settings; each kind is made once."""
    made: dict[tuple[tuple[str, Any], ...], TestApp] = {}

    def make(**settings: Any) -> TestApp:
        key = tuple(sorted(settings.items()))
        if key not in made:
            path = tmp_path_factory.mktemp("jsm") / "site.db"
            copy(migrated_sqlite_file, path)
            app = create_app(database_url=f"sqlite:///{path}", demonstration=True, bcrypt_cost=4, **settings)
            made[key] = TestApp(app)
        return as_at_its_start(made[key])

    yield make
    for client in made.values():
        client.app.wsgi_app.database.close_all()


def assert_refused(
    answer: TestResponse, message: str | None = None, *, errors: dict[str, str] | None = None
) -> None:
    """Check the members of an error in the observed shape, and the headers that repeat them."""
    members = ["message", *(["errors"] if answer.status_int == 422 else []), "took", "requestId"]
    if answer.status_int == 403:
        members.insert(0, "code")
        assert answer.json["code"] == 40301
    assert list(answer.json) == members
    assert isinstance(answer.json["took"], float)
    assert answer.json["requestId"] == answer.headers["X-Request-ID"]
    assert float(answer.headers["X-Response-Time"]) >= answer.json["took"]
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    if message is not None:
        assert answer.json["message"] == message
    assert errors is None or answer.json["errors"] == errors
