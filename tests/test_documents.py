"""The documents say what is so: generated pages, links, commands with their outputs, and the parity list."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from herzum_approval import documents
from herzum_approval.app import create_app
from herzum_approval.cli import main
from herzum_approval.config import PREFIX, Settings
from herzum_approval.errors import FAMILIES, Fault
from tests.live import ROOT, LiveServer, shell_environment

DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.glob("*.md")])
DOCUMENTED_FAMILIES = FAMILIES[:-1]
ADDRESS = "127.0.0.1:2990"
"""Where the documents find the server; the tests put their own in its place."""


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# -- generated pages --------------------------------------------------------------------------


def test_errors_page() -> None:
    assert text_of(DOCS / "errors.md") == documents.errors_page()


def test_settings_page() -> None:
    assert text_of(DOCS / "settings.md") == documents.settings_page()


def test_every_setting_is_documented() -> None:
    rows = table_rows(documents.settings_page())
    assert [row[0] for row in rows] == [f"`{PREFIX}{each.name.upper()}`" for each in fields(Settings)]
    assert all(meaning.endswith(".") and len(meaning) > 20 for _, _, meaning in rows)
    by_name = {name: default for name, default, _ in rows}
    assert by_name[f"`{PREFIX}PORT`"] == "`2990`"
    assert by_name[f"`{PREFIX}DEMONSTRATION`"] == "`false`"
    assert by_name[f"`{PREFIX}BASE_URL`"] == "*empty*"


def test_every_filled_column_is_documented() -> None:
    page = documents.errors_page()
    sections = re.split(r"^## .*$", page, flags=re.MULTILINE)[1:]
    assert len(sections) == len(FAMILIES)
    for family, section in zip(FAMILIES, sections, strict=True):
        named = [fault.name for fault in Fault if getattr(fault.value, family) is not None]
        assert [row[0] for row in table_rows(section)] == named


def test_blanks_are_shown() -> None:
    page = documents.errors_page()
    assert "| `If the paramenter appname is present it cannot be empty␠` |" in page
    assert "| `The username cannot be empty` |" in page
    assert documents._code("two  blanks ") == "`two␠␠blanks␠`"


@pytest.mark.parametrize("family", DOCUMENTED_FAMILIES)
def test_openapi_document(family: str) -> None:
    assert json.loads(text_of(DOCS / "openapi" / f"{family}.json")) == openapi(family)


def openapi(family: str) -> dict[str, Any]:
    document = create_app(demonstration=True).test_client().get(f"/openapi/{family}.json").get_json()
    assert isinstance(document, dict)
    return document


def table_rows(page: str) -> list[list[str]]:
    """Return the cells of each row of the page's tables, heads aside."""
    lines = re.findall(r"^\|(.*)\|$", page, flags=re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    heads = {place - 1 for place, row in enumerate(rows) if set(row) == {"---"}}
    return [row for place, row in enumerate(rows) if place not in heads and set(row) != {"---"}]


# -- links ------------------------------------------------------------------------------------

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def links(page: Path) -> Iterator[str]:
    return (link for link in LINK.findall(without_code(text_of(page))) if "://" not in link)


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def broken_links(page: Path) -> list[str]:
    """Return the relative links of the page that lead nowhere, by file or by heading."""
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", without_code(text_of(page)), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links(page: Path) -> None:
    assert broken_links(page) == []


def test_broken_links_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A head\n[a](none.md) [b](#a-head) [c](#none) [d](page.md#a-head) [e](https://x.example)"
    )
    assert broken_links(page) == ["none.md", "#none"]


def test_every_page_can_be_reached() -> None:
    """From the README, over links."""
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        ahead += [(page.parent / path).resolve() for link in links(page) if (path := link.partition("#")[0])]
    assert set(PAGES) <= reached


# -- commands ---------------------------------------------------------------------------------

CONSOLE = re.compile(r"^```console\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[tuple[str, str]]:
    """Return each command of the page's console blocks with the output that the page shows."""
    found: list[tuple[str, str]] = []
    for block in CONSOLE.findall(page):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], ""))
            else:
                command, output = found[-1]
                found[-1] = (command, f"{output}{line}\n")
    return found


def outputs(lines: list[str], directory: Path, address: str) -> list[str]:
    """Run the commands in one shell, as somebody who reads the page would, and return what each printed."""
    script = "\n".join(
        f"exec > {place}.txt 2>&1\n{line.replace(ADDRESS, address)}" for place, line in enumerate(lines)
    )
    environment = shell_environment(directory)
    subprocess.run(["bash", "-c", script], cwd=directory, check=True, timeout=60, env=environment)
    return [
        text_of(directory / f"{place}.txt").replace(address, ADDRESS).rstrip("\n")
        for place in range(len(lines))
    ]


@pytest.fixture
def shell(live_server: LiveServer) -> LiveServer:
    missing = [tool for tool in ("bash", "curl") if shutil.which(tool) is None]
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"the commands of the documents need {' and '.join(missing)}")
    assert not missing, missing
    live_server.reset()
    return live_server


@pytest.mark.parametrize("page", [page for page in PAGES if CONSOLE.search(text_of(page))], ids=name_of)
def test_commands(shell: LiveServer, tmp_path: Path, page: Path) -> None:
    shown = commands(text_of(page))
    printed = outputs([command for command, _ in shown], tmp_path, shell.hostname)
    for (command, output), actual in zip(shown, printed, strict=True):
        assert actual == output.rstrip("\n"), command


def test_the_tour_shows_something() -> None:
    shown = commands(text_of(ROOT / "README.md"))
    assert len(shown) >= 10
    assert all(output or re.match(r"\w+=", command) for command, output in shown)


def test_the_tour_searches_acts_and_copies() -> None:
    tour = "\n".join(command for command, _ in commands(text_of(ROOT / "README.md")))
    for words in ("$SEARCH?", "/action", "bulk-mapping-operation", "/__emulator/reset"):
        assert words in tour


def test_wrong_outputs_are_seen(tmp_path: Path) -> None:
    shown = commands("```console\n$ X=1\n$ echo $X\n2\n$ printf 'a\\n\\nb'\na\n\nb\n```\n")
    assert shown == [("X=1", ""), ("echo $X", "2\n"), ("printf 'a\\n\\nb'", "a\n\nb\n")]
    assert outputs([command for command, _ in shown], tmp_path, ADDRESS) == ["", "1", "a\n\nb"]


def test_the_quick_start_names_every_command() -> None:
    (table,) = re.findall(r"^\| command \| does \|$.*?\n\n", text_of(DOCS / "quick-start.md"), re.M | re.S)
    named = {cell.strip("`").split()[0] for row in table_rows(table) for cell in row[0].split(", ")}
    assert set(main.commands) <= named


# -- parity -----------------------------------------------------------------------------------


@pytest.mark.parametrize("family", DOCUMENTED_FAMILIES)
def test_parity_names_every_operation_and_parameter(family: str) -> None:
    page = text_of(DOCS / "parity.md")
    for path in openapi(family)["paths"].values():
        for name, operation in path.items():
            if name == "parameters":
                continue
            assert f"| `{operation['operationId']}` |" in page
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    assert f"`{parameter['name']}`" in page


@pytest.mark.parametrize("family", DOCUMENTED_FAMILIES)
def test_parity_lists_every_fault(family: str) -> None:
    """With its code and status, in the family's part of the page; and no fault that is gone."""
    names = {"herzum": "Herzum Approval", "jsm_ops": "JSM Operations", "approval_path": "Approval Path"}
    heading = names.get(family, family.title())
    _, _, rest = text_of(DOCS / "parity.md").partition(f"\n## {heading}")
    rows = table_rows(rest.partition("\n## ")[0])
    listed = {cell: row for row in rows for cell in row if re.fullmatch(r"[A-Z]+(_[A-Z]+)+|BUSY", cell)}
    wires = {fault.name: wire for fault in Fault if (wire := getattr(fault.value, family)) is not None}
    assert set(listed) == set(wires)
    for name, row in listed.items():
        assert str(wires[name].status) in row, name
        assert wires[name].code is None or f"`{wires[name].code}`" in row, name


def test_search_page_names_every_parameter_and_member() -> None:
    page = text_of(DOCS / "search.md")
    path = openapi("herzum")["paths"]["/rest/herzum-hap-services/1.0/api/issueapprovals"]
    for parameter in path["get"]["parameters"]:
        assert f"| `{parameter['name']}` |" in page
    for member in openapi("herzum")["components"]["schemas"]["IssueApproval"]["properties"]:
        assert f"`{member}`" in page
