"""Approval mappings: list them, and create, show, edit and delete one."""

from dataclasses import replace

from flask import Response, g

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
    require_same_id,
)
from herzum_approval.api.administration.schemas import (
    MappingParameters,
    MappingSchema,
    list_or_page,
)
from herzum_approval.api.family import ETAG, IF_MATCH, expected_versions
from herzum_approval.domain.mappings import ApprovalMapping, MappingFilters
from herzum_approval.domain.versions import FIRST, Versioned
from herzum_approval.errors import Fault
from herzum_approval.services import mappings
from herzum_approval.services.pages import Wish

blp = make_blueprint("mappings", "Approval mappings: which approvals a transition asks for")

_SCHEMA = MappingSchema()
_FIT_FAULTS = (*BODY_FAULTS, Fault.WORKFLOW_READ_ONLY, Fault.TRANSITION_UNFIT)


@blp.route("")
@blp.doc(operationId="mappings")
@blp.query(MappingParameters())
@blp.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID)
@blp.response(
    200,
    list_or_page(MappingSchema, "mappings"),
    description="All that match, by id; one page where startAt or maxResults is given",
)
def list_mappings(given: tuple[MappingFilters, Wish]) -> Response:
    """List approval mappings, those of single issues among them."""
    return list_response(mappings.find_mappings(*given), "mappings", _SCHEMA)


@blp.route("", methods=["POST"])
@blp.doc(operationId="create_mapping", requestBody=body_of(_SCHEMA))
@blp.raises(*ENTRY_FAULTS, *_FIT_FAULTS, Fault.SCOPE_MAPPED)
@blp.response(201, MappingSchema, description="The mapping, with its id", headers={**ETAG, **LOCATION})
def create_mapping() -> Response:
    """Create an approval mapping; issues that wait in its status are asked at once."""
    given: ApprovalMapping = read_body(_SCHEMA)
    require_same_id(given.id)
    created = mappings.create_mapping(g.actor, given)
    return created_response(Versioned(created, FIRST), _SCHEMA, created.id)


@blp.route("/<int:mapping_id>")
@blp.doc(operationId="mapping")
@blp.raises(*ENTRY_FAULTS, Fault.MAPPING_UNKNOWN)
@blp.response(200, MappingSchema, description="The mapping", headers=ETAG)
def show_mapping(mapping_id: int) -> Response:
    """Show an approval mapping."""
    return one_response(mappings.show_mapping(mapping_id), _SCHEMA)


@blp.route("/<int:mapping_id>", methods=["PUT"])
@blp.doc(operationId="edit_mapping", requestBody=body_of(_SCHEMA), parameters=[IF_MATCH])
@blp.raises(*ENTRY_FAULTS, *_FIT_FAULTS, Fault.MAPPING_UNKNOWN, Fault.VERSION_STALE, Fault.SCOPE_FIXED)
@blp.response(200, MappingSchema, description="The mapping as it is now", headers=ETAG)
def edit_mapping(mapping_id: int) -> Response:
    """Replace an approval mapping; votes on approvals that stay are kept."""
    given: ApprovalMapping = read_body(_SCHEMA)
    require_same_id(given.id, mapping_id)
    later = replace(given, id=mapping_id)
    return one_response(mappings.edit_mapping(g.actor, later, versions=expected_versions()), _SCHEMA)


@blp.route("/<int:mapping_id>", methods=["DELETE"])
@blp.doc(operationId="delete_mapping", parameters=[IF_MATCH])
@blp.raises(*ENTRY_FAULTS, Fault.MAPPING_UNKNOWN, Fault.VERSION_STALE)
@blp.response(204, description="The mapping is gone, and what it asked of issues")
def delete_mapping(mapping_id: int) -> Response:
    """Delete an approval mapping."""
    mappings.delete_mapping(g.actor, mapping_id, versions=expected_versions())
    return Response(status=204)
