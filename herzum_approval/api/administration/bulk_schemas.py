"""The wire shapes of bulk operations that were carried out; they are only shown."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from herzum_approval.api.administration.errors import in_camel_case
from herzum_approval.api.administration.fields import (
    Choice,
    Moment,
    Number,
    Text,
    Truth,
)
from herzum_approval.domain.bulk_mappings import Effect, Operation, Reason, ScopeType


class _Scopes(fields.Dict):
    """What was asked for: objects of ids, by names in camel case."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return _in_camel_case(value)


def _in_camel_case(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {in_camel_case(name): _in_camel_case(each) for name, each in value.items()}
    return list(map(_in_camel_case, value)) if isinstance(value, list | tuple) else value


def _choice(description: str, members: Any) -> Choice:
    return Choice(description, {member.value: member for member in members})


class _Shown(Schema):
    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        field_obj.data_key = in_camel_case(field_name)


class BulkOperationSchema(_Shown):
    """An operation that was carried out."""

    id = Number("The number by which it is undone")
    at = Moment("When it was carried out")
    username = Text("By whom")
    operation = _choice("What it did", Operation)
    type = _choice("What its scopes name", ScopeType)
    affected_entries = Number(
        "Transitions that were mapped, overwritten or unmapped", least=0, attribute="affected"
    )
    skipped_operations = Number("Transitions that were left alone", least=0, attribute="skipped")
    undone_at = Moment("When it was undone; null as long as it stands")
    undone_by = Text("By whom it was undone", allow_none=True)


class CarriedOutSchema(_Shown):
    """What was done to one transition."""

    project_id = Number("Its project")
    issue_type_id = Number("Its issue type")
    source_status_id = Number("The status that it leaves")
    transition_id = Number("Its id")
    effect = _choice("What was done", Effect)
    reason = _choice("Why", Reason)
    source_mapping_id = Number("The mapping that was copied, or moved away", allow_none=True)
    drops_rejection_transition = Truth(
        "The source's transition on rejection does not leave this status, and was left out"
    )
    mapping_id = Number("The mapping that was written or deleted; null where none was", allow_none=True)


class _PlanSchema(Schema):
    """A page of what was done."""

    start_at = fields.Integer(data_key="startAt", attribute="page.start_at", required=True)
    max_results = fields.Integer(data_key="maxResults", attribute="page.max_results", required=True)
    total = fields.Integer(
        attribute="page.total", required=True, metadata={"description": "How many entries the plan has"}
    )
    entries = fields.List(fields.Nested(CarriedOutSchema), required=True)


class ShownOperationSchema(BulkOperationSchema):
    """An operation with what was asked for, and one page of what was done."""

    request = _Scopes(metadata={"description": "The source, unless it was a delete, and the destinations"})
    plan = fields.Nested(_PlanSchema)

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        return obj if attr == "plan" else super().get_attribute(obj.operation, attr, default)
