"""The only place that reads the time."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment: aware, UTC, whole milliseconds.

    Milliseconds are what every store and wire format here can keep, so a moment that was
    written reads back equal.
    """
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def monotonic() -> float:
    """Return seconds that only ever grow, for waiting and for what lives in memory."""
    return time.monotonic()
