"""Whole requests over HTTP, against a bare Flask behind the same server on the same core."""

import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.benchmarks.conftest import Report, Site, alternated, cookie_of
from tests.benchmarks.load import (
    LOAD_CORE,
    SERVER_CORE,
    Measured,
    bare_server,
    load,
    own_server,
    require_tools,
    served,
)
from tests.live import free_port

SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"
READY = "/rest/api/2/serverInfo"
PAIR = f"{SEARCH}?status=PENDING&username=pair7"
FIFTY = f"{SEARCH}?status=PENDING&username=fifty7"
BASIC = {"Authorization": "Basic " + base64.b64encode(b"admin:admin").decode()}


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    require_tools()


def each_new(name: str, count: int) -> str:
    """Return a script that asks for the records of one after the other, never in the same words."""
    return f"""
local n = 0
request = function()
  n = n + 1
  local path = "{SEARCH}?status=PENDING&username={name}" .. (n * 7 % {count}) .. "&n=" .. n
  return wrk.format("GET", path)
end
"""


ACTIONS = f"""
local n = -1  -- wrk makes one request only to see what it is like
local first = os.time() % 45 * 2000  -- another run has other records
wrk.headers["Content-Type"] = "application/json"
request = function()
  -- A thousand records are approved, and then reset: no two requests are about the same at once,
  -- nor about the same issue, which moves with its last approval.
  local place = math.max(n, 0)
  local record = first + 2 * (place % 1000) + 1
  local action = math.floor(place / 1000) % 2 == 0 and "APPROVE" or "RESET"
  n = n + 1
  return wrk.format("POST", "{SEARCH}/" .. record .. "/action", nil, '{{"action":"' .. action .. '"}}')
end
"""

UPDATES = """
local n = 0
request = function()
  n = n + 1
  return wrk.format("POST", "/update/" .. (n % 90000 + 1))
end
"""


@contextmanager
def acting(port: int, cookie: dict[str, str], record_id: int) -> Iterator[None]:
    """Let somebody approve and reset a record about twenty times a second meanwhile."""
    command = [sys.executable, "-m", "tests.benchmarks.acting", str(port), cookie["Cookie"], str(record_id)]
    process = subprocess.Popen(["taskset", "-c", LOAD_CORE, *command])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def shown(base: Measured, own: Measured) -> str:
    return f"{own.per_second:,.0f}/s ({own.spread()}), B {base.per_second:,.0f}/s; p99 {own.p99:.1f} ms"


def records_of(port: int, cookie: dict[str, str], username: str) -> list[int]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", f"{SEARCH}?status=PENDING&username={username}", headers=cookie)
    found = [each["id"] for each in json.load(connection.getresponse())]
    connection.close()
    return found


def test_searches(site: Site, tmp_path: Path, report: Report) -> None:
    bare, own = free_port(), free_port()
    with (
        served(bare_server(bare), bare),
        served(own_server(own), own, path=READY, database_url=site.url, demonstration="false"),
    ):
        cookie = cookie_of(own)
        ask = partial(load, own, headers=cookie, directory=tmp_path)
        hello = partial(load, bare, "/")
        (changing,) = records_of(own, cookie, "pair7")[:1]
        with acting(own, cookie, changing):
            base, found = alternated(hello, partial(ask, PAIR))
        site.told(
            report,
            "search, 2 records, one query text, records changing",
            found.per_second / base.per_second,
            0.60,
            shown(base, found),
        )
        for work, goal, script in (
            ("search, 2 records, a new text each time", 0.50, each_new("pair", 1000)),
            ("search, 50 records, a new text each time, seen before", 0.50, each_new("fifty", 10)),
            ("search, 50 records, a new text each time, never seen", 0.20, each_new("fifty", 1000)),
        ):
            base, found = alternated(hello, partial(ask, SEARCH, script=script))
            site.told(report, work, found.per_second / base.per_second, goal, shown(base, found))
            assert found.failed == 0
        base, found = alternated(hello, partial(ask, FIFTY))
        site.told(
            report,
            "the same search of 50 again, nothing changed",
            found.per_second / base.per_second,
            0.70,
            shown(base, found),
        )


def test_logins(site: Site, tmp_path: Path, report: Report) -> None:
    own = free_port()
    with served(own_server(own), own, path=READY, database_url=site.url, failed_logins_allowed="1000000"):
        cookie = cookie_of(own)
        script = each_new("pair", 1000)
        by_cookie, by_basic = alternated(
            partial(load, own, SEARCH, headers=cookie, script=script, directory=tmp_path),
            partial(load, own, SEARCH, headers=BASIC, script=script, directory=tmp_path),
        )
        site.told(
            report,
            "Basic with a warm credential, against a cookie",
            by_basic.per_second / by_cookie.per_second,
            0.95,
            f"{by_basic.per_second:,.0f}/s, {by_cookie.per_second:,.0f}/s",
        )
        ask = partial(load, own, SEARCH, headers=cookie, script=script, directory=tmp_path)
        (quiet,) = alternated(ask)
        with wrong_passwords(own):
            (guessed,) = alternated(ask)
        work, ratio = "p99 of others while wrong passwords arrive at 2 a second", guessed.p99 / quiet.p99
        details = f"{guessed.p99:.1f} ms, {quiet.p99:.1f} ms without"
        if site.engine == "SQLite":
            report.at_most(work, ratio, 3, details)
        else:
            report.add(f"{site.engine}: {work}", f"{ratio:.2f}", "reported", None, details)


@contextmanager
def wrong_passwords(port: int) -> Iterator[None]:
    stop = threading.Event()

    def guess() -> None:
        number = 0
        while not stop.wait(0.5):
            number += 1
            threading.Thread(target=guess_once, args=(number,)).start()

    def guess_once(number: int) -> None:
        credentials = base64.b64encode(f"pair{number}:wrong".encode()).decode()
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", SEARCH, headers={"Authorization": f"Basic {credentials}"})
        assert connection.getresponse().status == 401
        connection.close()

    thread = threading.Thread(target=guess)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
def test_actions(
    site: Site, tmp_path: Path, report: Report, monkeypatch: pytest.MonkeyPatch, synchronous: str
) -> None:
    if site.engine == "PostgreSQL" and synchronous != "FULL":
        return  # that is a setting of SQLite's
    monkeypatch.setenv("BARE_DATABASE", site.url)
    monkeypatch.setenv("BARE_SYNCHRONOUS", synchronous)
    bare, own = free_port(), free_port()
    with (
        served(bare_server(bare), bare),
        served(own_server(own), own, path=READY, database_url=site.url, database_synchronous=synchronous),
    ):
        cookie = cookie_of(own)
        act = partial(load, own, SEARCH, headers=cookie, script=ACTIONS, directory=tmp_path)
        update = partial(load, bare, "/", script=UPDATES, directory=tmp_path)
        update()  # the first writes of a file that was copied are slow
        base, found = alternated(update, act)
        site.told(
            report,
            f"APPROVE and RESET with history, against a bare UPDATE, {synchronous}",
            found.per_second / base.per_second,
            0.5,
            f"{shown(base, found)}; {found.failed} failed",
        )


def test_two_workers(site: Site, tmp_path: Path, report: Report) -> None:
    one, two = free_port(), free_port()
    both = f"{SERVER_CORE},{LOAD_CORE}"
    with (
        served(own_server(one), one, path=READY, cores=both, database_url=site.url),
        served(own_server(two, workers=2), two, path=READY, cores=both, database_url=site.url),
    ):
        cookie = cookie_of(one)
        script = each_new("pair", 1000)
        time.sleep(1)
        single, double = alternated(
            partial(load, one, SEARCH, headers=cookie, script=script, directory=tmp_path, cores=both),
            partial(load, two, SEARCH, headers=cookie, script=script, directory=tmp_path, cores=both),
        )
        site.told(
            report,
            "two workers against one, the load beside them",
            double.per_second / single.per_second,
            1.3,
            f"{double.per_second:,.0f}/s, {single.per_second:,.0f}/s",
        )
