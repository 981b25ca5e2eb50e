"""Bulk operations that were carried out: list them, and show what one did."""

from flask import Response

from herzum_approval.api.administration.bulk_schemas import (
    BulkOperationSchema,
    ShownOperationSchema,
)
from herzum_approval.api.administration.doors import (
    ENTRY_FAULTS,
    list_response,
    make_blueprint,
)
from herzum_approval.api.administration.schemas import PageParameters, list_or_page
from herzum_approval.api.family import json_response
from herzum_approval.errors import Fault
from herzum_approval.services import bulk_operations
from herzum_approval.services.pages import Wish

blp = make_blueprint("bulk-operations", "Bulk operations: who changed mappings in bulk, when, and how")

_SCHEMA = BulkOperationSchema()
_SHOWN = ShownOperationSchema()


@blp.route("")
@blp.doc(operationId="bulk_operations")
@blp.query(PageParameters())
@blp.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID)
@blp.response(
    200,
    list_or_page(BulkOperationSchema, "bulkOperations"),
    description="All, the newest first; one page where startAt or maxResults is given",
)
def list_operations(wish: Wish) -> Response:
    """List bulk operations on approval mappings, those that were undone among them."""
    return list_response(bulk_operations.find_operations(wish), "bulkOperations", _SCHEMA)


@blp.route("/<int:operation_id>")
@blp.doc(operationId="bulk_operation")
@blp.query(PageParameters())
@blp.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID, Fault.BULK_OPERATION_UNKNOWN)
@blp.response(200, ShownOperationSchema, description="The operation, with a page of its plan")
def show_operation(wish: Wish, operation_id: int) -> Response:
    """Show a bulk operation: as it was asked for, and what it did to each transition."""
    return json_response(_SHOWN.dump(bulk_operations.show_operation(operation_id, wish)))
