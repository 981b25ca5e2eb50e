"""D8, F7 and what else the production server is for: stopping, workers that die, slow clients, its log."""

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from peewee import Database
from prometheus_client.parser import text_string_to_metric_families

from tests.live import LiveServer
from tests.reliability.sites import site
from tests.reliability.traffic import PATIENCE, Client

SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"
WORKERS = 3
VOTES = 6
USERNAMES = [f"user{number}" for number in range(VOTES)]
NORMAL_SECONDS = 10.0
"""A bound that a slow machine keeps too; without slow clients a request takes some milliseconds."""


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# -- stopping ---------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, WORKERS])
def test_d8_what_is_under_way_is_answered_before_the_server_stops(
    postgresql_url: str, postgresql_database: Database, tmp_path: Path, workers: int
) -> None:
    settings = {"workers": str(workers), "stopping_seconds": "30", "database_wait_seconds": "30"}
    postgresql_database.close_all()
    with ExitStack() as stack:
        server = stack.enter_context(
            LiveServer(tmp_path / "server.log", database_url=postgresql_url, **settings)
        )
        clients = [stack.enter_context(Client(server.hostname, name)) for name in ["admin", *USERNAMES]]
        clients[0].replace_site(site(1, {name: [name] for name in USERNAMES}, USERNAMES))
        for client in clients[1:]:
            client.search()  # so that its password is not to be written about once the issue is locked
        pool = stack.enter_context(ThreadPoolExecutor(VOTES))
        with postgresql_database.connection_context(), postgresql_database.atomic():
            postgresql_database.execute_sql("SELECT id FROM issue FOR UPDATE")
            votes = [
                pool.submit(client.act, number, "APPROVE")
                for number, client in enumerate(clients[1:], start=1)
            ]
            until(lambda: waiting(postgresql_database) == VOTES)
            server.tell_to_stop()
            until(lambda: is_refused(server.hostname))
            assert not any(vote.done() for vote in votes)
        assert [vote.result().status for vote in votes] == [200] * VOTES


class StartingServer(LiveServer):
    """A server that is let go as soon as its workers are there, before they answer."""

    def wait_until_ready(self) -> None:
        until(lambda: len(self.workers()) == WORKERS)


def test_d8_workers_that_still_start_stop_too(tmp_path: Path) -> None:
    # Nobody waits for `stopping_seconds`: the server has to be gone before.
    settings = {"workers": str(WORKERS), "stopping_seconds": str(int(4 * LiveServer.STOPPED_SECONDS))}
    with StartingServer(tmp_path / "server.log", **settings) as server:
        workers = server.workers()
    assert len(workers) == WORKERS
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def waiting(database: Database) -> int:
    """Return how many sessions wait for a lock."""
    query = "SELECT COUNT(DISTINCT pid) FROM pg_locks WHERE NOT granted"
    return int(database.execute_sql(query).fetchone()[0])


def is_refused(hostname: str) -> bool:
    host, _, port = hostname.partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return True
    return False


# -- several workers --------------------------------------------------------------------------


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    """A server of several workers; what it keeps for a while is below `tmp_path`."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    url = f"sqlite:///{tmp_path}/site.db"
    with LiveServer(tmp_path / "server.log", database_url=url, workers=str(WORKERS)) as server:
        yield server
    assert not list(tmp_path.glob("herzum-approval-metrics-*"))


def test_a_worker_that_dies_is_replaced_and_what_it_counted_stays_counted(
    several: LiveServer, tmp_path: Path
) -> None:
    asked = ask_until_counted_by(WORKERS, several, tmp_path)
    assert searches(several) == asked
    lost = min(several.workers())
    os.kill(lost, signal.SIGKILL)
    until(lambda: len(several.workers() - {lost}) == WORKERS)
    asked += ask_until_counted_by(WORKERS + 1, several, tmp_path)
    assert searches(several) == asked
    (line,) = [
        json.loads(line) for line in several.log().splitlines() if line.startswith("{") and "Unexp" in line
    ]
    assert (line["level"], line["logger"]) == ("error", "_granian")


def ask(server: LiveServer) -> int:
    """Search on a connection of its own."""
    with Client(server.hostname, "admin") as client:
        return client.search().status


def ask_until_counted_by(processes: int, server: LiveServer, tmp_path: Path) -> int:
    """Search until so many processes have counted something; return how often."""
    for asked in range(1, 2000):
        assert ask(server) == 200
        if len(list(tmp_path.glob("*-metrics-*/counter_*.db"))) == processes:
            return asked
    raise AssertionError("some worker is never asked")


def searches(server: LiveServer) -> float:
    """Return how many searches all workers together say they answered, by whichever is asked."""
    request = Request(f"{server.base_url}/metrics", headers={"Authorization": "Basic YWRtaW46YWRtaW4="})
    said = set()
    for _ in range(2 * WORKERS):
        with urlopen(request, timeout=PATIENCE) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        samples = [sample for family in families for sample in family.samples]
        said.add(
            sum(
                sample.value
                for sample in samples
                if sample.name == "herzum_approval_requests_total" and sample.labels["route"] == SEARCH
            )
        )
    (count,) = said
    return count


# -- slow clients -----------------------------------------------------------------------------


RIGHT = b'{"username":"bob","password":"bob"}'
WRONG = b'{"username":"bob","password":"wrong"}'


def length_of(body: bytes) -> bytes:
    """Return the end of the head of a request with this body."""
    return b"Content-Length: %d\r\n\r\n" % len(body)


def test_f7_slow_and_stuck_clients_hold_nobody_up(live_server: LiveServer) -> None:
    live_server.reset()
    host, _, port = live_server.hostname.partition(":")
    head = b"POST /rest/auth/1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with ExitStack() as stack:

        def connect(sent: bytes) -> socket.socket:
            connection = stack.enter_context(
                socket.create_connection((host, int(port)), timeout=NORMAL_SECONDS)
            )
            connection.sendall(sent)
            return connection

        slow_heads = [connect(head) for _ in range(150)]
        slow_bodies = [connect(head + length_of(RIGHT) + RIGHT[:1]) for _ in range(50)]
        idle = [connect(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(50)]
        assert all(b"200 OK" in connection.recv(65536) for connection in idle)
        for _ in range(3):
            with urlopen(f"{live_server.base_url}/rest/api/2/serverInfo", timeout=NORMAL_SECONDS) as answer:
                assert answer.status == 200
        assert ask(live_server) == 200
        # Whoever was slow is served too, once all has arrived.
        slow_bodies[0].sendall(RIGHT[1:])
        assert b"200 OK" in slow_bodies[0].recv(65536)
        slow_heads[0].sendall(length_of(WRONG) + WRONG)
        assert b"401 Unauthorized" in slow_heads[0].recv(65536)
    assert ask(live_server) == 200


# -- what it says -----------------------------------------------------------------------------


def test_requests_are_logged_where_that_is_wanted_each_with_its_id(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "server.log", access_log="true") as server:
        request = Request(
            f"{server.base_url}{SEARCH}?username=secret",
            headers={"X-Request-ID": "mine-1", "Authorization": "Basic Ym9iOndyb25n"},
        )
        with pytest.raises(OSError, match="401") as caught:
            urlopen(request, timeout=PATIENCE)
        assert caught.value.headers["X-Request-ID"] == "mine-1"
        caught.value.close()
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    login, access = [line for line in lines if line.get("request_id") == "mine-1"]
    assert (login["event"], login["username"]) == ("login FAILED", "bob")
    assert (access["event"], access["method"], access["route"], access["status"]) == (
        "request",
        "GET",
        SEARCH,
        401,
    )
    assert access["milliseconds"] > 0
    assert "secret" not in json.dumps(lines)


def test_requests_are_not_logged_otherwise(live_server: LiveServer) -> None:
    before = live_server.log()
    assert ask(live_server) == 200
    assert '"event": "request"' not in live_server.log()[len(before) :]


# -- what no client of good will sends --------------------------------------------------------

JSON_HEAD = b"POST /rest/auth/1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
LIMIT = 1024 * 1024
BROKEN = {
    "a length below zero": (JSON_HEAD + b"Content-Length: -5\r\n\r\n" + RIGHT, 400),
    "a length in letters": (JSON_HEAD + b"Content-Length: five\r\n\r\n" + RIGHT, 400),
    "two lengths": (JSON_HEAD + b"Content-Length: 2\r\n" + length_of(RIGHT) + RIGHT, 400),
    "said to be too long": (JSON_HEAD + b"Content-Length: %d\r\n\r\n{" % (LIMIT + 1), 413),
    "chunks of no length": (JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    "a length and chunks": (
        JSON_HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HEALTH + b"\r\n",
        400,
    ),
    "two encodings": (
        JSON_HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        400,
    ),
    "a folded header": (HEALTH + b"X-A: b\r\n c\r\n\r\n", 400),
    "a blank before the colon": (b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
    "NUL in a header": (HEALTH + b"X-A: a\0b\r\n\r\n", 400),
    "too many headers": (HEALTH + b"".join(b"X-%d: a\r\n" % n for n in range(200)) + b"\r\n", 431),
    "an address without end": (b"GET /?" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", BROKEN)
def test_f5_f6_a_broken_request_has_one_answer_and_harms_nobody(live_server: LiveServer, name: str) -> None:
    sent, status = BROKEN[name]
    host, _, port = live_server.hostname.partition(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        with contextlib.suppress(ConnectionError):  # the answer may come before all is sent
            connection.sendall(sent)
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                received += part
    assert received.count(b"HTTP/1.1 ") == 1, received
    assert received.startswith(b"HTTP/1.1 %d " % status), received
    assert ask(live_server) == 200


def test_f5_a_body_that_breaks_off_is_not_acted_upon(live_server: LiveServer) -> None:
    host, _, port = live_server.hostname.partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(JSON_HEAD + b"Content-Length: 500\r\n\r\n" + RIGHT)
        connection.shutdown(socket.SHUT_WR)
        # Nobody may be left to answer to; if the server does, it says no.
        assert connection.recv(65536)[:12] in (b"", b"HTTP/1.1 400")
    assert ask(live_server) == 200
