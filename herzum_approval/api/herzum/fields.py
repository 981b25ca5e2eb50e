"""Odd formats of the plugin's wire, as marshmallow fields.

`spell` turns a value as the database keeps it into its wire form; `_serialize` does the same for a
domain value, so that a schema can dump either.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from marshmallow import fields

from herzum_approval import clock, config
from herzum_approval.domain.issue_approvals import ApprovalStatus
from herzum_approval.errors import Fault, Problem

LARGEST_COUNT = 2**63 - 1
"""What databases and JSON libraries can count to; a larger number is refused like any non-number."""


class _Spelt(fields.Field[Any]):
    """A field whose wire form is made by `spell` alone; None where that is the value itself.

    may_be_unset: the member is left out where there is no value.
    """

    spell: Callable[[Any], Any] | None = None

    def __init__(
        self, data_key: str, attribute: str, description: str, *, may_be_unset: bool = False
    ) -> None:
        super().__init__(data_key=data_key, attribute=attribute, metadata={"description": description})
        self.may_be_unset = may_be_unset

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return self.spell(value) if self.spell else value


class Number(_Spelt, fields.Integer):
    """A JSON integer."""


class Minimum(_Spelt, fields.Float):
    """A minimum of votes, always with its decimal point: `-1.0`."""

    spell = float


class Text(_Spelt, fields.String):
    """A JSON string."""


class TextId(_Spelt, fields.String):
    """An id of Jira's, which the plugin spells as a string: `"10001"`."""

    spell = str


class Truth(_Spelt, fields.Boolean):
    """A JSON boolean; SQLite keeps 0 and 1."""

    spell = bool


class NumberOrMinusOne(_Spelt, fields.Integer):
    """An id, or -1 where there is none."""

    def spell(self, value: Any) -> Any:
        return -1 if value is None else value


class Moment(_Spelt, fields.String):
    """A moment as `dd/MM/yyyy HH:mm:ss` in the site's time zone, which the text does not name."""

    def spell(self, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, int):
            value = round(value.timestamp() * 1000)
        minutes, rest = divmod(value, 60_000)
        return f"{_minute(minutes, config.current().time_zone)}{rest // 1000:02}"


@lru_cache(maxsize=8192)
def _minute(minutes: int, time_zone: str) -> str:
    """Return the spelling of the minutes since the epoch, up to where the seconds come.

    No zone has been off by part of a minute since 1972.
    """
    moment = datetime.fromtimestamp(minutes * 60, UTC)
    return clock.in_zone(moment, time_zone).strftime("%d/%m/%Y %H:%M:")


class MomentOrNotSent(Moment):
    """The moment a request was mailed, or `Not Sent`."""

    def spell(self, value: Any) -> Any:
        return "Not Sent" if value is None else super().spell(value)


class Given(fields.String):
    """A query parameter that may be left out but not left blank; read without the blanks around it."""

    def __init__(self, empty: Fault, description: str, **metadata: Any) -> None:
        super().__init__(metadata={"description": description, "pattern": r"\S", **metadata})
        self.empty = empty

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = value.strip()
        if not text:
            raise Problem(self.empty)
        return self.read(text)

    def read(self, text: str) -> Any:
        return text


class GivenStatus(Given):
    """One of the four approval statuses, in any letter case."""

    def read(self, text: str) -> ApprovalStatus:
        try:
            return ApprovalStatus(text.upper())
        except ValueError:
            raise Problem(Fault.STATUS_NOT_FOUND) from None


class GivenList(Given):
    """A list with commas between its members; blank members do not count."""

    def read(self, text: str) -> tuple[str, ...]:
        members = tuple(member.strip() for member in text.split(",") if member.strip())
        if not members:
            raise Problem(self.empty)
        return members


class GivenCount(Given):
    """A whole number from 0 on, in ASCII digits."""

    _digits = re.compile(r"[0-9]{1,4000}")

    def __init__(self, empty: Fault, invalid: Fault, description: str) -> None:
        super().__init__(empty, description, pattern=r"^\s*[0-9]+\s*$")
        self.invalid = invalid

    def read(self, text: str) -> int:
        if not self._digits.fullmatch(text) or int(text) > LARGEST_COUNT:
            raise Problem(self.invalid)
        return int(text)


class BodyText(fields.String):
    """A text of a body, read without the blanks around it; null and blank count as absent."""

    def __init__(self, description: str, *, keeps_blanks: bool = False, **metadata: Any) -> None:
        super().__init__(
            allow_none=True, load_default=None, metadata={"description": description, **metadata}
        )
        self.keeps_blanks = keeps_blanks

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise Problem(Fault.BODY_MALFORMED, reason=f"{attr} must be a string")
        if "\0" in value:
            raise Problem(Fault.BODY_MALFORMED, reason=f"{attr} must not hold the character NUL")
        text = value.strip()
        if not text:
            return None
        return value if self.keeps_blanks else text
