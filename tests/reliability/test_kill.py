"""D1: a server that is killed at any moment leaves nothing torn, and nothing lost that it answered."""

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from itertools import count
from pathlib import Path

import pytest

from herzum_approval import config
from herzum_approval.domain.history import EventKind
from herzum_approval.domain.sites import Site
from herzum_approval.services import databases, snapshot
from tests.live import ROOT, LiveServer
from tests.reliability.replay import assert_replays
from tests.reliability.sites import REOPEN, SUBMIT, TIMES, opened, site, whole_site
from tests.reliability.traffic import PATIENCE, Client, at_once

ROUNDS = 20 * TIMES
ISSUES = 12
APPROVALS = {"first": ["alice", "bob"], "second": ["carol", "dave"]}
USERNAMES = [name for names in APPROVALS.values() for name in names]
LONGEST_SECONDS = 0.6


@dataclass
class Journal:
    """What the clients sent with a comment of its own, and what they were answered.

    answered: the comment of each decision, with the record and the status that it led to.
    moves: how often each user moved an issue.
    """

    sent: set[str] = field(default_factory=set)
    answered: dict[str, tuple[int, str]] = field(default_factory=dict)
    moves: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)


@pytest.fixture
def site_url(tmp_path: Path, settings: config.Settings) -> str:
    """A file with a site whose issues move by themselves, once they have both approvals."""
    url = f"sqlite:///{tmp_path}/site.db"
    with opened(url):
        databases.migrate()
        snapshot.import_all(
            site(ISSUES, APPROVALS, USERNAMES, settings={"transitions_on_approbations": True})
        )
    return url


def test_d1_killed_at_any_moment(site_url: str, tmp_path: Path) -> None:
    with opened(site_url):
        before = whole_site()
    journal = Journal()
    dice = random.Random(20200508)
    for number in range(ROUNDS):
        with LiveServer(tmp_path / f"server-{number}.log", database_url=site_url) as server:
            act_until_killed(server, number, journal, dice.uniform(0, LONGEST_SECONDS))
        with opened(site_url):
            assert databases.find_faults() == []
            after = whole_site()
        assert_replays(before, after)
        assert_remembers(after, journal)
    assert set(journal.statuses) <= {200, 204, 400, 403}
    assert journal.answered
    assert journal.moves
    assert any(event.kind is EventKind.AUTOMATIC_TRANSITION for event in after.history)
    assert verified(site_url) == "The database is whole.\n"


def act_until_killed(server: LiveServer, number: int, journal: Journal, seconds: float) -> None:
    """Let everybody act until the server is killed, so many seconds after all have begun."""
    begun = threading.Barrier(len(USERNAMES) + 1)

    def kill() -> None:
        begun.wait(PATIENCE)
        time.sleep(seconds)
        server.kill()

    at_once([kill, *(partial(act, server, number, username, journal, begun) for username in USERNAMES)])


def act(server: LiveServer, number: int, username: str, journal: Journal, begun: threading.Barrier) -> None:
    dice = random.Random(f"{number} {username}")
    with Client(server.hostname, username) as client:
        client.search()
        begun.wait(PATIENCE)
        try:
            for step in count():
                act_once(client, f"{number}.{username}.{step}", journal, dice)
        except (OSError, HTTPException):
            return  # killed


def act_once(client: Client, comment: str, journal: Journal, dice: random.Random) -> None:
    place = dice.randrange(ISSUES)
    if dice.random() < 0.3:
        answer = client.move(f"REL-{place + 1}", dice.choice([REOPEN, SUBMIT]))
        journal.moves[client.username] += answer.status == 204
    else:
        own = 1 if client.username in APPROVALS["first"] else 2
        journal.sent.add(comment)
        answer = client.act(2 * place + own, dice.choice(["APPROVE", "APPROVE", "REJECT", "RESET"]), comment)
        if answer.status == 200:
            journal.answered[comment] = (answer.body["id"], answer.body["approvalStatus"])
    journal.statuses[answer.status] += 1


def assert_remembers(after: Site, journal: Journal) -> None:
    """Whatever was answered is there, once; what is there besides was sent by somebody who got no answer."""
    told = [event for event in after.history if event.comment is not None]
    known = {event.comment: (event.issue_approval_id, event.after) for event in told}
    assert len(known) == len(told)
    assert known.keys() <= journal.sent
    assert {comment: known.get(comment) for comment in journal.answered} == journal.answered
    assert len(known) - len(journal.answered) <= len(USERNAMES) * ROUNDS
    moves = Counter(event.username for event in after.history if event.kind is EventKind.TRANSITION)
    assert all(moves[username] >= count for username, count in journal.moves.items())


def verified(database_url: str) -> str:
    """Return what an operator is told of the database."""
    return subprocess.run(
        [sys.executable, "-m", "herzum_approval.cli", "verify"],
        cwd=ROOT,
        env={**os.environ, "HERZUM_APPROVAL_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
