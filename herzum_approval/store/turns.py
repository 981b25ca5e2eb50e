"""Works of one process that share a transaction: SQLite has one writer, who waits for the disk at COMMIT.

Whoever has the turn to write does what others wait to do along with his own work, each in a savepoint,
and commits once. Nobody is answered before that.
"""

import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from itertools import islice
from typing import Any, Generic, TypeVar

from herzum_approval.errors import Fault, Problem

Result = TypeVar("Result")

TOGETHER_AT_MOST = 16


class Job(Generic[Result]):
    """A work that waits for a turn, in the context of whoever wants it done; another thread may do it."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._context = copy_context()
        self._outcome: tuple[Result | None, Exception | None] | None = None

    @property
    def is_done(self) -> bool:
        return self._outcome is not None

    def run(self) -> Result:
        return self._context.run(self._work)

    def end(self, result: Result | None, error: Exception | None) -> None:
        self._outcome = (result, error)

    def result(self) -> Result:
        """Return what the work returned, or raise what it met, once it is done."""
        assert self._outcome is not None
        result, error = self._outcome
        if error is not None:
            raise error
        return result  # type: ignore[return-value]


class Turns:
    """The turn to write, and the jobs that wait for it."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self._waiting: dict[Job[Any], None] = {}  # in the order in which they came
        self._door = threading.Lock()

    def offer(self, job: Job[Any]) -> None:
        """Let the job wait for whoever has the turn next."""
        with self._door:
            self._waiting[job] = None

    def withdraw(self, job: Job[Any]) -> bool:
        """Take the job back; return False where somebody is at it, or did it."""
        with self._door:
            is_waiting = job in self._waiting
            self._waiting.pop(job, None)
            return is_waiting

    def take(self, own: Job[Any]) -> list[Job[Any]]:
        """Return some jobs that wait, one's own first. Whoever has the turn calls it, and does them."""
        with self._door:
            self._waiting.pop(own, None)
            others = list(islice(self._waiting, TOGETHER_AT_MOST - 1))
            for job in others:
                del self._waiting[job]
            return [own, *others]


def do_together(database: Any, jobs: Sequence[Job[Any]], seconds: float) -> None:
    """Do the jobs in one transaction of a connected database, each whole or not at all.

    What fails fails alone, unless the transaction is gone with it. seconds: to wait for locks.
    """
    outcomes: list[tuple[Any, Exception | None]] = []
    is_committing = False
    try:
        with database.transaction_within(seconds):
            for job in jobs:
                outcomes.append((job.run(), None) if len(jobs) == 1 else _tried(database, job))
            is_committing = True
    except Exception as error:
        # Whether a COMMIT that failed took effect nobody can tell, so it must not be tried again.
        met = _busy(error) if is_committing else error
        outcomes = [(None, met)] * len(jobs)
    for job, outcome in zip(jobs, outcomes, strict=True):
        job.end(*outcome)


def _busy(error: Exception) -> Problem:
    problem = Problem(Fault.BUSY)
    problem.__cause__ = error
    return problem


def _tried(database: Any, job: Job[Any]) -> tuple[Any, Exception | None]:
    """Return what came of one job of several. Raises what it met where the transaction is gone with it."""
    try:
        with database.atomic():
            return job.run(), None
    except Exception as error:
        if not database.connection().in_transaction:
            raise  # SQLite itself gave up
        return None, error
