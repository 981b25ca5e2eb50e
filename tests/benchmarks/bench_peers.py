"""Beside the mocks that people use: the same 50 records, by servers that only repeat them.

The mocks are installed from npm, below `BENCH_PEERS` (a directory of its own; by default one in the
user's cache). What is missing on this machine is named, and its rows are left out.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.benchmarks.bench_serving import FIFTY, READY, SEARCH, each_new
from tests.benchmarks.conftest import Report, alternated, cookie_of
from tests.benchmarks.load import (
    Measured,
    load,
    own_server,
    require_tools,
    served,
)
from tests.live import free_port

PACKAGES = ("@stoplight/prism-cli@5", "@mockoon/cli@9", "json-server@0.17.4", "wiremock@3.13.2")
WARM_SECONDS = 8


def home() -> Path:
    return Path(os.environ.get("BENCH_PEERS", Path.home() / ".cache" / "herzum-approval-peers"))


@pytest.fixture(scope="module")
def packages() -> Path:
    """Where the packages are, installed once."""
    require_tools()
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        pytest.fail(f"The mocks need {' and '.join(missing)}.")
    directory = home()
    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / "installed").exists():
        subprocess.run(
            ["npm", "install", "--no-fund", "--no-audit", "--silent", "--prefix", str(directory), *PACKAGES],
            check=True,
        )
        (directory / "installed").touch()
    return directory / "node_modules"


def prism(packages: Path, directory: Path, port: int, records: list[Any]) -> list[str]:
    document = {
        "openapi": "3.0.3",
        "info": {"title": "Mock", "version": "1"},
        "paths": {
            SEARCH: {
                "get": {
                    "parameters": [
                        {"name": "status", "in": "query", "schema": {"type": "string"}},
                        {"name": "username", "in": "query", "schema": {"type": "string"}},
                    ],
                    "responses": {
                        "200": {"description": "Found", "content": {"application/json": {"example": records}}}
                    },
                }
            }
        },
    }
    written = directory / "openapi.json"
    written.write_text(json.dumps(document))
    program = packages / "@stoplight/prism-cli/dist/index.js"
    return ["node", str(program), "mock", "-h", "127.0.0.1", "-p", str(port), "-v", "error", str(written)]


def mockoon(packages: Path, directory: Path, port: int, records: list[Any]) -> list[str]:
    response = {
        "uuid": "00000000-0000-4000-8000-000000000003",
        "body": json.dumps(records),
        "latency": 0,
        "statusCode": 200,
        "label": "",
        "headers": [{"key": "Content-Type", "value": "application/json"}],
        "bodyType": "INLINE",
        "filePath": "",
        "databucketID": "",
        "sendFileAsBody": False,
        "rules": [],
        "rulesOperator": "OR",
        "disableTemplating": True,
        "fallbackTo404": False,
        "default": True,
        "crudKey": "id",
        "callbacks": [],
    }
    route = {
        "uuid": "00000000-0000-4000-8000-000000000002",
        "type": "http",
        "documentation": "",
        "method": "get",
        "endpoint": SEARCH.lstrip("/"),
        "responses": [response],
        "responseMode": None,
        "streamingMode": None,
        "streamingInterval": 0,
    }
    environment = {
        "uuid": "00000000-0000-4000-8000-000000000001",
        "lastMigration": 33,
        "name": "Mock",
        "endpointPrefix": "",
        "latency": 0,
        "port": port,
        "hostname": "",
        "folders": [],
        "routes": [route],
        "rootChildren": [{"type": "route", "uuid": route["uuid"]}],
        "proxyMode": False,
        "proxyHost": "",
        "proxyRemovePrefix": False,
        "tlsOptions": {"enabled": False, "type": "CERT", "pfxPath": "", "certPath": "", "keyPath": "",
                       "caPath": "", "passphrase": ""},
        "cors": False,
        "headers": [],
        "proxyReqHeaders": [],
        "proxyResHeaders": [],
        "data": [],
        "callbacks": [],
    }  # fmt: skip
    written = directory / "mockoon.json"
    written.write_text(json.dumps(environment))
    program = packages / "@mockoon/cli/bin/run.js"
    return ["node", str(program), "start", "-d", str(written), "-p", str(port), "-l", "127.0.0.1", "-X",
            "--disable-admin-api"]  # fmt: skip


def json_server(packages: Path, directory: Path, port: int, records: list[Any]) -> list[str]:
    written, routes = directory / "db.json", directory / "routes.json"
    written.write_text(json.dumps({"issueapprovals": records}))
    routes.write_text(json.dumps({SEARCH.replace("issueapprovals", "*"): "/$1"}))
    program = packages / "json-server/lib/cli/bin.js"
    return ["node", str(program), "--quiet", "--host", "127.0.0.1", "--port", str(port), "--routes",
            str(routes), str(written)]  # fmt: skip


def wiremock(packages: Path, directory: Path, port: int, records: list[Any], *options: str) -> list[str]:
    mappings = directory / f"wiremock-{len(options)}" / "mappings"
    mappings.mkdir(parents=True)
    (mappings / "search.json").write_text(
        json.dumps(
            {
                "request": {"method": "GET", "urlPath": SEARCH},
                "response": {
                    "status": 200,
                    "headers": {"Content-Type": "application/json"},
                    "body": json.dumps(records),
                },
            }
        )
    )
    (jar,) = (packages / "wiremock").rglob("wiremock-standalone-*.jar")
    return ["java", "-jar", str(jar), "--port", str(port), "--bind-address", "127.0.0.1",
            "--root-dir", str(mappings.parent), "--disable-banner", *options]  # fmt: skip


BY_MEMBER = f"{SEARCH}?approvalStatus=PENDING"
"""What json-server filters by: members of the records themselves."""

PEERS: dict[str, Callable[..., list[str]]] = {
    "Prism (quiet)": prism,
    "Mockoon CLI": mockoon,
    "json-server 0.17": json_server,
    "WireMock (defaults)": wiremock,
}
TUNED = ("--no-request-journal", "--disable-request-logging")


def described(own: Measured, other: Measured) -> str:
    return (
        f"{own.per_second:,.0f}/s against {other.per_second:,.0f}/s; "
        f"p99 {own.p99:.1f} ms against {other.p99:.1f} ms"
    )


@pytest.mark.timeout(1200)
def test_peers(big_url: str, tmp_path: Path, packages: Path, report: Report) -> None:
    own = free_port()
    with served(own_server(own), own, path=READY, database_url=big_url):
        cookie = cookie_of(own)
        records = records_at(own, FIFTY, cookie)
        assert len(records) == 50
        seen = partial(load, own, SEARCH, headers=cookie, script=each_new("fifty", 10), directory=tmp_path)
        for name, make in PEERS.items():
            if make is wiremock and shutil.which("java") is None:
                report.add(f"against {name}", "–", "≥ 2", None, "no Java runtime here")
                continue
            path = BY_MEMBER if make is json_server else FIFTY
            with beside(make, packages, tmp_path, records) as port:
                assert len(records_at(port, path)) == len(records)
                ours, theirs = alternated(seen, partial(load, port, path))
            report.at_least(
                f"50 records seen before, against {name}",
                ours.per_second / theirs.per_second,
                2,
                described(ours, theirs),
            )
            is_quicker = ours.p99 < theirs.p99
            report.add(f"p99 below {name}", f"{ours.p99 / theirs.p99:.2f}", "< 1", is_quicker)
        if shutil.which("java") is None:
            return
        with beside(wiremock, packages, tmp_path, records, *TUNED) as port:
            ours, theirs = alternated(partial(load, own, FIFTY, headers=cookie), partial(load, port, FIFTY))
        report.add(
            "repeated search of 50, against WireMock without its journal",
            f"{ours.per_second / theirs.per_second:.2f}",
            "reported",
            None,
            described(ours, theirs),
        )
        report.at_most("p99 of that", ours.p99 / theirs.p99, 0.3)


@contextmanager
def beside(
    make: Callable[..., list[str]], packages: Path, directory: Path, records: list[Any], *options: str
) -> Iterator[int]:
    """Run a mock until the block ends, and give its port once it is warm."""
    port = free_port()
    with served(make(packages, directory, port, records, *options), port, path=FIFTY):
        load(port, FIFTY, seconds=WARM_SECONDS)
        yield port


def records_at(port: int, path: str, headers: dict[str, str] | None = None) -> list[Any]:
    with urlopen(Request(f"http://127.0.0.1:{port}{path}", headers=headers or {}), timeout=10) as answer:
        found: list[Any] = json.load(answer)
    return found
