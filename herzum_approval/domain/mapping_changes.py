"""What a change of mappings does to the issues that follow them.

Source: HAP "Edit Approval Mapping" (existing issues are made consistent), "Configure an overall Approval
Mapping" (deleting a mapping removes its approvals); that votes are kept is inferred.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from herzum_approval.domain.alignment import Alignment, realign
from herzum_approval.domain.history import EventKind
from herzum_approval.domain.issue_approvals import IssueApproval
from herzum_approval.domain.issues import Outcome, Surroundings, applied, record_event
from herzum_approval.domain.mappings import ApprovalMapping


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingChange:
    """Mappings that are new, that are different, and that are gone.

    edited: pairs of before and after, of one id each.
    """

    created: tuple[ApprovalMapping, ...] = ()
    edited: tuple[tuple[ApprovalMapping, ApprovalMapping], ...] = ()
    deleted: tuple[ApprovalMapping, ...] = ()

    def mappings(self) -> tuple[ApprovalMapping, ...]:
        """Return all mappings that the change is about, as they are last."""
        return (*self.created, *(later for _, later in self.edited), *self.deleted)

    def ids(self) -> frozenset[int]:
        """Return the ids of all mappings that the change is about."""
        return frozenset(mapping.id for mapping in self.mappings())

    def before(self, around: Surroundings) -> Surroundings:
        """Return the picture as it was. around: with the created and edited mappings as they are now."""
        created = {mapping.id for mapping in self.created}
        earlier = {earlier.id: earlier for earlier, _ in self.edited}
        kept = {id: earlier.get(id, mapping) for id, mapping in around.mappings.items() if id not in created}
        return replace(around, mappings=kept)

    def after(self, around: Surroundings) -> Surroundings:
        """Return the picture without the mappings that are to go."""
        deleted = {mapping.id for mapping in self.deleted}
        kept = {id: mapping for id, mapping in around.mappings.items() if id not in deleted}
        return replace(around, mappings=kept)


def follow(
    around: Surroundings, change: MappingChange, *, username: str | None, reason: str, now: datetime
) -> Outcome:
    """Return what becomes of one issue's records. around: as `MappingChange.after` gives it.

    reason: what was done to the mappings, for the history.
    """
    ids = change.ids()
    existing = [record for record in around.records if record.mapping_id in ids]
    wanted = around.wanted([mapping for mapping in around.mappings_in_force() if mapping.id in ids])
    alignment = realign(existing, wanted, around.issue.status_id, now)
    return aligned(around, alignment, username=username, reason=reason, now=now)


def aligned(
    around: Surroundings, alignment: Alignment, *, username: str | None, reason: str, now: datetime
) -> Outcome:
    """Return the picture with its records aligned, and what the history tells of each.

    reason: what was done, for the history.
    """
    updated = tuple(later for _, later in alignment.updated)
    created = tuple(replace(record, id=-place) for place, record in enumerate(alignment.created, start=1))
    after = replace(around, records=applied(around.records, (*updated, *created), alignment.deleted))
    told: tuple[tuple[EventKind, IssueApproval], ...] = (
        *((EventKind.ALIGNED, record) for record in updated),
        *((EventKind.SUBMITTED, record) for record in created if record.submitted_at is not None),
        *((EventKind.REMOVED, record) for record in alignment.deleted),
    )
    return Outcome(
        around=after,
        events=tuple(
            record_event(around, kind, now, record, username=username, details={"reason": reason})
            for kind, record in told
        ),
    )
