"""The only place that reads the time, and the one that moves it to another zone."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """Return the present moment: aware, UTC, whole milliseconds.

    Milliseconds are what every store and wire format here can keep, so a moment that was
    written reads back equal.
    """
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def in_zone(moment: datetime, zone: str) -> datetime:
    """Return the moment in the zone, or in UTC where the zone's calendar would leave the years 1 to 9999.

    "For ever" is often written as the last moment of 9999, which is another year east of Greenwich.
    """
    try:
        return moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        return moment.astimezone(UTC)


def monotonic() -> float:
    """Return seconds that only ever grow, for waiting and for what lives in memory."""
    return time.monotonic()
