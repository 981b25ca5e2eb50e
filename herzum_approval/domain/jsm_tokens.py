"""Tokens by which clients of JSM Operations sign in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What an OAuth 2.0 token may be used for. Source: the reference page."""

    READ = "read:ops-config:jira-service-management"
    WRITE = "write:ops-config:jira-service-management"
    DELETE = "delete:ops-config:jira-service-management"


@dataclass(frozen=True, slots=True, kw_only=True)
class JsmToken:
    """A token of a user; only its digest is kept.

    scopes: of an OAuth 2.0 token, which comes as Bearer; None for an API token, which comes by Basic with the
    user's e-mail address and may do all that the user may.
    """

    id: int
    token_digest: str
    username: str
    label: str = ""
    scopes: tuple[Scope, ...] | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class JsmCaller:
    """Who asks, and what the token is limited to; scopes: None does not limit."""

    username: str
    scopes: frozenset[Scope] | None = None

    def lacks(self, wanted: Iterable[Scope]) -> Scope | None:
        """Return the first of the scopes that the token does not have, None where it has all."""
        if self.scopes is None:
            return None
        return next((scope for scope in wanted if scope not in self.scopes), None)
