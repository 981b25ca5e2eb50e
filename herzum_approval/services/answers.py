"""Whole answers, kept as long as nobody writes anything."""

from collections.abc import Callable, Hashable
from typing import TypeVar

from herzum_approval.store import current, reading
from herzum_approval.store.kept import unless_written

Answer = TypeVar("Answer")


def kept(key: Hashable, make: Callable[[], Answer]) -> Answer:
    """Return what `make` does, from memory where that still holds; all it reads is of one connection."""

    def made() -> Answer:
        with reading(at_one_moment=True):
            return make()

    return unless_written(current(), ("answer", key), made)
