"""Whole answers, kept as long as nobody writes anything."""

from collections.abc import Callable, Hashable
from typing import TypeVar

from herzum_approval.store import at_a_glance, reading
from herzum_approval.store.kept import answers, is_watched

__all__ = ["at_a_glance", "kept"]

Answer = TypeVar("Answer")


def kept(key: Hashable, make: Callable[[], Answer]) -> Answer:
    """Return what `make` does, which only reads, at one moment; from memory where that still holds."""
    with reading(at_one_moment=True) as database:
        if not is_watched(database):
            return make()
        return answers(database).remembered(("answer", key), make)
