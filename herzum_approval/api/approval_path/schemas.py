"""The shapes of answers, for OpenAPI; `beans` makes them. The vendor's spelling stands in both."""

from typing import Any

from marshmallow import Schema, fields

from herzum_approval.domain.approval_paths import (
    Decision,
    HttpMethod,
    PathStatus,
    StepAction,
    StepKind,
    StepStatus,
)


def _text(description: str = "", **options: Any) -> fields.String:
    return fields.String(required=True, metadata={"description": description}, **options)


def _one_of(members: Any, **metadata: Any) -> dict[str, Any]:
    return {"enum": [each.value for each in members], **metadata}


def _number(description: str, **options: Any) -> fields.Integer:
    return fields.Integer(metadata={"description": description}, **options)


class _StepSchema(Schema):
    """What steps of both sorts have; which of the rest they have depends on `type`."""

    type = fields.String(required=True, metadata=_one_of(StepKind))
    parallelGroupNumber = _number(  # noqa: N815
        "Adjacent steps of one number run together; null runs alone", required=True, allow_none=True
    )
    userId = fields.String(metadata={"description": "USER: the account id"})  # noqa: N815
    displayName = fields.String(metadata={"description": "USER, GROUP"})  # noqa: N815
    lastUpdated = fields.String(  # noqa: N815
        allow_none=True, metadata={"description": "USER, such as 2022-09-26T17:32:42+02:00"}
    )
    groupId = fields.String(metadata={"description": "GROUP"})  # noqa: N815
    email = fields.String(metadata={"description": "EMAIL"})
    name = fields.String(metadata={"description": "HTTP"})
    httpMethod = fields.String(metadata=_one_of(HttpMethod, description="HTTP"))  # noqa: N815
    urlTemplate = fields.String(metadata={"description": "HTTP"})  # noqa: N815
    headersTemplate = fields.String(metadata={"description": "HTTP"})  # noqa: N815
    bodyTemplate = fields.String(metadata={"description": "HTTP"})  # noqa: N815
    fieldId = fields.String(metadata={"description": "Issue fields; ours"})  # noqa: N815
    resolution = fields.String(metadata={"description": "Issue fields; ours"})
    requiredVotes = _number("GROUP, issue fields")  # noqa: N815
    requiredRejectVotes = _number("GROUP, issue fields")  # noqa: N815
    approvalCreatorExcluded = fields.Boolean(metadata={"description": "GROUP, issue fields"})  # noqa: N815
    skipFromApprovalWhenEmpty = fields.Boolean(metadata={"description": "GROUP, issue fields"})  # noqa: N815


class DefinitionStepSchema(_StepSchema):
    """A step of a definition."""

    action = fields.String(required=True, metadata=_one_of(StepAction))
    issueWatchersNotification = fields.String(  # noqa: N815
        required=True, metadata={"enum": ["ENABLED", "DISABLED"]}
    )


class AvatarUrlsSchema(Schema):
    """Addresses of pictures by size."""

    class Meta:
        include = {size: fields.String(required=True) for size in ("48x48", "32x32", "24x24", "16x16")}  # noqa: RUF012


class ApprovalStepSchema(_StepSchema):
    """A step that has happened, or awaits a decision."""

    status = fields.String(required=True, metadata=_one_of(StepStatus))
    avatarUrls = fields.Nested(  # noqa: N815
        AvatarUrlsSchema, metadata={"description": "USER, for Jira only"}
    )
    action = fields.String(required=True, metadata=_one_of(StepAction))
    issueWatchersNotification = fields.String(  # noqa: N815
        metadata={"enum": ["ENABLED", "DISABLED"], "description": "All but USER"}
    )
    decision = fields.String(
        required=True, allow_none=True, metadata={"enum": [*(each.value for each in Decision), None]}
    )
    decisionDate = fields.String(  # noqa: N815
        required=True, allow_none=True, metadata={"description": "Such as 2022-09-27T09:23:10.706+00:00"}
    )


class DefinitionSchema(Schema):
    """A definition."""

    id = _text()
    name = _text()
    description = _text()
    collectionId = _text("The project or space; null on a global one", allow_none=True)  # noqa: N815
    steps = fields.List(fields.Nested(DefinitionStepSchema), required=True)
    rejectionSteps = fields.List(fields.Nested(DefinitionStepSchema), required=True)  # noqa: N815
    availableForJSMCustomers = fields.Boolean(required=True)  # noqa: N815


class ApprovalSchema(Schema):
    """An approval of an issue or page."""

    id = _text()
    definitionId = _text()  # noqa: N815
    name = _text()
    summary = _text()
    collectionId = _text("The project or space")  # noqa: N815
    refId = _text("The issue or page, by id")  # noqa: N815
    steps = fields.List(
        fields.Nested(ApprovalStepSchema), required=True, metadata={"description": "What has happened"}
    )
    status = fields.String(required=True, metadata=_one_of(PathStatus))
    activeSteps = fields.List(  # noqa: N815
        fields.Nested(ApprovalStepSchema), required=True, metadata={"description": "What awaits a decision"}
    )
    modificationDate = _text("Such as 2022-09-27T09:23:10.706+00:00")  # noqa: N815


class DefinitionsSchema(Schema):
    """All definitions that were asked for."""

    result = fields.List(fields.Nested(DefinitionSchema), required=True)
    totalCount = _number("How many there are", required=True)  # noqa: N815


class ApprovalsSchema(Schema):
    """All approvals that were asked for."""

    result = fields.List(fields.Nested(ApprovalSchema), required=True)
    totalCount = _number("How many there are", required=True)  # noqa: N815
