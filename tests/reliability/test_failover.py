"""C1 and C2 on three servers behind a plain TCP proxy, of which one is killed, and PostgreSQL crashes too.

Nothing that was answered is lost, nothing is done twice, and no answer is wrong. What a client may
see besides: a connection that breaks, and 503 with `Retry-After`.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from typing import Any

import pytest

from herzum_approval import config
from herzum_approval.domain.sites import Site
from herzum_approval.services import databases, snapshot
from tests.live import LiveServer
from tests.postgres import OwnPostgres
from tests.proxy import TcpProxy
from tests.reliability.replay import assert_replays
from tests.reliability.sites import TIMES, opened, site, whole_site
from tests.reliability.test_parallel_actions import REFUSED
from tests.reliability.test_serial_replay import DECISIONS
from tests.reliability.traffic import Answer, Client, at_once, rounds

SERVERS = 3
CLIENTS = 24
RECORDS = 12 * TIMES
KILL_AT, CRASH_AT = RECORDS // 4, RECORDS // 2
USERNAMES = [f"user{number:02}" for number in range(CLIENTS)]

ISSUES = 9 * TIMES
APPROVERS = ["alice", "bob", "carol", "dave", "erin"]
TWO_OF_FIVE = {"minimum_approbations": 2.0, "minimum_rejections": 2.0}

BUSY = {"errorCode": "request.busy", "errorMessage": "The database is busy, please try again", "status": 503}
PAUSE = 0.05
TRIES = 400
"""Of a client that is told to come back, in pauses: far more than a start of PostgreSQL takes."""


@dataclass
class Cluster:
    """Servers of one database. alive: those not killed yet; hostname: of the proxy before all of them."""

    postgres: OwnPostgres
    alive: list[LiveServer]
    hostname: str

    def disturb(self, kill: bool = False, crash: bool = False) -> None:
        """Kill a server, or let the database crash and start again."""
        if kill:
            self.alive.pop(0).kill()
        if crash:
            self.postgres.restart()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three servers, or as many of them as the test before left alive."""
    logs = tmp_path_factory.mktemp("cluster")
    with OwnPostgres() as postgres, ExitStack() as stack:
        with opened(postgres.url), config.active(config.Settings(bcrypt_cost=4, demonstration=True)):
            databases.migrate()
            snapshot.reset()
        servers = [
            LiveServer(logs / f"server{number}.log", database_url=postgres.url) for number in range(SERVERS)
        ]
        with ThreadPoolExecutor(SERVERS) as pool:
            list(pool.map(stack.enter_context, servers))
        proxy = stack.enter_context(TcpProxy([server.hostname for server in servers]))
        yield Cluster(postgres, servers, proxy.hostname)


def loaded(cluster: Cluster, document: dict[str, Any]) -> Site:
    with opened(cluster.postgres.url), config.active(config.Settings(bcrypt_cost=4, demonstration=True)):
        snapshot.import_all(document)
        return whole_site()


def read(cluster: Cluster) -> Site:
    with opened(cluster.postgres.url):
        assert databases.find_faults() == []
        return whole_site()


# -- clients that do not give up --------------------------------------------------------------


def once(client: Client, ask: Callable[[], Answer]) -> Answer | None:
    """Return the answer of one try; None where the connection broke."""
    try:
        answer = ask()
    except (OSError, HTTPException):
        client.reconnect()
        return None
    if answer.status == 503:
        assert (answer.body, answer.retry_after) == (BUSY, "1")
    return answer


def until_answered(client: Client, ask: Callable[[], Answer]) -> list[Answer | None]:
    """Return the answers to a request that is repeated until one is neither 503 nor none."""
    answers: list[Answer | None] = []
    for _ in range(TRIES):
        answers.append(once(client, ask))
        if is_clear(answers[-1]):
            return answers
        time.sleep(PAUSE)
    raise AssertionError(f"never answered: {Counter(map(str, answers))}")


def is_clear(answer: Answer | None) -> bool:
    """Return whether the answer says what became of the request."""
    return answer is not None and answer.status != 503


# -- the tests --------------------------------------------------------------------------------


def test_c1_each_decision_is_taken_once(cluster: Cluster) -> None:
    loaded(cluster, site(RECORDS, {"board": USERNAMES}, USERNAMES))
    ids = range(1, RECORDS + 1)
    barrier = threading.Barrier(CLIENTS + 1)

    def decide(place: int, username: str) -> list[list[Answer | None]]:
        with Client(cluster.hostname, username, by_session=place % 2 == 0) as client:
            return rounds(barrier, ids, lambda id: until_answered(client, partial(client.act, id, "APPROVE")))

    def disturb() -> list[None]:
        return rounds(barrier, ids, lambda id: cluster.disturb(kill=id == KILL_AT, crash=id == CRASH_AT))

    *seen, _ = at_once([*(partial(decide, *each) for each in enumerate(USERNAMES)), disturb])
    after = read(cluster)

    statuses: Counter[Any] = Counter()
    decided_by = {record.id: record.approver_username for record in after.issue_approvals}
    for place, id in enumerate(ids):
        answers = {name: of_client[place] for name, of_client in zip(USERNAMES, seen, strict=True)}
        last = {name: each[-1] for name, each in answers.items() if each[-1] is not None}
        winners = [name for name, answer in last.items() if answer.status == 200]
        assert all(answer.body == REFUSED for answer in last.values() if answer.status != 200)
        if winners:
            assert winners == [decided_by[id]]
            assert last[winners[0]].body["approverUser"] == winners[0]
        else:  # whoever decided it was not told so
            assert any(not is_clear(answer) for answer in answers[decided_by[id] or ""])
        statuses.update(answer and answer.status for each in answers.values() for answer in each)
    assert set(statuses) <= {200, 403, 503, None}
    assert statuses[200] >= RECORDS - 2  # by one disturbance at most one decision of a record is not told
    assert [(record.approval_status.value, record.version) for record in after.issue_approvals] == [
        ("APPROVED", 2)
    ] * RECORDS
    assert {event.issue_approval_id: event.username for event in after.history} == decided_by
    assert len(after.history) == len(after.comments) == RECORDS


def test_c2_what_was_answered_was_done_once_and_in_some_order(cluster: Cluster) -> None:
    before = loaded(
        cluster,
        site(
            ISSUES,
            {f"by {username}": [username] for username in APPROVERS},
            APPROVERS,
            settings=TWO_OF_FIVE,
            configuration={"is_abstain_enabled": True},
        ),
    )
    barrier = threading.Barrier(len(APPROVERS) + 1)
    places = range(ISSUES)

    def play(number: int, username: str) -> list[list[tuple[str, int, Answer | None]]]:
        dice = random.Random(username)

        def act(place: int) -> list[tuple[str, int, Answer | None]]:
            told = []
            for step in range(5):
                id = place * len(APPROVERS) + number + 1
                comment = f"{username} {place} {step}"
                action = dice.choice(["APPROVE", "REJECT", "ABSTAIN", "RESET"])
                told.append((comment, id, once(client, partial(client.act, id, action, comment))))
            return told

        with Client(cluster.hostname, username, by_session=number % 2 == 0) as client:
            return rounds(barrier, places, act)

    def disturb() -> list[None]:
        kill, crash = ISSUES // 3, 2 * ISSUES // 3
        return rounds(barrier, places, lambda place: cluster.disturb(place == kill, place == crash))

    *told, _ = at_once([*(partial(play, *each) for each in enumerate(APPROVERS)), disturb])
    after = read(cluster)

    assert_replays(before, after)
    done = Counter(event.comment for event in after.history if event.kind in DECISIONS)
    assert set(done.values()) == {1}
    requests = [each for of_one in told for each_place in of_one for each in each_place]
    for comment, id, answer in requests:
        if answer is not None:
            assert answer.status in (200, 403, 503), answer
        if answer is not None and answer.status == 200:
            assert (done[comment], answer.body["id"]) == (1, id)
        elif is_clear(answer):
            assert done[comment] == 0
