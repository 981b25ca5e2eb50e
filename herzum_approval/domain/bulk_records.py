"""Issue approvals that a bulk operation touches: which they are, and how they are put back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from herzum_approval.domain.bulk_mappings import BulkRecord
from herzum_approval.domain.history import EventKind
from herzum_approval.domain.issue_approvals import IssueApproval
from herzum_approval.domain.issues import Outcome, Surroundings, record_event


def touched_records(before: Surroundings, after: Surroundings) -> Iterator[tuple[int, IssueApproval | None]]:
    """Give the id of each record that differs between two pictures of an issue, with what it was before.

    One that is opened or closed by what happened to another is written too, so it differs.
    """
    old = {record.id: record for record in before.records}
    new = {record.id: record for record in after.records}
    turned = before.open_ids() ^ after.open_ids()
    for id in sorted(old.keys() | new.keys()):
        if old.get(id) != new.get(id) or id in turned:
            yield id, old.get(id)


def restored(
    around: Surroundings, touched: Sequence[BulkRecord], *, username: str, reason: str, now: datetime
) -> Outcome:
    """Return the issue with its records as they stood before an operation.

    touched: its records that the operation wrote. A record that is written again has a new version all
    the same, so that nobody takes it for what he saw in between.
    """
    present = {record.id: record for record in around.records}
    told: list[tuple[EventKind, IssueApproval]] = []
    for each in touched:
        now_there, before = present.pop(each.issue_approval_id, None), each.before
        if before is not None:
            version = 1 + (now_there or before).version
            present[before.id] = replace(before, version=version)
            told.append((EventKind.ALIGNED if now_there else EventKind.SUBMITTED, before))
        elif now_there is not None:
            told.append((EventKind.REMOVED, now_there))
    return Outcome(
        around=replace(around, records=tuple(present[id] for id in sorted(present))),
        events=tuple(
            record_event(around, kind, now, record, username=username, details={"reason": reason})
            for kind, record in told
        ),
    )
