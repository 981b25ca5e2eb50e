"""Custom user roles: list, create, show, change, delete and assign them, below both bases.

Each view is written once and registered twice: for API tokens, and for OAuth 2.0 clients, whose addresses
hold the site in another place.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response
from marshmallow import Schema

from herzum_approval.api.family import (
    ETAG,
    IF_MATCH,
    Blueprint,
    expected_versions,
    json_response,
    read_json_object,
)
from herzum_approval.api.jsm_ops.doors import ENTRY_FAULTS, enter, needs
from herzum_approval.api.jsm_ops.errors import ERRORS
from herzum_approval.api.jsm_ops.schemas import (
    AssignRoleRequestSchema,
    CustomRolesPaginatedResponseSchema,
    CustomUserRoleCreateRequestSchema,
    CustomUserRoleSuccessResponseSchema,
    CustomUserRoleUpdateRequestSchema,
    GetCustomUserRoleResponseSchema,
    IdentifierParametersSchema,
    PageParametersSchema,
    assignment,
    role_to_create,
    role_to_update,
)
from herzum_approval.domain.custom_roles import BASE_ROLE
from herzum_approval.domain.jsm_tokens import Scope
from herzum_approval.errors import Fault
from herzum_approval.services import custom_roles
from herzum_approval.services.custom_roles import RoleName

BODY_FAULTS = (Fault.CONTENT_TYPE_UNSUPPORTED, Fault.BODY_MALFORMED, Fault.ROLE_INVALID)

_PATH = "/v1/roles"
_PAGE = PageParametersSchema()
_IDENTIFIER = IdentifierParametersSchema()

View = Callable[..., Any]


@needs(Scope.READ)
def list_roles(given: Mapping[str, int], cloud_id: str) -> Response:
    """List the custom user roles of the site."""
    page = custom_roles.list_roles(cloud_id, **given)

    def link(offset: int) -> str:
        return f"{_PATH}?offset={offset}&size={page.size}"

    links = {"last": link(page.links.last)}
    if page.links.next is not None:
        links = {"next": link(page.links.next)} | links
    values = [{"id": id, "name": name} for id, name in page.roles]
    return json_response({"values": values, "links": links})


@needs(Scope.READ, strictly=(Scope.WRITE,))
def create_role(cloud_id: str) -> Response:
    """Create a custom user role."""
    created = custom_roles.create_role(cloud_id, role_to_create(read_json_object()))
    return _success("Created", created.entry.id, created.entry.name, 201, created.version)


@needs(Scope.READ)
def show_role(is_name: bool, cloud_id: str, identifier: str) -> Response:
    """Show a custom user role."""
    found = custom_roles.show_role(cloud_id, _role_name(is_name, identifier))
    role = found.entry
    document = {
        "id": role.id,
        "name": role.name,
        "extendedRole": BASE_ROLE,
        "grantedRights": role.granted_rights,
        "disallowedRights": role.disallowed_rights,
    }
    return json_response(document, headers=_tag(found.version))


@needs(Scope.READ, Scope.WRITE)
def update_role(is_name: bool, cloud_id: str, identifier: str) -> Response:
    """Change a custom user role; the answer shows the name that it had."""
    draft = role_to_update(read_json_object())
    name = _role_name(is_name, identifier)
    before, version = custom_roles.update_role(cloud_id, name, draft, versions=expected_versions())
    return _success("Updated", before.id, before.name, 200, version)


@needs(Scope.READ, Scope.DELETE)
def delete_role(is_name: bool, cloud_id: str, identifier: str) -> Response:
    """Delete a custom user role that nobody has."""
    name = _role_name(is_name, identifier)
    custom_roles.delete_role(cloud_id, name, versions=expected_versions())
    return Response(status=204)


@needs(Scope.READ, Scope.WRITE)
def assign_role(cloud_id: str) -> Response:
    """Give a user a custom user role, in the place of the one the user has."""
    role = custom_roles.assign_role(cloud_id, **assignment(read_json_object()))
    return _success("Created", role.id, role.name, 201)


def _role_name(is_name: bool, identifier: str) -> RoleName:
    """Return what the address says; a slash at its end may be one of a name, but ids have none."""
    return RoleName(text=identifier if is_name else identifier.removesuffix("/"), is_name=is_name)


def _success(message: str, id: str, name: str, status: int, version: int | None = None) -> Response:
    headers = {} if version is None else _tag(version)
    return json_response({"message": message, "data": {"id": id, "name": name}}, status, headers)


def _tag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


# -- where they stand -------------------------------------------------------------------------


def _body_of(schema: type[Schema]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _blueprint(name: str, base: str, suffix: str, description: str) -> Blueprint:
    """Return the six endpoints below a base. suffix: of their operations' names."""
    blp = Blueprint(ERRORS, name, f"{base}{_PATH}", description)
    blp.before_request(enter)

    def add(path: str, method: str, view: View, operation: str, *decorators: Callable[[View], View]) -> None:
        for decorator in reversed(decorators):
            view = decorator(view)
        view = blp.doc(operationId=f"{operation}{suffix}")(view)
        blp.route(path, methods=[method])(view)

    success = CustomUserRoleSuccessResponseSchema
    add(
        "",
        "GET",
        list_roles,
        "getRoles",
        blp.query(_PAGE),
        blp.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID),
        blp.response(200, CustomRolesPaginatedResponseSchema, description="Roles by id, from the offset on"),
    )
    add(
        "",
        "POST",
        create_role,
        "createCustomRole",
        blp.doc(requestBody=_body_of(CustomUserRoleCreateRequestSchema)),
        blp.raises(*ENTRY_FAULTS, *BODY_FAULTS, Fault.ROLE_NAME_TAKEN),
        blp.response(201, success, description="The new role", headers=ETAG),
    )
    add(
        "/<rest:identifier>",
        "GET",
        show_role,
        "getRole",
        blp.query(_IDENTIFIER),
        blp.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID, Fault.ROLE_UNKNOWN),
        blp.response(200, GetCustomUserRoleResponseSchema, description="The role", headers=ETAG),
    )
    add(
        "/<rest:identifier>",
        "PUT",
        update_role,
        "update",
        blp.query(_IDENTIFIER),
        blp.doc(requestBody=_body_of(CustomUserRoleUpdateRequestSchema), parameters=[IF_MATCH]),
        blp.raises(
            *ENTRY_FAULTS,
            *BODY_FAULTS,
            Fault.PARAMETER_INVALID,
            Fault.ROLE_UNKNOWN,
            Fault.VERSION_STALE,
            Fault.ROLE_NAME_TAKEN,
        ),
        blp.response(200, success, description="The role, with the name that it had", headers=ETAG),
    )
    add(
        "/<rest:identifier>",
        "DELETE",
        delete_role,
        "delete",
        blp.query(_IDENTIFIER),
        blp.doc(parameters=[IF_MATCH]),
        blp.raises(
            *ENTRY_FAULTS, Fault.PARAMETER_INVALID, Fault.ROLE_UNKNOWN, Fault.VERSION_STALE, Fault.ROLE_IN_USE
        ),
        blp.response(204, description="The role is gone"),
    )
    add(
        "/assign",
        "POST",
        assign_role,
        "assignCustomRole",
        blp.doc(requestBody=_body_of(AssignRoleRequestSchema)),
        blp.raises(*ENTRY_FAULTS, *BODY_FAULTS, Fault.ROLE_UNKNOWN, Fault.JSM_USER_UNKNOWN),
        blp.response(201, success, description="The role that the user has now"),
    )
    return blp


blp = _blueprint("roles", "/jsm/ops/api/<cloud_id>", "", "Custom user roles")
oauth_blp = _blueprint(
    "oauth_roles",
    "/ex/jira/<cloud_id>/jsm/ops/api",
    "Oauth",
    "Custom user roles, at the addresses of OAuth 2.0 clients",
)
