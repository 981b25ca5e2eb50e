"""What server this is."""

from datetime import UTC, datetime

from flask import Response, g

from herzum_approval import clock, config
from herzum_approval.api import login
from herzum_approval.api.family import Blueprint, json_response, public_base_url
from herzum_approval.api.jira.errors import ERRORS
from herzum_approval.api.jira.schemas import ServerInfoSchema

_VERSION_NUMBERS = (9, 12, 15)
_BUILD = {
    "version": ".".join(map(str, _VERSION_NUMBERS)),
    "version_numbers": _VERSION_NUMBERS,
    "deployment_type": "Server",
    "build_number": 9120015,
    "database_build_number": 9120015,
    "build_date": datetime(2024, 11, 6, tzinfo=UTC),
    "scm_info": "4d9c4bd7a744d02f6fd1c40b1e7bc5cff95adbdc",
}
"""The Jira that this server passes for, as a public one of that version describes itself."""

blp = Blueprint(ERRORS, "server_info", "/rest/api/<any('2', 'latest'):version>/serverInfo", "The server")
blp.before_request(login.find_actor)

_SERVER_INFO = ServerInfoSchema()


@blp.route("")
@blp.doc(operationId="server_info", security=[{}, {"basic": []}, {"cookie": []}])
@blp.raises(*login.OPTIONAL_FAULTS)
@blp.response(200, ServerInfoSchema, description="The server's version and address")
def server_info(version: str) -> Response:
    """Say what server this is, to anybody."""
    return json_response(
        _SERVER_INFO.dump(
            {
                **_BUILD,
                "base_url": public_base_url(),
                "server_time": clock.now() if g.actor else None,
                "server_title": config.current().server_title,
            }
        )
    )
