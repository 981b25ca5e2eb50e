"""Rows of tables, made of dataclasses and made into them; no query here.

A row is a tuple in the order of its table's columns, its values as the database keeps them.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from enum import Enum
from functools import cache, partial
from operator import attrgetter, itemgetter
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from herzum_approval.store.tables import MomentField, Table, moment

Row = tuple[Any, ...]
SiteRows = dict[type[Table], list[Row]]

Entry = TypeVar("Entry")


@cache
def columns(table: type[Table]) -> tuple[str, ...]:
    """Return the names of the table's columns, in their order."""
    return tuple(field.column_name for field in table._meta.sorted_fields)


def flat(table: type[Table], entries: Iterable[Any], **others: Callable[[Any], Any]) -> list[Row]:
    """Return a row for each entry, by its attributes of the columns' names. others: what has no such name."""
    getters = [others.get(name) or attrgetter(name) for name in columns(table)]
    return [tuple([stored(getter(entry)) for getter in getters]) for entry in entries]


def stored(value: Any) -> Any:
    encode = _encoder(value.__class__)
    return encode(value) if encode else value


@cache
def _encoder(cls: type) -> Callable[[Any], Any] | None:
    if issubclass(cls, Enum):
        return attrgetter("value")
    if issubclass(cls, datetime):
        return MomentField().db_value
    if issubclass(cls, tuple | Mapping):
        return partial(json.dumps, default=_document)
    return None


def _document(entry: Any) -> dict[str, Any]:
    return asdict(entry)


def always(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def children(entries: Iterable[Any], attribute: str) -> Iterator[tuple[Any, int, Any]]:
    """Give each part of each entry, with the entry and its place."""
    for entry in entries:
        for position, part in enumerate(getattr(entry, attribute)):
            yield entry, position, part


@cache
def settings_getters(cls: type) -> dict[str, Callable[[Any], Any]]:
    return {field.name: attrgetter(f"settings.{field.name}") for field in fields(cls)}


# -- rows as dataclasses ----------------------------------------------------------------------


def all_of(cls: type[Entry], rows: SiteRows, table: type[Table], key: str = "id") -> tuple[Entry, ...]:
    return tuple(made(cls, values) for values in values_of(rows, table, key))


def entries(cls: type[Entry], table: type[Table], found: list[Row]) -> tuple[Entry, ...]:
    """Return dataclasses from some whole rows of a table, by id."""
    return all_of(cls, {table: found}, table)


def values_of(rows: SiteRows, table: type[Table], *key: str) -> list[dict[str, Any]]:
    """Return the rows of a table by name of column, sorted."""
    return sorted(by_column(table, rows[table]), key=itemgetter(*key))


def by_column(table: type[Table], rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Give whole rows of a table by name of column."""
    names = columns(table)
    return (dict(zip(names, row, strict=True)) for row in rows)


def grouped(rows: SiteRows, table: type[Table], *key: str) -> defaultdict[Any, list[dict[str, Any]]]:
    """Return the rows of a table in order of position, by the parent that they belong to."""
    found = defaultdict(list)
    parent = itemgetter(*key)
    for values in values_of(rows, table, "position"):
        found[parent(values)].append(values)
    return found


def made(cls: Callable[..., Entry], values: Mapping[str, Any], **others: Any) -> Entry:
    """Return a dataclass from stored values of its fields' names. others: fields that are no column."""
    given = {
        name: decode(values[name]) if decode else values[name]
        for name, decode in _decoders(cls).items()
        if name in values and name not in others
    }
    return cls(**given, **others)


@cache
def _decoders(cls: Callable[..., Any]) -> dict[str, Callable[[Any], Any] | None]:
    return {name: _decoder(hint) for name, hint in get_type_hints(cls).items()}


def _decoder(hint: Any) -> Callable[[Any], Any] | None:
    if isinstance(hint, UnionType):
        decode = _decoder(get_args(hint)[0])
        return decode and (lambda value: None if value is None else decode(value))
    if hint is datetime:
        return moment
    if hint is bool or (isinstance(hint, type) and issubclass(hint, Enum)):
        return hint
    if get_origin(hint) is tuple:
        return lambda value: tuple(json.loads(value) if isinstance(value, str) else value)
    return json.loads if get_origin(hint) is Mapping else None
