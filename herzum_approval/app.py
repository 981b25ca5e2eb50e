"""The application: the one place where the rooms meet."""

import gc
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import replace
from functools import partial
from typing import Any, TextIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import orjson
import structlog
from flask import Flask, Response, g, has_request_context, request
from flask.json.provider import JSONProvider

from herzum_approval import clock, config, metrics, store
from herzum_approval.api import FAMILIES
from herzum_approval.api.family import (
    CONVERTERS,
    family_of,
    install_error_handlers,
    json_response,
    new_request_id,
)
from herzum_approval.api.openapi import register_families
from herzum_approval.api.operations import register_operations
from herzum_approval.api.shortcuts import Shortcuts, request_id
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.approval_paths import allowed_hosts

logger = logging.getLogger(__name__)

_OBJECTS_UNTIL_COLLECTION = 50_000
_IS_STREAMED = "herzum_approval.is_streamed"


class _OrjsonProvider(JSONProvider):
    """Makes Flask's own JSON like all other: compact, keys in order, Jira's content type."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        return json_response(self._prepare_response_obj(args, kwargs))


class _Site:
    """Answers each request in a context of its own, below `/` and the context path alike.

    The context holds the site's settings and database. It stays in force until the last byte of the
    answer is made: a body that is made while it is sent reads the database too.
    """

    def __init__(
        self, app: WSGIApplication, settings: config.Settings, database: Any, copy: Any | None = None
    ) -> None:
        self.app = app
        self.settings = settings
        self.database = database
        self.copy = copy
        self.context_path = "/" + settings.context_path.strip("/")
        self._context = Context()
        self._context.run(config.activate, settings)
        self._context.run(store.activate, database, copy)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if self.context_path != "/" and (path + "/").startswith(self.context_path + "/"):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + self.context_path
            environ["PATH_INFO"] = path[len(self.context_path) :] or "/"
        if environ.get("CONTENT_LENGTH"):
            # The server ends the body of a broken connection like any other: its length must be looked at.
            environ.pop("wsgi.input_terminated", None)
        context = self._context.copy()
        return context.run(self._answer, context, environ, start_response)

    def close_all(self) -> None:
        """Close every connection."""
        self.database.close_all()
        if self.copy is not None:
            self.copy.close_all()

    def _answer(
        self, context: Context, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        started = clock.monotonic()
        meter = metrics.begin_request()
        meter.method = environ["REQUEST_METHOD"]

        def finish() -> None:
            seconds = clock.monotonic() - started
            metrics.count_request(meter, seconds)
            if self.settings.access_log:
                _log_access(meter, seconds, environ)

        body = self.app(environ, start_response)
        if environ.get(_IS_STREAMED):
            return _Streamed(context, body, finish)
        try:
            # A list, since servers send one quicker than what has to be asked for its parts.
            return list(body)
        finally:
            _close(body)
            finish()


class _Streamed:
    """A body that is made while it is sent, all of it in the context of its request."""

    def __init__(self, context: Context, body: Iterable[bytes], finish: Callable[[], None]) -> None:
        self._context = context
        self._body = body
        self._parts = iter(body)
        self._finish = finish

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._context.run(next, self._parts)

    def close(self) -> None:
        """End the body, made to its end or not, and what was measured of the request."""
        try:
            self._context.run(_close, self._body)
        finally:
            self._finish()


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()


def _log_access(meter: metrics.Meter, seconds: float, environ: WSGIEnvironment) -> None:
    logger.info(
        "request",
        extra={
            "method": meter.method,
            "route": meter.route,
            "status": meter.status,
            "milliseconds": round(seconds * 1000, 3),
            "request_id": request_id(environ),
        },
    )


def create_app(**settings: Any) -> Flask:
    """Return the WSGI application of one site.

    settings: any of `config.Settings`; what is not given comes from the environment or its default.
    The database must be migrated; nothing is connected before the first request.
    """
    loaded = config.load(**settings)
    allowed_hosts(loaded.approval_path_http_hosts)  # a list that makes no sense is told at the start
    families = [family for family in FAMILIES if loaded.demonstration or not family.is_emulators]
    app = Flask(__name__, static_folder=None)
    app.json = _OrjsonProvider(app)
    # Of a body whose length is not told, one byte more shows that it is too long.
    app.config["MAX_CONTENT_LENGTH"] = loaded.max_body_bytes + 1
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters.update(CONVERTERS)
    register_families(app, families)
    register_operations(app)
    install_error_handlers(app, families)

    @app.before_request
    def identify() -> None:
        g.started_at = clock.monotonic()
        g.request_id = request_id(request.environ, partial(new_request_id, request.path, families))

    @app.before_request
    def refuse_unreadable() -> None:
        if not request.host:
            raise Problem(Fault.REQUEST_MALFORMED, reason="the header Host names no host")
        if (request.content_length or 0) > loaded.max_body_bytes:
            raise Problem(Fault.BODY_TOO_LARGE)

    @app.after_request
    def finish(response: Response) -> Response:
        _note(response)
        response.headers["X-Request-ID"] = g.request_id
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if response.status_code == 204:
            response.headers.pop("Content-Type", None)
        family = family_of(request.path, families)
        if family is None or family.after_request is None:
            return response
        return family.after_request(response)

    metrics.start()
    shortcuts = {path: each for family in families for path, each in family.shortcuts.items()}
    posts = [post for family in families for post in family.short_posts]
    app.wsgi_app = Shortcuts(app.wsgi_app, shortcuts, posts)  # type: ignore[method-assign]
    app.wsgi_app = _Site(app.wsgi_app, loaded, *_databases(loaded))  # type: ignore[method-assign]
    return app


def _note(response: Response) -> None:
    """Keep what is known of the answer for whoever sends and measures it."""
    if response.is_streamed:
        request.environ[_IS_STREAMED] = True
    meter = metrics.current_meter()
    if meter is not None:
        meter.status = response.status_code
        meter.route = request.url_rule.rule if request.url_rule is not None else ""


_preloaded: Flask | None = None


def preload() -> None:
    """Make what every worker will serve, before they are forked: they share its memory and start sooner.

    What is there by now is there for good, and left out of garbage collection, which would copy it.
    """
    global _preloaded
    _preloaded = create_app()
    gc.collect()
    gc.freeze()


def serving() -> Flask:
    """Return the application for the production server, which calls this once in each worker."""
    write_log(config.load().log_level, sys.stderr)
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTION, 20, 20)
    return _preloaded or create_app()  # a worker that is not forked has nothing from before


def write_log(level: str, stream: TextIO) -> None:
    """Write what is logged from now on as JSON, one line each, with all that is noted beside it."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_json_lines())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def log_settings() -> dict[str, Any]:
    """Return how the production server logs, for `logging.config`: as everything else here does."""
    return {
        "formatters": {"json": {"()": _json_lines}},
        "handlers": {
            "json": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}
        },
        "loggers": {"_granian": {"handlers": ["json"], "propagate": False}},
    }


def _json_lines() -> logging.Formatter:
    noted: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _add_request_id,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=noted,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )


def _add_request_id(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Note in each line whose request it belongs to."""
    if has_request_context() and "request_id" in g:
        event.setdefault("request_id", g.request_id)
    return event


@contextmanager
def open_site(settings: config.Settings) -> Iterator[Any]:
    """Open the site's database and make it and the settings current within a `with` block."""
    database = _open(settings)
    try:
        with config.active(settings), store.active(database):
            yield database
    finally:
        database.close_all()


def _databases(settings: config.Settings) -> tuple[Any, Any | None]:
    """Return the site's database and the copy that follows it, if there is one."""
    if not settings.database_read_url:
        return _open(settings), None
    copy = _open(replace(settings, database_url=settings.database_read_url))
    copy.is_copy = True
    return _open(settings), copy


def _open(settings: config.Settings) -> Any:
    return store.open_database(
        settings.database_url,
        connections=settings.database_connections,
        wait_seconds=settings.database_wait_seconds,
        synchronous=settings.database_synchronous,
    )
