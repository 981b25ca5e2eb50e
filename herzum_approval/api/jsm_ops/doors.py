"""What the endpoints of JSM Operations share: who may enter, and the headers of every answer."""

import base64
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from flask import Response, current_app, request

from herzum_approval import config
from herzum_approval.api.jsm_ops.errors import seconds_taken
from herzum_approval.domain.jsm_tokens import JsmCaller, Scope
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import jsm_sites, jsm_tokens

ENTRY_FAULTS = (
    Fault.LOGIN_REQUIRED,
    Fault.TOKEN_INVALID,
    Fault.JSM_SITE_UNKNOWN,
    Fault.REQUESTS_TOO_MANY,
    Fault.PLAN_WITHOUT_ROLES,
    Fault.TOKEN_SCOPE_MISSING,
    Fault.ADMINISTRATOR_REQUIRED,
)
"""What anybody meets who may not enter."""

SECURITY_SCHEMES = {
    "apiToken": {
        "type": "http",
        "scheme": "basic",
        "description": "E-mail address and API token",
    },
    "oauth2": {
        "type": "http",
        "scheme": "bearer",
        "description": "OAuth 2.0 access token, limited to scopes",
    },
}

View = Callable[..., Any]

_SCOPES = "_jsm_scopes"
_STRICT_SCOPES = "_jsm_strict_scopes"


def needs(*scopes: Scope, strictly: tuple[Scope, ...] = ()) -> Callable[[View], View]:
    """Note the scopes that an OAuth 2.0 token must have for the view.

    strictly: those that strict mode asks for beside.
    """

    def decorator(view: View) -> View:
        setattr(view, _SCOPES, scopes)
        setattr(view, _STRICT_SCOPES, strictly)
        return view

    return decorator


def enter() -> None:
    """Let only administrators of the site pass, by a token of theirs. Raises: `ENTRY_FAULTS`."""
    caller = _caller()
    assert request.endpoint is not None
    assert request.view_args is not None
    view = current_app.view_functions[request.endpoint]
    scopes = getattr(view, _SCOPES)
    if config.current().jsm_ops_strict:
        scopes = (*scopes, *getattr(view, _STRICT_SCOPES))
    jsm_sites.require_entry(caller, request.view_args["cloud_id"], scopes)


def _caller() -> JsmCaller:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "":
            raise Problem(Fault.LOGIN_REQUIRED)
        case "basic":
            caller = _caller_of_basic(credentials.strip())
        case "bearer":
            caller = jsm_tokens.caller_of_bearer(credentials.strip())
        case _:
            caller = None
    if caller is None:
        raise Problem(Fault.TOKEN_INVALID)
    return caller


def _caller_of_basic(credentials: str) -> JsmCaller | None:
    try:
        text = base64.b64decode(credentials, validate=True).decode("utf-8")
    except ValueError:
        return None
    email, colon, secret = text.partition(":")
    return jsm_tokens.caller_of_basic(email, secret) if colon else None


def sign(response: Response) -> Response:
    """Add the header that says, in seconds, how long the answer took."""
    response.headers["X-Response-Time"] = f"{seconds_taken():.3f}"
    return response


def make_request_id() -> str:
    """Return a new id for a request, spelt as the service spells them."""
    return str(uuid4())
