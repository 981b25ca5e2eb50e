"""JQL texts: how queries are spelt, how they fail, and that nothing else can happen."""

import inspect
import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from herzum_approval.domain.jira import StatusCategory
from herzum_approval.domain.jql import (
    And,
    Comparison,
    Facts,
    Field,
    JqlError,
    Not,
    Operator,
    Or,
    Query,
    Sort,
    matches,
    parse,
)
from herzum_approval.domain.queries import SORT_NAMES
from tests.domain.jql_trees import TREES, spelt

ERRORS = json.loads((Path(__file__).parent / "jql_errors.json").read_text(encoding="utf-8"))

ISSUE = Facts(
    issue_id=12305,
    issue_key="TEST-1",
    project_id=10000,
    project_key="TEST",
    project_name="Test project",
    issue_type_id=10004,
    issue_type="Bug",
    status_id=3,
    status="In Progress",
    status_category=StatusCategory.IN_PROGRESS,
)


# -- spelling ---------------------------------------------------------------------------------


def only(text):
    """Return the values of the single comparison that a text is."""
    query = parse(text)
    assert isinstance(query.where, Comparison)
    return query.where.values


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        ("TEST-1", "TEST-1"),
        ("1.5:x_y", "1.5:x_y"),
        ("-5", "-5"),
        ("naïve", "naïve"),
        ("日本", "日本"),
        ('"a b"', "a b"),
        ("'a b'", "a b"),
        ('"it\'s"', "it's"),
        ("'say \"x\"'", 'say "x"'),
        (r"'it\'s'", "it's"),
        (r'"\"\'\\\n\t\r\ "', "\"'\\\n\t\r "),
        (r"a\ b\u003d", "a b="),
        (r'"\u00e9\u00C9"', "éÉ"),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\ud83d"', "\ufffd"),
        ('"two\nlines"', "two\nlines"),
        ('""', ""),
        ('"and"', "and"),
        ("'EMPTY'", "EMPTY"),
        (r"\u0061nd", "and"),
        ("android", "android"),
        ("not-in", "not-in"),
        ('"user"', "user"),
        ("EMPTY", None),
        ("null", None),
    ],
)
def test_value(spelling, value):
    assert only(f"labels = {spelling}") == (value,)
    assert only(f"labels={spelling}") == (value,)
    assert only(f"\n labels\tIN\r\n( {spelling} , x)") == (value, "x")


@pytest.mark.parametrize(
    ("text", "field", "operator"),
    [
        ('"project" = x', Field.PROJECT, Operator.EQUALS),
        ("STATUSCATEGORY!=x", Field.STATUS_CATEGORY, Operator.NOT_EQUALS),
        ("type In(x)", Field.ISSUE_TYPE, Operator.IN),
        ("id Not\nIn (x)", Field.KEY, Operator.NOT_IN),
        ("assignee IS null", Field.ASSIGNEE, Operator.IS),
        ("assignee iS nOt Empty", Field.ASSIGNEE, Operator.IS_NOT),
    ],
)
def test_field_and_operator(text, field, operator):
    comparison = parse(text).where
    assert (comparison.field, comparison.operator) == (field, operator)


def equals(value):
    return Comparison(Field.LABELS, Operator.EQUALS, (value,))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("labels=a or labels=b or labels=c", Or((equals("a"), equals("b"), equals("c")))),
        ("labels=a and labels=b or labels=c", Or((And((equals("a"), equals("b"))), equals("c")))),
        ("labels=a or labels=b and labels=c", Or((equals("a"), And((equals("b"), equals("c")))))),
        ("(labels=a or labels=b) and labels=c", And((Or((equals("a"), equals("b"))), equals("c")))),
        ("labels=a and (labels=b and labels=c)", And((equals("a"), And((equals("b"), equals("c")))))),
        ("not labels=a and labels=b", And((Not(equals("a")), equals("b")))),
        ("not (labels=a and labels=b)", Not(And((equals("a"), equals("b"))))),
        ("!(!labels=a)", Not(Not(equals("a")))),
        ("((labels=a))", equals("a")),
    ],
)
def test_precedence(text, tree):
    assert parse(text) == Query(tree)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query(None)),
        ("order by key", Query(None, (Sort("issuekey"),))),
        (
            "labels=a ORDER BY Updated DESC, type asc",
            Query(equals("a"), (Sort("updated", "desc"), Sort("issuetype", "asc"))),
        ),
        (
            "labels=a or labels=b order by createdDate",
            Query(Or((equals("a"), equals("b"))), (Sort("created"),)),
        ),
    ],
)
def test_a_search_may_have_no_condition_and_an_order(text, query):
    assert parse(text, allow_order=True) == query
    with pytest.raises(JqlError):
        parse(text)


@pytest.mark.parametrize("name", SORT_NAMES)
def test_sort(name):
    assert parse(f"order by {name} desc", allow_order=True).order == (Sort(SORT_NAMES[name], "desc"),)


def test_equal_texts_share_one_query():
    assert parse("labels = a") is parse("labels = a")
    assert hash(parse("labels = a")) == hash(parse("labels='a'"))


def test_the_parser_can_be_shared_by_threads():
    texts = [f"labels = shared{place} OR NOT (labels in (x, y{place}))" for place in range(200)]
    expected = [
        Or((equals(f"shared{place}"), Not(Comparison(Field.LABELS, Operator.IN, ("x", f"y{place}")))))
        for place in range(200)
    ]
    with ThreadPoolExecutor(8) as pool:
        assert [query.where for query in pool.map(parse, texts)] == expected


# -- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ERRORS["rules"], ids=lambda error: error["text"])
def test_error(error):
    assert refusal(error["text"]) == (error["says"], *error["at"])


@pytest.mark.parametrize("error", ERRORS["searches"], ids=lambda error: error["text"])
def test_error_of_an_order(error):
    assert refusal(error["text"], allow_order=True) == (error["says"], *error["at"])


@pytest.mark.parametrize("error", ERRORS["rules"] + ERRORS["searches"], ids=lambda error: error["text"])
def test_the_place_that_is_shown_is_the_place(error):
    shown = re.search(r"\(line (\d+), character (\d+)\)$", error["says"])
    assert shown is None or [int(shown[1]), int(shown[2])] == error["at"]


def refusal(text, **options):
    with pytest.raises(JqlError) as caught:
        parse(text, **options)
    assert isinstance(caught.value, ValueError)
    return str(caught.value), caught.value.line, caught.value.character


def test_an_error_does_not_repeat_the_query_without_end():
    message, *_ = refusal("labels = a " + "x" * 5000)
    assert "x" * 50 + "x" in message
    assert len(message) < 250


# -- limits -----------------------------------------------------------------------------------


def test_length():
    fits = "labels = " + "a" * 9_991
    assert only(fits) == ("a" * 9_991,)
    assert refusal(fits + "a") == (
        "Error in the JQL Query: A query has 10,000 characters at most. (line 1, character 10001)",
        1,
        10_001,
    )


def parenthesised(text, levels):
    return "(" * levels + text + ")" * levels


NESTINGS = {
    "parentheses": lambda levels: parenthesised("labels=a", levels),
    "not": lambda levels: "not " * levels + "labels=a",
    "bang": lambda levels: "!" * levels + "labels=a",
    "lists": lambda levels: "labels in " + parenthesised("a", levels),
    "both": lambda levels: "not " * (levels % 2) + "not (" * (levels // 2) + "labels=a" + ")" * (levels // 2),
    "not first": lambda levels: "labels=b and not labels=b or " + parenthesised("labels=a", levels),
    "everything": lambda levels: "(labels=b or labels=c and " * levels + "labels=a" + ")" * levels,
}


@pytest.mark.parametrize("nesting", NESTINGS)
def test_nesting(nesting):
    spelling = NESTINGS[nesting]
    assert refusal(spelling(51))[0].startswith(
        "Error in the JQL Query: A query is nested 50 levels deep at most. ("
    )
    limit = sys.getrecursionlimit()
    query = parse(spelling(50))
    sys.setrecursionlimit(len(inspect.stack(0)) + 500)
    try:
        assert isinstance(hash(query), int)
        assert not matches(query, ISSUE)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize("text", ["(", "!", ")", "'", "\\", "not ", "(not "])
def test_endless_nesting_is_an_ordinary_error(text):
    assert refusal(text * (9_999 // len(text)))[0].startswith("Error in the JQL Query: ")
    assert refusal("labels in " + text * (9_000 // len(text)))


def test_what_stands_side_by_side_is_not_nested():
    assert len(parse(" or ".join(["(not labels=a)"] * 500)).where.clauses) == 500
    assert len(parse(" and ".join(["! labels=a"] * 500)).where.clauses) == 500
    assert len(parse(" and ".join(["labels not in (a)"] * 400)).where.clauses) == 400


# -- properties -------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.data())
def test_what_is_written_down_reads_back(data):
    tree = data.draw(TREES)
    assert parse(data.draw(spelt(tree))) == Query(tree)


PIECES = r"""
project labels = != in not is empty ( ) , and or ! & || order by asc x 'q\ r' " \ \u00 [ ~ <= user @ { cf f(
"""
SOUPS = st.lists(st.sampled_from([*PIECES.split(), "\n", "\x00", "'a b'", ""]), max_size=25)


@settings(deadline=None, max_examples=500)
@given(st.text() | SOUPS.map(" ".join) | SOUPS.map("".join), st.booleans())
def test_any_text_is_a_query_or_a_jql_error(text, allow_order):
    error = None
    try:
        query = parse(text, allow_order=allow_order)
    except JqlError as caught:
        error = caught
    if error is None:
        assert matches(query, ISSUE) in (True, False)
        return
    lines = text.split("\n")
    assert str(error)
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.character <= len(lines[error.line - 1]) + 1
