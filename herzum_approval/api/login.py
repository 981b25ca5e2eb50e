"""How a request becomes an actor by Jira's rules: Basic credentials, a session cookie, or nobody.

Families that Jira hosts share it. `require_actor` and `find_actor` stand before their requests and
leave the actor in `g.actor`; `sign` puts Jira's headers on each of their answers, errors too.
"""

import base64
import itertools
import re
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from flask import Response, g, request
from werkzeug.http import parse_cookie

from herzum_approval import clock, config
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import logins
from herzum_approval.services.logins import Outcome

SESSION_COOKIE = "JSESSIONID"

OPTIONAL_FAULTS = (
    Fault.LOGIN_CHALLENGED,
    Fault.BASIC_LOGIN_FAILED,
    Fault.BASIC_LOGIN_DENIED,
    Fault.TOKEN_INVALID,
    Fault.URL_LOGIN_REFUSED,
)
"""What a request with unusable credentials meets, even where none are needed."""

FAULTS = (Fault.LOGIN_REQUIRED, *OPTIONAL_FAULTS)
"""What a request meets where somebody must be signed in."""

_ANONYMOUS = "anonymous"
_ONLY_SESSION = re.compile(r"JSESSIONID=([A-Za-z0-9_-]+)")
_SESSION_IDS = 36**6
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_request_numbers = itertools.count(1)


def require_actor() -> None:
    """Let only somebody who is signed in pass, as `g.actor`. Raises: `FAULTS`."""
    find_actor()
    if g.actor is None:
        raise Problem(Fault.LOGIN_REQUIRED)


def find_actor() -> None:
    """Find out who asks: `g.actor`, None for nobody. Raises: `OPTIONAL_FAULTS`."""
    g.actor = None
    refuse_url_login()
    g.actor = _identified(request.args.get("os_authType", ""))


def refuse_url_login() -> None:
    """Raises: URL_LOGIN_REFUSED, where credentials stand in the address, and so in everybody's logs."""
    if "os_username" in request.args or "os_password" in request.args:
        raise Problem(Fault.URL_LOGIN_REFUSED)


def _identified(auth_type: str) -> Actor | None:
    if auth_type == "none":
        return None
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "basic":
            return _actor_of_basic(credentials.strip())
        case "bearer":
            raise Problem(Fault.TOKEN_INVALID)
    actor = _actor_of_cookie()
    if actor is None and auth_type == "basic":
        raise Problem(Fault.LOGIN_CHALLENGED)
    return actor


def _actor_of_basic(credentials: str) -> Actor:
    username, colon, password = _decoded(credentials).partition(":")
    if not colon:
        raise Problem(Fault.BASIC_LOGIN_FAILED)
    result = logins.verify_password(username, password)
    if result.outcome is Outcome.DENIED:
        raise Problem(Fault.BASIC_LOGIN_DENIED)
    if result.actor is None:
        raise Problem(Fault.BASIC_LOGIN_FAILED)
    return result.actor


def actor_at_once(environ: Mapping[str, Any]) -> Actor | None:
    """Return who asks, where that is known without any count or check; None where it must be found out.

    environ: of a request without `os_authType`.
    """
    scheme, _, credentials = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "basic":
        username, colon, password = _decoded(credentials.strip()).partition(":")
        return logins.recall(username, password) if colon else None
    if scheme:
        return None
    cookies = environ.get("HTTP_COOKIE", "")
    alone = _ONLY_SESSION.fullmatch(cookies)
    token = alone[1] if alone else parse_cookie(cookies).get(SESSION_COOKIE)
    return None if token is None else logins.recall_session(token)


def _decoded(credentials: str) -> str:
    try:
        text = base64.b64decode(credentials, validate=True)
    except ValueError:
        raise Problem(Fault.BASIC_LOGIN_FAILED) from None
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")  # what older clients send


def _actor_of_cookie() -> Actor | None:
    token = session_token()
    return None if token is None else logins.session_actor(token)


def session_token() -> str | None:
    """Return the session id that the request brings, alive or not."""
    return request.cookies.get(SESSION_COOKIE)


def sign(response: Response) -> Response:
    """Add the headers by which Jira's clients see who they were taken for."""
    for name, value in headers_for(g.get("actor")):
        response.headers.setdefault(name, value)
    return response


def headers_for(actor: Actor | None) -> list[tuple[str, str]]:
    """Return the headers by which a client sees who it was taken for. actor: None for nobody."""
    return [("X-AREQUESTID", _request_number()), *_known_headers(actor)]


@lru_cache(maxsize=1024)
def _known_headers(actor: Actor | None) -> tuple[tuple[str, str], ...]:
    named = (
        ("X-AUSERNAME", _header_text(actor.username) if actor else _ANONYMOUS),
        ("Cache-Control", "no-cache, no-store, no-transform"),
    )
    if actor is None:
        return named
    return (*named, ("X-ASESSIONID", _short_session_id(actor)), ("X-Seraph-LoginReason", "OK"))


def _request_number() -> str:
    """Return the minute of the day and a count of requests, like `580x26659x1`.

    Jira's third number is how many requests are under way; this server does not count them and
    says 1, the request itself.
    """
    now = clock.now()
    return f"{now.hour * 60 + now.minute}x{next(_request_numbers)}x1"


def _short_session_id(actor: Actor) -> str:
    """Return six letters or digits that tell sessions apart in logs and open none."""
    number = zlib.crc32((actor.session_digest or actor.username).encode()) % _SESSION_IDS
    letters = []
    for _ in range(6):
        number, place = divmod(number, 36)
        letters.append(_DIGITS[place])
    return "".join(letters)


def _header_text(username: str) -> str:
    """Return the username as a header can hold it: percent-encoded where it is not plain Latin-1."""
    is_plain = username.isprintable() and username == username.strip()
    try:
        username.encode("latin-1")
    except UnicodeEncodeError:
        is_plain = False
    return username if is_plain else quote(username)


def set_session_cookie(response: Response, token: str) -> None:
    """Hand the session's id to the client."""
    response.set_cookie(SESSION_COOKIE, token, **_cookie_attributes())


def drop_session_cookie(response: Response) -> None:
    """Make the client forget its session's id."""
    response.delete_cookie(SESSION_COOKIE, **_cookie_attributes())


def _cookie_attributes() -> dict[str, Any]:
    return {
        "path": request.script_root or "/",
        "httponly": True,
        "samesite": "Lax",
        "secure": request.is_secure or config.current().cookie_secure,
    }
