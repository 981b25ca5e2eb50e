"""Acting on issue approvals: who asks, with which credentials, and what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from herzum_approval import clock
from herzum_approval.domain.actions import Action, Right
from herzum_approval.domain.candidates import candidates
from herzum_approval.domain.configuration import Configuration, CredentialsRequired
from herzum_approval.domain.delegations import covers
from herzum_approval.domain.issue_approvals import IssueApproval, IssueApprovalView
from herzum_approval.domain.issues import Outcome, Surroundings, decide
from herzum_approval.domain.jira import LARGEST_ID
from herzum_approval.domain.people import Actor, folded
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import logins, people
from herzum_approval.services.issues import responsive_picture
from herzum_approval.services.logins import Outcome as LoginOutcome
from herzum_approval.store import at_a_glance, reading, writing
from herzum_approval.store import configuration as stored_configuration
from herzum_approval.store import delegations as stored_delegations
from herzum_approval.store import issue_approvals as stored
from herzum_approval.store.outcomes import write_outcome
from herzum_approval.store.surroundings import lock_issues, read_surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What an action brings beside the login. A member is None where it is absent or blank."""

    username: str | None = None
    password: str | None = None


def act(
    actor: Actor,
    issue_approval_id: int,
    action: Action,
    *,
    credentials: Credentials,
    comment: str | None,
) -> IssueApprovalView:
    """Return the issue approval as it stands after the action, and write all that comes of it.

    comment: None where there is none.
    Raises, in this order: ISSUE_APPROVAL_NOT_FOUND (also where the actor may not browse its issue),
    CONFIGURATION_ROW, PASSWORD_REQUIRED, USERNAME_REQUIRED, USER_NOT_FOUND, USERNAME_OF_ANOTHER,
    CREDENTIALS_DENIED, CREDENTIALS_WRONG, ACTION_DISABLED, ACTION_UNAUTHORIZED, COMMENT_REQUIRED.
    Source: HAP REST API, "Operate on Issue Approvals"; the order of checks is inferred.
    """
    issue_id, configuration = at_a_glance(lambda: _looked_up(actor, issue_approval_id))
    # Passwords are hashed outside of the transaction, so all that matters is read again inside.
    _check_credentials(actor, credentials, configuration)
    return _act(actor, issue_id, issue_approval_id, action, comment)


def prepare(
    actor: Actor, issue_approval_id: int, action: Action, *, comment: str | None
) -> Callable[[], IssueApprovalView] | None:
    """Return what acts, as `act` does without credentials; None where they are needed. Only reads.

    Raises: ISSUE_APPROVAL_NOT_FOUND, CONFIGURATION_ROW.
    """
    issue_id, configuration = _looked_up(actor, issue_approval_id)
    if configuration.credentials_required is not CredentialsRequired.NONE:
        return None
    return lambda: _act(actor, issue_id, issue_approval_id, action, comment)


def _act(
    actor: Actor, issue_id: int, issue_approval_id: int, action: Action, comment: str | None
) -> IssueApprovalView:
    return writing(
        lambda database: _decided(database, actor, issue_id, issue_approval_id, action, comment),
        is_daily=True,
    )


def _looked_up(actor: Actor, issue_approval_id: int) -> tuple[int, Configuration]:
    """Return the id of the record's issue, and the configuration."""
    with reading() as database:
        found = stored.find_place(database, issue_approval_id) if issue_approval_id <= LARGEST_ID else None
        if found is None or not _may_browse(actor, found.project_id):
            raise Problem(Fault.ISSUE_APPROVAL_NOT_FOUND)
        if found.is_configuration:
            raise Problem(Fault.CONFIGURATION_ROW)
        return found.issue_id, stored_configuration.read_configuration(database)


def _may_browse(actor: Actor, project_id: int) -> bool:
    return project_id in people.visible_project_ids(people.principals(actor.username))


def _check_credentials(actor: Actor, given: Credentials, configuration: Configuration) -> None:
    """Verify whatever is sent, in every mode; a password alone against the caller.

    Someone else's username is refused before any password is hashed.
    """
    required = configuration.credentials_required
    if given.password is None and required is not CredentialsRequired.NONE:
        raise Problem(Fault.PASSWORD_REQUIRED)
    if given.username is None and required is CredentialsRequired.USERNAME_AND_PASSWORD:
        raise Problem(Fault.USERNAME_REQUIRED)
    if given.username is not None:
        if people.find_user(given.username) is None:
            raise Problem(Fault.USER_NOT_FOUND)
        if folded(given.username) != folded(actor.username):
            raise Problem(Fault.USERNAME_OF_ANOTHER)
    if given.password is None:
        return
    outcome = logins.verify_password(actor.username, given.password, use_cache=False).outcome
    if outcome is LoginOutcome.DENIED:
        raise Problem(Fault.CREDENTIALS_DENIED)
    if outcome is not LoginOutcome.OK:
        raise Problem(Fault.CREDENTIALS_WRONG)


def _decided(
    database: Any, actor: Actor, issue_id: int, issue_approval_id: int, action: Action, comment: str | None
) -> IssueApprovalView:
    lock_issues(database, [issue_id])
    around = read_surroundings(database, issue_id)
    if around is None or not _may_browse(actor, around.project.id):
        raise Problem(Fault.ISSUE_APPROVAL_NOT_FOUND)  # removed, or out of sight, since it was looked for
    before = responsive_picture(around)
    record = _found(before, issue_approval_id)
    right = _right(database, before, record, actor.username)
    outcome = decide(before, record, action, right, comment=comment, now=clock.now())
    return _view(write_outcome(database, before, outcome), issue_approval_id)


def _found(around: Surroundings, issue_approval_id: int) -> IssueApproval:
    for record in around.records:
        if record.id == issue_approval_id:
            return record
    raise Problem(Fault.ISSUE_APPROVAL_NOT_FOUND)  # removed since it was looked for


def _right(database: Any, around: Surroundings, record: IssueApproval, username: str) -> Right:
    principals = people.principals(username)
    is_approver = around.configuration.has_super_approver(principals) or _admits(around, record, principals)
    delegators = () if is_approver else _delegators(database, around, record, username)
    return Right(username=username, is_approver=is_approver, delegators=delegators)


def _delegators(database: Any, around: Surroundings, record: IssueApproval, username: str) -> tuple[str, ...]:
    """Return those for whom the user may act on the record: approvers who delegated to him."""
    if not around.configuration.is_delegation_enabled:
        return ()
    covering = {
        delegation.delegator
        for delegation in stored_delegations.find_delegations(database, username)
        if covers(delegation, record, around.issue)
    }
    principals = people.principals_of(covering)
    return tuple(name for name in sorted(covering) if _admits(around, record, principals[name]))


def _admits(around: Surroundings, record: IssueApproval, principals: frozenset[str]) -> bool:
    approval = around.approvals[record.approval_id]
    found = candidates(record, approval, around.issue, around.project, around.mapping_of(record))
    return any(standing.admits(principals) for standing in found)


def _view(outcome: Outcome, issue_approval_id: int) -> IssueApprovalView:
    around = outcome.around
    record = _found(around, issue_approval_id)
    return IssueApprovalView(
        record=record,
        approval_name=around.approvals[record.approval_id].name,
        issue_status_id=around.issue.status_id,
    )
