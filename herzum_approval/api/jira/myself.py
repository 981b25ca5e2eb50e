"""Who asks."""

from typing import Any
from urllib.parse import quote

from flask import Response, g

from herzum_approval import config
from herzum_approval.api import login
from herzum_approval.api.family import Blueprint, json_response, public_base_url
from herzum_approval.api.jira.errors import ERRORS
from herzum_approval.api.jira.schemas import MyselfSchema
from herzum_approval.domain.people import User
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import people

blp = Blueprint(ERRORS, "myself", "/rest/api/<any('2', 'latest'):version>/myself", "The person who asks")
blp.before_request(login.require_actor)

_MYSELF = MyselfSchema()
_AVATAR_SIZES = ("large", "small", "xsmall", "medium")


@blp.route("")
@blp.doc(operationId="myself")
@blp.raises(*login.FAULTS)
@blp.response(200, MyselfSchema, description="The account that is signed in")
def myself(version: str) -> Response:
    """Describe the account that is signed in."""
    user = people.find_user(g.actor.username)
    if user is None:  # deleted since the login was checked
        raise Problem(Fault.LOGIN_REQUIRED)
    return json_response(_MYSELF.dump(_described(user)))


def _described(user: User) -> dict[str, Any]:
    base_url = public_base_url()
    owner = quote(user.username, safe="")
    return {
        "address": f"{base_url}/rest/api/2/user?username={owner}",
        "key": user.username,
        "name": user.username,
        "email": user.email,
        "avatar_urls": {
            size: f"{base_url}/secure/useravatar?size={size}&ownerId={owner}" for size in _AVATAR_SIZES
        },
        "display_name": user.display_name,
        "active": user.is_active,
        "deleted": False,
        "time_zone": config.current().time_zone,
        "locale": "en_US",
        "groups": {"size": len(user.groups), "items": []},
        "application_roles": {"size": int(people.APPLICATION_USERS in user.groups), "items": []},
        "expand": "groups,applicationRoles",
    }
