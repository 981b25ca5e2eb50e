"""What the server counts, for Prometheus.

Nothing is counted before `start`, so that a command of the shell counts nothing. Each of several
workers keeps its numbers in a file of the directory that PROMETHEUS_MULTIPROC_DIR names, and the
worker that is asked adds them up; the variable must be set before the first `start` of a process.
"""

import os
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Meter:
    """What is measured of one request.

    route: the template that its path matched; empty where none did.
    database_seconds: how long it had a connection or waited for one.
    """

    route: str = ""
    method: str = ""
    status: int = 500
    database_seconds: float = 0.0


_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


class _Series:
    """The numbers themselves, and of each the part that belongs to one set of labels."""

    def __init__(self) -> None:
        # Imported late: whether numbers are kept in files is decided at this library's import.
        from prometheus_client import CollectorRegistry, Counter, Histogram

        directory = os.environ.get(DIRECTORY_VARIABLE)
        self.directory = directory
        self.registry = CollectorRegistry()
        registry = None if directory else self.registry
        self.requests = Counter(
            "herzum_approval_requests", "Requests answered.", ("route", "method", "status"), registry=registry
        )
        self.seconds = Histogram(
            "herzum_approval_request_seconds",
            "Time from a request's arrival at a thread until its answer was made.",
            ("route",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self.database_seconds = Counter(
            "herzum_approval_database_seconds",
            "Time that requests had a database connection or waited for one.",
            ("route",),
            registry=registry,
        )
        self.logins = Counter(
            "herzum_approval_logins", "Password checks, by how they ended.", ("outcome",), registry=registry
        )
        self.cache_hits = Counter(
            "herzum_approval_cache_hits", "What was found in memory.", ("cache",), registry=registry
        )
        self.cache_misses = Counter(
            "herzum_approval_cache_misses", "What had to be made anew.", ("cache",), registry=registry
        )
        self.of_requests: dict[tuple[str, str, int], tuple[Any, Any, Any]] = {}
        self.of_names: dict[tuple[Any, str], Any] = {}

    def of_request(self, route: str, method: str, status: int) -> tuple[Any, Any, Any]:
        """Return the parts for a kind of request; looked up once, since labels are slow."""
        key = (route, method, status)
        parts = self.of_requests.get(key)
        if parts is None:
            shown = route or "none"
            # What nobody serves may be asked for by any method, and each would be a series of its own.
            known = method if method in _METHODS else "other"
            parts = (
                self.requests.labels(shown, known, str(status)),
                self.seconds.labels(shown),
                self.database_seconds.labels(shown),
            )
            if known == method:
                self.of_requests[key] = parts
        return parts

    def of_name(self, counter: Any, name: str) -> Any:
        part = self.of_names.get((counter, name))
        if part is None:
            part = self.of_names[counter, name] = counter.labels(name)
        return part


_series: _Series | None = None


def start() -> None:
    """Count from now on; does nothing where it counts already."""
    global _series
    if _series is None:
        _series = _Series()


def begin_request() -> Meter:
    """Return the meter of a request that begins, in force for the rest of the context."""
    meter = Meter()
    _meter.set(meter)
    return meter


def current_meter() -> Meter | None:
    """Return the meter of the request that is under way here, if one is."""
    return _meter.get()


def count_request(meter: Meter, seconds: float) -> None:
    """Count a request that is over."""
    if _series is not None:
        requests, durations, database_seconds = _series.of_request(meter.route, meter.method, meter.status)
        requests.inc()
        durations.observe(seconds)
        database_seconds.inc(meter.database_seconds)


def count_login(outcome: str) -> None:
    """Count a password check. outcome: one of few words."""
    if _series is not None:
        _series.of_name(_series.logins, outcome).inc()


def count_cache_hits(cache: str, count: int = 1) -> None:
    """Count what was found in memory. cache: which memory, one of few words."""
    if _series is not None:
        _series.of_name(_series.cache_hits, cache).inc(count)


def count_cache_misses(cache: str, count: int = 1) -> None:
    """Count what was not found in memory. cache: as for hits."""
    if _series is not None:
        _series.of_name(_series.cache_misses, cache).inc(count)


def exposition() -> tuple[bytes, str]:
    """Return all that was counted, by all workers, in Prometheus' text format, and its content type."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    start()
    assert _series is not None
    registry = _series.registry
    if _series.directory:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, _series.directory)
    return generate_latest(registry), CONTENT_TYPE_LATEST
