"""The error catalogue: everything that can go wrong, and how each API family says it.

One row per fault, one column per family. Payloads, OpenAPI, `docs/errors.md` and the tests derive
from this table alone. Any room may raise `Problem(Fault.…)`; only a door turns it into bytes.
"""

from dataclasses import dataclass, fields
from enum import Enum, unique
from typing import Any

HAP_REST = "Herzum Approval REST API"
"""The vendor's REST text, which prints the answer."""

JIRA = "Jira Data Center"
"""Jira's documented or observed behaviour."""

PATH_API = "Approval Path Web API"
"""The vendor's pages on the Web API of Approval Path."""
JSM_OPS = "JSM Operations REST API"
"""The vendor's reference page, or answers of the service and of its ancestor that users published."""

INFERRED = "inferred"
"""Our reading of the vendor where no text says what happens."""

OURS = "ours"
"""A case no vendor documents, with a code of our own."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One family's words for a fault.

    status: of HTTP, and of the payload where it repeats it.
    text: a template, filled with the details of the `Problem`.
    source: where the words come from.
    code: the family's error code, where it has one.
    headers: sent beside, templates too.
    is_html: Jira's login filter answers with a page, whatever was asked for.
    """

    status: int
    text: str
    source: str
    code: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    is_html: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What each family says of one fault; a family that cannot meet it has no column."""

    herzum: Wire | None = None
    jira: Wire | None = None
    approval_path: Wire | None = None
    administration: Wire | None = None
    jsm_ops: Wire | None = None
    emulator: Wire | None = None
    outside: Wire | None = None  # pages and everything else below no family


FAMILIES = tuple(field.name for field in fields(Row))


def _herzum(status: int, code: str, text: str, source: str = HAP_REST) -> Row:
    return Row(herzum=Wire(status, text, source, code))


def _page(status: int, text: str, *headers: tuple[str, str]) -> Wire:
    return Wire(status, text, OURS, headers=headers, is_html=True)


def _admin(status: int, code: str, text: str, headers: tuple[tuple[str, str], ...] = ()) -> Wire:
    return Wire(status, text, OURS, f"admin.{code}", headers)


def _path(status: int, text: str, source: str = INFERRED, headers: tuple[tuple[str, str], ...] = ()) -> Wire:
    return Wire(status, text, source, headers=headers)


_NOT_PERMITTED = "40301"


def _jsm_ops(
    status: int,
    text: str,
    source: str = INFERRED,
    *,
    code: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Wire:
    return Wire(status, text, source, code, headers)


_JSM_CHALLENGE = (("WWW-Authenticate", 'Basic realm="JSM Operations"'),)
_LOGIN_FAILED_HEADERS = (("X-Seraph-LoginReason", "AUTHENTICATED_FAILED"),)
_LOGIN_DENIED_HEADERS = (
    ("X-Seraph-LoginReason", "AUTHENTICATION_DENIED"),
    ("X-Authentication-Denied-Reason", "CAPTCHA_CHALLENGE; login-url={base_url}/login.jsp"),
)
_OAUTH_CHALLENGE = ("WWW-Authenticate", 'OAuth realm="{realm}"')
_BASIC_CHALLENGE = ("WWW-Authenticate", 'Basic realm="protected-area"')
_BEARER_CHALLENGE = (("WWW-Authenticate", "Bearer"),)
_BASIC_FAILURE = "Basic Authentication Failure - Reason : "
_NOT_AUTHENTICATED = "You are not authenticated. Authentication required to perform this operation."


@unique
class Fault(Enum):
    """Everything that can go wrong."""

    # -- search (S1 to S17 of the vendor's text; S7 is S1) --
    APPROVAL_NOT_FOUND = _herzum(
        404,
        "issueapproval.approval.notexist",
        "The approval referenced by the issueApproval does not exist",
    )
    APPROVAL_NAME_EMPTY = _herzum(
        400,
        "issueapproval.appname.empty",
        "If the paramenter appname is present it cannot be empty ",
    )
    USER_NOT_FOUND = _herzum(404, "issueapproval.user.notfound", "The user does not exists")
    USERNAME_EMPTY = _herzum(400, "issueapproval.username.empty", "The username cannot be empty")
    STATUS_NOT_FOUND = _herzum(
        400,
        "issueapproval.status.notexist",
        "The specified status does not exist. Use APPROVED, REJECTED, ABSTAINED, PENDING",
    )
    STATUS_EMPTY = _herzum(
        400,
        "issueapproval.status.empty",
        "If the paramenter status is present it cannot be empty ",
    )
    ISSUE_KEY_EMPTY = _herzum(
        400, "issue.keys.empty", "If the issuekey parameter is present it cannot be empty"
    )
    ISSUE_NOT_FOUND = _herzum(
        404,
        "issue.notexist.or.noperm",
        "The issue does not exist or you do not have permission to view it. Invalid issue key set: ({key}).",
    )
    ISSUE_KEYS_EMPTY = _herzum(
        400, "issue.keys.empty", "If the issuekeys parameter is present it cannot be empty"
    )
    ISSUE_IDS_EMPTY = _herzum(
        400, "issue.ids.empty", "If the issueids parameter is present it cannot be empty"
    )
    ISSUES_NOT_FOUND = _herzum(
        404,
        "issues.notexist.or.noperm",
        "Some issues do not exist or you do not have permission to view them.{invalid_sets}",
    )
    START_AT_EMPTY = _herzum(400, "start.at.empty", "If the startAt parameter is present it cannot be empty")
    START_AT_INVALID = _herzum(404, "invalid.start.at", "startAt parameter is invalid")
    MAX_RESULTS_EMPTY = _herzum(
        400, "max.results.empty", "If the maxResults parameter is present it cannot be empty"
    )
    MAX_RESULTS_INVALID = _herzum(404, "invalid.max.results", "maxResults parameter is invalid")
    LICENCE_INVALID = Row(
        herzum=Wire(402, "License is invalid", HAP_REST, "license.invalid"),
        administration=_admin(402, "licence.invalid", "The licence is invalid"),
    )

    # -- action (A1 to A13; A3 is USER_NOT_FOUND, A13 is LICENCE_INVALID) --
    ACTION_NOT_FOUND = _herzum(
        400,
        "issueapproval.action.notexist",
        "The specified action does not exist. Use APPROVE, REJECT, ABSTAIN, RESET",
    )
    ISSUE_APPROVAL_NOT_FOUND = _herzum(
        404, "issueapproval.notexist", "The specified issueApproval does not exist"
    )
    CREDENTIALS_WRONG = _herzum(
        403, "issueapproval.credentials.wrong", "The username and the password do not match"
    )
    CREDENTIALS_DENIED = Row(
        herzum=Wire(
            403,
            "The username and the password do not match",
            INFERRED,
            "issueapproval.credentials.wrong",
            _LOGIN_DENIED_HEADERS,
        )
    )
    USERNAME_OF_ANOTHER = _herzum(
        403, "username.notcorrespond", "The username does not correspond to the loggedin user"
    )
    ACTION_UNAUTHORIZED = _herzum(
        403, "issueapproval.action.unauthorized", "The user cannot perform the required action"
    )
    ACTION_REQUIRED = _herzum(400, "issueapproval.action.required", "The action parameter is required")
    PASSWORD_REQUIRED = _herzum(
        400, "issueapproval.pwd.required", "The password is required by the General Configuration"
    )
    USERNAME_REQUIRED = _herzum(
        400, "issueapproval.username.required", "The username is required by the General Configuration"
    )
    COMMENT_REQUIRED = _herzum(
        400, "issueapproval.comment.required", "The comment is set to be required by Configuration"
    )
    CONFIGURATION_ROW = _herzum(
        400,
        "issueapproval.action.owls",
        "Action on configuration issueApprovals (OWLs) are on allowed",
    )
    ACTION_DISABLED = _herzum(403, "issueapproval.action.disabled", "The action is disabled by Configuration")

    # -- bulk (B1 to B14 of the vendor's text) --
    BULK_PROJECT_NOT_FOUND = _herzum(
        400, "bulk.mapping.project.notexist", "The project (Id {project_id}) does not exist."
    )
    BULK_ISSUE_TYPE_NOT_FOUND = _herzum(
        400, "bulk.mapping.issuetype.notexist", "The issuetype (Id {issue_type_id}) does not exist."
    )
    BULK_STATUS_NOT_FOUND = _herzum(
        400,
        "bulk.mapping.status.not.exist",
        "Source Status (Id {status_id}) does not exist in the Workflow {workflow} for the Project "
        "{project_key} and IssuType (Id {issue_type_id}).",
    )
    BULK_TRANSITION_INVALID = _herzum(
        400,
        "bulk.mapping.transition.id.invalid",
        "Transition (Id {transition_id}) is not related to the status {status} (Id {status_id}) for "
        "project (Id {project_id}) and issueType (Id {issue_type_id}).",
    )
    BULK_ACTION_REQUIRED = _herzum(400, "bulk.mapping.action.required", "The action parameter is required")
    BULK_ACTION_NOT_FOUND = _herzum(
        400,
        "bulk.mapping.action.notexist",
        "The specified action does not exist. Use copy, move, delete, edit",
    )
    BULK_TYPE_REQUIRED = _herzum(
        400, "bulk.mapping.operation.type.required", "The operation type parameter is required"
    )
    BULK_TYPE_NOT_FOUND = _herzum(
        400,
        "bulk.mapping.operation.type.notexist",
        "The specified operation type does not exist. Use project, project-issuetype, "
        "project-issuetype-status-trans",
    )
    BULK_PROJECT_REQUIRED = _herzum(
        400, "bulk.mapping.project.id.required", "The project id parameter is required"
    )
    BULK_ISSUE_TYPE_REQUIRED = _herzum(
        400, "bulk.mapping.issuetype.id.required", "The issuetype id parameter is required"
    )
    BULK_STATUS_REQUIRED = _herzum(
        400, "bulk.mapping.status.id.required", "The status id parameter is required"
    )
    BULK_TRANSITION_REQUIRED = _herzum(
        400, "bulk.mapping.transition.id.required", "The transition id parameter is required"
    )
    BULK_SCHEMES_DIFFER = _herzum(
        400,
        "bulk.mapping.workflow.schemes.not.equals",
        "The source project (id={source_id})  has a different scheme than destination project "
        "(id={destination_id})",
    )
    BULK_WORKFLOWS_DIFFER = _herzum(
        400,
        "bulk.mapping.workflow.not.equals",
        "The source workflow associated with the project (id = {source_id}) and issuetype "
        "(id = {source_type_id}) is not the same as the destination workflow  associated with the project "
        "(id = {destination_id}) and issuetype (id = {destination_type_id})",
    )
    BULK_LIST_INVALID = _herzum(
        400, "request.mapping.list.invalid", "mappingList must be a list of objects", OURS
    )
    BULK_WORKFLOW_READ_ONLY = _herzum(
        400,
        "request.mapping.workflow.readonly",
        "The workflow {workflow} is Jira's own, which takes no approvals",
        OURS,
    )
    BULK_OPERATION_NOT_FOUND = _herzum(
        404, "request.bulk.operation.notexist", "There is no bulk operation {operation_id}", OURS
    )
    BULK_OPERATION_UNDONE = _herzum(
        409, "request.bulk.operation.undone", "The bulk operation {operation_id} was undone already", OURS
    )
    BULK_OPERATION_OVERTAKEN = _herzum(
        409,
        "request.bulk.operation.overtaken",
        "The bulk operation {operation_id} cannot be undone, because of what happened since: {changes}",
        OURS,
    )
    ADMINISTRATOR_REQUIRED = Row(
        herzum=Wire(403, "Client must be authenticated as an administrator to access this resource.", JIRA),
        administration=_admin(403, "forbidden", "Only Jira administrators may do this"),
        jsm_ops=_jsm_ops(403, "You are not authorized to perform this action", code=_NOT_PERMITTED),
        outside=_page(403, "Only Jira administrators may do this."),
    )

    # -- Jira's issues --
    ISSUE_UNKNOWN = Row(jira=Wire(404, "Issue Does Not Exist", JIRA))
    TRANSITION_MISSING = Row(jira=Wire(400, "Missing 'transition' identifier", JIRA))
    TRANSITION_MISTYPED = Row(jira=Wire(400, "'transition' identifier must be an integer", JIRA))
    TRANSITION_NOT_AVAILABLE = Row(
        jira=Wire(
            400,
            "It seems that you have tried to perform a workflow operation ({name}) that is not valid for the "
            "current state of this issue ({key}). The likely cause is that somebody has changed the issue "
            "recently, please look at the issue history for details.",
            JIRA,
        )
    )

    # -- logins --
    LOGIN_REQUIRED = Row(
        herzum=Wire(401, "Client must be authenticated to access this resource.", JIRA),
        jira=Wire(401, _NOT_AUTHENTICATED, JIRA, headers=(_OAUTH_CHALLENGE,)),
        administration=_admin(401, "login.required", "Nobody is signed in", (_OAUTH_CHALLENGE,)),
        jsm_ops=_jsm_ops(401, "Could not authenticate", JSM_OPS, headers=_JSM_CHALLENGE),
        outside=_page(401, "Nobody is signed in.", _BASIC_CHALLENGE),
    )
    LOGIN_CHALLENGED = Row(
        herzum=Wire(
            401, "Client must be authenticated to access this resource.", JIRA, headers=(_BASIC_CHALLENGE,)
        ),
        jira=Wire(401, _NOT_AUTHENTICATED, JIRA, headers=(_BASIC_CHALLENGE,)),
        administration=_admin(401, "login.required", "Nobody is signed in", (_BASIC_CHALLENGE,)),
        outside=_page(401, "Sign in by Basic credentials.", _BASIC_CHALLENGE),
    )
    BASIC_LOGIN_FAILED = Row(
        herzum=Wire(
            401, _BASIC_FAILURE + "AUTHENTICATED_FAILED", JIRA, headers=_LOGIN_FAILED_HEADERS, is_html=True
        ),
        jira=Wire(
            401, _BASIC_FAILURE + "AUTHENTICATED_FAILED", JIRA, headers=_LOGIN_FAILED_HEADERS, is_html=True
        ),
        administration=_admin(
            401, "login.failed", "The username and the password do not match", _LOGIN_FAILED_HEADERS
        ),
        outside=_page(401, "The username and the password do not match.", *_LOGIN_FAILED_HEADERS),
    )
    BASIC_LOGIN_DENIED = Row(
        herzum=Wire(
            403, _BASIC_FAILURE + "AUTHENTICATION_DENIED", JIRA, headers=_LOGIN_DENIED_HEADERS, is_html=True
        ),
        jira=Wire(
            403, _BASIC_FAILURE + "AUTHENTICATION_DENIED", JIRA, headers=_LOGIN_DENIED_HEADERS, is_html=True
        ),
        administration=_admin(
            403, "login.denied", "The login is locked after too many failures", _LOGIN_DENIED_HEADERS
        ),
        outside=_page(403, "The login is locked after too many failures.", *_LOGIN_DENIED_HEADERS),
    )
    SESSION_LOGIN_FAILED = Row(
        jira=Wire(401, "Login failed", JIRA, headers=(*_LOGIN_FAILED_HEADERS, _OAUTH_CHALLENGE)),
    )
    SESSION_LOGIN_DENIED = Row(jira=Wire(403, "Login denied", JIRA, headers=_LOGIN_DENIED_HEADERS))
    TOKEN_INVALID = Row(
        herzum=Wire(401, "Client must be authenticated to access this resource.", INFERRED),
        jira=Wire(401, _NOT_AUTHENTICATED, INFERRED, headers=(_OAUTH_CHALLENGE, _LOGIN_FAILED_HEADERS[0])),
        administration=_admin(401, "token.invalid", "The token is unknown", (_LOGIN_FAILED_HEADERS[0],)),
        jsm_ops=_jsm_ops(401, "Could not authenticate", JSM_OPS, headers=_JSM_CHALLENGE),
        outside=_page(401, "The token is unknown.", _LOGIN_FAILED_HEADERS[0]),
    )
    URL_LOGIN_REFUSED = Row(
        herzum=Wire(401, "Logins in the address are off; send Basic credentials or a session cookie.", OURS),
        jira=Wire(401, "Logins in the address are off; send Basic credentials or a session cookie.", OURS),
        administration=_admin(
            401, "login.address", "Logins in the address are off; send Basic credentials or a session cookie."
        ),
        outside=_page(401, "Logins in the address are off."),
    )

    # -- administration: all of it ours --
    PARAMETER_INVALID = Row(
        administration=_admin(400, "parameter.invalid", "{name}: {reason}"),
        jsm_ops=_jsm_ops(400, "Parameter {name} {reason}"),
    )
    VALUE_INVALID = Row(
        approval_path=_path(400, "{path}: {reason}", OURS),
        administration=_admin(400, "body.invalid", "{path}: {reason}"),
    )
    REFERENCE_INVALID = Row(administration=_admin(400, "reference.invalid", "{path}: {reason}"))
    MAPPING_UNKNOWN = Row(administration=_admin(404, "mapping.notexist", "There is no mapping {id}"))
    SCOPE_MAPPED = Row(
        administration=_admin(409, "mapping.exists", "The mapping {id} is for this transition already"),
    )
    SCOPE_FIXED = Row(
        administration=_admin(
            400, "mapping.scope.fixed", "What a mapping is for cannot be changed: delete it, create another"
        ),
    )
    WORKFLOW_READ_ONLY = Row(
        administration=_admin(400, "workflow.system", "The system workflow {name} takes no approvals"),
    )
    TRANSITION_UNFIT = Row(administration=_admin(400, "transition.invalid", "{path}: {reason}"))
    APPROVAL_UNKNOWN = Row(administration=_admin(404, "approval.notexist", "There is no approval {id}"))
    APPROVAL_NAME_TAKEN = Row(
        administration=_admin(409, "approval.exists", "There is an approval {name} already"),
    )
    APPROVAL_IN_USE = Row(
        administration=_admin(
            409,
            "approval.inuse",
            "The approval {name} is in use: in {mappings} mappings and {issue_approvals} issue approvals",
        ),
    )
    BULK_OPERATION_UNKNOWN = Row(
        administration=_admin(404, "bulkoperation.notexist", "There is no bulk operation {id}"),
    )
    VERSION_STALE = Row(
        administration=_admin(412, "version.stale", "It was changed meanwhile: read it again, then decide"),
        jsm_ops=_jsm_ops(412, "It was changed meanwhile: read it again, then decide", OURS),
    )

    # -- JSM Operations: custom user roles --
    JSM_SITE_UNKNOWN = Row(
        administration=_admin(404, "jsm.site.notexist", "There is no site {cloud_id}"),
        jsm_ops=_jsm_ops(404, "Site not found with identifier: {cloud_id}"),
    )
    JSM_SITE_TAKEN = Row(
        administration=_admin(409, "jsm.site.exists", "There is a site {cloud_id} already"),
    )
    JSM_SITE_IN_USE = Row(
        administration=_admin(409, "jsm.site.inuse", "The site {cloud_id} has custom user roles"),
    )
    JSM_USER_UNKNOWN = Row(
        administration=_admin(404, "jsm.user.notexist", "There is no user with the account id {account_id}"),
        jsm_ops=_jsm_ops(404, "User not found with identifier: {account_id}"),
    )
    JSM_TOKEN_UNKNOWN = Row(
        administration=_admin(404, "jsm.token.notexist", "There is no token {id}"),
    )
    TOKEN_SCOPE_MISSING = Row(
        jsm_ops=_jsm_ops(403, "The token lacks the scope {scope}", code=_NOT_PERMITTED),
    )
    PLAN_WITHOUT_ROLES = Row(
        jsm_ops=_jsm_ops(402, "Custom user roles are not part of the plan of this site"),
    )
    REQUESTS_TOO_MANY = Row(
        jsm_ops=_jsm_ops(429, "You are making too many requests!", headers=(("Retry-After", "1"),)),
    )
    ROLE_UNKNOWN = Row(
        jsm_ops=_jsm_ops(404, "Custom user role not found with identifier: {identifier}"),
    )
    ROLE_INVALID = Row(
        jsm_ops=_jsm_ops(422, "Request body is not processable. Please check the errors.", JSM_OPS),
    )
    ROLE_NAME_TAKEN = Row(
        jsm_ops=_jsm_ops(409, "Custom user role already exists with name: {name}"),
    )
    ROLE_IN_USE = Row(
        jsm_ops=_jsm_ops(428, "Custom user role is assigned to users and cannot be deleted: {name}"),
    )

    # -- approval paths; what the vendor says of them is unknown, its statuses are inferred --
    PATH_REFERENCE_UNKNOWN = Row(
        approval_path=_path(404, "{kind} {ref} not found"),
        administration=_admin(404, "path.ref.notexist", "{kind} {ref} not found"),
    )
    COLLECTION_UNKNOWN = Row(
        approval_path=_path(404, "{kind} {ref} not found"),
    )
    DEFINITION_UNKNOWN = Row(
        approval_path=_path(404, "Approval definition not found"),
        administration=_admin(404, "path.definition.notexist", "There is no definition {id}"),
    )
    PATH_UNKNOWN = Row(
        approval_path=_path(404, "Approval not found"),
        administration=_admin(404, "path.approval.notexist", "There is no such approval {id}"),
    )
    PATH_CONDITION_FALSE = Row(
        approval_path=_path(400, "The condition of {name} is not met"),
        administration=_admin(400, "path.condition.false", "The condition of {name} is not met"),
    )
    PATH_STEP_EMPTY = Row(
        approval_path=_path(400, "There is nobody to decide step {position} of {name}"),
        administration=_admin(400, "path.step.empty", "There is nobody to decide step {position} of {name}"),
    )
    PATH_ENDED = Row(administration=_admin(409, "path.ended", "The approval {id} is not running: {status}"))
    STEP_NOT_ACTIVE = Row(
        administration=_admin(409, "path.step.inactive", "Nobody votes on step {position} of approval {id}"),
    )
    VOTER_NOT_ASKED = Row(
        administration=_admin(409, "path.voter.notasked", "{name} is not asked by approval {id} now"),
    )
    VOTE_CAST = Row(administration=_admin(409, "path.vote.cast", "{name} has voted on approval {id}"))
    ABSTAINING_DISABLED = Row(
        administration=_admin(409, "path.abstain.disabled", "Approval {id} lets nobody abstain"),
    )
    CALL_UNKNOWN = Row(administration=_admin(404, "path.call.notexist", "There is no HTTP request {id}"))
    CALL_DECIDED = Row(
        administration=_admin(409, "path.call.answered", "The HTTP request {id} was answered already"),
    )
    CONDITION_UNKNOWN = Row(
        administration=_admin(404, "path.condition.notexist", "There is no condition {id}"),
    )
    CONDITION_NAME_TAKEN = Row(
        administration=_admin(409, "path.condition.exists", "There is a condition {name} already"),
    )
    CONDITION_IN_USE = Row(
        administration=_admin(409, "path.condition.inuse", "{count} definitions ask the condition {name}"),
    )
    SPACE_UNKNOWN = Row(administration=_admin(404, "path.space.notexist", "There is no space {id}"))
    SPACE_KEY_TAKEN = Row(administration=_admin(409, "path.space.exists", "There is a space {key} already"))
    SPACE_IN_USE = Row(
        administration=_admin(
            409, "path.space.inuse", "The space {key} has {pages} pages and {definitions} definitions"
        ),
    )
    PAGE_UNKNOWN = Row(administration=_admin(404, "path.page.notexist", "There is no page {id}"))

    # -- API keys: all texts are ours; of the performer the vendor says when there is an error --
    KEY_REQUIRED = Row(approval_path=_path(401, "No API key was given", OURS, _BEARER_CHALLENGE))
    KEY_UNKNOWN = Row(approval_path=_path(401, "The API key is unknown", OURS, _BEARER_CHALLENGE))
    KEY_NOT_VALID_NOW = Row(
        approval_path=_path(401, "The API key is not valid at this time", OURS, _BEARER_CHALLENGE)
    )
    ADDRESS_NOT_ALLOWED = Row(
        approval_path=_path(403, "The API key may not be used from this address", OURS),
    )
    PRIVILEGE_MISSING = Row(approval_path=_path(403, "The API key lacks the privilege: {privilege}", OURS))
    PERFORMER_UNRESOLVED = Row(
        approval_path=_path(400, "There is no valid user to perform this, and no valid default user", OURS),
    )
    PERFORMER_OUTSIDE_GROUP = Row(
        approval_path=_path(400, "The user does not belong to the group {group}", OURS),
    )
    API_KEY_UNKNOWN = Row(administration=_admin(404, "path.key.notexist", "There is no API key {id}"))
    SECRET_UNREADABLE = Row(
        administration=_admin(
            409, "path.key.unreadable", "The key file cannot read what the key {key_id} encrypted"
        ),
    )
    KEY_FILE_MISSING = Row(
        administration=_admin(
            409, "path.keyfile.missing", "There is no key file; run: herzum-approval encryption rotate"
        ),
        emulator=Wire(
            409,
            "There is no key file; run: herzum-approval encryption rotate",
            OURS,
            "emulator.keyfile.missing",
        ),
    )

    # -- every door --
    ROUTE_NOT_FOUND = Row(
        herzum=Wire(404, "null for uri: {url}", JIRA),
        jira=Wire(404, "null for uri: {url}", JIRA),
        approval_path=_path(404, "There is nothing at {url}", OURS),
        administration=_admin(404, "route.notexist", "There is nothing at {url}"),
        jsm_ops=_jsm_ops(404, "There is nothing at {url}", OURS),
        emulator=Wire(404, "There is nothing at {url}.", OURS, "emulator.route.notexist"),
        outside=Wire(404, "There is nothing at this address.", OURS, is_html=True),
    )
    METHOD_NOT_ALLOWED = Row(
        herzum=Wire(405, "HTTP 405 Method Not Allowed", INFERRED, headers=(("Allow", "{allow}"),)),
        jira=Wire(405, "HTTP 405 Method Not Allowed", INFERRED, headers=(("Allow", "{allow}"),)),
        approval_path=_path(405, "Use {allow}", OURS, (("Allow", "{allow}"),)),
        administration=_admin(405, "method.notallowed", "Use {allow}", (("Allow", "{allow}"),)),
        jsm_ops=_jsm_ops(405, "Method not allowed, use {allow}", OURS, headers=(("Allow", "{allow}"),)),
        emulator=Wire(
            405, "Use {allow}.", OURS, "emulator.method.notallowed", headers=(("Allow", "{allow}"),)
        ),
        outside=Wire(405, "Use {allow}.", OURS, headers=(("Allow", "{allow}"),), is_html=True),
    )
    BODY_MALFORMED = Row(
        herzum=Wire(400, "The request body is malformed: {reason}", OURS, "request.body.malformed"),
        jira=Wire(400, "The request body is malformed: {reason}", OURS),
        approval_path=_path(400, "The request body is malformed: {reason}", OURS),
        administration=_admin(400, "body.malformed", "The request body is malformed: {reason}"),
        jsm_ops=_jsm_ops(400, "The request body is malformed: {reason}", OURS),
        emulator=Wire(400, "The request body is malformed: {reason}", OURS, "emulator.body.malformed"),
    )
    BODY_TOO_LARGE = Row(
        herzum=Wire(413, "The request body is longer than {limit} bytes", OURS, "request.body.toolarge"),
        jira=Wire(413, "The request body is longer than {limit} bytes", OURS),
        approval_path=_path(413, "The request body is longer than {limit} bytes", OURS),
        administration=_admin(413, "body.toolarge", "The request body is longer than {limit} bytes"),
        jsm_ops=_jsm_ops(413, "The request body is longer than {limit} bytes", OURS),
        emulator=Wire(413, "The request body is longer than {limit} bytes", OURS, "emulator.body.toolarge"),
        outside=Wire(413, "The request body is longer than {limit} bytes.", OURS, is_html=True),
    )
    CONTENT_TYPE_UNSUPPORTED = Row(
        herzum=Wire(415, "The request body must be application/json", OURS, "request.type.unsupported"),
        jira=Wire(415, "HTTP 415 Unsupported Media Type", INFERRED),
        approval_path=_path(415, "The request body must be application/json", OURS),
        administration=_admin(415, "type.unsupported", "The request body must be application/json"),
        jsm_ops=_jsm_ops(415, "The request body must be application/json", OURS),
    )
    REQUEST_MALFORMED = Row(
        herzum=Wire(400, "The request is malformed: {reason}", OURS, "request.malformed"),
        jira=Wire(400, "The request is malformed: {reason}", OURS),
        approval_path=_path(400, "The request is malformed: {reason}", OURS),
        administration=_admin(400, "request.malformed", "The request is malformed: {reason}"),
        jsm_ops=_jsm_ops(400, "The request is malformed: {reason}", OURS),
        emulator=Wire(400, "The request is malformed: {reason}", OURS, "emulator.request.malformed"),
        outside=Wire(400, "The request is malformed: {reason}", OURS, is_html=True),
    )
    BUSY = Row(
        herzum=Wire(
            503, "The database is busy, please try again", OURS, "request.busy", (("Retry-After", "1"),)
        ),
        jira=Wire(503, "The database is busy, please try again", OURS, headers=(("Retry-After", "1"),)),
        approval_path=_path(503, "The database is busy, please try again", OURS, (("Retry-After", "1"),)),
        administration=_admin(503, "busy", "The database is busy, please try again", (("Retry-After", "1"),)),
        jsm_ops=_jsm_ops(
            503, "The database is busy, please try again", OURS, headers=(("Retry-After", "1"),)
        ),
        emulator=Wire(
            503, "The database is busy, please try again", OURS, "emulator.busy", (("Retry-After", "1"),)
        ),
        outside=_page(503, "The database is busy, please try again.", ("Retry-After", "1")),
    )
    INTERNAL_ERROR = Row(
        herzum=Wire(500, "Internal server error, request {request_id}", OURS, "request.internal.error"),
        jira=Wire(500, "Internal server error, request {request_id}", OURS),
        approval_path=_path(500, "Internal server error, request {request_id}", OURS),
        administration=_admin(500, "internal.error", "Internal server error, request {request_id}"),
        jsm_ops=_jsm_ops(500, "Internal server error, request {request_id}", OURS),
        emulator=Wire(500, "Internal server error, request {request_id}", OURS, "emulator.internal.error"),
        outside=Wire(500, "Internal server error, request {request_id}", OURS, is_html=True),
    )

    # -- the emulator's own doors --
    SNAPSHOT_REFUSED = Row(
        emulator=Wire(400, "{path}: {reason}", OURS, "emulator.snapshot.refused"),
    )

    def wire(self, family: str) -> Wire:
        """Return the family's words; KeyError where the family has none for this fault."""
        wire: Wire | None = getattr(self.value, family)
        if wire is None:
            raise KeyError(f"{family} has no words for {self.name}")
        return wire


class Problem(Exception):
    """A fault that happened, with the details that its text names."""

    def __init__(self, fault: Fault, **details: Any) -> None:
        super().__init__(fault, details)
        self.fault = fault
        self.details = details

    def __str__(self) -> str:
        return f"{self.fault.name} {self.details}" if self.details else self.fault.name
