"""The JQL subset that conditional rules and search share: from text to a query.

Grammar, escapes, reserved words and most error texts are Jira's.
Source: Jira Data Center, "Advanced searching" with its operators, keywords and fields references.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedToken, v_args
from lark.lark import PostLex

from herzum_approval.domain.queries import (
    FIELD_NAMES,
    SORT_NAMES,
    And,
    Clause,
    Comparison,
    Facts,
    Field,
    Not,
    Operator,
    Or,
    Query,
    Sort,
    facts,
    matches,
)

__all__ = [
    "And",
    "Clause",
    "Comparison",
    "Facts",
    "Field",
    "JqlError",
    "Not",
    "Operator",
    "Or",
    "Query",
    "Sort",
    "facts",
    "matches",
    "parse",
]

MAX_LENGTH = 10_000
MAX_NESTING = 50
"""How many parentheses and NOTs may stand one within another."""

_PREFIX = "Error in the JQL Query: "
_SHOWN = 100
"""How many characters of a query an error repeats at most."""

_Operand = str | list[str | None] | None
_SPELT_OPERATORS = frozenset(operator.value for operator in Operator)


class JqlError(ValueError):
    """A query that cannot be used, and why, in Jira's words.

    line, character: where, counted from 1; the end of the text where something is missing there.
    """

    def __init__(self, message: str, line: int, character: int) -> None:
        super().__init__(message)
        self.line = line
        self.character = character


# -- the grammar ------------------------------------------------------------------------------

_CONTROL = r"\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff"
_RESERVED_CHARACTERS = "{}*/%+^$#@?;"
_ESCAPE = r"""\\(?:[tnr"'\\ ]|u[0-9a-fA-F]{4})"""
_INSIDE = {quote: rf"(?:[^{quote}\\{_CONTROL}]|{_ESCAPE})*" for quote in "'\""}
_WORD = rf"(?:[^ \t\r\n\"'\\=!<>()~,\[\]|&{_RESERVED_CHARACTERS}{_CONTROL}]|{_ESCAPE})+".replace("/", r"\/")

_GRAMMAR = rf"""
rule: disjunction
search: [disjunction] [order]

?disjunction: conjunction (_OR conjunction)*
?conjunction: term (_AND term)*
?term: (NOT | BANG) term -> negation
     | "(" disjunction ")"
     | comparison
comparison: WORD operator operand
operator: SYMBOL | IN | NOT IN | IS | IS NOT
?operand: WORD -> value
        | EMPTY -> empty
        | "(" operand ("," operand)* ")" -> list_of
        | function "(" ")"
function: WORD
order: ORDER BY sort ("," sort)*
sort: WORD [ASC | DESC]

WORD: /{_WORD}/
QUOTED: /'{_INSIDE["'"]}'/ | /"{_INSIDE['"']}"/
SYMBOL: /!?[=~]|[<>]=?/
BANG: "!"
_AND: /&&?/
_OR: /\|\|?/
BRACKET: /[\[\]]/
%declare NOT IN IS EMPTY ORDER BY ASC DESC
%ignore /[ \t\r\n]+/
"""

_KEYWORDS = {
    "and": "_AND",
    "or": "_OR",
    "not": "NOT",
    "in": "IN",
    "is": "IS",
    "empty": "EMPTY",
    "null": "EMPTY",
    "order": "ORDER",
    "by": "BY",
    "asc": "ASC",
    "desc": "DESC",
}

_RESERVED = """
abort access add after alias all alter any as audit avg before begin between boolean break byte catch cf
changed char character check checkpoint collate collation column commit connect continue count create
current date decimal declare decrement default defaults define delete delimiter difference distinct divide
do double drop during else encoding end equals escape exclusive exec execute exists explain false fetch
field file first float for from function go goto grant greater group having identified if immediate
increment index initial inner inout input insert int integer intersect intersection into isempty isnull
join last left less like limit lock long max min minus mode modify modulo more multiply next noaudit notin
nowait number object of on option outer output power previous prior privileges public raise raw remainder
rename resource return returns revoke right row rowid rownum rows select session set share size sqrt start
strict string subtract sum synonym table then to trans transaction trigger true uid union unique update
user validate values view was when whenever where while with
"""
_RESERVED_WORDS = frozenset(_RESERVED.split())
"""Words that Jira keeps for itself. Source: "Advanced searching", reserved words."""


@cache
def _parser() -> Lark:
    # No contextual lexer: a keyword is one wherever it stands, and a reserved word is refused everywhere.
    return Lark(
        _GRAMMAR,
        parser="lalr",
        lexer="basic",
        start=["rule", "search"],
        postlex=_Words(),
        transformer=_Tree(),
    )


def parse(text: str, *, allow_order: bool = False) -> Query:
    """Return the query that the text spells.

    allow_order: whether this is a search, which may end in ORDER BY and may have no condition;
        a rule may not.
    Raises: JqlError.
    """
    if len(text) > MAX_LENGTH:
        raise _error(f"A query has {MAX_LENGTH:,} characters at most.", *_position(text, MAX_LENGTH))
    return _parsed(text, "search" if allow_order else "rule")


@lru_cache(maxsize=256)
def _parsed(text: str, start: str) -> Query:
    try:
        return cast("Query", _parser().parse(text, start))
    except UnexpectedToken as error:
        raise _misplaced(text, error) from None
    except UnexpectedCharacters as error:
        raise _illegible(text, error.pos_in_stream or 0) from None


class _Words(PostLex):
    """Tells keywords from words, takes quotes and escapes away, and counts levels."""

    always_accept = ("QUOTED", "BRACKET")

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        levels = [0]
        previous = ""
        for token in map(_read, stream):
            if token.type == "LPAR":
                levels.append(0)
            elif token.type == "RPAR":
                levels = levels[:-1] or [0]
            elif token.type in ("_AND", "_OR"):
                levels[-1] = 0
            elif token.type in ("NOT", "BANG") and previous not in ("WORD", "IS"):
                levels[-1] += 1
            if len(levels) - 1 + sum(levels) > MAX_NESTING:
                raise _error(f"A query is nested {MAX_NESTING} levels deep at most.", *_place(token))
            previous = token.type
            yield token


def _read(token: Token) -> Token:
    if token.type == "QUOTED":
        return token.update("WORD", _unescaped(token[1:-1]))
    if token.type != "WORD":
        return token
    word = token.lower()
    if word in _RESERVED_WORDS:
        surround = "You must surround it in quotation marks to use it in a query."
        raise _error(f"'{token}' is a reserved JQL word. {surround}", *_place(token))
    if word in _KEYWORDS:
        return token.update(_KEYWORDS[word])
    return token.update(value=_unescaped(token))


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    plain = re.sub(r"\\(u....|.)", lambda found: _character(found[1]), text)
    # What was spelt as two halves, as in Java, is one character; half a one is none.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(escape: str) -> str:
    if len(escape) > 1:
        return chr(int(escape[1:], 16))
    return {"t": "\t", "n": "\n", "r": "\r"}.get(escape, escape)


@v_args(inline=True)
class _Tree(Transformer[Token, Query]):
    """Makes the tree while the text is read, and checks what the grammar lets pass."""

    def rule(self, where: Clause) -> Query:
        return Query(where)

    def search(self, where: Clause | None, order: tuple[Sort, ...] | None) -> Query:
        return Query(where, order or ())

    def disjunction(self, *clauses: Clause) -> Clause:
        return Or(clauses)

    def conjunction(self, *clauses: Clause) -> Clause:
        return And(clauses)

    def negation(self, _: Token, clause: Clause) -> Clause:
        return Not(clause)

    def comparison(self, name: Token, spelling: str, operand: _Operand) -> Clause:
        field = FIELD_NAMES.get(name.lower())
        if field is None:
            reason = f"Field '{_shown(name)}' does not exist or you do not have permission to view it."
            raise JqlError(reason, *_place(name))
        if misuse := _misuse(_shown(name), spelling, operand):
            raise JqlError(misuse, *_place(name))
        values = tuple(operand) if isinstance(operand, list) else (operand,)
        return Comparison(field, Operator(spelling), values)

    def operator(self, *tokens: Token) -> str:
        return " ".join(tokens).lower()

    def value(self, word: Token) -> str:
        return str(word)

    def empty(self, _: Token) -> None:
        return None

    def list_of(self, *operands: _Operand) -> list[str | None]:
        values: list[str | None] = []
        for operand in operands:
            values += operand if isinstance(operand, list) else [operand]
        return values

    def function(self, name: Token) -> None:
        # Comes to be where its parenthesis opens, so no argument is ever read.
        raise JqlError(f"Unable to find JQL function '{_shown(name)}()'.", *_place(name))

    def order(self, _order: Token, _by: Token, *sorts: Sort) -> tuple[Sort, ...]:
        return sorts

    def sort(self, name: Token, direction: Token | None) -> Sort:
        field = SORT_NAMES.get(name.lower())
        if field is None:
            raise JqlError(f"Not able to sort using field '{_shown(name)}'.", *_place(name))
        return Sort(str(field), (direction or "").lower())


# -- what is wrong ----------------------------------------------------------------------------

_OPERATORS = (
    " The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'."
)
_ESCAPES = "The valid escape sequences are \\', \\\", \\t, \\n, \\r, \\\\, '\\ ' and \\uXXXX."

_EXPECTATIONS = (
    (
        "EMPTY",
        "Expecting either a value, list or function but got '{0}'. "
        "You must surround '{0}' in quotation marks to use it as a value.",
        "Expecting either a value, list or function before the end of the query.",
    ),
    (
        "SYMBOL",
        "Expecting operator but got '{0}'." + _OPERATORS,
        "Expecting operator before the end of the query." + _OPERATORS,
    ),
    ("IN", "Expecting 'IN' but got '{0}'.", "Expecting 'IN' before the end of the query."),
    ("_AND", "Expecting either 'OR' or 'AND' but got '{0}'.", "Expecting ')' before the end of the query."),
    ("RPAR", "Expecting ',' or ')' but got '{0}'.", "Expecting ')' before the end of the query."),
    ("BY", "Expecting 'by' but got '{0}'.", "Expecting 'by' before the end of the query."),
    ("ASC", "Expecting either 'ASC' or 'DESC' but got '{0}'.", ""),
    ("COMMA", "Expecting ',' but got '{0}'.", ""),
    (
        "WORD",
        "Expecting a field name but got '{0}'. "
        "You must surround '{0}' in quotation marks to use it as a field name.",
        "Expecting a field name at the end of the query.",
    ),
    ("$END", "Expecting either 'OR' or 'AND' but got '{0}'.", ""),
)
"""Of what could have come, the first that is here decides what to say: of anything else, and of the end."""


def _misplaced(text: str, error: UnexpectedToken) -> JqlError:
    """Return what to say of a token, or of an end, that cannot come here."""
    got, at_end = next(texts for terminal, *texts in _EXPECTATIONS if terminal in error.accepts)
    if error.token.type == "$END":
        return JqlError(_PREFIX + at_end, *_position(text, len(text)))
    return _error(got.format(_shown(error.token)), *_place(error.token))


def _illegible(text: str, offset: int) -> JqlError:
    """Return what to say where the text at `offset` makes no token."""
    quote = text[offset]
    if quote in _INSIDE:
        inside = _prefix(_INSIDE[quote], text, offset + 1)
        end = offset + 1 + len(inside)
        if end == len(text):
            spelling = f" '{_shown(inside)}'" if inside else ""
            return _error(f"The quoted string{spelling} has not been completed.", *_position(text, offset))
        offset = end
    return _error(_illegal(text, offset), *_position(text, offset))


def _illegal(text: str, offset: int) -> str:
    character = text[offset]
    escape = f"\\u{ord(character):04x}"
    if character == "\\":
        sequence = _prefix(r"\\(?:u[0-9a-fA-F]{0,3})?.?", text, offset)
        if sequence == "\\":
            return f"The escape sequence has not been completed. {_ESCAPES}"
        return f"'{_shown(sequence)}' is an illegal JQL escape sequence. {_ESCAPES}"
    if character in _RESERVED_CHARACTERS:
        return (
            f"The character '{character}' is a reserved JQL character. "
            f"You must enclose it in a string or use the escape '{escape}' instead."
        )
    return f"The character 'U+{ord(character):04X}' must be escaped. Use the escape '{escape}' instead."


def _misuse(name: str, spelling: str, operand: _Operand) -> str | None:
    """Return why the operator cannot stand between this field and this operand, None where it can."""
    if spelling not in _SPELT_OPERATORS:
        return f"The operator '{spelling}' is not supported by the '{name}' field."
    if spelling in ("is", "is not"):
        if operand is None:
            return None
        return f"Operator '{spelling}' does not support searching for non-empty values for field '{name}'."
    if isinstance(operand, list) is (spelling in ("in", "not in")):
        return None
    kind = "list" if isinstance(operand, list) else "non-list"
    return f"Operator '{spelling}' does not support the {kind} value '{_spelt(operand)}' for field '{name}'."


def _spelt(operand: _Operand) -> str:
    if isinstance(operand, list):
        return _shown("(" + ", ".join(map(_spelt, operand)) + ")")
    return "EMPTY" if operand is None else _shown(f'"{operand}"')


def _error(reason: str, line: int, character: int) -> JqlError:
    return JqlError(f"{_PREFIX}{reason} (line {line}, character {character})", line, character)


def _place(token: Token) -> tuple[int, int]:
    return token.line or 1, token.column or 1


def _position(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


def _prefix(pattern: str, text: str, offset: int) -> str:
    found = re.compile(pattern, re.DOTALL).match(text, offset)
    return found[0] if found else ""


def _shown(text: str) -> str:
    """Return a part of a query as an error shows it: on one line, and not without end."""
    line = re.sub(r"[\r\n]", " ", text)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
