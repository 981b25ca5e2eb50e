"""Reads the truth tables of `tables/`, and spells issue approvals as they do."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from herzum_approval.domain.issue_approvals import (
    ApprovalStatus,
    IssueApproval,
    RecordSettings,
)
from herzum_approval.domain.mappings import ALL

TABLES = Path(__file__).parent / "tables"
SUBMITTED = datetime(2023, 1, 20, 10, tzinfo=UTC)
DECIDED = datetime(2023, 1, 21, 11, tzinfo=UTC)
NOW = datetime(2023, 1, 22, 12, tzinfo=UTC)

STATUSES = {
    "P": ApprovalStatus.PENDING,
    "A": ApprovalStatus.APPROVED,
    "R": ApprovalStatus.REJECTED,
    "X": ApprovalStatus.ABSTAINED,
}
MARKS = {"o": "optional", "f": "free"}


def rows(name):
    """Return the rows of the table as dictionaries, by its header; lines that begin with # explain it."""
    with open(TABLES / f"{name}.csv", encoding="utf-8", newline="") as file:
        lines = [line for line in file if line.strip() and not line.startswith("#")]
    found = list(csv.DictReader(lines, strict=True, skipinitialspace=True))
    assert all(None not in row and None not in row.values() for row in found), f"{name}: a row is torn"
    return [{column: cell.strip() for column, cell in row.items()} for row in found]


def cases(name):
    """Return the rows as parameters of a test, named by what they hold."""
    return [pytest.param(row, id=" | ".join(filter(None, row.values()))) for row in rows(name)]


def is_yes(cell):
    assert cell in ("", "yes", "no"), cell
    return cell == "yes"


def minimum(cell):
    """Return the number that a minimum stands for: `all` (or nothing), `none`, `60%`, `2`."""
    if cell in ("", "all"):
        return ALL
    if cell == "none":
        return 0.0
    return int(cell[:-1]) / 100 if cell.endswith("%") else float(cell)


def vote(id, status=ApprovalStatus.PENDING, **more):
    """Return a submitted record; what `RecordSettings` has is set there."""
    settings = {name: more.pop(name) for name in RecordSettings.__slots__ if name in more}
    is_pending = status is ApprovalStatus.PENDING
    values = {
        "issue_id": 1,
        "approval_id": id,
        "transition_id": 11,
        "transition_name": "Start",
        "source_status_id": 1,
        "submitted_at": SUBMITTED,
        "decided_at": None if is_pending else DECIDED,
        "approver_username": None if is_pending else "voter",
    }
    return IssueApproval(
        id=id, approval_status=status, settings=RecordSettings(**settings), **(values | more)
    )


def votes(cell, **more):
    """Return the records of `A P o:R`: one each, in places from 1, all with the settings of `more`."""
    found = []
    for place, spelling in enumerate(cell.split(), start=1):
        mark, _, letter = spelling.rpartition(":")
        assert mark in ("", *MARKS), spelling
        found.append(vote(place, STATUSES[letter], **({"place": place, "is_optional": mark == "o"} | more)))
    return found
