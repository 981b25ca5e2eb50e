"""What has come of a decision or a move, written: records, candidates, history, comments, messages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from peewee import Database

from herzum_approval.domain.approvals import Standing
from herzum_approval.domain.candidates import candidates
from herzum_approval.domain.issue_approvals import IssueApproval, RecordSettings
from herzum_approval.domain.issues import Outcome, Surroundings
from herzum_approval.store import Outrun, composites, tables
from herzum_approval.store.numbering import reserve_ids
from herzum_approval.store.site_rows import columns, flat, settings_getters
from herzum_approval.store.statements import change, slot
from herzum_approval.store.tables import Candidate, Table
from herzum_approval.store.tables import Issue as IssueTable
from herzum_approval.store.tables import IssueApproval as RecordTable


def write_outcome(database: Database, before: Surroundings, outcome: Outcome) -> Outcome:
    """Write the difference that the outcome makes, and return it with every new record numbered.

    before: the picture from which it was worked out, read while the issue was locked.
    Raises: Outrun where somebody wrote one of the records all the same.
    """
    outcome = _numbered(database, outcome)
    changes = _Changes(before, outcome.around)
    _write_issue(database, before, outcome.around)
    _write_records(database, outcome.around, changes)
    _write_candidates(database, outcome.around, changes)
    _append(database, tables.History, outcome.events)
    _append(database, tables.IssueComment, outcome.comments)
    _append(database, tables.Message, outcome.messages)
    return outcome


class _Changes:
    """What differs between two pictures of one issue's records."""

    def __init__(self, before: Surroundings, after: Surroundings) -> None:
        old = {record.id: record for record in before.records}
        new = {record.id: record for record in after.records}
        was_open, self.open_ids = before.open_ids(), after.open_ids()
        self.created = [record for id, record in new.items() if id not in old]
        self.deleted = [id for id in old if id not in new]
        self.updated = [
            (old[id], record)
            for id, record in new.items()
            if id in old and (record != old[id] or (id in was_open) is not (id in self.open_ids))
        ]
        self.closed = [id for id in was_open - self.open_ids if id in new]
        self.opened = [new[id] for id in self.open_ids - was_open]
        self.still_open = [
            record
            for old_record, record in self.updated
            if record.id in was_open & self.open_ids
            and record.approval_status is not old_record.approval_status
        ]


def _numbered(database: Database, outcome: Outcome) -> Outcome:
    new = [record.id for record in outcome.around.records if record.id <= 0]
    if not new:
        return outcome
    ids: dict[int | None, int] = dict(zip(new, reserve_ids(database, RecordTable, len(new)), strict=True))

    def meant(entry: Any, name: str) -> Any:
        return replace(entry, **{name: ids.get(getattr(entry, name), getattr(entry, name))})

    records = tuple(meant(record, "id") for record in outcome.around.records)
    return replace(
        outcome,
        around=replace(outcome.around, records=records),
        events=tuple(meant(event, "issue_approval_id") for event in outcome.events),
        messages=tuple(meant(message, "issue_approval_id") for message in outcome.messages),
    )


def _write_issue(database: Database, before: Surroundings, after: Surroundings) -> None:
    if after.issue == before.issue:
        return
    values = {
        "id": after.issue.id,
        "status": after.issue.status_id,
        "updated_at": IssueTable.updated_at.db_value(after.issue.updated_at),
    }
    change(database, "write issue", _issue_update, [values])


def _issue_update() -> Any:
    return IssueTable.update(
        {
            IssueTable.status: slot("status"),
            IssueTable.updated_at: slot("updated_at"),
            IssueTable.version: IssueTable.version + 1,
        }
    ).where(IssueTable.id == slot("id"))


# -- records ----------------------------------------------------------------------------------


def _write_records(database: Database, after: Surroundings, changes: _Changes) -> None:
    change(database, "delete records", _record_deletion, [{"id": id} for id in changes.deleted])
    names = columns(RecordTable)
    created = _record_values(after, changes.created, changes.open_ids)
    change(database, "insert records", lambda: _insertion(RecordTable, names), created)
    updated = _record_values(after, [record for _, record in changes.updated], changes.open_ids)
    for (old, _), values in zip(changes.updated, updated, strict=True):
        values["read_version"] = old.version
        values["version"] = old.version + 1
    if change(database, "update records", _record_update, updated) != len(updated):
        raise Outrun


def _record_values(
    after: Surroundings, records: Sequence[IssueApproval], open_ids: frozenset[int]
) -> list[dict[str, Any]]:
    rows = flat(
        RecordTable,
        records,
        project_id=lambda record: after.project.id,
        is_open=lambda record: record.id in open_ids,
        **settings_getters(RecordSettings),
    )
    return [dict(zip(columns(RecordTable), row, strict=True)) for row in rows]


def _insertion(table: type[Table], names: Iterable[str]) -> Any:
    fields = {field.column_name: field for field in table._meta.sorted_fields}
    return table.insert({fields[name]: slot(name) for name in names})


def _record_update() -> Any:
    fields = {field: slot(field.column_name) for field in RecordTable._meta.sorted_fields}
    del fields[RecordTable.id]
    return RecordTable.update(fields).where(
        RecordTable.id == slot("id"), RecordTable.version == slot("read_version")
    )


def _record_deletion() -> Any:
    return RecordTable.delete().where(RecordTable.id == slot("id"))


# -- candidates -------------------------------------------------------------------------------


def _write_candidates(database: Database, after: Surroundings, changes: _Changes) -> None:
    """Keep the candidates of open records as they are now; those of deleted ones went with them."""
    change(database, "close records", _candidate_deletion, [{"id": id} for id in changes.closed])
    decided = [{"id": record.id, "status": record.approval_status.value} for record in changes.still_open]
    change(database, "decide records", _candidate_update, decided)
    standings = {record.id: _standings(after, record) for record in changes.opened}
    ids = composites.intern(database, [each for found in standings.values() for each in found])
    opened = [
        {
            "principal": principal,
            "approval_status": record.approval_status.value,
            "issue_approval_id": record.id,
        }
        for record in changes.opened
        for principal in sorted(_principals(standings[record.id], ids))
    ]
    change(database, "open records", lambda: _insertion(Candidate, columns(Candidate)), opened)


def _standings(after: Surroundings, record: IssueApproval) -> list[Standing]:
    approval = after.approvals[record.approval_id]
    return candidates(record, approval, after.issue, after.project, after.mapping_of(record))


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
    names = columns(table)[1:]
    rows = flat(table, entries)
    values = [dict(zip(names, row[1:], strict=True)) for row in rows]
    change(database, ("append", table._meta.table_name), lambda: _insertion(table, names), values)
