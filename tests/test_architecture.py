"""Which way imports point, and what stands in one room only.

`ROOMS` is the import table. A new arrow is a change to the table (and to `docs/architecture.md`,
which shows it), never an exception in the code.
"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "herzum_approval"
EVERYTHING = "everything"


@dataclass(frozen=True)
class Room:
    """What the modules of a room may import, themselves aside.

    ours: rooms or single modules of the package. libraries: top-level names of other packages.
    """

    ours: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()


_DOOR = Room(
    (
        "services",
        "domain",
        "errors",
        "clock",
        "config",
        "metrics",
        "api.family",
        "api.login",
        "api.parsed",
        "api.rendered",
    ),
    ("flask", "marshmallow", "orjson"),
)

ROOMS: dict[str, Room] = {
    "errors": Room(),
    "clock": Room(),
    "config": Room(),
    "metrics": Room((), ("prometheus_client",)),
    "examples": Room(),
    "documents": Room(("errors", "config")),
    "domain": Room(("domain.jql", "errors")),
    "domain.jql": Room(("domain", "errors"), ("lark",)),
    "store": Room(("domain", "errors", "clock", "metrics"), ("peewee", "playhouse")),
    "services": Room(
        ("store", "domain", "errors", "clock", "config", "metrics"),
        ("bcrypt", "cattrs", "cryptography", "httpcore"),
    ),
    "api.family": Room(("errors", "config"), ("flask", "flask_smorest", "marshmallow", "orjson", "werkzeug")),
    "api.rendered": Room((), ("marshmallow", "orjson")),
    "api.login": Room(
        ("services", "domain", "errors", "clock", "config", "api.family"), ("flask", "werkzeug")
    ),
    "api.parsed": Room((), ("marshmallow",)),
    "api.shortcuts": Room(("services", "domain", "errors", "metrics", "api.family", "api.login")),
    "api.openapi": Room(("errors", "examples", "api.family"), ("flask", "flask_smorest")),
    "api.operations": Room(("services", "errors", "metrics", "api.family", "api.login"), ("flask",)),
    "api.herzum": _DOOR,
    "api.jira": _DOOR,
    "api.approval_path": _DOOR,
    "api.administration": _DOOR,
    "api.jsm_ops": _DOOR,
    "api.emulator": _DOOR,
    "api": Room(
        (
            "api.family",
            "api.herzum",
            "api.jira",
            "api.approval_path",
            "api.administration",
            "api.jsm_ops",
            "api.emulator",
        )
    ),
    "cli": Room(
        ("app", "services", "domain", "errors", "config", "documents", "metrics"),
        ("click", "flask", "granian", "rich"),
    ),
    "app": Room((EVERYTHING,), ("flask", "orjson", "structlog")),
    "": Room(),
}
"""By the longest name that a module's name begins with; "" is the package's own `__init__`."""

PRIVATE = (
    "store.tables",
    "store.approval_path_tables",
    "store.columns",
    "store.statements",
    "store.migrations",
)
"""Of these nothing leaves the room: a row of a table could run a query behind anybody's back."""

NEVER_IMPORTED = {"tzdata", "flask-swagger-ui"}
"""Packages of data, which are found and not imported."""

DISTRIBUTIONS = {"flask-smorest": "flask_smorest", "prometheus-client": "prometheus_client"}
IMPORTED_AS = {"playhouse": "peewee", "werkzeug": "flask"}
"""Comes with: Peewee's own extras, and what Flask is made of."""

READS_TIME = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {
        "time",
        "time_ns",
        "monotonic",
        "monotonic_ns",
        "perf_counter",
        "perf_counter_ns",
        "localtime",
        "gmtime",
    },
}

SQL_TEXT = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|"
    r"(CREATE|DROP|ALTER)\s+(TABLE|INDEX)|PRAGMA\s)",
    re.DOTALL,
)


# -- the checker ------------------------------------------------------------------------------


def module_name(path: Path) -> str:
    """Return the module's dotted name below the package; "" for the package itself."""
    parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted((ROOT / PACKAGE).rglob("*.py"))}


def room_of(module: str) -> str:
    return max((name for name in ROOMS if is_below(module, name)), key=len)


def is_below(module: str, name: str) -> bool:
    return module == name or (bool(name) and module.startswith(name + "."))


def offences(module: str, source: str) -> list[str]:
    """Return everything that the module does against the rules of the house."""
    tree = ast.parse(dedent(source))
    room = room_of(module)
    found = list(_import_offences(module, room, tree))
    if room != "clock":
        found += _time_offences(tree)
    if room != "store":
        found += _sql_offences(tree)
    return found


def _import_offences(module: str, room: str, tree: ast.AST) -> Iterator[str]:
    allowed = ROOMS[room]
    for name in imported(module, tree):
        top, _, rest = name.partition(".")
        if top == PACKAGE:
            if not _may_enter(room, allowed, rest):
                yield f"{module} imports {name}"
        elif top not in sys.stdlib_module_names and top not in allowed.libraries:
            yield f"{module} imports {name}"
    for call in _calls(tree):
        if ast.unparse(call.func).rpartition(".")[2] in ("__import__", "import_module"):
            yield f"{module} imports by a call, which nothing can check"


def _may_enter(room: str, allowed: Room, module: str) -> bool:
    if any(is_below(module, private) for private in PRIVATE):
        return room == "store"
    if not module or room_of(module) == room:  # the package itself holds the version only
        return True
    if EVERYTHING in allowed.ours:
        return module != "cli"
    return any(is_below(module, name) for name in allowed.ours)


def imported(module: str, tree: ast.AST) -> Iterator[str]:
    """Return the dotted name of each module that is imported, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(module, node)
            for alias in node.names:
                below = f"{source}.{alias.name}"
                yield below if below.removeprefix(PACKAGE + ".") in MODULES else source


def _absolute(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    is_package = MODULES.get(module, Path()).name == "__init__.py"
    parts = [PACKAGE, *module.split(".")]
    parents = parts[: len(parts) - node.level + is_package]
    return ".".join([*parents, *filter(None, [node.module])])


def _time_offences(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).rpartition(".")[2]
            if node.attr in READS_TIME.get(owner, ()):
                yield f"line {node.lineno} reads the time: {owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            for alias in node.names:
                if alias.name in READS_TIME["time"]:
                    yield f"line {node.lineno} imports time.{alias.name}"


def _sql_offences(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL_TEXT.search(node.value):
            yield f"line {node.lineno} writes SQL"
    for call in _calls(tree):
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("execute", "execute_sql", "cursor"):
            yield f"line {call.lineno} runs SQL"


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


# -- the house --------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
def test_house(module: str) -> None:
    assert offences(module, MODULES[module].read_text(encoding="utf-8")) == []


def test_every_room_has_modules() -> None:
    assert {room_of(module) for module in MODULES} == set(ROOMS)


def test_rooms_lead_to_rooms() -> None:
    for room, allowed in ROOMS.items():
        for name in allowed.ours:
            assert name == EVERYTHING or name in ROOMS, room


def test_declared_dependencies_are_those_imported() -> None:
    declared = _declared()
    used = {
        IMPORTED_AS.get(top, top)
        for module, path in MODULES.items()
        for name in imported(module, ast.parse(path.read_text(encoding="utf-8")))
        if (top := name.partition(".")[0]) != PACKAGE and top not in sys.stdlib_module_names
    }
    assert used == {DISTRIBUTIONS.get(name, name) for name in declared - NEVER_IMPORTED}


def test_data_packages_are_declared() -> None:
    assert _declared() >= NEVER_IMPORTED


def _declared() -> set[str]:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = parser["options"]["install_requires"].split("\n")
    lines += parser["options.extras_require"]["http"].split("\n")
    return {re.split(r"[<>=!~\[; ]", line, maxsplit=1)[0] for line in lines if line}


def test_documented_table() -> None:
    """The table of `docs/architecture.md` is this one."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert table() in page


def table() -> str:
    """Return the import table as Markdown."""
    names = {"": "the package itself"}
    lines = ["| room | may import | libraries |", "| --- | --- | --- |"]
    for room, allowed in ROOMS.items():
        cells = [names.get(room) or _shown(room), _list(allowed.ours), _list(allowed.libraries)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(name if name == EVERYTHING else _shown(name) for name in names) or "—"


def _shown(name: str) -> str:
    return f"`{name.replace('.', '/')}`"


# -- what the checker sees --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("domain.jira", "from flask import g"),
        ("domain.jira", "import peewee"),
        ("domain.jira", "from herzum_approval import clock"),
        ("domain.jira", "from herzum_approval.store import people"),
        ("domain.jira", "def late():\n    from herzum_approval.services import people"),
        ("domain.jira", "if TYPE_CHECKING:\n    from herzum_approval import config"),
        ("domain.jira", "from ..store import people"),
        ("domain.jira", "from .. import config"),
        ("domain.jira", "import importlib\nimportlib.import_module('flask')"),
        ("domain.jira", "__import__('flask')"),
        ("errors", "from herzum_approval import config"),
        ("config", "from herzum_approval import clock"),
        ("clock", "import orjson"),
        ("store.people", "from herzum_approval.services import people"),
        ("store.people", "from herzum_approval import config"),
        ("store.people", "import marshmallow"),
        ("services.people", "from peewee import fn"),
        ("services.people", "from playhouse.pool import PooledSqliteDatabase"),
        ("services.people", "import flask"),
        ("services.people", "from herzum_approval.store import tables"),
        ("services.people", "from herzum_approval.store.tables import User"),
        ("services.people", "from herzum_approval.api import login"),
        ("services.people", "import sqlite3\nsqlite3.connect('x').execute('')"),
        ("services.people", "QUERY = 'SELECT id FROM people_user'"),
        (
            "services.people",
            "QUERY = 'update people_user set x = 1'.upper() + 'UPDATE people_user SET x = 1'",
        ),
        ("services.people", "from datetime import datetime\ndatetime.now()"),
        ("services.people", "import datetime\ndatetime.datetime.now(tz=datetime.UTC)"),
        ("services.people", "import time\ntime.time()"),
        ("services.people", "from time import monotonic"),
        ("services.people", "import time\nread = time.monotonic"),
        ("api.herzum.schemas", "from herzum_approval import store"),
        ("api.herzum.schemas", "from herzum_approval.api.jira import session"),
        ("api.herzum.schemas", "import herzum_approval.api.jira"),
        ("api.herzum.schemas", "from herzum_approval.api import openapi"),
        ("api.herzum.schemas", "import peewee"),
        ("api.jira", "from herzum_approval.api.herzum import errors"),
        ("api.family", "from herzum_approval.services import people"),
        ("api.login", "from herzum_approval.store import people"),
        ("cli", "from herzum_approval.store import people"),
        ("cli", "from herzum_approval.api import family"),
        ("app", "from herzum_approval import cli"),
        ("app", "import requests"),
        ("documents", "from herzum_approval import app"),
        ("", "import flask"),
    ],
)
def test_offence(module: str, source: str) -> None:
    assert offences(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("domain.jira", "import re\nfrom herzum_approval.errors import Fault\nfrom . import people"),
        ("store.people", "from peewee import fn\ndatabase.execute_sql('SELECT 1 FROM people_user')"),
        ("services.people", "from herzum_approval import clock\nclock.now()\nimport time\ntime.sleep(1)"),
        ("services.people", "# SELECT id FROM people_user\nselected = 'Select one of the users'"),
        ("clock", "from datetime import datetime\ndatetime.now()"),
        ("api.herzum.schemas", "from herzum_approval.api.herzum import fields\nimport marshmallow"),
        ("api.herzum.schemas", "from herzum_approval.api import login"),
        ("cli", "from herzum_approval.app import create_app\nimport click"),
        ("app", "from herzum_approval import store\nfrom flask import Flask"),
    ],
)
def test_no_offence(module: str, source: str) -> None:
    assert offences(module, source) == []


# -- nothing happens at import ----------------------------------------------------------------

_WATCHED = """
import json, sys, threading
events = []
def watch(event, arguments):
    if event in ("sqlite3.connect", "socket.connect", "socket.bind", "subprocess.Popen", "os.fork"):
        events.append(f"{event} {arguments[0]!r}")
    elif event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        events.append(f"{event} {arguments[0]!r}")
sys.addaudithook(watch)
{code}
print(json.dumps(events + ["thread"] * (threading.active_count() - 1)))
"""


def effects(code: str, directory: Path) -> list[str]:
    """Return what the code does to the world: connections, files opened for writing, processes, threads."""
    finished = subprocess.run(
        [sys.executable, "-B", "-c", _WATCHED.replace("{code}", code)],
        cwd=directory,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(finished.stdout)
    return found


@pytest.mark.parametrize(
    "code",
    [
        "import herzum_approval.app",
        "import herzum_approval.cli",
        "from herzum_approval.app import create_app\ncreate_app()",
    ],
)
def test_no_work_at_import(code: str, tmp_path: Path) -> None:
    assert effects(code, tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "code",
    [
        "import sqlite3\nsqlite3.connect('site.db')",
        "open('file', 'w')",
        "threading.Thread(target=threading.Event().wait, daemon=True).start()",
        "import subprocess\nsubprocess.run(['/bin/true'])",
    ],
)
def test_work_is_seen(code: str, tmp_path: Path) -> None:
    assert effects(code, tmp_path) != []
