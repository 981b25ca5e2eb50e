"""Servers pinned to one core, and `wrk` as the load on the other."""

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.live import ROOT

SECONDS = int(os.environ.get("BENCH_SECONDS", "4"))
TIMES = int(os.environ.get("BENCH_TIMES", "3"))
CONNECTIONS = 16
SERVER_CORE, LOAD_CORE = "0", "1"


def require_tools() -> None:
    missing = [name for name in ("wrk", "taskset") if shutil.which(name) is None]
    if missing:
        pytest.fail(f"This benchmark needs {' and '.join(missing)}.")


@dataclass(frozen=True)
class Rate:
    """What one run of `wrk` saw. p99: milliseconds."""

    per_second: float
    p99: float
    failed: int


@dataclass(frozen=True)
class Measured:
    """The median of several runs, with the least and the most."""

    rates: Sequence[Rate]

    @property
    def per_second(self) -> float:
        return statistics.median(rate.per_second for rate in self.rates)

    @property
    def p99(self) -> float:
        return statistics.median(rate.p99 for rate in self.rates)

    @property
    def failed(self) -> int:
        return sum(rate.failed for rate in self.rates)

    def spread(self) -> str:
        values = sorted(rate.per_second for rate in self.rates)
        return f"{values[0]:,.0f}–{values[-1]:,.0f}"


@contextmanager
def served(
    command: Sequence[str],
    port: int,
    *,
    path: str = "/",
    cores: str = SERVER_CORE,
    log: Path | None = None,
    **settings: str,
) -> Iterator[int]:
    """Run a server, pinned, until the block ends; give its process id once it answers."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HERZUM_APPROVAL_")}
    environ |= {f"HERZUM_APPROVAL_{name.upper()}": value for name, value in settings.items()}
    output = (log or Path(os.devnull)).open("ab")
    process = subprocess.Popen(
        ["taskset", "-c", cores, *command],
        cwd=ROOT,
        env=environ,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}{path}", process)
        yield process.pid
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.close()


def own_server(port: int, workers: int = 1) -> list[str]:
    module = [sys.executable, "-m", "herzum_approval.cli"]
    return [*module, "serve", "--port", str(port), "--workers", str(workers)]


def bare_server(port: int) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.bare", str(port)]


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server of {address} ended"
        try:
            with urlopen(address, timeout=2):
                return
        except URLError as error:
            if hasattr(error, "code"):
                return  # it answers, if only to refuse
        except OSError:
            pass
        time.sleep(0.02)
    raise AssertionError(f"nothing answers at {address}")


def load(
    port: int,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    script: str | None = None,
    connections: int = CONNECTIONS,
    seconds: int = SECONDS,
    cores: str = LOAD_CORE,
    directory: Path | None = None,
) -> Rate:
    """Ask as fast as the server answers. script: Lua by which `wrk` makes its requests."""
    command = ["taskset", "-c", cores, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    if script is not None:
        assert directory is not None
        file = directory / "script.lua"
        file.write_text(script, encoding="utf-8")
        command += ["-s", str(file)]
    command.append(f"http://127.0.0.1:{port}{path}")
    return _read(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _read(text: str) -> Rate:
    per_second = float(_found(r"Requests/sec:\s+([\d.]+)", text))
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", text).groups()  # type: ignore[union-attr]
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    failed = (int(refused[1]) if refused else 0) + (sum(map(int, broken.groups())) if broken else 0)
    return Rate(per_second, float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit], failed)


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text
    return found[1]


def megabytes(process_id: int) -> float:
    """Return the proportional memory of a process and its children, without files that it maps."""
    kilobytes = 0
    for each in _tree(process_id):
        smaps = Path(f"/proc/{each}/smaps").read_text(encoding="utf-8")
        is_database = False
        for line in smaps.splitlines():
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                is_database = line.endswith((".db", ".db-shm", ".db-wal"))
            elif line.startswith("Pss:") and not is_database:
                kilobytes += int(line.split()[1])
    return kilobytes / 1024


def _tree(process_id: int) -> Iterator[int]:
    yield process_id
    for child in children(process_id):
        yield from _tree(child)


def children(process_id: int) -> Iterator[int]:
    """Give the processes that a process started."""
    for task in Path(f"/proc/{process_id}/task").iterdir():
        yield from map(int, (task / "children").read_text(encoding="utf-8").split())
