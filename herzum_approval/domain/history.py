"""History: what happened to what, by whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of an issue's approval history.

    kind: what happened, for instance APPROVED or PENDING (set back by a user).
    username: who did it; on_behalf_of: the delegator, where a delegate acted.
    before, after: approval status on both sides of a decision.
    details: what else the kind records.
    """

    id: int
    at: datetime
    kind: str
    issue_id: int
    issue_approval_id: int | None = None
    username: str | None = None
    on_behalf_of: str | None = None
    comment: str | None = None
    before: str | None = None
    after: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
