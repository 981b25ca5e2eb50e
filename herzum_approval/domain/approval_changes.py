"""What a change of an approval's definition does to the issues that wait for it.

Source: HAP "Pickers" (one request for each user, or group); that open requests follow a changed
definition at once is inferred.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from herzum_approval.domain.alignment import realign
from herzum_approval.domain.approvals import FANNING_OUT, Approval
from herzum_approval.domain.issues import Outcome, Surroundings
from herzum_approval.domain.mapping_changes import aligned


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalChange:
    """An approval's definition on both sides of a change."""

    earlier: Approval
    later: Approval

    @property
    def is_felt(self) -> bool:
        """Whether issues can notice: a name and a description are only shown."""
        return self.earlier != replace(
            self.later, name=self.earlier.name, description=self.earlier.description
        )

    def before(self, around: Surroundings) -> Surroundings:
        """Return the picture with the definition as it was."""
        return replace(around, approvals={**around.approvals, self.earlier.id: self.earlier})

    def follow(self, around: Surroundings, *, username: str | None, now: datetime) -> Outcome:
        """Return what becomes of one issue's records. around: with the definition as it is now.

        Only where records are made for each name in a field can there be more or fewer of them.
        """
        if not any(map(_fans_out, (self.earlier, self.later))):
            return Outcome(around=around)
        mappings = {
            mapping.id: mapping
            for mapping in around.mappings_in_force()
            if any(mapped.approval_id == self.later.id for mapped in mapping.approvals)
        }
        existing = [
            record
            for record in around.records
            if record.approval_id == self.later.id and record.mapping_id in mappings
        ]
        wanted = [
            record for record in around.wanted(list(mappings.values())) if record.approval_id == self.later.id
        ]
        alignment = realign(existing, wanted, around.issue.status_id, now)
        return aligned(around, alignment, username=username, reason="approval edited", now=now)


def _fans_out(approval: Approval) -> bool:
    return any(each.kind in FANNING_OUT and not each.is_excluded for each in approval.approvers)
