"""Write the Postman collections and their environments from the examples; `--check` only compares.

Run from the root of the repository: `python postman/generate.py`.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

from herzum_approval import examples  # noqa: E402
from herzum_approval.examples import Credentials, Example, Request  # noqa: E402

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
HOSTNAME = "127.0.0.1:2990"

START_THE_SERVER = """\
Start the server with `make run`, then send any request. Before each one the server is put back to the
demonstration site, with what the request's description says is given laid over it, so the order is free.
To look around in data of your own, set the variable `reset` to `off`."""

START = """\
1. `make run` serves the demonstration site on http://127.0.0.1:2990.
2. The variables `hostname` (host and port), `{username}` and `{password}` say whom you ask, and as whom.
3. Send a request, or run the whole collection: every answer is compared with the documented one."""

SCRIPTS = {path.stem: path.read_text(encoding="utf-8").rstrip() for path in (FOLDER / "scripts").glob("*.js")}
HERE = 'const here = (text) => text.split("{{hostname}}").join(pm.variables.get("hostname"));'


@dataclass(frozen=True)
class Collection:
    """One collection, with an environment of its own.

    slug: of both files. space: what its ids are made of. credentials: names and values of the two variables
    by which its requests sign in. families: whose examples it shows. has_keys: the credentials are two API
    keys, one for each sort of request, which each request brings in a header of its own.
    """

    slug: str
    space: str
    name: str
    about: str
    credentials: Mapping[str, str]
    families: tuple[str, ...]
    has_keys: bool = False

    @property
    def collection_path(self) -> Path:
        return FOLDER / f"{self.slug}.postman_collection.json"

    @property
    def environment_path(self) -> Path:
        return FOLDER / f"{self.slug}.postman_environment.json"

    @property
    def variables(self) -> dict[str, str]:
        return {"hostname": HOSTNAME, **self.credentials}

    def examples(self) -> list[Example]:
        return [example for family in self.families for example in examples.for_family(family)]


COLLECTIONS = (
    Collection(
        slug="herzum-approval",
        space="herzum-approval/postman",
        name="Herzum Approval",
        about="Every documented request of Herzum Approval's REST API, the documented answer saved beside it "
        "and checked.",
        credentials={"username": "admin", "password": "admin"},
        families=("administration", "herzum", "jira"),
    ),
    Collection(
        slug="approval-path",
        space="herzum-approval/postman/approval-path",
        name="Approval Path: Web API",
        about="Every documented request of Approval Path's Web API, for issues and pages, with its answer "
        "saved beside it and checked.",
        credentials={
            "jira_key": "mc96LyRi9nUQySSjKXEf8xfqUZzjS2CYhRK8bWSRRfQi",
            "confluence_key": "MASi45ub7Qe4ZE36UT5G6cU4ud8Fhhe4deS4F3cw9KTA",
        },
        families=("approval_path",),
        has_keys=True,
    ),
    Collection(
        slug="jsm-ops-roles",
        space="herzum-approval/postman/jsm-ops",
        name="JSM Operations: custom user roles",
        about="Every documented request of the custom user roles of Jira Service Management Operations, with "
        "its answer saved beside it and checked.",
        credentials={"email": "admin@example.com", "api_token": "demo-token-admin"},
        families=("jsm_ops",),
    ),
)


def collection(of: Collection) -> dict[str, Any]:
    """Return the collection, in Postman's format v2.1.0."""
    shown = of.examples()
    return {
        "info": {
            "_postman_id": str(uuid5(NAMESPACE_URL, of.space)),
            "name": of.name,
            "description": f"{of.about}\n\n{START_THE_SERVER}",
            "schema": SCHEMA,
        },
        "item": [_start(of), *_folders(of, shown)],
        "auth": {"type": "noauth"} if of.has_keys else _basic(*map(_variable, of.credentials)),
        "event": [_script("prerequest", _prepare(shown))],
        "variable": [
            {"key": name, "value": value, "type": "string"}
            for name, value in {**of.variables, "reset": "on"}.items()
        ],
    }


def environment(of: Collection) -> dict[str, Any]:
    """Return the environment of a server that `make run` started."""
    secrets = list(of.credentials)[0 if of.has_keys else 1 :]
    return {
        "id": str(uuid5(NAMESPACE_URL, f"{of.space}/environment")),
        "name": f"{of.name}, demonstration site",
        "values": [
            {
                "key": name,
                "value": value,
                "type": "secret" if name in secrets else "default",
                "enabled": True,
            }
            for name, value in of.variables.items()
        ],
        "_postman_variable_scope": "environment",
    }


def files() -> dict[Path, str]:
    """Return what each generated file has to hold."""
    documents = {each.collection_path: collection(each) for each in COLLECTIONS}
    documents |= {each.environment_path: environment(each) for each in COLLECTIONS}
    return {
        path: json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        for path, document in documents.items()
    }


def request_name(example: Example) -> str:
    """Return the name under which the collection shows the example."""
    return f"{example.title} ({example.expected.status})"


def _start(of: Collection) -> dict[str, Any]:
    username, password = of.credentials
    reset = Request(method="POST", path="/__emulator/reset")
    return {
        "name": "Start here",
        "description": START.format(username=username, password=password),
        "item": [
            {
                "name": "Put the demonstration site back",
                "event": [
                    _script("test", 'pm.test("status is 204", () => pm.response.to.have.status(204));')
                ],
                "request": _request(of, reset, "Source: ours. Takes no login and no body."),
                "response": [],
            }
        ],
    }


def _folders(of: Collection, shown: Iterable[Example]) -> list[dict[str, Any]]:
    folders: dict[str, list[dict[str, Any]]] = {}
    for example in shown:
        folders.setdefault(example.folder, []).append(_item(of, example))
    return [{"name": name, "item": items} for name, items in folders.items()]


def _item(of: Collection, example: Example) -> dict[str, Any]:
    request = _request(of, example.request, _description(example))
    return {
        "name": request_name(example),
        "event": [_script("test", _assertions(example))],
        "request": request,
        "response": [_saved(example, request)],
    }


def _description(example: Example) -> str:
    lines = [f"Example `{example.name}`. Source: {example.source}."]
    if example.given:
        given = json.dumps(example.given, ensure_ascii=False, indent=2)
        lines.append(f"Given, beside the demonstration site:\n\n```json\n{given}\n```")
    if example.volatile:
        lines.append(f"Differs from run to run: {', '.join(f'`{path}`' for path in example.volatile)}.")
    return "\n\n".join(lines)


def _request(of: Collection, request: Request, description: str) -> dict[str, Any]:
    headers = dict(request.headers)
    if request.body is not None:
        headers.setdefault("Content-Type", "application/json")
    result: dict[str, Any] = {
        "method": request.method,
        "header": [{"key": name, "value": _with_variables(of, value)} for name, value in headers.items()],
        "url": _url(request),
        "description": description,
    }
    auth = _auth(of, request.caller)
    if auth is not None:
        result["auth"] = auth
    if request.content is not None:
        result["body"] = {"mode": "raw", "raw": request.content, "options": {"raw": {"language": "json"}}}
    return result


def _with_variables(of: Collection, header: str) -> str:
    """Return the header's value with variables in the place of the API keys that they stand for."""
    if of.has_keys:
        for name, value in of.credentials.items():
            header = header.replace(value, _variable(name))
    return header


def _variable(name: str) -> str:
    return f"{{{{{name}}}}}"


def _url(request: Request) -> dict[str, Any]:
    url: dict[str, Any] = {
        "raw": f"http://{{{{hostname}}}}{request.target}",
        "protocol": "http",
        "host": ["{{hostname}}"],
        "path": request.path.strip("/").split("/"),
    }
    if request.query:
        pairs = (pair.partition("=") for pair in request.query_string.split("&"))
        url["query"] = [{"key": name, "value": value if equals else None} for name, equals, value in pairs]
    return url


def _auth(of: Collection, caller: Credentials | None) -> dict[str, Any] | None:
    """Return how the request signs in; None leaves it to the collection."""
    if caller is None or caller.by_session:
        return {"type": "noauth"}
    if [caller.username, caller.password] == list(of.credentials.values()):
        return None
    return _basic(caller.username, caller.password)


def _basic(username: str, password: str) -> dict[str, Any]:
    return {
        "type": "basic",
        "basic": [
            {"key": "username", "value": username, "type": "string"},
            {"key": "password", "value": password, "type": "string"},
        ],
    }


def _saved(example: Example, request: dict[str, Any]) -> dict[str, Any]:
    expected = example.expected
    is_json = expected.body is not None
    headers = [{"key": name, "value": value} for name, value in expected.headers.items() if value is not None]
    return {
        "name": request_name(example),
        "originalRequest": {name: value for name, value in request.items() if name != "description"},
        "status": HTTPStatus(expected.status).phrase,
        "code": expected.status,
        "_postman_previewlanguage": "json" if is_json else "text",
        "header": headers,
        "cookie": [],
        "body": json.dumps(expected.body, ensure_ascii=False, indent=4) if is_json else expected.text or "",
    }


def _prepare(shown: Iterable[Example]) -> str:
    setups: dict[str, Any] = {}
    for example in shown:
        setup: dict[str, Any] = {}
        if example.given:
            setup["given"] = example.given
        if example.request.caller is not None and example.request.caller.by_session:
            setup["session"] = example.request.caller.username
        if setup:
            setups[request_name(example)] = setup
    constants = f"const SETUPS = {json.dumps(setups, ensure_ascii=False, indent=4)};"
    return "\n\n".join((constants, merge_script(), SCRIPTS["prepare"]))


def merge_script() -> str:
    """Return the rule of `examples.merged` in JavaScript."""
    return (
        f"const IDENTITIES = {_quoted(examples.IDENTITIES)};\n"
        f"const REPLACE = {_quoted(examples.REPLACE)};\n\n{SCRIPTS['merge']}"
    )


def _assertions(example: Example) -> str:
    expected = example.expected
    lines = [
        HERE,
        f'pm.test("status is {expected.status}", () => pm.response.to.have.status({expected.status}));',
        *(_header_assertion(name, value) for name, value in expected.headers.items()),
    ]
    if expected.body is None:
        matched = _matched("pm.response.text()", expected.text or "")
        return "\n".join((*lines, f'pm.test("text is as documented", () => {matched});'))
    lines.append(f"const documented = here({_quoted(expected.content)});")
    if example.volatile:
        lines += [f"const VOLATILE = {_quoted(example.volatile)};", SCRIPTS["mask"]]
        compared = "pm.expect(stable(pm.response.json())).to.eql(stable(JSON.parse(documented)))"
        return "\n".join((*lines, f'pm.test("body is as documented", () => {compared});'))
    compared = "pm.expect(pm.response.json()).to.eql(JSON.parse(documented))"
    spelt = "pm.expect(pm.response.text()).to.equal(documented)"
    lines += [
        f'pm.test("body is as documented", () => {compared});',
        f'pm.test("body is spelt as documented", () => {spelt});',
    ]
    return "\n".join(lines)


def _header_assertion(name: str, value: str | None) -> str:
    actual = f"pm.response.headers.get({_quoted(name)})"
    if value is None:
        return f'pm.test("there is no {name}", () => pm.expect({actual}).to.equal(undefined));'
    return f'pm.test("{name} is as documented", () => {_matched(actual, value)});'


def _matched(actual: str, documented: str) -> str:
    if "*" not in documented:
        return f"pm.expect({actual}).to.equal(here({_quoted(documented)}))"
    parts = f'here({_quoted(documented)}).split("*").map((part) => part.replace(/[^\\w ]/g, "\\\\$&"))'
    return f'pm.expect({actual}).to.match(new RegExp("^" + {parts}.join("[^]*") + "$"))'


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _script(event: str, source: str) -> dict[str, Any]:
    return {"listen": event, "script": {"type": "text/javascript", "exec": source.split("\n")}}


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` say which of them differ; return the exit code."""
    if arguments == ["--check"]:
        stale = [path for path, text in files().items() if not _holds(path, text)]
        for path in stale:
            print(f"postman/{path.name} is not what the examples make: run `python postman/generate.py`.")
        return 1 if stale else 0
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
