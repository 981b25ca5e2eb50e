"""Issues: showing them, which transitions they may take, and moving them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from herzum_approval import clock
from herzum_approval.domain.history import Comment
from herzum_approval.domain.issues import Surroundings, available_transitions, move
from herzum_approval.domain.jira import Status, Transition, id_of
from herzum_approval.domain.people import Actor, User
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import people
from herzum_approval.store import issues as stored
from herzum_approval.store import reading, writing
from herzum_approval.store.outcomes import write_outcome
from herzum_approval.store.surroundings import lock_issues, read_surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueView:
    """An issue with what Jira shows beside it."""

    around: Surroundings
    comments: Sequence[Comment]
    users: dict[str, User]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTransition:
    """A transition that may be taken, and where it leads."""

    transition: Transition
    destination: Status


def show(actor: Actor, id_or_key: str) -> IssueView:
    """Return the issue. Raises: ISSUE_UNKNOWN, also where the actor may not browse it."""
    with reading(at_one_moment=True) as database:
        issue_id = _issue_id(database, actor, id_or_key)
        around = _around(database, issue_id)
        comments = stored.read_comments(database, issue_id)
        names = {around.issue.reporter, around.issue.assignee, *(comment.author for comment in comments)}
        users = people.find_users({name for name in names if name})
    return IssueView(around=around, comments=comments, users=users)


def transitions(actor: Actor, id_or_key: str) -> list[OfferedTransition]:
    """Return the transitions that the issue may take now; locked ones are not among them.

    Raises: ISSUE_UNKNOWN.
    """
    with reading(at_one_moment=True) as database:
        around = _around(database, _issue_id(database, actor, id_or_key))
    return [
        OfferedTransition(transition=each, destination=around.statuses[each.destination_status_id])
        for each in available_transitions(around)
    ]


def transition(actor: Actor, id_or_key: str, transition_id: int) -> None:
    """Take the transition: the issue is in its destination, whose approvals are asked for.

    Whoever may browse an issue may move it; approvals are what holds it back.
    Raises: ISSUE_UNKNOWN, TRANSITION_NOT_AVAILABLE.
    """
    with reading() as database:
        issue_id = _issue_id(database, actor, id_or_key)

    def work(database: Any) -> None:
        lock_issues(database, [issue_id])
        before = _around(database, issue_id)
        write_outcome(database, before, move(before, transition_id, actor.username, clock.now()))

    writing(work, is_daily=True)


def responsive_picture(around: Surroundings) -> Surroundings:
    """Return the picture with its answer to whether the responsive mode's user may move the issue."""
    configuration = around.configuration
    if not configuration.is_transition_responsive or configuration.responsive_user is None:
        return around
    user = people.find_user(configuration.responsive_user)
    may_move = (
        user is not None
        and user.is_active
        and around.project.id in people.visible_project_ids(people.principals(user.username))
    )
    return replace(around, may_responsive_user_move=may_move)


def _issue_id(database: Any, actor: Actor, id_or_key: str) -> int:
    visible = tuple(people.visible_project_ids(people.principals(actor.username)))
    id = id_of(id_or_key)
    keys, ids = ((id_or_key.upper(),), ()) if id is None else ((), (id,))
    found = list(stored.find_issue_ids(database, keys, ids, visible))
    if not found:
        raise Problem(Fault.ISSUE_UNKNOWN)
    return found[0]


def _around(database: Any, issue_id: int) -> Surroundings:
    around = read_surroundings(database, issue_id)
    if around is None:
        raise Problem(Fault.ISSUE_UNKNOWN)  # removed since it was looked for
    return around
