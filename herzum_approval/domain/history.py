"""History: what happened to what, by whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """What happened. A decision is named by the status that it led to; PENDING is a reset."""

    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    ABSTAINED = "ABSTAINED"
    PENDING = "PENDING"
    SUBMITTED = "SUBMITTED"
    ALIGNED = "ALIGNED"
    REMOVED = "REMOVED"
    TRANSITION = "TRANSITION"
    AUTOMATIC_TRANSITION = "AUTOMATIC_TRANSITION"
    AUTOMATIC_TRANSITION_FAILED = "AUTOMATIC_TRANSITION_FAILED"


class MessageKind(StrEnum):
    """Why somebody is written to."""

    REQUEST = "request"  # an approval is asked for
    REPLY = "reply"  # an approval was decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment on an issue. author: None where the server speaks for itself."""

    id: int
    issue_id: int
    author: str | None
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something to be mailed.

    recipient: a principal, `user:NAME`, `group:NAME` or `role:PROJECT/ROLE`.
    sent_at: None as long as it was not sent; nothing is without a mail server.
    """

    id: int
    recipient: str
    kind: MessageKind
    created_at: datetime
    issue_id: int
    issue_approval_id: int | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of an issue's approval history.

    username: who did it; on_behalf_of: the delegator, where a delegate acted.
    before, after: approval status on both sides of a decision.
    details: what else the kind records.
    """

    id: int
    at: datetime
    kind: EventKind
    issue_id: int
    issue_approval_id: int | None = None
    username: str | None = None
    on_behalf_of: str | None = None
    comment: str | None = None
    before: str | None = None
    after: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
