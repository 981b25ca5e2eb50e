"""Approvals that run by definitions: starting, finding, voting on, resetting and deleting them.

Each change is one transaction that locks the issue or page first, and is written only where the run is
still as it was read: no vote is ever lost.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

from herzum_approval import clock, config
from herzum_approval.domain import approval_path_runs as runs
from herzum_approval.domain import jql
from herzum_approval.domain.approval_path_reports import Occasion, report
from herzum_approval.domain.approval_path_runs import Outcome, Start
from herzum_approval.domain.approval_path_votes import Around
from herzum_approval.domain.approval_paths import (
    ApprovalDefinition,
    ApprovalPath,
    Condition,
    Decision,
    DefinitionStep,
    PathStatus,
    Product,
    Reference,
    StepKind,
)
from herzum_approval.domain.http_steps import AllowedHosts, CallPolicy
from herzum_approval.domain.jira import LARGEST_ID, id_of
from herzum_approval.domain.people import Group, User
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.pages import Listed, Wish, listed
from herzum_approval.store import approval_path_entries as stored_entries
from herzum_approval.store import approval_paths as stored
from herzum_approval.store import people as stored_people
from herzum_approval.store import reading, writing
from herzum_approval.store.approval_paths import Place
from herzum_approval.store.surroundings import read_surroundings

Entry = TypeVar("Entry", ApprovalDefinition, ApprovalPath)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Generic[Entry]):
    """Runs or definitions with whom they name. users: by username. groups: by name."""

    entries: tuple[Entry, ...]
    users: Mapping[str, User]
    groups: Mapping[str, Group]


# -- what approvals are of --------------------------------------------------------------------


def find_reference(product: Product, ref: str) -> Reference:
    """Return the issue of this id or key, or the page of this id. Raises: PATH_REFERENCE_UNKNOWN."""
    with reading(at_one_moment=True) as database:
        return _reference(database, product, ref)


def _reference(database: Any, product: Product, ref: str) -> Reference:
    id = id_of(ref)
    found = None
    if product is Product.CONFLUENCE:
        found = None if id is None else stored.read_page_reference(database, id)
    elif id is not None:
        found = stored.read_issue_reference(database, id=id)
    else:
        found = stored.read_issue_reference(database, key=ref.upper())
    if found is None:
        raise Problem(Fault.PATH_REFERENCE_UNKNOWN, kind=_REFERRED[product], ref=ref)
    return found


_REFERRED = {Product.JIRA: "Issue", Product.CONFLUENCE: "Page"}


def shown(database: Any, entries: Iterable[Entry]) -> Shown[Entry]:
    """Return runs or definitions with the users and groups that they name."""
    kept = tuple(entries)
    steps = [step for entry in kept for step in _definition_steps(entry)]
    usernames = {step.username for step in steps}
    names = {step.group for step in steps if step.group}
    users = stored_people.find_users(database, sorted(name for name in usernames if name))
    groups = stored.read_groups(database, sorted(names))
    return Shown(
        entries=kept,
        users={user.username: user for user in users},
        groups={group.name: group for group in groups},
    )


def _definition_steps(entry: ApprovalDefinition | ApprovalPath) -> list[DefinitionStep]:
    if isinstance(entry, ApprovalPath):
        return [step.definition for step in entry.steps]  # the first is of whoever started it
    return [*entry.steps]  # those after an end name nobody


# -- finding ----------------------------------------------------------------------------------


def list_approvals(reference: Reference) -> Shown[ApprovalPath]:
    """Return the approvals of the issue or page, by id; archived ones only where a setting wants them."""
    now = clock.now()
    with reading(at_one_moment=True) as database:
        return shown(database, _listed_paths(database, reference, now))


def _listed_paths(database: Any, reference: Reference, now: datetime) -> list[ApprovalPath]:
    place = Place(reference.product, reference.id)
    found = stored.read_paths(database, stored.find_path_ids(database, place, now=now))
    current = [runs.as_of(path, now) for path in found]
    if config.current().approval_path_lists_archived:
        return current
    return [path for path in current if path.path_status is not PathStatus.ARCHIVED]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFilters:
    """Which runs are wanted; None leaves a filter out. ref: as a caller wrote it; it needs a product."""

    product: Product | None = None
    ref: str | None = None
    definition_id: int | None = None
    path_status: PathStatus | None = None


def find_paths(filters: PathFilters, wish: Wish) -> Listed[ApprovalPath]:
    """Return runs by id, archived ones among them.

    Raises: PARAMETER_INVALID where a ref comes without a product, PATH_REFERENCE_UNKNOWN.
    """
    now = clock.now()
    with reading(at_one_moment=True) as database:
        place = None
        if filters.ref is not None:
            if filters.product is None:
                raise Problem(Fault.PARAMETER_INVALID, name="product", reason="is missing beside ref")
            found = _reference(database, filters.product, filters.ref)
            place = Place(found.product, found.id)
        ids = stored.find_path_ids(
            database,
            place,
            product=filters.product,
            definition_id=filters.definition_id,
            path_status=filters.path_status,
            now=now,
        )
        return listed(
            ids, wish, lambda chunk: [runs.as_of(path, now) for path in stored.read_paths(database, chunk)]
        )


def show_path(path_id: int) -> ApprovalPath:
    """Return the run as it stands now. Raises: PATH_UNKNOWN."""
    with reading() as database:
        return runs.as_of(_path(database, path_id), clock.now())


def _path(database: Any, path_id: int) -> ApprovalPath:
    for path in stored.read_paths(database, [path_id] if path_id <= LARGEST_ID else []):
        return path
    raise Problem(Fault.PATH_UNKNOWN, id=path_id)


# -- starting ---------------------------------------------------------------------------------


def create_approval(
    reference: Reference,
    definition_id: str,
    *,
    performer: str,
    summary: str | None = None,
    name: str | None = None,
    expires_at: datetime | None = None,
    allows_abstaining: bool = False,
) -> Shown[ApprovalPath]:
    """Start an approval, and return it as it stands then.

    definition_id: as a caller wrote it. performer: the username of who starts it. name, summary: None for
    what they usually are. expires_at: None for never.
    Raises: DEFINITION_UNKNOWN, also for one of another project, space or product; PATH_CONDITION_FALSE;
    PATH_STEP_EMPTY.
    """
    wish = Start(
        performer=performer,
        now=clock.now(),
        name=name,
        summary=summary,
        expires_at=expires_at,
        allows_abstaining=allows_abstaining,
    )

    def work(database: Any) -> Shown[ApprovalPath]:
        stored.lock_place(database, Place(reference.product, reference.id))
        # It was looked for before the transaction, and may be another by now.
        present = _reference(database, reference.product, str(reference.id))
        definition = _definition(database, present, definition_id)
        if config.current().approval_path_returns_running:
            for path in _listed_paths(database, present, wish.now):
                if path.is_running and path.definition_id == definition.id:
                    return shown(database, [path])
        around = around_steps(database, present, definition.steps, definition.condition_ids)
        outcome = runs.start(definition, stored.reserve_path_id(database), wish, around)
        stored.insert_path(database, outcome)
        return shown(database, [runs.as_of(outcome.path, wish.now)])

    return writing(work, is_daily=True)


def _definition(database: Any, reference: Reference, definition_id: str) -> ApprovalDefinition:
    id = id_of(definition_id)
    found = [] if id is None else stored_entries.read_entries(database, ApprovalDefinition, [id])
    for each in found:
        definition = each.entry
        is_for = definition.collection_id in (None, reference.collection_id)
        if definition.product is reference.product and is_for:
            return definition
    raise Problem(Fault.DEFINITION_UNKNOWN, id=definition_id)


def around_steps(
    database: Any, reference: Reference, steps: Iterable[DefinitionStep], conditions: Iterable[int] = ()
) -> Around:
    """Return all that bears on a run of these steps. conditions: ids of those that are asked."""
    groups = {step.group for step in steps if step.group}
    for step in steps:
        if step.kind is StepKind.GROUP_FIELD:
            groups.update(reference.names_in(step.field_id or ""))
    return Around(
        reference=reference,
        members=stored.read_members(database, sorted(groups)),
        conditions=_answers(database, reference, sorted(conditions)),
        policy=policy(),
    )


def _answers(database: Any, reference: Reference, condition_ids: list[int]) -> dict[int, bool]:
    """Return whether each of the conditions is true of the issue; one that cannot be asked is left out."""
    if not condition_ids or reference.product is not Product.JIRA:
        return {}
    around = read_surroundings(database, reference.id)
    if around is None:
        return {}
    known = jql.facts(
        around.issue, around.project, around.issue_type, around.statuses[around.issue.status_id]
    )
    answers = {}
    for each in stored_entries.read_entries(database, Condition, condition_ids):
        try:
            answers[each.entry.id] = jql.matches(jql.parse(each.entry.jql), known)
        except jql.JqlError:
            continue
    return answers


def policy() -> CallPolicy:
    """Return what the settings say about requests of HTTP steps."""
    settings = config.current()
    return CallPolicy(
        hosts=allowed_hosts(settings.approval_path_http_hosts),
        unsent_status=settings.approval_path_http_answer or None,
    )


@lru_cache(maxsize=8)
def allowed_hosts(text: str) -> AllowedHosts:
    """Return the list that the setting spells. Raises: ValueError that names the setting."""
    try:
        return AllowedHosts.parse(text)
    except ValueError as error:
        raise ValueError(f"The setting approval_path_http_hosts: {error}") from None


# -- what happens to a run --------------------------------------------------------------------


def vote(path_id: int, voter: str, decision: Decision, *, position: int | None = None) -> ApprovalPath:
    """Return the run after a vote.

    voter: a username, or an e-mail address that was asked. position: the step's place, from 0, in the
    run; None for the first one that waits for this voter.
    Raises: PATH_UNKNOWN, and what `approval_path_runs.vote` raises.
    """

    def happen(path: ApprovalPath, around: Around) -> Outcome:
        now = clock.now()
        return runs.vote(path, voter, decision, around=around, now=now, position=position)

    return writing(lambda database: changed(database, path_id, happen), is_daily=True)


def archive(path_id: int) -> ApprovalPath:
    """Put the run away, whatever its state. Raises: PATH_UNKNOWN, PATH_ENDED where it was before."""

    def happen(path: ApprovalPath, around: Around) -> Outcome:
        return Outcome(path=runs.archive(runs.as_of(path, clock.now()), clock.now()))

    return writing(lambda database: changed(database, path_id, happen), is_daily=True)


def changed(database: Any, path_id: int, happen: Any) -> ApprovalPath:
    """Let something happen to a run within a transaction, write what comes of it, and return the run.

    happen: takes the run and what bears on it, and returns an `Outcome`.
    """
    place = stored.find_place(database, path_id) if path_id <= LARGEST_ID else None
    if place is None:
        raise Problem(Fault.PATH_UNKNOWN, id=path_id)
    stored.lock_place(database, place)
    path = _path(database, path_id)  # somebody may have deleted it before the lock was had
    reference = _reference(database, path.product, str(path.ref_id))
    around = around_steps(database, reference, [step.definition for step in path.steps])
    return stored.update_path(database, path, happen(path, around))


# -- taking runs away -------------------------------------------------------------------------


def reset_approvals(
    reference: Reference, *, performer: str, creates_comment: bool = False
) -> Shown[ApprovalPath]:
    """Discard the approvals that are listed of the issue or page, and return them as they were.

    performer: the username of who comments, where a comment is wanted.
    """
    now = clock.now()

    def work(database: Any) -> Shown[ApprovalPath]:
        place = Place(reference.product, reference.id)
        stored.lock_place(database, place)
        found = _listed_paths(database, reference, now)
        stored.delete_paths(database, [path.id for path in found])
        if creates_comment and found:
            told = "\n\n".join(report(path, Occasion.RESET) for path in found)
            stored.comment(database, place, performer, told, now)
        return shown(database, found)

    return writing(work, is_daily=True)


def delete_approval(reference: Reference, approval_id: str, *, performer: str) -> None:
    """Delete one approval of the issue or page; a comment by the performer tells of it.

    approval_id: as a caller wrote it. Raises: PATH_UNKNOWN.
    """
    now = clock.now()
    id = id_of(approval_id)

    def work(database: Any) -> None:
        place = Place(reference.product, reference.id)
        stored.lock_place(database, place)
        found = [] if id is None else stored.read_paths(database, [id])
        if not found or (found[0].product, found[0].ref_id) != place:
            raise Problem(Fault.PATH_UNKNOWN, id=approval_id)
        stored.delete_paths(database, [found[0].id])
        told = report(runs.as_of(found[0], now), Occasion.DELETED)
        stored.comment(database, place, performer, told, now)

    writing(work, is_daily=True)


def delete_path(path_id: int, *, performer: str) -> None:
    """Delete a run, whatever it is of; a comment by the performer tells of it. Raises: PATH_UNKNOWN."""
    path = show_path(path_id)
    delete_approval(find_reference(path.product, str(path.ref_id)), str(path_id), performer=performer)
