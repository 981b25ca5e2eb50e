"""The wire shapes of custom user roles, by the names of the vendor's OpenAPI file."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load

from herzum_approval.domain.custom_roles import DEFAULT_SIZE, LONGEST_RIGHT, RoleDraft
from herzum_approval.errors import Fault, Problem

_BLANK = "must not be blank"


# -- bodies -----------------------------------------------------------------------------------


def _loaded(schema: Schema, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the schema's fields make of the body; unknown members are ignored.

    Raises: ROLE_INVALID with every member that cannot be.
    """
    errors: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, field in schema.fields.items():
        key = field.data_key or name
        if isinstance(field, _Member):
            value = body.get(key)
            reason = field.fault(value)
            if reason is not None:
                errors[key] = reason
            elif value is not None:
                values[name] = field.made(value)
    if errors:
        raise Problem(Fault.ROLE_INVALID, errors=errors)
    return values


class _Member(fields.Field[Any]):
    """A member of a body that says in its own words why a value cannot be."""

    def fault(self, value: Any) -> str | None:
        raise NotImplementedError

    def made(self, value: Any) -> Any:
        return value


class Text(_Member):
    """A JSON string with something in it. is_trimmed: blanks around it do not count."""

    def __init__(self, description: str, *, is_trimmed: bool = False, **options: Any) -> None:
        self.is_trimmed = is_trimmed
        kinds = "string" if options.get("required") else ["string", "null"]
        super().__init__(metadata={"description": description, "type": kinds, "pattern": r"\S"}, **options)

    def fault(self, value: Any) -> str | None:
        if value is None:
            return _BLANK if self.required else None
        if not isinstance(value, str):
            return "must be a string"
        return None if value.strip() else _BLANK

    def made(self, value: Any) -> Any:
        return value.strip() if self.is_trimmed else value


class Rights(_Member):
    """A JSON array of strings; of a right that is there twice the first counts."""

    def __init__(self, description: str, **options: Any) -> None:
        items = {"type": "string", "minLength": 1, "maxLength": LONGEST_RIGHT, "pattern": r"\S"}
        metadata = {"description": description, "type": ["array", "null"], "items": items}
        super().__init__(metadata=metadata, **options)

    def fault(self, value: Any) -> str | None:
        if value is None:
            return None
        is_fit = isinstance(value, list) and all(isinstance(right, str) for right in value)
        return None if is_fit else "must be an array of strings"

    def made(self, value: Any) -> Any:
        return tuple(dict.fromkeys(value))


class _Body(Schema):
    class Meta:
        unknown = EXCLUDE


class CustomUserRoleCreateRequestSchema(_Body):
    """A new role."""

    name = Text("Unique on the site; blanks around it do not count", is_trimmed=True, required=True)
    granted_rights = Rights("Rights beside those of the base role; absent: none", data_key="grantedRights")
    disallowed_rights = Rights(
        "Rights of the base role that are taken away; absent: none", data_key="disallowedRights"
    )


class CustomUserRoleUpdateRequestSchema(_Body):
    """What is to change; absent and null leave it as it is."""

    id = fields.Raw(metadata={"description": "Ignored: the address says which role"})
    name = Text("The new name", is_trimmed=True)
    granted_rights = Rights(
        "Take the place of those that are granted now; [] leaves none", data_key="grantedRights"
    )
    disallowed_rights = Rights(
        "Take the place of those that are disallowed now; [] leaves none", data_key="disallowedRights"
    )


class AssignRoleRequestSchema(_Body):
    """Who is to have which role."""

    account_id = Text("The user's Atlassian account id", required=True, data_key="accountId")
    role_id = Text("The role's id", required=True, data_key="roleId")


_CREATE = CustomUserRoleCreateRequestSchema()
_UPDATE = CustomUserRoleUpdateRequestSchema()
_ASSIGN = AssignRoleRequestSchema()


def role_to_create(body: Mapping[str, Any]) -> RoleDraft:
    """Return what the body says of a new role. Raises: ROLE_INVALID."""
    return RoleDraft(**_loaded(_CREATE, body))


def role_to_update(body: Mapping[str, Any]) -> RoleDraft:
    """Return what the body says of a role that is there. Raises: ROLE_INVALID."""
    return RoleDraft(**_loaded(_UPDATE, body))


def assignment(body: Mapping[str, Any]) -> dict[str, str]:
    """Return account_id and role_id. Raises: ROLE_INVALID."""
    return _loaded(_ASSIGN, body)


# -- answers ----------------------------------------------------------------------------------


class CustomUserRoleSummarySchema(Schema):
    """A role in a list, or in the answer to a change."""

    id = fields.String(required=True)
    name = fields.String(required=True)


class GetCustomUserRoleResponseSchema(Schema):
    """A role."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    extendedRole = fields.String(required=True)  # noqa: N815 - the wire's own spelling
    grantedRights = fields.List(fields.String(), required=True)  # noqa: N815
    disallowedRights = fields.List(fields.String(), required=True)  # noqa: N815


class CustomRolesLinksSchema(Schema):
    """Other pages, relative to the base; next is absent on the last one."""

    next = fields.String()
    last = fields.String(required=True)


class CustomRolesPaginatedResponseSchema(Schema):
    """A page of roles."""

    values = fields.List(fields.Nested(CustomUserRoleSummarySchema), required=True)
    links = fields.Nested(CustomRolesLinksSchema, required=True)


class CustomUserRoleSuccessResponseSchema(Schema):
    """What came of a change."""

    message = fields.String(required=True)
    data = fields.Nested(CustomUserRoleSummarySchema, required=True)


# -- parameters -------------------------------------------------------------------------------

_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_LARGEST = 2**63 - 1


class _Count(fields.Integer):
    """A whole number in ASCII digits, of 63 bits at most."""

    def __init__(self, description: str, *, least: int, default: int) -> None:
        self.least = least
        metadata = {"description": description, "minimum": least, "maximum": _LARGEST, "default": default}
        super().__init__(load_default=default, metadata=metadata)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        number = int(value) if _INTEGER.fullmatch(value) else None
        if number is None or number > _LARGEST:
            raise Problem(Fault.PARAMETER_INVALID, name=attr, reason="must be an integer")
        if number < self.least:
            raise Problem(Fault.PARAMETER_INVALID, name=attr, reason=f"must not be less than {self.least}")
        return number


class _IdentifierType(fields.String):
    """How the address names a role; loads as whether it does so by name."""

    def __init__(self, **options: Any) -> None:
        metadata = {"description": "What the identifier is", "enum": ["id", "name"], "default": "id"}
        super().__init__(load_default=False, metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if value not in ("id", "name"):
            raise Problem(Fault.PARAMETER_INVALID, name=attr, reason="must be one of [ id, name ]")
        return value == "name"


class PageParametersSchema(Schema):
    """Which part of the list is wanted."""

    class Meta:
        unknown = EXCLUDE

    offset = _Count("The place, from 0, of the first role", least=0, default=0)
    size = _Count("How many roles at most; more than 100 are cut to 100", least=1, default=DEFAULT_SIZE)


class IdentifierParametersSchema(Schema):
    """How the address names a role."""

    class Meta:
        unknown = EXCLUDE

    is_name = _IdentifierType(data_key="identifierType")

    @post_load
    def unwrap(self, data: dict[str, Any], **kwargs: Any) -> bool:
        return bool(data["is_name"])
