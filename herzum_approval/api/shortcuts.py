"""The short way to an answer: what is asked a thousand times as often as all else needs no Flask.

A shortcut answers a `GET` or a `POST` from somebody who is known already, where nothing is out of
order. It calls the same services as the view of its path and says the same, header for header, to
which the tests hold it. Whatever is the least unusual goes the plain way, which also says every error.
"""

import io
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from herzum_approval import metrics
from herzum_approval.api import login
from herzum_approval.api.family import (
    FAILURE,
    JSON_TYPE,
    ShortPost,
    plain_request_id,
)
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
_LENGTH = re.compile(r"[0-9]{1,4}")

Answer = tuple[Actor, str, bytes]
"""Who asked, by which route, and the body of the answer."""


class Shortcuts:
    """A WSGI application that goes the short way where there is one, and else asks the other."""

    def __init__(
        self, app: WSGIApplication, shortcuts: Mapping[str, Shortcut], posts: Sequence[ShortPost] = ()
    ) -> None:
        """shortcuts: by path."""
        self.app = app
        self.shortcuts = shortcuts
        self.posts = posts

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        found = self._found(environ)
        if found is None:
            return self.app(environ, start_response)
        actor, route, body = found
        meter = metrics.current_meter()
        if meter is not None:
            meter.route, meter.status = route, 200
        start_response("200 OK", _headers(environ, actor, len(body)))
        return (body,)

    def _found(self, environ: WSGIEnvironment) -> Answer | None:
        if _HOST.fullmatch(environ.get("HTTP_HOST", "")) is None or "HTTP_TRANSFER_ENCODING" in environ:
            return None
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if method == "GET":
            shortcut = self.shortcuts.get(path)
            return None if shortcut is None else _read(shortcut, path, environ)
        if method == "POST":
            for post in self.posts:
                about = post.path.fullmatch(path)
                if about is not None:
                    return _done(post, about[1], environ)
        return None


def _read(shortcut: Shortcut, path: str, environ: WSGIEnvironment) -> Answer | None:
    query = environ.get("QUERY_STRING", "")
    if not query.isascii() or environ.get("CONTENT_LENGTH", "") not in ("", "0"):
        return None
    try:
        arguments = _arguments(query)
        if any(name.startswith("os_") for name in arguments):
            return None
        found = answers.at_a_glance(lambda: _made(shortcut, environ, query, arguments))
    except Exception as error:
        _leave(error)
        return None
    return None if found is None else (found[0], path, found[1])


def _arguments(query: str) -> Arguments:
    """Return the parameters as werkzeug reads them; of one that is repeated the first counts."""
    if "%" in query or "+" in query:
        pairs = parse_qsl(query, keep_blank_values=True, errors="werkzeug.url_quote")
    else:  # as most are: nothing is to be decoded
        parts = [part.partition("=") for part in query.split("&") if part]
        pairs = [(name, value) for name, _, value in parts]
    return dict(reversed(pairs))


def _made(
    shortcut: Shortcut, environ: WSGIEnvironment, query: str, arguments: Arguments
) -> tuple[Actor, bytes] | None:
    actor = login.actor_at_once(environ)
    body = None if actor is None else shortcut(actor, query, arguments)
    return None if actor is None or body is None else (actor, body)


def _done(post: ShortPost, about: str, environ: WSGIEnvironment) -> Answer | None:
    try:
        body = _short_body(environ)
        prepared = body and answers.at_a_glance(lambda: _prepared(post, about, environ, body))
    except Exception as error:
        _leave(error)
        return None
    if not prepared:
        return None
    actor, work = prepared
    try:
        return actor, post.route, work()
    except Exception as error:
        # Nobody may try again what may have been done: the plain way only tells what came of it.
        environ[FAILURE] = error
        return None


def _prepared(
    post: ShortPost, about: str, environ: WSGIEnvironment, body: bytes
) -> tuple[Actor, Callable[[], bytes]] | None:
    actor = login.actor_at_once(environ)
    work = None if actor is None else post.prepare(actor, about, body)
    return None if actor is None or work is None else (actor, work)


def _short_body(environ: WSGIEnvironment) -> bytes | None:
    """Return the body where it is short JSON, and leave it to be read once more."""
    media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    length = environ.get("CONTENT_LENGTH", "")
    if environ.get("QUERY_STRING") or media_type != "application/json" or not _LENGTH.fullmatch(length):
        return None
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return body if len(body) == int(length) else None


def _leave(error: Exception) -> None:
    """Leave it to the plain way, which will say what is wrong."""
    if not isinstance(error, Problem):
        logger.debug("the short way failed", exc_info=error)


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
