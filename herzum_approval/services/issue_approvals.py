"""Issue approvals: searching them."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NamedTuple

from herzum_approval.domain.issue_approvals import (
    ApprovalStatus,
    Criteria,
    Delegated,
    SearchFilters,
)
from herzum_approval.domain.jira import LARGEST_ID, id_of
from herzum_approval.domain.people import ANYONE, Actor, folded
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import people
from herzum_approval.store import approvals as stored_approvals
from herzum_approval.store import configuration as stored_configuration
from herzum_approval.store import delegations as stored_delegations
from herzum_approval.store import issue_approvals as stored
from herzum_approval.store import issues as stored_issues
from herzum_approval.store import reading
from herzum_approval.store.kept import Recent, answers, facts, is_watched

COLUMNS = stored.COLUMNS
"""What each place of a row holds: an attribute of `IssueApprovalView`. Two versions follow."""


Row = tuple[Any, ...]
Render = Callable[[Sequence[Row]], Sequence[Any]]

_PART = 500
_BOUNDARY = 500
_RECORDS_KEPT = 16 * 1024


class Page(NamedTuple):
    """Where a page lies. total: how many match, on all pages together."""

    start_at: int
    max_results: int
    total: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    parts: what was found, in parts. The first is there; each further one is read when it is asked
    for, and shows its records as they are then.
    page: None where the whole list was asked for.
    is_long: there are further parts.
    """

    parts: Iterable[Sequence[Any]]
    page: Page | None = None
    is_long: bool = False

    @property
    def rows(self) -> list[Any]:
        return [row for part in self.parts for row in part]


def search(actor: Actor, filters: SearchFilters, render: Render = list) -> Found:
    """Return the issue approvals that the filters leave, of the issues that the actor may browse.

    Names are checked in this order: approval, user, single issue key, sets of keys and ids.
    A page without a start begins at 0; one without a size has all the rest.
    render: makes what is found out of rows, which are as raw as the database keeps them, in places
        named by `COLUMNS`; what it made is kept under the versions of all that it shows.

    Raises: APPROVAL_NOT_FOUND, USER_NOT_FOUND, ISSUE_NOT_FOUND, ISSUES_NOT_FOUND.
    Source: HAP REST API, "Search Issue Approvals".
    """
    with reading(at_one_moment=True, may_lag=actor.may_lag) as database:
        kept = answers(database) if filters.is_paged or is_watched(database) else None
        key = ("criteria", actor.username, filters.unpaged())
        criteria = facts(database).remembered(key, lambda: _criteria(database, actor, filters))
        if filters.is_paged:
            assert kept is not None
            return _page_found(database, actor, criteria, filters, kept, render)
        ids = stored.find_ids(database, criteria, limit=_PART + 1)
        return _found(database, actor, criteria, ids, None, kept, render)


def _page_found(
    database: Any, actor: Actor, criteria: Criteria, filters: SearchFilters, kept: Recent, render: Render
) -> Found:
    total = kept.remembered(("total", criteria), lambda: stored.count(database, criteria))
    start_at = filters.start_at or 0
    rest = max(total - start_at, 0)
    page = Page(start_at, rest if filters.max_results is None else filters.max_results, total)
    ids = _page_ids(database, criteria, page, kept)
    return _found(database, actor, criteria, ids, page, kept, render)


def _page_ids(database: Any, criteria: Criteria, page: Page, kept: Recent) -> list[int]:
    """Return the page's ids, one part and one more at most, from the nearest place whose id is known."""
    ends: tuple[tuple[int, int], ...] = kept.get(("ends", criteria), ())
    place = bisect_right(ends, (page.start_at, LARGEST_ID))
    skipped, after = ends[place - 1] if place else (0, 0)
    limit = min(page.max_results, _PART + 1)
    ids = stored.find_ids(database, criteria, after=after, offset=page.start_at - skipped, limit=limit)
    end = page.start_at + len(ids)
    is_far_from_next = place == len(ends) or ends[place][0] - end >= _BOUNDARY
    if ids and end - skipped >= _BOUNDARY and is_far_from_next:
        kept.put(("ends", criteria), (*ends[:place], (end, ids[-1]), *ends[place:]))
    return ids


def _found(
    database: Any,
    actor: Actor,
    criteria: Criteria,
    ids: list[int],
    page: Page | None,
    kept: Recent | None,
    render: Render,
) -> Found:
    first = _rendered(database, ids[:_PART], kept, render)
    if len(ids) <= _PART:
        return Found((first,), page)
    size = None if page is None else page.max_results - _PART
    rest = _further_parts(actor, criteria, ids[_PART - 1], size, render)
    return Found(chain((first,), rest), page, is_long=True)


def _further_parts(
    actor: Actor, criteria: Criteria, after: int, size: int | None, render: Render
) -> Iterator[Sequence[Any]]:
    """Give what comes after the id, `size` at most, part by part: no connection is held between them."""
    while size is None or size > 0:
        with reading(at_one_moment=True, may_lag=actor.may_lag) as database:
            limit = _PART if size is None else min(size, _PART)
            ids = stored.find_ids(database, criteria, after=after, limit=limit)
            part = _rendered(database, ids, None, render)
        if not part:
            return
        yield part
        after = ids[-1]
        size = None if size is None else size - len(part)


# -- records, rendered ------------------------------------------------------------------------


def _rendered(database: Any, ids: Sequence[int], kept: Recent | None, render: Render) -> Sequence[Any]:
    """Return what is made of the records, kept as long as nothing is written at all."""
    if kept is None:
        return _of_their_versions(database, ids, render)
    memory: Recent = kept.remembered(("records", render), lambda: Recent(_RECORDS_KEPT))
    found = memory.select(ids)
    if None not in found:
        return found
    missing = [id for id, known in zip(ids, found, strict=True) if known is None]
    made = dict(zip(missing, _of_their_versions(database, missing, render), strict=True))
    memory.put_all(made)
    return [made[id] if known is None else known for id, known in zip(ids, found, strict=True)]


def _of_their_versions(database: Any, ids: Sequence[int], render: Render) -> list[Any]:
    """Return what is made of the records, kept with the versions that they and their issues had."""
    memory: Recent = facts(database).remembered(("records", render), lambda: Recent(_RECORDS_KEPT))
    known = {id: kept for id, kept in zip(ids, memory.select(ids), strict=True) if kept is not None}
    made = {
        id: record
        for id, *versions in stored.find_versions(database, list(known))
        for was, record in (known[id],)
        if was == versions
    }
    rows = stored.read_rows(database, [id for id in ids if id not in made])
    read = {row[0]: ([*row[-2:]], record) for row, record in zip(rows, render(rows), strict=True)}
    memory.put_all(read)
    made.update((id, record) for id, (_, record) in read.items())
    return [made[id] for id in ids]


def _criteria(database: Any, actor: Actor, filters: SearchFilters) -> Criteria:
    approval_ids = None
    if filters.approval_name is not None:
        approval_ids = stored_approvals.find_approval_ids(database, folded(filters.approval_name))
        if not approval_ids:
            raise Problem(Fault.APPROVAL_NOT_FOUND)
    reach = Criteria() if filters.username is None else _reach(database, filters.username)
    visible = people.visible_project_ids(people.principals(actor.username))
    project_ids = visible if reach.project_ids is None else visible & set(reach.project_ids)
    criteria = replace(
        reach,
        approval_ids=approval_ids,
        issue_ids=_issue_ids(database, filters, tuple(visible)),
        project_ids=None if project_ids == people.all_project_ids() else tuple(sorted(project_ids)),
    )
    return _narrowed(criteria, filters.approval_status)


def _reach(database: Any, username: str) -> Criteria:
    """Return what the user could take at least one action on now, in projects that he may browse.

    Source: HAP REST API ("for which the Jira User can act"); what that takes is inferred.
    """
    user = people.find_user(username)
    if user is None:
        raise Problem(Fault.USER_NOT_FOUND)
    if not user.is_active:
        return Criteria(principals=())
    configuration = stored_configuration.read_configuration(database)
    principals = people.principals(user.username)
    reach = Criteria(project_ids=tuple(people.visible_project_ids(principals)))
    if configuration.has_super_approver(principals):
        reach = replace(reach, is_open=True)
    else:
        reach = replace(reach, principals=_by_name(principals))
        if configuration.is_delegation_enabled:
            reach = replace(reach, delegate=user.username, delegated=_delegated(database, user.username))
    if configuration.locks_reversing(user.username):
        return replace(reach, approval_status=ApprovalStatus.PENDING)
    return reach


def _delegated(database: Any, delegate: str) -> tuple[Delegated, ...]:
    delegations = stored_delegations.find_delegations(database, delegate)
    principals = people.principals_of({delegation.delegator for delegation in delegations})
    return tuple(
        Delegated(delegator=name, principals=_by_name(principals[name])) for name in sorted(principals)
    )


def _by_name(principals: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(principals - {ANYONE}))


def _narrowed(criteria: Criteria, approval_status: ApprovalStatus | None) -> Criteria:
    if approval_status is None:
        return criteria
    if criteria.approval_status not in (None, approval_status):
        return replace(criteria, issue_ids=())
    return replace(criteria, approval_status=approval_status)


def _issue_ids(database: Any, filters: SearchFilters, project_ids: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the ids of the union of all issues named, or None where none is.

    Keys match whatever their letter case, as in Jira's own issue resource (inferred for the plugin).
    """
    if filters.issue_key is None and filters.issue_keys is None and filters.issue_ids is None:
        return None
    single = () if filters.issue_key is None else (filters.issue_key,)
    keys = filters.issue_keys or ()
    ids = filters.issue_ids or ()
    found = stored_issues.find_issue_ids(
        database,
        tuple(dict.fromkeys(key.upper() for key in (*single, *keys))),
        tuple(dict.fromkeys(number for number in map(id_of, ids) if number is not None)),
        project_ids,
    )
    found_keys = set(found.values())
    if single and single[0].upper() not in found_keys:
        raise Problem(Fault.ISSUE_NOT_FOUND, key=single[0])
    bad_keys = [key for key in keys if key.upper() not in found_keys]
    bad_ids = [id for id in ids if id_of(id) not in found]
    if bad_keys or bad_ids:
        raise Problem(Fault.ISSUES_NOT_FOUND, invalid_sets=_invalid_sets(bad_keys, bad_ids))
    return tuple(sorted(found))


def _invalid_sets(keys: Sequence[str], ids: Sequence[str]) -> str:
    """Return the sentences that name what was not found; a set without members is not mentioned."""
    sets = (("key", keys), ("id", ids))
    return "".join(
        f" Invalid issue {name} set: ({','.join(dict.fromkeys(names))})." for name, names in sets if names
    )
