"""The bodies of requests, read as Jackson would: numbers pass for texts, unknown members are ignored."""

from typing import Any

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from herzum_approval.api.family import parse_json
from herzum_approval.errors import Fault, Problem

FAULTS = (
    Fault.CONTENT_TYPE_UNSUPPORTED,
    Fault.BODY_TOO_LARGE,
    Fault.BODY_MALFORMED,
    Fault.VALUE_INVALID,
)

_MISSING = "is missing"


class Loose(fields.Field[str]):
    """A JSON string, or a whole number in its place."""

    def __init__(self, description: str, **options: Any) -> None:
        super().__init__(
            error_messages={"required": _MISSING, "null": _MISSING, "invalid": "must be a text"},
            metadata={"description": description, "type": ["string", "integer"]},
            **options,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if type(value) not in (str, int):
            raise self.make_error("invalid")
        if "\0" in str(value):
            raise ValidationError("must not hold the character NUL")
        return str(value)


class Flag(fields.Boolean):
    """`true` or `false`; null is false."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if type(value) is not bool:
            raise ValidationError("must be true or false")
        return value


class _Body(Schema):
    class Meta:
        unknown = EXCLUDE

    userId = Loose(  # noqa: N815 - the vendor's spelling
        "The account id of who performs it, where the API key takes the performer from the call",
        attribute="user_id",
        allow_none=True,
        load_default=None,
    )


class CreateSchema(_Body):
    """What an approval is created of."""

    definitionId = Loose(  # noqa: N815
        "The definition",
        attribute="definition_id",
        required=True,
        validate=validate.Regexp(r"\s*\S", error=_MISSING),
    )
    summary = Loose(
        "Usually the title of the issue or page, which stands for a summary that is not given",
        allow_none=True,
        load_default=None,
    )

    @post_load
    def leave_blank_out(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """A blank summary is none."""
        return {**data, "summary": data["summary"] if (data["summary"] or "").strip() else None}


class ResetSchema(_Body):
    """How a reset goes."""

    createComment = Flag(  # noqa: N815
        attribute="creates_comment",
        allow_none=True,
        load_default=False,
        metadata={"description": "Whether the issue or page gets a comment; false by default"},
    )


def described(schema: Schema, *, is_required: bool) -> dict[str, Any]:
    """Return the OpenAPI description of a request's body."""
    return {"required": is_required, "content": {"application/json": {"schema": schema}}}


def read_body(schema: Schema, *, is_required: bool = True) -> dict[str, Any]:
    """Return the members of the body. is_required: else none at all is as good as an empty object.

    Raises: `FAULTS`.
    """
    content = request.get_data(cache=False)
    if not content and not is_required:
        return schema.load({})
    # The vendor's page prints the type in quotes, and so do clients that copy it.
    if request.mimetype.strip("'\"") != "application/json":
        raise Problem(Fault.CONTENT_TYPE_UNSUPPORTED)
    body = parse_json(content)
    if not isinstance(body, dict):
        raise Problem(Fault.BODY_MALFORMED, reason="it must be an object")
    try:
        return schema.load(body)
    except ValidationError as error:
        path, reasons = next(iter(error.normalized_messages().items()))
        raise Problem(Fault.VALUE_INVALID, path=path, reason=reasons[0]) from None
