"""The application: the one place where the rooms meet."""

import logging
import re
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import orjson
import structlog
from flask import Flask, Response, g, request
from flask.json.provider import JSONProvider

from herzum_approval import config, store
from herzum_approval.api import FAMILIES
from herzum_approval.api.family import family_of, install_error_handlers, json_response
from herzum_approval.api.openapi import register_families
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.approval_paths import allowed_hosts

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class _OrjsonProvider(JSONProvider):
    """Makes Flask's own JSON like all other: compact, keys in order, Jira's content type."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        return json_response(self._prepare_response_obj(args, kwargs))


class _Site:
    """Sets the site's settings and database around each request, below `/` and the context path alike."""

    def __init__(self, app: WSGIApplication, settings: config.Settings, database: Any) -> None:
        self.app = app
        self.settings = settings
        self.database = database
        self.context_path = "/" + settings.context_path.strip("/")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if self.context_path != "/" and (path + "/").startswith(self.context_path + "/"):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + self.context_path
            environ["PATH_INFO"] = path[len(self.context_path) :] or "/"
        with config.active(self.settings), store.active(self.database):
            return self.app(environ, start_response)


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
    app.config["MAX_CONTENT_LENGTH"] = loaded.max_body_bytes
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    register_families(app, families)
    install_error_handlers(app, families)

    @app.before_request
    def identify() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)

    @app.before_request
    def refuse_unreadable() -> None:
        if not request.host:
            raise Problem(Fault.REQUEST_MALFORMED, reason="the header Host names no host")
        if (request.content_length or 0) > loaded.max_body_bytes:
            raise Problem(Fault.BODY_TOO_LARGE)

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.request_id
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if response.status_code == 204:
            response.headers.pop("Content-Type", None)
        family = family_of(request.path, families)
        if family is None or family.after_request is None:
            return response
        return family.after_request(response)

    app.wsgi_app = _Site(app.wsgi_app, loaded, _open(loaded))  # type: ignore[method-assign]
    return app


def serving() -> Flask:
    """Return the application for the production server, which calls this once in each worker."""
    write_log(config.load().log_level, sys.stderr)
    return create_app()


def write_log(level: str, stream: TextIO) -> None:
    """Write what is logged from now on as JSON, one line each, with all that is noted beside it."""
    noted: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=noted,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)


@contextmanager
def open_site(settings: config.Settings) -> Iterator[Any]:
    """Open the site's database and make it and the settings current within a `with` block."""
    database = _open(settings)
    try:
        with config.active(settings), store.active(database):
            yield database
    finally:
        database.close_all()


def _open(settings: config.Settings) -> Any:
    return store.open_database(
        settings.database_url,
        connections=settings.database_connections,
        wait_seconds=settings.database_wait_seconds,
        synchronous=settings.database_synchronous,
    )
