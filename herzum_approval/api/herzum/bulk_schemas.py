"""The wire shapes of bulk operations. The vendor's spelling stands here, and in `bulk_bodies`."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_dump, post_load

from herzum_approval.api.herzum.fields import (
    Given,
    GivenCount,
    Number,
    Text,
    TextId,
    Truth,
)
from herzum_approval.errors import Fault, Problem

DEFAULT_PAGE = 1000
"""How many entries of a plan are shown where nobody says how many."""


class _GivenTruth(Given):
    """`true` or `false`, in any letter case; blank is neither."""

    def __init__(self, description: str) -> None:
        super().__init__(Fault.REQUEST_MALFORMED, description, pattern="^(?i:true|false)$")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        known = {"true": True, "false": False}
        found = known.get(value.strip().lower())
        if found is None:
            raise Problem(Fault.REQUEST_MALFORMED, reason=f"{attr} must be true or false")
        return found


class BulkArguments(Schema):
    """The query parameters of a bulk operation."""

    class Meta:
        unknown = EXCLUDE

    dryRun = _GivenTruth("`true`: change nothing, and show the plan")  # noqa: N815 - as startAt
    startAt = GivenCount(  # noqa: N815
        Fault.START_AT_EMPTY,
        Fault.START_AT_INVALID,
        "The place, from 0, of the first entry of the plan shown",
    )
    maxResults = GivenCount(  # noqa: N815
        Fault.MAX_RESULTS_EMPTY,
        Fault.MAX_RESULTS_INVALID,
        f"How many entries of the plan are shown at most; {DEFAULT_PAGE} by default",
    )

    @post_load
    def named(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {
            "is_dry": data.get("dryRun", False),
            "start_at": data.get("startAt", 0),
            "max_results": data.get("maxResults", DEFAULT_PAGE),
        }


class _Id(fields.Field[Any]):
    """An id, as a text or a number."""

    def __init__(self, description: str, **options: Any) -> None:
        super().__init__(
            metadata={"anyOf": [{"type": "string"}, {"type": "integer"}], "description": description},
            **options,
        )


class BulkScope(Schema):
    """What an operation names: a project, an issue type of it, or one transition."""

    projectId = _Id("A project", required=True)  # noqa: N815
    issueTypeId = _Id("An issue type; not for the type project")  # noqa: N815
    sourceStatusId = _Id("A status; for the type project-issuetype-status-trans")  # noqa: N815
    transitionId = _Id("A transition out of it; for the same type")  # noqa: N815


class BulkBody(BulkScope):
    """What a bulk operation brings: beside the source, what to do and where."""

    action = fields.String(
        required=True, metadata={"description": "copy, move, edit or delete, in any letter case"}
    )
    type = fields.String(
        required=True,
        metadata={"description": "project, project-issuetype or project-issuetype-status-trans"},
    )
    projectId = _Id("The source's project; ignored by a delete, as all of the source")  # noqa: N815
    mappingList = fields.List(  # noqa: N815
        fields.Nested(BulkScope), required=True, metadata={"description": "The destinations"}
    )


class PlanEntrySchema(Schema):
    """What happens to one transition."""

    project_id = TextId("projectId", "place.project_id", "Its project")
    issue_type_id = TextId("issueTypeId", "place.issue_type_id", "Its issue type")
    source_status_id = TextId("sourceStatusId", "place.source_status_id", "The status that it leaves")
    transition_id = TextId("transitionId", "place.transition_id", "Its id")
    effect = Text("effect", "effect.value", "create, overwrite, delete or skip")
    reason = Text("reason", "reason.value", "Why")
    source_mapping_id = Number("sourceMappingId", "source_mapping_id", "The mapping that is copied")
    drops_rejection_transition = Truth(
        "dropsRejectionTransition",
        "drops_rejection_transition",
        "The source's transition on rejection does not leave this status, and is left out",
    )

    @post_dump
    def omit_unset(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value is not None}


class PlanPage(Schema):
    """A page of a plan."""

    start_at = fields.Integer(data_key="startAt", required=True)
    max_results = fields.Integer(data_key="maxResults", required=True)
    total = fields.Integer(required=True, metadata={"description": "How many entries the plan has"})
    entries = fields.List(fields.Nested(PlanEntrySchema), required=True)


class BulkResult(Schema):
    """How many transitions an operation affects."""

    operation = fields.String(required=True, attribute="operation.value")
    affected = fields.Integer(data_key="affectedEntries", required=True)
    skipped = fields.Integer(data_key="skippedOperations", required=True)
    warning = fields.String(metadata={"description": "There where something was skipped"})
    plan = fields.Nested(PlanPage, metadata={"description": "There with a dry run"})

    @post_dump
    def omit_unset(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value is not None}


class BulkUndone(Schema):
    """The operation that was undone, with what it had affected."""

    id = fields.Integer(data_key="operationId", required=True)
    operation = fields.String(required=True, attribute="operation.value")
    affected = fields.Integer(data_key="affectedEntries", required=True)
    skipped = fields.Integer(data_key="skippedOperations", required=True)
