"""The compiled parser loads what the schema would, and refuses what it would, in the same order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from herzum_approval.api.herzum.schemas import SearchArguments
from herzum_approval.api.parsed import compile_parser
from herzum_approval.errors import Problem

SCHEMA = SearchArguments()
PARSE = compile_parser(SCHEMA, SCHEMA.filters)
TEXTS = st.sampled_from(
    ["", " ", "bob", " bob ", "PENDING", "pending", "wrong", "TEST-2,PROC-1", ",", "1", "-1", "1.0", "9" * 30]
) | st.text(max_size=5)
ARGUMENTS = st.dictionaries(st.sampled_from([*SCHEMA.fields, "unknown", "STATUS"]), TEXTS)


def outcome(load: Any, arguments: Any) -> Any:
    try:
        return load(arguments)
    except Problem as problem:
        return problem.fault, problem.details


@given(ARGUMENTS)
def test_it_loads_what_the_schema_loads(arguments: dict[str, str]) -> None:
    assert outcome(PARSE, arguments) == outcome(SCHEMA.load, MultiDict(arguments))


@pytest.mark.parametrize("name", SCHEMA.fields)
def test_every_parameter_is_read(name: str) -> None:
    given = "PENDING" if name == "status" else "7"
    assert PARSE({name: given}) == SCHEMA.load({name: given}) != PARSE({})
