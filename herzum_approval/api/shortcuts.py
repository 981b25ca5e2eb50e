"""The short way to an answer: what is asked a thousand times as often as all else needs no Flask.

A shortcut answers a `GET` from somebody who is known already, where nothing is out of order. It
calls the same services as the view of its path and says the same, header for header, to which the
tests hold it. Whatever is the least unusual goes the plain way, which also says every error.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from herzum_approval import metrics
from herzum_approval.api import login
from herzum_approval.api.family import JSON_TYPE, plain_request_id
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Problem
from herzum_approval.services import answers

logger = logging.getLogger(__name__)

Arguments = Mapping[str, str]
Shortcut = Callable[[Actor, str, Arguments], bytes | None]
"""Makes the body of an answer. Takes who asks, the query string, and its parameters, the first of each
name; returns None, or raises, where the plain way must be gone."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_REQUEST_ID_KEY = "herzum_approval.request_id"
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class Shortcuts:
    """A WSGI application that goes the short way where there is one, and else asks the other."""

    def __init__(self, app: WSGIApplication, shortcuts: Mapping[str, Shortcut]) -> None:
        """shortcuts: by path."""
        self.app = app
        self.shortcuts = shortcuts

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        shortcut = self.shortcuts.get(environ.get("PATH_INFO", ""))
        found = None if shortcut is None else _answer(shortcut, environ)
        if found is None:
            return self.app(environ, start_response)
        actor, body = found
        meter = metrics.current_meter()
        if meter is not None:
            meter.route, meter.status = environ["PATH_INFO"], 200
        start_response("200 OK", _headers(environ, actor, len(body)))
        return (body,)


def _answer(shortcut: Shortcut, environ: WSGIEnvironment) -> tuple[Actor, bytes] | None:
    if not _is_plain(environ):
        return None
    query = environ.get("QUERY_STRING", "")
    try:
        # As werkzeug reads them; of a parameter that is repeated the first counts.
        pairs = parse_qsl(query, keep_blank_values=True, errors="werkzeug.url_quote")
        arguments = dict(reversed(pairs))
        if any(name.startswith("os_") for name in arguments):
            return None
        return answers.at_a_glance(lambda: _found(shortcut, environ, query, arguments))
    except Problem:
        return None
    except Exception:
        logger.debug("the short way failed", exc_info=True)  # the plain way will say why
        return None


def _found(
    shortcut: Shortcut, environ: WSGIEnvironment, query: str, arguments: Arguments
) -> tuple[Actor, bytes] | None:
    actor = login.actor_at_once(environ)
    body = None if actor is None else shortcut(actor, query, arguments)
    return None if actor is None or body is None else (actor, body)


def _is_plain(environ: WSGIEnvironment) -> bool:
    return (
        environ["REQUEST_METHOD"] == "GET"
        and environ.get("CONTENT_LENGTH", "") in ("", "0")
        and "HTTP_TRANSFER_ENCODING" not in environ
        and environ.get("QUERY_STRING", "").isascii()
        and _HOST.fullmatch(environ.get("HTTP_HOST", "")) is not None
    )


def request_id(environ: WSGIEnvironment, make: Callable[[], str] = plain_request_id) -> str:
    """Return the request's own name for itself where it may be used, or one that it has from now on.

    make: such a name, where none was made yet.
    """
    known: str | None = environ.get(_REQUEST_ID_KEY)
    if known is None:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        known = given if _REQUEST_ID.fullmatch(given) else make()
        environ[_REQUEST_ID_KEY] = known
    return known


def _headers(environ: WSGIEnvironment, actor: Actor, length: int) -> list[tuple[str, str]]:
    return [
        ("Content-Type", JSON_TYPE),
        ("Content-Length", str(length)),
        ("X-Request-ID", request_id(environ)),
        ("X-Content-Type-Options", "nosniff"),
        *login.headers_for(actor),
    ]
