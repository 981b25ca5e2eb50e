"""Rows to JSON bytes, by a renderer that is compiled once from a marshmallow schema.

The schema stays the only description of the wire: each of its fields knows how to spell a value as
the database keeps it (`spell`), so a row needs no model and no dump. `tests/api/test_rendered.py`
holds both ways equal.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Protocol

import orjson
from marshmallow import Schema

Row = Sequence[Any]


class Spelt(Protocol):
    """What a field must have to be rendered: its wire key, and how it spells a raw value, if not as it is.

    may_be_unset: the value may be spelt as None.
    """

    data_key: str | None
    attribute: str | None

    spell: Callable[[Any], Any] | None
    may_be_unset: bool


def compile_renderer(schema: Schema, columns: Sequence[str]) -> Callable[[Iterable[Row]], list[bytes]]:
    """Return a function that renders each row as a JSON object of the schema.

    columns: the attribute that each place of a row holds. Keys come in the order of the schema's
    fields; what is spelt as None is left out, as in every documented answer.
    """
    places = {column: place for place, column in enumerate(columns)}
    unset_keys = [field.data_key for field in _fields(schema) if field.may_be_unset]
    members, spells = [], {}
    for number, field in enumerate(_fields(schema)):
        value = f"row[{places[field.attribute]}]"
        if field.spell is not None:
            spells[f"spell{number}"] = field.spell
            value = f"spell{number}({value})"
        members.append(f"{field.data_key!r}: {value}")
    # One expression of all members: a loop over the fields would take three times as long.
    record_of = eval(f"lambda row: {{{', '.join(members)}}}", spells)

    def written(row: Row) -> bytes:
        record = record_of(row)
        for key in unset_keys:
            if record[key] is None:
                del record[key]
        return _fitting(orjson.dumps(record))

    return lambda rows: [written(row) for row in rows]


def compile_object_renderer(schema: Schema) -> Callable[[object], bytes]:
    """Return a function that renders an object, by its attributes that the schema's fields name."""
    columns = [field.attribute for field in _fields(schema)]
    values_of = attrgetter(*columns)
    render = compile_renderer(schema, columns)
    return lambda thing: render([values_of(thing)])[0]


def _fitting(text: bytes) -> bytes:
    """Return the text in as much memory as it needs: orjson's holds 16 KB, however short it is."""
    return bytes(memoryview(text))


def _fields(schema: Schema) -> Iterable[Any]:
    return schema.dump_fields.values()
