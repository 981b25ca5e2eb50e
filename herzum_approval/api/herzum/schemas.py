"""The wire shapes of the plugin. The vendor's spelling stands here and nowhere else."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load

from herzum_approval.api.herzum.fields import (
    BodyText,
    Given,
    GivenCount,
    GivenList,
    GivenStatus,
    Minimum,
    Moment,
    MomentOrNotSent,
    Number,
    NumberOrMinusOne,
    Text,
    TextId,
    Truth,
)
from herzum_approval.domain.issue_approvals import SearchFilters
from herzum_approval.errors import Fault

_FILTERS = {
    "appname": "approval_name",
    "username": "username",
    "status": "approval_status",
    "issuekey": "issue_key",
    "issuekeys": "issue_keys",
    "issueids": "issue_ids",
    "startAt": "start_at",
    "maxResults": "max_results",
}


class SearchArguments(Schema):
    """The query parameters of a search; checked in the order in which they stand here."""

    class Meta:
        unknown = EXCLUDE

    appname = Given(Fault.APPROVAL_NAME_EMPTY, "Only issue approvals of the approval of this name")
    username = Given(Fault.USERNAME_EMPTY, "Only issue approvals on which this user can act now")
    status = GivenStatus(
        Fault.STATUS_EMPTY, "Only issue approvals of this status: APPROVED, REJECTED, PENDING or ABSTAINED"
    )
    issuekey = Given(Fault.ISSUE_KEY_EMPTY, "Only issue approvals of the issue with this key")
    issuekeys = GivenList(
        Fault.ISSUE_KEYS_EMPTY, "Only issue approvals of the issues with these keys, commas between them"
    )
    issueids = GivenList(
        Fault.ISSUE_IDS_EMPTY, "Only issue approvals of the issues with these ids, commas between them"
    )
    startAt = GivenCount(  # noqa: N815 - the vendor's spelling
        Fault.START_AT_EMPTY,
        Fault.START_AT_INVALID,
        "The place, from 0, of the first issue approval returned",
    )
    maxResults = GivenCount(  # noqa: N815
        Fault.MAX_RESULTS_EMPTY, Fault.MAX_RESULTS_INVALID, "How many issue approvals are returned at most"
    )

    @post_load
    def filters(self, data: dict[str, Any], **kwargs: Any) -> SearchFilters:
        return SearchFilters(**{_FILTERS[name]: value for name, value in data.items()})


def _setting(name: str) -> str:
    return f"record.settings.{name}"


class IssueApprovalSchema(Schema):
    """An issue approval as a search shows it: the shape of 2023, keys in the documented order.

    Unset members are left out. The acronyms are the vendor's; what is known of each stands behind it.
    """

    id = Number("id", "record.id", "The issue approval; the path id of its action")
    issue_id = Number("issueId", "record.issue_id", "The issue")
    approval_id = Number("approvalId", "record.approval_id", "The approval (the definition)")
    approval_name = Text("approvalName", "approval_name", "The approval's name")
    issue_status = TextId("issueStatus", "issue_status_id", "The status that the issue has now")
    approval_status = Text(
        "approvalStatus", "record.approval_status", "PENDING, APPROVED, REJECTED or ABSTAINED"
    )
    date = Moment(
        "date", "record.decided_at", "When it was decided; not there while pending", may_be_unset=True
    )
    approver_user = Text(
        "approverUser",
        "record.approver_username",
        "Who decided it; not there while pending",
        may_be_unset=True,
    )
    transition_id = TextId("transitionId", "record.transition_id", "The transition that waits for it")
    transition_name = Text("transitionName", "record.transition_name", "That transition's name")
    notification_date = MomentOrNotSent(
        "notificationDate", "record.notified_at", "When the request was mailed, or `Not Sent`"
    )
    source_status_id = TextId(
        "sourceStatusId", "record.source_status_id", "The status in which the approval is asked for"
    )
    type = Text("type", "record.type", "WORKFLOW (a mapping) or SINGLE_ISSUE (this issue's own)")
    define_custom_approval = Truth(
        "defineCustomApproval", "record.defines_custom_approval", "Meaning unknown; false everywhere"
    )
    awt = Truth(
        "awt", _setting("transitions_on_approbations"), "Automatic workflow transition on approbations"
    )
    awtr = Truth("awtr", _setting("transitions_on_rejections"), "Automatic workflow transition on rejections")
    awtad = Truth("awtad", _setting("waits_for_all_replies"), "It waits until all have replied")
    arn = Truth("arn", _setting("sends_request_mail"), "Automatic request notification by mail")
    nac = Truth("nac", _setting("announces_by_comment"), "Requests are announced by comment")
    rac = Truth("rac", _setting("requires_comment"), "An action must bring a comment")
    error_transit = Truth(
        "errorTransit", "record.has_transition_error", "An automatic transition was due and failed"
    )
    mra = Minimum(
        "mra",
        _setting("minimum_approbations"),
        "Minimum required approbations: -1 all, 0 none, below 1 a share, else a count",
    )
    mrr = Minimum("mrr", _setting("minimum_rejections"), "Minimum required rejections, likewise")
    conditional_rule_id = NumberOrMinusOne(
        "conditionalRuleId", _setting("conditional_rule_id"), "The rule that must be true, or -1"
    )
    submitted_date = Moment(
        "submittedDate",
        "record.submitted_at",
        "When it was submitted; not there before",
        may_be_unset=True,
    )
    sort_sa = Number("sortSa", _setting("place"), "The place in the sequence, from 1")
    sa = Truth("sa", _setting("is_sequential"), "The approvals are asked one after the other")
    saad = Truth("saad", _setting("opens_after_any_decision"), "The next one opens after any decision")
    abstain_action_status = Number(
        "abstainActionStatus", _setting("abstain_override"), "0 as the global switch, 1 on, 2 off"
    )
    is_optional_approval = Truth(
        "isOptionalApproval", _setting("is_optional"), "It is among the optional approvals"
    )
    show_app_status_jsd = Truth(
        "showAppStatusJsd", _setting("shows_status_on_portal"), "The customer portal shows the status"
    )
    show_app_buttons_jsd = Truth(
        "showAppButtonsJsd", _setting("shows_buttons_on_portal"), "The customer portal shows the buttons"
    )


class ActionRequest(Schema):
    """What an action brings. Blank texts count as absent; unknown members are ignored."""

    class Meta:
        unknown = EXCLUDE

    action = BodyText("APPROVE, REJECT, ABSTAIN or RESET, in any letter case; mandatory")
    username = BodyText("The caller's own username; the General Configuration may demand it")
    password = BodyText(
        "The caller's password; the General Configuration may demand it", keeps_blanks=True, format="password"
    )
    comment = BodyText("Why; the mapping may demand it")


class DecidedSchema(IssueApprovalSchema):
    """An issue approval as an action answers it: the search's, without the approval's name."""

    class Meta:
        exclude = ("approval_name",)


class PageSchema(Schema):
    """The envelope of a page of issue approvals."""

    start_at = fields.Integer(data_key="startAt", required=True)
    max_results = fields.Integer(data_key="maxResults", required=True)
    total = fields.Integer(
        required=True, metadata={"description": "How many match, this page and all others"}
    )
    issue_approvals = fields.List(
        fields.Nested(IssueApprovalSchema), data_key="issueApprovals", required=True
    )
