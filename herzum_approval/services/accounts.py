"""Accounts: making them, from the first administrator on."""

from collections.abc import Sequence
from typing import Any

from herzum_approval.domain.people import User, folded
from herzum_approval.services import passwords
from herzum_approval.services.people import ADMINISTRATORS
from herzum_approval.store import accounts as stored
from herzum_approval.store import people as stored_people
from herzum_approval.store import reading, writing

USERS = "jira-software-users"
"""Jira's group of people who use the site."""


def has_users() -> bool:
    """Return whether there is anybody who could sign in."""
    with reading() as database:
        return stored.has_users(database)


def list_users() -> tuple[User, ...]:
    """Return every user by name, without password hashes."""
    with reading() as database:
        return stored.list_users(database)


def require_no_users() -> None:
    """Do nothing where nobody could sign in. Raises: ValueError where there are users."""
    if has_users():
        raise ValueError("There are users already; add more with: herzum-approval user add")


def create_first_administrator(username: str, password: str) -> None:
    """Create Jira's two groups, and in both of them the first user.

    Raises: ValueError where there are users already, or the name or password cannot be.
    """
    user = _user(username, password, groups=(ADMINISTRATORS, USERS))

    def work(database: Any) -> None:
        require_no_users()
        stored.add_groups(database, user.groups)
        stored.add_user(database, user)

    writing(work)


def create_user(
    username: str, password: str, *, display_name: str = "", email: str = "", groups: Sequence[str] = (USERS,)
) -> None:
    """Create a user in groups that exist.

    Raises: ValueError where the name is taken, a group is unknown, or name or password cannot be.
    """
    user = _user(username, password, display_name=display_name, email=email, groups=groups)

    def work(database: Any) -> None:
        if stored_people.find_user(database, folded(username)):
            raise ValueError(f"There is a user {username} already.")
        unknown = sorted(set(groups) - stored.find_group_names(database))
        if unknown:
            raise ValueError(f"There is no group {unknown[0]}.")
        stored.add_user(database, user)

    writing(work)


def require_password(password: str) -> str:
    """Return the password. Raises: ValueError where it is empty."""
    if not password:
        raise ValueError("A password cannot be empty.")
    return password


def _user(
    username: str, password: str, *, groups: Sequence[str], display_name: str = "", email: str = ""
) -> User:
    if not username or username != username.strip() or ":" in username or not username.isprintable():
        # Basic credentials end the name at the first colon.
        raise ValueError("A username has no colon, no space around it, and is not empty.")
    return User(
        id=0,
        username=username,
        display_name=display_name or username,
        email=email,
        password_hash=passwords.hash_password(require_password(password)),
        groups=tuple(dict.fromkeys(groups)),
    )
