"""How the plugin says that something went wrong."""

from collections.abc import Mapping
from typing import Any

from herzum_approval.api.family import ErrorShape
from herzum_approval.errors import Wire


def _payload(wire: Wire, text: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plugin's three members, or what Jira's REST layer says in front of the plugin."""
    if wire.code is None:
        return {"message": text, "status-code": wire.status}
    return {"errorCode": wire.code, "errorMessage": text, "status": wire.status}


def _schema(wire: Wire) -> dict[str, Any]:
    members = _payload(wire, "", {})
    return {
        "type": "object",
        "properties": {
            name: {"type": "integer" if isinstance(value, int) else "string"}
            for name, value in members.items()
        },
        "required": list(members),
    }


ERRORS = ErrorShape("herzum", _payload, _schema)
