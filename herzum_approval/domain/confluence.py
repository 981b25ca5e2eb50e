"""Confluence as far as approvals need it: spaces, and pages with their comments."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    id: int
    key: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page. creator, modifier: usernames; modifier is whoever changed it last."""

    id: int
    space_id: int
    title: str
    creator: str | None = None
    modifier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageComment:
    """A comment on a page. author: None where the server speaks for itself."""

    id: int
    page_id: int
    author: str | None
    body: str
    created_at: datetime
