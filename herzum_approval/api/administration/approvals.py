"""Approvals: list the definitions, and create, show, edit and delete one."""

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
    ApprovalParameters,
    ApprovalSchema,
    list_or_page,
)
from herzum_approval.api.family import ETAG, IF_MATCH, expected_versions
from herzum_approval.domain.approvals import Approval
from herzum_approval.errors import Fault
from herzum_approval.services import approvals
from herzum_approval.services.pages import Wish

blp = make_blueprint("approvals", "Approvals: named definitions of who may act")

_SCHEMA = ApprovalSchema()


@blp.route("")
@blp.doc(operationId="approvals")
@blp.query(ApprovalParameters())
@blp.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID)
@blp.response(
    200,
    list_or_page(ApprovalSchema, "approvals"),
    description="All that match, by id; one page where startAt or maxResults is given",
)
def list_approvals(given: tuple[str | None, Wish]) -> Response:
    """List approvals."""
    return list_response(approvals.find_approvals(*given), "approvals", _SCHEMA)


@blp.route("", methods=["POST"])
@blp.doc(operationId="create_approval", requestBody=body_of(_SCHEMA))
@blp.raises(*ENTRY_FAULTS, *BODY_FAULTS, Fault.APPROVAL_NAME_TAKEN)
@blp.response(201, ApprovalSchema, description="The approval, with its id", headers={**ETAG, **LOCATION})
def create_approval() -> Response:
    """Create an approval; mappings may ask for it from then on."""
    given: Approval = read_body(_SCHEMA)
    require_same_id(given.id)
    created = approvals.create_approval(given)
    return created_response(created, _SCHEMA, created.entry.id)


@blp.route("/<int:approval_id>")
@blp.doc(operationId="approval")
@blp.raises(*ENTRY_FAULTS, Fault.APPROVAL_UNKNOWN)
@blp.response(200, ApprovalSchema, description="The approval", headers=ETAG)
def show_approval(approval_id: int) -> Response:
    """Show an approval."""
    return one_response(approvals.show_approval(approval_id), _SCHEMA)


@blp.route("/<int:approval_id>", methods=["PUT"])
@blp.doc(operationId="edit_approval", requestBody=body_of(_SCHEMA), parameters=[IF_MATCH])
@blp.raises(
    *ENTRY_FAULTS, *BODY_FAULTS, Fault.APPROVAL_UNKNOWN, Fault.VERSION_STALE, Fault.APPROVAL_NAME_TAKEN
)
@blp.response(200, ApprovalSchema, description="The approval as it is now", headers=ETAG)
def edit_approval(approval_id: int) -> Response:
    """Replace an approval; whoever can act by it on open issue approvals changes at once."""
    given: Approval = read_body(_SCHEMA)
    require_same_id(given.id, approval_id)
    later = replace(given, id=approval_id)
    return one_response(approvals.edit_approval(g.actor, later, versions=expected_versions()), _SCHEMA)


@blp.route("/<int:approval_id>", methods=["DELETE"])
@blp.doc(operationId="delete_approval", parameters=[IF_MATCH])
@blp.raises(*ENTRY_FAULTS, Fault.APPROVAL_UNKNOWN, Fault.VERSION_STALE, Fault.APPROVAL_IN_USE)
@blp.response(204, description="The approval is gone, and the delegations that were limited to it")
def delete_approval(approval_id: int) -> Response:
    """Delete an approval that no mapping and no issue approval uses."""
    approvals.delete_approval(approval_id, versions=expected_versions())
    return Response(status=204)
