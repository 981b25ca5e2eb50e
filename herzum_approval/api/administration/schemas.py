"""The wire shapes of the administration: the names of the domain in camel case, ids as numbers."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar

from marshmallow import EXCLUDE, RAISE, Schema, fields, post_load, pre_load

from herzum_approval.api.administration.errors import in_camel_case
from herzum_approval.api.administration.fields import (
    ABSENT,
    Choice,
    GivenCount,
    GivenId,
    GivenName,
    Minimum,
    Number,
    Part,
    Several,
    Text,
    Truth,
)
from herzum_approval.domain.approvals import Approval, Approver, ApproverKind, Match
from herzum_approval.domain.configuration import Configuration, CredentialsRequired
from herzum_approval.domain.mappings import (
    AbstainOverride,
    ApprovalMapping,
    ConditionedMinimum,
    MappedApproval,
    MappingFilters,
    MappingSettings,
    MinimumKind,
    ReplyNotification,
)
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.pages import Wish


class Document(Schema):
    """A dataclass of the domain; what a body leaves out has the dataclass's default.

    makes: the dataclass.
    """

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "is no member", "type": "must be an object"}  # noqa: RUF012 - as marshmallow declares it
    makes: ClassVar[type]

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        field_obj.data_key = in_camel_case(field_name)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        return self.makes(**data)


class Numbered(Document):
    """One that has an id, which a body may leave out."""

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        return self.makes(**{"id": ABSENT, **data})


def _by_value(members: type[Enum]) -> Mapping[str, Enum]:
    return {member.value: member for member in members}


def _by_name(members: type[Enum]) -> Mapping[str, Enum]:
    return {member.name.lower().replace("_", " "): member for member in members}


# -- approvals --------------------------------------------------------------------------------


class ApproverSchema(Document):
    """One property of a definition."""

    makes = Approver

    kind = Choice("How it names people", _by_value(ApproverKind), required=True)
    value = Text(
        "Username, group name, id of a project role or of a custom field; null where the kind needs none",
        allow_none=True,
    )
    is_excluded = Truth("Whoever it names may not act")


class ApprovalSchema(Numbered):
    """A named definition of who may act."""

    makes = Approval

    id = Number("The approval; given by the server")
    name = Text("Unique, without blanks around it", required=True)
    description = Text("For people")
    match = Choice("Whether any of the properties suffices, or all are needed", _by_value(Match))
    is_sequential = Truth("Its own switch: off lets it be acted on at any time within a sequence")
    approvers = Several(Part(ApproverSchema), "The properties")


# -- mappings ---------------------------------------------------------------------------------


class MappedApprovalSchema(Document):
    """One approval of a mapping, in its place."""

    makes = MappedApproval

    approval_id = Number("The approval", required=True)
    is_optional = Truth("It holds nobody up and counts once it is cast")
    conditional_rule_id = Number("Asked for only where this rule is true", allow_none=True)


class ConditionedMinimumSchema(Document):
    """A minimum that holds where its rule is true; the first true one wins."""

    makes = ConditionedMinimum

    kind = Choice("Of what it is the minimum", _by_value(MinimumKind), required=True)
    conditional_rule_id = Number("The rule", required=True)
    minimum = Minimum("-1 all, 0 none, below 1 a share, else a count", required=True)


class MappingSettingsSchema(Document):
    """The advanced settings of a mapping; the plugin's acronym, where there is one, in brackets."""

    makes = MappingSettings

    transitions_on_approbations = Truth("Automatic transition on approbations (awt)")
    transitions_on_rejections = Truth("Automatic transition on rejections (awtr)")
    waits_for_all_replies = Truth("It waits until all have replied (awtad)")
    sends_request_mail = Truth("Requests are mailed (arn)")
    announces_by_comment = Truth("Requests are announced by comment (nac)")
    requires_comment = Truth("An action must bring a comment (rac)")
    minimum_approbations = Minimum("-1 all, 0 none, below 1 a share, else a count (mra)")
    minimum_rejections = Minimum("The same for rejections (mrr)")
    conditional_rule_id = Number("Nothing is asked for unless this rule is true", allow_none=True)
    is_sequential = Truth("The approvals are asked one after the other (sa)")
    opens_after_any_decision = Truth("The next one opens after any decision (saad)")
    abstain_override = Choice("The mapping's word on the global Abstain switch", _by_name(AbstainOverride))
    shows_status_on_portal = Truth("The customer portal shows the status")
    shows_buttons_on_portal = Truth("The customer portal shows the buttons")
    rejection_transition_id = Number("Where rejections lead, if it is set", allow_none=True)
    assignee_after_decision = Text("A username", allow_none=True)
    request_mail_template = Text("The template of requests", allow_none=True)
    reply_mail_template = Text("The template of replies", allow_none=True)
    reply_notification = Choice(
        "When replies are announced; null is as a vote", _by_value(ReplyNotification), allow_none=True
    )
    reminder_days = Number("After how many days people are reminded", allow_none=True)
    super_approvers = Several(Part(ApproverSchema), "Who may act beside the approvers")


class MappingSchema(Numbered):
    """Approvals bound to one transition out of one status."""

    makes = ApprovalMapping

    id = Number("The mapping; given by the server")
    project_id = Number("The project", required=True)
    issue_type_id = Number("The issue type", required=True)
    source_status_id = Number("The status in which the approvals are asked for", required=True)
    transition_id = Number("The transition that waits for them", required=True)
    issue_id = Number(
        "The issue, for a mapping of a single-issue configuration; null is for all issues", allow_none=True
    )
    settings = Part(MappingSettingsSchema, metadata={"description": "The advanced settings"})
    approvals = Several(
        Part(MappedApprovalSchema), "In their order, which is the sequence where there is one", required=True
    )
    conditioned_minimums = Several(Part(ConditionedMinimumSchema), "Minimums under conditions, in order")


# -- configuration ----------------------------------------------------------------------------


def _names(description: str) -> Several:
    return Several(Text("A name"), description)


class ConfigurationSchema(Document):
    """The General Configuration."""

    makes = Configuration

    is_reject_enabled = Truth("Rejecting is possible")
    is_abstain_enabled = Truth("Abstaining is possible, unless a mapping says otherwise")
    is_reversing_locked = Truth("Decisions, once taken, stay")
    reversing_exempted_users = _names("Usernames of those who may reverse all the same")
    are_actions_enabled_after_decision = Truth("Actions are possible once enough have decided")
    credentials_required = Choice(
        "What an action must bring beside the login", _by_value(CredentialsRequired)
    )
    is_delegation_enabled = Truth("Delegates act for others")
    is_transition_responsive = Truth("Automatic transitions obey all conditions")
    responsive_user = Text("As whom they are done then", allow_none=True)
    do_minimums_drive_transitions = Truth("Reaching a minimum sets off the transition")
    are_decisions_logged_as_comments = Truth("Decisions become comments of the issue")
    decision_log_user = Text("Who writes them; null is whoever decided", allow_none=True)
    conditional_rule_user = Text("As whom rules are evaluated", allow_none=True)
    comment_limit = Number("How long a comment may be; 0 is without limit", least=0)
    super_approver_users = _names("Usernames of those who may act on every issue approval")
    super_approver_groups = _names("Groups that may")


# -- lists ------------------------------------------------------------------------------------


class Parameters(Schema):
    """Query parameters: the part of a list that is wanted."""

    class Meta:
        unknown = EXCLUDE

    @pre_load
    def refuse_unknown(self, data: Mapping[str, str], **kwargs: Any) -> Mapping[str, str]:
        """Let no misspelt filter pass for none; Jira's own parameters (`os_authType`) may stand anywhere."""
        known = {each.data_key for each in self.fields.values()}
        for name in data:
            if name not in known and not name.startswith("os_"):
                raise Problem(Fault.PARAMETER_INVALID, name=name, reason="is no parameter")
        return data

    start_at = GivenCount("The place, from 0, of the first entry returned")
    max_results = GivenCount("How many entries are returned at most")

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        field_obj.data_key = in_camel_case(field_name)


class PageParameters(Parameters):
    """The query parameters of a list without filters."""

    @post_load
    def wish(self, data: Mapping[str, Any], **kwargs: Any) -> Wish:
        return Wish(**data)


class MappingParameters(Parameters):
    """The query parameters of the list of mappings, as filters and wish."""

    project_id = GivenId("Only mappings of this project")
    issue_type_id = GivenId("Only mappings of this issue type")
    source_status_id = GivenId("Only mappings of this source status")
    transition_id = GivenId("Only mappings of this transition")
    approval_id = GivenId("Only mappings that ask for this approval")

    @post_load
    def split(self, data: dict[str, Any], **kwargs: Any) -> tuple[MappingFilters, Wish]:
        wish = Wish(start_at=data.pop("start_at", None), max_results=data.pop("max_results", None))
        return MappingFilters(**data), wish


class ApprovalParameters(Parameters):
    """The query parameters of the list of approvals, as name and wish."""

    name = GivenName("Only approvals of this name, letter case aside")

    @post_load
    def split(self, data: dict[str, Any], **kwargs: Any) -> tuple[str | None, Wish]:
        return data.pop("name", None), Wish(**data)


def list_or_page(schema: type[Schema], name: str, *, title: str | None = None) -> dict[str, Any]:
    """Return how OpenAPI says that such entries come as a list, or in pages.

    name: of the member that holds them. title: of the schema, where another has that name.
    """
    members: dict[str, Any] = {
        "startAt": fields.Integer(required=True),
        "maxResults": fields.Integer(required=True),
        "total": fields.Integer(required=True, metadata={"description": "On all pages together"}),
        name: fields.List(fields.Nested(schema), required=True),
    }
    page = Schema.from_dict(members, name=f"{title or name[0].upper() + name[1:]}PageSchema")
    return {"anyOf": [{"type": "array", "items": schema}, page]}
