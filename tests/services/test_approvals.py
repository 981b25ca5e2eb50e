"""Changing approvals and the configuration, with all that follows for open issue approvals."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from threading import Barrier

import pytest
from playhouse.test_utils import count_queries

from herzum_approval.domain.actions import Action
from herzum_approval.domain.approvals import Approval, Approver, ApproverKind, Match
from herzum_approval.domain.configuration import Configuration
from herzum_approval.domain.delegations import Delegation
from herzum_approval.domain.history import EventKind
from herzum_approval.domain.issue_approvals import ApprovalStatus, SearchFilters
from herzum_approval.domain.jira import CustomField, FieldType
from herzum_approval.domain.mappings import (
    ApprovalMapping,
    MappedApproval,
    MappingSettings,
)
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import (
    approvals,
    configuration,
    databases,
    decisions,
    issue_approvals,
    mappings,
    snapshot,
)
from herzum_approval.services.decisions import Credentials
from herzum_approval.services.pages import Wish
from herzum_approval.store import sites

ADMIN = Actor(username="admin", display_name="Admin")
BOB = Approver(kind=ApproverKind.USER, value="bob")
CAROL = Approver(kind=ApproverKind.USER, value="carol")
PICKER = CustomField(id="customfield_10100", name="Owners", type=FieldType.USER_PICKER)
EACH = Approver(kind=ApproverKind.USER_PICKER_ALL, value=PICKER.id)
BUGS_TO_CLOSE = ApprovalMapping(
    id=0, project_id=10000, issue_type_id=10004, source_status_id=1, transition_id=5
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


def edit(approval_id, **members):
    before = approvals.show_approval(approval_id)
    return approvals.edit_approval(ADMIN, replace(before.entry, **members))


def found_by(username):
    return [row[0] for row in issue_approvals.search(ADMIN, SearchFilters(username=username)).rows]


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


# -- who can act ------------------------------------------------------------------------------


def test_other_approvers_take_over_open_records(site):
    before = site()
    edit(3, approvers=(CAROL,))
    after = site()
    assert found_by("carol") == [11, 77, 78]
    assert 77 not in found_by("bob")
    assert after.issue_approvals == before.issue_approvals
    assert after.history == ()


@pytest.mark.parametrize(
    ("members", "carols"),
    [
        ({"match": Match.ALL, "approvers": (CAROL, Approver(kind=ApproverKind.ASSIGNEE))}, [77]),
        ({"approvers": (Approver(kind=ApproverKind.REPORTER),)}, [11, 78]),
        (
            {
                "approvers": (
                    Approver(kind=ApproverKind.GROUP, value="jira-software-users"),
                    Approver(kind=ApproverKind.ASSIGNEE, is_excluded=True),
                )
            },
            [11, 78],
        ),
        ({"approvers": ()}, []),
    ],
)
def test_every_way_to_name_approvers(site, members, carols):
    edit(3, **members)
    site()
    assert found_by("carol") == carols
    edit(3, approvers=(BOB,), match=Match.ANY)
    site()
    assert found_by("carol") == []


def test_votes_are_kept_and_show_who_may_reverse_them(site):
    decisions.act(ADMIN, 77, Action.APPROVE, credentials=Credentials(), comment=None)
    edit(3, approvers=(CAROL,))
    (record,) = [record for record in site().issue_approvals if record.id == 77]
    assert (record.approval_status, record.approver_username) == (ApprovalStatus.APPROVED, "admin")
    found = issue_approvals.search(
        ADMIN, SearchFilters(username="carol", approval_status=ApprovalStatus.APPROVED)
    )
    assert [row[0] for row in found.rows] == [77]


def test_a_switched_sequence_opens_and_closes_records(site):
    two = (MappedApproval(approval_id=1), MappedApproval(approval_id=4))
    mapping = mappings.create_mapping(
        ADMIN, replace(BUGS_TO_CLOSE, approvals=two, settings=MappingSettings(is_sequential=True))
    )
    first, second = [record.id for record in site().issue_approvals if record.mapping_id == mapping.id]
    assert (first in found_by("bob"), second in found_by("bob")) == (True, False)
    edit(4, is_sequential=False)
    site()
    assert second in found_by("bob")
    edit(4, is_sequential=True, approvers=(CAROL,))
    site()
    assert second not in found_by("carol")


def test_a_picker_asks_each_user_of_the_field(site):
    before = site()
    fields = {12400: ("bob", "carol"), 12500: ("dave",)}
    issues = tuple(
        replace(issue, fields={PICKER.id: fields[issue.id]}) if issue.id in fields else issue
        for issue in before.issues
    )
    snapshot.import_all(snapshot.dump_site(replace(before, issues=issues, custom_fields=(PICKER,))))
    edit(3, approvers=(EACH,))
    asked = site()
    of_test_2 = [record for record in asked.issue_approvals if record.issue_id == 12400]
    assert [record.target for record in of_test_2] == ["user:bob", "user:carol"]
    assert 77 not in [record.id for record in of_test_2]
    assert {event.details["reason"] for event in asked.history} == {"approval edited"}
    assert {event.username for event in asked.history} == {"admin"}
    assert {event.kind for event in asked.history} == {EventKind.SUBMITTED, EventKind.REMOVED}
    assert found_by("carol") == [of_test_2[1].id]
    # Whoever is excluded is asked no more; the other keeps his vote.
    bob = Actor(username="bob", display_name="Bob")
    decisions.act(bob, of_test_2[0].id, Action.APPROVE, credentials=Credentials(), comment=None)
    edit(3, approvers=(EACH, replace(CAROL, is_excluded=True)))
    (kept,) = [record for record in site().issue_approvals if record.issue_id == 12400]
    assert (kept.id, kept.approval_status) == (of_test_2[0].id, ApprovalStatus.APPROVED)
    # Of other statuses and of other approvals nothing comes or goes.
    others = [record for record in before.issue_approvals if record.approval_id != 3]
    assert [record for record in site().issue_approvals if record.approval_id != 3] == others
    edit(3, approvers=(BOB,))
    (shared,) = [record for record in site().issue_approvals if record.issue_id == 12400]
    assert (shared.target, shared.approval_status) == (None, ApprovalStatus.PENDING)


def test_a_name_and_a_description_change_nothing_else(site):
    before = site()
    with count_queries() as counter:
        edit(3, name="Roberto", description="More", approvers=before.approvals[2].approvers)
    after = site()
    assert after.issue_approvals == before.issue_approvals
    assert after.approvals[2] == replace(before.approvals[2], name="Roberto", description="More")
    assert counter.count < 20


def test_the_number_of_queries_does_not_grow_with_the_issues(site):
    with count_queries() as few:
        edit(3, approvers=(CAROL,))
    grown = site()
    issue = next(each for each in grown.issues if each.id == 12400)
    record = next(each for each in grown.issue_approvals if each.id == 77)
    issues = tuple(replace(issue, id=30000 + n, key=f"TEST-{1000 + n}") for n in range(60))
    records = tuple(replace(record, id=30000 + n, issue_id=30000 + n) for n in range(60))
    snapshot.import_all(
        snapshot.dump_site(
            replace(
                grown,
                issues=grown.issues + issues,
                issue_approvals=grown.issue_approvals + records,
            )
        )
    )
    with count_queries() as many:
        edit(3, approvers=(BOB,))
    site()
    assert len(found_by("bob")) >= 60
    assert many.count == few.count


# -- finding, creating, deleting --------------------------------------------------------------


def test_lists_are_read_in_chunks(site):
    grown = replace(
        site(), approvals=site().approvals + tuple(Approval(id=100 + n, name=f"n{n}") for n in range(1001))
    )
    snapshot.import_all(snapshot.dump_site(grown))
    assert approvals.find_approvals(None, Wish()).entries == list(grown.approvals)
    page = approvals.find_approvals(None, Wish(start_at=3, max_results=700))
    assert page.entries == list(grown.approvals[3:703])
    assert page.page == (3, 700, 1006)


def test_an_approval_can_be_used_once_it_is_there_and_deleted_once_it_is_not_used(site):
    created = approvals.create_approval(Approval(id=0, name="legal", approvers=(CAROL,)))
    assert created == approvals.show_approval(created.entry.id)
    mapped = (MappedApproval(approval_id=created.entry.id),)
    mapping = mappings.create_mapping(ADMIN, replace(BUGS_TO_CLOSE, approvals=mapped))
    assert len(found_by("carol")) == 1
    assert refused(approvals.delete_approval, created.entry.id) is Fault.APPROVAL_IN_USE
    mappings.delete_mapping(ADMIN, mapping.id)
    approvals.delete_approval(created.entry.id)
    site()
    assert refused(approvals.show_approval, created.entry.id) is Fault.APPROVAL_UNKNOWN
    assert approvals.create_approval(Approval(id=0, name="legal")).entry.id > created.entry.id


def test_delegations_of_a_deleted_approval_go(site):
    delegation = Delegation(id=1, delegator="bob", delegate="carol", approval_id=4)
    snapshot.import_all(
        snapshot.dump_site(
            replace(site(), delegations=(delegation, replace(delegation, id=2, approval_id=1)))
        )
    )
    approvals.delete_approval(4)
    assert [each.id for each in site().delegations] == [2]


# -- at once ----------------------------------------------------------------------------------


def test_of_two_edits_of_one_version_one_wins(site):
    before = approvals.show_approval(3)

    def edit_as(name):
        later = replace(before.entry, approvers=(Approver(kind=ApproverKind.USER, value=name),))
        return lambda: approvals.edit_approval(ADMIN, later, versions={before.version})

    for _ in range(5):
        results = at_once(*map(edit_as, ("bob", "carol", "dave", "alice")))
        assert results.count(Fault.VERSION_STALE) == 3
        (winner,) = [result for result in results if result is not Fault.VERSION_STALE]
        before = approvals.show_approval(3)
        assert before == winner
        site()


def test_an_approval_is_mapped_or_deleted_never_both(site):
    for _ in range(5):
        created = approvals.create_approval(Approval(id=0, name="legal", approvers=(CAROL,))).entry
        mapping = replace(BUGS_TO_CLOSE, approvals=(MappedApproval(approval_id=created.id),))
        mapped, deleted = at_once(
            lambda mapping=mapping: mappings.create_mapping(ADMIN, mapping),
            lambda id=created.id: approvals.delete_approval(id),
        )
        if mapped is Fault.REFERENCE_INVALID:
            assert deleted is None
            continue
        assert deleted is Fault.APPROVAL_IN_USE
        mappings.delete_mapping(ADMIN, mapped.id)
        approvals.delete_approval(created.id)
        site()


def test_of_two_approvals_of_one_name_one_is_made(site):
    results = at_once(*[lambda: approvals.create_approval(Approval(id=0, name="legal"))] * 3)
    assert results.count(Fault.APPROVAL_NAME_TAKEN) == 2
    site()


# -- the configuration ------------------------------------------------------------------------


def test_of_two_configurations_of_one_version_one_wins(site):
    before = configuration.show_configuration()
    results = at_once(
        *(
            lambda limit=limit: configuration.edit_configuration(
                Configuration(comment_limit=limit), versions={before.version}
            )
            for limit in (1, 2, 3)
        )
    )
    assert results.count(Fault.VERSION_STALE) == 2
    (winner,) = [result for result in results if result is not Fault.VERSION_STALE]
    assert configuration.show_configuration() == winner
    site()


def test_a_configuration_that_was_never_written(engine):
    with engine.connection_context():
        engine.execute_sql("DELETE FROM site_document")
    assert configuration.show_configuration().version == 0
    first = configuration.edit_configuration(Configuration(comment_limit=5), versions={0})
    assert first == configuration.show_configuration()
    assert first.version == 1
