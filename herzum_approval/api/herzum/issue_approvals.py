"""Search issue approvals."""

from flask import Response, g

from herzum_approval.api import login
from herzum_approval.api.family import Blueprint, bytes_response
from herzum_approval.api.herzum.errors import ERRORS
from herzum_approval.api.herzum.schemas import IssueApprovalSchema, PageSchema, SearchArguments
from herzum_approval.api.rendered import compile_renderer
from herzum_approval.domain.issue_approvals import SearchFilters
from herzum_approval.errors import Fault
from herzum_approval.services import issue_approvals, licence

blp = Blueprint(
    ERRORS,
    "issue_approvals",
    "/rest/herzum-hap-services/1.0/api/issueapprovals",
    "Issue approvals: approvals that issues wait for",
)
blp.before_request(login.require_actor)
blp.before_request(licence.require_valid)

_render = compile_renderer(IssueApprovalSchema(), issue_approvals.COLUMNS)


@blp.route("")
@blp.doc(operationId="search")
@blp.query(SearchArguments())
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
    found = issue_approvals.search(g.actor, filters)
    records = _render(found.rows)
    if found.page is None:
        return bytes_response(records)
    envelope = b'{"startAt":%d,"maxResults":%d,"total":%d,"issueApprovals":%b}'
    return bytes_response(envelope % (*found.page, records))
