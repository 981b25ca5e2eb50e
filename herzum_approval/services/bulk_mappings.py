"""Bulk operations on mappings: previewed, carried out, and undone, each in one piece.

A plan is made and carried out chunk by chunk inside of one transaction, so that memory does not grow with it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from herzum_approval import clock
from herzum_approval.domain.alignment import NEW
from herzum_approval.domain.bulk_mappings import (
    BulkOperation,
    BulkRequest,
    Counts,
    Effect,
    Operation,
    PlanEntry,
    Scope,
    place_of,
    plan_copies,
    plan_deletions,
    plan_departures,
    plan_edits,
)
from herzum_approval.domain.bulk_records import restored, touched_records
from herzum_approval.domain.bulk_requests import Ground, WrittenRequest, resolve
from herzum_approval.domain.issues import Outcome, Surroundings
from herzum_approval.domain.jira import LARGEST_ID
from herzum_approval.domain.mapping_changes import MappingChange
from herzum_approval.domain.mappings import ApprovalMapping
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.mappings import (
    ISSUES_AT_ONCE,
    apply_change,
    ask_newcomers,
    write_change,
)
from herzum_approval.store import bulk_changes as stored_changes
from herzum_approval.store import bulk_mappings as stored
from herzum_approval.store import bulk_operations as stored_operations
from herzum_approval.store import mappings as stored_mappings
from herzum_approval.store import reading, writing
from herzum_approval.store.bulk_operations import Touched
from herzum_approval.store.numbering import reserve_mapping_ids
from herzum_approval.store.outcomes import write_outcomes
from herzum_approval.store.surroundings import read_all_surroundings

_ENTRIES_AT_ONCE = 2000
_SCOPES_AT_ONCE = 500
_CHANGES_SHOWN = 100


# -- planning ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preview:
    """What an operation would do. total: how many entries its plan has; entries: one page of them."""

    counts: Counts
    total: int
    start_at: int
    max_results: int
    entries: Sequence[PlanEntry]


def preview_bulk(written: WrittenRequest, start_at: int, max_results: int) -> Preview:
    """Return what the operation would do now, and change nothing. Raises: what `resolve` raises."""
    with reading(at_one_moment=True) as database:
        ground = Ground(stored.read_ground(database))
        request = resolve(written, ground)
        counts, total, page = Counts(operation=request.operation), 0, []
        for entries in _plan(database, request, ground):
            counts = counts.plus(entries)
            page += entries[max(start_at - total, 0) : max(start_at + max_results - total, 0)]
            total += len(entries)
    return Preview(counts, total, start_at, max_results, page)


def _plan(database: Any, request: BulkRequest, ground: Ground) -> Iterator[list[PlanEntry]]:
    """Give the plan in chunks, each made when it is asked for.

    What earlier chunks wrote is not taken for what stood before: each transition is looked at once, and
    nothing is ever written to the source before the last look at it.
    """
    if request.source is None:
        for found in _mappings_in(database, request.destinations):
            yield list(plan_deletions(found))
        return
    for sources in _mappings_in(database, [request.source]):
        written: set[int | None] = set()
        size = max(_ENTRIES_AT_ONCE // len(sources), 1)
        for start in range(0, len(request.destinations), size):
            destinations = request.destinations[start : start + size]
            entries = _planned(database, request, sources, destinations, ground)
            written |= {each.source_mapping_id for each in entries if each.effect is Effect.CREATE}
            yield entries
        if request.operation is Operation.MOVE:
            yield list(plan_departures(request, sources, written))


def _planned(
    database: Any,
    request: BulkRequest,
    sources: Sequence[ApprovalMapping],
    destinations: Sequence[Scope],
    ground: Ground,
) -> list[PlanEntry]:
    places = [scope.place_for(mapping) for scope in destinations for mapping in sources]
    mapped = stored.find_mapped(database, places)
    if request.operation is not Operation.EDIT:
        return list(plan_copies(request, sources, destinations, mapped, ground.leaves))
    found = stored_mappings.read_mappings(database, sorted(mapped.values()))
    by_place = {place_of(mapping): mapping for mapping in found}
    return list(plan_edits(request, sources, destinations, by_place, ground.leaves))


def _mappings_in(database: Any, scopes: Sequence[Scope]) -> Iterator[tuple[ApprovalMapping, ...]]:
    """Give the mappings of these scopes in chunks, without those of single issues."""
    for start in range(0, len(scopes), _SCOPES_AT_ONCE):
        some, last = scopes[start : start + _SCOPES_AT_ONCE], 0
        while ids := stored.find_mapping_ids(database, some, last, _ENTRIES_AT_ONCE):
            yield stored_mappings.read_mappings(database, ids)
            last = ids[-1]


# -- carrying out -----------------------------------------------------------------------------


def run_bulk(actor: Actor, written: WrittenRequest) -> BulkOperation:
    """Carry out the operation, whole or not at all, and return it without its entries.

    Raises: what `resolve` raises.
    """

    def work(database: Any) -> BulkOperation:
        stored_mappings.lock_mappings(database)
        ground = Ground(stored.read_ground(database))
        request = resolve(written, ground)
        run = _Run(database, actor, written)
        for entries in _plan(database, request, ground):
            run.carry_out(entries)
        return run.finished()

    return writing(work)


def _document(written: WrittenRequest) -> dict[str, Any]:
    """Return the scopes of the request, members that are None left out."""
    scopes = (*([written.source] if written.source else ()), *written.destinations)
    named = [{name: id for name, id in asdict(scope).items() if id is not None} for scope in scopes]
    if written.source is None:
        return {"destinations": named}
    return {"source": named[0], "destinations": named[1:]}


class _Run:
    """An operation that is under way."""

    def __init__(self, database: Any, actor: Actor, written: WrittenRequest) -> None:
        begun = BulkOperation(
            id=NEW,
            at=clock.now(),
            username=actor.username,
            operation=written.operation,
            type=written.type,
            affected=0,
            skipped=0,
            request=_document(written),
        )
        self.database = database
        self.operation = stored_operations.insert_operation(database, begun)
        self.counts = self.operation.counts
        self.entry_count = 0

    def carry_out(self, entries: Sequence[PlanEntry]) -> None:
        """Write what the entries say, align the issues, and keep what was done.

        entries: all of deletions, or none. Those are kept first, while their mappings have a version.
        """
        change = self._change(entries)
        done = {place_of(mapping): mapping.id for mapping in change.mappings()}
        kept = [(entry, done.get(entry.place)) for entry in entries]
        if change.deleted:
            stored_operations.insert_entries(self.database, self.operation.id, self.entry_count, kept)
        apply_change(
            self.database,
            change,
            self.operation.username,
            self.operation.title,
            self.operation.at,
            tell=self._keep_records,
        )
        if not change.deleted:
            stored_operations.insert_entries(self.database, self.operation.id, self.entry_count, kept)
        self.entry_count += len(entries)
        self.counts = self.counts.plus(entries)

    def _change(self, entries: Sequence[PlanEntry]) -> MappingChange:
        created = [entry.after for entry in entries if entry.after and not entry.before]
        ids = reserve_mapping_ids(self.database, len(created)) if created else ()
        return MappingChange(
            created=tuple(replace(mapping, id=id) for mapping, id in zip(created, ids, strict=True)),
            edited=tuple(
                (entry.before, entry.after)
                for entry in entries
                if entry.before and entry.after and entry.before != entry.after
            ),
            deleted=tuple(entry.before for entry in entries if entry.before and not entry.after),
        )

    def _keep_records(self, pairs: Sequence[tuple[Surroundings, Outcome]]) -> None:
        touched = [
            Touched(before.issue.id, record_id, record)
            for before, outcome in pairs
            for record_id, record in touched_records(before, outcome.around)
        ]
        stored_operations.write_records(self.database, self.operation.id, touched)

    def finished(self) -> BulkOperation:
        operation = replace(self.operation, affected=self.counts.affected, skipped=self.counts.skipped)
        stored_operations.update_operation(self.database, operation)
        return operation


# -- undoing ----------------------------------------------------------------------------------


def undo_bulk(actor: Actor, operation_id: int) -> BulkOperation:
    """Put back what stood before the operation, whole or not at all, and return it without its entries.

    Mappings and issue approvals come back with their ids and votes. Issues that entered the status of a
    mapping that comes back are asked by it, or they would pass without.
    Raises: BULK_OPERATION_NOT_FOUND, BULK_OPERATION_UNDONE, BULK_OPERATION_OVERTAKEN.
    """

    def work(database: Any) -> BulkOperation:
        stored_mappings.lock_mappings(database)
        operation = _standing(database, operation_id)
        now = clock.now()
        with stored_changes.refusing_what_is_gone(operation):
            _reinsert_mappings(database, operation)
            _restore_records(database, operation, actor.username, now)
            _take_back_mappings(database, operation)
            _ask_newcomers(database, operation, actor.username, now)
        undone = replace(operation, undone_at=now, undone_by=actor.username)
        stored_operations.update_operation(database, undone)
        return undone

    return writing(work)


def _standing(database: Any, operation_id: int) -> BulkOperation:
    """Return an operation that can be undone."""
    operation = (
        stored_operations.read_operation(database, operation_id) if operation_id <= LARGEST_ID else None
    )
    if operation is None:
        raise Problem(Fault.BULK_OPERATION_NOT_FOUND, operation_id=operation_id)
    if operation.undone_at is not None:
        raise Problem(Fault.BULK_OPERATION_UNDONE, operation_id=operation_id)
    later = stored_changes.find_later_changes(database, operation, _CHANGES_SHOWN)
    if later:
        changes = "; ".join(dict.fromkeys(map(str, later)))
        raise Problem(Fault.BULK_OPERATION_OVERTAKEN, operation_id=operation_id, changes=changes)
    return operation


def _reinsert_mappings(database: Any, operation: BulkOperation) -> None:
    """Put back deleted mappings, so that the records which follow have something to refer to."""
    for entries in stored_operations.read_entries(database, operation.id, (Effect.DELETE,), _ENTRIES_AT_ONCE):
        stored_mappings.insert_mappings(database, [entry.before for entry in entries if entry.before])
    stored_operations.continue_versions(database, operation.id)


def _restore_records(database: Any, operation: BulkOperation, username: str, now: datetime) -> None:
    reason = _undo_of(operation)
    for issue_ids, touched in stored_operations.read_records(database, operation.id, ISSUES_AT_ONCE):
        by_issue = defaultdict(list)
        for record in touched:
            by_issue[record.issue_id].append(record)
        approval_ids = sorted({record.before.approval_id for record in touched if record.before})
        arounds = read_all_surroundings(database, issue_ids, approval_ids)
        if any(not around.approvals.keys() >= set(approval_ids) for around in arounds.values()):
            raise stored_changes.what_is_gone(operation)
        pairs = [
            (around, restored(around, by_issue[issue_id], username=username, reason=reason, now=now))
            for issue_id, around in arounds.items()
        ]
        write_outcomes(database, pairs)


def _take_back_mappings(database: Any, operation: BulkOperation) -> None:
    """Put back overwritten mappings and delete new ones, and let the same people act as before."""
    effects = (Effect.CREATE, Effect.OVERWRITE)
    for entries in stored_operations.read_entries(database, operation.id, effects, _ENTRIES_AT_ONCE):
        ids = [entry.mapping_id for entry in entries if entry.mapping_id]
        present = {mapping.id: mapping for mapping in stored_mappings.read_mappings(database, ids)}
        change = MappingChange(
            edited=tuple((present[entry.before.id], entry.before) for entry in entries if entry.before),
            deleted=tuple(
                present[entry.mapping_id] for entry in entries if entry.mapping_id and not entry.before
            ),
        )
        write_change(database, change, _unchanged_records(change))


def _ask_newcomers(database: Any, operation: BulkOperation, username: str, now: datetime) -> None:
    effects = (Effect.DELETE, Effect.OVERWRITE)
    for entries in stored_operations.read_entries(database, operation.id, effects, _ENTRIES_AT_ONCE):
        mappings = [entry.before for entry in entries if entry.before]
        ask_newcomers(database, mappings, operation.at, username, _undo_of(operation), now)


def _undo_of(operation: BulkOperation) -> str:
    """Return by what name the history calls the undo."""
    return f"undo of {operation.title}"


def _unchanged_records(change: MappingChange) -> Any:
    return lambda around: Outcome(around=change.after(around))
