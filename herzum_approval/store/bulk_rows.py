"""Bulk operations as rows, and back; no query here."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from operator import attrgetter
from typing import Any

from herzum_approval.domain.approvals import Approver
from herzum_approval.domain.bulk_mappings import BulkEntry, BulkOperation, BulkRecord
from herzum_approval.domain.issue_approvals import IssueApproval, RecordSettings
from herzum_approval.domain.mappings import (
    ApprovalMapping,
    ConditionedMinimum,
    MappedApproval,
    MappingSettings,
)
from herzum_approval.domain.sites import Site
from herzum_approval.store import tables
from herzum_approval.store.rows import (
    Row,
    SiteRows,
    children,
    columns,
    flat,
    grouped,
    made,
    stored,
    values_of,
)
from herzum_approval.store.tables import MomentField, Table


def bulk_rows(site: Site) -> SiteRows:
    """Return the rows of bulk operations: all that is imported has the version 1, what was overtaken none."""
    return {
        tables.BulkOperation: flat(tables.BulkOperation, site.bulk_operations),
        tables.BulkEntry: _parts(
            tables.BulkEntry,
            children(site.bulk_operations, "entries"),
            before=lambda entry: kept(entry.before),
            mapping_version=lambda entry: None if entry.mapping_id is None else int(not entry.is_overtaken),
        ),
        tables.BulkRecord: _parts(
            tables.BulkRecord,
            children(site.bulk_operations, "records"),
            before=lambda record: kept(record.before),
            issue_version=lambda record: int(not record.is_overtaken),
        ),
    }


def entries_after(rows: SiteRows, version: int) -> list[Row]:
    """Return the rows of entries for when every mapping has got this version.

    Those whose mapping had the version that they tell of tell of the new one; the others of none.
    """
    present = _versions(rows, tables.ApprovalMapping)
    names = columns(tables.BulkEntry)
    id, place = names.index("mapping_id"), names.index("mapping_version")
    return [
        (*row[:place], version if row[place] == present[row[id]] else 0, *row[place + 1 :])
        if row[id] in present
        else row
        for row in rows[tables.BulkEntry]
    ]


def _parts(
    table: type[Table], children: Iterable[tuple[Any, int, Any]], **others: Callable[[Any], Any]
) -> list[Row]:
    """Return rows that begin with the id of a parent, and with the place in it where the table keeps it."""
    is_placed = "position" in columns(table)
    getters = [others.get(name) or attrgetter(name) for name in columns(table)[1 + is_placed :]]
    return [
        (parent.id, *([position] if is_placed else ()), *(stored(getter(part)) for getter in getters))
        for parent, position, part in children
    ]


def bulk_operations(rows: SiteRows) -> Iterator[BulkOperation]:
    """Give the operations that the rows hold; mappings and issues tell whether they are overtaken."""
    mapping_versions = _versions(rows, tables.ApprovalMapping)
    issue_versions = _versions(rows, tables.Issue)
    entries = grouped(rows, tables.BulkEntry, "operation_id")
    records = defaultdict(list)
    for values in values_of(rows, tables.BulkRecord, "issue_approval_id"):
        records[values["operation_id"]].append(values)
    for values in values_of(rows, tables.BulkOperation, "id"):
        yield made(
            BulkOperation,
            values,
            entries=tuple(
                bulk_entry(
                    each,
                    is_overtaken=_is_other(each["mapping_version"], mapping_versions.get(each["mapping_id"])),
                )
                for each in entries[values["id"]]
            ),
            records=tuple(
                bulk_record(
                    each,
                    is_overtaken=_is_other(each["issue_version"], issue_versions.get(each["issue_id"])),
                )
                for each in records[values["id"]]
            ),
        )


def bulk_entry(values: Mapping[str, Any], *, is_overtaken: bool = False) -> BulkEntry:
    """Return an entry from a row by name of column."""
    return made(BulkEntry, values, before=kept_mapping(values["before"]), is_overtaken=is_overtaken)


def bulk_record(values: Mapping[str, Any], *, is_overtaken: bool = False) -> BulkRecord:
    """Return a touched issue approval from a row by name of column."""
    return made(BulkRecord, values, before=kept_record(values["before"]), is_overtaken=is_overtaken)


def _versions(rows: SiteRows, table: type[Table]) -> dict[int, int]:
    names = columns(table)
    id, version = names.index("id"), names.index("version")
    return {row[id]: row[version] for row in rows[table]}


def _is_other(then: int | None, now: int | None) -> bool:
    """Return whether what had one version has another; what is gone has none, and what never was."""
    return then == 0 if now is None else then != now


# -- what stood before, as JSON ---------------------------------------------------------------


def kept(entry: ApprovalMapping | IssueApproval | None) -> str | None:
    """Return the mapping or issue approval as JSON that later versions of the tables can still read."""
    return None if entry is None else json.dumps(asdict(entry), default=MomentField().db_value)


def kept_mapping(text: str | None) -> ApprovalMapping | None:
    """Return the mapping that `kept` kept."""
    if text is None:
        return None
    values = json.loads(text)
    return made(
        ApprovalMapping,
        values,
        settings=made(
            MappingSettings,
            values["settings"],
            super_approvers=_each(Approver, values["settings"]["super_approvers"]),
        ),
        approvals=_each(MappedApproval, values["approvals"]),
        conditioned_minimums=_each(ConditionedMinimum, values["conditioned_minimums"]),
    )


def kept_record(text: str | None) -> IssueApproval | None:
    """Return the issue approval that `kept` kept."""
    if text is None:
        return None
    values = json.loads(text)
    return made(IssueApproval, values, settings=made(RecordSettings, values["settings"]))


def _each(cls: type[Any], entries: Iterable[Mapping[str, Any]]) -> tuple[Any, ...]:
    return tuple(made(cls, values) for values in entries)
