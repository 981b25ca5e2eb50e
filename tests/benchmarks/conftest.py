"""What the benchmarks share: a big site on a file, and a table of what was found, printed at the end."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from herzum_approval import config, store
from herzum_approval.services import snapshot
from tests.benchmarks.load import LOAD_CORE, TIMES, Measured, Rate
from tests.benchmarks.many_records import many_records
from tests.postgres import OwnPostgres

RECORDS = int(os.environ.get("BENCH_RECORDS", "100000"))


@dataclass
class Report:
    """Rows of a Markdown table: what was measured, what it came to, and what it should."""

    rows: list[str] = field(default_factory=list)

    def add(self, work: str, found: str, goal: str, is_reached: bool | None, details: str = "") -> None:
        verdict = {True: "yes", False: "**no**", None: "–"}[is_reached]
        self.rows.append(f"| {work} | {found} | {goal} | {verdict} | {details} |")
        print(f"\n{self.rows[-1]}", flush=True)

    def at_least(self, work: str, ratio: float, goal: float, details: str = "") -> None:
        self.add(work, f"{ratio:.2f}", f"≥ {goal:.2f}", ratio >= goal, details)

    def at_most(self, work: str, ratio: float, goal: float, details: str = "") -> None:
        self.add(work, f"{ratio:.2f}", f"≤ {goal:.2f}", ratio <= goal, details)


@dataclass(frozen=True)
class Site:
    """A site of `RECORDS` records on one of the engines; only for SQLite there are goals."""

    engine: str
    url: str

    def told(self, report: Report, work: str, ratio: float, goal: float, details: str) -> None:
        if self.engine == "SQLite":
            report.at_least(work, ratio, goal, details)
        else:
            report.add(f"{self.engine}: {work}", f"{ratio:.2f}", "reported", None, details)


@pytest.fixture(scope="session")
def report() -> Iterator[Report]:
    found = Report()
    yield found
    print("\n\n| work | ratio | goal | reached | measured |\n|---|---|---|---|---|")
    print("\n".join(found.rows), flush=True)


@pytest.fixture(scope="session")
def big_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with `RECORDS` pending issue approvals; to be copied before it is changed."""
    path = tmp_path_factory.mktemp("big") / "site.db"
    fill(f"sqlite:///{path}", RECORDS)
    return path


@pytest.fixture
def big_url(big_file: Path, tmp_path: Path) -> str:
    shutil.copy(big_file, tmp_path / "site.db")
    return f"sqlite:///{tmp_path}/site.db"


@pytest.fixture(scope="session")
def big_postgresql_url() -> Iterator[str]:
    """The same records in a PostgreSQL that waits for the disk, and shares the load generator's core."""
    with OwnPostgres() as server:
        os.sched_setaffinity(server.process_id(), {int(LOAD_CORE)})  # whom it starts are pinned too
        fill(server.url, RECORDS)
        yield server.url


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def site(request: pytest.FixtureRequest) -> Site:
    fixture = "big_url" if request.param == "SQLite" else "big_postgresql_url"
    return Site(request.param, request.getfixturevalue(fixture))


def fill(url: str, records: int) -> None:
    database = store.open_database(url)
    with config.active(config.Settings(bcrypt_cost=4)), store.active(database):
        store.migrate(database)
        snapshot.import_all(many_records(records))
        with store.reading():
            database.execute_sql("ANALYZE")
    database.close_all()


def cookie_of(port: int, username: str = "admin") -> dict[str, str]:
    """Sign in, and return the header by which requests belong to the session."""
    body = json.dumps({"username": username, "password": username}).encode()
    request = Request(
        f"http://127.0.0.1:{port}/rest/auth/1/session", body, {"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=30) as answer:
        return {"Cookie": f"JSESSIONID={json.load(answer)['session']['value']}"}


def alternated(*measures: Callable[[], Rate], times: int = TIMES) -> list[Measured]:
    """Measure each in turn, several times, so that a machine that changes its speed changes it for all."""
    rates: list[list[Rate]] = [[] for _ in measures]
    for _ in range(times):
        for place, measure in enumerate(measures):
            rates[place].append(measure())
    return [Measured(each) for each in rates]
