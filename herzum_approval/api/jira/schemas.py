"""The wire shapes of Jira. Jira's spelling stands here and nowhere else."""

from datetime import datetime
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_dump

from herzum_approval import clock, config


class JiraTime(fields.Field[datetime]):
    """A moment in the site's time zone, like `2015-06-23T13:17:44.005-0500`."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("metadata", {})
        super().__init__(**options)
        self.metadata = {"type": "string", "example": "2015-06-23T13:17:44.005-0500", **self.metadata}

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        local = clock.in_zone(value, config.current().time_zone)
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"


class JiraSchema(Schema):
    """A shape that leaves out what is not known, as Jira does."""

    @post_dump
    def omit_nulls(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value is not None}


# -- session ----------------------------------------------------------------------------------


class CredentialsSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    username = fields.String(required=True)
    password = fields.String(required=True)


class LoginInfoSchema(JiraSchema):
    """Counts that are 0 and times that never were are left out."""

    failedLoginCount = fields.Integer(attribute="total_failed_count")  # noqa: N815 - Jira's spelling
    loginCount = fields.Integer(attribute="login_count")  # noqa: N815
    lastFailedLoginTime = JiraTime(attribute="last_failed_at")  # noqa: N815
    previousLoginTime = JiraTime(attribute="previous_login_at")  # noqa: N815

    @post_dump
    def omit_zeros(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value != 0}


class SessionCookieSchema(Schema):
    name = fields.String()
    value = fields.String(metadata={"description": "The same as the cookie's"})


class NewSessionSchema(Schema):
    session = fields.Nested(SessionCookieSchema)
    loginInfo = fields.Nested(LoginInfoSchema, attribute="login_info")  # noqa: N815


class CurrentSessionSchema(Schema):
    self = fields.Url(attribute="address", data_key="self")
    name = fields.String()
    loginInfo = fields.Nested(LoginInfoSchema, attribute="login_info")  # noqa: N815


# -- server -----------------------------------------------------------------------------------


class ServerInfoSchema(JiraSchema):
    baseUrl = fields.String(attribute="base_url")  # noqa: N815
    version = fields.String()
    versionNumbers = fields.List(fields.Integer(), attribute="version_numbers")  # noqa: N815
    deploymentType = fields.String(attribute="deployment_type")  # noqa: N815
    buildNumber = fields.Integer(attribute="build_number")  # noqa: N815
    buildDate = JiraTime(attribute="build_date")  # noqa: N815
    databaseBuildNumber = fields.Integer(attribute="database_build_number")  # noqa: N815
    serverTime = JiraTime(  # noqa: N815
        attribute="server_time", metadata={"description": "Shown to signed-in users only"}
    )
    scmInfo = fields.String(attribute="scm_info")  # noqa: N815
    serverTitle = fields.String(attribute="server_title")  # noqa: N815


# -- people -----------------------------------------------------------------------------------


class AvatarUrlsSchema(Schema):
    large = fields.String(data_key="48x48")
    small = fields.String(data_key="24x24")
    xsmall = fields.String(data_key="16x16")
    medium = fields.String(data_key="32x32")


class SizedListSchema(Schema):
    size = fields.Integer()
    items = fields.List(fields.Dict(), metadata={"description": "Empty: Jira expands it on request only"})


class MyselfSchema(Schema):
    address = fields.String(data_key="self")
    key = fields.String()
    name = fields.String()
    emailAddress = fields.String(attribute="email")  # noqa: N815
    avatarUrls = fields.Nested(AvatarUrlsSchema, attribute="avatar_urls")  # noqa: N815
    displayName = fields.String(attribute="display_name")  # noqa: N815
    active = fields.Boolean()
    deleted = fields.Boolean()
    timeZone = fields.String(attribute="time_zone")  # noqa: N815
    locale = fields.String()
    groups = fields.Nested(SizedListSchema)
    applicationRoles = fields.Nested(SizedListSchema, attribute="application_roles")  # noqa: N815
    expand = fields.String()


# -- issues -----------------------------------------------------------------------------------


class StatusSchema(Schema):
    address = fields.String(data_key="self", required=True)
    name = fields.String(required=True)
    id = fields.String(required=True)
    statusCategory = fields.Dict(required=True)  # noqa: N815


class IssueSchema(Schema):
    """An issue. values: its fields by name, those asked for."""

    expand = fields.String(required=True)
    id = fields.String(required=True)
    address = fields.String(data_key="self", required=True)
    key = fields.String(required=True)
    values = fields.Dict(data_key="fields", required=True)


class TransitionSchema(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)
    to = fields.Nested(StatusSchema, required=True)


class TransitionsSchema(Schema):
    expand = fields.String(required=True)
    transitions = fields.List(fields.Nested(TransitionSchema), required=True)


class TransitionReferenceSchema(Schema):
    """The id as a number or a string of digits."""

    id = fields.Raw(required=True, metadata={"type": ["string", "integer"]})


class TransitionRequestSchema(Schema):
    """Which transition to take; other members, such as fields, are ignored."""

    class Meta:
        unknown = EXCLUDE

    transition = fields.Nested(TransitionReferenceSchema, required=True)
