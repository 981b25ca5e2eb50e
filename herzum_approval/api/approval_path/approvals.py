"""Approvals of an issue or page: list, create and reset them, and delete one.

Every operation looks at the API key first, then at the issue or page, the body, the performer and the
definition. Source: Approval Path, Web API; the order is inferred.
"""

from flask import Response, request

from herzum_approval import config
from herzum_approval.api.approval_path import bodies, keys
from herzum_approval.api.approval_path.beans import Writer
from herzum_approval.api.approval_path.errors import ERRORS
from herzum_approval.api.approval_path.schemas import ApprovalsSchema
from herzum_approval.api.family import Blueprint, json_response, public_base_url
from herzum_approval.domain.api_keys import ApiKey, Privilege
from herzum_approval.domain.approval_paths import ApprovalPath
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import api_keys, approval_paths
from herzum_approval.services.approval_paths import Shown

_ADDRESS = "/webapi/approvals"

blp = Blueprint(ERRORS, "approvals", _ADDRESS, "Approvals of an issue or page")
ours = Blueprint(ERRORS, "deletion", _ADDRESS, "Ours: the vendor's call is known by its privilege only")

_CREATE = bodies.CreateSchema()
_RESET = bodies.ResetSchema()


@blp.route("/<ref_id>")
@blp.doc(operationId="list_approvals")
@blp.raises(*keys.FAULTS, Fault.PATH_REFERENCE_UNKNOWN)
@blp.response(200, ApprovalsSchema, description="Running and finished ones, by id")
@keys.allows(Privilege.GET_STATUS)
def list_approvals(key: ApiKey, ref_id: str) -> Response:
    """List the approvals of an issue (by id or key) or page (by id)."""
    reference = approval_paths.find_reference(key.product, ref_id)
    return _answer(approval_paths.list_approvals(reference))


@blp.route("/<ref_id>", methods=["POST"])
@blp.doc(operationId="create_path", requestBody=bodies.described(_CREATE, is_required=True))
@blp.raises(
    *keys.FAULTS,
    Fault.PATH_REFERENCE_UNKNOWN,
    *bodies.FAULTS,
    *keys.PERFORMER_FAULTS,
    Fault.DEFINITION_UNKNOWN,
    Fault.PATH_CONDITION_FALSE,
    Fault.PATH_STEP_EMPTY,
)
@blp.response(200, ApprovalsSchema, description="The approval, which runs from now on")
@keys.allows(Privilege.CREATE)
def create_approval(key: ApiKey, ref_id: str) -> Response:
    """Create an approval of an issue or page."""
    reference = approval_paths.find_reference(key.product, ref_id)
    given = bodies.read_body(_CREATE)
    performer = api_keys.performer(key, reference, given["user_id"])
    created = approval_paths.create_approval(
        reference, given["definition_id"], performer=performer.username, summary=given["summary"]
    )
    return _answer(created)


@blp.route("/<ref_id>/reset", methods=["POST"])
@blp.doc(operationId="reset_approvals", requestBody=bodies.described(_RESET, is_required=False))
@blp.raises(*keys.FAULTS, Fault.PATH_REFERENCE_UNKNOWN, *bodies.FAULTS, *keys.PERFORMER_FAULTS)
@blp.response(200, ApprovalsSchema, description="What was discarded, as it was")
@keys.allows(Privilege.DELETE)
def reset_approvals(key: ApiKey, ref_id: str) -> Response:
    """Discard all approvals of an issue or page, running or finished."""
    reference = approval_paths.find_reference(key.product, ref_id)
    given = bodies.read_body(_RESET, is_required=False)
    performer = api_keys.performer(key, reference, given["user_id"])
    discarded = approval_paths.reset_approvals(
        reference, performer=performer.username, creates_comment=bool(given["creates_comment"])
    )
    return _answer(discarded)


@ours.before_request
def require_deletion() -> None:
    """Raises: ROUTE_NOT_FOUND, where this server does not delete."""
    if not config.current().approval_path_deletes and request.method == "DELETE":
        raise Problem(Fault.ROUTE_NOT_FOUND)


@ours.route("/<ref_id>/<int:approval_id>", methods=["DELETE"])
@ours.doc(operationId="delete_path")
@ours.raises(*keys.FAULTS, Fault.PATH_REFERENCE_UNKNOWN, *keys.PERFORMER_FAULTS, Fault.PATH_UNKNOWN)
@ours.response(204, description="The approval is gone")
@keys.allows(Privilege.DELETE)
def delete_approval(key: ApiKey, ref_id: str, approval_id: int) -> Response:
    """Discard one approval. Ours: no text shows the vendor's path and answer."""
    reference = approval_paths.find_reference(key.product, ref_id)
    performer = api_keys.performer(key, reference, None)
    approval_paths.delete_approval(reference, str(approval_id), performer=performer.username)
    return Response(status=204)


def _answer(shown: Shown[ApprovalPath]) -> Response:
    writer = Writer(shown.users, shown.groups, public_base_url())
    result = [writer.approval(path) for path in shown.entries]
    return json_response({"result": result, "totalCount": len(result)})
