"""Clients that speak to a real server at the same time, each on a connection of its own."""

import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any, NamedTuple, TypeVar

Result = TypeVar("Result")

PATIENCE = 60.0
"""Seconds to wait for an answer, or for the others, before a test gives up."""


class Answer(NamedTuple):
    status: int
    body: Any
    retry_after: str | None = None


class Client:
    """One caller on one connection. It signs in by Basic, or once by a session."""

    def __init__(self, hostname: str, username: str, *, by_session: bool = False) -> None:
        self.username = username
        self._connection = HTTPConnection(hostname, timeout=PATIENCE)
        token = b64encode(f"{username}:{username}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}
        if by_session:
            self._sign_in()

    def _sign_in(self) -> None:
        self._headers = {}
        credentials = {"username": self.username, "password": self.username}
        answer = self.ask("POST", "/rest/auth/1/session", credentials)
        assert answer.status == 200, answer
        self._headers = {"Cookie": "JSESSIONID=" + answer.body["session"]["value"]}

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Raises: OSError or HTTPException where the server is gone."""
        sent = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", **self._headers}
        self._connection.request(method, path, sent, headers)
        response = self._connection.getresponse()
        text = response.read()
        retry_after = response.getheader("Retry-After")
        return Answer(response.status, json.loads(text) if text else None, retry_after)

    def reconnect(self) -> None:
        """Let the next request open a new connection, still signed in."""
        self._connection.close()

    def act(self, issue_approval_id: int, action: str, comment: str = "") -> Answer:
        path = f"/rest/herzum-hap-services/1.0/api/issueapprovals/{issue_approval_id}/action"
        return self.ask("POST", path, {"action": action, "comment": comment})

    def move(self, issue_key: str, transition_id: int) -> Answer:
        path = f"/rest/api/2/issue/{issue_key}/transitions"
        return self.ask("POST", path, {"transition": {"id": transition_id}})

    def search(self) -> Answer:
        return self.ask("GET", "/rest/herzum-hap-services/1.0/api/issueapprovals")

    def snapshot(self) -> dict[str, Any]:
        answer = self.ask("GET", "/__emulator/snapshot")
        assert answer.status == 200, answer
        return dict(answer.body)

    def replace_site(self, document: Any) -> None:
        answer = self.ask("PUT", "/__emulator/snapshot", document)
        assert answer.status == 204, answer

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def at_once(jobs: Iterable[Callable[[], Result]]) -> list[Result]:
    """Return what each job returned; each runs in a thread of its own.

    Of several errors the one is raised that made the others give up.
    """
    jobs = list(jobs)
    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = [pool.submit(job) for job in jobs]
    errors = [error for future in futures if (error := future.exception())]
    errors.sort(key=lambda error: isinstance(error, threading.BrokenBarrierError))
    if errors:
        raise errors[0]
    return [future.result() for future in futures]


def rounds(barrier: threading.Barrier, items: Iterable[Any], step: Callable[[Any], Result]) -> list[Result]:
    """Take a step with each item, always together with all others at the barrier.

    Whoever fails lets the others go, so that the failure is seen.
    """
    results = []
    try:
        for item in items:
            barrier.wait(PATIENCE)
            results.append(step(item))
    except BaseException:
        barrier.abort()
        raise
    return results
