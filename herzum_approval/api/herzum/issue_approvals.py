"""Search issue approvals, and act on one."""

import re
from collections.abc import Callable, Iterator, Mapping

from flask import Response, g, request

from herzum_approval.api import login
from herzum_approval.api.family import (
    Blueprint,
    ShortPost,
    bytes_response,
    parse_json_object,
    raise_failure,
    read_json_object,
)
from herzum_approval.api.herzum.errors import ERRORS
from herzum_approval.api.herzum.schemas import (
    ActionRequest,
    DecidedSchema,
    IssueApprovalSchema,
    PageSchema,
    SearchArguments,
)
from herzum_approval.api.parsed import compile_parser
from herzum_approval.api.rendered import compile_object_renderer, compile_renderer
from herzum_approval.domain.actions import Action
from herzum_approval.domain.issue_approvals import SearchFilters
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import answers, decisions, issue_approvals, licence
from herzum_approval.services.decisions import Credentials
from herzum_approval.services.issue_approvals import Found

blp = Blueprint(
    ERRORS,
    "issue_approvals",
    "/rest/herzum-hap-services/1.0/api/issueapprovals",
    "Issue approvals: approvals that issues wait for",
)
blp.before_request(login.require_actor)
blp.before_request(licence.require_valid)

_REQUEST = ActionRequest()
_ARGUMENTS = SearchArguments()
_render = compile_renderer(IssueApprovalSchema(), issue_approvals.COLUMNS)
_render_decided = compile_object_renderer(DecidedSchema())
_parse = compile_parser(_ARGUMENTS, _ARGUMENTS.filters)


@blp.route("")
@blp.doc(operationId="search")
@blp.query(_ARGUMENTS)
@blp.raises(
    *login.FAULTS,
    Fault.LICENCE_INVALID,
    Fault.APPROVAL_NAME_EMPTY,
    Fault.USERNAME_EMPTY,
    Fault.STATUS_EMPTY,
    Fault.STATUS_NOT_FOUND,
    Fault.ISSUE_KEY_EMPTY,
    Fault.ISSUE_KEYS_EMPTY,
    Fault.ISSUE_IDS_EMPTY,
    Fault.START_AT_EMPTY,
    Fault.START_AT_INVALID,
    Fault.MAX_RESULTS_EMPTY,
    Fault.MAX_RESULTS_INVALID,
    Fault.APPROVAL_NOT_FOUND,
    Fault.USER_NOT_FOUND,
    Fault.ISSUE_NOT_FOUND,
    Fault.ISSUES_NOT_FOUND,
)
@blp.response(
    200,
    {"anyOf": [{"type": "array", "items": IssueApprovalSchema}, PageSchema]},
    description="All that match, in the order of their ids; one page where startAt or maxResults is given",
)
def search(filters: SearchFilters) -> Response:
    """Search issue approvals by approval, user, status and issue."""
    found = issue_approvals.search(g.actor, filters, _render)
    written = _written(found)
    return bytes_response(written if found.is_long else b"".join(written))


@blp.route("/<int:issue_approval_id>/action", methods=["POST"])
@blp.doc(
    operationId="act",
    requestBody={"required": False, "content": {"application/json": {"schema": ActionRequest}}},
)
@blp.raises(
    *login.FAULTS,
    Fault.LICENCE_INVALID,
    Fault.CONTENT_TYPE_UNSUPPORTED,
    Fault.BODY_TOO_LARGE,
    Fault.BODY_MALFORMED,
    Fault.ACTION_REQUIRED,
    Fault.ACTION_NOT_FOUND,
    Fault.ISSUE_APPROVAL_NOT_FOUND,
    Fault.CONFIGURATION_ROW,
    Fault.PASSWORD_REQUIRED,
    Fault.USERNAME_REQUIRED,
    Fault.USER_NOT_FOUND,
    Fault.USERNAME_OF_ANOTHER,
    Fault.CREDENTIALS_DENIED,
    Fault.CREDENTIALS_WRONG,
    Fault.ACTION_DISABLED,
    Fault.ACTION_UNAUTHORIZED,
    Fault.COMMENT_REQUIRED,
)
@blp.response(200, DecidedSchema, description="The issue approval as it stands after the action")
def act(issue_approval_id: int) -> Response:
    """Approve, reject or reset an issue approval, or abstain from it."""
    raise_failure()
    given = _REQUEST.load(read_json_object() if request.get_data() else {})
    view = decisions.act(
        g.actor,
        issue_approval_id,
        _action(given["action"]),
        credentials=Credentials(username=given["username"], password=given["password"]),
        comment=given["comment"],
    )
    return bytes_response(_render_decided(view))


def search_at_once(actor: Actor, query: str, arguments: Mapping[str, str]) -> bytes | None:
    """Return the body of a search's answer, kept as long as nobody writes anything; None where it is long.

    query: the query string. Raises: what `search` does, and more where a parameter is not as it must be.
    """
    return answers.kept(
        ("search", actor.username, query),
        lambda: _searched(actor, _parse(arguments)) if licence.is_valid() else None,
    )


def _searched(actor: Actor, filters: SearchFilters) -> bytes | None:
    found = issue_approvals.search(actor, filters, _render)
    return None if found.is_long else b"".join(_written(found))


def _written(found: Found) -> Iterator[bytes]:
    """Give the answer's body, part by part."""
    if found.page is not None:
        yield b'{"startAt":%d,"maxResults":%d,"total":%d,"issueApprovals":' % found.page
    separator = b"["
    for part in found.parts:
        if part:
            yield separator
            yield b",".join(part)
            separator = b","
    yield b"[]" if separator == b"[" else b"]"
    if found.page is not None:
        yield b"}"


def _act_at_once(actor: Actor, issue_approval_id: str, body: bytes) -> Callable[[], bytes] | None:
    """Return what acts and makes the answer's body; None where the action brings or needs credentials.

    Raises: what `act` does, before anything is done.
    """
    given = _REQUEST.load(parse_json_object(body))
    if not licence.is_valid() or given["username"] is not None or given["password"] is not None:
        return None
    act = decisions.prepare(actor, int(issue_approval_id), _action(given["action"]), comment=given["comment"])
    return None if act is None else lambda: _render_decided(act())


ACT_AT_ONCE = ShortPost(
    path=re.compile(re.escape(blp.url_prefix or "") + r"/([0-9]{1,18})/action"),
    route=f"{blp.url_prefix}/<int:issue_approval_id>/action",
    prepare=_act_at_once,
)


def _action(name: str | None) -> Action:
    if name is None:
        raise Problem(Fault.ACTION_REQUIRED)
    try:
        return Action(name.upper())
    except ValueError:
        raise Problem(Fault.ACTION_NOT_FOUND) from None
