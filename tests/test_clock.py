"""Moments in other zones, at the ends of the calendar too."""

from datetime import UTC, datetime

import pytest

from herzum_approval import clock, config
from herzum_approval.api.herzum.fields import Moment
from herzum_approval.api.jira.schemas import JiraTime

FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "shown"),
    [
        (datetime(2023, 7, 1, 23, 30, tzinfo=UTC), "Europe/Rome", "2023-07-02T01:30:00+02:00"),
        (LAST, "America/New_York", "9999-12-31T18:59:59-05:00"),
        (LAST, "Europe/Rome", "9999-12-31T23:59:59+00:00"),
        (FIRST, "America/New_York", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_moment_that_a_zone_has_no_year_for_stays_where_it_is(
    moment: datetime, zone: str, shown: str
) -> None:
    assert clock.in_zone(moment, zone).isoformat() == shown


@pytest.mark.parametrize(
    ("zone", "on_the_plugin", "on_jira"),
    [
        ("Europe/Rome", "31/12/9999 23:59:59", "9999-12-31T23:59:59.000+0000"),
        ("America/New_York", "31/12/9999 18:59:59", "9999-12-31T18:59:59.000-0500"),
    ],
)
def test_for_ever_can_be_shown(zone: str, on_the_plugin: str, on_jira: str) -> None:
    with config.active(config.Settings(time_zone=zone)):
        assert Moment("date", "date", "").spell(LAST) == on_the_plugin
        assert JiraTime().serialize("at", {"at": LAST}) == on_jira
