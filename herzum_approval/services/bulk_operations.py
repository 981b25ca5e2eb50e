"""Bulk operations that were carried out: looking at them, and at what they did."""

from collections.abc import Sequence
from dataclasses import dataclass

from herzum_approval.domain.bulk_mappings import BulkEntry, BulkOperation
from herzum_approval.domain.jira import LARGEST_ID
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.issue_approvals import Page
from herzum_approval.services.pages import Listed, Wish, listed
from herzum_approval.store import bulk_operations as stored
from herzum_approval.store import reading

ENTRIES_SHOWN = 1000
"""How many entries of a plan are shown at most."""


@dataclass(frozen=True, slots=True)
class ShownOperation:
    """An operation with one page of its plan."""

    operation: BulkOperation
    page: Page
    entries: Sequence[BulkEntry]


def find_operations(wish: Wish) -> Listed[BulkOperation]:
    """Return the operations, the newest first, those that were undone among them; without their parts."""
    with reading(at_one_moment=True) as database:
        ids = stored.find_operation_ids(database)
        return listed(ids, wish, lambda chunk: stored.read_operations(database, chunk))


def show_operation(operation_id: int, wish: Wish) -> ShownOperation:
    """Return an operation with the wished part of its plan, `ENTRIES_SHOWN` entries of it at most.

    Raises: BULK_OPERATION_UNKNOWN.
    """
    with reading(at_one_moment=True) as database:
        operation = stored.read_operation(database, operation_id) if operation_id <= LARGEST_ID else None
        if operation is None:
            raise Problem(Fault.BULK_OPERATION_UNKNOWN, id=operation_id)
        start = wish.start_at or 0
        size = ENTRIES_SHOWN if wish.max_results is None else min(wish.max_results, ENTRIES_SHOWN)
        total = stored.count_entries(database, operation_id)
        entries = stored.read_entries_from(database, operation_id, start, size) if start < total else ()
    return ShownOperation(operation, Page(start, size, total), entries)
