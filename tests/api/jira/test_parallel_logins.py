"""A2 against several real worker processes, which share nothing but the database."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.live import LiveServer


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Three workers, and hashes slow enough to overlap."""
    log_file = tmp_path_factory.mktemp("workers") / "server.log"
    with LiveServer(log_file, workers="3", bcrypt_cost="8") as server:
        yield server


def at_once(server: LiveServer, password: str, count: int) -> Counter[int]:
    def ask(_: int) -> int:
        address = f"{server.base_url}/rest/api/2/myself"
        return requests.get(address, auth=("admin", password), timeout=30).status_code

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(ask, range(count)))


def test_guesses_cannot_outrun_the_count(workers: LiveServer) -> None:
    workers.reset()
    assert at_once(workers, "wrong", 100) == {401: 3, 403: 97}
    assert at_once(workers, "admin", 5) == {403: 5}


def test_the_right_password_is_never_refused(workers: LiveServer) -> None:
    workers.reset()
    assert at_once(workers, "admin", 60) == {200: 60}
