"""How Approval Path says that something went wrong: as Spring Boot does by default.

Source: inferred. No text of the vendor shows an error; the doubled keys and the spelling of times in its
examples are those of Java's Jackson.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import request

from herzum_approval import clock
from herzum_approval.api.family import ErrorShape
from herzum_approval.errors import Wire

_SCHEMA = {
    "type": "object",
    "properties": {
        "timestamp": {"type": "string"},
        "status": {"type": "integer"},
        "error": {"type": "string"},
        "message": {"type": "string"},
        "path": {"type": "string"},
    },
    "required": ["timestamp", "status", "error", "message", "path"],
}


def _payload(wire: Wire, text: str, details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "timestamp": clock.now().isoformat(timespec="milliseconds"),
        "status": wire.status,
        "error": HTTPStatus(wire.status).phrase,
        "message": text,
        "path": request.script_root + request.path,
    }


ERRORS = ErrorShape("approval_path", _payload, lambda wire: _SCHEMA)
