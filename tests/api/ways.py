"""The two ways of a request, the short one and the plain one, each made the only one."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from webtest import TestResponse


@contextmanager
def only(shortcuts: Any, *, short: bool) -> Iterator[None]:
    """Let every request go the one way or the other.

    shortcuts: the application that goes the short way where it can.
    """

    def refuse(environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Any:
        raise AssertionError("this went the plain way")

    app, read, posts = shortcuts.app, shortcuts.shortcuts, shortcuts.posts
    if short:
        shortcuts.app = refuse
    else:
        shortcuts.shortcuts, shortcuts.posts = {}, ()
    try:
        yield
    finally:
        shortcuts.app, shortcuts.shortcuts, shortcuts.posts = app, read, posts


def basic(username: str) -> dict[str, str]:
    credentials = base64.b64encode(f"{username}:{username}".encode()).decode()
    return {"Authorization": f"Basic {credentials}"}


def told(answer: TestResponse) -> Any:
    """Return all that an answer says, but for the count of requests."""
    headers = [(name, value) for name, value in answer.headers.items() if name != "X-AREQUESTID"]
    assert answer.headers["X-AREQUESTID"].endswith("x1")
    return answer.status, sorted(headers), answer.body
