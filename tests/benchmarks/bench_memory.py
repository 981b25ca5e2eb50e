"""Memory and the first byte: long answers, the demonstration site, and a server after long use."""

import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from herzum_approval import store
from tests.benchmarks.bench_serving import ACTIONS, READY, SEARCH, each_new
from tests.benchmarks.conftest import Report, Site, cookie_of
from tests.benchmarks.grown import empty, grow
from tests.benchmarks.load import (
    children,
    load,
    megabytes,
    own_server,
    require_tools,
    served,
)
from tests.live import free_port

LONG = 200_000


@pytest.mark.parametrize("engine", ["SQLite", "PostgreSQL"])
def test_a_long_answer_is_streamed(
    tmp_path: Path, report: Report, request: pytest.FixtureRequest, engine: str
) -> None:
    is_file = engine == "SQLite"
    url = f"sqlite:///{tmp_path}/site.db" if is_file else request.getfixturevalue("postgresql_url")
    database = store.open_database(url, synchronous="OFF")
    if not is_file:
        empty(database)
    grow(database, LONG)
    database.close_all()
    port = free_port()
    with served(own_server(port), port, path=READY, database_url=url) as process_id:
        cookie = cookie_of(port)
        read(port, cookie, f"{SEARCH}?startAt=0&maxResults=2000")
        before = megabytes(process_id)
        most, first_byte, length = read(port, cookie, SEARCH, process_id)
        grown = most - before
    assert length > LONG * 500
    report.add(
        f"{engine}: search without maxResults, 200,000 records: memory",
        f"+{grown:.0f} MB",
        "≤ +20 MB",
        grown <= 20,
    )
    report.add(
        f"{engine}: the same: first byte",
        f"{first_byte:.0f} ms",
        "≤ 50 ms",
        first_byte <= 50,
        f"{length:,} bytes",
    )


def read(
    port: int, cookie: dict[str, str], path: str, process_id: int | None = None
) -> tuple[float, float, int]:
    """Read an answer to its end; return the most memory meanwhile, the time to its first byte, its length."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    begun = time.perf_counter()
    connection.request("GET", path, headers=cookie)
    answer = connection.getresponse()
    length = len(answer.read(1))
    first_byte = (time.perf_counter() - begun) * 1000
    most, looked = 0.0, begun
    while chunk := answer.read(1 << 20):
        length += len(chunk)
        if process_id is not None and time.perf_counter() - looked > 0.2:
            most, looked = max(most, megabytes(process_id)), time.perf_counter()
    connection.close()
    return most, first_byte, length


def test_the_demonstration(tmp_path: Path, report: Report) -> None:
    port = free_port()
    begun = time.perf_counter()
    with served([*own_server(port), "--demo"], port, path=READY) as process_id:
        seconds = time.perf_counter() - begun
        memory = max(map(megabytes, children(process_id)))
    report.add("demonstration site: start to first answer", f"{seconds:.2f} s", "≤ 1 s", seconds <= 1)
    report.add("demonstration site: memory of its worker", f"{memory:.0f} MB", "≤ 100 MB", memory <= 100)


def test_after_long_use(site: Site, tmp_path: Path, report: Report) -> None:
    require_tools()
    port = free_port()
    with served(own_server(port), port, path=READY, database_url=site.url) as process_id:
        cookie = cookie_of(port)
        asked = 0.0
        memory: list[float] = []
        for goal in (10_000, 200_000):
            while asked < goal:
                for script in (each_new("pair", 5000), each_new("fifty", 1000), ACTIONS):
                    seconds = 1
                    rate = load(
                        port, SEARCH, headers=cookie, script=script, seconds=seconds, directory=tmp_path
                    )
                    asked += rate.per_second * seconds
            memory.append(megabytes(process_id))
    few, many = memory
    report.at_most(
        f"{site.engine}: memory after 200,000 mixed requests, against after 10,000",
        many / few,
        1.1,
        f"{many:.0f} MB, {few:.0f} MB",
    )
