"""Issues: show one, say which transitions it may take, and take one."""

from typing import Any

from flask import Response, g, request

from herzum_approval.api import login
from herzum_approval.api.family import (
    Blueprint,
    json_response,
    public_base_url,
    read_json_object,
)
from herzum_approval.api.jira.errors import ERRORS
from herzum_approval.api.jira.issue_beans import issue_bean, transition_bean
from herzum_approval.api.jira.schemas import (
    IssueSchema,
    TransitionRequestSchema,
    TransitionsSchema,
)
from herzum_approval.domain.jira import id_of
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import issues

blp = Blueprint(
    ERRORS, "issues", "/rest/api/<any('2', 'latest'):version>/issue", "Issues and their transitions"
)
blp.before_request(login.require_actor)


@blp.route("/<id_or_key>")
@blp.doc(
    operationId="issue",
    parameters=[
        {
            "in": "query",
            "name": "fields",
            "schema": {"type": "string"},
            "description": "Names of fields, commas between them; `*all`, `*none`, `-name` to leave one out",
        }
    ],
)
@blp.raises(*login.FAULTS, Fault.ISSUE_UNKNOWN)
@blp.response(200, IssueSchema, description="The issue, as it stands now")
def issue(version: str, id_or_key: str) -> Response:
    """Show an issue by id or key."""
    view = issues.show(g.actor, id_or_key)
    return json_response(issue_bean(view, public_base_url(), request.args.get("fields", "")))


@blp.route("/<id_or_key>/transitions")
@blp.doc(operationId="transitions")
@blp.raises(*login.FAULTS, Fault.ISSUE_UNKNOWN)
@blp.response(
    200, TransitionsSchema, description="The transitions that may be taken; locked ones are not there"
)
def transitions(version: str, id_or_key: str) -> Response:
    """Say which transitions the issue may take now."""
    base_url = public_base_url()
    offered = issues.transitions(g.actor, id_or_key)
    beans = [transition_bean(each, base_url) for each in offered]
    return json_response({"expand": "transitions", "transitions": beans})


@blp.route("/<id_or_key>/transitions", methods=["POST"])
@blp.doc(
    operationId="transition",
    requestBody={"required": True, "content": {"application/json": {"schema": TransitionRequestSchema}}},
)
@blp.raises(
    *login.FAULTS,
    Fault.CONTENT_TYPE_UNSUPPORTED,
    Fault.BODY_TOO_LARGE,
    Fault.BODY_MALFORMED,
    Fault.TRANSITION_MISSING,
    Fault.TRANSITION_MISTYPED,
    Fault.ISSUE_UNKNOWN,
    Fault.TRANSITION_NOT_AVAILABLE,
)
@blp.response(204, description="The issue has taken the transition")
def transition(version: str, id_or_key: str) -> Response:
    """Move the issue; its id may be a number or a string."""
    issues.transition(g.actor, id_or_key, _transition_id(read_json_object()))
    return Response(status=204)


def _transition_id(body: dict[str, Any]) -> int:
    transition = body.get("transition")
    given = transition.get("id") if isinstance(transition, dict) else None
    if given is None:
        raise Problem(Fault.TRANSITION_MISSING)
    text = str(given).strip() if isinstance(given, str | int) and not isinstance(given, bool) else ""
    transition_id = id_of(text)
    if transition_id is None:
        raise Problem(Fault.TRANSITION_MISTYPED)
    return transition_id
