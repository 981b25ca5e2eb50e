"""Issue approvals: requests to decide one transition of one issue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from herzum_approval.domain.approvals import Approval
from herzum_approval.domain.mappings import ALL, AbstainOverride


class ApprovalStatus(StrEnum):
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    ABSTAINED = "ABSTAINED"


class RequirementType(StrEnum):
    """Where the requirement comes from."""

    WORKFLOW = "WORKFLOW"  # a mapping
    SINGLE_ISSUE = "SINGLE_ISSUE"  # a configuration of this issue alone


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSettings:
    """What an issue approval took from its mapping when it was made; see `MappingSettings`."""

    transitions_on_approbations: bool = False  # awt
    transitions_on_rejections: bool = False  # awtr
    waits_for_all_replies: bool = False  # awtad
    sends_request_mail: bool = False  # arn
    announces_by_comment: bool = False  # nac
    requires_comment: bool = False  # rac
    minimum_approbations: float = ALL  # mra
    minimum_rejections: float = ALL  # mrr
    conditional_rule_id: int | None = None  # conditionalRuleId
    place: int = 1  # sortSa: the place in the sequence, from 1
    is_sequential: bool = False  # sa
    opens_after_any_decision: bool = False  # saad
    abstain_override: AbstainOverride = AbstainOverride.FOLLOW_GLOBAL  # abstainActionStatus
    is_optional: bool = False  # isOptionalApproval
    shows_status_on_portal: bool = False  # showAppStatusJsd
    shows_buttons_on_portal: bool = False  # showAppButtonsJsd


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueApproval:
    """An approval awaiting action on one issue.

    target: the principal a record of a fanned-out picker is for; None on all others.
    approver_username: who took the decision; None while pending, as `decided_at`.
    submitted_at: when the issue entered the source status; None before.
    notified_at: when the request was mailed; None where it was not.
    is_configuration: a configuration row ("OWL"), on which every action is refused.
    version: how many times the record was written.
    """

    id: int
    issue_id: int
    approval_id: int
    transition_id: int
    transition_name: str
    source_status_id: int
    mapping_id: int | None = None
    type: RequirementType = RequirementType.WORKFLOW
    approval_status: ApprovalStatus = ApprovalStatus.PENDING
    decided_at: datetime | None = None
    approver_username: str | None = None
    submitted_at: datetime | None = None
    notified_at: datetime | None = None
    defines_custom_approval: bool = False  # defineCustomApproval: meaning unknown, false everywhere
    has_transition_error: bool = False  # errorTransit: an automatic transition was due and failed
    target: str | None = None
    is_configuration: bool = False
    settings: RecordSettings = field(default_factory=RecordSettings)
    version: int = 1

    def is_asked_for(self, issue_status_id: int) -> bool:
        """Return whether it has a say in the status: submitted, for it, and not a configuration row."""
        is_live = self.submitted_at is not None and not self.is_configuration
        return is_live and self.source_status_id == issue_status_id


def open_records(
    records: Iterable[IssueApproval], issue_status_id: int, approvals: Mapping[int, Approval]
) -> frozenset[int]:
    """Return the ids of those records of one issue that its approvers can act on now.

    That is: asked for in the status that the issue is in, and its turn reached.
    records: all records of the issue. approvals: the definitions they refer to, by id.
    Source: HAP "Sequential approval scenario"; who may act is another question (`standing`).
    """
    present = [record for record in records if record.is_asked_for(issue_status_id)]
    return frozenset(record.id for record in present if _is_turn_reached(record, present, approvals))


def _is_turn_reached(
    record: IssueApproval, present: Iterable[IssueApproval], approvals: Mapping[int, Approval]
) -> bool:
    if not record.settings.is_sequential or not approvals[record.approval_id].is_sequential:
        return True
    # An optional approval counts once it is cast and holds nobody up before (HAP "Mandatory and
    # optional approvers scenario").
    earlier = (
        other.approval_status
        for other in present
        if other.transition_id == record.transition_id
        and other.settings.place < record.settings.place
        and not (other.settings.is_optional and other.approval_status is ApprovalStatus.PENDING)
    )
    if record.settings.opens_after_any_decision:
        return all(status is not ApprovalStatus.PENDING for status in earlier)
    return all(status in (ApprovalStatus.APPROVED, ApprovalStatus.ABSTAINED) for status in earlier)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFilters:
    """What a search asks for; None leaves a filter out.

    issue_keys, issue_ids: as the caller wrote them, trimmed; all three issue filters make one union.
    start_at, max_results: either one asks for a page instead of the whole list.
    """

    approval_name: str | None = None
    username: str | None = None
    approval_status: ApprovalStatus | None = None
    issue_key: str | None = None
    issue_keys: tuple[str, ...] | None = None
    issue_ids: tuple[str, ...] | None = None
    start_at: int | None = None
    max_results: int | None = None

    @property
    def is_paged(self) -> bool:
        return self.start_at is not None or self.max_results is not None

    def unpaged(self) -> "SearchFilters":
        """Return the search for the whole list."""
        return replace(self, start_at=None, max_results=None) if self.is_paged else self


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated:
    """Somebody's part in a search for his delegate. principals: those of the delegator."""

    delegator: str
    principals: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """A search with every name resolved; None leaves a criterion out, an empty tuple matches nothing.

    project_ids: what the caller may browse. principals: somebody with one of them can act now.
    is_open: somebody can act now, whoever.
    delegate, delegated: found beside that is what this user can act on for these delegators.
    """

    approval_ids: tuple[int, ...] | None = None
    approval_status: ApprovalStatus | None = None
    issue_ids: tuple[int, ...] | None = None
    project_ids: tuple[int, ...] | None = None
    principals: tuple[str, ...] | None = None
    is_open: bool = False
    delegate: str | None = None
    delegated: tuple[Delegated, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueApprovalView:
    """An issue approval with what a search shows beside it."""

    record: IssueApproval
    approval_name: str
    issue_status_id: int
