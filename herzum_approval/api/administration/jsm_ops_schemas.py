"""The wire shapes of the administration of JSM Operations."""

from typing import Any

from marshmallow import Schema, fields, post_load

from herzum_approval.api.administration.errors import in_camel_case
from herzum_approval.api.administration.fields import (
    Choice,
    Moment,
    Several,
    Text,
    Truth,
)
from herzum_approval.api.administration.schemas import Document
from herzum_approval.domain.custom_roles import JsmSite
from herzum_approval.domain.jsm_tokens import JsmToken, Scope

_YET_TO_COME = 0
"""Stands for the id and the digest that the server gives to a new token."""


class JsmSiteSchema(Document):
    """A site of the cloud."""

    makes = JsmSite

    cloud_id = Text("The site, as addresses name it", required=True)
    name = Text("For people", required=True)
    administrators = Several(Text("A username"), "Those who may use its API of roles")
    has_custom_roles = Truth("Its plan includes custom user roles; otherwise all answers are 402")
    is_throttled = Truth("All answers are 429, for tests of clients")


def _scopes() -> Several:
    return Several(
        Choice("A scope", {scope.value: scope for scope in Scope}),
        "Makes it an OAuth 2.0 token, limited to these; null or absent: an API token",
        allow_none=True,
    )


class NewTokenSchema(Document):
    """A token that is to be made."""

    makes = JsmToken

    username = Text("Whose it is", required=True)
    label = Text("For people")
    scopes = _scopes()
    expires_at = Moment("When it ends; null: never")

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        return JsmToken(id=_YET_TO_COME, token_digest="", **data)


class _Answer(Schema):
    """What is only ever answered, in camel case."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        field_obj.data_key = in_camel_case(field_name)


class JsmTokenSchema(_Answer):
    """A token, without what the client sends: nobody can tell that any more."""

    id = fields.Integer(required=True)
    username = fields.String(required=True)
    label = fields.String(required=True)
    scopes = _scopes()
    created_at = Moment("When it was made")
    expires_at = Moment("When it ends; null: never")


class TokenHandedOutSchema(JsmTokenSchema):
    """A new token."""

    token = fields.String(required=True, metadata={"description": "What the client sends; shown this once"})


class RoleNameSchema(Schema):
    """A custom user role."""

    id = fields.String(required=True)
    name = fields.String(required=True)


class MemberSchema(_Answer):
    """A user on a site, and what the user may do there."""

    account_id = fields.String(required=True)
    username = fields.String(required=True)
    role = fields.Nested(
        RoleNameSchema, required=True, allow_none=True, metadata={"description": "null: no custom role"}
    )
    base_role = fields.String(
        required=True,
        attribute="rights.base_role",
        metadata={"description": "The built-in role below; what it allows is not published"},
    )
    granted_rights = fields.List(fields.String(), required=True, attribute="rights.granted_rights")
    disallowed_rights = fields.List(fields.String(), required=True, attribute="rights.disallowed_rights")


class RightSchema(_Answer):
    """A known right."""

    name = fields.String(required=True)
    group = fields.String(required=True)
    source = fields.String(required=True, metadata={"description": "Where it is known from"})
    requires = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Must be granted beside it, in strict mode"},
    )
