"""Random queries, for tests: trees, and ways to write each of them down."""

import re

from hypothesis import strategies as st

from herzum_approval.domain.jql import And, Comparison, Field, Not, Operator, Or
from herzum_approval.domain.queries import FIELD_NAMES

NOTABLE_VALUES = """
TEST|ops|Test Project|10000|Bug|10004|In Progress|3|To Do|done|4|High|low|backend|URGENT|alice|Bob
|test-1|OPS-7|12305|and|next|
"""
VALUES = st.sampled_from(NOTABLE_VALUES.replace("\n", "").split("|")) | st.text(max_size=8)
SAFE_WORDS = re.compile(r"[0-9]+|[A-Z]+-[0-9]+|alice|Bob|Bug|TEST|ops|done|High|low|backend|URGENT")


@st.composite
def comparisons(draw):
    field = draw(st.sampled_from(Field))
    operator = draw(st.sampled_from(Operator))
    if operator in (Operator.IS, Operator.IS_NOT):
        return Comparison(field, operator, (None,))
    most = 3 if operator in (Operator.IN, Operator.NOT_IN) else 1
    return Comparison(field, operator, tuple(draw(st.lists(VALUES | st.none(), min_size=1, max_size=most))))


def _joined(children):
    several = st.lists(children, min_size=2, max_size=3).map(tuple)
    return several.map(And) | several.map(Or) | children.map(Not)


TREES = st.recursive(comparisons(), _joined, max_leaves=12)
GAPS = st.sampled_from([" ", "\n", "  ", " \t"])


@st.composite
def spelt(draw, clause, is_inner=False):
    """Return one of the texts that stand for the tree, with all the parentheses it needs."""
    if isinstance(clause, Comparison):
        return draw(_comparison(clause))
    if isinstance(clause, Not):
        return draw(st.sampled_from(["NOT ", "not\n", "!"])) + draw(spelt(clause.clause, True))
    joints = st.sampled_from(
        ["AND", "and", "&&", "&"] if isinstance(clause, And) else ["OR", "or", "||", "|"]
    )
    first, *others = (draw(spelt(each, True)) for each in clause.clauses)
    text = first + "".join(f"{draw(GAPS)}{draw(joints)}{draw(GAPS)}{each}" for each in others)
    return f"({text})" if is_inner else text


@st.composite
def _comparison(draw, comparison):
    name = draw(st.sampled_from([name for name, field in FIELD_NAMES.items() if field is comparison.field]))
    operator = comparison.operator.value.replace(" ", draw(GAPS))
    values = [draw(_value(value)) for value in comparison.values]
    is_list = comparison.operator in (Operator.IN, Operator.NOT_IN)
    operand = f"({','.join(values)})" if is_list else values[0]
    parts = (draw(_any_case(name)), draw(_any_case(operator)), operand)
    return draw(GAPS).join(parts)


def _any_case(word):
    return st.sampled_from([word, word.upper(), word.title()])


def _value(value):
    if value is None:
        return st.sampled_from(["EMPTY", "null", "Empty"])
    quoted = st.sampled_from([_quoted(value, quote) for quote in "'\""])
    return quoted | st.just(value) if SAFE_WORDS.fullmatch(value) else quoted


def _quoted(value, quote):
    return quote + "".join(_escaped(character, quote) for character in value) + quote


def _escaped(character, quote):
    if character in (quote, "\\"):
        return "\\" + character
    if character.isprintable() or ord(character) > 0xFFFF:
        return character
    return f"\\u{ord(character):04x}"
