"""The command line, command by command, on a database of its own."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from herzum_approval import cli, config
from herzum_approval.app import open_site
from herzum_approval.cli import main
from herzum_approval.domain.approval_paths import Product
from herzum_approval.examples import merged
from herzum_approval.services import approval_paths, encryption, logins, snapshot
from tests.live import free_port

ROOT = Path(__file__).parent.parent.parent
COST = "HERZUM_APPROVAL_BCRYPT_COST"
DEMO = str(ROOT / "herzum_approval" / "data" / "demo.json")


@pytest.fixture(autouse=True)
def environment(tmp_path, monkeypatch):
    """Settings of a new database in SQLite and of cheap hashes; `serve` leaves none behind."""
    before = dict(os.environ)
    handler = signal.getsignal(signal.SIGTERM)
    for name in [name for name in before if name.startswith(config.PREFIX)]:
        del os.environ[name]
    os.environ["HERZUM_APPROVAL_DATABASE_URL"] = f"sqlite:///{tmp_path / 'site.db'}"
    os.environ[COST] = "4"
    monkeypatch.setattr(config, "LEAST_BCRYPT_COST", 4)
    yield
    os.environ.clear()
    os.environ.update(before)
    signal.signal(signal.SIGTERM, handler)


def run(*arguments, exit_code=0, **options):
    result = CliRunner().invoke(main, arguments, **options)
    assert result.exit_code == exit_code, result.output
    return result


def refused(*arguments, **options):
    """What a command that fails says on stderr: one line, and nothing of a traceback."""
    result = run(*arguments, exit_code=1, **options)
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture
def initialised():
    run("init", "--username", "root", "--password-stdin", input="secret\n")


@pytest.fixture
def demonstration():
    run("import", DEMO)


def signs_in(username, password):
    with open_site(config.load()):
        return logins.verify_password(username, password).actor is not None


# -- people -----------------------------------------------------------------------------------


def test_init_asks_for_the_first_administrator():
    result = run("init", input="root\nsecret\nsecret\n")
    assert "root administers the site" in result.output
    assert "secret" not in result.output
    assert signs_in("root", "secret")


def test_init_asks_again_where_the_passwords_differ():
    assert "do not match" in run("init", input="root\nsecret\nother\nsecret\nsecret\n").output
    assert signs_in("root", "secret")


def test_init_works_once(initialised):
    assert "users already" in refused("init", input="other\n")


def test_init_refuses_an_empty_password():
    assert "cannot be empty" in refused("init", "--username", "root", "--password-stdin", input="\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "list"),
        ("licence", "show"),
        ("licence", "set", "valid"),
        ("export", "-"),
        ("verify",),
    ],
)
def test_nothing_works_before_init(arguments):
    assert refused(*arguments) == "Error: The database is not initialised. Run: herzum-approval init"


def test_nothing_is_served_before_init():
    assert "not initialised" in refused("serve", "--port", str(free_port()))


def test_users_are_added_and_listed(initialised):
    run("user", "add", "eve", "--display-name", "Eve", "--password-stdin", input="secret\r\n")
    assert signs_in("eve", "secret")
    assert run("user", "list").stdout.splitlines() == [
        "eve\tactive\tjira-software-users",
        "root\tactive\tjira-administrators, jira-software-users",
    ]


def test_a_user_is_added_to_the_groups_named(demonstration):
    groups = ("--group", "approvers", "--group", "jira-administrators")
    run("user", "add", "eve", *groups, "--password-stdin", input="secret\n")
    assert "eve\tactive\tapprovers, jira-administrators" in run("user", "list").stdout


def test_a_user_is_added_once(demonstration):
    assert "There is a user Bob already." in refused(
        "user", "add", "Bob", "--password-stdin", input="secret\n"
    )


def test_a_password_is_changed(demonstration):
    run("user", "password", "bob", input="secret\nsecret\n")
    assert signs_in("bob", "secret")
    assert not signs_in("bob", "bob")
    assert "cannot be empty" in refused("user", "password", "bob", "--password-stdin", input="")


def test_a_deactivated_user_is_kept_out(demonstration):
    run("user", "deactivate", "bob")
    assert not signs_in("bob", "bob")
    assert "bob\tinactive\t" in run("user", "list").stdout


def test_a_locked_user_is_unlocked(demonstration):
    for _ in range(3):
        assert not signs_in("bob", "wrong")
    assert not signs_in("bob", "bob")
    run("user", "unlock", "bob")
    assert signs_in("bob", "bob")


@pytest.mark.parametrize("command", ["password", "deactivate", "unlock"])
def test_nobody_is_changed_who_is_not_there(demonstration, command):
    options = ("--password-stdin",) if command == "password" else ()
    assert refused("user", command, "eve", *options, input="x\n") == "Error: There is no user eve."


# -- the licence ------------------------------------------------------------------------------


def test_the_licence_is_shown_and_set(initialised):
    assert run("licence", "show").stdout == "valid\n"
    assert run("licence", "set", "expired").stdout == "expired\n"
    assert run("licence", "show").stdout == "expired\n"
    assert "Invalid value" in run("licence", "set", "stolen", exit_code=2).stderr


# -- the whole state --------------------------------------------------------------------------


def test_export_then_import_is_the_same(demonstration, tmp_path):
    file = str(tmp_path / "site.json")
    run("export", file)
    exported = Path(file).read_text(encoding="utf-8")
    run("import", file)
    assert run("export", "-").stdout == exported
    assert run("import", "-", input=exported).exit_code == 0
    assert run("export", "-").stdout == exported
    assert json.loads(exported)["users"][2]["username"] == "bob"


def test_import_tells_its_progress_in_plain_lines():
    lines = run("import", DEMO).stderr.splitlines()
    assert lines[:5] == [f"passwords: {number} of 5" for number in range(1, 6)]
    assert len(lines) == 6
    done, total = lines[5].removeprefix("rows: ").split(" of ")
    assert done == total


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_import_shows_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with cli._progress() as progress:
        progress("passwords", 5, 5)
        progress("rows", 1, 4)
        progress("rows", 4, 4)
    shown = sys.stderr.getvalue()
    assert "passwords" in shown
    assert "rows" in shown
    assert "100%" in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON document"),
        ("[NaN]", "NaN is no JSON"),
        ("[" * 100_000, "is no JSON document"),
        ("[]", "document: must be an object, not a list"),
        ('{"format": "herzum-approval/1", "users": [{"id": true}]}', "users[0].id: must be a whole number"),
    ],
)
def test_import_refuses_in_one_line(demonstration, text, said):
    before = run("export", "-").stdout
    assert said in refused("import", "-", input=text)
    assert run("export", "-").stdout == before


def test_import_refuses_what_is_no_text(demonstration, tmp_path):
    (tmp_path / "x.json").write_bytes(b"\xff\xfe")
    assert "is no JSON document" in refused("import", str(tmp_path / "x.json"))


def test_verify_says_what_is_wrong(demonstration):
    assert run("verify").stdout == "The database is whole.\n"
    with open_site(config.load()) as database, database.connection_context():
        database.execute_sql("UPDATE approval SET name_key = 'x' WHERE id = 1")
    assert run("verify", exit_code=1).stdout == "approval 1: name_key is x, not tech\n"


def test_a_database_that_cannot_be_opened_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("HERZUM_APPROVAL_DATABASE_URL", f"sqlite:///{tmp_path / 'missing' / 'site.db'}")
    assert "unable to open database file" in refused("verify")


def test_a_wrong_setting_is_one_line(monkeypatch):
    monkeypatch.setenv("HERZUM_APPROVAL_PORT", "abc")
    assert refused("verify") == "Error: The setting port is of type int, not 'abc'."


# -- encryption -------------------------------------------------------------------------------


def key_ids():
    with open_site(config.load()):
        return encryption.ring().ids


def test_init_writes_a_key_file_for_its_owner_only(tmp_path):
    result = run("init", "--username", "root", "--password-stdin", input="secret\n")
    file = tmp_path / "site.keys"
    assert f"Wrote {file}" in result.output
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text(encoding="ascii").splitlines()[-1] not in result.output


def test_keys_are_rotated_and_forgotten(demonstration):
    (first,) = key_ids()
    assert run("encryption", "rotate").stdout == "Encrypted 3 API keys by a new key.\n"
    second, kept = key_ids()
    assert kept == first != second
    assert run("verify").stdout == "The database is whole.\n"
    assert run("encryption", "forget").stdout == "Dropped 1 keys.\n"
    assert key_ids() == (second,)
    assert run("verify").stdout == "The database is whole.\n"


def test_a_lost_key_file_is_noticed_everywhere(demonstration, tmp_path):
    exported = run("export", "-").stdout
    (tmp_path / "site.keys").unlink()
    said = "the key file does not hold the key"
    assert said in refused("export", "-")
    assert said in run("verify", exit_code=1).stdout
    for command in (("encryption", "rotate"), ("serve", "--port", str(free_port()))):
        assert "site.keys lacks the key" in refused(*command)
        assert not (tmp_path / "site.keys").exists()
    assert said in refused("import", "-", input=exported)
    assert "mc96LyRi9nUQySSjKXEf8xfqUZzjS2CYhRK8bWSRRfQi" not in exported


def test_a_site_of_before_there_were_api_keys_gets_its_key_file_when_served(initialised, tmp_path):
    (tmp_path / "site.keys").unlink()
    with Server() as server:
        pass
    assert f"Wrote {tmp_path / 'site.keys'}" in server.output


def test_a_key_file_that_others_may_read_is_one_line(demonstration, tmp_path):
    (tmp_path / "site.keys").chmod(0o644)
    assert f"chmod 600 {tmp_path / 'site.keys'}" in refused("encryption", "rotate")


def test_wrong_proxies_are_one_line(initialised, monkeypatch):
    monkeypatch.setenv("HERZUM_APPROVAL_TRUSTED_PROXIES", "proxy.example.com")
    said = refused("serve", "--port", str(free_port()))
    assert said == (
        "Error: The setting trusted_proxies: "
        "'proxy.example.com' is neither an address nor a range of addresses"
    )


# -- what waits to be sent --------------------------------------------------------------------


def test_deliver_wants_a_mail_server_or_hosts(demonstration):
    assert refused("deliver") == "Error: No mail server is configured: set HERZUM_APPROVAL_SMTP_HOST."


def test_deliver_sends_http_steps_without_a_mail_server(demonstration, monkeypatch):
    port = free_port()
    monkeypatch.setenv("HERZUM_APPROVAL_APPROVAL_PATH_HTTP_HOSTS", "127.0.0.1")
    assert run("deliver").stdout == "HTTP steps: 0 answered, 0 without an answer.\n"
    step = {"kind": "HTTP", "url_template": f"http://127.0.0.1:{port}/"}
    definition = {"id": 500, "product": "jira", "name": "Hook", "steps": [step]}
    with open_site(config.load()):
        snapshot.import_all(merged(snapshot.export_all(), {"approval_definitions": [definition]}))
        issue = approval_paths.find_reference(Product.JIRA, "TEST-1")
        approval_paths.create_approval(issue, "500", performer="admin")
    assert run("deliver").stdout == "HTTP steps: 0 answered, 1 without an answer.\n"
    assert run("deliver").stdout == "HTTP steps: 0 answered, 0 without an answer.\n"


@pytest.mark.parametrize("command", ["serve", "deliver", "verify"])
def test_wrong_hosts_are_one_line(initialised, monkeypatch, command):
    monkeypatch.setenv("HERZUM_APPROVAL_APPROVAL_PATH_HTTP_HOSTS", "http://x")
    options = ("--port", str(free_port())) if command == "serve" else ()
    assert refused(command, *options) == (
        "Error: The setting approval_path_http_hosts: "
        "'http://x' is neither a host name nor a range of addresses"
    )


# -- documents --------------------------------------------------------------------------------


def test_settings_prints_every_setting():
    text = run("settings").stdout
    for setting in fields(config.Settings):
        assert config.PREFIX + setting.name.upper() in text


def test_errors_prints_the_catalogue():
    assert "issueapproval.appname.empty" in run("errors").stdout


def test_a_database_is_copied_and_never_over_another(demonstration, tmp_path):
    source = os.environ["HERZUM_APPROVAL_DATABASE_URL"]
    target = f"sqlite:///{tmp_path / 'copy.db'}"
    result = run("copy-database", source, target)
    assert "all of them are equal" in result.stdout
    assert "copied people_user: 6 of 6" in result.stderr.splitlines()
    assert "The target is not empty" in refused("copy-database", source, target)
    run("copy-database", source, target, "--replace")
    exported = run("export", "-").stdout
    os.environ["HERZUM_APPROVAL_DATABASE_URL"] = target
    assert "the key file does not hold the key" in refused("export", "-"), "it is no part of the database"
    os.environ["HERZUM_APPROVAL_KEY_FILE"] = str(tmp_path / "site.keys")
    assert run("export", "-").stdout == exported


# -- serving ----------------------------------------------------------------------------------


class Server:
    """`herzum-approval serve` as a process, stopped by a signal at the end."""

    def __init__(self, *options, stop=signal.SIGTERM):
        self.port = free_port()
        self.options = options
        self.stop = stop

    def __enter__(self):
        command = [
            sys.executable,
            "-m",
            "herzum_approval.cli",
            "serve",
            "--port",
            str(self.port),
            *self.options,
        ]
        # A process of its own refuses cheap hashes, as it should.
        environment = {name: value for name, value in os.environ.items() if name != COST}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        deadline = time.monotonic() + 20
        while not self.answers():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return self

    def answers(self):
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/rest/api/2/serverInfo", timeout=2) as answer:
                return answer.status == 200
        except (URLError, ConnectionError, TimeoutError):
            return False

    def __exit__(self, *_):
        try:
            self.process.send_signal(self.stop)
            self.output = self.process.communicate(timeout=15)[0]
        finally:
            self.process.kill()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_demonstration_leaves_nothing_behind(tmp_path, monkeypatch, stop):
    monkeypatch.delenv("HERZUM_APPROVAL_DATABASE_URL")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Server("--demo", stop=stop) as server:
        assert [path.name for path in tmp_path.glob("*/*.db")] == ["demo.db"]
    assert list(tmp_path.iterdir()) == []
    assert server.process.returncode == 0
    (line,) = server.output.splitlines()
    assert f"http://127.0.0.1:{server.port}" in line
    assert "admin, alice, bob, carol and dave" in line


def test_the_demonstration_keeps_a_database_that_is_named(initialised):
    with Server("--demo"):
        pass
    assert "root\tactive" in run("user", "list").stdout


def test_the_demonstration_fills_a_named_database_that_is_empty():
    with Server("--demo"):
        pass
    assert run("user", "list").stdout.startswith("admin\tactive")


def test_a_site_of_its_own_is_served_by_several_workers(initialised):
    with Server("--workers", "2") as server, pytest.raises(URLError, match="404"):
        urlopen(f"http://127.0.0.1:{server.port}/__emulator/snapshot", timeout=5).close()
    assert server.output == f"Serving on http://127.0.0.1:{server.port} (stop with Ctrl-C)\n"


def test_a_port_in_use_is_one_line(initialised):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Cannot listen on 127.0.0.1 port {port}: " in refused("serve", "--port", str(port))


def test_the_greeting_puts_an_address_of_version_6_in_brackets():
    assert "http://[::1]:2990 " in cli._greeting(config.Settings(host="::1"))


def test_demonstration_accounts_exist_in_the_demonstration_only(initialised):
    with open_site(config.load()):
        assert [user["username"] for user in snapshot.export_all()["users"]] == ["root"]
