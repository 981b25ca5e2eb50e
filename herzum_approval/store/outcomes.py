"""What has come of a decision or a move, written: records, candidates, history, comments, messages."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

from peewee import Database

from herzum_approval.domain.approvals import Standing
from herzum_approval.domain.candidates import candidates
from herzum_approval.domain.issue_approvals import IssueApproval, RecordSettings
from herzum_approval.domain.issues import Outcome, Surroundings
from herzum_approval.store import Outrun, composites, tables
from herzum_approval.store.numbering import reserve_ids
from herzum_approval.store.rows import always, columns, flat, settings_getters, stored
from herzum_approval.store.statements import change, insertion, slot
from herzum_approval.store.tables import Candidate, Table
from herzum_approval.store.tables import Issue as IssueTable
from herzum_approval.store.tables import IssueApproval as RecordTable


def write_outcome(database: Database, before: Surroundings, outcome: Outcome) -> Outcome:
    """Write what has come of one issue, and return it with every new record numbered."""
    return write_outcomes(database, [(before, outcome)])[0]


def write_outcomes(database: Database, pairs: Sequence[tuple[Surroundings, Outcome]]) -> list[Outcome]:
    """Write the difference that each outcome makes, and return them with every new record numbered.

    pairs: of each issue the picture from which its outcome was worked out, read while it was locked,
    and the outcome. The number of statements does not depend on the number of issues.
    Raises: Outrun where somebody wrote one of the records all the same.
    """
    outcomes = _numbered(database, [outcome for _, outcome in pairs])
    changes = [_Changes(before, outcome.around) for (before, _), outcome in zip(pairs, outcomes, strict=True)]
    _write_issues(database, changes)
    _write_records(database, changes)
    _write_candidates(database, changes)
    _append(database, tables.History, [event for outcome in outcomes for event in outcome.events])
    _append(database, tables.IssueComment, [each for outcome in outcomes for each in outcome.comments])
    _append(database, tables.Message, [each for outcome in outcomes for each in outcome.messages])
    return outcomes


class _Changes:
    """What differs between two pictures of one issue."""

    def __init__(self, before: Surroundings, after: Surroundings) -> None:
        self.before, self.after = before, after
        old = {record.id: record for record in before.records}
        new = {record.id: record for record in after.records}
        self.project_id = after.project.id
        self.was_open = was_open = before.open_ids()
        self.open_ids = after.open_ids()
        self.created = [record for id, record in new.items() if id not in old]
        self.deleted = [id for id in old if id not in new]
        self.updated = [
            (old[id], record)
            for id, record in new.items()
            if id in old and (record != old[id] or (id in was_open) is not (id in self.open_ids))
        ]
        stays_open = was_open & self.open_ids
        regrouped = {id for id in stays_open if self._is_regrouped(old[id], new[id])}
        self.closed = [id for id in (was_open - self.open_ids) | regrouped if id in new]
        self.opened = [new[id] for id in (self.open_ids - was_open) | regrouped]
        self.decided = [
            record
            for earlier, record in self.updated
            if record.id in stays_open - regrouped and record.approval_status is not earlier.approval_status
        ]

    def _is_regrouped(self, old: IssueApproval, new: IssueApproval) -> bool:
        """Return whether others can act on an open record than before: its mapping or its approval may
        name them anew.
        """
        has_changed = (
            self.before.mapping_of(old) != self.after.mapping_of(new)
            or self.before.approvals[old.approval_id] != self.after.approvals[new.approval_id]
        )
        return has_changed and _standings(self.before, old) != _standings(self.after, new)


def _numbered(database: Database, outcomes: Sequence[Outcome]) -> list[Outcome]:
    new = [
        (place, record.id)
        for place, outcome in enumerate(outcomes)
        for record in outcome.around.records
        if record.id <= 0
    ]
    ids = dict(zip(new, reserve_ids(database, RecordTable, len(new)), strict=True)) if new else {}
    return (
        [_renumbered(place, outcome, ids) for place, outcome in enumerate(outcomes)] if ids else [*outcomes]
    )


def _renumbered(place: int, outcome: Outcome, ids: Mapping[tuple[int, int], int]) -> Outcome:
    def meant(entry: Any, name: str) -> Any:
        number = getattr(entry, name)
        return replace(entry, **{name: ids[place, number]}) if (place, number) in ids else entry

    records = tuple(meant(record, "id") for record in outcome.around.records)
    return replace(
        outcome,
        around=replace(outcome.around, records=records),
        events=tuple(meant(event, "issue_approval_id") for event in outcome.events),
        messages=tuple(meant(message, "issue_approval_id") for message in outcome.messages),
    )


def _write_issues(database: Database, changes: Sequence[_Changes]) -> None:
    moved = [each.after.issue for each in changes if each.after.issue != each.before.issue]
    values = [
        {
            "id": issue.id,
            "status": issue.status_id,
            "updated_at": IssueTable.updated_at.db_value(issue.updated_at),
        }
        for issue in moved
    ]
    change(database, "write issue", _issue_update, values)


def _issue_update() -> Any:
    return IssueTable.update(
        {
            IssueTable.status: slot("status"),
            IssueTable.updated_at: slot("updated_at"),
            IssueTable.version: IssueTable.version + 1,
        }
    ).where(IssueTable.id == slot("id"))


# -- records ----------------------------------------------------------------------------------


def _write_records(database: Database, changes: Sequence[_Changes]) -> None:
    deleted = [{"id": id} for each in changes for id in each.deleted]
    change(database, "delete records", _record_deletion, deleted)
    names = columns(RecordTable)
    created = [
        values for each in changes for values in _record_values(each.created, each.project_id, each.open_ids)
    ]
    change(database, "insert records", lambda: insertion(RecordTable, names), created)
    for changed, updated in _record_updates(changes).items():
        build = partial(_record_update, changed)
        if change(database, ("update records", changed), build, updated) != len(updated):
            raise Outrun


def _record_updates(changes: Sequence[_Changes]) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    """Return the values to update, by the columns that change: every index of a column costs a write."""
    found: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for each in changes:
        for old, new in each.updated:
            changed = {
                name: stored(after)
                for name, value_of in _VALUES.items()
                if (after := value_of(new)) is not (before := value_of(old)) and after != before
            }
            is_open = new.id in each.open_ids
            if is_open is not (old.id in each.was_open):
                changed["is_open"] = is_open
            versions = {"read_version": old.version, "version": old.version + 1}
            found[tuple(changed)].append({"id": new.id, **changed, **versions})
    return found


_WORKED_OUT = ("project_id", "is_open", "version")
_VALUES = {
    name: settings_getters(RecordSettings).get(name) or attrgetter(name)
    for name in columns(RecordTable)
    if name not in _WORKED_OUT
}


def _record_values(
    records: Sequence[IssueApproval], project_id: int, open_ids: frozenset[int]
) -> list[dict[str, Any]]:
    """Return the rows of an issue's records, by name of column. open_ids: of those that are open."""
    if not records:
        return []
    rows = flat(
        RecordTable,
        records,
        project_id=always(project_id),
        is_open=lambda record: record.id in open_ids,
        **settings_getters(RecordSettings),
    )
    return [dict(zip(columns(RecordTable), row, strict=True)) for row in rows]


def _record_update(changed: Sequence[str]) -> Any:
    fields = {field.column_name: field for field in RecordTable._meta.sorted_fields}
    return RecordTable.update({fields[name]: slot(name) for name in (*changed, "version")}).where(
        RecordTable.id == slot("id"), RecordTable.version == slot("read_version")
    )


def _record_deletion() -> Any:
    return RecordTable.delete().where(RecordTable.id == slot("id"))


# -- candidates -------------------------------------------------------------------------------


def _write_candidates(database: Database, changes: Sequence[_Changes]) -> None:
    """Keep the candidates of open records as they are now; those of deleted ones went with them."""
    closed = [{"id": id} for each in changes for id in each.closed]
    change(database, "close records", _candidate_deletion, closed)
    decided = [
        {"id": record.id, "status": record.approval_status.value}
        for each in changes
        for record in each.decided
    ]
    change(database, "decide records", _candidate_update, decided)
    opened = [(record, _standings(each.after, record)) for each in changes for record in each.opened]
    ids = composites.intern(database, [standing for _, standings in opened for standing in standings])
    values = [
        {
            "principal": principal,
            "approval_status": record.approval_status.value,
            "issue_approval_id": record.id,
        }
        for record, standings in opened
        for principal in sorted(_principals(standings, ids))
    ]
    change(database, "open records", lambda: insertion(Candidate, columns(Candidate)), values)


def _standings(around: Surroundings, record: IssueApproval) -> list[Standing]:
    approval = around.approvals[record.approval_id]
    return candidates(record, approval, around.issue, around.project, around.mapping_of(record))


def _principals(standings: Iterable[Standing], ids: Mapping[str, int]) -> frozenset[str]:
    return frozenset[str]().union(*(composites.principals(standing, ids) for standing in standings))


def _candidate_deletion() -> Any:
    return Candidate.delete().where(Candidate.issue_approval == slot("id"))


def _candidate_update() -> Any:
    return Candidate.update({Candidate.approval_status: slot("status")}).where(
        Candidate.issue_approval == slot("id")
    )


# -- what is only ever added ------------------------------------------------------------------


def _append(database: Database, table: type[Table], entries: Sequence[Any]) -> None:
    """Add the entries; the database numbers them."""
    if not entries:
        return
    names = columns(table)[1:]
    values = [dict(zip(names, row[1:], strict=True)) for row in flat(table, entries)]
    change(database, ("append", table._meta.table_name), lambda: insertion(table, names), values)
