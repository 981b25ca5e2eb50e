"""Approval mappings: creating, editing and deleting them, with all that follows for the issues."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from herzum_approval import clock
from herzum_approval.domain.issues import Outcome, Surroundings
from herzum_approval.domain.mapping_changes import MappingChange, follow
from herzum_approval.domain.mappings import ApprovalMapping
from herzum_approval.domain.people import Actor
from herzum_approval.store import mappings as stored
from herzum_approval.store import writing
from herzum_approval.store.numbering import reserve_mapping_ids
from herzum_approval.store.outcomes import write_outcomes
from herzum_approval.store.surroundings import read_all_surroundings

ISSUES_AT_ONCE = 500

Tell = Callable[[Sequence[tuple[Surroundings, Outcome]]], None]


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
    database: Any,
    change: MappingChange,
    username: str | None,
    reason: str,
    now: datetime,
    *,
    tell: Tell | None = None,
) -> None:
    """Write the mappings as they are to be, and align the issues that follow them.

    The caller's transaction holds `lock_mappings`. reason: for the history. tell: see `write_change`.
    """
    write_change(
        database,
        change,
        lambda around: follow(change.after(around), change, username=username, reason=reason, now=now),
        tell=tell,
    )


def write_change(
    database: Any,
    change: MappingChange,
    outcome_of: Callable[[Surroundings], Outcome],
    *,
    tell: Tell | None = None,
) -> None:
    """Write the mappings as they are to be, and what comes of it for each issue that they bear on.

    outcome_of: from the picture with the created and edited mappings as they are to be.
    tell: is told of what was written, for some issues at a time: the pictures before, and the outcomes.
    """
    stored.insert_mappings(database, change.created)
    stored.update_mappings(database, [later for _, later in change.edited])
    issue_ids = stored.find_issue_ids(database, sorted(change.ids()))
    for start in range(0, len(issue_ids), ISSUES_AT_ONCE):
        chunk = issue_ids[start : start + ISSUES_AT_ONCE]
        arounds = read_all_surroundings(database, chunk).values()
        befores = [change.before(around) for around in arounds]
        pairs = list(zip(befores, map(outcome_of, arounds), strict=True))
        outcomes = write_outcomes(database, pairs)
        if tell is not None:
            tell(list(zip(befores, outcomes, strict=True)))
    stored.delete_mappings(database, [mapping.id for mapping in change.deleted])
