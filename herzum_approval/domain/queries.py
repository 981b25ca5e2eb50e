"""Queries on issues: the tree that a JQL text stands for, and whether it is true of an issue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from herzum_approval.domain.jira import (
    Issue,
    IssueType,
    Project,
    Status,
    StatusCategory,
)
from herzum_approval.domain.people import folded


class Field(StrEnum):
    """What a condition can ask about, by Jira's first name for it."""

    PROJECT = "project"
    ISSUE_TYPE = "issuetype"
    STATUS = "status"
    STATUS_CATEGORY = "statusCategory"
    PRIORITY = "priority"
    LABELS = "labels"
    REPORTER = "reporter"
    ASSIGNEE = "assignee"
    KEY = "issuekey"


class Operator(StrEnum):
    EQUALS = "="
    NOT_EQUALS = "!="
    IN = "in"
    NOT_IN = "not in"
    IS = "is"
    IS_NOT = "is not"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field compared with values; None among them is EMPTY."""

    field: Field
    operator: Operator
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Not:
    clause: "Clause"


@dataclass(frozen=True, slots=True)
class And:
    clauses: tuple["Clause", ...]


@dataclass(frozen=True, slots=True)
class Or:
    clauses: tuple["Clause", ...]


Clause = Comparison | Not | And | Or


class Sort(NamedTuple):
    """One sort of an ORDER BY. direction: `asc`, `desc`, or empty for the field's own."""

    field: str
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A query. where: None where it asks for every issue."""

    where: Clause | None
    order: tuple[Sort, ...] = ()


FIELD_NAMES: Mapping[str, Field] = {field.lower(): field for field in Field} | {
    "type": Field.ISSUE_TYPE,
    "key": Field.KEY,
    "issue": Field.KEY,
    "id": Field.KEY,
}
"""Every name of a field, in lower case."""

SORT_NAMES: Mapping[str, str] = {
    **FIELD_NAMES,
    "summary": "summary",
    "created": "created",
    "createddate": "created",
    "updated": "updated",
    "updateddate": "updated",
}

_NEGATIVE = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN, Operator.IS_NOT})


# -- whether it is true -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a query can ask about one issue; a text that is empty or None is an EMPTY field."""

    issue_id: int
    issue_key: str
    project_id: int
    project_key: str
    project_name: str
    issue_type_id: int
    issue_type: str
    status_id: int
    status: str
    status_category: StatusCategory
    priority: str | None = None
    labels: tuple[str, ...] = ()
    reporter: str | None = None
    assignee: str | None = None


def facts(issue: Issue, project: Project, issue_type: IssueType, status: Status) -> Facts:
    """Return what is known about an issue. project, issue_type, status: those of the issue."""
    return Facts(
        issue_id=issue.id,
        issue_key=issue.key,
        project_id=project.id,
        project_key=project.key,
        project_name=project.name,
        issue_type_id=issue_type.id,
        issue_type=issue_type.name,
        status_id=status.id,
        status=status.name,
        status_category=status.category,
        priority=issue.priority,
        labels=issue.labels,
        reporter=issue.reporter,
        assignee=issue.assignee,
    )


_CATEGORY_SPELLINGS = {
    StatusCategory.TO_DO: ("new", "To Do", "2"),
    StatusCategory.IN_PROGRESS: ("indeterminate", "In Progress", "4"),
    StatusCategory.DONE: ("done", "Done", "3"),
}

_SPELLINGS: Mapping[Field, Callable[[Facts], tuple[str | None, ...]]] = {
    Field.PROJECT: lambda known: (known.project_key, known.project_name, str(known.project_id)),
    Field.ISSUE_TYPE: lambda known: (known.issue_type, str(known.issue_type_id)),
    Field.STATUS: lambda known: (known.status, str(known.status_id)),
    Field.STATUS_CATEGORY: lambda known: _CATEGORY_SPELLINGS[known.status_category],
    Field.PRIORITY: lambda known: (known.priority,),
    Field.LABELS: lambda known: known.labels,
    Field.REPORTER: lambda known: (known.reporter,),
    Field.ASSIGNEE: lambda known: (known.assignee,),
    Field.KEY: lambda known: (known.issue_key, str(known.issue_id)),
}


def matches(query: Query, known: Facts) -> bool:
    """Return whether the query is true of the issue.

    An EMPTY field satisfies no condition on its value, negated or not: `assignee != bob` and
    `NOT assignee = bob` both pass over an issue without assignee.
    Source: "Advanced searching - operators reference", NOT EQUALS.
    """
    return query.where is None or _holds(query.where, known, is_negated=False)


def _holds(clause: Clause, known: Facts, *, is_negated: bool) -> bool:
    # A NOT is carried down to the comparisons, as Jira does, or it would let EMPTY fields through.
    if isinstance(clause, Comparison):
        return _compares(clause, known, is_negated=is_negated)
    if isinstance(clause, Not):
        return _holds(clause.clause, known, is_negated=not is_negated)
    quantifier = all if isinstance(clause, And) is not is_negated else any
    return quantifier(_holds(each, known, is_negated=is_negated) for each in clause.clauses)


def _compares(comparison: Comparison, known: Facts, *, is_negated: bool) -> bool:
    is_negated ^= comparison.operator in _NEGATIVE
    found = {folded(spelling) for spelling in _SPELLINGS[comparison.field](known) if spelling}
    if not found:
        return not is_negated and None in comparison.values
    return is_negated ^ any(folded(value) in found for value in comparison.values if value is not None)
