"""Which issue approvals an issue should have, and what it takes to get there from those it has.

Source: HAP "Edit Approval Mapping" (existing issues are made consistent with a changed mapping), "Pickers"
(one request for each user, or group, in the field); re-submission on re-entry is inferred.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from herzum_approval.domain.approvals import (
    FANNING_OUT,
    Approval,
    Approver,
    Match,
    principals_of,
)
from herzum_approval.domain.issue_approvals import (
    ApprovalStatus,
    IssueApproval,
    RecordSettings,
    RequirementType,
)
from herzum_approval.domain.jira import Issue, Project
from herzum_approval.domain.mappings import ApprovalMapping, MappedApproval

NEW = 0
"""The id of an issue approval that the database has yet to number."""

_COPIED = tuple(
    field.name
    for field in fields(RecordSettings)
    if field.name not in ("conditional_rule_id", "place", "is_optional")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """What must be written. created: records without an id yet. updated: pairs of before and after."""

    created: tuple[IssueApproval, ...] = ()
    updated: tuple[tuple[IssueApproval, IssueApproval], ...] = ()
    deleted: tuple[IssueApproval, ...] = ()


def wanted(
    mapping: ApprovalMapping,
    issue: Issue,
    project: Project,
    approvals: Mapping[int, Approval],
    transition_name: str,
    is_true: Callable[[int], bool],
) -> list[IssueApproval]:
    """Return the records that the mapping asks of the issue, new and not yet submitted.

    is_true: tells of a conditional rule, by its id, whether it is true for the issue; approvals whose
    rule, or whose mapping's rule, is false are not asked for.
    """
    rule_id = mapping.settings.conditional_rule_id
    if rule_id is not None and not is_true(rule_id):
        return []
    is_single = mapping.issue_id is not None
    return [
        IssueApproval(
            id=NEW,
            issue_id=issue.id,
            approval_id=mapped.approval_id,
            transition_id=mapping.transition_id,
            transition_name=transition_name,
            source_status_id=mapping.source_status_id,
            mapping_id=mapping.id,
            type=RequirementType.SINGLE_ISSUE if is_single else RequirementType.WORKFLOW,
            target=target,
            settings=_settings(mapping, mapped, place),
        )
        for place, mapped in enumerate(mapping.approvals, start=1)
        if mapped.conditional_rule_id is None or is_true(mapped.conditional_rule_id)
        for target in _targets(approvals[mapped.approval_id], issue, project)
    ]


def _targets(approval: Approval, issue: Issue, project: Project) -> list[str] | list[None]:
    """Return whom the approval makes a record for: None for one record that all its approvers share.

    Whoever is excluded gets none. Where the fields are empty nobody is asked, unless other properties
    name somebody who may act alone (inferred).
    """
    included = [each for each in approval.approvers if not each.is_excluded]
    fanning = [each for each in included if each.kind in FANNING_OUT]
    targets = _principals(fanning, issue, project)
    targets -= _principals([each for each in approval.approvers if each.is_excluded], issue, project)
    has_others = len(fanning) < len(included) and approval.match is Match.ANY
    if not fanning or (not targets and has_others):
        return [None]
    return sorted(targets)


def _principals(approvers: Iterable[Approver], issue: Issue, project: Project) -> frozenset[str]:
    return frozenset[str]().union(*(principals_of(each, issue, project) for each in approvers))


def _settings(mapping: ApprovalMapping, mapped: MappedApproval, place: int) -> RecordSettings:
    copied = {name: getattr(mapping.settings, name) for name in _COPIED}
    rule_id = mapped.conditional_rule_id or mapping.settings.conditional_rule_id
    return RecordSettings(**copied, place=place, is_optional=mapped.is_optional, conditional_rule_id=rule_id)


def enter(
    existing: Iterable[IssueApproval], wanted_records: Sequence[IssueApproval], status_id: int, now: datetime
) -> Alignment:
    """Return what entering the status takes: its records are submitted, decided ones anew.

    existing: all records of the issue; those of other statuses and configuration rows stay as they are.
    wanted_records: what the mappings of the entered status ask for.
    """
    here = [record for record in _live(existing) if record.source_status_id == status_id]
    return _aligned(here, wanted_records, lambda record: _submitted(record, now))


def realign(
    existing: Iterable[IssueApproval],
    wanted_records: Sequence[IssueApproval],
    issue_status_id: int,
    now: datetime,
) -> Alignment:
    """Return what a changed mapping takes: new settings for what stays, and votes are kept.

    existing: the issue's records of the changed mappings. A record that is new, or was not yet
    submitted, is submitted now where the issue is in its status. For a status that the issue is not
    in, only a single-issue configuration makes records ahead of time.
    """

    def brought_up(record: IssueApproval) -> IssueApproval:
        is_due = record.submitted_at is None and record.source_status_id == issue_status_id
        return _submitted(record, now) if is_due else record

    found = _aligned(_live(existing), wanted_records, brought_up)
    timely = (
        record
        for record in found.created
        if record.submitted_at is not None or record.type is RequirementType.SINGLE_ISSUE
    )
    return replace(found, created=tuple(timely))


def _live(records: Iterable[IssueApproval]) -> list[IssueApproval]:
    return [record for record in records if not record.is_configuration]


def _aligned(
    existing: Iterable[IssueApproval],
    wanted_records: Sequence[IssueApproval],
    work: Callable[[IssueApproval], IssueApproval],
) -> Alignment:
    """Return how the existing records become the wanted ones, each with the work done on it.

    A record without mapping was made without one, and is not taken away for want of it (ours).
    """
    left = list(existing)
    created, pairs = [], []
    for record in wanted_records:
        before = next((each for each in left if _key(each) == _key(record)), None)
        if before is None:
            created.append(work(record))
            continue
        left.remove(before)
        pairs.append((before, work(_renewed(before, record))))
    pairs += ((record, work(record)) for record in left if record.mapping_id is None)
    return Alignment(
        created=tuple(created),
        updated=tuple(
            (before, replace(after, version=before.version + 1)) for before, after in pairs if after != before
        ),
        deleted=tuple(record for record in left if record.mapping_id is not None),
    )


def _key(record: IssueApproval) -> tuple[object, ...]:
    return (record.source_status_id, record.transition_id, record.approval_id, record.target)


def _renewed(record: IssueApproval, wanted_record: IssueApproval) -> IssueApproval:
    return replace(
        record,
        settings=wanted_record.settings,
        mapping_id=wanted_record.mapping_id,
        type=wanted_record.type,
        transition_name=wanted_record.transition_name,
    )


def _submitted(record: IssueApproval, now: datetime) -> IssueApproval:
    return replace(
        record,
        approval_status=ApprovalStatus.PENDING,
        decided_at=None,
        approver_username=None,
        submitted_at=now,
        notified_at=None,
        has_transition_error=False,
    )
