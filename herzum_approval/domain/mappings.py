"""Approval mappings: which approvals a transition of a project's issue type asks for, and how."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from herzum_approval.domain.approvals import Approver

ALL = -1.0
"""A minimum of all requested approvals; 0 is none, below 1 a share, from 1 on a count."""


class AbstainOverride(IntEnum):
    """A mapping's word on the global Abstain switch. The codes 1 and 2 are inferred."""

    FOLLOW_GLOBAL = 0
    ON = 1
    OFF = 2


class MinimumKind(StrEnum):
    APPROBATIONS = "approbations"
    REJECTIONS = "rejections"


class ReplyNotification(StrEnum):
    """When a mapping's replies are announced."""

    EVERY_VOTE = "every vote"
    COMPLETE_APPROBATION = "complete approbation"
    EVERY_REJECTION = "every rejection"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionedMinimum:
    """A minimum that holds instead of the mapping's own where its rule is true; the first true one wins."""

    kind: MinimumKind
    conditional_rule_id: int
    minimum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedApproval:
    """One approval of a mapping, in its place. conditional_rule_id: asked for only where the rule is true."""

    approval_id: int
    is_optional: bool = False
    conditional_rule_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSettings:
    """The advanced settings of a mapping; the vendor's acronym stands behind each that the wire shows.

    minimum_approbations, minimum_rejections: `ALL`, 0 (none), a share below 1, or a count.
    super_approvers: who may act beside the approvers; a property marked excluded takes away again.
    """

    transitions_on_approbations: bool = False  # awt
    transitions_on_rejections: bool = False  # awtr
    waits_for_all_replies: bool = False  # awtad
    sends_request_mail: bool = False  # arn
    announces_by_comment: bool = False  # nac
    requires_comment: bool = False  # rac
    minimum_approbations: float = ALL  # mra
    minimum_rejections: float = ALL  # mrr
    conditional_rule_id: int | None = None  # conditionalRuleId, -1 where there is none
    is_sequential: bool = False  # sa
    opens_after_any_decision: bool = False  # saad
    abstain_override: AbstainOverride = AbstainOverride.FOLLOW_GLOBAL  # abstainActionStatus
    shows_status_on_portal: bool = False  # showAppStatusJsd
    shows_buttons_on_portal: bool = False  # showAppButtonsJsd
    rejection_transition_id: int | None = None
    assignee_after_decision: str | None = None
    request_mail_template: str | None = None
    reply_mail_template: str | None = None
    reply_notification: ReplyNotification | None = None
    reminder_days: int | None = None
    super_approvers: tuple[Approver, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalMapping:
    """Approvals bound to one transition out of one status, for a project's issue type or one issue.

    issue_id: set on the mappings of a single-issue configuration, which replaces all others for its issue.
    approvals: in their order, which is the sequence where the mapping is sequential.
    """

    id: int
    project_id: int
    issue_type_id: int
    source_status_id: int
    transition_id: int
    issue_id: int | None = None
    settings: MappingSettings = field(default_factory=MappingSettings)
    approvals: tuple[MappedApproval, ...] = ()
    conditioned_minimums: tuple[ConditionedMinimum, ...] = ()

    @property
    def scope(self) -> tuple[int | None, ...]:
        """What the mapping is for; no two have the same. An issue says its project and type."""
        if self.issue_id is not None:
            return (self.issue_id, self.source_status_id, self.transition_id)
        return (self.project_id, self.issue_type_id, self.source_status_id, self.transition_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingFilters:
    """Which mappings are asked for; None leaves a filter out. approval_id: among those mapped."""

    project_id: int | None = None
    issue_type_id: int | None = None
    source_status_id: int | None = None
    transition_id: int | None = None
    approval_id: int | None = None
