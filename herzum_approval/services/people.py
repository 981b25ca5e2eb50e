"""Users, groups and roles: which principals a caller has, and what they open."""

from collections.abc import Collection

from herzum_approval.domain.people import (
    ANYONE,
    Actor,
    User,
    composite_principal,
    folded,
    group_principal,
    role_principal,
    user_principal,
)
from herzum_approval.errors import Fault, Problem
from herzum_approval.store import people as stored
from herzum_approval.store import reading
from herzum_approval.store.kept import facts

ADMINISTRATORS = "jira-administrators"
"""Jira's group of administrators."""

APPLICATION_USERS = "jira-software-users"
"""Jira's group of those who may use Jira Software."""


def principals(username: str | None) -> frozenset[str]:
    """Return every principal of the user: `anyone`, `user:…`, `group:…`, `role:PROJECT/ROLE`, `composite:ID`.

    username: as the account spells it; None for somebody who is not signed in.
    """
    if username is None:
        return frozenset({ANYONE})
    with reading() as database:
        return facts(database).remembered(
            ("principals", username), lambda: principals_of((username,))[username]
        )


def principals_of(usernames: Collection[str]) -> dict[str, frozenset[str]]:
    """Return every principal of each of the users, in as many queries as for one.

    usernames: as the accounts spell them.
    """
    if not usernames:
        return {}
    own = {username: {user_principal(username)} for username in usernames}
    with reading() as database:
        for username, group in stored.find_memberships(database, own):
            own[username].add(group_principal(group))
        roles = stored.find_roles(database, set[str]().union(*own.values()))
        plain = {
            username: frozenset(
                {ANYONE, *names, *(role_principal(*role) for name, *role in roles if name in names)}
            )
            for username, names in own.items()
        }
        composites = stored.find_composites(database, frozenset[str]().union(*plain.values()))
    return {
        username: names
        | {composite_principal(id) for id, standing in composites.items() if standing.admits(names)}
        for username, names in plain.items()
    }


def visible_project_ids(principals: frozenset[str]) -> frozenset[int]:
    """Return the ids of the projects that somebody with these principals may browse."""
    with reading() as database:
        return facts(database).remembered(
            ("visible projects", principals),
            lambda: frozenset(stored.find_visible_project_ids(database, principals)),
        )


def all_project_ids() -> frozenset[int]:
    """Return the ids of all projects."""
    with reading() as database:
        return facts(database).remembered(
            "projects", lambda: frozenset(stored.find_all_project_ids(database))
        )


def find_user(name: str) -> User | None:
    """Return the user of that name, letter case aside, active or not; None where there is none."""
    with reading() as database:
        return stored.find_user(database, folded(name))


def find_users(usernames: Collection[str]) -> dict[str, User]:
    """Return those of the users that exist, by name, active or not. usernames: as the accounts spell them."""
    with reading() as database:
        return {user.username: user for user in stored.find_users(database, usernames)}


def is_administrator(username: str) -> bool:
    """Return whether the user administers the site."""
    with reading() as database:
        return facts(database).remembered(
            ("administers", username),
            lambda: (username, ADMINISTRATORS) in stored.find_memberships(database, (username,)),
        )


def require_administrator(actor: Actor) -> None:
    """Do nothing where the actor administers the site. Raises: ADMINISTRATOR_REQUIRED."""
    if not is_administrator(actor.username):
        raise Problem(Fault.ADMINISTRATOR_REQUIRED)
