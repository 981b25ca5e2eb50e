"""Users, groups and principals: who somebody is, and by which names rights are given to them."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

ANYONE = "anyone"
"""The principal that every caller has, signed in or not."""


def folded(name: str) -> str:
    """Return the spelling under which names are compared: NFC, letter case ignored."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


_ADDRESS = re.compile(
    r"(?=.{3,254}$)[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+)*"
    r"@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"
)


def is_email_address(text: str) -> bool:
    """Return whether every mail server takes it; an address can be spelt in stranger ways, which are not."""
    return _ADDRESS.fullmatch(text) is not None


def user_principal(username: str) -> str:
    return f"user:{username}"


def group_principal(group_name: str) -> str:
    return f"group:{group_name}"


def role_principal(project_id: int, role_id: int) -> str:
    return f"role:{project_id}/{role_id}"


def composite_principal(composite_id: int) -> str:
    return f"composite:{composite_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A named set of users; `id` is a UUID-like text that neighbours of Jira use for it."""

    name: str
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account.

    password_hash: bcrypt's own text; None for an account that cannot sign in with a password.
    account_id: the Atlassian account id, by which Approval Path and JSM know the person.
    groups: names of the groups that the user belongs to.
    """

    id: int
    username: str
    display_name: str
    email: str = ""
    is_active: bool = True
    password_hash: str | None = None
    account_id: str | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRecord:
    """What is counted about the password logins of one user.

    failed_count: failures since the last success, those still being checked included.
    unresolved_count: how many of them are still being checked.
    """

    username: str
    failed_count: int = 0
    unresolved_count: int = 0
    attempted_at: datetime | None = None
    login_count: int = 0
    total_failed_count: int = 0
    last_failed_at: datetime | None = None
    last_login_at: datetime | None = None
    previous_login_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a password check must know of a user who is active and has a password.

    failed_count, unresolved_count, attempted_at: as in the user's `LoginRecord`.
    """

    username: str
    display_name: str
    password_hash: str
    failed_count: int = 0
    unresolved_count: int = 0
    attempted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser or client; only the digest of its id is kept.

    wrote_at: when it last wrote something; kept only where a copy of the database is read.
    """

    token_digest: str
    username: str
    created_at: datetime
    seen_at: datetime
    wrote_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks, and by which right.

    session_digest: the session that the request came with; None for Basic credentials.
    may_lag: a search may show the state of a moment ago: the session wrote nothing since.
    """

    username: str
    display_name: str
    session_digest: str | None = None
    may_lag: bool = False
