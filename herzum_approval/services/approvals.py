"""Approvals: finding, creating, editing and deleting definitions, with all that follows for the issues."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from herzum_approval import clock
from herzum_approval.domain.approval_changes import ApprovalChange
from herzum_approval.domain.approvals import Approval
from herzum_approval.domain.change_checks import check_approval
from herzum_approval.domain.jira import LARGEST_ID
from herzum_approval.domain.people import Actor, folded
from herzum_approval.domain.site_references import mentions
from herzum_approval.domain.sites import Site
from herzum_approval.domain.versions import FIRST, Versioned
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.mappings import ISSUES_AT_ONCE
from herzum_approval.services.pages import Listed, Wish, listed
from herzum_approval.store import approvals as stored
from herzum_approval.store import reading, writing
from herzum_approval.store.mappings import lock_mappings
from herzum_approval.store.mentions import read_mentioned
from herzum_approval.store.outcomes import write_outcomes
from herzum_approval.store.surroundings import read_all_surroundings


def find_approvals(name: str | None, wish: Wish) -> Listed[Approval]:
    """Return the approvals by id, those of the name where one is given, letter case aside."""
    with reading(at_one_moment=True) as database:
        if name is None:
            ids = stored.find_all_approval_ids(database)
        else:
            ids = stored.find_approval_ids(database, folded(name))
        return listed(
            ids, wish, lambda chunk: [each.entry for each in stored.read_approvals(database, chunk)]
        )


def show_approval(approval_id: int) -> Versioned[Approval]:
    """Return the approval. Raises: APPROVAL_UNKNOWN."""
    with reading(at_one_moment=True) as database:
        return _found(database, approval_id)


def create_approval(approval: Approval) -> Versioned[Approval]:
    """Return the approval with its id; nothing asks for it yet.

    Raises: what `change_checks.check_approval` raises, APPROVAL_NAME_TAKEN.
    """

    def work(database: Any) -> Versioned[Approval]:
        lock_mappings(database)
        _check(database, replace(approval, id=1))  # its own is yet to come; any will do
        _check_name(database, approval)
        return Versioned(stored.insert_approval(database, approval), FIRST)

    return writing(work)


def edit_approval(
    actor: Actor, approval: Approval, *, versions: Collection[int] | None = None
) -> Versioned[Approval]:
    """Write the approval of this id as given, and return it as it is then.

    Whoever can act by it on open records is found at once. versions: one of them must be the present
    one; None for any.
    Raises: APPROVAL_UNKNOWN, VERSION_STALE, what `change_checks.check_approval` raises, APPROVAL_NAME_TAKEN.
    """

    def work(database: Any) -> Versioned[Approval]:
        lock_mappings(database)
        before = _found(database, approval.id)
        before.require(versions)
        _check(database, approval)
        _check_name(database, approval)
        stored.update_approval(database, approval)
        change = ApprovalChange(earlier=before.entry, later=approval)
        if change.is_felt:
            _apply(database, change, actor.username)
        return before.succeeded_by(approval)

    return writing(work)


def delete_approval(approval_id: int, *, versions: Collection[int] | None = None) -> None:
    """Delete the approval, and the delegations that are limited to it.

    versions: as for `edit_approval`. Raises: APPROVAL_UNKNOWN, VERSION_STALE, APPROVAL_IN_USE.
    """

    def work(database: Any) -> None:
        lock_mappings(database)
        before = _found(database, approval_id)
        before.require(versions)
        uses = stored.count_uses(database, approval_id)
        if any(uses):
            raise Problem(Fault.APPROVAL_IN_USE, name=before.entry.name, **uses._asdict())
        stored.delete_approval(database, approval_id)

    writing(work)


def _found(database: Any, approval_id: int) -> Versioned[Approval]:
    found = stored.read_approvals(database, [approval_id] if approval_id <= LARGEST_ID else [])
    if not found:
        raise Problem(Fault.APPROVAL_UNKNOWN, id=approval_id)
    return found[0]


def _check(database: Any, approval: Approval) -> None:
    check_approval(approval, read_mentioned(database, mentions(Site(approvals=(approval,)))))


def _check_name(database: Any, approval: Approval) -> None:
    if stored.is_named(database, approval.name, other_than=approval.id):
        raise Problem(Fault.APPROVAL_NAME_TAKEN, name=approval.name)


def _apply(database: Any, change: ApprovalChange, username: str) -> None:
    now = clock.now()
    issue_ids = stored.find_issue_ids(database, change.later.id)
    for start in range(0, len(issue_ids), ISSUES_AT_ONCE):
        chunk = issue_ids[start : start + ISSUES_AT_ONCE]
        pairs = [
            (change.before(around), change.follow(around, username=username, now=now))
            for around in read_all_surroundings(database, chunk).values()
        ]
        write_outcomes(database, pairs)
