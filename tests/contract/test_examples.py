"""Every example is answered as documented, on both engines, in process."""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import pytest
from webtest import TestApp, TestResponse

from herzum_approval import examples
from herzum_approval.errors import HAP_REST, INFERRED, JIRA, JSM_OPS, OURS, PATH_API
from herzum_approval.examples import Credentials, Example

EXAMPLES = examples.load()
HOSTNAME = "jira.example.com:2990"
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example(client: TestApp, example: Example) -> None:
    prepare(client, example.given)
    answer = send(client, example)
    assert_headers(answer, example.expected.headers)
    assert_body(answer, example)


def test_names_are_unique_slugs() -> None:
    names = [example.name for example in EXAMPLES]
    assert sorted(set(names)) == sorted(names)
    assert all(map(SLUG.fullmatch, names))


def test_sources_are_those_of_the_error_catalogue() -> None:
    assert {example.source for example in EXAMPLES} <= {HAP_REST, JIRA, JSM_OPS, PATH_API, INFERRED, OURS}


def test_every_volatile_path_leads_somewhere() -> None:
    for example in EXAMPLES:
        for path in example.volatile:
            assert masked(example.expected.body, [path]) != example.expected.body, (example.name, path)


def test_for_operation() -> None:
    found = examples.for_operation("search")
    assert found
    assert found == [example for example in EXAMPLES if example.operation == "search"]
    assert examples.for_operation("no such operation") == []


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("JSESSIONID=*; Path=/", "JSESSIONID=1A2B; Path=/"),
        ("{{hostname}}", HOSTNAME),
        ("a.c", "a.c"),
    ],
)
def test_texts_that_match(expected: str, actual: str) -> None:
    assert pattern(expected).fullmatch(actual)


@pytest.mark.parametrize(
    ("expected", "actual"), [("JSESSIONID=*; Path=/", "JSESSIONID=1A2B; Path=/jira"), ("a.c", "abc")]
)
def test_texts_that_do_not_match(expected: str, actual: str) -> None:
    assert not pattern(expected).fullmatch(actual)


def prepare(client: TestApp, given: Mapping[str, Any]) -> None:
    """Put the site back to the seed, and lay what is given over it."""
    client.reset()
    client.post("/__emulator/reset", status="2*")
    if given:
        document = client.get("/__emulator/snapshot", status=200).json
        client.put("/__emulator/snapshot", orjson.dumps(examples.merged(document, given)), status="2*")


def send(client: TestApp, example: Example) -> TestResponse:
    """Send the example's request, signed in as it says, and return the answer of the expected status."""
    request = example.request
    headers = {"Host": HOSTNAME, **request.headers}
    if request.body is not None:
        headers.setdefault("Content-Type", "application/json")
    if request.caller is not None and request.caller.by_session:
        sign_in(client, request.caller)
    elif request.caller is not None:
        headers["Authorization"] = basic(request.caller)
    return client.request(
        request.target,
        method=request.method,
        headers=headers,
        body=(request.content or "").encode(),
        status=example.expected.status,
    )


def sign_in(client: TestApp, caller: Credentials) -> None:
    credentials = {"username": caller.username, "password": caller.password}
    client.post_json("/rest/auth/1/session", credentials, headers={"Host": HOSTNAME}, status=200)


def basic(caller: Credentials) -> str:
    return "Basic " + b64encode(f"{caller.username}:{caller.password}".encode()).decode()


def assert_headers(answer: TestResponse, expected: Mapping[str, str | None]) -> None:
    for name, value in expected.items():
        actual = answer.headers.get(name)
        if value is None:
            assert actual is None, name
        else:
            assert actual is not None, name
            assert pattern(value).fullmatch(actual), f"{name}: {actual}"


def assert_body(answer: TestResponse, example: Example) -> None:
    expected = example.expected
    if expected.body is None:
        assert pattern(expected.text or "").fullmatch(answer.text)
        return
    documented = masked(expected.body_from(HOSTNAME), example.volatile)
    answered = masked(orjson.loads(answer.body), example.volatile)
    assert answered == documented
    assert orjson.dumps(answered) == orjson.dumps(documented), "keys in another order, or numbers spelt so"
    if not example.volatile:
        assert answer.text == here(expected.content)


def masked(body: Any, volatile: Iterable[str]) -> Any:
    """Return a copy of the body in which each volatile member shows its JSON type alone."""
    for path in volatile:
        body = _masked(body, path.split("."))
    return body


def _masked(value: Any, path: list[str]) -> Any:
    if not path:
        return f"any {type(value).__name__}"
    name, rest = path[0], path[1:]
    if isinstance(value, list) and name == "*":
        return [_masked(entry, rest) for entry in value]
    if isinstance(value, dict) and name in value:
        return {**value, name: _masked(value[name], rest)}
    return value


def here(text: str) -> str:
    return text.replace(examples.HOSTNAME, HOSTNAME)


def pattern(text: str) -> re.Pattern[str]:
    """Return what a header or a text must match: itself, `*` being any text."""
    return re.compile(".*".join(map(re.escape, here(text).split("*"))), re.DOTALL)
