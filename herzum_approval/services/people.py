"""Users, groups and roles: which principals a caller has, and what they open."""

from herzum_approval.domain.people import (
    ANYONE,
    User,
    composite_principal,
    folded,
    group_principal,
    role_principal,
    user_principal,
)
from herzum_approval.store import people as stored
from herzum_approval.store import reading

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
        own = {user_principal(username), *map(group_principal, stored.find_group_names(database, username))}
        roles = {role_principal(*role) for role in stored.find_roles(database, own)}
        plain = frozenset({ANYONE} | own | roles)
        composites = stored.find_composites(database, plain)
    return plain | {composite_principal(id) for id, standing in composites.items() if standing.admits(plain)}


def visible_project_ids(principals: frozenset[str]) -> frozenset[int]:
    """Return the ids of the projects that somebody with these principals may browse."""
    with reading() as database:
        return frozenset(stored.find_visible_project_ids(database, principals))


def find_user(name: str) -> User | None:
    """Return the user of that name, letter case aside, active or not; None where there is none."""
    with reading() as database:
        return stored.find_user(database, folded(name))


def is_administrator(username: str) -> bool:
    """Return whether the user administers the site."""
    with reading() as database:
        return ADMINISTRATORS in stored.find_group_names(database, username)
