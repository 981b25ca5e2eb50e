"""Query parameters to what a schema loads from them, by a parser that is compiled once from the schema.

The schema stays the only description of the parameters: each of its fields reads its own value. It
saves what marshmallow's `load` does around that. `tests/api/test_parsed.py` holds both ways equal.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from marshmallow import Schema

Loaded = TypeVar("Loaded")


def compile_parser(
    schema: Schema, finish: Callable[[dict[str, Any]], Loaded]
) -> Callable[[Mapping[str, Any]], Loaded]:
    """Return a function that loads parameters as the schema does. finish: the schema's `post_load`.

    The function raises what the fields raise, in the order in which they stand in the schema.
    """
    plan = [(field.data_key or name, name, field._deserialize) for name, field in schema.load_fields.items()]
    assert not any(field.validators for field in schema.load_fields.values())

    def parse(arguments: Mapping[str, Any]) -> Loaded:
        return finish(
            {
                name: deserialize(arguments[key], key, arguments)
                for key, name, deserialize in plan
                if key in arguments
            }
        )

    return parse
