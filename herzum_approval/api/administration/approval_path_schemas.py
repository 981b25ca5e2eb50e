"""The wire shapes of approval paths in the administration: names of the domain in camel case."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from marshmallow import fields, post_load

from herzum_approval.api.administration.fields import Choice as ChoiceField
from herzum_approval.api.administration.fields import (
    GivenId,
    GivenName,
    Moment,
    Number,
    Part,
    Several,
    Text,
    Truth,
)
from herzum_approval.api.administration.schemas import Document, Numbered, Parameters
from herzum_approval.domain.approval_paths import (
    ApprovalDefinition,
    Condition,
    Decision,
    DefinitionStep,
    FieldResolution,
    HttpMethod,
    PathStatus,
    Product,
    StepAction,
    StepKind,
    StepStatus,
)
from herzum_approval.domain.confluence import Page, Space
from herzum_approval.domain.http_steps import CallState
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.approval_definitions import EntryFilters
from herzum_approval.services.approval_paths import PathFilters
from herzum_approval.services.http_calls import CallFilters
from herzum_approval.services.pages import Wish

Given = dict[str, Any]


def _choice(description: str, members: type[Enum], **options: Any) -> ChoiceField:
    return ChoiceField(description, {member.value: member for member in members}, **options)


# -- definitions ------------------------------------------------------------------------------


class DefinitionStepSchema(Document):
    """A step; each kind needs what names its people, and has no other such member."""

    makes = DefinitionStep

    kind = _choice("Who or what it waits for", StepKind, required=True)
    action = _choice("STARTED is none here", StepAction)
    parallel_group = Number(
        "Adjacent steps of one number run beside each other; null alone", least=0, allow_none=True
    )
    notifies_watchers = Truth("Kept, and without effect: nobody watches issues here")
    condition_id = Number("Left out where this condition is false", allow_none=True)
    username = Text("Of USER", allow_none=True)
    group = Text("Of GROUP: its name", allow_none=True)
    email = Text("Of EMAIL", allow_none=True)
    field_id = Text(
        "Of USER_FIELD: `reporter`, `assignee` or a user picker; of GROUP_FIELD: a group picker; "
        "of EMAIL_FIELD: a mail field",
        allow_none=True,
    )
    resolution = _choice("When the field is looked into", FieldResolution)
    required_votes = Number("How many accept it")
    required_reject_votes = Number("How many reject it")
    is_creator_excluded = Truth("Whoever started the approval has no vote")
    is_skipped_when_empty = Truth("Left out where nobody has a vote; else the approval is not created")
    name = Text("Of HTTP")
    http_method = _choice("Of HTTP", HttpMethod)
    url_template = Text(
        "Of HTTP; ${collection.id}, ${ref.id}, ${approval.name}, ${approval.id} are filled in"
    )
    headers_template = Text("Of HTTP: a `Name: value` in each line")
    body_template = Text("Of HTTP")


class DefinitionSchema(Numbered):
    """A definition; an approval that has started goes on by the definition as it was."""

    makes = ApprovalDefinition

    id = Number("The definition; given by the server")
    product = _choice("Whose references it is for", Product, required=True)
    name = Text("Without blanks around it", required=True)
    description = Text("For people")
    collection_id = Number("The project or space it is for; null for all", allow_none=True)
    condition_id = Number("No approval starts where this condition is false", allow_none=True)
    is_available_for_customers = Truth("Portal customers see and start it")
    steps = Several(Part(DefinitionStepSchema), "In order, one at least", required=True)
    rejection_steps = Several(Part(DefinitionStepSchema), "HTTP steps that inform of a rejection")
    success_steps = Several(Part(DefinitionStepSchema), "HTTP steps that inform of a success")


class ConditionSchema(Numbered):
    """A named question about an issue."""

    makes = Condition

    id = Number("The condition; given by the server")
    name = Text("Unique, without blanks around it", required=True)
    jql = Text("The question", required=True)


class SpaceSchema(Numbered):
    """A space of Confluence."""

    makes = Space

    id = Number("The space; given by the server")
    key = Text("Unique, without blanks around it", required=True)
    name = Text("For people", required=True)


class PageSchema(Numbered):
    """A page of Confluence."""

    makes = Page

    id = Number("The page; given by the server")
    space_id = Number("Its space", required=True)
    title = Text("Its title", required=True)
    creator = Text("The username of who created it", allow_none=True)
    modifier = Text("The username of who changed it last", allow_none=True)


class PageCommentSchema(Document):
    """A comment on a page, as it is shown."""

    id = fields.Integer(required=True)
    page_id = fields.Integer(required=True)
    author = fields.String(required=True, allow_none=True, metadata={"description": "null: the server"})
    body = fields.String(required=True)
    created_at = Moment("When it was written", required=True)


# -- runs -------------------------------------------------------------------------------------


class VoteSchema(Document):
    """A vote, as it is shown."""

    voter = fields.String(required=True)
    decision = _choice("What was said", Decision, required=True)
    voted_at = Moment("When", required=True)


class PathStepSchema(Document):
    """A step of a run, as it is shown."""

    definition = Part(DefinitionStepSchema, required=True, metadata={"description": "As it was at the start"})
    status = _choice("How it stands", StepStatus, required=True)
    members = fields.List(
        fields.String(), required=True, metadata={"description": "Who may vote; usernames, or addresses"}
    )
    votes = fields.List(fields.Nested(VoteSchema), required=True)
    decision = _choice("null as long as there is none", Decision, required=True, allow_none=True)
    decided_at = Moment("When it was decided", required=True, allow_none=True)


class PathSchema(Document):
    """An approval that runs by a definition, or has run, as it is shown."""

    id = fields.Integer(required=True)
    product = _choice("What it is of", Product, required=True)
    definition_id = fields.Integer(required=True, metadata={"description": "Which may be gone by now"})
    name = fields.String(required=True)
    summary = fields.String(required=True)
    collection_id = fields.Integer(required=True, metadata={"description": "The project or space"})
    ref_id = fields.Integer(required=True, metadata={"description": "The issue or page"})
    path_status = _choice("How it stands", PathStatus, required=True)
    started_by = fields.String(required=True, metadata={"description": "A username"})
    started_at = Moment("When it started", required=True)
    modified_at = Moment("Its last decision, or its end", required=True)
    expires_at = Moment("When it ends undecided", required=True, allow_none=True)
    allows_abstaining = fields.Boolean(required=True)
    steps = fields.List(
        fields.Nested(PathStepSchema), required=True, metadata={"description": "The start is the first"}
    )
    rejection_steps = fields.List(fields.Nested(PathStepSchema), required=True)
    success_steps = fields.List(fields.Nested(PathStepSchema), required=True)


class StartSchema(Document):
    """How an approval is to start."""

    makes = dict

    product = _choice("What it is of", Product, required=True)
    ref = Text("Id or key of an issue, id of a page", required=True)
    definition_id = Number("Of that product, and global or of that project or space", required=True)
    username = Text("Who starts it; whoever asks, where it is left out")
    name = Text("That of the definition, where it is left out")
    summary = Text("Key and title, where it is left out")
    expires_at = Moment("When it ends undecided; null for never", allow_none=True)
    allows_abstaining = Truth("Whether voters may abstain")


class CastSchema(Document):
    """A vote to cast."""

    makes = dict

    voter = Text("A username, or an e-mail address that was asked", required=True)
    decision = _choice("Final", Decision, required=True)
    position = Number(
        "The place of the step, from 0, which is the start; the first that waits, where it is left out",
        least=0,
    )


class RequestSchema(Document):
    """The request of an HTTP step, as it is shown."""

    id = fields.Integer(required=True)
    approval_id = fields.Integer(required=True, attribute="path_id")
    position = fields.Integer(required=True, metadata={"description": "The place of its step"})
    is_of_rejection = fields.Boolean(required=True, metadata={"description": "The step is a rejection step"})
    is_of_success = fields.Boolean(required=True, metadata={"description": "The step is a success step"})
    created_at = Moment("When it was made", required=True)
    method = _choice("How it is sent", HttpMethod, required=True)
    url = fields.String(required=True)
    headers = fields.String(required=True)
    body = fields.String(required=True)
    state = _choice("Only a waiting one is ever sent", CallState, required=True)
    status = fields.Integer(required=True, allow_none=True, metadata={"description": "Of the answer"})
    error = fields.String(required=True, allow_none=True, metadata={"description": "Why none came"})
    answered_at = Moment("When it was answered, or given up", required=True, allow_none=True)


class AnswerSchema(Document):
    """What was answered to a request that is not sent, or waits."""

    makes = dict

    status = Number("Of HTTP, 100 to 599; 200 to 299 approve", least=100, most=599, required=True)


# -- lists ------------------------------------------------------------------------------------


class GivenChoice(fields.String):
    """One of an enum's members to filter by."""

    def __init__(self, description: str, members: type[Enum]) -> None:
        self.members: Mapping[str, Enum] = {member.value: member for member in members}
        super().__init__(metadata={"description": description, "enum": list(self.members)})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if value not in self.members:
            reason = "must be one of " + ", ".join(map(repr, self.members))
            raise Problem(Fault.PARAMETER_INVALID, name=attr, reason=reason)
        return self.members[value]


def _wish(data: Given) -> Wish:
    return Wish(start_at=data.pop("start_at", None), max_results=data.pop("max_results", None))


class EntryParameters(Parameters):
    """The query parameters of conditions and of spaces."""

    @post_load
    def split(self, data: Given, **kwargs: Any) -> tuple[EntryFilters, Wish]:
        wish = _wish(data)
        return EntryFilters(**data), wish


class DefinitionParameters(EntryParameters):
    product = GivenChoice("Only definitions of this product", Product)
    collection_id = GivenId("Only definitions of this project or space")


class PageParameters(EntryParameters):
    space_id = GivenId("Only pages of this space")


class PathParameters(Parameters):
    product = GivenChoice("Only approvals of this product", Product)
    ref = GivenName("Only approvals of this issue or page; with product")
    definition_id = GivenId("Only approvals by this definition")
    path_status = GivenChoice("Only approvals that stand so now", PathStatus)

    @post_load
    def split(self, data: Given, **kwargs: Any) -> tuple[PathFilters, Wish]:
        wish = _wish(data)
        return PathFilters(**data), wish


class RequestParameters(Parameters):
    approval_id = GivenId("Only requests of this approval")
    state = GivenChoice("Only requests in this state", CallState)

    @post_load
    def split(self, data: Given, **kwargs: Any) -> tuple[CallFilters, Wish]:
        wish = _wish(data)
        return CallFilters(path_id=data.get("approval_id"), state=data.get("state")), wish
