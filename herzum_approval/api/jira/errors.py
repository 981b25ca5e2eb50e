"""How Jira says that something went wrong."""

from collections.abc import Mapping
from typing import Any

from herzum_approval.api.family import ErrorShape
from herzum_approval.errors import Fault, Wire

_FRAMEWORK = frozenset(
    fault.wire("jira")
    for fault in (Fault.ROUTE_NOT_FOUND, Fault.METHOD_NOT_ALLOWED, Fault.CONTENT_TYPE_UNSUPPORTED)
)
"""What Jira's REST framework says before any resource is reached, in a shape of its own."""


def _payload(wire: Wire, text: str, details: Mapping[str, Any]) -> dict[str, Any]:
    if wire in _FRAMEWORK:
        return {"message": text, "status-code": wire.status}
    return {"errorMessages": [text], "errors": {}}


def _schema(wire: Wire) -> dict[str, Any]:
    if wire in _FRAMEWORK:
        members: dict[str, Any] = {"message": {"type": "string"}, "status-code": {"type": "integer"}}
    else:
        members = {
            "errorMessages": {"type": "array", "items": {"type": "string"}},
            "errors": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    return {"type": "object", "properties": members, "required": list(members)}


ERRORS = ErrorShape("jira", _payload, _schema)
