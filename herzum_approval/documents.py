"""The reference pages that are made out of the tables in the code: the errors and the settings."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from herzum_approval.config import PREFIX, Settings
from herzum_approval.errors import FAMILIES, Fault, Wire

_GENERATED = "<!-- Made by `make docs` from {source}. Change that file, not this one. -->"

_FAMILY_TITLES = {
    "herzum": ("Herzum Approval", "`/rest/herzum-hap-services/1.0`"),
    "jira": ("Jira", "the rest of `/rest`"),
    "approval_path": ("Approval Path", "`/webapi`"),
    "administration": ("Administration", "`/rest/approval-admin/1.0`"),
    "jsm_ops": ("JSM Operations", "`/jsm/ops/api` and `/ex/jira`"),
    "emulator": ("Emulator", "`/__emulator`, in demonstration mode only"),
    "outside": ("Outside of every family", "all other paths"),
}


def errors_page() -> str:
    """Return the error catalogue as Markdown: one table for each API family."""
    lines = [
        _GENERATED.format(source="herzum_approval/errors.py"),
        "",
        "# Errors",
        "",
        "Everything that can go wrong, in the words of each API family. `{…}` stands for what is filled in,",
        "`␠` for a blank at the end of a text or for each of several in a row.",
        "*Source*: where the words come from; *inferred* is our reading of the vendor, *ours* a case that no",
        "vendor documents. An answer without a code has Jira's shape; *HTML* says that it is a page.",
    ]
    for family in FAMILIES:
        lines += ["", *_family_section(family)]
    return "\n".join(lines) + "\n"


def _family_section(family: str) -> Iterator[str]:
    title, paths = _FAMILY_TITLES[family]
    yield f"## {title}"
    yield ""
    yield f"Paths: {paths}."
    yield ""
    yield from _table(
        ("fault", "HTTP", "code", "text", "headers", "source"),
        [_error_row(fault, wire) for fault in Fault if (wire := getattr(fault.value, family)) is not None],
    )


def _error_row(fault: Fault, wire: Wire) -> tuple[str, ...]:
    text = _code(wire.text) + (" (HTML)" if wire.is_html else "")
    headers = "<br>".join(_code(f"{name}: {value}") for name, value in wire.headers)
    code = "" if wire.code is None else _code(wire.code)
    return fault.name, str(wire.status), code, text, headers, wire.source


def settings_page() -> str:
    """Return every setting as Markdown: its variable, its default and what it means."""
    lines = [
        _GENERATED.format(source="herzum_approval/config.py"),
        "",
        "# Settings",
        "",
        f"Each is an environment variable, or a key of the TOML file that `{PREFIX}CONFIG_FILE` names: in",
        f"lower case and without `{PREFIX}`. The environment wins over the file.",
        "",
        *_table(("variable", "default", "meaning"), [_setting_row(setting) for setting in fields(Settings)]),
    ]
    return "\n".join(lines) + "\n"


def _setting_row(setting: Any) -> tuple[str, str, str]:
    variable = _code(PREFIX + setting.name.upper())
    return variable, _code(_default(setting.default)), setting.metadata["meaning"]


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _line(heads)
    yield _line(["---"] * len(heads))
    yield from map(_line, rows)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _code(text: str) -> str:
    """Return the text as code, with the blanks marked that a page would swallow."""
    if not text:
        return "*empty*"
    body = text.rstrip(" ")
    marked = body.replace("  ", "␠␠") + "␠" * (len(text) - len(body))
    return f"`{marked}`"
