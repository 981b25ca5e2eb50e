"""The compiled renderer says what the schema would, key for key and digit for digit."""

from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from herzum_approval import config
from herzum_approval.api.herzum.schemas import IssueApprovalSchema
from herzum_approval.api.rendered import compile_renderer
from herzum_approval.domain.issue_approvals import (
    ApprovalStatus,
    IssueApproval,
    IssueApprovalView,
    RecordSettings,
    RequirementType,
)
from herzum_approval.domain.mappings import AbstainOverride
from herzum_approval.services.issue_approvals import COLUMNS
from herzum_approval.store.tables import MomentField

SCHEMA = IssueApprovalSchema()
RENDER = compile_renderer(SCHEMA, COLUMNS)
IDS = st.integers(1, 2**31 - 1)
MOMENTS = st.none() | st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)

VIEWS = st.builds(
    IssueApprovalView,
    approval_name=st.text(),
    issue_status_id=IDS,
    record=st.builds(
        IssueApproval,
        id=IDS,
        issue_id=IDS,
        approval_id=IDS,
        transition_id=IDS,
        transition_name=st.text(),
        source_status_id=IDS,
        mapping_id=st.none(),
        type=st.sampled_from(RequirementType),
        approval_status=st.sampled_from(ApprovalStatus),
        decided_at=MOMENTS,
        approver_username=st.none() | st.text(),
        submitted_at=MOMENTS,
        notified_at=MOMENTS,
        defines_custom_approval=st.booleans(),
        has_transition_error=st.booleans(),
        settings=st.builds(
            RecordSettings,
            minimum_approbations=st.sampled_from((-1.0, 0.0, 0.25, 2.0)),
            minimum_rejections=st.sampled_from((-1.0, 0.0, 0.25, 2.0)),
            conditional_rule_id=st.none() | IDS,
            place=st.integers(1, 99),
            abstain_override=st.sampled_from(AbstainOverride),
            requires_comment=st.booleans(),
            is_sequential=st.booleans(),
        ),
    ),
)


def raw_row(view: IssueApprovalView) -> tuple[object, ...]:
    """Return the row that SQLite would: truth as 0 and 1, moments as milliseconds."""
    row = []
    for column in COLUMNS:
        value: object = view
        for name in column.split("."):
            value = getattr(value, name)
        if isinstance(value, datetime):
            value = MomentField().db_value(value)
        row.append(int(value) if isinstance(value, bool) else value)
    return tuple(row)


@given(st.lists(VIEWS, max_size=3), st.sampled_from(["UTC", "Europe/Rome", "America/New_York"]))
def test_rendering_rows_equals_dumping_objects(views, time_zone):
    with config.active(config.Settings(time_zone=time_zone)):
        dumped = [
            {key: value for key, value in SCHEMA.dump(view).items() if value is not None} for view in views
        ]
        rendered = RENDER(raw_row(view) for view in views)
    assert rendered == [orjson.dumps(each) for each in dumped]


def test_the_zone_of_the_site_spells_the_dates():
    view = IssueApprovalView(
        approval_name="tech",
        issue_status_id=1,
        record=IssueApproval(
            id=1,
            issue_id=1,
            approval_id=1,
            transition_id=11,
            transition_name="Start",
            source_status_id=1,
            submitted_at=datetime(2023, 7, 1, 23, 30, tzinfo=UTC),
        ),
    )
    with config.active(config.Settings(time_zone="Europe/Rome")):
        (record,) = map(orjson.loads, RENDER([raw_row(view)]))
    assert record["submittedDate"] == "02/07/2023 01:30:00"
    assert record["notificationDate"] == "Not Sent"
