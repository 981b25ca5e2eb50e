"""C4: while the whole site is replaced, everybody sees one site or the other, and nobody an error."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from herzum_approval.services.databases import find_faults
from tests.live import LiveServer
from tests.reliability.sites import ACCEPT, REOPEN, TIMES, opened, site
from tests.reliability.traffic import Answer, Client, at_once

LOADS = 40 * TIMES
ISSUES = 20
READERS, WRITERS = 5, 3
WORLDS = {"A": 0, "B": 50_000}
SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"

World = dict[str, Any]


def world(name: str, offset: int, passwords: dict[str, str]) -> World:
    """Return a site in which every id is its own and every name begins with the site's.

    passwords: the hash of each user's; they stay what they are, whatever site is there.
    """
    document = site(
        ISSUES, {"board": ["alice", "bob"]}, ["alice", "bob"], settings={"sends_request_mail": True}
    )
    document = _shifted(document, offset)
    for part in ("issue_types", "statuses", "approvals", "projects"):
        for entry in document[part]:
            entry["name"] = f"{name} {entry['name']}"
    for transition in document["workflows"][0]["transitions"]:
        transition["name"] = f"{name} {transition['name']}"
    for record in document["issue_approvals"]:
        record["transition_name"] = f"{name} Accept"
    for issue in document["issues"]:
        issue["summary"] = f"{name} summary"
    for user in document["users"]:
        user["password_hash"] = passwords[user.pop("password")]
    return document


def _shifted(value: Any, offset: int, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _shifted(each, offset, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_shifted(each, offset, name) for each in value]
    return value + offset if name.removesuffix("s").endswith("id") else value


def test_c4_readers_see_one_site_or_the_other(server: LiveServer, database_url: str) -> None:
    is_over = threading.Event()
    with Client(server.hostname, "alice") as loader:
        passwords = {user["username"]: user.get("password_hash") for user in loader.snapshot()["users"]}
        worlds = {name: world(name, offset, passwords) for name, offset in WORLDS.items()}
        seen = [found_ids(loader, partial(load, loader, each)) for each in (*worlds.values(), None)]
        readers = [partial(repeat, read, server, number, is_over, seen) for number in range(READERS)]
        writers = [partial(repeat, write, server, number, is_over, worlds) for number in range(WRITERS)]
        *tallies, _ = at_once(
            [*readers, *writers, partial(load_all, loader, [*worlds.values(), None], is_over)]
        )
    statuses = sum(tallies, Counter[int]())
    assert set(statuses) <= {200, 204, 400, 403, 404}, statuses
    with opened(database_url):
        assert find_faults() == []


def found_ids(client: Client, prepare: Callable[[], None]) -> list[int]:
    prepare()
    return [record["id"] for record in client.search().body]


def load(client: Client, document: World | None) -> None:
    """Replace the site; None by the demonstration site."""
    if document is not None:
        client.replace_site(document)
        return
    answer = client.ask("POST", "/__emulator/reset")
    assert answer.status == 204, answer


def load_all(client: Client, documents: list[World | None], is_over: threading.Event) -> Counter[int]:
    try:
        for number in range(LOADS):
            load(client, documents[number % len(documents)])
    finally:
        is_over.set()
    return Counter()


Step = Callable[[Client, random.Random, Any], Answer]


def repeat(step: Step, server: LiveServer, number: int, is_over: threading.Event, known: Any) -> Counter[int]:
    """Take the step until all is over; return how often each status was answered."""
    statuses: Counter[int] = Counter()
    dice = random.Random(number)
    with Client(server.hostname, ("alice", "bob")[number % 2]) as client:
        while not is_over.is_set():
            answer = step(client, dice, known)
            assert answer.status < 500, answer
            statuses[answer.status] += 1
    return statuses


def read(client: Client, dice: random.Random, seen: list[list[int]]) -> Answer:
    """Read something, which must be of one site and whole."""
    key = f"REL-{dice.randint(1, ISSUES)}"
    match dice.randrange(4):
        case 0:
            answer = client.search()
            assert answer.status == 200
            assert [record["id"] for record in answer.body] in seen
        case 1:
            answer = client.ask("GET", f"{SEARCH}?startAt=0&maxResults=1000")
            assert answer.status == 200
            assert [record["id"] for record in answer.body["issueApprovals"]] in seen
            assert answer.body["total"] == len(answer.body["issueApprovals"])
        case 2:
            answer = client.ask("GET", f"/rest/api/2/issue/{key}")
            if answer.status == 200:
                assert_one_world(answer.body)
        case _:
            answer = client.ask("GET", f"/rest/api/2/issue/{key}/transitions")
            assert answer.status in (200, 404)
            if answer.status == 200:
                names = {
                    part["name"][:2] for each in answer.body["transitions"] for part in (each, each["to"])
                }
                assert len(names) == 1, answer
    return answer


def assert_one_world(issue: Any) -> None:
    fields = issue["fields"]
    names = [fields[part]["name"] for part in ("status", "project", "issuetype")]
    assert len({name[:2] for name in (*names, fields["summary"])}) == 1, issue
    assert int(issue["id"]) > 50_000 or names[0].startswith("A "), issue


def write(client: Client, dice: random.Random, worlds: dict[str, World]) -> Answer:
    document = worlds[dice.choice(list(worlds))]
    match dice.randrange(5):
        case 0:
            return client.ask(
                "POST", "/rest/auth/1/session", {"username": client.username, "password": client.username}
            )
        case 1:
            offset = document["projects"][0]["id"] - worlds["A"]["projects"][0]["id"]
            return client.move(f"REL-{dice.randint(1, ISSUES)}", dice.choice([ACCEPT, REOPEN]) + offset)
        case _:
            record = dice.choice(document["issue_approvals"])
            return client.act(record["id"], dice.choice(["APPROVE", "REJECT", "RESET"]))
