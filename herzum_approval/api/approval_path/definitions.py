"""Definitions: the global ones, and those of a project or space."""

from flask import Response

from herzum_approval.api.approval_path import keys
from herzum_approval.api.approval_path.beans import Writer
from herzum_approval.api.approval_path.errors import ERRORS
from herzum_approval.api.approval_path.schemas import DefinitionsSchema
from herzum_approval.api.family import Blueprint, json_response, public_base_url
from herzum_approval.domain.api_keys import ApiKey, Privilege
from herzum_approval.errors import Fault
from herzum_approval.services import approval_definitions

blp = Blueprint(ERRORS, "definitions", "/webapi/approval-definitions", "Definitions of approvals")


@blp.route("")
@blp.doc(operationId="global_definitions")
@blp.raises(*keys.FAULTS)
@blp.response(200, DefinitionsSchema, description="The global ones, by id")
@keys.allows(Privilege.LIST_DEFINITIONS)
def global_definitions(key: ApiKey) -> Response:
    """List the global definitions."""
    return _answer(key, None)


@blp.route("/<ref_id>")
@blp.doc(operationId="definitions")
@blp.raises(*keys.FAULTS, Fault.COLLECTION_UNKNOWN)
@blp.response(200, DefinitionsSchema, description="Those of the project or space, by id; no global ones")
@keys.allows(Privilege.LIST_DEFINITIONS)
def definitions(key: ApiKey, ref_id: str) -> Response:
    """List the definitions of a project (by id or key) or space (by id)."""
    return _answer(key, ref_id)


def _answer(key: ApiKey, ref_id: str | None) -> Response:
    shown = approval_definitions.list_definitions(key.product, ref_id)
    writer = Writer(shown.users, shown.groups, public_base_url())
    result = [writer.definition(definition) for definition in shown.entries]
    return json_response({"result": result, "totalCount": len(result)})
