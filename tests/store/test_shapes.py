"""The texts of statements are kept by shape, so no two modules may call different ones by one name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import herzum_approval.store

STORE = Path(herzum_approval.store.__file__).parent
SHARED = {"append"}
"""Inserts whole rows into the table that the shape names; whoever asks, the text is the same."""


def names_in(source: str) -> Iterator[str]:
    """Give the name of each shape that is given to `run` or `change`."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("run", "change")
        ):
            shape = node.args[1]
            first = shape.elts[0] if isinstance(shape, ast.Tuple) else shape
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def test_no_name_of_a_shape_stands_in_two_modules() -> None:
    modules = defaultdict(set)
    for path in STORE.rglob("*.py"):
        for name in names_in(path.read_text(encoding="utf-8")):
            modules[name].add(path.name)
    assert len(modules) > 40
    assert {name: found for name, found in modules.items() if len(found) > 1 and name not in SHARED} == {}


def test_names_are_seen() -> None:
    source = 'run(db, "a", build, {})\nchange(db, ("b", 2), build, [])\nrun(db, shape, build, {})'
    assert list(names_in(source)) == ["a", "b"]
