"""C1, C3, C5: whatever is done at once, each decision is taken once and leaves one trace."""

import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer
from tests.reliability.sites import DONE, FIRST_ISSUE, REVIEW, TIMES, site
from tests.reliability.traffic import Answer, Client, at_once, rounds

CLIENTS = 24
USERNAMES = [f"user{number:02}" for number in range(CLIENTS)]

REFUSED = {
    "errorCode": "issueapproval.action.unauthorized",
    "errorMessage": "The user cannot perform the required action",
    "status": 403,
}


@pytest.fixture
def three_processes(database_url: str, tmp_path: Path) -> Iterator[LiveServer]:
    with LiveServer(tmp_path / "server.log", database_url=database_url, workers="3") as running:
        yield running


def test_c1_of_many_decisions_at_once_one_is_taken(server: LiveServer) -> None:
    decide_at_once(server, 50 * TIMES)


def test_c3_of_many_decisions_in_three_processes_one_is_taken(three_processes: LiveServer) -> None:
    decide_at_once(three_processes, 15 * TIMES)


def decide_at_once(server: LiveServer, count: int) -> None:
    """Let every client approve each record at the same moment as all others do."""
    ids = range(1, count + 1)
    with Client(server.hostname, USERNAMES[0]) as administrator:
        administrator.replace_site(site(count, {"board": USERNAMES}, USERNAMES))
        answers = by_record(ids, everybody(server, ids))
        after = administrator.snapshot()

    flat = [answer for each in answers.values() for answer in each.values()]
    assert Counter(answer.status for answer in flat) == {200: count, 403: count * (CLIENTS - 1)}
    assert all(answer.body == REFUSED for answer in flat if answer.status == 403)
    winners = {id: winner(each) for id, each in answers.items()}
    assert {id: each[winners[id]].body["approverUser"] for id, each in answers.items()} == winners
    assert {record["id"]: decision(record) for record in after["issue_approvals"]} == {
        id: ("APPROVED", username, 2) for id, username in winners.items()
    }
    assert [(event["kind"], event["after"]) for event in after["history"]] == [("APPROVED",) * 2] * count
    assert {event["issue_approval_id"]: event["username"] for event in after["history"]} == winners
    assert len(after["comments"]) == count
    assert {comment["issue_id"]: comment["author"] for comment in after["comments"]} == {
        FIRST_ISSUE + id - 1: username for id, username in winners.items()
    }


def everybody(server: LiveServer, ids: range) -> dict[str, list[Answer]]:
    """Return what each client was answered for each record."""
    barrier = threading.Barrier(CLIENTS)

    def one(place: int, username: str) -> list[Answer]:
        with Client(server.hostname, username, by_session=place % 2 == 0) as client:
            return rounds(barrier, ids, lambda id: client.act(id, "APPROVE"))

    jobs = [partial(one, place, username) for place, username in enumerate(USERNAMES)]
    return dict(zip(USERNAMES, at_once(jobs), strict=True))


def winner(answers: dict[str, Answer]) -> str:
    return next(username for username, answer in answers.items() if answer.status == 200)


def by_record(ids: range, answers: dict[str, list[Answer]]) -> dict[int, dict[str, Answer]]:
    return {id: {name: each[place] for name, each in answers.items()} for place, id in enumerate(ids)}


def decision(record: dict[str, Any]) -> tuple[str, str | None, int]:
    return record["approval_status"], record.get("approver_username"), record["version"]


def test_c1_the_last_two_votes_at_once_move_the_issue_once(server: LiveServer) -> None:
    count = 50 * TIMES
    approvals = {"first": ["admin"], "second": ["alice"], "third": ["bob"]}
    settings = {"transitions_on_approbations": True}
    barrier = threading.Barrier(2)

    def vote(username: str, number: int) -> list[Answer]:
        with Client(server.hostname, username) as client:
            return rounds(barrier, range(count), lambda place: client.act(3 * place + number, "APPROVE"))

    with Client(server.hostname, "admin") as administrator:
        document = site(count, approvals, ["admin", "alice", "bob"], settings=settings, approved=["first"])
        administrator.replace_site(document)
        pairs = list(zip(*at_once([partial(vote, "alice", 2), partial(vote, "bob", 3)]), strict=True))
        after = administrator.snapshot()

    for pair in pairs:
        assert [answer.status for answer in pair] == [200, 200], pair
        assert {answer.body["issueStatus"] for answer in pair} == {str(DONE), str(REVIEW)}
    assert {issue["status_id"] for issue in after["issues"]} == {DONE}
    assert {record["approval_status"] for record in after["issue_approvals"]} == {"APPROVED"}
    for issue in after["issues"]:
        kinds = [event["kind"] for event in after["history"] if event["issue_id"] == issue["id"]]
        assert kinds == ["APPROVED", "APPROVED", "AUTOMATIC_TRANSITION"]


@pytest.mark.parametrize("action", ["APPROVE", "REJECT"])
def test_c5_a_request_sent_again_changes_nothing(server: LiveServer, action: str) -> None:
    with Client(server.hostname, "alice") as client:
        client.replace_site(site(10, {"board": ["alice"]}, ["alice"]))
        for id in range(1, 11):
            first = client.act(id, action, "once")
            state = client.snapshot()
            again = [client.act(id, action, "once") for _ in range(1 + id % 2)]
            assert (first.status, [answer.body for answer in again]) == (200, [REFUSED] * len(again))
            assert client.snapshot() == state
            assert [event["issue_approval_id"] for event in state["history"]] == list(range(1, id + 1))


def test_c5_a_request_sent_twice_at_once_is_done_once(server: LiveServer) -> None:
    count = 10 * TIMES
    barrier = threading.Barrier(3)

    def repeat() -> list[Answer]:
        with Client(server.hostname, "alice") as client:
            return rounds(barrier, range(1, count + 1), lambda id: client.act(id, "REJECT", "once"))

    with Client(server.hostname, "alice") as client:
        client.replace_site(site(count, {"board": ["alice"]}, ["alice"]))
        for answers in zip(*at_once([repeat] * 3), strict=True):
            assert sorted(answer.status for answer in answers) == [200, 403, 403]
            assert [answer.body for answer in answers].count(REFUSED) == 2
        after = client.snapshot()
    assert sorted(event["issue_approval_id"] for event in after["history"]) == list(range(1, count + 1))
    assert len(after["comments"]) == count
