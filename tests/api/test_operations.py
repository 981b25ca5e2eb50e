"""`/healthz`, `/readyz` and `/metrics`: for those who operate the server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Response
from peewee import Database
from prometheus_client.parser import text_string_to_metric_families
from webtest import TestApp
from werkzeug.test import create_environ

from herzum_approval import config, metrics, store
from herzum_approval.app import create_app

ADMIN = {"Authorization": "Basic YWRtaW46YWRtaW4="}
BOB = {"Authorization": "Basic Ym9iOmJvYg=="}
SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"
NOT_INITIALISED = "The database is not initialised. Run: herzum-approval init"


def counted(client: TestApp) -> Callable[..., float]:
    """Return what the metrics say now, by the name and labels of a sample."""
    text = client.get("/metrics", headers=ADMIN, status=200).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def value(name: str, **labels: str) -> float:
        return sum(
            sample.value
            for sample in samples
            if sample.name == f"herzum_approval_{name}" and labels.items() <= sample.labels.items()
        )

    return value


# -- health and readiness ---------------------------------------------------------------------


@pytest.fixture
def unfilled(sqlite_database: Database) -> Iterator[TestApp]:
    """A site that is migrated, and has no users yet."""
    yield from served(f"sqlite:///{sqlite_database.database}")


@pytest.fixture
def unmigrated(tmp_path: Path) -> Iterator[TestApp]:
    yield from served(f"sqlite:///{tmp_path}/empty.db")


@pytest.fixture
def unreachable() -> Iterator[TestApp]:
    yield from served("postgresql://postgres@127.0.0.1:1/nowhere")


def served(database_url: str) -> Iterator[TestApp]:
    app = create_app(database_url=database_url, database_wait_seconds=2)
    yield TestApp(app)
    app.wsgi_app.close_all()


@pytest.mark.parametrize("path", ["/readyz", "/jira/readyz"])
def test_a_site_with_users_is_ready(client: TestApp, path: str) -> None:
    answer = client.get(path, status=200)
    assert answer.json == {"status": "ready"}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("site", "reason"),
    [
        ("unfilled", NOT_INITIALISED),
        ("unmigrated", NOT_INITIALISED),
        ("unreachable", "The database cannot be reached."),
    ],
)
def test_what_is_missing_for_readiness_is_said(
    request: pytest.FixtureRequest, site: str, reason: str
) -> None:
    client: TestApp = request.getfixturevalue(site)
    answer = client.get("/readyz", status=503)
    assert answer.json == {"status": "not ready", "reason": reason}
    assert answer.headers["Retry-After"] == "1"
    assert client.get("/healthz", status=200).json == {"status": "alive"}


# -- metrics ----------------------------------------------------------------------------------


def test_requests_are_counted_by_the_template_of_their_route(client: TestApp) -> None:
    route = f"{SEARCH}/<int:issue_approval_id>/action"
    before = counted(client)
    for id in (75, 76):
        client.post_json(f"{SEARCH}/{id}/action", {}, headers=ADMIN, status=400)
    client.post_json(f"/jira{SEARCH}/75/action", {}, status=401)
    client.get(f"{SEARCH}?issuekey=TEST-2", headers=BOB, status=200)
    after = counted(client)

    def grown(name: str, **labels: str) -> float:
        return after(name, **labels) - before(name, **labels)

    assert grown("requests_total", route=route, method="POST", status="400") == 2
    assert grown("requests_total", route=route, status="401") == 1
    assert grown("requests_total", route=SEARCH, method="GET", status="200") == 1
    assert grown("request_seconds_count", route=route) == 3
    assert 0 < grown("database_seconds_total", route=SEARCH) < grown("request_seconds_sum", route=SEARCH)


@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_what_nobody_serves_is_one_series(client: TestApp) -> None:
    before = counted(client)
    client.get("/none/of/these", status=404)
    client.request("/none", method="BREW", status=404)
    after = counted(client)
    assert [
        after("requests_total", route="none", status="404", **labels)
        - before("requests_total", route="none", status="404", **labels)
        for labels in ({}, {"method": "GET"}, {"method": "other"}, {"method": "BREW"})
    ] == [2, 1, 1, 0]


def test_logins_are_counted_by_their_outcome(client: TestApp) -> None:
    before = counted(client)
    wrong = {"Authorization": "Basic Ym9iOndyb25n"}
    for status in (401, 401, 401, 403):
        client.get(SEARCH, headers=wrong, status=status)
    after = counted(client)
    assert after("logins_total", outcome="failed") - before("logins_total", outcome="failed") == 3
    assert after("logins_total", outcome="denied") - before("logins_total", outcome="denied") == 1
    remembered = {"cache": "credentials"}
    assert after("cache_hits_total", **remembered) > before("cache_hits_total", **remembered)
    assert after("cache_misses_total", **remembered) == before("cache_misses_total", **remembered) + 4


def test_caches_are_counted_by_name(client: TestApp) -> None:
    before = counted(client)
    metrics.count_cache_hits("answers", 3)
    metrics.count_cache_misses("answers")
    after = counted(client)
    assert after("cache_hits_total", cache="answers") - before("cache_hits_total", cache="answers") == 3
    assert after("cache_misses_total", cache="answers") - before("cache_misses_total", cache="answers") == 1


@pytest.mark.parametrize(("headers", "status"), [({}, 401), (BOB, 403)])
def test_metrics_are_for_administrators(client: TestApp, headers: dict[str, str], status: int) -> None:
    assert "herzum_approval_" not in client.get("/metrics", headers=headers, status=status).text


# -- an answer that is made while it is sent --------------------------------------------------


@pytest.fixture
def streaming(sqlite_database: Database) -> Iterator[TestApp]:
    """A site with an address whose body reads settings and database as it is sent, and says when it ends."""
    app = create_app(
        database_url=f"sqlite:///{sqlite_database.database}", demonstration=True, server_title="streamed"
    )

    @app.get("/streamed")
    def streamed() -> Response:
        def parts() -> Iterator[bytes]:
            try:
                for _ in range(3):
                    with store.reading() as database:
                        (number,) = database.execute_sql("SELECT 1").fetchone()
                    yield f"{config.current().server_title} {number}\n".encode()
            finally:
                ended.append(config.current().server_title)

        return Response(parts())

    ended: list[str] = []
    client = TestApp(app)
    client.ended = ended
    yield client
    app.wsgi_app.close_all()


def test_a_streamed_body_is_made_in_the_context_of_its_request(streaming: TestApp) -> None:
    before = metrics.current_meter()
    assert streaming.get("/streamed", status=200).text == "streamed 1\n" * 3
    assert streaming.ended == ["streamed"]
    assert metrics.current_meter() is before
    with pytest.raises(LookupError):
        config.current()


def test_a_streamed_body_that_is_given_up_is_closed_in_its_context(streaming: TestApp) -> None:
    statuses = []
    environ = create_environ("/streamed")
    body = streaming.app(environ, lambda status, headers, error=None: statuses.append(status))
    assert next(iter(body)) == b"streamed 1\n"
    assert streaming.ended == []
    body.close()
    assert (streaming.ended, statuses) == (["streamed"], ["200 OK"])
