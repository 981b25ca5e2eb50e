"""Custom user roles over HTTP, when several clients want the same at the same moment."""

import threading
from base64 import b64encode
from collections import Counter
from functools import partial
from typing import Any

from tests.live import LiveServer
from tests.reliability.sites import TIMES
from tests.reliability.traffic import Answer, Client, at_once, rounds

SITE = "11111111-2222-4333-8444-555555555555"
ROLES = f"/jsm/ops/api/{SITE}/v1/roles"
CAROL = "630a55c646556c72662aaaaa"
ROUNDS = 15 * TIMES
CLIENTS = 4


class RoleClient(Client):
    """A client that signs in by its API token."""

    def __init__(self, hostname: str, username: str = "admin") -> None:
        super().__init__(hostname, username)
        token = b64encode(f"{username}@example.com:demo-token-{username}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}


def together(server: LiveServer, steps: list[Any]) -> list[tuple[Answer, ...]]:
    """Let a client take each step, round after round, all at once; return the answers of each round."""
    barrier = threading.Barrier(len(steps))

    def one(step: Any) -> list[Answer]:
        with RoleClient(server.hostname) as client:
            return rounds(barrier, range(ROUNDS), partial(step, client))

    return list(zip(*at_once([partial(one, step) for step in steps]), strict=True))


def test_of_creations_of_one_name_at_once_one_is_answered_201(server: LiveServer) -> None:
    def create(client: Client, turn: int) -> Answer:
        return client.ask("POST", ROLES, {"name": f"Role {turn}"})

    for answers in together(server, [create] * CLIENTS):
        assert Counter(answer.status for answer in answers) == {201: 1, 409: CLIENTS - 1}
    with RoleClient(server.hostname) as client:
        names = [role["name"] for role in client.snapshot()["custom_roles"]]
    assert len(names) == len(set(names)) == 3 + ROUNDS


def test_nobody_has_a_role_that_was_deleted(server: LiveServer) -> None:
    with RoleClient(server.hostname) as client:
        made = [client.ask("POST", ROLES, {"name": f"Role {turn}"}).body for turn in range(ROUNDS)]
    ids = [answer["data"]["id"] for answer in made]

    def assign(client: Client, turn: int) -> Answer:
        return client.ask("POST", f"{ROLES}/assign", {"accountId": CAROL, "roleId": ids[turn]})

    def delete(client: Client, turn: int) -> Answer:
        return client.ask("DELETE", f"{ROLES}/{ids[turn]}")

    for assigned, deleted in together(server, [assign, delete]):
        assert (assigned.status, deleted.status) in {(201, 428), (404, 204)}
    with RoleClient(server.hostname) as client:
        after = client.snapshot()
    present = {role["id"] for role in after["custom_roles"]}
    assert {assignment["role_id"] for assignment in after.get("role_assignments", ())} <= present
