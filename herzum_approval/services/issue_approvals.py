"""Issue approvals: searching them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from herzum_approval.domain.issue_approvals import ApprovalStatus, Criteria, Delegated, SearchFilters
from herzum_approval.domain.jira import id_of
from herzum_approval.domain.people import ANYONE, Actor, folded
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import people
from herzum_approval.store import approvals as stored_approvals
from herzum_approval.store import configuration as stored_configuration
from herzum_approval.store import delegations as stored_delegations
from herzum_approval.store import issue_approvals as stored
from herzum_approval.store import issues as stored_issues
from herzum_approval.store import reading

COLUMNS = stored.COLUMNS
"""What each place of a row of `Found` holds: an attribute of `IssueApprovalView`."""


class Page(NamedTuple):
    """Where a page lies. total: how many match, on all pages together."""

    start_at: int
    max_results: int
    total: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    rows: as raw as the database keeps them, in places named by `COLUMNS`.
    page: None where the whole list was asked for.
    """

    rows: Sequence[tuple[Any, ...]]
    page: Page | None = None


def search(actor: Actor, filters: SearchFilters) -> Found:
    """Return the issue approvals that the filters leave, of the issues that the actor may browse.

    Names are checked in this order: approval, user, single issue key, sets of keys and ids.
    A page without a start begins at 0; one without a size has all the rest.

    Raises: APPROVAL_NOT_FOUND, USER_NOT_FOUND, ISSUE_NOT_FOUND, ISSUES_NOT_FOUND.
    Source: HAP REST API, "Search Issue Approvals".
    """
    with reading(at_one_moment=True) as database:
        criteria = _criteria(database, actor, filters)
        if not filters.is_paged:
            return Found(stored.search(database, criteria))
        start_at = filters.start_at or 0
        total = stored.count(database, criteria)
        rows = stored.search(database, criteria, offset=start_at, limit=filters.max_results)
    max_results = max(total - start_at, 0) if filters.max_results is None else filters.max_results
    return Found(rows, Page(start_at, max_results, total))


def _criteria(database: Any, actor: Actor, filters: SearchFilters) -> Criteria:
    approval_ids = None
    if filters.approval_name is not None:
        approval_ids = stored_approvals.find_approval_ids(database, folded(filters.approval_name))
        if not approval_ids:
            raise Problem(Fault.APPROVAL_NOT_FOUND)
    reach = Criteria() if filters.username is None else _reach(database, filters.username)
    visible = people.visible_project_ids(people.principals(actor.username))
    project_ids = tuple(sorted(visible if reach.project_ids is None else visible & set(reach.project_ids)))
    criteria = replace(
        reach,
        approval_ids=approval_ids,
        issue_ids=_issue_ids(database, filters, tuple(visible)),
        project_ids=project_ids,
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
