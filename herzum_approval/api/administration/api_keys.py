"""API keys of Approval Path: list, create, edit and delete them, and show the value of one."""

from typing import Any

from flask import Response, g

from herzum_approval.api.administration.api_key_schemas import (
    ApiKeyParameters,
    ApiKeySchema,
    ApiKeyValueSchema,
    KeyTermsSchema,
)
from herzum_approval.api.administration.doors import (
    BODY_FAULTS,
    ENTRY_FAULTS,
    LOCATION,
    body_of,
    created_response,
    list_response,
    make_blueprint,
    one_response,
    read_body,
)
from herzum_approval.api.administration.schemas import list_or_page
from herzum_approval.api.family import ETAG, IF_MATCH, expected_versions, json_response
from herzum_approval.errors import Fault
from herzum_approval.services import api_keys
from herzum_approval.services.pages import Wish

blp = make_blueprint("approval-path/keys", "API keys of Approval Path's Web API")

_TERMS = KeyTermsSchema()
_SCHEMA = ApiKeySchema()
_VALUE_FAULTS = (Fault.API_KEY_UNKNOWN, Fault.SECRET_UNREADABLE, Fault.KEY_FILE_MISSING)
_UNKEPT = {"Cache-Control": "no-store"}
"""A value is for who asked, and for no cache."""


@blp.route("")
@blp.doc(operationId="api_keys")
@blp.query(ApiKeyParameters())
@blp.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID)
@blp.response(
    200,
    list_or_page(ApiKeySchema, "keys"),
    description="All, by id; one page where startAt or maxResults is given",
)
def list_keys(wish: Wish) -> Response:
    """List API keys, without their values."""
    return list_response(api_keys.find_keys(wish), "keys", _SCHEMA)


@blp.route("", methods=["POST"])
@blp.doc(operationId="create_api_key", requestBody=body_of(_TERMS))
@blp.raises(*ENTRY_FAULTS, *BODY_FAULTS, Fault.KEY_FILE_MISSING)
@blp.response(201, ApiKeySchema, description="The key, with its id", headers={**ETAG, **LOCATION})
def create_key() -> Response:
    """Create an API key with a value of its own; whoever asks is its creator."""
    created = api_keys.create_key(g.actor, read_body(_TERMS))
    return created_response(created, _SCHEMA, created.entry.id)


@blp.route("/<int:key_id>")
@blp.doc(operationId="api_key")
@blp.raises(*ENTRY_FAULTS, Fault.API_KEY_UNKNOWN)
@blp.response(200, ApiKeySchema, description="The key", headers=ETAG)
def show_key(key_id: int) -> Response:
    """Show an API key, without its value."""
    return one_response(api_keys.show_key(key_id), _SCHEMA)


@blp.route("/<int:key_id>", methods=["PUT"])
@blp.doc(operationId="edit_api_key", requestBody=body_of(_TERMS), parameters=[IF_MATCH])
@blp.raises(*ENTRY_FAULTS, *BODY_FAULTS, Fault.API_KEY_UNKNOWN, Fault.VERSION_STALE)
@blp.response(200, ApiKeySchema, description="The key as it is now", headers=ETAG)
def edit_key(key_id: int) -> Response:
    """Replace what can be chosen of an API key; its value and its use stay. Using it raises no version."""
    return one_response(api_keys.edit_key(key_id, read_body(_TERMS), versions=expected_versions()), _SCHEMA)


@blp.route("/<int:key_id>", methods=["DELETE"])
@blp.doc(operationId="delete_api_key", parameters=[IF_MATCH])
@blp.raises(*ENTRY_FAULTS, Fault.API_KEY_UNKNOWN, Fault.VERSION_STALE)
@blp.response(204, description="The key is gone, and opens nothing any more")
def delete_key(key_id: int) -> Response:
    """Delete an API key."""
    api_keys.delete_key(key_id, versions=expected_versions())
    return Response(status=204)


@blp.route("/<int:key_id>/reveal")
@blp.doc(operationId="reveal_api_key")
@blp.raises(*ENTRY_FAULTS, *_VALUE_FAULTS)
@blp.response(200, ApiKeyValueSchema, description="The value")
def reveal_key(key_id: int) -> Response:
    """Reveal the value of an API key, as often as one likes."""
    document: dict[str, Any] = {"id": key_id, "value": api_keys.reveal_key(g.actor, key_id)}
    return json_response(document, headers=_UNKEPT)


@blp.route("/<int:key_id>/download")
@blp.doc(operationId="download_api_key")
@blp.raises(*ENTRY_FAULTS, *_VALUE_FAULTS)
@blp.response(200, {"type": "string"}, content_type="text/plain", description="The value, and nothing else")
def download_key(key_id: int) -> Response:
    """Download the value of an API key as a file."""
    value = api_keys.reveal_key(g.actor, key_id)
    headers = {**_UNKEPT, "Content-Disposition": f'attachment; filename="api-key-{key_id}.txt"'}
    return Response(value, headers=headers, content_type="text/plain;charset=UTF-8")
