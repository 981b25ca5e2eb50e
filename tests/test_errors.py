"""Every row of the error catalogue can be provoked, and is answered in the words of the family.

`PROVOKED` names the request for each filled column; a column without one fails. Whatever a route
answers must be among the faults that its OpenAPI description declares.
"""

import re
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Any

import flask
import orjson
import pytest
from flask import Flask
from webtest import TestApp, TestResponse

from herzum_approval import config
from herzum_approval.api import family as families
from herzum_approval.api import openapi
from herzum_approval.api.emulator import ERRORS as EMULATOR_ERRORS
from herzum_approval.api.family import (
    Blueprint,
    ErrorShape,
    Family,
    install_error_handlers,
)
from herzum_approval.api.herzum.errors import ERRORS as HERZUM_ERRORS
from herzum_approval.api.openapi import register_families
from herzum_approval.app import create_app
from herzum_approval.errors import FAMILIES, Fault, Problem, Wire
from herzum_approval.examples import merged
from herzum_approval.services import (
    approval_paths,
    custom_roles,
    encryption,
    issue_approvals,
    mappings,
    people,
    snapshot,
)
from tests.conftest import as_at_its_start

SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"
BULK = "/rest/herzum-hap-services/1.0/api/bulk-mapping-operation"
SESSION = "/rest/auth/1/session"
MYSELF = "/rest/api/2/myself"
RESET = "/__emulator/reset"
SNAPSHOT = "/__emulator/snapshot"
ISSUE = "/rest/api/2/issue/SOFT-1"
TRANSITIONS = f"{ISSUE}/transitions"
DOCS = "/docs/"
METRICS = "/metrics"
ADMINISTRATION = "/rest/approval-admin/1.0"
MAPPINGS = f"{ADMINISTRATION}/mappings"
APPROVALS = f"{ADMINISTRATION}/approvals"
BULK_OPERATIONS = f"{ADMINISTRATION}/bulk-operations"
CONFIGURATION = f"{ADMINISTRATION}/configuration"
PATHS = f"{ADMINISTRATION}/approval-path"

KEYS = f"{ADMINISTRATION}/approval-path/keys"
WEBAPI = "/webapi/approvals"
API_KEYS = {
    "admin": "mc96LyRi9nUQySSjKXEf8xfqUZzjS2CYhRK8bWSRRfQi",
    "carol": "b8dLcukC7edhDQ7cn5d4gEYkbUrMWeWQLGsCmrG6dLaY",
}
"""Keys of the demonstration that may do everything, and read."""
JSM_ADMINISTRATION = f"{ADMINISTRATION}/jsm-ops"
CLOUD_ID = "11111111-2222-4333-8444-555555555555"
ROLES = f"/jsm/ops/api/{CLOUD_ID}/v1/roles"
OAUTH_ROLES = f"/ex/jira/{CLOUD_ID}/jsm/ops/api/v1/roles"
FINANCE_ROLE = "288c1908-2337-47c0-8a15-9d80fb1256ea"
SRE_ROLE = "33579c31-627c-4cc1-bb94-fd2c214142f7"
CAROLS_ACCOUNT = "630a55c646556c72662aaaaa"

JSON = {"Content-Type": "application/json"}
JSON_TYPE = "application/json;charset=UTF-8"
HTML_TYPE = "text/html;charset=UTF-8"
LIMIT = 1024 * 1024
SECRET = "s3cret-of-the-exception"
BAD_HOST = {"Host": "x" * 64}  # longer than a label of a name can be


# -- the stage --------------------------------------------------------------------------------


@dataclass
class Stage:
    """Where faults are provoked.

    client: the demonstration site, as at its start. busy: a site whose only connection is taken.
    """

    client: TestApp
    busy: TestApp
    monkeypatch: pytest.MonkeyPatch

    def break_(self, module: Any, name: str) -> None:
        """Make a function fail as nobody foresaw."""

        def fail(*args: Any, **kwargs: Any) -> Any:
            raise RuntimeError(SECRET)

        self.monkeypatch.setattr(module, name, fail)


@pytest.fixture
def stage(client: TestApp, busy_site: TestApp, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(client, busy_site, monkeypatch)


@pytest.fixture
def client(sqlite_site: TestApp) -> TestApp:
    """The demonstration site as at its start; how faults are said depends on no engine."""
    return as_at_its_start(sqlite_site)


@pytest.fixture(scope="module")
def busy_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestApp]:
    path = tmp_path_factory.mktemp("busy") / "site.db"
    app = create_app(
        database_url=f"sqlite:///{path}",
        database_connections=1,
        database_wait_seconds=0.05,
        demonstration=True,
    )
    database = app.wsgi_app.database
    is_taken, may_end = threading.Event(), threading.Event()

    def take() -> None:
        with database.connection_context():
            is_taken.set()
            may_end.wait()

    thread = threading.Thread(target=take)
    thread.start()
    is_taken.wait()
    yield TestApp(app)
    may_end.set()
    thread.join()
    database.close_all()


# -- requests ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Provocation:
    """How a fault comes about, and what fills the braces of its text and headers."""

    request: Callable[[Stage], TestResponse]
    details: Mapping[str, str] = field(default_factory=dict)


def send(
    client: TestApp,
    method: str,
    target: str,
    *,
    caller: str | None = None,
    password: str | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> TestResponse:
    """Send a request, signed in by Basic where a caller is given, and return the answer of any status.

    JSM Operations takes the caller's e-mail address and API token instead of name and password, the Web API
    of Approval Path an API key.
    """
    sent = {"X-Request-ID": "request-1", **(headers or {})}
    if caller is not None and target.startswith("/webapi"):
        sent["Authorization"] = f"Bearer {API_KEYS.get(caller, 'wrong')}"
    elif caller is not None and target.startswith(("/jsm/", "/ex/")):
        sent["Authorization"] = basic(f"{caller}@example.com", f"demo-token-{password or caller}")
    elif caller is not None:
        sent["Authorization"] = basic(caller, caller if password is None else password)
    return client.request(target, method=method, headers=sent, body=body, status="*")


def basic(username: str, password: str) -> str:
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def asks(method: str, target: str, *, busy: bool = False, details: Any = (), **request: Any) -> Provocation:
    return Provocation(
        lambda stage: send(stage.busy if busy else stage.client, method, target, **request), dict(details)
    )


def searches(query: str, **details: str) -> Provocation:
    return asks("GET", f"{SEARCH}?{query}", caller="admin", details=details)


def breaks(module: Any, name: str, method: str, target: str, **request: Any) -> Provocation:
    def provoke(stage: Stage) -> TestResponse:
        stage.break_(module, name)
        return send(stage.client, method, target, **request)

    return Provocation(provoke, {"request_id": "request-1"})


def after_failures(method: str, target: str, **request: Any) -> Provocation:
    def provoke(stage: Stage) -> TestResponse:
        for _ in range(3):
            send(stage.client, "GET", MYSELF, caller="bob", password="wrong")
        return send(stage.client, method, target, **request)

    return Provocation(provoke, HERE)


def lay_over(client: TestApp, given: Mapping[str, Any]) -> None:
    """Lay what is given over the site, as the examples do."""
    document = client.get(SNAPSHOT, status=200).json
    client.put(SNAPSHOT, orjson.dumps(merged(document, given)), status=204)


def expires(stage: Stage) -> TestResponse:
    lay_over(stage.client, EXPIRED)
    return send(stage.client, "GET", f"{SEARCH}?status=WRONG", caller="admin")


def acts(
    body: Mapping[str, Any], *, on: int = 75, caller: str = "admin", given: Mapping[str, Any] | None = None
) -> Provocation:
    def provoke(stage: Stage) -> TestResponse:
        if given is not None:
            lay_over(stage.client, given)
        target = f"{SEARCH}/{on}/action"
        return send(stage.client, "POST", target, caller=caller, headers=JSON, body=orjson.dumps(body))

    return Provocation(provoke)


def acts_locked_out(stage: Stage) -> TestResponse:
    """Somebody who is signed in by session and locked out for passwords confirms an action by his own."""
    stage.client.post(SESSION, BOB, headers=JSON, status=200)
    for _ in range(3):
        send(stage.client, "GET", MYSELF, caller="bob", password="wrong")
    body = b'{"action": "APPROVE", "password": "bob"}'
    return send(stage.client, "POST", f"{SEARCH}/77/action", headers=JSON, body=body)


def changes(body: Mapping[str, Any], **details: str) -> Provocation:
    sent = {**COPY, **body}
    return asks("POST", BULK, caller="admin", headers=JSON, body=orjson.dumps(sent), details=details)


def undoes(stage: Stage, *, change: Mapping[str, Any] | None = None, times: int = 1) -> TestResponse:
    """Copy a mapping, change something, and undo the copy so many times."""
    send(stage.client, "POST", BULK, caller="admin", headers=JSON, body=orjson.dumps(COPY_OF_A_PROJECT))
    if change is not None:
        lay_over(stage.client, change)
    for _ in range(times):
        answer = send(stage.client, "POST", f"{BULK}/1/undo", caller="admin")
    return answer


def changes_a_system_workflow(stage: Stage) -> TestResponse:
    lay_over(stage.client, {"workflows": [{"id": 1, "is_system": True}], **NO_MAPPINGS})
    return changes({"mappingList": [TO_TEST]}).request(stage)


def moves(body: Any, **details: str) -> Provocation:
    return asks("POST", TRANSITIONS, caller="admin", headers=JSON, body=orjson.dumps(body), details=details)


def calls(
    method: str,
    below: str,
    body: Any = None,
    *,
    caller: str | None = "admin",
    given: Mapping[str, Any] | None = None,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
    **details: Any,
) -> Provocation:
    """Ask the Web API of Approval Path by an API key. below: the path below its base."""

    def provoke(stage: Stage) -> TestResponse:
        if given is not None:
            lay_over(stage.client, given)
        sent = content if body is None else orjson.dumps(body)
        target = f"/webapi/{below}"
        return send(
            stage.client, method, target, caller=caller, headers={**JSON, **(headers or {})}, body=sent
        )

    return Provocation(provoke, details)


def with_api_key(**members: Any) -> dict[str, Any]:
    return {"api_keys": [{"id": 1, **members}]}


def loses_its_keys(method: str, target: str, body: Any = None, **details: Any) -> Provocation:
    """Administer once the key file has gone."""

    def provoke(stage: Stage) -> TestResponse:
        stage.monkeypatch.setattr(encryption, "key_file", lambda: Path("no such file"))
        return administers(method, target, body).request(stage)

    return Provocation(provoke, details)


def changes_its_keys(stage: Stage) -> TestResponse:
    other = encryption.Ring([b"x" * 32])
    stage.monkeypatch.setattr(encryption, "ring", lambda: other)
    return administers("GET", f"{KEYS}/1/reveal").request(stage)


DEMONSTRATION_KEY = encryption.Ring([encryption._DEMONSTRATION]).current_id
NOBODY = {"$replace": {"origin": "issue field", "field_id": "assignee"}}
COPY = {
    "action": "copy",
    "type": "project-issuetype-status-trans",
    "projectId": "10101",
    "issueTypeId": "10002",
    "sourceStatusId": "1",
    "transitionId": "11",
    "mappingList": [
        {"projectId": "10100", "issueTypeId": "10003", "sourceStatusId": "10000", "transitionId": "131"}
    ],
}
COPY_OF_A_PROJECT = {
    "action": "copy",
    "type": "project",
    "projectId": "10100",
    "mappingList": [{"projectId": "10101"}],
}
OVERTAKEN = {
    "id": 1,
    "at": "2023-02-01T10:00:00.000Z",
    "username": "admin",
    "operation": "COPY",
    "type": "project",
    "affected": 1,
    "skipped": 0,
    "entries": [
        {
            "project_id": 10100,
            "issue_type_id": 10002,
            "source_status_id": 1,
            "transition_id": 11,
            "effect": "create",
            "reason": "the transition is not mapped",
            "mapping_id": 6,
            "is_overtaken": True,
        }
    ],
}
TO_TEST = {"projectId": 10000, "issueTypeId": 10002, "sourceStatusId": 1, "transitionId": 11}
NO_MAPPINGS: dict[str, Any] = {
    "approval_mappings": {"$replace": []},
    "issue_approvals": {"$replace": []},
    "single_issue_configurations": {"$replace": []},
}


def administers(
    method: str,
    target: str,
    body: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    given: Mapping[str, Any] | None = None,
    **details: Any,
) -> Provocation:
    def provoke(stage: Stage) -> TestResponse:
        if given is not None:
            lay_over(stage.client, given)
        content = b"" if body is None else orjson.dumps(body)
        sent = {**JSON, **(headers or {})}
        return send(stage.client, method, target, caller="admin", headers=sent, body=content)

    return Provocation(provoke, details)


def administers_runs(
    *bodies: Mapping[str, Any], target: str = "approvals/{id}/votes", given: Any = None, **details: Any
) -> Provocation:
    """Start an approval by the definition QA, and send these bodies one after the other."""

    def provoke(stage: Stage) -> TestResponse:
        if given is not None:
            lay_over(stage.client, given)
        started = administers("POST", f"{PATHS}/approvals", START).request(stage)
        for body in bodies:
            path = f"{PATHS}/{target}".replace("{id}", str(started.json["id"]))
            answer = administers("POST", path, body).request(stage)
        return answer

    return Provocation(provoke, {"id": 1, **details})


def vote(voter: str, decision: str = "ACCEPTED", **members: Any) -> dict[str, Any]:
    return {"voter": voter, "decision": decision, **members}


START = {"product": "jira", "ref": "TEST-1", "definitionId": 197}
TWO_VOTES = {
    "approval_definitions": [
        {
            "id": 197,
            "name": "QA",
            "steps": {"$replace": [{"kind": "GROUP", "group": "jira-software-users", "required_votes": 2}]},
        }
    ]
}
CONDITIONS = {"approval_conditions": [{"id": 1, "name": "bugs", "jql": "type = Bug"}]}
CONDITIONED = {**CONDITIONS, "approval_definitions": [{"id": 197, "condition_id": 1}]}
EMPTY_STEP = {
    "groups": [{"name": "nobody"}],
    "approval_definitions": [{"id": 197, "steps": {"$replace": [{"kind": "GROUP", "group": "nobody"}]}}],
}
HOOK = {
    "approval_definitions": [
        {"id": 197, "steps": {"$replace": [{"kind": "HTTP", "url_template": "https://hooks.example.com/"}]}}
    ]
}


def asks_for_roles(
    method: str,
    path: str = "",
    body: Any = None,
    *,
    sent: Mapping[str, str] | None = None,
    given: Mapping[str, Any] | None = None,
    **details: Any,
) -> Provocation:
    """Ask as an administrator of the site. path: below that of the roles."""

    def provoke(stage: Stage) -> TestResponse:
        if given is not None:
            lay_over(stage.client, given)
        content = b"" if body is None else orjson.dumps(body)
        headers = {**JSON, **(sent or {})}
        return send(stage.client, method, ROLES + path, caller="admin", headers=headers, body=content)

    return Provocation(provoke, details)


MAPPING = {
    "projectId": 10000,
    "issueTypeId": 10002,
    "sourceStatusId": 1,
    "transitionId": 5,
    "approvals": [{"approvalId": 1}],
}
NOTHING: dict[str, Any] = {"$replace": []}
SYSTEM_WORKFLOW = {
    "workflows": [{"id": 1, "is_system": True}],
    "approval_mappings": NOTHING,
    "issue_approvals": NOTHING,
}
EXPIRED = {"licence": {"state": "expired"}}
HERE = {"base_url": "http://localhost", "realm": "http%3A%2F%2Flocalhost"}
ASSIGNED = {"role_assignments": [{"username": "carol", "role_id": FINANCE_ROLE}]}
UNREADABLE = {"reason": "The browser (or proxy) sent a request that this server could not understand."}
TOO_LARGE = {"body": b" " * (LIMIT + 1), "details": {"limit": str(LIMIT)}}
CUT_OFF = {
    "body": b"{",
    "headers": {**JSON, "Content-Length": "10"},
    "details": UNREADABLE,
}
BOB = b'{"username": "bob", "password": "bob"}'
BOB_WRONG = b'{"username": "bob", "password": "wrong"}'
NO_JSON = "unexpected end of data: line 1 column 2 (char 1)"

PROVOKED: dict[tuple[Fault, str], Provocation] = {
    # -- search --
    (Fault.APPROVAL_NOT_FOUND, "herzum"): searches("appname=wrongappname"),
    (Fault.APPROVAL_NAME_EMPTY, "herzum"): searches("appname=%20"),
    (Fault.USER_NOT_FOUND, "herzum"): searches("username=wronguser"),
    (Fault.USERNAME_EMPTY, "herzum"): searches("username="),
    (Fault.STATUS_NOT_FOUND, "herzum"): searches("status=WRONGSTATUS"),
    (Fault.STATUS_EMPTY, "herzum"): searches("status=%20%20"),
    (Fault.ISSUE_KEY_EMPTY, "herzum"): searches("issuekey="),
    (Fault.ISSUE_NOT_FOUND, "herzum"): searches("issuekey=%20NONE-1", key="NONE-1"),
    (Fault.ISSUE_KEYS_EMPTY, "herzum"): searches("issuekeys=%20,%20"),
    (Fault.ISSUE_IDS_EMPTY, "herzum"): searches("issueids="),
    (Fault.ISSUES_NOT_FOUND, "herzum"): searches(
        "issuekeys=TEST-1,%20NONE-1,NONE-2&issueids=12500,99,xyz",
        invalid_sets=" Invalid issue key set: (NONE-1,NONE-2). Invalid issue id set: (99,xyz).",
    ),
    (Fault.START_AT_EMPTY, "herzum"): searches("startAt="),
    (Fault.START_AT_INVALID, "herzum"): searches("startAt=WrongStartAt"),
    (Fault.MAX_RESULTS_EMPTY, "herzum"): searches("maxResults=%20"),
    (Fault.MAX_RESULTS_INVALID, "herzum"): searches("maxResults=-1"),
    (Fault.LICENCE_INVALID, "herzum"): Provocation(expires),
    # -- action --
    (Fault.ACTION_NOT_FOUND, "herzum"): acts({"action": "WRONG"}),
    (Fault.ISSUE_APPROVAL_NOT_FOUND, "herzum"): acts({"action": "APPROVE"}, on=9999),
    (Fault.CREDENTIALS_WRONG, "herzum"): acts({"action": "APPROVE", "username": "admin", "password": "x"}),
    (Fault.CREDENTIALS_DENIED, "herzum"): Provocation(acts_locked_out, HERE),
    (Fault.USERNAME_OF_ANOTHER, "herzum"): acts({"action": "APPROVE", "username": "alice"}),
    (Fault.ACTION_UNAUTHORIZED, "herzum"): acts({"action": "APPROVE"}, caller="carol"),
    (Fault.ACTION_REQUIRED, "herzum"): acts({}),
    (Fault.PASSWORD_REQUIRED, "herzum"): acts(
        {"action": "APPROVE"}, given={"configuration": {"credentials_required": "password"}}
    ),
    (Fault.USERNAME_REQUIRED, "herzum"): acts(
        {"action": "APPROVE", "password": "admin"},
        given={"configuration": {"credentials_required": "username and password"}},
    ),
    (Fault.COMMENT_REQUIRED, "herzum"): acts(
        {"action": "APPROVE"}, given={"issue_approvals": [{"id": 75, "settings": {"requires_comment": True}}]}
    ),
    (Fault.CONFIGURATION_ROW, "herzum"): acts({"action": "APPROVE"}, on=90),
    (Fault.ACTION_DISABLED, "herzum"): acts({"action": "ABSTAIN"}),
    # -- bulk --
    (Fault.BULK_PROJECT_NOT_FOUND, "herzum"): changes({"projectId": "10108"}, project_id="10108"),
    (Fault.BULK_ISSUE_TYPE_NOT_FOUND, "herzum"): changes({"issueTypeId": "30002"}, issue_type_id="30002"),
    (Fault.BULK_STATUS_NOT_FOUND, "herzum"): changes(
        {"sourceStatusId": "1111"},
        status_id="1111",
        workflow="TEST: Process Management Workflow",
        project_key="DOUB",
        issue_type_id="10002",
    ),
    (Fault.BULK_TRANSITION_INVALID, "herzum"): changes(
        {"transitionId": "3100"},
        transition_id="3100",
        status="Open",
        status_id="1",
        project_id="10101",
        issue_type_id="10002",
    ),
    (Fault.BULK_ACTION_REQUIRED, "herzum"): changes({"action": " "}),
    (Fault.BULK_ACTION_NOT_FOUND, "herzum"): changes({"action": "clone"}),
    (Fault.BULK_TYPE_REQUIRED, "herzum"): changes({"type": None}),
    (Fault.BULK_TYPE_NOT_FOUND, "herzum"): changes({"type": "project-workflow"}),
    (Fault.BULK_PROJECT_REQUIRED, "herzum"): changes({"projectId": None}),
    (Fault.BULK_ISSUE_TYPE_REQUIRED, "herzum"): changes({"issueTypeId": ""}),
    (Fault.BULK_STATUS_REQUIRED, "herzum"): changes({"sourceStatusId": None}),
    (Fault.BULK_TRANSITION_REQUIRED, "herzum"): changes({"transitionId": None}),
    (Fault.BULK_LIST_INVALID, "herzum"): changes({"mappingList": {}}),
    (Fault.BULK_SCHEMES_DIFFER, "herzum"): changes(
        {"type": "project", "mappingList": [{"projectId": 10000}]}, source_id="10101", destination_id="10000"
    ),
    (Fault.BULK_WORKFLOWS_DIFFER, "herzum"): changes(
        {"type": "project-issuetype", "mappingList": [{"projectId": 10000, "issueTypeId": 10004}]},
        source_id="10101",
        source_type_id="10002",
        destination_id="10000",
        destination_type_id="10004",
    ),
    (Fault.BULK_WORKFLOW_READ_ONLY, "herzum"): Provocation(
        changes_a_system_workflow, {"workflow": "Classic Workflow"}
    ),
    (Fault.BULK_OPERATION_NOT_FOUND, "herzum"): asks(
        "POST", f"{BULK}/99/undo", caller="admin", details={"operation_id": "99"}
    ),
    (Fault.BULK_OPERATION_UNDONE, "herzum"): Provocation(partial(undoes, times=2), {"operation_id": "1"}),
    (Fault.BULK_OPERATION_OVERTAKEN, "herzum"): Provocation(
        partial(undoes, change={"bulk_operations": {"$replace": [OVERTAKEN]}}),
        {
            "operation_id": "1",
            "changes": "project 10100, issue type 10002, status 1, transition 11: its mapping was changed",
        },
    ),
    (Fault.ADMINISTRATOR_REQUIRED, "herzum"): asks("POST", BULK, caller="carol"),
    # -- Jira's issues --
    (Fault.ISSUE_UNKNOWN, "jira"): asks("GET", "/rest/api/2/issue/NONE-1", caller="admin"),
    (Fault.TRANSITION_MISSING, "jira"): moves({}),
    (Fault.TRANSITION_MISTYPED, "jira"): moves({"transition": {"id": "x"}}),
    (Fault.TRANSITION_NOT_AVAILABLE, "jira"): moves({"transition": {"id": 999}}, name="999", key="SOFT-1"),
    # -- logins --
    (Fault.LOGIN_REQUIRED, "herzum"): asks("GET", SEARCH),
    (Fault.LOGIN_REQUIRED, "jira"): asks("GET", SESSION, details=HERE),
    (Fault.LOGIN_CHALLENGED, "herzum"): asks("GET", f"{SEARCH}?os_authType=basic"),
    (Fault.LOGIN_CHALLENGED, "jira"): asks("GET", f"{MYSELF}?os_authType=basic"),
    (Fault.BASIC_LOGIN_FAILED, "herzum"): asks("GET", SEARCH, caller="bob", password="wrong"),
    (Fault.BASIC_LOGIN_FAILED, "jira"): asks("GET", MYSELF, headers={"Authorization": "Basic =="}),
    (Fault.BASIC_LOGIN_DENIED, "herzum"): after_failures("GET", SEARCH, caller="bob"),
    (Fault.BASIC_LOGIN_DENIED, "jira"): after_failures("GET", MYSELF, caller="bob"),
    (Fault.SESSION_LOGIN_FAILED, "jira"): asks("POST", SESSION, headers=JSON, body=BOB_WRONG, details=HERE),
    (Fault.SESSION_LOGIN_DENIED, "jira"): after_failures("POST", SESSION, headers=JSON, body=BOB),
    (Fault.TOKEN_INVALID, "herzum"): asks("GET", SEARCH, headers={"Authorization": "Bearer abc"}),
    (Fault.TOKEN_INVALID, "jira"): asks("GET", MYSELF, headers={"Authorization": "Bearer abc"}, details=HERE),
    (Fault.URL_LOGIN_REFUSED, "herzum"): asks("GET", f"{SEARCH}?os_username=bob&os_password=bob"),
    (Fault.URL_LOGIN_REFUSED, "jira"): asks("GET", f"{MYSELF}?os_password=bob"),
    # -- administration --
    (Fault.LICENCE_INVALID, "administration"): administers("GET", MAPPINGS, given=EXPIRED),
    (Fault.ADMINISTRATOR_REQUIRED, "administration"): asks("GET", MAPPINGS, caller="carol"),
    (Fault.PARAMETER_INVALID, "administration"): administers(
        "GET", f"{MAPPINGS}?projectId=x", name="projectId", reason="must be an id"
    ),
    (Fault.VALUE_INVALID, "administration"): administers(
        "POST", APPROVALS, {"name": 1}, path="name", reason="must be a text"
    ),
    (Fault.REFERENCE_INVALID, "administration"): administers(
        "POST",
        MAPPINGS,
        {**MAPPING, "issueTypeId": 99},
        path="issueTypeId",
        reason="99 is the id of none of the issue_types",
    ),
    (Fault.MAPPING_UNKNOWN, "administration"): administers("GET", f"{MAPPINGS}/99", id=99),
    (Fault.SCOPE_MAPPED, "administration"): administers(
        "POST", MAPPINGS, {**MAPPING, "transitionId": 11}, id=4
    ),
    (Fault.SCOPE_FIXED, "administration"): administers("PUT", f"{MAPPINGS}/4", MAPPING),
    (Fault.WORKFLOW_READ_ONLY, "administration"): administers(
        "POST", MAPPINGS, MAPPING, given=SYSTEM_WORKFLOW, name="Classic Workflow"
    ),
    (Fault.TRANSITION_UNFIT, "administration"): administers(
        "POST",
        MAPPINGS,
        {**MAPPING, "transitionId": 111},
        path="transitionId",
        reason="111 is no transition from status 1 in 'Classic Workflow'",
    ),
    (Fault.APPROVAL_UNKNOWN, "administration"): administers("DELETE", f"{APPROVALS}/99", id=99),
    (Fault.BULK_OPERATION_UNKNOWN, "administration"): administers("GET", f"{BULK_OPERATIONS}/99", id=99),
    (Fault.APPROVAL_NAME_TAKEN, "administration"): administers(
        "POST", APPROVALS, {"name": "tech"}, name="tech"
    ),
    (Fault.APPROVAL_IN_USE, "administration"): administers(
        "DELETE", f"{APPROVALS}/5", name="restricted", mappings=1, issue_approvals=1
    ),
    (Fault.PATH_REFERENCE_UNKNOWN, "administration"): administers(
        "POST", f"{PATHS}/approvals", {**START, "ref": "NONE-1"}, kind="Issue", ref="NONE-1"
    ),
    (Fault.DEFINITION_UNKNOWN, "administration"): administers("GET", f"{PATHS}/definitions/99", id=99),
    (Fault.PATH_UNKNOWN, "administration"): administers("GET", f"{PATHS}/approvals/99", id=99),
    (Fault.PATH_CONDITION_FALSE, "administration"): administers(
        "POST", f"{PATHS}/approvals", START, given=CONDITIONED, name="QA"
    ),
    (Fault.PATH_STEP_EMPTY, "administration"): administers(
        "POST", f"{PATHS}/approvals", START, given=EMPTY_STEP, name="QA", position=1
    ),
    (Fault.PATH_ENDED, "administration"): administers_runs(
        vote("alice", "REJECTED"), vote("bob"), status="FAIL"
    ),
    (Fault.STEP_NOT_ACTIVE, "administration"): administers_runs(vote("bob", position=2), position=2),
    (Fault.VOTER_NOT_ASKED, "administration"): administers_runs(vote("bob"), name="bob"),
    (Fault.VOTE_CAST, "administration"): administers_runs(
        vote("bob"), vote("bob"), given=TWO_VOTES, name="bob"
    ),
    (Fault.ABSTAINING_DISABLED, "administration"): administers_runs(vote("alice", "ABSTAINED")),
    (Fault.CALL_UNKNOWN, "administration"): administers("GET", f"{PATHS}/requests/99", id=99),
    (Fault.CALL_DECIDED, "administration"): administers_runs(
        {"status": 200}, target="requests/1/answer", given=HOOK
    ),
    (Fault.CONDITION_UNKNOWN, "administration"): administers("GET", f"{PATHS}/conditions/99", id=99),
    (Fault.CONDITION_NAME_TAKEN, "administration"): administers(
        "POST", f"{PATHS}/conditions", {"name": "bugs", "jql": "type = Bug"}, given=CONDITIONS, name="bugs"
    ),
    (Fault.CONDITION_IN_USE, "administration"): administers(
        "DELETE", f"{PATHS}/conditions/1", given=CONDITIONED, name="bugs", count=1
    ),
    (Fault.SPACE_UNKNOWN, "administration"): administers("GET", f"{PATHS}/spaces/99", id=99),
    (Fault.SPACE_KEY_TAKEN, "administration"): administers(
        "POST", f"{PATHS}/spaces", {"key": "DOC", "name": "x"}, key="DOC"
    ),
    (Fault.SPACE_IN_USE, "administration"): administers(
        "DELETE", f"{PATHS}/spaces/10001", key="DOC", pages=2, definitions=1
    ),
    (Fault.PAGE_UNKNOWN, "administration"): administers("GET", f"{PATHS}/pages/99", id=99),
    (Fault.VERSION_STALE, "administration"): administers(
        "PUT", CONFIGURATION, {}, headers={"If-Match": '"0"'}
    ),
    (Fault.LOGIN_REQUIRED, "administration"): asks("GET", MAPPINGS, details=HERE),
    (Fault.LOGIN_CHALLENGED, "administration"): asks("GET", f"{MAPPINGS}?os_authType=basic"),
    (Fault.BASIC_LOGIN_FAILED, "administration"): asks("GET", MAPPINGS, caller="bob", password="wrong"),
    (Fault.BASIC_LOGIN_DENIED, "administration"): after_failures("GET", MAPPINGS, caller="bob"),
    (Fault.TOKEN_INVALID, "administration"): asks("GET", MAPPINGS, headers={"Authorization": "Bearer abc"}),
    (Fault.URL_LOGIN_REFUSED, "administration"): asks("GET", f"{MAPPINGS}?os_password=bob"),
    (Fault.ROUTE_NOT_FOUND, "administration"): asks(
        "GET", f"{ADMINISTRATION}/none", details={"url": f"http://localhost{ADMINISTRATION}/none"}
    ),
    (Fault.METHOD_NOT_ALLOWED, "administration"): asks(
        "DELETE", CONFIGURATION, details={"allow": "GET, HEAD, OPTIONS, PUT"}
    ),
    (Fault.BODY_MALFORMED, "administration"): administers(
        "PUT", CONFIGURATION, [], reason="it must be an object"
    ),
    (Fault.BODY_TOO_LARGE, "administration"): asks("PUT", CONFIGURATION, headers=JSON, **TOO_LARGE),
    (Fault.CONTENT_TYPE_UNSUPPORTED, "administration"): asks(
        "PUT", CONFIGURATION, caller="admin", headers={"Content-Type": "text/plain"}, body=b"{}"
    ),
    (Fault.REQUEST_MALFORMED, "administration"): asks("PUT", CONFIGURATION, caller="admin", **CUT_OFF),
    (Fault.BUSY, "administration"): asks("GET", CONFIGURATION, caller="admin", busy=True),
    (Fault.INTERNAL_ERROR, "administration"): breaks(
        mappings, "find_mappings", "GET", MAPPINGS, caller="admin"
    ),
    # -- the Web API of Approval Path, and its keys --
    (Fault.KEY_REQUIRED, "approval_path"): calls("GET", "approvals/TEST-1", caller=None),
    (Fault.KEY_UNKNOWN, "approval_path"): calls("GET", "approvals/TEST-1", caller="nobody"),
    (Fault.KEY_NOT_VALID_NOW, "approval_path"): calls(
        "GET", "approvals/TEST-1", given=with_api_key(valid_until="2020-01-01T00:00:00.000Z")
    ),
    (Fault.ADDRESS_NOT_ALLOWED, "approval_path"): calls(
        "GET", "approvals/TEST-1", given=with_api_key(allowed_ips="192.0.2.1")
    ),
    (Fault.PRIVILEGE_MISSING, "approval_path"): calls(
        "GET", "approvals/TEST-1", given=with_api_key(can_get_status=False), privilege="Get approval status"
    ),
    (Fault.PATH_REFERENCE_UNKNOWN, "approval_path"): calls(
        "GET", "approvals/NONE-1", kind="Issue", ref="NONE-1"
    ),
    (Fault.COLLECTION_UNKNOWN, "approval_path"): calls(
        "GET", "approval-definitions/NONE", kind="Project", ref="NONE"
    ),
    (Fault.VALUE_INVALID, "approval_path"): calls(
        "POST", "approvals/TEST-1", {}, path="definitionId", reason="is missing"
    ),
    (Fault.PERFORMER_UNRESOLVED, "approval_path"): calls(
        "POST",
        "approvals/TEST-1",
        {"definitionId": "35"},
        given={**with_api_key(performer=NOBODY), "issues": [{"id": 12305, "assignee": None}]},
    ),
    (Fault.PERFORMER_OUTSIDE_GROUP, "approval_path"): calls(
        "POST",
        "approvals/TEST-1/reset",
        {"userId": "630a55c646556c72662aaaaa"},
        given=with_api_key(performer={"group": "approvers"}),
        group="approvers",
    ),
    (Fault.DEFINITION_UNKNOWN, "approval_path"): calls("POST", "approvals/TEST-1", {"definitionId": "98"}),
    (Fault.PATH_UNKNOWN, "approval_path"): calls("DELETE", "approvals/TEST-1/1"),
    (Fault.PATH_CONDITION_FALSE, "approval_path"): calls(
        "POST", "approvals/TEST-1", {"definitionId": "197"}, given=CONDITIONED, name="QA"
    ),
    (Fault.PATH_STEP_EMPTY, "approval_path"): calls(
        "POST", "approvals/TEST-1", {"definitionId": "197"}, given=EMPTY_STEP, name="QA", position=1
    ),
    (Fault.ROUTE_NOT_FOUND, "approval_path"): calls("GET", "none", url="http://localhost/webapi/none"),
    (Fault.METHOD_NOT_ALLOWED, "approval_path"): calls(
        "PUT", "approvals/TEST-1", allow="GET, HEAD, OPTIONS, POST"
    ),
    (Fault.BODY_MALFORMED, "approval_path"): calls(
        "POST", "approvals/TEST-1", [], reason="it must be an object"
    ),
    (Fault.BODY_TOO_LARGE, "approval_path"): asks("POST", f"{WEBAPI}/TEST-1", headers=JSON, **TOO_LARGE),
    (Fault.CONTENT_TYPE_UNSUPPORTED, "approval_path"): calls(
        "POST", "approvals/TEST-1", {}, headers={"Content-Type": "text/plain"}
    ),
    (Fault.REQUEST_MALFORMED, "approval_path"): asks("POST", f"{WEBAPI}/TEST-1", caller="admin", **CUT_OFF),
    (Fault.BUSY, "approval_path"): asks("GET", f"{WEBAPI}/TEST-1", caller="admin", busy=True),
    (Fault.INTERNAL_ERROR, "approval_path"): breaks(
        approval_paths, "list_approvals", "GET", f"{WEBAPI}/TEST-1", caller="admin"
    ),
    (Fault.API_KEY_UNKNOWN, "administration"): administers("GET", f"{KEYS}/99", id=99),
    (Fault.SECRET_UNREADABLE, "administration"): Provocation(changes_its_keys, {"key_id": DEMONSTRATION_KEY}),
    (Fault.KEY_FILE_MISSING, "administration"): loses_its_keys(
        "POST", KEYS, {"name": "x", "product": "jira"}
    ),
    (Fault.KEY_FILE_MISSING, "emulator"): loses_its_keys("POST", RESET),
    # -- the metrics --
    (Fault.ADMINISTRATOR_REQUIRED, "outside"): asks("GET", METRICS, caller="bob"),
    (Fault.LOGIN_REQUIRED, "outside"): asks("GET", METRICS),
    (Fault.LOGIN_CHALLENGED, "outside"): asks("GET", f"{METRICS}?os_authType=basic"),
    (Fault.BASIC_LOGIN_FAILED, "outside"): asks("GET", METRICS, caller="bob", password="wrong"),
    (Fault.BASIC_LOGIN_DENIED, "outside"): after_failures("GET", METRICS, caller="bob"),
    (Fault.TOKEN_INVALID, "outside"): asks("GET", METRICS, headers={"Authorization": "Bearer abc"}),
    (Fault.URL_LOGIN_REFUSED, "outside"): asks("GET", f"{METRICS}?os_password=bob"),
    (Fault.BUSY, "outside"): asks("GET", METRICS, caller="admin", busy=True),
    # -- JSM Operations --
    (Fault.LOGIN_REQUIRED, "jsm_ops"): asks("GET", ROLES),
    (Fault.TOKEN_INVALID, "jsm_ops"): asks("GET", ROLES, caller="admin", password="wrong"),
    (Fault.ADMINISTRATOR_REQUIRED, "jsm_ops"): asks("GET", ROLES, caller="bob"),
    (Fault.TOKEN_SCOPE_MISSING, "jsm_ops"): asks(
        "DELETE",
        f"{OAUTH_ROLES}/{SRE_ROLE}",
        headers={"Authorization": "Bearer demo-oauth-admin-read"},
        details={"scope": "delete:ops-config:jira-service-management"},
    ),
    (Fault.JSM_SITE_UNKNOWN, "jsm_ops"): asks(
        "GET", "/jsm/ops/api/none/v1/roles", caller="admin", details={"cloud_id": "none"}
    ),
    (Fault.JSM_SITE_UNKNOWN, "administration"): administers(
        "GET", f"{JSM_ADMINISTRATION}/sites/none", cloud_id="none"
    ),
    (Fault.JSM_SITE_TAKEN, "administration"): administers(
        "POST", f"{JSM_ADMINISTRATION}/sites", {"cloudId": CLOUD_ID, "name": "x"}, cloud_id=CLOUD_ID
    ),
    (Fault.JSM_SITE_IN_USE, "administration"): administers(
        "DELETE", f"{JSM_ADMINISTRATION}/sites/{CLOUD_ID}", cloud_id=CLOUD_ID
    ),
    (Fault.JSM_USER_UNKNOWN, "jsm_ops"): asks_for_roles(
        "POST", "/assign", {"accountId": "none", "roleId": SRE_ROLE}, account_id="none"
    ),
    (Fault.JSM_USER_UNKNOWN, "administration"): administers(
        "GET", f"{JSM_ADMINISTRATION}/sites/{CLOUD_ID}/users/none", account_id="none"
    ),
    (Fault.JSM_TOKEN_UNKNOWN, "administration"): administers(
        "DELETE", f"{JSM_ADMINISTRATION}/tokens/99", id=99
    ),
    (Fault.PLAN_WITHOUT_ROLES, "jsm_ops"): asks_for_roles(
        "GET", given={"jsm_sites": [{"name": "Demonstration", "has_custom_roles": False}]}
    ),
    (Fault.REQUESTS_TOO_MANY, "jsm_ops"): asks_for_roles(
        "GET", given={"jsm_sites": [{"name": "Demonstration", "is_throttled": True}]}
    ),
    (Fault.ROLE_UNKNOWN, "jsm_ops"): asks_for_roles("GET", "/none", identifier="none"),
    (Fault.ROLE_INVALID, "jsm_ops"): asks_for_roles("POST", "", {}, errors={"name": "must not be blank"}),
    (Fault.ROLE_NAME_TAKEN, "jsm_ops"): asks_for_roles("POST", "", {"name": "SRERole"}, name="SRERole"),
    (Fault.ROLE_IN_USE, "jsm_ops"): asks_for_roles(
        "DELETE", f"/{FINANCE_ROLE}", given=ASSIGNED, name="FinanceRole"
    ),
    (Fault.PARAMETER_INVALID, "jsm_ops"): asks_for_roles(
        "GET", "?size=0", name="size", reason="must not be less than 1"
    ),
    (Fault.VERSION_STALE, "jsm_ops"): asks_for_roles("PUT", f"/{SRE_ROLE}", {}, sent={"If-Match": '"0"'}),
    (Fault.ROUTE_NOT_FOUND, "jsm_ops"): asks(
        "GET", "/ex/jira/none", details={"url": "http://localhost/ex/jira/none"}
    ),
    (Fault.METHOD_NOT_ALLOWED, "jsm_ops"): asks(
        "POST", f"{ROLES}/{SRE_ROLE}", details={"allow": "DELETE, GET, HEAD, OPTIONS, PUT"}
    ),
    (Fault.BODY_MALFORMED, "jsm_ops"): asks_for_roles("POST", "", [], reason="it must be an object"),
    (Fault.BODY_TOO_LARGE, "jsm_ops"): asks("POST", ROLES, headers=JSON, **TOO_LARGE),
    (Fault.CONTENT_TYPE_UNSUPPORTED, "jsm_ops"): asks(
        "POST", ROLES, caller="admin", headers={"Content-Type": "text/plain"}, body=b"{}"
    ),
    (Fault.REQUEST_MALFORMED, "jsm_ops"): asks("POST", ROLES, caller="admin", **CUT_OFF),
    (Fault.BUSY, "jsm_ops"): asks("GET", ROLES, caller="admin", busy=True),
    (Fault.INTERNAL_ERROR, "jsm_ops"): breaks(custom_roles, "list_roles", "GET", ROLES, caller="admin"),
    # -- every door --
    (Fault.ROUTE_NOT_FOUND, "herzum"): asks(
        "GET", f"{SEARCH}/none", details={"url": f"http://localhost{SEARCH}/none"}
    ),
    (Fault.ROUTE_NOT_FOUND, "jira"): asks(
        "GET", "/rest/none?q=1", details={"url": "http://localhost/rest/none"}
    ),
    (Fault.ROUTE_NOT_FOUND, "emulator"): asks(
        "GET", "/__emulator/none", details={"url": "http://localhost/__emulator/none"}
    ),
    (Fault.ROUTE_NOT_FOUND, "outside"): asks("GET", "/none"),
    (Fault.METHOD_NOT_ALLOWED, "herzum"): asks("PUT", SEARCH, details={"allow": "GET, HEAD, OPTIONS"}),
    (Fault.METHOD_NOT_ALLOWED, "jira"): asks("PUT", MYSELF, details={"allow": "GET, HEAD, OPTIONS"}),
    (Fault.METHOD_NOT_ALLOWED, "emulator"): asks("GET", RESET, details={"allow": "OPTIONS, POST"}),
    (Fault.METHOD_NOT_ALLOWED, "outside"): asks("POST", DOCS, details={"allow": "GET, HEAD, OPTIONS"}),
    (Fault.BODY_MALFORMED, "herzum"): asks(
        "POST",
        f"{SEARCH}/75/action",
        caller="admin",
        headers=JSON,
        body=b"[]",
        details={"reason": "it must be an object"},
    ),
    (Fault.BODY_MALFORMED, "jira"): asks(
        "POST", SESSION, headers=JSON, body=b"[]", details={"reason": "it must be an object"}
    ),
    (Fault.BODY_MALFORMED, "emulator"): asks("PUT", SNAPSHOT, body=b"{", details={"reason": NO_JSON}),
    (Fault.BODY_TOO_LARGE, "herzum"): asks("GET", SEARCH, **TOO_LARGE),
    (Fault.BODY_TOO_LARGE, "jira"): asks("POST", SESSION, headers=JSON, **TOO_LARGE),
    (Fault.BODY_TOO_LARGE, "emulator"): asks("PUT", SNAPSHOT, **TOO_LARGE),
    (Fault.BODY_TOO_LARGE, "outside"): asks("POST", DOCS, **TOO_LARGE),
    (Fault.CONTENT_TYPE_UNSUPPORTED, "herzum"): asks(
        "POST", f"{SEARCH}/75/action", caller="admin", headers={"Content-Type": "text/plain"}, body=b"{}"
    ),
    (Fault.CONTENT_TYPE_UNSUPPORTED, "jira"): asks(
        "POST", SESSION, headers={"Content-Type": "text/plain"}, body=BOB
    ),
    (Fault.REQUEST_MALFORMED, "herzum"): asks("GET", SEARCH, headers=BAD_HOST, details=UNREADABLE),
    (Fault.REQUEST_MALFORMED, "jira"): asks("POST", SESSION, **CUT_OFF),
    (Fault.REQUEST_MALFORMED, "emulator"): asks("PUT", SNAPSHOT, **CUT_OFF),
    (Fault.REQUEST_MALFORMED, "outside"): asks(
        "GET", DOCS, headers={"Host": "a b"}, details={"reason": "the header Host names no host"}
    ),
    (Fault.BUSY, "herzum"): asks("GET", SEARCH, caller="admin", busy=True),
    (Fault.BUSY, "jira"): asks("POST", SESSION, headers=JSON, body=BOB, busy=True),
    (Fault.BUSY, "emulator"): asks("POST", RESET, busy=True),
    (Fault.INTERNAL_ERROR, "herzum"): breaks(issue_approvals, "search", "GET", SEARCH, caller="admin"),
    (Fault.INTERNAL_ERROR, "jira"): breaks(people, "find_user", "GET", MYSELF, caller="admin"),
    (Fault.INTERNAL_ERROR, "emulator"): breaks(snapshot, "reset", "POST", RESET),
    (Fault.INTERNAL_ERROR, "outside"): breaks(openapi, "json_response", "GET", "/openapi/herzum.json"),
    # -- the emulator's own doors --
    (Fault.SNAPSHOT_REFUSED, "emulator"): asks(
        "PUT", SNAPSHOT, body=b"{}", details={"path": "format", "reason": "is missing"}
    ),
}

COLUMNS = [(fault, name) for fault in Fault for name in FAMILIES if getattr(fault.value, name) is not None]


# -- the catalogue ----------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "family"), COLUMNS, ids=lambda value: getattr(value, "name", value))
def test_fault(stage: Stage, answered: list["Answered"], fault: Fault, family: str) -> None:
    provocation = PROVOKED[fault, family]
    wire = fault.wire(family)
    answer = provocation.request(stage)
    assert answer.status_int == wire.status
    assert answered[-1].fault is fault
    text = wire.text.format_map(provocation.details)
    if wire.is_html:
        assert answer.headers["Content-Type"] == HTML_TYPE
        assert f"<p>{escape(text)}</p>" in answer.text
    else:
        assert answer.headers["Content-Type"] == JSON_TYPE
        expected = payload(fault, family, wire, text)
        if family == "approval_path":
            expected |= {"timestamp": answer.json["timestamp"], "path": answer.request.path}
        if family == "jsm_ops":
            expected = {
                **expected,
                **{name: answer.json[name] for name in ("took", "errors") if name in expected},
            }
            assert expected.get("errors") == provocation.details.get("errors")
        assert answer.body == orjson.dumps(expected)
    for name, value in wire.headers:
        assert answer.headers[name] == value.format_map(provocation.details)
    assert leaks(answered, stage.client) == []


def test_nothing_else_is_provoked() -> None:
    assert set(PROVOKED) <= set(COLUMNS)


def payload(fault: Fault, family: str, wire: Wire, text: str) -> dict[str, Any]:
    """Return the body in the family's shape."""
    framework = (Fault.ROUTE_NOT_FOUND, Fault.METHOD_NOT_ALLOWED, Fault.CONTENT_TYPE_UNSUPPORTED)
    if family == "jira" and fault not in framework:
        return {"errorMessages": [text], "errors": {}}
    if family == "approval_path":
        error = HTTPStatus(wire.status).phrase
        return {"timestamp": ..., "status": wire.status, "error": error, "message": text, "path": ...}
    if family == "jsm_ops":
        code = {} if wire.code is None else {"code": int(wire.code)}
        errors = {"errors": ...} if fault is Fault.ROLE_INVALID else {}
        return {**code, "message": text, **errors, "took": ..., "requestId": "request-1"}
    if wire.code is None:
        return {"message": text, "status-code": wire.status}
    return {"errorCode": wire.code, "errorMessage": text, "status": wire.status}


def test_codes_belong_to_the_shapes_that_have_them() -> None:
    for fault, family in COLUMNS:
        wire = fault.wire(family)
        assert (wire.code is None) or family in ("herzum", "administration", "jsm_ops", "emulator"), fault
        assert wire.code is not None or family not in ("administration", "emulator"), fault


def test_naming_a_fault_without_words_fails_at_import() -> None:
    with pytest.raises(KeyError, match="herzum has no words for SNAPSHOT_REFUSED"):
        Blueprint(HERZUM_ERRORS, "none", "/none", "").raises(Fault.SNAPSHOT_REFUSED)


# -- what is said and logged of the unforeseen ------------------------------------------------


def test_internal_error_is_logged_whole_and_told_briefly(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.break_(issue_approvals, "search")
    answer = send(stage.client, "GET", SEARCH, caller="admin")
    assert answer.status_int == 500
    assert answer.headers["X-Request-ID"] == "request-1"
    assert "request-1" in answer.text
    assert SECRET not in answer.text
    assert "RuntimeError" not in answer.text
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.request_id == "request-1"  # type: ignore[attr-defined]
    assert f"RuntimeError: {SECRET}" in caplog.text
    assert "in search" in caplog.text
    assert basic("admin", "admin") not in caplog.text
    assert basic("admin", "admin").split()[1] not in caplog.text


def test_fault_of_another_family_is_an_internal_error(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    def foreign(*args: Any) -> Any:
        raise Problem(Fault.SNAPSHOT_REFUSED, path="", reason="")

    stage.monkeypatch.setattr(issue_approvals, "search", foreign)
    answer = send(stage.client, "GET", SEARCH, caller="admin")
    assert answer.status_int == 500
    assert answer.json["errorCode"] == "request.internal.error"
    assert "no words" in caplog.text


def test_request_id_is_made_where_none_fits(client: TestApp) -> None:
    answers = [
        client.get("/none", headers=headers, status=404)
        for headers in ({}, {"X-Request-ID": "a b"}, {"X-Request-ID": "x" * 65}, {"X-Request-ID": ""})
    ]
    ids = {answer.headers["X-Request-ID"] for answer in answers}
    assert len(ids) == len(answers)
    assert all(re.fullmatch(r"[0-9a-f]{16}", id) for id in ids)


def test_texts_never_break_out_of_headers_or_pages() -> None:
    assert families.filled("{x}", {"x": "a\r\nSet-Cookie: b"}) == "a  Set-Cookie: b"
    app = Flask(__name__)

    @app.get("/")
    def view() -> None:
        raise Problem(Fault.REQUEST_MALFORMED, reason="<script>")

    install_error_handlers(app, ())
    with config.active(config.Settings()):
        answer = TestApp(app).get("/", status=400)
    assert "&lt;script&gt;" in answer.text
    assert "<script>" not in answer.text


# -- a busy database --------------------------------------------------------------------------


def test_busy_writer(tmp_path: Path, migrated_sqlite_file: Path) -> None:
    """Reading goes on while somebody writes; a second writer waits so long, and is then told."""
    path = tmp_path / "site.db"
    path.write_bytes(migrated_sqlite_file.read_bytes())
    app = create_app(
        database_url=f"sqlite:///{path}", database_wait_seconds=0.05, demonstration=True, bcrypt_cost=4
    )
    client = TestApp(app)
    document = {"format": "herzum-approval/1", "users": [USER]}
    client.put(SNAPSHOT, orjson.dumps(document), status=204)
    with app.wsgi_app.database.turns.turn:
        refused = client.post(SESSION, BOB, headers=JSON, status=503)
        client.get("/rest/api/2/serverInfo", status=200)
    assert refused.headers["Retry-After"] == "1"
    client.post(SESSION, BOB, headers=JSON, status=200)
    app.wsgi_app.database.close_all()


USER = {"id": 1, "username": "bob", "display_name": "Bob", "password": "bob"}


# -- declared faults --------------------------------------------------------------------------


@dataclass(frozen=True)
class Answered:
    """A fault that was answered: in which family, and by which route (None where none matched)."""

    fault: Fault
    family: str
    method: str
    rule: str | None


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[Answered]:
    """Every fault answered from now on."""
    found: list[Answered] = []
    answer = ErrorShape.answer

    def recorded(shape: ErrorShape, problem: Problem) -> flask.Response:
        rule = flask.request.url_rule
        found.append(Answered(problem.fault, shape.family, flask.request.method, rule and rule.rule))
        return answer(shape, problem)

    monkeypatch.setattr(ErrorShape, "answer", recorded)
    return found


def leaks(answered: list[Answered], client: TestApp) -> list[Answered]:
    """Return those that a route answered though its OpenAPI description does not declare them."""
    told = dict.fromkeys(each for each in answered if each.rule and each.family in FAMILIES[:-1])
    names = {each.family for each in told}
    documents = {name: client.get(f"/openapi/{name}.json", status=200).json for name in names}
    return [each for each in told if not declares(documents[each.family], each)]


def declares(document: Mapping[str, Any], answered: Answered) -> bool:
    path = re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", answered.rule or "")
    responses = document["paths"][path][answered.method.lower()]["responses"]
    wire = answered.fault.wire(answered.family)
    description = responses.get(str(wire.status), {}).get("description", "")
    return (f"`{wire.code}`" if wire.code else wire.text) in description


BODIES: list[Any] = [
    {"action": "WRONG"},
    {"action": "APPROVE"},
    {"action": "ABSTAIN"},
    {"action": 1},
    {"action": "APPROVE", "username": "nobody"},
    {"action": "APPROVE", "username": "alice"},
    {"action": "APPROVE", "password": "wrong"},
    {"action": "copy", "type": "project", "projectId": "10100", "mappingList": [{"projectId": "10200"}]},
    {"action": "edit", "type": "project", "projectId": [], "mappingList": []},
    {"transition": None},
    {"transition": {"id": "x"}},
    {"transition": {"id": 999}},
    {"name": 1},
    {"name": "tech"},
    {"name": "x", "approvers": [{"kind": "user", "value": "nobody"}]},
    {**MAPPING, "settings": {"reminderDays": 0}},
    {**MAPPING, "transitionId": 11},
    {**MAPPING, "transitionId": 111},
    {**MAPPING, "projectId": 99},
]

PATH_BODIES: list[Any] = [
    START,
    {**START, "ref": "NONE-1"},
    {**START, "definitionId": 99},
    {"voter": "alice", "decision": "REJECTED"},
    {"status": 200},
    {"product": "jira", "name": "x", "steps": [{"kind": "USER", "username": "nobody"}]},
    {"product": "jira", "name": "x", "steps": [{"kind": "USER", "username": "bob"}]},
    {"name": "bugs", "jql": "type ="},
    {"key": "DOC", "name": "x"},
    {"spaceId": 1, "title": "x"},
    {"definitionId": "35"},
    {"definitionId": []},
    {"definitionId": "99", "userId": "nobody"},
    {"createComment": "x"},
    {"name": "x", "product": "jira"},
    {"name": "x" * 41, "product": "jira"},
    {"name": "x", "product": "jira", "performer": {"origin": "user", "user": "nobody"}},
]

JSM_BODIES: list[Any] = [
    {"name": "tech"},
    {"name": "SRERole", "grantedRights": ["x"], "disallowedRights": ["x"]},
    {"name": "DeveloperRole"},
    {"name": "\0", "grantedRights": 1},
    {"accountId": CAROLS_ACCOUNT, "roleId": FINANCE_ROLE},
    {"accountId": "none", "roleId": SRE_ROLE},
    {"cloudId": CLOUD_ID, "name": "x"},
    {"cloudId": "other", "name": "x", "administrators": ["nobody"]},
    {"username": "carol", "expiresAt": "9999-12-31T23:59:59-23:00"},
]

HOSTILE: list[dict[str, Any]] = [
    {},
    {"caller": "bob"},
    {"caller": "carol"},
    {"caller": "carol", "headers": JSON, "body": b"{"},
    {"caller": "carol", "headers": JSON, "body": b'{"a":' * 100 + b"1" + b"}" * 100},
    {"caller": "carol", "headers": JSON, "body": b"[1]"},
    {"caller": "carol", "headers": JSON, "body": b"{}"},
    {"caller": "carol", "headers": JSON, "body": b"\xff"},
    {"caller": "carol", "headers": {"Content-Type": "text/plain"}, "body": b"hello"},
    {"caller": "carol", "body": b" " * (LIMIT + 1)},
    {"headers": {"Authorization": "Bearer abc"}},
    {"headers": {**JSON, "Authorization": "Bearer demo-oauth-admin-read"}, "body": b"{}"},
    {"headers": {"Authorization": "Basic !"}},
    {"headers": {"Cookie": "JSESSIONID=dead"}},
    {"headers": {**JSON, "Content-Length": "10"}, "body": b"{"},
    {"headers": BAD_HOST},
    {"headers": JSON, "body": BOB_WRONG},
]

PATH_PARAMETERS = {
    "ref_id": "TEST-1",
    "key_id": "1",
    "version": "latest",
    "issue_approval_id": "77",
    "operation_id": "1",
    "id_or_key": "TEST-1",
    "mapping_id": "4",
    "approval_id": "5",
    "entry_id": "35",
    "page_id": "10068",
    "path_id": "1",
    "call_id": "1",
    "cloud_id": CLOUD_ID,
    "identifier": FINANCE_ROLE,
    "account_id": CAROLS_ACCOUNT,
    "token_id": "3",
}

LAST: list[dict[str, Any]] = [
    *[{"caller": "bob", "password": "wrong"}] * 4,
    {"headers": JSON, "body": BOB},
]


def hostile_requests(path: str) -> list[dict[str, Any]]:
    """Return what to ask of a path: of JSM Operations and Approval Path other bodies than of the rest."""
    return [
        *HOSTILE,
        *(
            {"caller": caller, "headers": {**JSON, "If-Match": tag}, "body": orjson.dumps(body)}
            for body in (JSM_BODIES if is_of_jsm(path) else PATH_BODIES if is_of_paths(path) else BODIES)
            for caller, tag in (("carol", "*"), ("admin", "*"), ("admin", '"0"'))
        ),
        *LAST,
    ]


def hostile_queries(path: str) -> list[str]:
    """Return what to ask of a path: of JSM Operations by other names than of the rest."""
    names = JSM_NAMES if is_of_jsm(path) else NAMES
    return [*PLAIN_QUERIES, *(f"{name}={value}" for name in names for value in VALUES)]


def is_of_jsm(path: str) -> bool:
    return "/jsm" in path


def is_of_paths(path: str) -> bool:
    return "/approval-path/" in path or path.startswith("/webapi")


VALUES = ("", "%00", "x", "-1", "%ff", "9" * 30)
PLAIN_QUERIES = ("", "os_authType=basic", "os_authType=none", "os_username=bob")
JSM_NAMES = ("offset", "size", "identifierType", "startAt", "maxResults", "name")
NAMES = (
    "appname",
    "username",
    "status",
    "issuekey",
    "issuekeys",
    "issueids",
    "startAt",
    "maxResults",
    "dryRun",
    "projectId",
    "approvalId",
    "name",
)


def operations(client: TestApp) -> list[tuple[str, str]]:
    """Return method and path of every operation of every family."""
    found = []
    for family in FAMILIES[:-1]:
        for path, operations in client.get(f"/openapi/{family}.json", status=200).json["paths"].items():
            found += [(method.upper(), path) for method in operations if method != "parameters"]
    return found


@pytest.mark.parametrize("is_licensed", [True, False], ids=["licensed", "unlicensed"])
def test_no_route_leaks_an_undeclared_fault(
    client: TestApp, answered: list[Answered], is_licensed: bool
) -> None:
    walked = set()
    for method, path in operations(client):
        if not is_licensed:
            lay_over(client, EXPIRED)
        target = path
        for name, value in PATH_PARAMETERS.items():
            target = target.replace(f"{{{name}}}", value)
        assert "{" not in target
        for request in hostile_requests(target):
            send(client, method, target, **request)
        for query in hostile_queries(target):
            for caller in ("carol", "admin"):
                send(client, method, f"{target}?{query}", caller=caller)
        client.reset()
        client.post(RESET, status=204)
        walked.add((method, path))
    assert leaks(answered, client) == []
    families_met = {each.family for each in answered if each.rule}
    assert families_met == {"herzum", "jira", "approval_path", "administration", "jsm_ops", "emulator"}
    assert len(walked) >= 10


def test_a_leak_is_seen(answered: list[Answered]) -> None:
    blp = Blueprint(EMULATOR_ERRORS, "leaking", "/leaking", "")

    @blp.route("/<any('1'):version>", methods=["POST"])
    @blp.doc(operationId="leak")
    @blp.raises()
    @blp.response(204)
    def leak(version: str) -> None:
        raise Problem(Fault.SNAPSHOT_REFUSED, path="", reason="")

    app = Flask(__name__)
    family = Family(
        title="Leaking", description="", bases=("/leaking",), errors=EMULATOR_ERRORS, blueprints=(blp,)
    )
    register_families(app, [family])
    install_error_handlers(app, [family])
    client = TestApp(app)
    with config.active(config.Settings()):
        client.post("/leaking/1", status=400)
        assert leaks(answered, client) == [
            Answered(Fault.SNAPSHOT_REFUSED, "emulator", "POST", "/leaking/<any('1'):version>")
        ]
        answered.clear()
        client.get("/leaking/1", status=405)
        assert leaks(answered, client) == []
