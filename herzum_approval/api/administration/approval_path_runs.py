"""Approvals that run by definitions, and requests of HTTP steps: what the vendor does in its pages."""

from typing import Any

from flask import Response, g

from herzum_approval.api.administration.approval_path_schemas import (
    AnswerSchema,
    CastSchema,
    PathParameters,
    PathSchema,
    RequestParameters,
    RequestSchema,
    StartSchema,
)
from herzum_approval.api.administration.doors import (
    BODY_FAULTS,
    ENTRY_FAULTS,
    LOCATION,
    body_of,
    list_response,
    make_blueprint,
    read_body,
)
from herzum_approval.api.administration.schemas import list_or_page
from herzum_approval.api.family import json_response, public_base_url
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import approval_paths, http_calls, people
from herzum_approval.services.approval_paths import PathFilters
from herzum_approval.services.http_calls import CallFilters
from herzum_approval.services.pages import Wish

approvals = make_blueprint("approval-path/approvals", "Approvals of Approval Path, running and ended")
requests = make_blueprint("approval-path/requests", "Requests of HTTP steps: recorded, answered, sent")

_PATH = PathSchema()
_START = StartSchema()
_CAST = CastSchema()
_REQUEST = RequestSchema()
_ANSWER = AnswerSchema()


@approvals.route("")
@approvals.doc(operationId="path_approvals")
@approvals.query(PathParameters())
@approvals.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID, Fault.PATH_REFERENCE_UNKNOWN)
@approvals.response(
    200,
    list_or_page(PathSchema, "approvals", title="Paths"),
    description="All that match, by id; one page where startAt or maxResults is given",
)
def list_approvals(given: tuple[PathFilters, Wish]) -> Response:
    """List approvals, archived ones among them."""
    return list_response(approval_paths.find_paths(*given), "approvals", _PATH)


@approvals.route("", methods=["POST"])
@approvals.doc(operationId="start_path_approval", requestBody=body_of(_START))
@approvals.raises(
    *ENTRY_FAULTS,
    *BODY_FAULTS,
    Fault.PATH_REFERENCE_UNKNOWN,
    Fault.DEFINITION_UNKNOWN,
    Fault.PATH_CONDITION_FALSE,
    Fault.PATH_STEP_EMPTY,
)
@approvals.response(201, PathSchema, description="The approval as it stands now", headers=LOCATION)
def start_approval() -> Response:
    """Start an approval, with what the vendor's pages ask beside."""
    given: dict[str, Any] = read_body(_START)
    reference = approval_paths.find_reference(given.pop("product"), given.pop("ref"))
    performer = _known(given.pop("username", g.actor.username))
    definition_id = str(given.pop("definition_id"))
    started = approval_paths.create_approval(reference, definition_id, performer=performer, **given)
    (path,) = started.entries
    location = f"{public_base_url()}/rest/approval-admin/1.0/approval-path/approvals/{path.id}"
    return json_response(_PATH.dump(path), 201, {"Location": location})


def _known(username: str) -> str:
    if not people.find_users([username]):
        reason = f"{username!r} is the username of none of the users"
        raise Problem(Fault.REFERENCE_INVALID, path="username", reason=reason)
    return username


@approvals.route("/<int:path_id>")
@approvals.doc(operationId="path_approval")
@approvals.raises(*ENTRY_FAULTS, Fault.PATH_UNKNOWN)
@approvals.response(200, PathSchema, description="The approval")
def show_approval(path_id: int) -> Response:
    """Show an approval with all of its steps and votes."""
    return json_response(_PATH.dump(approval_paths.show_path(path_id)))


@approvals.route("/<int:path_id>", methods=["DELETE"])
@approvals.doc(operationId="delete_path_approval")
@approvals.raises(*ENTRY_FAULTS, Fault.PATH_UNKNOWN, Fault.PATH_REFERENCE_UNKNOWN)
@approvals.response(204, description="The approval is gone; a comment on the issue or page tells of it")
def delete_approval(path_id: int) -> Response:
    """Delete an approval."""
    approval_paths.delete_path(path_id, performer=g.actor.username)
    return Response(status=204)


@approvals.route("/<int:path_id>/votes", methods=["POST"])
@approvals.doc(operationId="cast_path_vote", requestBody=body_of(_CAST))
@approvals.raises(
    *ENTRY_FAULTS,
    *BODY_FAULTS,
    Fault.PATH_UNKNOWN,
    Fault.PATH_ENDED,
    Fault.STEP_NOT_ACTIVE,
    Fault.VOTER_NOT_ASKED,
    Fault.VOTE_CAST,
    Fault.ABSTAINING_DISABLED,
)
@approvals.response(200, PathSchema, description="The approval as it stands after the vote")
def cast_vote(path_id: int) -> Response:
    """Vote for somebody."""
    given: dict[str, Any] = read_body(_CAST)
    path = approval_paths.vote(path_id, given["voter"], given["decision"], position=given.get("position"))
    return json_response(_PATH.dump(path))


@approvals.route("/<int:path_id>/archive", methods=["POST"])
@approvals.doc(operationId="archive_path_approval")
@approvals.raises(*ENTRY_FAULTS, Fault.PATH_UNKNOWN, Fault.PATH_ENDED)
@approvals.response(200, PathSchema, description="The approval as it is now")
def archive_approval(path_id: int) -> Response:
    """Put an approval away, whatever its state."""
    return json_response(_PATH.dump(approval_paths.archive(path_id)))


# -- requests ---------------------------------------------------------------------------------


@requests.route("")
@requests.doc(operationId="path_requests")
@requests.query(RequestParameters())
@requests.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID)
@requests.response(
    200,
    list_or_page(RequestSchema, "requests"),
    description="All that match, by id; one page where startAt or maxResults is given",
)
def list_requests(given: tuple[CallFilters, Wish]) -> Response:
    """List the requests of HTTP steps."""
    return list_response(http_calls.find_calls(*given), "requests", _REQUEST)


@requests.route("/<int:call_id>")
@requests.doc(operationId="path_request")
@requests.raises(*ENTRY_FAULTS, Fault.CALL_UNKNOWN)
@requests.response(200, RequestSchema, description="The request")
def show_request(call_id: int) -> Response:
    """Show a request."""
    return json_response(_REQUEST.dump(http_calls.show_call(call_id)))


@requests.route("/<int:call_id>/answer", methods=["POST"])
@requests.doc(operationId="answer_path_request", requestBody=body_of(_ANSWER))
@requests.raises(*ENTRY_FAULTS, *BODY_FAULTS, Fault.CALL_UNKNOWN, Fault.CALL_DECIDED)
@requests.response(200, RequestSchema, description="The request, answered; its step is decided")
def answer_request(call_id: int) -> Response:
    """Say what was answered to a request that has no answer yet."""
    return json_response(_REQUEST.dump(http_calls.answer_call(call_id, read_body(_ANSWER)["status"])))
