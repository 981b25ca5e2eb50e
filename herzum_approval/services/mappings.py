"""Approval mappings: creating, editing and deleting them, with all that follows for the issues."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from herzum_approval import clock
from herzum_approval.domain.mapping_changes import MappingChange, follow
from herzum_approval.domain.mappings import ApprovalMapping
from herzum_approval.domain.people import Actor
from herzum_approval.store import mappings as stored
from herzum_approval.store import writing
from herzum_approval.store.numbering import reserve_mapping_ids
from herzum_approval.store.outcomes import write_outcomes
from herzum_approval.store.surroundings import read_all_surroundings

_ISSUES_AT_ONCE = 500


def create_mapping(actor: Actor, mapping: ApprovalMapping) -> ApprovalMapping:
    """Return the mapping with its id; issues that wait in its status are asked at once."""

    def work(database: Any) -> ApprovalMapping:
        stored.lock_mappings(database)
        (id,) = reserve_mapping_ids(database, 1)
        created = replace(mapping, id=id)
        apply_change(database, MappingChange(created=(created,)), actor.username, "created", clock.now())
        return created

    return writing(work)


def edit_mapping(actor: Actor, mapping: ApprovalMapping) -> None:
    """Give the mapping of this id these settings and approvals; votes on approvals that stay are kept."""

    def work(database: Any) -> None:
        stored.lock_mappings(database)
        (before,) = stored.read_mappings(database, [mapping.id])
        change = MappingChange(edited=((before, mapping),))
        apply_change(database, change, actor.username, "edited", clock.now())

    writing(work)


def delete_mapping(actor: Actor, mapping_id: int) -> None:
    """Delete the mapping, and with it what it asked of issues."""

    def work(database: Any) -> None:
        stored.lock_mappings(database)
        change = MappingChange(deleted=stored.read_mappings(database, [mapping_id]))
        apply_change(database, change, actor.username, "deleted", clock.now())

    writing(work)


def apply_change(
    database: Any, change: MappingChange, username: str | None, reason: str, now: datetime
) -> None:
    """Write the mappings as they are to be, and align the issues that follow them.

    The caller's transaction holds `lock_mappings`. reason: for the history.
    """
    stored.insert_mappings(database, change.created)
    stored.update_mappings(database, [later for _, later in change.edited])
    issue_ids = stored.find_issue_ids(database, sorted(change.ids()))
    for start in range(0, len(issue_ids), _ISSUES_AT_ONCE):
        pairs = []
        chunk = issue_ids[start : start + _ISSUES_AT_ONCE]
        for around in read_all_surroundings(database, chunk).values():
            outcome = follow(change.after(around), change, username=username, reason=reason, now=now)
            pairs.append((change.before(around), outcome))
        write_outcomes(database, pairs)
    stored.delete_mappings(database, [mapping.id for mapping in change.deleted])
