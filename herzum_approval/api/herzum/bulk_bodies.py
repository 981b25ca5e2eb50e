"""Reading the body of a bulk operation, its members in the order in which they are asked for."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

from herzum_approval.domain.bulk_mappings import Operation, ScopeType
from herzum_approval.domain.bulk_requests import WrittenRequest, WrittenScope
from herzum_approval.errors import Fault, Problem

Member = TypeVar("Member", bound=Enum)

_REQUIRED = (
    ("projectId", "project_id", Fault.BULK_PROJECT_REQUIRED),
    ("issueTypeId", "issue_type_id", Fault.BULK_ISSUE_TYPE_REQUIRED),
    ("sourceStatusId", "source_status_id", Fault.BULK_STATUS_REQUIRED),
    ("transitionId", "transition_id", Fault.BULK_TRANSITION_REQUIRED),
)
"""The members of a scope: their name on the wire, ours, and what is said where one is missing."""

_WIDTH = {ScopeType.PROJECT: 1, ScopeType.ISSUE_TYPE: 2, ScopeType.TRANSITION: 4}
"""How many of them each type needs; the others are ignored."""


def read_request(body: Mapping[str, Any]) -> WrittenRequest:
    """Return the request that a body writes; whether what it names exists is another question.

    Raises, in this order: BULK_ACTION_REQUIRED, BULK_ACTION_NOT_FOUND, BULK_TYPE_REQUIRED,
    BULK_TYPE_NOT_FOUND; of the source and then of each entry BULK_PROJECT_REQUIRED,
    BULK_ISSUE_TYPE_REQUIRED, BULK_STATUS_REQUIRED and BULK_TRANSITION_REQUIRED; between them
    BULK_LIST_INVALID. BODY_MALFORMED where a member is neither a text nor a number.
    Source: HAP REST API; the order is inferred, BULK_LIST_INVALID ours.
    """
    action, type_ = (
        _member(body, "action", Operation, Fault.BULK_ACTION_REQUIRED, Fault.BULK_ACTION_NOT_FOUND),
        _member(body, "type", ScopeType, Fault.BULK_TYPE_REQUIRED, Fault.BULK_TYPE_NOT_FOUND),
    )
    source = None if action is Operation.DELETE else _scope(body, type_)
    return WrittenRequest(
        operation=action,
        type=type_,
        source=source,
        destinations=tuple(_scope(entry, type_) for entry in _entries(body.get("mappingList"))),
    )


def _member(body: Mapping[str, Any], name: str, cls: type[Member], required: Fault, unknown: Fault) -> Member:
    text = _text(body, name)
    if text is None:
        raise Problem(required)
    for member in cls:
        if member.value.lower() == text.lower():
            return member
    raise Problem(unknown)


def _entries(value: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Problem(Fault.BULK_LIST_INVALID)
    return value


def _scope(body: Mapping[str, Any], type_: ScopeType) -> WrittenScope:
    found = {}
    for name, ours, missing in _REQUIRED[: _WIDTH[type_]]:
        text = _text(body, name)
        if text is None:
            raise Problem(missing)
        found[ours] = text
    return WrittenScope(**found)


def _text(body: Mapping[str, Any], name: str) -> str | None:
    """Return a member as text, without the blanks around it; null and blank count as absent."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Problem(Fault.BODY_MALFORMED, reason=f"{name} must be a string or a number")
    return str(value).strip() or None
