"""A real server process, for clients that want one: the two Jira libraries, newman, schemathesis."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.error import URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parent.parent


class LiveServer:
    """The demonstration site behind `herzum-approval serve`, from the seed, on a port of its own.

    Leaving its `with` block stops it as an operator would and asserts that it went in peace.
    """

    READY_SECONDS = 30.0
    STOPPED_SECONDS = 15.0

    def __init__(self, log_file: Path, **settings: str) -> None:
        self.log_file = log_file
        self.hostname = f"127.0.0.1:{free_port()}"
        self.base_url = f"http://{self.hostname}"
        self._settings = {f"HERZUM_APPROVAL_{name.upper()}": value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._is_killed = False
        self._is_told_to_stop = False

    def __enter__(self) -> "LiveServer":
        port = self.hostname.rpartition(":")[2]
        self._log = self.log_file.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "herzum_approval.cli", "serve", "--demo", "--port", port],
            cwd=ROOT,
            env={**_clean_environment(), "HERZUM_APPROVAL_BCRYPT_COST": "4", **self._settings},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that `kill` reaches its workers too
        )
        try:
            self.wait_until_ready()
        except BaseException:
            self._process.kill()
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        if self._is_killed:
            self._close()
            return
        try:
            if not self._is_told_to_stop:
                self.tell_to_stop()
            exit_code = self._process.wait(self.STOPPED_SECONDS)
            assert exit_code == 0, f"exit code {exit_code}:\n{self.log()}"
        finally:
            self._process.kill()
            self._close()

    def tell_to_stop(self) -> None:
        """Ask it to stop, and return at once; leaving the `with` block waits for it."""
        assert self._process is not None
        assert self._process.poll() is None, f"the server died early:\n{self.log()}"
        self._is_told_to_stop = True
        self._process.send_signal(signal.SIGTERM)

    def workers(self) -> set[int]:
        """Return the ids of its worker processes."""
        assert self._process is not None
        pid = self._process.pid
        children = {
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        }
        return {child for child in children if not _is_gone(child)}

    def kill(self) -> None:
        """End it and its workers in the middle of whatever they do."""
        assert self._process is not None
        assert self._process.poll() is None, f"the server died early:\n{self.log()}"
        self._is_killed = True
        os.killpg(self._process.pid, signal.SIGKILL)

    def reset(self) -> None:
        """Put the site back to the seed."""
        with urlopen(Request(f"{self.base_url}/__emulator/reset", method="POST"), timeout=10) as answer:
            assert answer.status in (200, 204)

    def log(self) -> str:
        """Return what the server wrote so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def wait_until_ready(self) -> None:
        """Wait until it answers, or say why it does not."""
        assert self._process is not None
        deadline = time.monotonic() + self.READY_SECONDS
        while not self._answers():
            assert self._process.poll() is None, f"the server did not start:\n{self.log()}"
            assert time.monotonic() < deadline, f"the server is not ready:\n{self.log()}"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.base_url}/rest/api/2/serverInfo", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, ConnectionError, TimeoutError):
            return False

    def _close(self) -> None:
        assert self._process is not None
        assert self._log is not None
        self._process.wait()
        self._log.close()


def shell_environment(directory: Path, *programs: Path) -> dict[str, str]:
    """Return an environment in which a shell finds `herzum-approval`, of this very code, and other programs.

    directory: where the command may be written.
    """
    command = directory / "bin" / "herzum-approval"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m herzum_approval.cli "$@"\n')
    command.chmod(0o755)
    path = os.pathsep.join([str(command.parent), *map(str, programs), os.environ["PATH"]])
    return {**_clean_environment(), "PATH": path}


def _is_gone(pid: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HERZUM_APPROVAL_")}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
