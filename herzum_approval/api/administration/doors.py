"""What the endpoints of the administration share: who may enter, pages, bodies and versions."""

import re
from typing import Any, TypeVar

from flask import Response, g, request
from marshmallow import Schema, ValidationError

from herzum_approval.api import login
from herzum_approval.api.administration.errors import ERRORS
from herzum_approval.api.administration.fields import ABSENT
from herzum_approval.api.family import (
    Blueprint,
    json_response,
    public_base_url,
    read_json_object,
)
from herzum_approval.domain.versions import Versioned
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import licence, people
from herzum_approval.services.pages import Listed

Entry = TypeVar("Entry")

ENTRY_FAULTS = (*login.FAULTS, Fault.LICENCE_INVALID, Fault.ADMINISTRATOR_REQUIRED)
"""What anybody meets who may not enter."""

BODY_FAULTS = (
    Fault.CONTENT_TYPE_UNSUPPORTED,
    Fault.BODY_TOO_LARGE,
    Fault.BODY_MALFORMED,
    Fault.VALUE_INVALID,
    Fault.REFERENCE_INVALID,
)
"""What a body meets that cannot be written."""

LOCATION = {"Location": {"schema": {"type": "string"}, "description": "The address of what was created"}}


def make_blueprint(name: str, description: str) -> Blueprint:
    """Return a blueprint that Jira administrators may enter; the licence is asked for before the right."""
    blp = Blueprint(ERRORS, re.sub("[-/]", "_", name), f"/rest/approval-admin/1.0/{name}", description)
    blp.before_request(login.require_actor)
    blp.before_request(licence.require_valid)
    blp.before_request(lambda: people.require_administrator(g.actor))
    return blp


def body_of(schema: Schema) -> dict[str, Any]:
    """Return the OpenAPI description of a request's body."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def read_body(schema: Schema) -> Any:
    """Return what the body describes.

    Raises: CONTENT_TYPE_UNSUPPORTED, BODY_TOO_LARGE, BODY_MALFORMED, VALUE_INVALID.
    """
    body = read_json_object()
    try:
        return schema.load(body)
    except ValidationError as error:
        path, reason = _first(error.messages)
        raise Problem(Fault.VALUE_INVALID, path=path, reason=reason) from None


def _first(messages: Any, path: str = "") -> tuple[str, str]:
    """Return where the first thing is wrong, and what."""
    if isinstance(messages, list):
        return path.lstrip("."), messages[0]
    name, inner = next(iter(messages.items()))
    if name == "_schema":
        return _first(inner, path)
    return _first(inner, f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}")


def require_same_id(given: int, id: int = ABSENT) -> None:
    """Raises: VALUE_INVALID, where a body has another id than its address. id: absent for what is new."""
    if given not in (ABSENT, id):
        reason = "is given by the server" if id == ABSENT else f"is {id} in the address"
        raise Problem(Fault.VALUE_INVALID, path="id", reason=reason)


def list_response(listed: Listed[Entry], name: str, schema: Schema) -> Response:
    """Return a bare array, or the envelope of a page with its entries under the name."""
    documents = schema.dump(listed.entries, many=True)
    if listed.page is None:
        return json_response(documents)
    start_at, max_results, total = listed.page
    return json_response({"startAt": start_at, "maxResults": max_results, "total": total, name: documents})


def one_response(found: Versioned[Entry], schema: Schema) -> Response:
    """Return one entry with the strong tag of its version."""
    return json_response(schema.dump(found.entry), headers={"ETag": f'"{found.version}"'})


def created_response(created: Versioned[Entry], schema: Schema, id: int | str) -> Response:
    """Return what was just created, with its tag and its address: its id below that of the list."""
    response = one_response(created, schema)
    response.status_code = 201
    response.headers["Location"] = f"{public_base_url()}{request.path.rstrip('/')}/{id}"
    return response
