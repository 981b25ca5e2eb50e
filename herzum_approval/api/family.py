"""What every API family shares: its blueprint, its way to say faults, JSON in and out.

A family is one vendor's (or our own) set of paths with one shape of error. `install_error_handlers`
makes one app-wide handler that asks each family whether a path is its own; outside of all families
the answer is a small HTML page.
"""

import logging
import random
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus

import flask_smorest
import orjson
from flask import Flask, Response, g, request
from marshmallow import Schema
from werkzeug.exceptions import (
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)
from werkzeug.routing import Map, RequestRedirect, UnicodeConverter

from herzum_approval import config
from herzum_approval.errors import Fault, Problem, Wire

logger = logging.getLogger(__name__)

JSON_TYPE = "application/json;charset=UTF-8"
"""Jira's spelling to the byte: atlassian-python-api shows an error's text only under this one."""

HTML_TYPE = "text/html;charset=UTF-8"

View = Callable[..., Any]

ALWAYS = (
    Fault.ROUTE_NOT_FOUND,
    Fault.METHOD_NOT_ALLOWED,
    Fault.REQUEST_MALFORMED,
    Fault.BODY_TOO_LARGE,
    Fault.BUSY,
    Fault.INTERNAL_ERROR,
)
"""Faults that any operation of any family may meet, so none needs to name them."""


ETAG = {"ETag": {"schema": {"type": "string"}, "description": "The present version"}}
"""The header that says a version, for OpenAPI."""

IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "Only where one of these versions is the present one; `*` and absence stand for any",
}
"""The header that expects a version, for OpenAPI."""

_TAG = re.compile(r'\s*"(0|[1-9][0-9]{0,18})"\s*', re.ASCII)


def expected_versions() -> Collection[int] | None:
    """Return the versions that `If-Match` names; None where any will do.

    Tags are compared strongly, so weak ones and whatever else was never given out match nothing.
    """
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return None
    return {int(found[1]) for part in given.split(",") if (found := _TAG.fullmatch(part))}


def json_response(payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return the payload as compact JSON, keys in their order, with Jira's content type."""
    return bytes_response(orjson.dumps(payload), status, headers)


def bytes_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return ready JSON (bytes, or an iterator of bytes) with Jira's content type."""
    return Response(body, status, headers, content_type=JSON_TYPE)


def read_json_object() -> dict[str, Any]:
    """Return the request's body, which must be a JSON object; of repeated keys the last counts.

    Raises: CONTENT_TYPE_UNSUPPORTED, BODY_TOO_LARGE, BODY_MALFORMED.
    """
    if request.mimetype != "application/json":
        raise Problem(Fault.CONTENT_TYPE_UNSUPPORTED)
    return parse_json_object(read_body())


def parse_json_object(body: bytes) -> dict[str, Any]:
    """Return the parsed body, which must be a JSON object. Raises: BODY_MALFORMED."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise Problem(Fault.BODY_MALFORMED, reason="it must be an object")
    return value


def read_body() -> bytes:
    """Return the request's body. Raises: BODY_TOO_LARGE, also where its length was not told before."""
    body = request.get_data(cache=False)
    if len(body) > config.current().max_body_bytes:
        raise Problem(Fault.BODY_TOO_LARGE)
    return body


def parse_json(body: bytes) -> Any:
    """Return the parsed body. Raises: BODY_MALFORMED, also where it is nested too deep."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(Fault.BODY_MALFORMED, reason=str(error)) from None
    limit = config.current().max_json_depth
    if _is_deeper_than(value, limit):
        raise Problem(Fault.BODY_MALFORMED, reason=f"it is nested deeper than {limit}")
    return value


def _is_deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [
            child
            for parent in level
            if isinstance(parent, (dict, list))
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return False
    return True


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """How one family says a fault.

    family: its column in the error catalogue.
    payload: makes the body out of the words, the filled-in text and the problem's details.
    schema: the JSON schema of that body, for the same words.
    """

    family: str
    payload: Callable[[Wire, str, Mapping[str, Any]], Any]
    schema: Callable[[Wire], dict[str, Any]]

    def answer(self, problem: Problem) -> Response:
        """Return the problem in this shape."""
        details = {**_request_details(), **problem.details}
        try:
            wire = problem.fault.wire(self.family)
        except KeyError:
            logger.exception("the family %s has no words for a fault that it met", self.family)
            wire = Fault.INTERNAL_ERROR.wire(self.family)
        text = filled(wire.text, details)
        headers = {name: filled(value, details) for name, value in wire.headers}
        if wire.is_html:
            return Response(_page(wire.status, text), wire.status, headers, content_type=HTML_TYPE)
        return json_response(self.payload(wire, text, details), wire.status, headers)

    def describe(self, status: int, wires: Sequence[Wire]) -> dict[str, Any]:
        """Return the OpenAPI response object of these words, all of one status."""
        words = dict.fromkeys(f"`{wire.code}`" if wire.code else wire.text for wire in wires)
        headers = dict.fromkeys(name for wire in wires for name, _ in wire.headers)
        content: dict[str, Any] = {}
        schemas = [self.schema(wire) for wire in wires if not wire.is_html]
        distinct = [schema for place, schema in enumerate(schemas) if schema not in schemas[:place]]
        if distinct:
            content[JSON_TYPE] = {"schema": distinct[0] if len(distinct) == 1 else {"anyOf": distinct}}
        if any(wire.is_html for wire in wires):
            content[HTML_TYPE] = {"schema": {"type": "string"}}
        return {
            "description": f"{HTTPStatus(status).phrase}: {'; '.join(words)}",
            "headers": {name: {"schema": {"type": "string"}} for name in headers},
            "content": content,
        }


class Blueprint(flask_smorest.Blueprint):
    """A blueprint whose operations name the faults they can raise, for their OpenAPI description."""

    def __init__(self, errors: ErrorShape, name: str, url_prefix: str, description: str) -> None:
        super().__init__(f"{errors.family}_{name}", __name__, url_prefix=url_prefix, description=description)
        self.errors = errors
        self._prepare_doc_cbks.append(self._prepare_faults_doc)

    def response(self, status_code: int, schema: Any = None, **options: Any) -> Callable[[View], View]:
        """Document the answer of a success, under the content type that JSON has here."""
        decorator: Callable[[View], View] = super().response(
            status_code, schema, **{"content_type": JSON_TYPE, **options}
        )
        return decorator

    def raises(self, *faults: Fault) -> Callable[[View], View]:
        """Document the faults; KeyError at import where the family has no words for one."""
        for fault in (*faults, *ALWAYS):
            fault.wire(self.errors.family)

        def decorator(view: View) -> View:
            # Told when a document is wanted: each further decorator copies all that is there.
            documented = {**getattr(view, "_apidoc", {}), "faults": (*faults, *ALWAYS)}
            view._apidoc = documented  # type: ignore[attr-defined]
            return view

        return decorator

    def _prepare_faults_doc(
        self, doc: dict[str, Any], doc_info: Mapping[str, Any], **_: Any
    ) -> dict[str, Any]:
        """Add the answers of faults to the description of an operation; one of flask-smorest's callbacks."""
        by_status: dict[int, list[Wire]] = {}
        for fault in doc_info.get("faults", ()):
            wire = fault.wire(self.errors.family)
            by_status.setdefault(wire.status, []).append(wire)
        responses = doc.setdefault("responses", {})
        for status, wires in by_status.items():
            responses[str(status)] = self.errors.describe(status, wires)
        return doc

    def query(self, schema: Schema) -> Callable[[View], View]:
        """Document the schema's fields as query parameters and pass what it loads as first argument.

        Of a parameter that is repeated the first counts; unknown ones are ignored.
        """

        def decorator(view: View) -> View:
            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                return view(schema.load(request.args), *args, **kwargs)

            documented = dict(getattr(view, "_apidoc", {}))
            documented["arguments"] = {"parameters": [{"in": "query", "required": False, "schema": schema}]}
            wrapper._apidoc = documented  # type: ignore[attr-defined]
            return wrapper

        return decorator


class Rest(UnicodeConverter):
    """The rest of an address, as `<rest:name>`: for names with slashes in them, wherever they stand.

    WSGI hands addresses over decoded, so a slash that was spelt `%2F` is one like any other.
    """

    part_isolating = False

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map)
        self.regex = r"[\s\S]{1,}"  # flask-smorest reads the length off it


CONVERTERS = {"rest": Rest}
"""How parts of addresses are read, beside Werkzeug's own ways."""


def plain_request_id() -> str:
    """Return a new id for a request, as most families spell them."""
    # It is no secret, and asking the system for chance would let another thread go first.
    return f"{random.getrandbits(64):016x}"


@dataclass(frozen=True, slots=True)
class ShortPost:
    """A short way to do what a `POST` asks for, where nothing is out of order.

    path: of which addresses; its one group is handed on. route: how metrics name them.
    prepare: takes who asks, the group, and the body. It only reads, and returns what does the work and
        makes the answer's body; it returns None, or raises, where the plain way must be gone.
    """

    path: re.Pattern[str]
    route: str
    prepare: Callable[[Any, str, bytes], Callable[[], bytes] | None]


FAILURE = "herzum_approval.failure"
"""Where a request's environment holds what its work met on the short way."""


def raise_failure() -> None:
    """Raise what the request's work met on the short way, if it was tried there: it is not tried twice."""
    failure = request.environ.get(FAILURE)
    if failure is not None:
        raise failure


@dataclass(frozen=True, kw_only=True)
class Family:
    """One set of paths that speaks one language.

    bases: path prefixes, without a slash at the end.
    after_request: adds the family's headers to each of its answers, errors too.
    shortcuts: short ways to answers of some paths, for requests in which nothing is out of order.
    short_posts: likewise, for what is done.
    security_schemes: how callers sign in, as OpenAPI names it.
    is_emulators: exists in demonstration mode only.
    make_request_id: for requests that bring no id of their own.
    """

    title: str
    description: str
    bases: tuple[str, ...]
    errors: ErrorShape
    blueprints: tuple[Blueprint, ...]
    after_request: Callable[[Response], Response] | None = None
    shortcuts: Mapping[str, Callable[..., bytes | None]] = field(default_factory=dict)
    short_posts: tuple[ShortPost, ...] = ()
    security_schemes: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    is_emulators: bool = False
    make_request_id: Callable[[], str] = plain_request_id

    @property
    def name(self) -> str:
        return self.errors.family

    def matches(self, path: str) -> bool:
        return any(path == base or path.startswith(base + "/") for base in self.bases)


def filled(template: str, details: Mapping[str, Any]) -> str:
    # What a caller sent may stand in a header: no line of it may end one.
    return template.format_map(details).replace("\r", " ").replace("\n", " ")


def _request_details() -> dict[str, Any]:
    base_url = public_base_url()
    return {
        "url": request.base_url,
        "base_url": base_url,
        "realm": quote_plus(base_url),
        "limit": config.current().max_body_bytes,
        "request_id": g.get("request_id", ""),
    }


def public_base_url() -> str:
    """Return the site's address as its clients know it, context path included, without a slash at the end."""
    return config.current().base_url or request.host_url.rstrip("/") + request.script_root


def _page(status: int, text: str) -> str:
    title = f"{HTTPStatus(status).phrase} ({status})"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><title>{title}</title></head>'
        f"<body><h1>{title}</h1><p>{escape(text)}</p></body></html>\n"
    )


JIRA_LOGINS: Mapping[str, dict[str, Any]] = {
    "basic": {"type": "http", "scheme": "basic"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "JSESSIONID"},
}
"""Jira's ways to sign in, shared by the families that Jira hosts."""


def family_of(path: str, families: Sequence[Family]) -> Family | None:
    """Return the family that the path belongs to: the first that claims it."""
    return next((family for family in families if family.matches(path)), None)


def new_request_id(path: str, families: Sequence[Family]) -> str:
    """Return an id for a request to the path, as its family spells them."""
    family = family_of(path, families)
    return family.make_request_id() if family else plain_request_id()


def install_error_handlers(app: Flask, families: Sequence[Family]) -> None:
    """Make every error of the app speak the language of the family whose path it happened on."""

    outside = ErrorShape("outside", lambda wire, text, details: text, lambda wire: {})

    def answer(problem: Problem) -> Response:
        family = family_of(request.path, families)
        return (family.errors if family else outside).answer(problem)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response | HTTPException:
        if isinstance(error, RequestRedirect):
            return error
        return answer(_problem_of(error))

    @app.errorhandler(Problem)
    def known(problem: Problem) -> Response:
        return answer(problem)

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        logger.exception("unforeseen error", extra={"request_id": g.get("request_id", "")})
        return answer(Problem(Fault.INTERNAL_ERROR))


def _problem_of(error: HTTPException) -> Problem:
    match error:
        case NotFound():
            return Problem(Fault.ROUTE_NOT_FOUND)
        case MethodNotAllowed():
            return Problem(Fault.METHOD_NOT_ALLOWED, allow=", ".join(sorted(error.valid_methods or ())))
        case RequestEntityTooLarge():
            return Problem(Fault.BODY_TOO_LARGE)
        case UnsupportedMediaType():
            return Problem(Fault.CONTENT_TYPE_UNSUPPORTED)
        case _ if error.code is not None and error.code < 500:
            return Problem(Fault.REQUEST_MALFORMED, reason=error.description or error.name)
        case _:
            logger.error("unforeseen HTTP error", exc_info=error)
            return Problem(Fault.INTERNAL_ERROR)
