"""Copy, move, edit and delete approval mappings in bulk; preview it, and undo it."""

from collections.abc import Mapping
from typing import Any

from flask import Response, g, request

from herzum_approval.api import login
from herzum_approval.api.family import Blueprint, json_response, read_json_object
from herzum_approval.api.herzum.bulk_bodies import read_request
from herzum_approval.api.herzum.bulk_schemas import (
    BulkArguments,
    BulkBody,
    BulkResult,
    BulkUndone,
    PlanPage,
)
from herzum_approval.api.herzum.errors import ERRORS
from herzum_approval.errors import Fault
from herzum_approval.services import bulk_mappings, licence, people

blp = Blueprint(
    ERRORS,
    "mappings",
    "/rest/herzum-hap-services/1.0/api/bulk-mapping-operation",
    "Approval mappings: which approvals transitions ask for",
)
blp.before_request(login.require_actor)
blp.before_request(licence.require_valid)
blp.before_request(lambda: people.require_administrator(g.actor))

_RESULT, _UNDONE, _PLAN = BulkResult(), BulkUndone(), PlanPage()

_OPERATION_ID = {
    "X-Operation-Id": {
        "schema": {"type": "integer"},
        "description": "The number by which the operation can be undone; none with a dry run",
    }
}


@blp.route("", methods=["POST"])
@blp.doc(
    operationId="bulkMappingOperation",
    requestBody={"required": True, "content": {"application/json": {"schema": BulkBody}}},
)
@blp.query(BulkArguments())
@blp.raises(
    *login.FAULTS,
    Fault.LICENCE_INVALID,
    Fault.ADMINISTRATOR_REQUIRED,
    Fault.START_AT_EMPTY,
    Fault.START_AT_INVALID,
    Fault.MAX_RESULTS_EMPTY,
    Fault.MAX_RESULTS_INVALID,
    Fault.CONTENT_TYPE_UNSUPPORTED,
    Fault.BODY_MALFORMED,
    Fault.BULK_ACTION_REQUIRED,
    Fault.BULK_ACTION_NOT_FOUND,
    Fault.BULK_TYPE_REQUIRED,
    Fault.BULK_TYPE_NOT_FOUND,
    Fault.BULK_PROJECT_REQUIRED,
    Fault.BULK_ISSUE_TYPE_REQUIRED,
    Fault.BULK_STATUS_REQUIRED,
    Fault.BULK_TRANSITION_REQUIRED,
    Fault.BULK_LIST_INVALID,
    Fault.BULK_PROJECT_NOT_FOUND,
    Fault.BULK_ISSUE_TYPE_NOT_FOUND,
    Fault.BULK_STATUS_NOT_FOUND,
    Fault.BULK_TRANSITION_INVALID,
    Fault.BULK_SCHEMES_DIFFER,
    Fault.BULK_WORKFLOWS_DIFFER,
    Fault.BULK_WORKFLOW_READ_ONLY,
)
@blp.response(
    200,
    BulkResult,
    description="How many transitions were affected, and how many left alone; the plan with a dry run",
    headers=_OPERATION_ID,
)
def bulk_mapping_operation(arguments: Mapping[str, Any]) -> Response:
    """Copy, move, edit or delete the approval mappings of projects, issue types or transitions."""
    written = read_request(read_json_object() if request.get_data() else {})
    if not arguments["is_dry"]:
        operation = bulk_mappings.run_bulk(g.actor, written)
        return json_response(_RESULT.dump(operation.counts), headers={"X-Operation-Id": str(operation.id)})
    preview = bulk_mappings.preview_bulk(written, arguments["start_at"], arguments["max_results"])
    return json_response({**_RESULT.dump(preview.counts), "plan": _PLAN.dump(preview)})


@blp.route("/<int:operation_id>/undo", methods=["POST"])
@blp.doc(operationId="undoBulkMappingOperation")
@blp.raises(
    *login.FAULTS,
    Fault.LICENCE_INVALID,
    Fault.ADMINISTRATOR_REQUIRED,
    Fault.BULK_OPERATION_NOT_FOUND,
    Fault.BULK_OPERATION_UNDONE,
    Fault.BULK_OPERATION_OVERTAKEN,
)
@blp.response(200, BulkUndone, description="What was undone")
def undo_bulk_mapping_operation(operation_id: int) -> Response:
    """Put back what stood before a bulk operation, unless it was changed since."""
    return json_response(_UNDONE.dump(bulk_mappings.undo_bulk(g.actor, operation_id)))
