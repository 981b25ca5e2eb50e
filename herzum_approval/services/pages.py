"""Pages of what the administration lists: the ids are found first, and read in chunks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from herzum_approval.services.issue_approvals import Page

Entry = TypeVar("Entry")
Id = TypeVar("Id")

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which part of a list is wanted; None of both asks for the whole of it, without an envelope."""

    start_at: int | None = None
    max_results: int | None = None


@dataclass(frozen=True, slots=True)
class Listed(Generic[Entry]):
    """What a list holds. page: None where the whole was asked for."""

    entries: Sequence[Entry]
    page: Page | None = None


def listed(ids: Sequence[Id], wish: Wish, read: Callable[[Sequence[Id]], Iterable[Entry]]) -> Listed[Entry]:
    """Return the wished part of what the ids are of.

    A page without a start begins at 0; one without a size has all the rest.
    """
    start = wish.start_at or 0
    size = max(len(ids) - start, 0) if wish.max_results is None else wish.max_results
    wanted = ids[start : start + size]
    entries = [
        entry for place in range(0, len(wanted), _AT_ONCE) for entry in read(wanted[place : place + _AT_ONCE])
    ]
    is_paged = wish.start_at is not None or wish.max_results is not None
    return Listed(entries, Page(start, size, len(ids)) if is_paged else None)
