"""The emulator's own doors: reset and snapshot, in demonstration mode only. None of it is a vendor's."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from herzum_approval.api.family import (
    Blueprint,
    ErrorShape,
    Family,
    json_response,
    parse_json,
    read_body,
)
from herzum_approval.errors import Fault, Wire
from herzum_approval.services import snapshot


def _payload(wire: Wire, text: str, details: Mapping[str, Any]) -> dict[str, Any]:
    return {"errorCode": wire.code, "errorMessage": text, "status": wire.status}


_SCHEMA = {
    "type": "object",
    "properties": {
        "errorCode": {"type": "string"},
        "errorMessage": {"type": "string"},
        "status": {"type": "integer"},
    },
    "required": ["errorCode", "errorMessage", "status"],
}

ERRORS = ErrorShape("emulator", _payload, lambda wire: _SCHEMA)

blp = Blueprint(ERRORS, "site", "/__emulator", "Reset, read and replace the whole demonstration site")


@blp.route("/reset", methods=["POST"])
@blp.doc(operationId="reset")
@blp.raises(Fault.KEY_FILE_MISSING)
@blp.response(204, description="Everything is as it was at the start")
def reset() -> Response:
    """Put everything back to the seed: data, counters, sessions and caches."""
    snapshot.reset()
    return Response(status=204)


@blp.route("/snapshot")
@blp.doc(operationId="readSnapshot")
@blp.raises(Fault.SNAPSHOT_REFUSED)
@blp.response(200, {"type": "object"}, description="The whole state")
def read_snapshot() -> Response:
    """Return the whole state as one document."""
    return json_response(snapshot.export_all())


@blp.route("/snapshot", methods=["PUT"])
@blp.doc(
    operationId="replaceSnapshot",
    requestBody={"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
)
@blp.raises(Fault.BODY_MALFORMED, Fault.SNAPSHOT_REFUSED, Fault.KEY_FILE_MISSING)
@blp.response(204, description="The document is the state now")
def replace_snapshot() -> Response:
    """Replace the whole state by the document, or by nothing at all where it is refused."""
    snapshot.import_all(parse_json(read_body()))
    return Response(status=204)


FAMILY = Family(
    title="Emulator",
    description="Reset, read and replace the whole demonstration site. No vendor has these endpoints.",
    bases=("/__emulator",),
    errors=ERRORS,
    blueprints=(blp,),
    is_emulators=True,
)
