"""The documented requests and answers, as data: tests, the Postman collection and OpenAPI show the same ones.

`data/examples/*.json` holds one list for each API family; `docs/testing.md` explains the format.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

IDENTITIES = ("id", "token_digest", "username", "name", "issue_id")
"""What tells the entries of a snapshot's lists apart: of these members, the first that an entry has."""

REPLACE = "$replace"
"""The only member of a given object that stands in the place of what was there, whole."""


HOSTNAME = "{{hostname}}"
"""Stands, in what is answered, for the host and port that were asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A username and a password, right or wrong.

    by_session: they sign in first, and the request brings the session's cookie; else it brings them itself.
    """

    username: str
    password: str
    by_session: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent.

    query: pairs of name and value, or a query string to send as it stands.
    caller: who asks; None is nobody.
    body: sent as JSON; text is sent as it stands. None of both: no body.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] | str = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    caller: Credentials | None = None
    body: Any = None
    text: str | None = None

    @property
    def query_string(self) -> str:
        if isinstance(self.query, str):
            return self.query
        return "&".join(f"{quote(name)}={quote(value, safe=',')}" for name, value in self.query)

    @property
    def target(self) -> str:
        """The path with the query string, as the request line has it."""
        return f"{self.path}?{self.query_string}" if self.query else self.path

    @property
    def content(self) -> str | None:
        """The body as sent."""
        return self.text if self.body is None else json.dumps(self.body, ensure_ascii=False, indent=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is answered.

    headers: name to value, in which `*` stands for any text; None says that the header is absent.
    body: the JSON of the answer; text: that of any other, `*` as in headers. None of both: empty.
    """

    status: int
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: Any = None
    text: str | None = None

    @property
    def content(self) -> str:
        """The body as answered: JSON is compact, its keys in order and its numbers spelt as in the file."""
        if self.body is None:
            return self.text or ""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))

    def body_from(self, hostname: str) -> Any:
        """Return the JSON of the answer, as the server answers it that is reached as `hostname`."""
        return json.loads(self.content.replace(HOSTNAME, hostname))


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One request and its answer.

    name: a slug, unique among all. folder: where a collection shows it.
    operation: the name under which OpenAPI knows the endpoint.
    source: where the answer is documented.
    given: what differs from the demonstration site, as part of a snapshot document.
    volatile: paths of the body's members that differ from run to run, such as `issueApprovals.*.date`.
    """

    name: str
    title: str
    folder: str
    operation: str
    source: str
    request: Request
    expected: Expected
    given: Mapping[str, Any] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()


def load() -> tuple[Example, ...]:
    """Return every example, in the order of the files and of each file's list."""
    return tuple(example for family in families() for example in for_family(family))


def families() -> tuple[str, ...]:
    """Return the API families that have examples."""
    directory = files("herzum_approval") / "data" / "examples"
    return tuple(sorted(entry.name.removesuffix(".json") for entry in directory.iterdir()))


@cache
def for_family(family: str) -> tuple[Example, ...]:
    """Return the examples of one API family, for instance `herzum`."""
    document = files("herzum_approval") / "data" / "examples" / f"{family}.json"
    return tuple(map(_example, json.loads(document.read_text(encoding="utf-8"))))


def for_operation(operation: str) -> list[Example]:
    """Return the examples of one operation, for instance `search`."""
    return [example for example in load() if example.operation == operation]


def merged(document: Any, given: Any) -> Any:
    """Return `document` with what is given laid over it, both unchanged.

    Objects are merged member by member. In lists of objects, an entry is laid over the one of the same
    identity, and appended where there is none. Whatever else is given takes the place of what was there.
    """
    if isinstance(given, dict):
        if set(given) == {REPLACE}:
            return given[REPLACE]
        below = document if isinstance(document, dict) else {}
        return {**below, **{name: merged(below.get(name), value) for name, value in given.items()}}
    if isinstance(given, list) and isinstance(document, list) and all(map(_identity, given)):
        return _merged_lists(document, given)
    return given


def _merged_lists(document: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    result = list(document)
    for entry in given:
        name = _identity(entry)
        place = next((i for i, other in enumerate(result) if other.get(name) == entry[name]), len(result))
        result[place : place + 1] = [merged(result[place] if place < len(result) else None, entry)]
    return result


def _identity(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return None
    return next((name for name in IDENTITIES if entry.get(name) is not None), None)


def _example(entry: dict[str, Any]) -> Example:
    request = dict(entry.pop("request"))
    query = request.pop("query", ())
    return Example(
        request=Request(
            query=query if isinstance(query, str) else tuple(map(tuple, query)),
            caller=_credentials(request.pop("as")),
            **request,
        ),
        expected=Expected(**entry.pop("expected")),
        volatile=tuple(entry.pop("volatile", ())),
        **entry,
    )


def _credentials(caller: str | dict[str, Any] | None) -> Credentials | None:
    if caller is None:
        return None
    if isinstance(caller, str):
        return Credentials(username=caller, password=caller)
    if "session" in caller:
        return Credentials(username=caller["session"], password=caller["session"], by_session=True)
    return Credentials(**caller)
