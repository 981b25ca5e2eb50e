"""Sign in, see who is signed in, sign out."""

from typing import Any
from urllib.parse import quote

from flask import Response, g
from marshmallow import ValidationError

from herzum_approval.api import login
from herzum_approval.api.family import (
    Blueprint,
    json_response,
    public_base_url,
    read_json_object,
)
from herzum_approval.api.jira.errors import ERRORS
from herzum_approval.api.jira.schemas import (
    CredentialsSchema,
    CurrentSessionSchema,
    NewSessionSchema,
)
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import logins
from herzum_approval.services.logins import Outcome

blp = Blueprint(ERRORS, "session", "/rest/auth/<any('1', 'latest'):version>", "Sign in and out")

_CREDENTIALS = CredentialsSchema()
_NEW_SESSION = NewSessionSchema()
_CURRENT_SESSION = CurrentSessionSchema()


@blp.route("/session", methods=["POST"])
@blp.doc(
    operationId="sign_in",
    security=[],
    requestBody={"required": True, "content": {"application/json": {"schema": CredentialsSchema}}},
)
@blp.raises(
    Fault.URL_LOGIN_REFUSED,
    Fault.CONTENT_TYPE_UNSUPPORTED,
    Fault.BODY_MALFORMED,
    Fault.SESSION_LOGIN_FAILED,
    Fault.SESSION_LOGIN_DENIED,
)
@blp.response(200, NewSessionSchema, description="Signed in; the cookie and the body hold the session's id")
def sign_in(version: str) -> Response:
    """Sign in by username and password, always into a new session."""
    login.refuse_url_login()
    g.actor = None
    actor = g.actor = _verified(read_json_object())
    token = logins.open_session(actor, replacing=login.session_token())
    response = json_response(
        _NEW_SESSION.dump(
            {
                "session": {"name": login.SESSION_COOKIE, "value": token},
                "login_info": logins.login_info(actor.username),
            }
        )
    )
    login.set_session_cookie(response, token)
    return response


def _verified(body: dict[str, Any]) -> Actor:
    try:
        credentials = _CREDENTIALS.load(body)
    except ValidationError:
        raise Problem(Fault.SESSION_LOGIN_FAILED) from None
    result = logins.verify_password(credentials["username"], credentials["password"], use_cache=False)
    if result.outcome is Outcome.DENIED:
        raise Problem(Fault.SESSION_LOGIN_DENIED)
    if result.actor is None:
        raise Problem(Fault.SESSION_LOGIN_FAILED)
    return result.actor


@blp.route("/session")
@blp.doc(operationId="current_session")
@blp.raises(*login.FAULTS)
@blp.response(200, CurrentSessionSchema, description="Who is signed in")
def current_session(version: str) -> Response:
    """Say who is signed in, by session or by Basic credentials."""
    login.require_actor()
    username = g.actor.username
    return json_response(
        _CURRENT_SESSION.dump(
            {
                "address": f"{public_base_url()}/rest/api/latest/user?username={quote(username, safe='')}",
                "name": username,
                "login_info": logins.login_info(username),
            }
        )
    )


@blp.route("/session", methods=["DELETE"])
@blp.doc(operationId="sign_out")
@blp.raises(*login.FAULTS)
@blp.response(204, description="Signed out; the session's id is dead")
def sign_out(version: str) -> Response:
    """Sign out."""
    login.require_actor()
    # Clients that send Basic credentials keep cookies too, and are told to forget this one.
    token = login.session_token()
    if token is not None:
        logins.close_session(token)
    response = Response(status=204)
    login.drop_session_cookie(response)
    return response


@blp.route("/websudo", methods=["DELETE"])
@blp.doc(operationId="end_websudo")
@blp.raises(*login.FAULTS)
@blp.response(204, description="Nothing to end: this server asks nobody for a second login")
def end_websudo(version: str) -> Response:
    """End an administrator's second login, which this server never asks for."""
    login.require_actor()
    return Response(status=204)
