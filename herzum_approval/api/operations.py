"""For those who operate the server: `/healthz`, `/readyz` and `/metrics`. No vendor has them."""

from collections.abc import Mapping

from flask import Blueprint, Flask, Response, g

from herzum_approval import metrics
from herzum_approval.api import login
from herzum_approval.api.family import json_response
from herzum_approval.errors import Problem
from herzum_approval.services import databases, people

_UNKEPT = {"Cache-Control": "no-store"}
_LATER: Mapping[str, str] = {**_UNKEPT, "Retry-After": "1"}


def register_operations(app: Flask) -> None:
    """Serve the three addresses."""
    blueprint = Blueprint("operations", __name__)
    blueprint.add_url_rule("/healthz", view_func=alive)
    blueprint.add_url_rule("/readyz", view_func=ready)
    blueprint.add_url_rule("/metrics", view_func=counted)
    app.register_blueprint(blueprint)


def alive() -> Response:
    """Say that the process answers, whatever the database does."""
    return json_response({"status": "alive"}, headers=_UNKEPT)


def ready() -> Response:
    """Say whether requests can be served: the database is there, in the newest schema, and has users."""
    try:
        databases.require_initialised()
    except Problem:
        return _not_ready("The database cannot be reached.")
    except ValueError as error:
        return _not_ready(str(error))
    return json_response({"status": "ready"}, headers=_UNKEPT)


def _not_ready(reason: str) -> Response:
    return json_response({"status": "not ready", "reason": reason}, 503, _LATER)


def counted() -> Response:
    """Return the metrics of all workers, for administrators."""
    login.require_actor()
    people.require_administrator(g.actor)
    body, content_type = metrics.exposition()
    return Response(body, headers=_UNKEPT, content_type=content_type)
