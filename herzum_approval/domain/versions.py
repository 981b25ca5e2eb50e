"""Versions of what is stored, so that nobody overwrites what he has not seen."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Generic, TypeVar

from herzum_approval.errors import Fault, Problem

Entry = TypeVar("Entry")

FIRST = 1
"""The version of what was just created."""


@dataclass(frozen=True, slots=True)
class Versioned(Generic[Entry]):
    """Something with the number of its present version; each write raises the number."""

    entry: Entry
    version: int

    def require(self, versions: Collection[int] | None) -> None:
        """Do nothing where the present version is among those expected. versions: None expects any.

        Raises: VERSION_STALE.
        """
        if versions is not None and self.version not in versions:
            raise Problem(Fault.VERSION_STALE)

    def succeeded_by(self, entry: Entry) -> "Versioned[Entry]":
        """Return what was written in the place of this."""
        return Versioned(entry, self.version + 1)
