"""Reading one issue's surroundings: the same as picking them out of the whole site, in few queries."""

from dataclasses import fields, replace

import pytest
from peewee import Database, SqliteDatabase
from playhouse.test_utils import count_queries

from herzum_approval import store
from herzum_approval.domain.candidates import derive
from herzum_approval.domain.issues import Surroundings
from herzum_approval.domain.sites import Site
from herzum_approval.examples import merged
from herzum_approval.services import snapshot
from herzum_approval.store import sites
from herzum_approval.store.configuration import read_configuration
from herzum_approval.store.site_rows import to_rows
from herzum_approval.store.surroundings import (
    lock_issues,
    read_all_surroundings,
    read_surroundings,
)

RICH = {
    "conditional_rules": [{"id": 1, "name": "rule", "jql": "project = SOFT"}],
    "custom_fields": [{"id": "customfield_1", "name": "Who", "type": "user picker"}],
    "issues": [
        {"id": 10500, "labels": ["a", "b"], "fields": {"customfield_1": ["carol", "bob"]}},
        {"id": 12600, "reporter": None},
    ],
    "approval_mappings": [
        {
            "id": 2,
            "conditioned_minimums": [
                {"kind": "rejections", "conditional_rule_id": 1, "minimum": 0.5},
                {"kind": "approbations", "conditional_rule_id": 1, "minimum": 2},
            ],
            "approvals": {"$replace": [{"approval_id": 5}, {"approval_id": 3, "is_optional": True}]},
            "settings": {"super_approvers": [{"kind": "user", "value": "carol"}]},
        }
    ],
}
_COUNT = 20  # a table each, and the configuration
_CHANGING_COUNT = 3  # issues, their fields, issue approvals


@pytest.fixture
def site(engine: Database, settings: object) -> Site:
    snapshot.reset()
    snapshot.import_all(merged(snapshot.export_all(), RICH))
    with store.reading() as database:
        return sites.read_site(database)


def plain(site: Site, issue_id: int) -> Surroundings:
    """Pick the surroundings out of the site by looking at everything."""
    issue = next(each for each in site.issues if each.id == issue_id)
    project = next(each for each in site.projects if each.id == issue.project_id)
    scheme = next(each for each in site.workflow_schemes if each.id == project.workflow_scheme_id)
    workflow_id = scheme.workflow_id(issue.issue_type_id)
    place = (issue.project_id, issue.issue_type_id)
    mappings = {
        each.id: each
        for each in site.approval_mappings
        if (each.issue_id is None and (each.project_id, each.issue_type_id) == place)
        or each.issue_id == issue.id
    }
    return Surroundings(
        issue=issue,
        project=replace(project, browsers=(), roles=()),  # those bear on who may browse, not on approvals
        issue_type=next(each for each in site.issue_types if each.id == issue.issue_type_id),
        statuses={each.id: each for each in site.statuses},
        workflow=next(each for each in site.workflows if each.id == workflow_id),
        approvals={},
        rules={each.id: each for each in site.conditional_rules},
        mappings=mappings,
        records=tuple(each for each in site.issue_approvals if each.issue_id == issue.id),
        configuration=site.configuration,
        is_configured_singly=any(each.issue_id == issue.id for each in site.single_issue_configurations),
    )


def needed(around: Surroundings) -> set[int]:
    """Return the ids of the approvals that records and mappings name."""
    mapped = {each.approval_id for mapping in around.mappings.values() for each in mapping.approvals}
    return mapped | {record.approval_id for record in around.records}


def same(found: Surroundings, site: Site) -> bool:
    approvals = {each.id: each for each in site.approvals}
    assert {id: approvals[id] for id in needed(found)}.items() <= found.approvals.items()
    assert all(approvals[id] == approval for id, approval in found.approvals.items())
    for name in [each.name for each in fields(Surroundings) if each.name != "approvals"]:
        assert getattr(found, name) == getattr(plain(site, found.issue.id), name), name
    return True


def test_each_issues_surroundings_are_those_of_the_site(engine: Database, site: Site) -> None:
    with store.reading() as database:
        for issue in site.issues:
            found = read_surroundings(database, issue.id)
            assert found is not None
            assert same(found, site)


def test_many_at_once_are_the_same_as_each_alone(engine: Database, site: Site) -> None:
    ids = [issue.id for issue in site.issues]
    with store.reading() as database:
        together = read_all_surroundings(database, ids)
        assert list(together) == sorted(ids)
        assert all(same(found, site) for found in together.values())


@pytest.mark.parametrize("count", [1, 2, 8])
def test_the_number_of_queries_does_not_grow(engine: Database, site: Site, count: int) -> None:
    ids = [issue.id for issue in site.issues][:count]
    with store.reading() as database:
        read_configuration(database)
        with count_queries() as counter:
            read_all_surroundings(database, ids)
    assert counter.count == _COUNT - 1  # the configuration is kept


def with_a_like_issue(site: Site) -> Site:
    """Return the site with another issue of the same project and type as 10500, which has no records."""
    issue = next(each for each in site.issues if each.id == 10500)
    return replace(site, issues=(*site.issues, replace(issue, id=10501, key="SOFT-9", fields={})))


def put(site: Site) -> None:
    store.writing(lambda database: sites.restore(database, to_rows(site, derive(site))))


def test_what_is_administered_is_read_once_for_a_project_and_issue_type(engine: Database, site: Site) -> None:
    put(with_a_like_issue(site))
    with count_queries() as first, store.reading() as database:
        read_surroundings(database, 10501)
    with count_queries() as second, store.reading() as database:
        read_surroundings(database, 10500)
    # The site's version, what is configured singly, and all of one issue; then what changes.
    assert first.count == _CHANGING_COUNT + 2 + _COUNT
    assert second.count == _CHANGING_COUNT + 1


def test_an_issue_that_is_configured_singly_is_read_whole_each_time(engine: Database, site: Site) -> None:
    for _ in range(2):
        with store.reading() as database:
            found = read_surroundings(database, 12305)
        assert found is not None
        assert found.is_configured_singly
        assert same(found, site)


def test_a_record_of_an_approval_that_is_mapped_no_more_is_complete(engine: Database, site: Site) -> None:
    """What was kept by another issue need not know every approval that an issue has records of."""
    records = tuple(
        replace(each, approval_id=2) if each.issue_id == 10500 else each for each in site.issue_approvals
    )
    changed = with_a_like_issue(replace(site, issue_approvals=records))
    put(changed)
    with store.reading() as database:
        kept = read_surroundings(database, 10501)
        found = read_surroundings(database, 10500)
    assert kept is not None
    assert 2 not in kept.approvals
    assert found is not None
    assert same(found, changed)


def test_what_is_not_there_is_left_out(engine: Database, site: Site) -> None:
    with store.reading() as database:
        assert read_surroundings(database, 1) is None
        assert set(read_all_surroundings(database, [1, 10500])) == {10500}
        assert read_all_surroundings(database, []) == {}


def test_what_is_open_follows_from_them(engine: Database, site: Site) -> None:
    open_ids = derive(site).open_ids
    with store.reading() as database:
        pictures = read_all_surroundings(database, [issue.id for issue in site.issues])
    assert frozenset().union(*(each.open_ids() for each in pictures.values())) == open_ids


def test_locking_takes_nothing_on_sqlite_and_rows_in_order_on_postgresql(
    engine: Database, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with engine.connection_context(), engine.atomic(), count_queries() as counter:
        lock_issues(engine, [12400, 10500, 12305])
        lock_issues(engine, [])
    if isinstance(engine, SqliteDatabase):
        assert counter.count == 0
        return
    assert "FOR UPDATE" in caplog.text
    assert caplog.text.index("ORDER BY") < caplog.text.index("FOR UPDATE")


def test_the_rows_are_those_that_were_written(engine: Database, site: Site) -> None:
    """What is read as surroundings and written back as a site is the same document."""
    document = snapshot.export_all()
    with engine.atomic():
        sites.restore(engine, to_rows(site, derive(site)))
    assert snapshot.export_all() == document
