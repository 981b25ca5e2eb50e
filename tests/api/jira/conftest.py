"""How the tests of Jira's doors sign in."""

import base64
from collections.abc import Callable

import pytest
from webtest import TestApp, TestResponse

SignIn = Callable[..., TestResponse]


def basic(username: str, password: str | None = None, *, encoding: str = "utf-8") -> dict[str, str]:
    """Return the header of Basic credentials; the demonstration's passwords are the usernames."""
    credentials = f"{username}:{username if password is None else password}".encode(encoding)
    return {"Authorization": "Basic " + base64.b64encode(credentials).decode()}


def sign_in(
    client: TestApp, username: str = "admin", password: str | None = None, **options: object
) -> TestResponse:
    """Ask for a session, which the client then keeps as its cookie."""
    body = {"username": username, "password": username if password is None else password}
    return client.post_json("/rest/auth/1/session", body, **options)


@pytest.fixture
def locked_admin(client: TestApp) -> TestApp:
    """The site after three failures of admin."""
    for _ in range(3):
        sign_in(client, password="wrong", status=401)
    return client
