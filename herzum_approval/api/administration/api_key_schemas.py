"""The wire shapes of API keys; their value is in none of them but the one that reveals it."""

from typing import Any

from marshmallow import Schema, fields, post_load, pre_load

from herzum_approval.api.administration.fields import Choice, Moment, Part, Text, Truth
from herzum_approval.api.administration.schemas import Document, Parameters
from herzum_approval.domain.api_keys import LONGEST_DESCRIPTION, LONGEST_NAME, KeyTerms, PerformerChange
from herzum_approval.domain.api_keys import PerformerOrigin as Origin
from herzum_approval.domain.approval_paths import Product
from herzum_approval.services.pages import Wish


class PerformerSchema(Document):
    """Where the performer comes from."""

    makes = PerformerChange

    origin = Choice("Where it comes from", {each.value: each for each in Origin}, required=True)
    user = Text("The username, where the origin is `user`", allow_none=True)
    field_id = Text("`reporter`, `assignee` or a user picker, where it is `issue field`", allow_none=True)
    default_user = Text("The username of who acts where the origin names no valid user", allow_none=True)
    group = Text("The group that users from API calls must belong to", allow_none=True)


class KeyTermsSchema(Document):
    """What can be chosen of an API key. What the server chooses may stand in a body, and is ignored there."""

    makes = KeyTerms
    ignored = frozenset({"id", "creator", "createdAt", "modifiedAt", "usedAt", "usageCount"})

    name = Text(f"Up to {LONGEST_NAME} characters", required=True)
    product = Choice("Whose references it is for", {each.value: each for each in Product}, required=True)
    description = Text(f"Up to {LONGEST_DESCRIPTION} characters")
    can_get_status = Truth("It lists approvals (Get issue approval status)")
    can_list_definitions = Truth("It lists definitions (List approval definitions)")
    can_create = Truth("It creates approvals (Create approval for issue)")
    can_delete = Truth("It resets and deletes approvals (Delete approval)")
    performer = Part(
        PerformerSchema,
        allow_none=True,
        metadata={"description": "Change performer origin; null leaves it to the key's creator"},
    )
    valid_from = Moment("Not valid before", allow_none=True)
    valid_until = Moment("Not valid after", allow_none=True)
    allowed_ips = Text("Addresses, CIDR and ranges, commas between them; empty allows all")

    @pre_load
    def ignore(self, data: Any, **kwargs: Any) -> Any:
        """Let what was read be written back: what only the server chooses is not looked at."""
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if name not in self.ignored}


class ApiKeySchema(Document):
    """An API key, as it is shown."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    product = Choice("Whose references it is for", {each.value: each for each in Product}, required=True)
    description = fields.String(required=True)
    can_get_status = fields.Boolean(required=True)
    can_list_definitions = fields.Boolean(required=True)
    can_create = fields.Boolean(required=True)
    can_delete = fields.Boolean(required=True)
    performer = Part(PerformerSchema, allow_none=True, required=True)
    valid_from = Moment("Not valid before", allow_none=True, required=True)
    valid_until = Moment("Not valid after", allow_none=True, required=True)
    allowed_ips = fields.String(required=True)
    creator = fields.String(required=True, metadata={"description": "The username of who created it"})
    created_at = Moment("When it was created", required=True)
    modified_at = Moment("When it was last modified; use is none", required=True)
    used_at = Moment("When it was last used", allow_none=True, required=True)
    usage_count = fields.Integer(required=True, metadata={"description": "How many times it was used"})


class ApiKeyValueSchema(Schema):
    """The value of an API key, to be sent as `Authorization: Bearer`."""

    id = fields.Integer(required=True)
    value = fields.String(required=True)


class ApiKeyParameters(Parameters):
    """The query parameters of the list of API keys."""

    @post_load
    def wish(self, data: dict[str, Any], **kwargs: Any) -> Wish:
        return Wish(**data)
