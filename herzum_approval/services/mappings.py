"""Approval mappings: finding, creating, editing and deleting them, with all that follows for the issues."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from herzum_approval import clock
from herzum_approval.domain.change_checks import check_mapping
from herzum_approval.domain.issues import Outcome, Surroundings
from herzum_approval.domain.jira import LARGEST_ID
from herzum_approval.domain.mapping_changes import MappingChange, follow
from herzum_approval.domain.mappings import ApprovalMapping, MappingFilters
from herzum_approval.domain.people import Actor
from herzum_approval.domain.site_references import mentions
from herzum_approval.domain.sites import Site
from herzum_approval.domain.versions import Versioned
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.pages import Listed, Wish, listed
from herzum_approval.store import mappings as stored
from herzum_approval.store import reading, writing
from herzum_approval.store.mentions import read_mentioned
from herzum_approval.store.numbering import reserve_mapping_ids
from herzum_approval.store.outcomes import write_outcomes
from herzum_approval.store.surroundings import read_all_surroundings

ISSUES_AT_ONCE = 500

Tell = Callable[[Sequence[tuple[Surroundings, Outcome]]], None]


def find_mappings(filters: MappingFilters, wish: Wish) -> Listed[ApprovalMapping]:
    """Return the mappings that the filters leave, by id; those of single issues among them."""
    with reading(at_one_moment=True) as database:
        ids = stored.find_mapping_ids(database, filters)
        return listed(ids, wish, lambda chunk: stored.read_mappings(database, chunk))


def show_mapping(mapping_id: int) -> Versioned[ApprovalMapping]:
    """Return the mapping. Raises: MAPPING_UNKNOWN."""
    with reading(at_one_moment=True) as database:
        return _found(database, mapping_id)


def create_mapping(actor: Actor, mapping: ApprovalMapping) -> ApprovalMapping:
    """Return the mapping with its id; issues that wait in its status are asked at once.

    Raises: what `change_checks.check_mapping` raises, SCOPE_MAPPED.
    """

    def work(database: Any) -> ApprovalMapping:
        stored.lock_mappings(database)
        (id,) = reserve_mapping_ids(database, 1)
        created = replace(mapping, id=id)
        _check(database, created)
        taken_by = stored.find_id_of_scope(database, created)
        if taken_by is not None:
            raise Problem(Fault.SCOPE_MAPPED, id=taken_by)
        apply_change(database, MappingChange(created=(created,)), actor.username, "created", clock.now())
        return created

    return writing(work)


def edit_mapping(
    actor: Actor, mapping: ApprovalMapping, *, versions: Collection[int] | None = None
) -> Versioned[ApprovalMapping]:
    """Give the mapping of this id these settings and approvals, and return it as it is then.

    Votes on approvals that stay are kept. versions: one of them must be the present one; None for any.
    Raises: MAPPING_UNKNOWN, VERSION_STALE, SCOPE_FIXED, what `change_checks.check_mapping` raises.
    """

    def work(database: Any) -> Versioned[ApprovalMapping]:
        stored.lock_mappings(database)
        before = _found(database, mapping.id)
        before.require(versions)
        if mapping.scope != before.entry.scope:
            raise Problem(Fault.SCOPE_FIXED)
        _check(database, mapping)
        change = MappingChange(edited=((before.entry, mapping),))
        apply_change(database, change, actor.username, "edited", clock.now())
        return before.succeeded_by(mapping)

    return writing(work)


def delete_mapping(actor: Actor, mapping_id: int, *, versions: Collection[int] | None = None) -> None:
    """Delete the mapping, and with it what it asked of issues.

    versions: as for `edit_mapping`. Raises: MAPPING_UNKNOWN, VERSION_STALE.
    """

    def work(database: Any) -> None:
        stored.lock_mappings(database)
        before = _found(database, mapping_id)
        before.require(versions)
        change = MappingChange(deleted=(before.entry,))
        apply_change(database, change, actor.username, "deleted", clock.now())

    writing(work)


def _found(database: Any, mapping_id: int) -> Versioned[ApprovalMapping]:
    version = stored.read_version(database, mapping_id) if mapping_id <= LARGEST_ID else None
    if version is None:
        raise Problem(Fault.MAPPING_UNKNOWN, id=mapping_id)
    (mapping,) = stored.read_mappings(database, [mapping_id])
    return Versioned(mapping, version)


def _check(database: Any, mapping: ApprovalMapping) -> None:
    mentioned = mentions(Site(approval_mappings=(mapping,)))
    check_mapping(mapping, read_mentioned(database, mentioned))


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


def ask_newcomers(
    database: Any,
    mappings: Sequence[ApprovalMapping],
    since: datetime,
    username: str,
    reason: str,
    now: datetime,
) -> None:
    """Align the issues that entered the status of a mapping while it was not there, or another."""
    change = MappingChange(edited=tuple((mapping, mapping) for mapping in mappings))
    issue_ids = stored.find_newcomers(database, sorted(change.ids()), since)
    _write_outcomes(
        database,
        change,
        issue_ids,
        lambda around: follow(around, change, username=username, reason=reason, now=now),
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
    _write_outcomes(database, change, issue_ids, outcome_of, tell=tell)
    stored.delete_mappings(database, [mapping.id for mapping in change.deleted])


def _write_outcomes(
    database: Any,
    change: MappingChange,
    issue_ids: Sequence[int],
    outcome_of: Callable[[Surroundings], Outcome],
    *,
    tell: Tell | None = None,
) -> None:
    for start in range(0, len(issue_ids), ISSUES_AT_ONCE):
        chunk = issue_ids[start : start + ISSUES_AT_ONCE]
        arounds = read_all_surroundings(database, chunk).values()
        befores = [change.before(around) for around in arounds]
        pairs = list(zip(befores, map(outcome_of, arounds), strict=True))
        outcomes = write_outcomes(database, pairs)
        if tell is not None:
            tell(list(zip(befores, outcomes, strict=True)))
