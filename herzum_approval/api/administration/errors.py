"""How the administration says that something went wrong: as the plugin does, with codes of its own."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Response

from herzum_approval.api.family import ErrorShape
from herzum_approval.errors import Problem, Wire

_SCHEMA = {
    "type": "object",
    "properties": {
        "errorCode": {"type": "string"},
        "errorMessage": {"type": "string"},
        "status": {"type": "integer"},
    },
    "required": ["errorCode", "errorMessage", "status"],
}


def in_camel_case(name: str) -> str:
    """Return a name of the domain, or a path of such names, as the wire spells it."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


class _Shape(ErrorShape):
    """Says which field of the domain is wrong in the names of the wire."""

    def answer(self, problem: Problem) -> Response:
        details = dict(problem.details)
        if "field" in details:
            details["path"] = in_camel_case(details["field"])
        return ErrorShape.answer(self, Problem(problem.fault, **details))


def _payload(wire: Wire, text: str, details: Mapping[str, Any]) -> dict[str, Any]:
    return {"errorCode": wire.code, "errorMessage": text, "status": wire.status}


ERRORS = _Shape("administration", _payload, lambda wire: _SCHEMA)
