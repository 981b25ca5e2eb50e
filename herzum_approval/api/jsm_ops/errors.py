"""How JSM Operations says that something went wrong: as the service answers, or as its reference says."""

from collections.abc import Mapping
from typing import Any

from flask import Response, g

from herzum_approval import clock, config
from herzum_approval.api.family import ErrorShape
from herzum_approval.errors import Fault, Problem, Wire

_MEMBERS = {"name": "name", "granted_rights": "grantedRights", "disallowed_rights": "disallowedRights"}

_INVALID = Fault.ROLE_INVALID.wire("jsm_ops")

_INTRO_SCHEMA = {
    "type": "object",
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {"title": {"type": "string"}},
                "required": ["title"],
            },
        }
    },
    "required": ["errors"],
}


def seconds_taken() -> float:
    """Return how long the request has been in work, in seconds, to the millisecond."""
    return round(max(clock.monotonic() - g.started_at, 0.0), 3)


class _Shape(ErrorShape):
    """Names members of a body as the wire does."""

    def answer(self, problem: Problem) -> Response:
        details = dict(problem.details)
        if "errors" in details:
            details["errors"] = {_MEMBERS.get(name, name): text for name, text in details["errors"].items()}
        return ErrorShape.answer(self, Problem(problem.fault, **details))


def _payload(wire: Wire, text: str, details: Mapping[str, Any]) -> dict[str, Any]:
    errors: Mapping[str, str] = details["errors"] if wire == _INVALID else {}
    if config.current().jsm_ops_error_shape == "intro":
        titles = [f"{name}: {reason}" for name, reason in errors.items()] or [text]
        return {"errors": [{"title": title} for title in titles]}
    payload: dict[str, Any] = {} if wire.code is None else {"code": int(wire.code)}
    payload["message"] = text
    if errors:
        payload["errors"] = dict(errors)
    return payload | {"took": seconds_taken(), "requestId": g.request_id}


def _schema(wire: Wire) -> dict[str, Any]:
    members: dict[str, Any] = {} if wire.code is None else {"code": {"type": "integer"}}
    members["message"] = {"type": "string"}
    if wire == _INVALID:
        members["errors"] = {"type": "object", "additionalProperties": {"type": "string"}}
    members |= {"took": {"type": "number"}, "requestId": {"type": "string"}}
    observed = {"type": "object", "properties": members, "required": list(members)}
    return {"anyOf": [observed, _INTRO_SCHEMA]}


ERRORS = _Shape("jsm_ops", _payload, _schema)
