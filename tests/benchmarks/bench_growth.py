"""What a page costs as the data grow: in process, the median of many, each text new."""

import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from peewee import Database

from herzum_approval import config, store
from herzum_approval.domain.issue_approvals import ApprovalStatus, SearchFilters
from herzum_approval.domain.people import Actor
from herzum_approval.services import issue_approvals
from tests.benchmarks.conftest import Report
from tests.benchmarks.grown import SEED, empty, grow

ADMIN = Actor(username="admin", display_name="Admin")
MILLION = 1_000_000
PAGE = 50
TIMES = 200


def milliseconds(
    work: Callable[[], object], times: int = TIMES, before: Callable[[], object] = lambda: None
) -> float:
    """Return the median of what the work takes. before: is done before each, and not measured."""
    taken = []
    for _ in range(times):
        before()
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1000


def page_of_fifty() -> float:
    """Return what a page of one approver's pending records takes, with its total, made anew each time."""
    filters = SearchFilters(
        username="fifty0", approval_status=ApprovalStatus.PENDING, start_at=0, max_results=PAGE
    )

    def ask() -> None:
        assert len(issue_approvals.search(ADMIN, filters).rows) == PAGE

    ask()
    return milliseconds(ask, before=write_something)


def write_something() -> None:
    """Change a record that nobody here looks at, so that no answer outlives it."""
    statement = "UPDATE issue_approval SET version = version + 1 WHERE id = 999"
    store.writing(lambda database: database.execute_sql(statement), is_daily=True)


def open_grown(url: str, records: int) -> Database:
    database = store.open_database(url, synchronous="OFF") if url.startswith("sqlite") else None
    found = database or store.open_database(url)
    grow(found, records)
    return found


def measured(database: Database) -> float:
    with config.active(config.Settings()), store.active(database):
        return page_of_fifty()


def test_a_page_as_the_data_grow_on_sqlite(tmp_path: Path, report: Report) -> None:
    taken = {}
    for records in (SEED, MILLION, 5 * MILLION):
        path = tmp_path / f"{records}.db"
        database = open_grown(f"sqlite:///{path}", records)
        taken[records] = measured(database)
        if records == MILLION:
            few = open_grown(f"sqlite:///{tmp_path}/few.db", SEED)
            walk(database, report, page_of_everything(few))
            few.close_all()
        database.close_all()
        path.unlink()
    shown = ", ".join(f"{value:.2f} ms at {records:,}" for records, value in taken.items())
    report.at_most("page of 50 by status and username, 1 M rows", taken[MILLION] / taken[SEED], 1.5, shown)
    report.at_most("page of 50 by status and username, 5 M rows", taken[5 * MILLION] / taken[SEED], 2, shown)


def test_a_page_as_the_data_grow_on_postgresql(postgresql_url: str, report: Report) -> None:
    taken = {}
    for records in (SEED, MILLION):
        database = store.open_database(postgresql_url)
        empty(database)
        grow(database, records)
        taken[records] = measured(database)
        if records == SEED:
            of_few = page_of_everything(database)
        else:
            walk(database, report, of_few, "PostgreSQL: ")
        database.close_all()
    shown = ", ".join(f"{value:.2f} ms at {records:,}" for records, value in taken.items())
    report.at_most("the same on PostgreSQL, 1 M rows", taken[MILLION] / taken[SEED], 1.5, shown)


def everything(start_at: int) -> SearchFilters:
    return SearchFilters(approval_status=ApprovalStatus.PENDING, start_at=start_at, max_results=PAGE)


def page_of_everything(database: Database) -> float:
    """Return what a page of all pending records takes with its total, asked again."""
    with config.active(config.Settings()), store.active(database):
        issue_approvals.search(ADMIN, everything(0))
        return milliseconds(lambda: issue_approvals.search(ADMIN, everything(0)).rows)


def walk(database: Database, report: Report, taken_first: float, engine: str = "") -> None:
    """Walk all pages of a million matches in order, as a client that follows them does."""
    with config.active(config.Settings()), store.active(database):
        begun = time.perf_counter()
        found = issue_approvals.search(ADMIN, everything(0))
        first_visit = (time.perf_counter() - begun) * 1000
        assert found.page is not None
        assert found.page.total == MILLION
        with_total = milliseconds(lambda: issue_approvals.search(ADMIN, everything(0)).rows)
        report.at_most(
            f"{engine}`total` over 1 M matches, asked again, against over 1,000",
            with_total / taken_first,
            2,
            f"{with_total:.2f} ms, {taken_first:.2f} ms; first visit {first_visit:.0f} ms",
        )
        taken = []
        for start_at in range(0, MILLION, PAGE):
            begun = time.perf_counter()
            rows = issue_approvals.search(ADMIN, everything(start_at)).rows
            taken.append(time.perf_counter() - begun)
            assert len(rows) == PAGE
        first, last = (statistics.median(each) * 1000 for each in (taken[1:200], taken[-200:]))
        report.at_most(
            f"{engine}walking all pages of 1 M matches: last against first",
            last / first,
            2,
            f"{last:.2f}, {first:.2f} ms",
        )
        places = itertools.cycle([123_456, 654_321, 999_950])
        again = milliseconds(lambda: issue_approvals.search(ADMIN, everything(next(places))).rows, 30)
        report.add(
            f"{engine}any page once all were walked", f"{again / first:.2f}", "–", None, f"{again:.2f} ms"
        )
