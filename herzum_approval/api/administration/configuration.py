"""The General Configuration: show and replace it."""

from flask import Response

from herzum_approval.api.administration.doors import (
    BODY_FAULTS,
    ENTRY_FAULTS,
    body_of,
    make_blueprint,
    one_response,
    read_body,
)
from herzum_approval.api.administration.schemas import ConfigurationSchema
from herzum_approval.api.family import ETAG, IF_MATCH, expected_versions
from herzum_approval.errors import Fault
from herzum_approval.services import configuration

blp = make_blueprint("configuration", "The General Configuration: the plugin's global switches")

_SCHEMA = ConfigurationSchema()


@blp.route("")
@blp.doc(operationId="configuration")
@blp.raises(*ENTRY_FAULTS)
@blp.response(200, ConfigurationSchema, description="The configuration", headers=ETAG)
def show_configuration() -> Response:
    """Show the General Configuration."""
    return one_response(configuration.show_configuration(), _SCHEMA)


@blp.route("", methods=["PUT"])
@blp.doc(operationId="edit_configuration", requestBody=body_of(_SCHEMA), parameters=[IF_MATCH])
@blp.raises(*ENTRY_FAULTS, *BODY_FAULTS, Fault.VERSION_STALE)
@blp.response(200, ConfigurationSchema, description="The configuration as it is now", headers=ETAG)
def edit_configuration() -> Response:
    """Replace the General Configuration; what is left out has the product's default."""
    later = configuration.edit_configuration(read_body(_SCHEMA), versions=expected_versions())
    return one_response(later, _SCHEMA)
