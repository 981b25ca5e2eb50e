"""Changing mappings, with all that follows for the issues that they bear on."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from threading import Barrier

import pytest
from playhouse.test_utils import count_queries

from herzum_approval.domain.actions import Action
from herzum_approval.domain.approvals import Approver, ApproverKind
from herzum_approval.domain.history import EventKind
from herzum_approval.domain.issue_approvals import ApprovalStatus, SearchFilters
from herzum_approval.domain.mappings import (
    ApprovalMapping,
    MappedApproval,
    MappingFilters,
    MappingSettings,
)
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import (
    databases,
    decisions,
    issue_approvals,
    issues,
    mappings,
    snapshot,
)
from herzum_approval.services.decisions import Credentials
from herzum_approval.services.pages import Wish
from herzum_approval.store import mappings as stored
from herzum_approval.store import sites

ADMIN = Actor(username="admin", display_name="Admin")
BUGS_OF_TEST = ApprovalMapping(
    id=0,
    project_id=10000,
    issue_type_id=10002,
    source_status_id=1,
    transition_id=5,
    approvals=(MappedApproval(approval_id=1), MappedApproval(approval_id=3, is_optional=True)),
    settings=MappingSettings(requires_comment=True, is_sequential=True),
)


@pytest.fixture(autouse=True)
def demonstration(engine, settings):
    snapshot.reset()


@pytest.fixture
def site(engine):
    """Read the site as it stands, and look it over: what is derived is as it should be."""

    def read():
        assert list(databases.find_faults()) == []
        with engine.connection_context():
            return sites.read_site(engine)

    return read


def records_of(site, issue_id):
    return [record for record in site.issue_approvals if record.issue_id == issue_id]


def test_a_new_mapping_asks_the_issues_that_wait_in_its_status(site):
    mapping = mappings.create_mapping(ADMIN, BUGS_OF_TEST)
    after = site()
    assert mapping in after.approval_mappings
    assert [(r.approval_id, r.transition_id, r.mapping_id) for r in records_of(after, 12400)] == [
        (3, 11, 4),
        (1, 5, mapping.id),
        (3, 5, mapping.id),
    ]
    new = records_of(after, 12400)[1]
    assert new.approval_status is ApprovalStatus.PENDING
    assert new.submitted_at is not None
    assert new.transition_name == "Close Issue"
    assert new.settings.requires_comment
    assert [event.kind for event in after.history] == [EventKind.SUBMITTED, EventKind.SUBMITTED]
    assert {event.details["reason"] for event in after.history} == {"created"}
    # TEST-1 has a configuration of its own, TEST-3 is of another type.
    assert len(records_of(after, 12305)) == 2
    assert len(records_of(after, 12500)) == 1
    found = issue_approvals.search(ADMIN, SearchFilters(username="bob", issue_key="TEST-2"))
    assert [row[0] for row in found.rows] == [77, new.id]  # the second of the sequence waits
    assert [each.transition.name for each in issues.transitions(ADMIN, "TEST-2")] == []


def test_an_edited_mapping_gives_its_settings_and_keeps_the_votes(site):
    decisions.act(ADMIN, 77, Action.APPROVE, credentials=Credentials(), comment=None)
    (before,) = [mapping for mapping in site().approval_mappings if mapping.id == 4]
    after_settings = MappingSettings(requires_comment=True, minimum_approbations=1.0)
    edited = replace(
        before,
        settings=after_settings,
        approvals=(MappedApproval(approval_id=2), MappedApproval(approval_id=3)),
    )
    mappings.edit_mapping(ADMIN, edited)
    after = site()
    assert edited in after.approval_mappings
    kept, new = records_of(after, 12400)
    assert (kept.id, kept.approval_status, kept.settings.place) == (77, ApprovalStatus.APPROVED, 2)
    assert kept.settings.requires_comment
    assert (new.approval_id, new.approval_status) == (2, ApprovalStatus.PENDING)
    assert [event.kind for event in after.history][1:] == [EventKind.ALIGNED, EventKind.SUBMITTED]
    mappings.edit_mapping(ADMIN, replace(edited, approvals=(MappedApproval(approval_id=2),)))
    assert [record.id for record in records_of(site(), 12400)] == [new.id]


def test_other_approvers_are_found_once_the_mapping_names_them(site):
    (before,) = [mapping for mapping in site().approval_mappings if mapping.id == 4]
    carol = (Approver(kind=ApproverKind.USER, value="carol"),)
    mappings.edit_mapping(ADMIN, replace(before, settings=MappingSettings(super_approvers=carol)))
    site()
    found = issue_approvals.search(ADMIN, SearchFilters(username="carol"))
    assert [row[0] for row in found.rows] == [77]


def test_a_deleted_mapping_takes_its_records_with_it(site):
    mappings.delete_mapping(ADMIN, 4)
    after = site()
    assert 4 not in [mapping.id for mapping in after.approval_mappings]
    assert records_of(after, 12400) == []
    assert [(event.kind, event.issue_approval_id) for event in after.history] == [(EventKind.REMOVED, 77)]
    assert [each.transition.name for each in issues.transitions(ADMIN, "TEST-2")] == [
        "Start Progress",
        "Close Issue",
    ]


def test_records_of_issues_elsewhere_follow_too_but_none_are_made_there(site):
    decisions.act(ADMIN, 77, Action.APPROVE, credentials=Credentials(), comment=None)
    issues.transition(ADMIN, "TEST-2", 11)
    (before,) = [mapping for mapping in site().approval_mappings if mapping.id == 4]
    more = (*before.approvals, MappedApproval(approval_id=1))
    mappings.edit_mapping(
        ADMIN, replace(before, approvals=more, settings=MappingSettings(is_sequential=True))
    )
    (record,) = records_of(site(), 12400)
    assert (record.id, record.approval_status) == (77, ApprovalStatus.APPROVED)
    assert record.settings.is_sequential
    mappings.delete_mapping(ADMIN, 4)
    assert records_of(site(), 12400) == []


def test_a_mapping_of_one_issue_asks_that_issue_alone_and_ahead_of_time(site):
    mapping = replace(
        BUGS_OF_TEST, issue_id=12305, source_status_id=3, transition_id=5, settings=MappingSettings()
    )
    created = mappings.create_mapping(ADMIN, mapping)
    new = [record for record in site().issue_approvals if record.mapping_id == created.id]
    assert [(record.issue_id, record.submitted_at) for record in new] == [(12305, None), (12305, None)]


def test_the_number_of_queries_does_not_grow_with_the_issues(engine, site):
    with count_queries() as few:
        mappings.create_mapping(ADMIN, BUGS_OF_TEST)
    grown = site()
    model = next(issue for issue in grown.issues if issue.id == 12400)
    more = tuple(replace(model, id=30000 + n, key=f"TEST-{1000 + n}") for n in range(50))
    document = snapshot.dump_site(replace(grown, issues=(*grown.issues, *more)))
    snapshot.import_all(document)
    (mapping,) = [each for each in site().approval_mappings if each.transition_id == 5]
    with count_queries() as many:
        mappings.edit_mapping(ADMIN, replace(mapping, settings=MappingSettings(requires_comment=False)))
    followed = [record for record in site().issue_approvals if record.mapping_id == mapping.id]
    assert len(followed) == 2 * 51
    # Three more to read the mapping first, one less because no record needs a number.
    assert many.count == few.count + 2


def test_nothing_is_read_for_no_mappings(engine):
    with engine.connection_context():
        assert stored.read_mappings(engine, []) == ()
        assert stored.find_issue_ids(engine, []) == []


# -- conditions -------------------------------------------------------------------------------


def refused(work, *arguments, **options):
    with pytest.raises(Problem) as raised:
        work(*arguments, **options)
    return raised.value.fault


def at_once(*works):
    """Run the works at the same time, each in a thread, and return what each returned or refused."""
    barrier = Barrier(len(works))

    def run(work):
        barrier.wait()
        try:
            return work()
        except Problem as problem:
            return problem.fault

    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result() for each in [pool.submit(copy_context().run, run, work) for work in works]]


def test_of_two_edits_of_one_version_one_wins(site):
    before = mappings.show_mapping(4)
    for _ in range(5):
        results = at_once(
            *(
                lambda days=days, before=before: mappings.edit_mapping(
                    ADMIN,
                    replace(before.entry, settings=MappingSettings(reminder_days=days)),
                    versions={before.version},
                )
                for days in (1, 2, 3, 4)
            )
        )
        assert results.count(Fault.VERSION_STALE) == 3
        (winner,) = [result for result in results if result is not Fault.VERSION_STALE]
        before = mappings.show_mapping(4)
        assert before == winner
    site()


def test_of_an_edit_and_a_deletion_of_one_version_one_wins(site):
    before = mappings.show_mapping(4)
    edited, deleted = at_once(
        lambda: mappings.edit_mapping(ADMIN, before.entry, versions={before.version}),
        lambda: mappings.delete_mapping(ADMIN, 4, versions={before.version}),
    )
    assert (edited, deleted) in (
        (before.succeeded_by(before.entry), Fault.VERSION_STALE),
        (Fault.MAPPING_UNKNOWN, None),
    )
    site()


def test_a_scope_is_mapped_once(site):
    results = at_once(*[lambda: mappings.create_mapping(ADMIN, BUGS_OF_TEST)] * 3)
    assert results.count(Fault.SCOPE_MAPPED) == 2
    site()


def test_what_is_refused_changes_nothing(site):
    before = site()
    mapping = before.approval_mappings[3]
    assert refused(mappings.edit_mapping, ADMIN, replace(mapping, id=99)) is Fault.MAPPING_UNKNOWN
    assert refused(mappings.delete_mapping, ADMIN, 2**31) is Fault.MAPPING_UNKNOWN
    assert refused(mappings.edit_mapping, ADMIN, mapping, versions={0}) is Fault.VERSION_STALE
    assert refused(mappings.delete_mapping, ADMIN, 4, versions=()) is Fault.VERSION_STALE
    moved = replace(mapping, transition_id=5)
    assert refused(mappings.edit_mapping, ADMIN, moved) is Fault.SCOPE_FIXED
    unfit = replace(BUGS_OF_TEST, transition_id=111)
    assert refused(mappings.create_mapping, ADMIN, unfit) is Fault.TRANSITION_UNFIT
    assert site() == before


@pytest.mark.parametrize("size", [0, 3, 600])
def test_lists_are_read_in_chunks(site, size):
    before = site()
    projects = tuple(replace(before.projects[0], id=20000 + n, key=f"X{n}") for n in range(size))
    model = before.approval_mappings[3]
    more = tuple(replace(model, id=100 + n, project_id=20000 + n) for n in range(size))
    grown = replace(
        before,
        projects=before.projects + projects,
        approval_mappings=before.approval_mappings + more,
    )
    snapshot.import_all(snapshot.dump_site(grown))
    found = mappings.find_mappings(MappingFilters(issue_type_id=10002, source_status_id=1), Wish())
    expected = [each for each in grown.approval_mappings if each.issue_type_id == 10002]
    assert found.entries == [each for each in expected if each.source_status_id == 1]
    with count_queries() as counter:
        mappings.find_mappings(MappingFilters(), Wish(start_at=0, max_results=3))
    assert counter.count == 4
