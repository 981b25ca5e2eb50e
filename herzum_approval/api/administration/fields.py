"""Strict marshmallow fields: a value of another JSON type is refused, never read as if it fitted."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from math import isfinite
from typing import Any

from marshmallow import Schema, fields, validate

from herzum_approval.domain.jira import LARGEST_ID, id_of
from herzum_approval.errors import Fault, Problem

LONGEST_LIST = 1000
"""How many entries a list of a body may have; what it mentions is looked up in one query."""

ABSENT = 0
"""Stands for the id that a body leaves out."""

_COUNT = re.compile(r"[0-9]{1,19}", re.ASCII)
_LARGEST_COUNT = 2**63 - 1
_MISSING = {"required": "is missing", "null": "must not be null"}


class Number(fields.Integer):
    """A JSON integer of 32 bits: an id, or a small count."""

    def __init__(self, description: str, *, least: int = 1, most: int = LARGEST_ID, **options: Any) -> None:
        limits = validate.Range(least, most, error=f"must be from {least} to {most}")
        super().__init__(
            error_messages={**_MISSING, "invalid": "must be a whole number"},
            strict=True,
            validate=limits,
            metadata={"description": description},
            **options,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not int:
            raise self.make_error("invalid")
        return value


class Minimum(fields.Float):
    """A minimum of votes: any JSON number; which ones make sense the domain knows."""

    def __init__(self, description: str, **options: Any) -> None:
        super().__init__(
            error_messages={**_MISSING, "invalid": "must be a number"},
            metadata={"description": description},
            **options,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) not in (int, float) or not isfinite(value):
            raise self.make_error("invalid")
        return float(value)


class Truth(fields.Boolean):
    """`true` or `false`."""

    def __init__(self, description: str, **options: Any) -> None:
        super().__init__(
            error_messages={**_MISSING, "invalid": "must be true or false"},
            metadata={"description": description},
            **options,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not bool:
            raise self.make_error("invalid")
        return value


class Text(fields.String):
    """A JSON string that every database can keep."""

    def __init__(self, description: str, **options: Any) -> None:
        metadata = {"description": description, "pattern": r"^[^\x00]*$"}
        super().__init__(
            error_messages={
                **_MISSING,
                "invalid": "must be a text",
                "unstorable": "must not hold the character NUL",
            },
            metadata=metadata,
            **options,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not str:
            raise self.make_error("invalid")
        if "\0" in value:
            raise self.make_error("unstorable")
        return value


class Choice(fields.Field[Any]):
    """One of an enum's members, by the words for it."""

    def __init__(self, description: str, words: Mapping[str, Enum], **options: Any) -> None:
        self.words = dict(words)
        self.spelt = {member: word for word, member in words.items()}
        metadata: dict[str, Any] = {"description": description, "type": "string", "enum": list(words)}
        if options.get("allow_none"):
            metadata["enum"] = [*words, None]
        super().__init__(
            error_messages={**_MISSING, "invalid": "must be one of {words}"}, metadata=metadata, **options
        )

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else self.spelt[value]

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or value not in self.words:
            raise self.make_error("invalid", words=", ".join(map(repr, self.words)))
        return self.words[value]


class Several(fields.List):
    """A JSON array, kept as a tuple."""

    def __init__(self, inner: Any, description: str, **options: Any) -> None:
        limit = validate.Length(max=LONGEST_LIST, error=f"has more than {LONGEST_LIST} entries")
        super().__init__(
            inner,
            error_messages={**_MISSING, "invalid": "must be a list"},
            validate=limit,
            metadata={"description": description},
            **options,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not list:
            raise self.make_error("invalid")
        return tuple(super()._deserialize(value, attr, data, **kwargs))


class Part(fields.Nested):
    """A JSON object within another."""

    def __init__(self, nested: type[Schema], **options: Any) -> None:
        super().__init__(nested, error_messages={**_MISSING, "type": "must be an object"}, **options)


class Moment(fields.Field[Any]):
    """A moment with a zone, in ISO 8601; answered in UTC."""

    def __init__(self, description: str, **options: Any) -> None:
        super().__init__(
            error_messages={
                **_MISSING,
                "invalid": "must be a moment such as 2030-01-20T09:59:16.000Z",
            },
            metadata={"description": description, "type": "string", "format": "date-time"},
            **{"allow_none": True, **options},
        )

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None or "T" not in value.upper():
                raise ValueError
            moment = moment.astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            raise self.make_error("invalid") from None
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


# -- parameters -------------------------------------------------------------------------------


class _Given(fields.Integer):
    """A whole number from 0 on in ASCII digits, blanks around it aside."""

    most = _LARGEST_COUNT
    reason = "must be a whole number from 0 on"

    def __init__(self, description: str) -> None:
        metadata = {"description": description, "minimum": 0, "maximum": self.most}
        super().__init__(metadata=metadata)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        number = self.read(value.strip())
        if number is None:
            raise Problem(Fault.PARAMETER_INVALID, name=attr, reason=self.reason)
        return number

    def read(self, text: str) -> int | None:
        return int(text) if _COUNT.fullmatch(text) and int(text) <= self.most else None


class GivenCount(_Given):
    """A place in a list, or a number of entries."""


class GivenId(_Given):
    """An id to filter by."""

    most = LARGEST_ID
    reason = "must be an id"

    def read(self, text: str) -> int | None:
        return id_of(text)


class GivenName(fields.String):
    """A name to filter by, without the blanks around it."""

    def __init__(self, description: str) -> None:
        super().__init__(metadata={"description": description, "pattern": r"\S"})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        name = value.strip()
        if not name:
            raise Problem(Fault.PARAMETER_INVALID, name=attr, reason="must not be empty")
        return name
