"""No test asserts nothing, and no benchmark has fallen behind what it uses."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def called(function: Function) -> set[str]:
    """Return the names of what a function calls, of functions as of methods."""
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return {call.id if isinstance(call, ast.Name) else getattr(call, "attr", "") for call in calls}


def asserts_itself(function: Function) -> bool:
    """Return whether a function can fail by itself: an assertion, an expected error, an expected status."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call) and any(keyword.arg == "status" for keyword in node.keywords):
            return True
    return bool(called(function) & {"raises", "fail", "warns"})


def silent_tests(trees: list[ast.AST]) -> list[str]:
    """Return the names of the tests that neither assert nor call a helper that does."""
    everything = [function for tree in trees for function in functions(tree)]
    asserting = {function.name for function in everything if asserts_itself(function)}
    while more := {
        function.name
        for function in everything
        if function.name not in asserting and called(function) & asserting
    }:
        asserting |= more
    return sorted(
        function.name
        for function in everything
        if function.name.startswith("test_") and function.name not in asserting
    )


def test_no_test_asserts_nothing():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in TESTS.rglob("*.py")]
    assert silent_tests(trees) == []


@pytest.mark.parametrize(
    ("source", "silent"),
    [
        ("def test_a(): assert 1", []),
        ("def test_a(): work()", ["test_a"]),
        ("def test_a():\n with pytest.raises(ValueError): work()", []),
        ("def test_a(): client.get('/', status=404)", []),
        ("def look(): assert 1\ndef see(): look()\ndef test_a(): see()", []),
        ("def look(): pass\ndef test_a(): look()", ["test_a"]),
    ],
)
def test_a_silent_test_is_found(source, silent):
    assert silent_tests([ast.parse(source)]) == silent


@pytest.mark.parametrize("path", sorted((TESTS / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
def test_benchmarks_find_what_they_import(path: Path):
    assert importlib.import_module(f"tests.benchmarks.{path.stem}")
