"""The page `/docs/` shows every operation, and no request of it leaves the machine."""

import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
from webtest import TestApp

from herzum_approval.api import FAMILIES
from herzum_approval.api.family import Family
from herzum_approval.app import create_app
from tests.live import LiveServer

PAGE = "/docs/"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class _References(HTMLParser):
    """Collects what the page's elements refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]


def references(page: str) -> list[str]:
    parser = _References()
    parser.feed(page)
    return parser.found


@pytest.fixture(scope="module")
def client() -> TestApp:
    return TestApp(create_app(demonstration=True))


@pytest.mark.parametrize("root", ["", "/jira"])
def test_page_refers_to_local_assets_only(client: TestApp, root: str) -> None:
    page = client.get(root + PAGE, status=200)
    assert page.content_type == "text/html"
    found = references(page.text)
    assert len(found) == 4
    for reference in found:
        assert reference.startswith(f"{root}/docs/assets/")
        client.get(reference, status=200)
    documents = re.findall(r'"url":\s*"([^"]+)"', page.text)
    assert len(documents) == len(FAMILIES)
    for document in documents:
        assert document.startswith(f"{root}/openapi/")
        assert client.get(document, status=200).json["openapi"] == "3.1.0"
    assert "://" not in page.text
    assert "validatorUrl: null" in page.text


def test_styles_and_scripts_load_nothing_from_elsewhere(client: TestApp) -> None:
    styles = client.get("/docs/assets/swagger-ui.css", status=200)
    assert styles.content_type == "text/css"
    assert re.findall(r"@import|url\((?!\"?data:)[^)]*\)", styles.text) == []
    for name in ("swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"):
        script = client.get(f"/docs/assets/{name}", status=200)
        assert script.content_type == "text/javascript"
        assert len(script.body) > 100_000


@pytest.mark.parametrize("name", ["none.js", "../../../setup.cfg", "%2e%2e/__init__.py", "", "a/../../b"])
def test_there_are_no_other_assets(client: TestApp, name: str) -> None:
    client.get(f"/docs/assets/{name}", status=404)


def test_a_normal_start_shows_no_emulator() -> None:
    client = TestApp(create_app(demonstration=False))
    assert "emulator" not in client.get(PAGE, status=200).text
    client.get("/openapi/emulator.json", status=404)
    client.get("/openapi/none.json", status=404)


# -- in a browser -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("there is no Chromium")
    assert found is not None, "there is no Chromium"
    return found


def rendered(browser: str, address: str, profile: Path) -> str:
    """Return the page's DOM after its scripts ran, in a browser that can reach this machine only."""
    finished = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            f"--user-data-dir={profile}",
            "--virtual-time-budget=20000",
            "--dump-dom",
            address,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return finished.stdout


@pytest.mark.parametrize("root", ["", "/jira"])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_operations_are_shown(
    browser: str, live_server: LiveServer, client: TestApp, tmp_path: Path, family: Family, root: str
) -> None:
    address = f"{live_server.base_url}{root}{PAGE}?urls.primaryName={quote(family.title)}"
    page = rendered(browser, address, tmp_path)
    shown = re.findall(r'id="operations-(?!tag-)\w+-(\w+)"', page)
    assert sorted(shown) == sorted(operation_ids(client, family))
    assert "Failed to load API definition" not in page


def operation_ids(client: TestApp, family: Family) -> list[str]:
    document = client.get(f"/openapi/{family.name}.json", status=200).json
    return [
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
    ]
