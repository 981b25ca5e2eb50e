"""Issue approvals: the search, in rows."""

from collections.abc import Sequence
from enum import Enum
from functools import reduce
from itertools import chain
from operator import add, or_
from typing import Any, NamedTuple

from peewee import SQL, Database, Field, Query, Select, SqliteDatabase, fn

from herzum_approval.domain.issue_approvals import ApprovalStatus, Criteria
from herzum_approval.store.statements import list_size, run, slot, slots, spread
from herzum_approval.store.tables import (
    Approval,
    Candidate,
    Delegation,
    Issue,
    IssueApproval,
)

_SETTINGS = (
    "transitions_on_approbations",
    "transitions_on_rejections",
    "waits_for_all_replies",
    "sends_request_mail",
    "announces_by_comment",
    "requires_comment",
    "minimum_approbations",
    "minimum_rejections",
    "place",
    "is_sequential",
    "opens_after_any_decision",
    "abstain_override",
    "is_optional",
    "shows_status_on_portal",
    "shows_buttons_on_portal",
)

_COLUMNS: dict[str, Field] = {
    "record.id": IssueApproval.id,
    "record.issue_id": IssueApproval.issue,
    "record.approval_id": IssueApproval.approval,
    "approval_name": Approval.name,
    "issue_status_id": Issue.status,
    "record.approval_status": IssueApproval.approval_status,
    "record.decided_at": IssueApproval.decided_at,
    "record.approver_username": IssueApproval.approver_username,
    "record.transition_id": IssueApproval.transition_id,
    "record.transition_name": IssueApproval.transition_name,
    "record.notified_at": IssueApproval.notified_at,
    "record.source_status_id": IssueApproval.source_status,
    "record.type": IssueApproval.type,
    "record.defines_custom_approval": IssueApproval.defines_custom_approval,
    "record.has_transition_error": IssueApproval.has_transition_error,
    "record.submitted_at": IssueApproval.submitted_at,
    "record.settings.conditional_rule_id": IssueApproval.conditional_rule,
    **{f"record.settings.{name}": getattr(IssueApproval, name) for name in _SETTINGS},
}

COLUMNS = tuple(_COLUMNS)
"""What each place of a search row holds: an attribute of `IssueApprovalView`. Values are as the
database keeps them: truth as 0 and 1 on SQLite, moments as milliseconds, `StrEnum`s as text."""

_ARMS_AT_MOST = 200
_UNLIMITED = 2**63 - 1  # SQLite knows OFFSET only behind a LIMIT


def find_ids(
    database: Database, criteria: Criteria, *, after: int = 0, offset: int = 0, limit: int | None = None
) -> list[int]:
    """Return the ids of the matching issue approvals, in their order.

    after: only higher ids. offset: so many of these are left out.
    """
    if _matches_nothing(criteria):
        return []
    page = _Page(has_start=after > 0, has_offset=offset > 0, has_limit=limit is not None)
    rows = run(
        database,
        ("search", _shape(criteria), page),
        lambda: _search_query(criteria, page, _Engine.of(database)),
        {**_values(criteria), "after": after, "offset": offset, "limit": limit},
    )
    return [id for (id,) in rows]


def find_versions(database: Database, ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return id, version and the issue's version of those of the issue approvals that exist, by id.

    These are the versions of what a search shows of them; what is administered has a version apart.
    """
    if not ids:
        return []
    size = list_size(ids)
    record = IssueApproval
    return run(
        database,
        ("versions", size),
        lambda: (
            record.select(record.id, record.version, Issue.version)
            .join(Issue)
            .where(record.id.in_(slots("id", size)))
            .order_by(record.id)
        ),
        dict(spread("id", ids)),
    )


def read_rows(database: Database, ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Return those of the issue approvals that exist, by id, as rows of `COLUMNS` and then both versions.

    Rows leave as tuples here (and only here), because this is the hot path.
    """
    if not ids:
        return []
    size = list_size(ids)
    return run(database, ("rows", size), lambda: _rows_query(size), dict(spread("id", ids)))


def _rows_query(size: int) -> Query:
    return (
        IssueApproval.select(*_COLUMNS.values(), IssueApproval.version, Issue.version)
        .join_from(IssueApproval, Issue)
        .join_from(IssueApproval, Approval)
        .where(IssueApproval.id.in_(slots("id", size)))
        .order_by(IssueApproval.id)
    )


def count(database: Database, criteria: Criteria) -> int:
    """Return how many issue approvals match."""
    if _matches_nothing(criteria):
        return 0
    rows = run(
        database,
        ("count", _shape(criteria)),
        lambda: _count_query(criteria, _Engine.of(database)),
        _values(criteria),
    )
    return int(rows[0][0])


class Place(NamedTuple):
    """Where an issue approval is. is_configuration: it is a configuration row."""

    issue_id: int
    project_id: int
    is_configuration: bool


def find_place(database: Database, issue_approval_id: int) -> Place | None:
    """Return where the issue approval is, or None where there is none of that id."""
    columns = (IssueApproval.issue, IssueApproval.project, IssueApproval.is_configuration)
    rows = run(
        database,
        "place",
        lambda: IssueApproval.select(*columns).where(IssueApproval.id == slot("id")),
        {"id": issue_approval_id},
    )
    return Place(*rows[0]) if rows else None


class _Page(NamedTuple):
    """Which parts of a page the SQL text has; their numbers are values."""

    has_start: bool
    has_offset: bool
    has_limit: bool

    def cut(self, query: Any) -> Any:
        if self.has_limit:
            query = query.limit(slot("limit"))
        elif self.has_offset:
            query = query.limit(_UNLIMITED)
        return query.offset(slot("offset")) if self.has_offset else query

    def begin(self, id_field: Field) -> list[Any]:
        return [id_field > slot("after")] if self.has_start else []


_WHOLE = _Page(has_start=False, has_offset=False, has_limit=False)


class _Engine(Enum):
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"

    @classmethod
    def of(cls, database: Database) -> "_Engine":
        return cls.SQLITE if isinstance(database, SqliteDatabase) else cls.POSTGRESQL


def _matches_nothing(criteria: Criteria) -> bool:
    return () in (criteria.approval_ids, criteria.issue_ids, criteria.project_ids, criteria.principals)


def _shape(criteria: Criteria) -> tuple[Any, ...]:
    """Return what the SQL text depends on: which criteria there are and how long their lists."""
    lists = (criteria.approval_ids, criteria.issue_ids, criteria.project_ids)
    return (
        *(None if values is None else list_size(values) for values in lists),
        None if criteria.principals is None else len(criteria.principals),
        criteria.approval_status is None,
        criteria.is_open,
        tuple(list_size(each.principals) for each in criteria.delegated),
    )


def _values(criteria: Criteria) -> dict[str, Any]:
    values: dict[str, Any] = {"approval_status": criteria.approval_status, "delegate": criteria.delegate}
    for name in ("approval_ids", "issue_ids", "project_ids"):
        values.update(spread(name, getattr(criteria, name) or ()))
    values.update((f"principals{place}", name) for place, name in enumerate(criteria.principals or ()))
    for place, each in enumerate(criteria.delegated):
        values[f"delegator{place}"] = each.delegator
        values.update(spread(f"delegated{place}_", each.principals))
    return values


def _search_query(criteria: Criteria, page: _Page, engine: _Engine) -> Query:
    if criteria.principals is not None:
        return page.cut(_candidate_ids(criteria, engine, page))
    record = IssueApproval
    query = record.select(record.id).order_by(record.id)
    return page.cut(query.where(*_conditions(criteria, with_status=True), *page.begin(record.id)))


def _count_query(criteria: Criteria, engine: _Engine) -> Query:
    if criteria.principals is None:
        return IssueApproval.select(fn.COUNT(SQL("*"))).where(*_conditions(criteria, with_status=True))
    return Select([_candidate_ids(criteria, engine, _WHOLE)], [fn.COUNT(SQL("*"))])


def _conditions(criteria: Criteria, *, with_status: bool) -> list[Any]:
    conditions: list[Any] = [SQL("1 = 1")]
    if criteria.approval_status is not None and with_status:
        conditions.append(IssueApproval.approval_status == slot("approval_status"))
    if criteria.is_open:
        conditions.append(IssueApproval.is_open == SQL("TRUE"))
    for name, field in (
        ("approval_ids", IssueApproval.approval),
        ("issue_ids", IssueApproval.issue),
        ("project_ids", IssueApproval.project),
    ):
        values = getattr(criteria, name)
        if values is not None:
            conditions.append(field.in_(slots(name, list_size(values))))
    return conditions


def _candidate_ids(criteria: Criteria, engine: _Engine, page: _Page) -> Any:
    """Return the ids, in order and each once, of what somebody with one of the principals can act on.

    One ordered walk along the candidate index for each principal and approval status, merged: the
    cost of a page does not grow with the number of matches. What was delegated is a walk more.
    """
    walks = _own_walks(criteria, page)
    if criteria.delegated:
        walks.append(_delegated_walk(criteria, page))
    if len(walks) == 1:
        return walks[0].order_by(Candidate.issue_approval)
    if engine is _Engine.SQLITE:
        return reduce(or_, walks).order_by(SQL("1"))
    # PostgreSQL merges ordered walks under UNION ALL, but sorts or hashes all rows under UNION.
    together = reduce(add, walks).alias("walk")
    return Select([together], [together.c.id]).distinct().order_by(together.c.id)


def _own_walks(criteria: Criteria, page: _Page) -> list[Any]:
    assert criteria.principals is not None
    principals = slots("principals", len(criteria.principals))
    statuses = _statuses(criteria)
    if len(principals) * len(statuses) > _ARMS_AT_MOST:
        walk = _walk(
            criteria, page, Candidate.principal.in_(principals), Candidate.approval_status.in_(statuses)
        )
        return [walk.distinct()]
    return [
        _walk(criteria, page, Candidate.principal == principal, Candidate.approval_status == status)
        for principal in principals
        for status in statuses
    ]


def _delegated_walk(criteria: Criteria, page: _Page) -> Any:
    """Return a walk along what delegators can act on: the pending, and what the delegate decided himself.

    The limits of a delegation are those of `delegations.covers`.
    """
    record, delegation = IssueApproval, Delegation
    principals = [
        slots(f"delegated{place}_", list_size(each.principals))
        for place, each in enumerate(criteria.delegated)
    ]
    is_delegators = [
        (delegation.delegator == slot(f"delegator{place}")) & Candidate.principal.in_(names)
        for place, names in enumerate(principals)
    ]
    limits = (
        (delegation.starts_at, record.submitted_at >= delegation.starts_at),
        (delegation.ends_at, record.submitted_at <= delegation.ends_at),
        (delegation.project, record.project == delegation.project),
        (delegation.issue_type, Issue.issue_type == delegation.issue_type),
        (delegation.source_status, record.source_status == delegation.source_status),
        (delegation.transition_id, record.transition_id == delegation.transition_id),
        (delegation.approval, record.approval == delegation.approval),
    )
    return (
        Candidate.select(Candidate.issue_approval.alias("id"))
        .join(record)
        .join(Issue)
        .join(delegation, on=delegation.delegate == slot("delegate"))
        .where(
            Candidate.principal.in_(list(chain(*principals))),
            Candidate.approval_status.in_(_statuses(criteria)),
            (Candidate.approval_status == ApprovalStatus.PENDING)
            | (record.approver_username == slot("delegate")),
            reduce(or_, is_delegators),
            *(limit.is_null() | is_kept for limit, is_kept in limits),
            *page.begin(Candidate.issue_approval),
            *_conditions(criteria, with_status=False),
        )
        .distinct()
    )


def _statuses(criteria: Criteria) -> list[Any]:
    return [slot("approval_status")] if criteria.approval_status else list(ApprovalStatus)


def _walk(criteria: Criteria, page: _Page, *conditions: Any) -> Any:
    query = Candidate.select(Candidate.issue_approval.alias("id")).where(
        *conditions, *page.begin(Candidate.issue_approval)
    )
    rest = _conditions(criteria, with_status=False)
    if len(rest) == 1:
        return query
    return query.join(IssueApproval).where(*rest)
