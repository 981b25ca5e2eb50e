"""The site as a JSON document: strict reading, and writing that leaves defaults out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from datetime import UTC, datetime
from enum import Enum, IntEnum, StrEnum
from math import isfinite
from operator import attrgetter
from types import NoneType
from typing import Any, get_origin

from cattrs import AttributeValidationNote, Converter, IterableValidationNote
from cattrs.cols import homogenous_tuple_structure_factory, mapping_structure_factory
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn

from herzum_approval.domain.sites import FORMAT, Site
from herzum_approval.errors import Fault, Problem

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL keeps no NUL, and no encoding has half a character."""
_INTEGERS = range(-(2**31), 2**31)
_DETAILS_DEPTH = 32


def refused(path: str, reason: str) -> Problem:
    """Return the problem of a document that is refused at `path`."""
    return Problem(Fault.SNAPSHOT_REFUSED, path=path or "document", reason=reason)


def load_site(document: object) -> Site:
    """Return the site that a parsed JSON document describes; whether it is whole is another question.

    Raises: SNAPSHOT_REFUSED at the first value of a wrong type or format, unknown or missing key.
    """
    if isinstance(document, dict) and "format" not in document:
        # A default of its own would make `{}` a document that empties the site.
        raise refused("format", "is missing")
    try:
        return _CONVERTER.structure(document, Site)
    except Exception as error:
        path, cause = _first_cause(error)
        raise refused(path, _reason(cause)) from None


def dump_site(site: Site) -> dict[str, Any]:
    """Return the JSON document of a site, defaults left out."""
    return {"format": FORMAT, **_CONVERTER.unstructure(site)}


# -- where a refusal lies ---------------------------------------------------------------------


class _MismatchError(ValueError):
    """A value that cannot stand where it stands. path: how to get there from where it was noticed."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.path = path


def _first_cause(error: BaseException) -> tuple[str, BaseException]:
    path = ""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
        for note in getattr(error, "__notes__", ()):
            if isinstance(note, AttributeValidationNote):
                path += f".{note.name}"
            elif isinstance(note, IterableValidationNote):
                path += f"[{note.index}]" if isinstance(note.index, int) else f".{note.index}"
    if isinstance(error, ForbiddenExtraKeysError):
        path += f".{sorted(error.extra_fields)[0]}"
    if isinstance(error, _MismatchError):
        path += error.path
    return path.lstrip("."), error


def _reason(cause: BaseException) -> str:
    if isinstance(cause, ForbiddenExtraKeysError):
        return "is no key of the document"
    if isinstance(cause, KeyError):
        return "is missing"
    if isinstance(cause, _MismatchError):
        return str(cause)
    raise cause


# -- values -----------------------------------------------------------------------------------


def _shown(value: object) -> str:
    names = {NoneType: "null", bool: "a boolean", dict: "an object", list: "a list", str: "a text"}
    return names.get(type(value)) or "a number"


def _integer(value: object, _: Any = None) -> int:
    if type(value) is not int:
        raise _MismatchError(f"must be a whole number, not {_shown(value)}")
    if value not in _INTEGERS:
        raise _MismatchError("is a number of more than 32 bits")
    return value


def _float(value: object, _: Any) -> float:
    if type(value) not in (int, float):
        raise _MismatchError(f"must be a number, not {_shown(value)}")
    if type(value) is int:
        return float(_integer(value))
    if not isfinite(value):  # type: ignore[arg-type]
        raise _MismatchError("must be a finite number")
    return value  # type: ignore[return-value]


def _boolean(value: object, _: Any) -> bool:
    if type(value) is not bool:
        raise _MismatchError(f"must be true or false, not {_shown(value)}")
    return value


def _text(value: object, _: Any = None) -> str:
    if type(value) is not str:
        raise _MismatchError(f"must be a text, not {_shown(value)}")
    if _UNSTORABLE.search(value):
        raise _MismatchError("holds a character that cannot be stored")
    return value


def _moment(value: object, _: Any) -> datetime:
    text = _text(value)
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _MismatchError("must be a moment such as 2023-01-20T09:59:16.000Z") from None


def _dump_moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _member(value: object, cls: type[Enum]) -> Enum:
    for member in cls:
        if member.value == value and type(member.value) is type(value):
            return member
    raise _MismatchError("must be one of " + ", ".join(repr(member.value) for member in cls))


def _details(value: object, _: Any) -> dict[str, Any]:
    _check_object(value)
    _check_json(value, _DETAILS_DEPTH)
    return dict(value)  # type: ignore[call-overload, no-any-return]


def _check_json(value: object, depth: int) -> None:
    if not depth:
        raise _MismatchError(f"is nested deeper than {_DETAILS_DEPTH} levels")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        _check_json(each, depth - 1)


def _check_object(value: object) -> None:
    if type(value) is not dict:
        raise _MismatchError(f"must be an object, not {_shown(value)}")


def _check_list(value: object) -> None:
    if type(value) is not list:
        raise _MismatchError(f"must be a list, not {_shown(value)}")


def _by_number(value: object, _: Any) -> dict[int, int]:
    _check_object(value)
    found = {}
    for key, number in value.items():  # type: ignore[attr-defined]
        if not re.fullmatch(r"[1-9][0-9]{0,9}", key, re.ASCII):
            raise _MismatchError("is no id", f".{key}")
        try:
            found[_integer(int(key))] = _integer(number)
        except _MismatchError as mismatch:
            raise _MismatchError(str(mismatch), f".{key}") from None
    return found


# -- the converter ----------------------------------------------------------------------------

Hook = Callable[[Any, Any], Any]

_HOOKS: dict[type, Hook] = {
    int: _integer,
    float: _float,
    bool: _boolean,
    str: _text,
    datetime: _moment,
    StrEnum: _member,
    IntEnum: _member,
}


def _after(check: Callable[[object], None], make: Callable[[Any, Converter], Hook]) -> Callable[..., Hook]:
    """Return a factory of hooks that first look at the kind of value; cattrs takes what it can iterate."""

    def factory(cls: Any, converter: Converter) -> Hook:
        structure = make(cls, converter)

        def hook(value: object, cls: Any) -> Any:
            check(value)
            return structure(value, cls)

        return hook

    return factory


def _object_hook(cls: Any, converter: Converter) -> Hook:
    return make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True)


def _is_tuple(cls: Any) -> bool:
    return get_origin(cls) is tuple


def _make_converter() -> Converter:
    converter = Converter(
        forbid_extra_keys=True, omit_if_default=True, unstruct_collection_overrides={tuple: list}
    )
    for cls, hook in _HOOKS.items():
        converter.register_structure_hook(cls, hook)
    converter.register_structure_hook_factory(is_dataclass, _after(_check_object, _object_hook))
    converter.register_structure_hook_factory(
        _is_tuple, _after(_check_list, homogenous_tuple_structure_factory)
    )
    converter.register_structure_hook_factory(
        lambda cls: cls == Mapping[str, tuple[str, ...]], _after(_check_object, mapping_structure_factory)
    )
    converter.register_structure_hook_func(lambda cls: cls == Mapping[int, int], _by_number)
    converter.register_structure_hook_func(lambda cls: cls == Mapping[str, Any], _details)
    converter.register_unstructure_hook(datetime, _dump_moment)
    for enum in (StrEnum, IntEnum):
        converter.register_unstructure_hook(enum, attrgetter("value"))
    converter.register_unstructure_hook_func(
        lambda cls: cls == Mapping[int, int], lambda value: {str(key): value[key] for key in sorted(value)}
    )
    return converter


_CONVERTER = _make_converter()
