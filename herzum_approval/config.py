"""The settings: one table of name, default and meaning, read from the environment or a TOML file.

Each field of `Settings` is the variable `HERZUM_APPROVAL_<NAME IN CAPITALS>` and the key of the
same name in the file that `HERZUM_APPROVAL_CONFIG_FILE` names; the environment wins over the file.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX = "HERZUM_APPROVAL_"

LEAST_BCRYPT_COST = 12
"""Of a site that is no demonstration; a setting cannot be weaker, and tests that need it lower set it so."""


def _setting(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set from outside, with its default."""

    database_url: str = _setting(
        "sqlite:///herzum-approval.db",
        "Where the data live: `sqlite:///FILE` or, with the `postgres` extra, `postgresql://…`.",
    )
    database_read_url: str = _setting(
        "",
        "A copy that follows a PostgreSQL database, `postgresql://…`: searches of callers with a session "
        "may be served from there. Empty: everything is read where it is written.",
    )
    database_read_after_write_seconds: float = _setting(
        10.0,
        "How long a session that wrote something searches where it wrote: longer than the copy ever lags.",
    )
    database_synchronous: str = _setting(
        "FULL",
        "SQLite only. FULL keeps every answered write through a power loss; NORMAL is faster and may "
        "lose the last writes of a machine that loses power (never of a killed process).",
    )
    database_connections: int = _setting(16, "Open database connections at most, per worker process.")
    database_wait_seconds: float = _setting(
        5.0,
        "How long a request waits for a connection or a lock, and starts again what a deadlock or a lost "
        "connection undid, before it is answered 503.",
    )
    demonstration: bool = _setting(
        False,
        "Serve the demonstration site: its accounts, and the `/__emulator` endpoints that reset and "
        "replace all data without a login. Never on a server that others can reach.",
    )
    host: str = _setting("127.0.0.1", "Address that `serve` listens on.")
    port: int = _setting(2990, "Port that `serve` listens on; Jira's own development port.")
    workers: int = _setting(
        0, "Worker processes of `serve`; 0 for one per processor, and for one alone in the demonstration."
    )
    threads: int = _setting(
        64,
        "Request threads of each worker process; more than connections, since slow clients hold threads too.",
    )
    stopping_seconds: int = _setting(
        5, "How long requests under way may go on once `serve` is to stop, before they are cut off."
    )
    context_path: str = _setting(
        "/jira", "A second path below which the whole site answers too, as a Jira behind a context path."
    )
    base_url: str = _setting(
        "", "The site's public address, used in links; empty takes it from each request."
    )
    server_title: str = _setting("Jira", "The title that serverInfo shows.")
    time_zone: str = _setting(
        "UTC", "The zone in which the dates of the wire are spelt (`dd/MM/yyyy HH:mm:ss` names none)."
    )
    bcrypt_cost: int = _setting(
        12, "Work factor of password hashes; less than 12 is accepted in demonstration mode and tests only."
    )
    failed_logins_allowed: int = _setting(
        3, "Failures after which a user's passwords are refused until an administrator clears them."
    )
    credential_cache_seconds: float = _setting(
        60.0, "How long a verified Basic credential is remembered in memory; 60 at most, 0 not at all."
    )
    session_idle_seconds: int = _setting(5 * 3600, "A session unused for so long is dead (Jira: 5 hours).")
    session_absolute_seconds: int = _setting(7 * 24 * 3600, "A session older than this is dead, used or not.")
    cookie_secure: bool = _setting(
        False, "Mark session cookies Secure even where the request did not arrive by https."
    )
    max_body_bytes: int = _setting(1024 * 1024, "A longer request body is refused with 413.")
    max_json_depth: int = _setting(64, "JSON nested deeper than this is refused with 400.")
    jsm_ops_strict: bool = _setting(
        False,
        "Custom user roles: refuse unknown rights and rights without their likely prerequisite with 422, and "
        "ask for the scope of writing where the reference prints that of reading alone (create).",
    )
    jsm_ops_error_shape: str = _setting(
        "observed",
        "Errors of JSM Operations: `observed` is `{message, took, requestId}`, as the service answers; "
        "`intro` is `{errors: [{title}]}`, as the introduction of its reference says.",
    )
    jsm_ops_id_seed: str = _setting(
        "",
        "With a seed, the ids of new custom user roles follow from it and from their names; empty: random.",
    )
    smtp_host: str = _setting(
        "", "The mail server that `deliver` sends messages by; without one they stay in the database."
    )
    smtp_port: int = _setting(25, "The mail server's port.")
    smtp_starttls: bool = _setting(False, "Whether to speak TLS with the mail server (STARTTLS).")
    smtp_username: str = _setting("", "The account at the mail server, if it wants one.")
    smtp_password: str = _setting("", "That account's password.")
    smtp_sender: str = _setting("jira@localhost", "The address that messages come from.")
    smtp_timeout_seconds: float = _setting(30.0, "How long to wait for the mail server.")
    approval_path_http_hosts: str = _setting(
        "",
        "Whom HTTP steps of approval paths may be sent to by `deliver`: host names, addresses and ranges, "
        "separated by commas. Private and loopback addresses only where an address or a range names them; "
        "empty sends nothing.",
    )
    approval_path_http_answer: int = _setting(
        200,
        "The status with which the request of an HTTP step counts as answered at once that is recorded and "
        "not sent; 0 leaves it open until an administrator says what was answered.",
    )
    approval_path_http_timeout_seconds: float = _setting(
        10.0, "How long the answer to an HTTP step's request may take, in all."
    )
    approval_path_http_max_bytes: int = _setting(
        64 * 1024, "How much of such an answer is read; a longer one is no answer."
    )
    approval_path_returns_running: bool = _setting(
        False, "Creating an approval returns the one of this definition that runs there already, as of old."
    )
    approval_path_lists_archived: bool = _setting(
        False, "The Web API lists archived approvals among the others."
    )
    approval_path_deletes: bool = _setting(
        True, "The Web API has `DELETE /approvals/{ref-id}/{approval-id}`, whose path and answer are ours."
    )
    approval_path_time_zone: str = _setting(
        "Europe/Warsaw", "The zone in which the Web API spells `lastUpdated`; that of the vendor's example."
    )
    trusted_proxies: str = _setting(
        "",
        "Addresses and ranges of proxies, separated by commas, whose `X-Forwarded-For` is believed where an "
        "API key allows certain addresses only. They must set the header themselves.",
    )
    key_file: str = _setting(
        "",
        "The file of the keys that encrypt API keys. Empty is beside the SQLite file, with the ending "
        "`.keys`, `herzum-approval.keys` for PostgreSQL, a key that everybody knows in the demonstration.",
    )
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR.")
    access_log: bool = _setting(
        False, "Log a line for each request: method, route, status, time, and never what was sent."
    )
    config_file: str = _setting("", "A TOML file with these settings, keys in lower case.")


_current: ContextVar[Settings] = ContextVar("settings")


def current() -> Settings:
    """Return the settings in force here; LookupError outside of `active`."""
    return _current.get()


def activate(settings: Settings) -> None:
    """Make `settings` the current ones for the rest of the present context."""
    _current.set(settings)


@contextmanager
def active(settings: Settings) -> Iterator[Settings]:
    """Make `settings` the current ones within a `with` block."""
    token = _current.set(settings)
    try:
        yield settings
    finally:
        _current.reset(token)


def load(environ: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """Return the settings of file, environment and `overrides`, the later winning.

    Raises: ValueError naming the setting, where a name or a value makes no sense.
    """
    values: dict[str, Any] = {}
    config_file = str(overrides.get("config_file") or environ.get(PREFIX + "CONFIG_FILE", ""))
    if config_file:
        values.update(tomllib.loads(Path(config_file).read_text(encoding="utf-8")))
    for setting in fields(Settings):
        text = environ.get(PREFIX + setting.name.upper())
        if text is not None:
            values[setting.name] = text
    values.update(overrides)
    settings = Settings(**_typed(values))
    _check(settings)
    return settings


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    types = get_type_hints(Settings)
    typed = {}
    for name, value in values.items():
        if name not in types:
            raise ValueError(f"There is no setting {name}.")
        typed[name] = _convert(name, value, types[name])
    return typed


def _convert(name: str, value: Any, wanted: type) -> Any:
    if wanted is bool and isinstance(value, str):
        spelling = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
        if value.strip().lower() not in spelling:
            raise ValueError(f"The setting {name} is true or false, not {value!r}.")
        return spelling[value.strip().lower()]
    try:
        return wanted(value)
    except ValueError:
        raise ValueError(f"The setting {name} is of type {wanted.__name__}, not {value!r}.") from None


def _check(settings: Settings) -> None:
    for name in ("time_zone", "approval_path_time_zone"):
        try:
            ZoneInfo(getattr(settings, name))
        except (OSError, ValueError, ZoneInfoNotFoundError):
            raise ValueError(f"The setting {name} is the name of a zone, such as Europe/Warsaw.") from None
    if settings.database_synchronous not in ("FULL", "NORMAL"):
        raise ValueError("The setting database_synchronous is FULL or NORMAL.")
    if settings.database_connections < 1 or settings.threads < 1 or settings.workers < 0:
        raise ValueError("The settings database_connections and threads are at least 1, workers at least 0.")
    if settings.database_wait_seconds <= 0 or settings.database_read_after_write_seconds < 0:
        raise ValueError("The setting database_wait_seconds is more than 0, read_after_write at least 0.")
    if settings.database_read_url and settings.database_url.startswith("sqlite:"):
        raise ValueError("The setting database_read_url is for PostgreSQL.")
    if settings.stopping_seconds < 1:
        raise ValueError("The setting stopping_seconds is at least 1.")
    if settings.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("The setting log_level is DEBUG, INFO, WARNING or ERROR.")
    if settings.jsm_ops_error_shape not in ("observed", "intro"):
        raise ValueError("The setting jsm_ops_error_shape is observed or intro.")
    if not 4 <= settings.bcrypt_cost <= 18:
        raise ValueError("The setting bcrypt_cost lies between 4 and 18.")
    if settings.bcrypt_cost < LEAST_BCRYPT_COST and not settings.demonstration:
        raise ValueError(
            f"The setting bcrypt_cost is less than {LEAST_BCRYPT_COST} in demonstration mode only."
        )
    if settings.approval_path_http_answer and not 100 <= settings.approval_path_http_answer <= 599:
        raise ValueError("The setting approval_path_http_answer is a status from 100 to 599, or 0.")
    if settings.approval_path_http_timeout_seconds <= 0 or settings.approval_path_http_max_bytes < 0:
        raise ValueError("The settings approval_path_http_timeout_seconds and _max_bytes are positive.")
    for name in ("session_idle_seconds", "session_absolute_seconds", "max_body_bytes", "max_json_depth"):
        if getattr(settings, name) < 1:
            raise ValueError(f"The setting {name} is at least 1, or nothing would be accepted.")
    if settings.failed_logins_allowed < 1:
        raise ValueError("The setting failed_logins_allowed is at least 1, or nobody could sign in.")
    if not 0 <= settings.credential_cache_seconds <= 60:
        raise ValueError("The setting credential_cache_seconds lies between 0 and 60.")
