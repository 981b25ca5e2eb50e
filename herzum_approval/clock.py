"""The only place that reads the time."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment: aware, UTC, whole milliseconds.

    Milliseconds are what every store and wire format here can keep, so a moment that was
    written reads back equal.
    """
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
