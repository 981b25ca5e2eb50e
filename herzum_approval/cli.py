"""The command line: `herzum-approval`. Each command is a few lines over a service."""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn, TextIO

import click

from herzum_approval import __version__, config, documents, metrics
from herzum_approval.app import create_app, log_settings, open_site, preload
from herzum_approval.domain.configuration import LicenceState
from herzum_approval.errors import FAMILIES, Problem
from herzum_approval.services import (
    accounts,
    api_keys,
    approval_paths,
    databases,
    encryption,
    http_calls,
    licence,
    logins,
    messages,
    sealed_keys,
    snapshot,
)

DEMONSTRATION_BCRYPT_COST = "4"
"""The demonstration's passwords are known to everybody; hashing them hard only delays its start."""

HEADER_SECONDS = 15
"""How long a client may take to send the head of a request; until then it holds a connection, no thread."""


class _Commands(click.Group):
    """Commands whose problems are one line on stderr and exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (Problem, ValueError) as error:
            raise click.ClickException(_told(error)) from error


def _told(error: Problem | ValueError) -> str:
    if isinstance(error, ValueError):
        return str(error)
    text = error.fault.wire("emulator").text.format_map(error.details)
    return f"{text} ({error.__cause__})" if error.__cause__ else text


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="herzum-approval")
def main() -> None:
    """A small server that speaks the REST API of Herzum Approval.

    Settings come from HERZUM_APPROVAL_* variables or a TOML file; see: herzum-approval settings
    """


@contextmanager
def _site(*, is_initialised: bool = True) -> Iterator[None]:
    """Open the site that the settings name, in its newest schema."""
    with open_site(config.load()):
        approval_paths.allowed_hosts(config.current().approval_path_http_hosts)
        databases.migrate()
        if is_initialised:
            databases.require_initialised()
        yield


# -- serving ----------------------------------------------------------------------------------


@main.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1), help="Worker processes.")
@click.option("--demo", is_flag=True, help="Serve the demonstration site, from its seed.")
def serve(host: str | None, port: int | None, workers: int | None, demo: bool) -> None:
    """Serve the site by HTTP until stopped."""
    signal.signal(signal.SIGTERM, _stop)
    # Worker processes read their settings from the environment.
    _set(host=host, port=port, workers=workers, demonstration=demo or None)
    _require_free_port(config.load())
    with _demonstration() if demo else _own_site():
        _run_server(config.load())


def _stop(*_: object) -> NoReturn:
    sys.exit(0)


def _require_free_port(settings: config.Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        raise ValueError(f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}") from None


def _set(**values: object) -> None:
    given = {config.PREFIX + name.upper(): str(value) for name, value in values.items() if value is not None}
    os.environ.update(given)


@contextmanager
def _own_site() -> Iterator[None]:
    """Have the site that the settings name, brought up to date."""
    with _site():
        _have_keys()
    yield


@contextmanager
def _demonstration() -> Iterator[None]:
    """Have the demonstration site in the database that the settings name, or in one that goes at the end."""
    os.environ.setdefault(config.PREFIX + "BCRYPT_COST", DEMONSTRATION_BCRYPT_COST)
    with TemporaryDirectory(prefix="herzum-approval-") as directory:
        os.environ.setdefault(config.PREFIX + "DATABASE_URL", f"sqlite:///{Path(directory, 'demo.db')}")
        with _site(is_initialised=False):
            if not accounts.has_users():
                snapshot.reset()
            _have_keys()
        yield


def _have_keys() -> None:
    """Have the key file that API keys need, or say what is wrong with it or with their settings."""
    api_keys.require_settings()
    written = sealed_keys.prepare()
    if written:
        click.echo(f"Wrote {written}, which encrypts API keys. Keep a copy, but not beside the database's.")


def _run_server(settings: config.Settings) -> None:
    workers = settings.workers or (1 if settings.demonstration else len(os.sched_getaffinity(0)))
    with _shared_metrics() if workers > 1 else nullcontext():
        _run_workers(settings, workers)


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """Have a directory in which the workers keep what they count; it goes at the end."""
    with TemporaryDirectory(prefix="herzum-approval-metrics-") as directory:
        os.environ[metrics.DIRECTORY_VARIABLE] = directory
        try:
            yield
        finally:
            del os.environ[metrics.DIRECTORY_VARIABLE]


def _run_workers(settings: config.Settings, workers: int) -> None:
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    server = Granian(
        "herzum_approval.app:serving",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=settings.threads,
        factory=True,
        http=HTTPModes.http1,
        respawn_failed_workers=True,
        workers_kill_timeout=settings.stopping_seconds,
        websockets=False,
        log_dictconfig=log_settings(),
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
        log_level=LogLevels.debug if settings.log_level == "DEBUG" else LogLevels.error,
    )
    preload()
    server.on_startup(lambda: click.echo(_greeting(settings)))
    _let_new_workers_stop()
    server.serve()


def _let_new_workers_stop() -> None:
    """Have every worker that still starts end where it is told to stop.

    It is forked with a handler that is meant for its parent and notes the signal only, so that it would
    start nevertheless, hear of nothing any more, and be waited for until it is killed. In the moment of
    the fork the signal is held back, lest it come when no handler stands.
    """
    stop = {signal.SIGTERM}

    def begin_worker() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, stop)

    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, stop),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, stop),
        after_in_child=begin_worker,
    )


def _greeting(settings: config.Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{settings.port}"
    if not settings.demonstration:
        return f"Serving on {address} (stop with Ctrl-C)"
    people = "admin, alice, bob, carol and dave, whose passwords are their usernames"
    return f"Serving the demonstration site on {address} for {people} (stop with Ctrl-C)"


# -- people -----------------------------------------------------------------------------------

_password_option: Callable[[Any], Any] = click.option(
    "--password-stdin", is_flag=True, help="Take the password from the first line of standard input."
)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


@main.command()
@click.option("--username", help="Name of the first administrator; asked for where it is not given.")
@_password_option
def init(username: str | None, password_stdin: bool) -> None:
    """Prepare the database and create the first administrator."""
    with _site(is_initialised=False):
        accounts.require_no_users()
        username = username or click.prompt("Username of the first administrator")
        accounts.create_first_administrator(username, _password(password_stdin))
        _have_keys()
        click.echo(f"{username} administers the site. Start it with: herzum-approval serve")


@main.group()
def user() -> None:
    """Add users, change their passwords, let them in or keep them out."""


@user.command("add")
@click.argument("username")
@click.option("--display-name", default="", help="Shown instead of the username.")
@click.option("--email", default="")
@click.option("--group", "groups", multiple=True, default=(accounts.USERS,), show_default=True)
@_password_option
def add_user(
    username: str, display_name: str, email: str, groups: tuple[str, ...], password_stdin: bool
) -> None:
    """Add a user."""
    with _site():
        password = _password(password_stdin)
        accounts.create_user(username, password, display_name=display_name, email=email, groups=groups)
        click.echo(f"Added {username}.")


@user.command("password")
@click.argument("username")
@_password_option
def change_password(username: str, password_stdin: bool) -> None:
    """Give a user a new password; all their sessions end."""
    with _site():
        password = accounts.require_password(_password(password_stdin))
        _require(logins.set_password(username, password), username)
        click.echo(f"{username} has a new password.")


@user.command("deactivate")
@click.argument("username")
def deactivate_user(username: str) -> None:
    """Keep a user out; all their sessions end."""
    with _site():
        _require(logins.deactivate(username), username)
        click.echo(f"{username} cannot sign in any more.")


@user.command("unlock")
@click.argument("username")
def unlock_user(username: str) -> None:
    """Forget a user's failed logins."""
    with _site():
        _require(logins.unlock(username), username)
        click.echo(f"{username} may try to sign in again.")


@user.command("list")
def list_users() -> None:
    """List every user: name, state, groups."""
    with _site():
        for each in accounts.list_users():
            state = "active" if each.is_active else "inactive"
            click.echo(f"{each.username}\t{state}\t{', '.join(each.groups)}")


def _require(is_found: bool, username: str) -> None:
    if not is_found:
        raise ValueError(f"There is no user {username}.")


# -- the licence ------------------------------------------------------------------------------


@main.group("licence")
def licence_group() -> None:
    """Show or set the plugin's licence."""


@licence_group.command("show")
def show_licence() -> None:
    """Show whether the licence is valid or expired."""
    with _site():
        click.echo(licence.licence().state.value)


@licence_group.command("set")
@click.argument("state", type=click.Choice([state.value for state in LicenceState]))
def set_licence(state: str) -> None:
    """Make the licence valid or expired."""
    with _site():
        click.echo(licence.set_licence(LicenceState(state)).state.value)


# -- the whole state --------------------------------------------------------------------------


@main.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
def import_file(file: TextIO) -> None:
    """Replace the whole state by a snapshot document; `-` reads standard input."""
    with _site(is_initialised=False), _progress() as progress:
        encryption.create_key_file()
        snapshot.import_all(_parsed(file), progress)


def _parsed(file: TextIO) -> object:
    try:
        return json.load(file, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file.name} is no JSON document: {error}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show what is done: a bar on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield lambda name, done, total: click.echo(f"{name}: {done} of {total}", err=True)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def show(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done)

        yield show


@main.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8", atomic=True))
def export_file(file: TextIO) -> None:
    """Write the whole state as a snapshot document; `-` writes to standard output."""
    with _site():
        json.dump(snapshot.export_all(), file, ensure_ascii=False, indent=2)
        file.write("\n")


@main.command()
@click.pass_context
def verify(context: click.Context) -> None:
    """Look the database over, and say what is wrong; exit code 1 where anything is."""
    with _site():
        faults = databases.find_faults()
    for fault in faults:
        click.echo(fault)
    if faults:
        context.exit(1)
    click.echo("The database is whole.")


@main.command()
def deliver() -> None:
    """Send what waits: messages by the mail server, requests of HTTP steps to the hosts that are listed."""
    with _site():
        hosts, mail_server = config.current().approval_path_http_hosts, config.current().smtp_host
        if hosts:
            answered, failed = http_calls.deliver()
            click.echo(f"HTTP steps: {answered} answered, {failed} without an answer.")
            if not mail_server:
                return
        try:
            sent, left = messages.deliver()
        except OSError as error:
            raise click.ClickException(f"The mail server cannot be reached: {error}") from error
    click.echo(f"Sent {sent}, left {left}.")
    if left:
        raise SystemExit(1)


@main.command("copy-database")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--replace", is_flag=True, help="Delete what the target holds, instead of refusing it.")
def copy_database(source: str, target: str, replace: bool) -> None:
    """Copy a whole site from one database address to another, of either engine, and compare all rows.

    Nothing is kept of a copy that is not equal or not complete. The site may be served meanwhile: it is
    copied as it stands at one moment.
    """
    with _progress() as progress:
        count = databases.copy(source, target, replaces=replace, progress=progress)
    click.echo(f"Copied {count} rows; all of them are equal.")


# -- encryption -------------------------------------------------------------------------------


@main.group("encryption")
def encryption_group() -> None:
    """Change the keys by which API keys are encrypted."""


@encryption_group.command("rotate")
def rotate_keys() -> None:
    """Put a new key into the key file, and encrypt every API key by it; servers may run meanwhile."""
    with _site():
        click.echo(f"Encrypted {sealed_keys.rotate()} API keys by a new key.")


@encryption_group.command("forget")
def forget_keys() -> None:
    """Drop old keys that no API key needs; backups and exports that need them are lost."""
    with _site():
        click.echo(f"Dropped {sealed_keys.forget()} keys.")


# -- documents --------------------------------------------------------------------------------


@main.command()
def errors() -> None:
    """Print the error catalogue as Markdown: docs/errors.md."""
    click.echo(documents.errors_page(), nl=False)


@main.command()
def settings() -> None:
    """Print every setting as Markdown: docs/settings.md."""
    click.echo(documents.settings_page(), nl=False)


@main.command()
@click.argument("family", type=click.Choice([name for name in FAMILIES if name != "outside"]))
def openapi(family: str) -> None:
    """Print the OpenAPI document of an API family: docs/openapi/FAMILY.json."""
    app = create_app(demonstration=True)  # which connects to no database before it must
    document = app.test_client().get(f"/openapi/{family}.json").get_json()
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
