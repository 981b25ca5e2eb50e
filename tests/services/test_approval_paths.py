"""Approval paths as use cases, on both engines: started, voted on by many at once, reset, exported."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from herzum_approval import clock, config, store
from herzum_approval.domain.approval_paths import (
    ApprovalDefinition,
    Condition,
    Decision,
    DefinitionStep,
    PathStatus,
    Product,
    StepKind,
)
from herzum_approval.domain.confluence import Page, Space
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import (
    approval_definitions,
    approval_paths,
    databases,
    snapshot,
)
from herzum_approval.services.approval_definitions import EntryFilters
from herzum_approval.services.approval_paths import PathFilters
from herzum_approval.services.pages import Wish
from herzum_approval.store.approval_path_entries import read_entries, update_entry
from tests.services.sites import given

JIRA, CONFLUENCE = Product.JIRA, Product.CONFLUENCE
ACCEPTED, REJECTED = Decision.ACCEPTED, Decision.REJECTED


@pytest.fixture(autouse=True)
def demonstration(engine, settings):
    snapshot.reset()


def reference(ref="TEST-1", product=JIRA):
    return approval_paths.find_reference(product, ref)


def started(definition_id="197", ref="TEST-1", product=JIRA, performer="admin", **wish):
    shown = approval_paths.create_approval(
        reference(ref, product), definition_id, performer=performer, **wish
    )
    return shown.entries[0]


def define(*steps, **members):
    """Give a definition under the id 500."""
    made = {"id": 500, "product": "jira", "name": "Own", "steps": list(steps), **members}
    given(approval_definitions=[made])


def refused(fault, action, *args, **kwargs):
    with pytest.raises(Problem) as caught:
        action(*args, **kwargs)
    assert caught.value.fault is fault
    return caught.value


def listed(ref="TEST-1", product=JIRA):
    return approval_paths.list_approvals(reference(ref, product)).entries


def comments(name="comments"):
    return [(each["author"], each["body"]) for each in snapshot.export_all().get(name, [])]


# -- references -------------------------------------------------------------------------------


@pytest.mark.parametrize("ref", ["TEST-1", "test-1", "12305", "012305"])
def test_an_issue_is_found_by_key_and_by_id(ref):
    found = reference(ref)
    assert (found.id, found.key, found.collection_id) == (12305, "TEST-1", 10000)
    assert found.names_in("reporter") == ("alice",)
    assert found.names_in("assignee") == ("carol",)


@pytest.mark.parametrize("ref", ["", "TEST-99", "1", "10004", "9" * 30, "\0", "٣", "x" * 5000])
def test_an_issue_that_is_not_there(ref):
    refused(Fault.PATH_REFERENCE_UNKNOWN, reference, ref)


@pytest.mark.parametrize("ref", ["TEST-1", "12305", "DOC", "", "-1"])
def test_a_page_that_is_not_there(ref):
    refused(Fault.PATH_REFERENCE_UNKNOWN, reference, ref, CONFLUENCE)


# -- definitions ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("product", "ref", "ids"),
    [
        (JIRA, None, [35]),
        (JIRA, "10000", [197]),
        (JIRA, "test", [197]),
        (JIRA, "PROC", []),
        (CONFLUENCE, None, [45, 98]),
        (CONFLUENCE, "10001", [46]),
    ],
)
def test_definitions_of_a_product_are_global_or_of_one_collection(product, ref, ids):
    shown = approval_definitions.list_definitions(product, ref)
    assert [each.id for each in shown.entries] == ids


@pytest.mark.parametrize(
    ("product", "ref"), [(JIRA, "10001"), (JIRA, "NONE"), (CONFLUENCE, "DOC"), (CONFLUENCE, "10000")]
)
def test_a_collection_that_is_not_there(product, ref):
    refused(Fault.COLLECTION_UNKNOWN, approval_definitions.list_definitions, product, ref)


def test_what_is_shown_names_users_and_groups():
    shown = approval_definitions.list_definitions(CONFLUENCE)
    assert shown.users["kamil"].display_name == "Kamil Zarychta"
    assert shown.groups["confluence-users"].id == "06a60c65-1cb8-4ea8-997a-3dc3dafc6ceb"


@pytest.mark.parametrize(
    ("definition_id", "ref", "product"),
    [
        ("99", "TEST-1", JIRA),
        ("45", "TEST-1", JIRA),  # of the other product
        ("197", "PROC-1", JIRA),  # of another project
        ("35", "10004", CONFLUENCE),
        ("", "TEST-1", JIRA),
        ("x", "TEST-1", JIRA),
        ("9" * 30, "TEST-1", JIRA),
    ],
)
def test_a_definition_that_is_not_for_it(definition_id, ref, product):
    refused(Fault.DEFINITION_UNKNOWN, started, definition_id, ref, product)


# -- running ----------------------------------------------------------------------------------


def test_an_approval_runs_to_its_end():
    path = started()
    assert listed() == (path,)
    assert path.summary == "TEST-1 Prepare the test environment"
    for voter in ("alice", "bob", "bob"):
        path = approval_paths.vote(path.id, voter, ACCEPTED)
    assert path.path_status is PathStatus.SUCCESS
    assert listed() == (path,)
    assert comments() == [(None, "Approval QA was approved.\nalice: ACCEPTED\nbob: ACCEPTED\nbob: ACCEPTED")]
    assert databases.find_faults() == []


def test_the_report_of_a_page_is_a_comment_on_the_page():
    path = started("98", "10068", CONFLUENCE)
    approval_paths.vote(path.id, "kamil", REJECTED)
    (comment,) = approval_definitions.list_page_comments(10068)
    assert comment.body.startswith("Approval only confluence users was rejected.\nconfluence-users: REJECTED")
    assert databases.find_faults() == []


def test_several_run_on_one_issue_by_the_definition_as_it_was():
    first = started("35")
    edited = ApprovalDefinition(
        id=35,
        product=JIRA,
        name="New name",
        steps=(DefinitionStep(kind=StepKind.USER, username="carol"),),
    )
    approval_definitions.edit_entry(edited)
    second = started("35")
    approval_definitions.delete_entry(ApprovalDefinition, 35)
    assert [path.name for path in listed()] == ["Approval Name", "New name"]
    assert approval_paths.vote(first.id, "bob", ACCEPTED).path_status is PathStatus.SUCCESS
    assert approval_paths.vote(second.id, "carol", ACCEPTED).path_status is PathStatus.SUCCESS


def test_as_of_old_the_one_that_runs_may_be_returned(settings):
    with config.active(replace(settings, approval_path_returns_running=True)):
        first = started("35")
        assert started("35") == first
        assert started("197").id != first.id
        approval_paths.vote(first.id, "bob", ACCEPTED)
        assert started("35").id != first.id


def test_conditions_are_asked_of_the_issue():
    given(
        approval_conditions=[
            {"id": 1, "name": "tasks", "jql": "type = Task"},
            {"id": 2, "name": "bugs", "jql": "type = Bug"},
        ]
    )
    define(
        {"kind": "USER", "username": "bob"},
        {"kind": "USER", "username": "carol", "condition_id": 2},
        condition_id=1,
    )
    assert [step.definition.username for step in started("500").steps] == ["admin", "bob"]
    refused(Fault.PATH_CONDITION_FALSE, started, "500", "TEST-3")
    assert listed("TEST-3") == ()


def test_a_condition_that_cannot_be_asked_is_not_met(engine):
    given(approval_conditions=[{"id": 1, "name": "any", "jql": "type = Task"}])
    define(
        {"kind": "USER", "username": "bob"}, {"kind": "EMAIL", "email": "x@example.com", "condition_id": 1}
    )
    assert len(started("500").steps) == 3
    broken = Condition(id=1, name="any", jql="type = ")  # as an earlier grammar may have let pass
    (before,) = store.writing(lambda database: read_entries(database, Condition, [1]))
    assert store.writing(lambda database: update_entry(database, broken, before.version))
    assert len(started("500").steps) == 2


def test_a_step_without_anybody_refuses_the_start():
    given(
        custom_fields=[{"id": "customfield_1", "name": "Board", "type": "user picker"}],
        approval_definitions=[
            {
                "id": 500,
                "product": "jira",
                "name": "Own",
                "steps": [
                    {"kind": "USER", "username": "bob"},
                    {"kind": "USER_FIELD", "field_id": "customfield_1"},
                ],
            }
        ],
        issues=[{"id": 12400, "fields": {"customfield_1": ["carol", "dave"]}}],
    )
    problem = refused(Fault.PATH_STEP_EMPTY, started, "500")
    assert problem.details == {"name": "Own", "position": 2}
    assert listed() == ()
    assert started("500", "TEST-2").steps[2].members == ("carol", "dave")


def test_the_addresses_in_a_field_are_asked_and_come_back_from_a_snapshot():
    given(
        custom_fields=[{"id": "customfield_1", "name": "Customers", "type": "mail field"}],
        issues=[{"id": 12305, "fields": {"customfield_1": ["Ann@example.com", "ben@example.com"]}}],
    )
    define({"kind": "EMAIL_FIELD", "field_id": "customfield_1", "required_votes": 2})
    path = started("500")
    assert path.steps[1].members == ("Ann@example.com", "ben@example.com")
    recipients = [mail["recipient"] for mail in snapshot.export_all()["path_mails"]]
    assert recipients == ["email:Ann@example.com", "email:ben@example.com"]
    snapshot.import_all(snapshot.export_all())
    assert approval_paths.vote(path.id, "ann@example.com", ACCEPTED).is_running
    assert approval_paths.vote(path.id, "ben@example.com", ACCEPTED).path_status is PathStatus.SUCCESS
    refused(Fault.PATH_STEP_EMPTY, started, "500", "TEST-2")


def test_members_who_left_have_no_vote():
    given(users=[{"id": 10002, "username": "bob", "is_active": False}])
    path = started("98", "10068", CONFLUENCE)
    assert path.steps[1].members == ("kamil",)


def test_an_approval_expires_without_anybody_doing_it():
    path = started(expires_at=clock.now() - timedelta(seconds=1))
    assert path.path_status is PathStatus.EXPIRED
    assert listed()[0].path_status is PathStatus.EXPIRED
    assert approval_paths.show_path(path.id).path_status is PathStatus.EXPIRED
    refused(Fault.PATH_ENDED, approval_paths.vote, path.id, "alice", ACCEPTED)
    running = started(expires_at=clock.now() + timedelta(hours=1))

    def found(status):
        return [
            each.id for each in approval_paths.find_paths(PathFilters(path_status=status), Wish()).entries
        ]

    assert found(PathStatus.EXPIRED) == [path.id]
    assert found(PathStatus.IN_PROGRESS) == [running.id]
    assert approval_paths.archive(path.id).path_status is PathStatus.ARCHIVED
    assert (found(PathStatus.EXPIRED), found(PathStatus.ARCHIVED)) == ([], [path.id])


def test_what_is_archived_is_listed_where_a_setting_wants_it(settings):
    path = approval_paths.archive(started().id)
    assert listed() == ()
    with config.active(replace(settings, approval_path_lists_archived=True)):
        assert listed() == (path,)
    refused(Fault.PATH_ENDED, approval_paths.archive, path.id)
    assert databases.find_faults() == []


@pytest.mark.parametrize("action", [approval_paths.archive, approval_paths.show_path])
@pytest.mark.parametrize("path_id", [0, 99, 2**31, 10**30])
def test_an_approval_that_is_not_there(action, path_id):
    refused(Fault.PATH_UNKNOWN, action, path_id)


def test_approvals_are_found_by_what_they_are_of():
    ids = [
        started("35").id,
        started("35", "TEST-2").id,
        started("46", "10068", CONFLUENCE).id,
        started("197").id,
    ]

    def found(**filters):
        listed = approval_paths.find_paths(PathFilters(**filters), Wish()).entries
        return [ids.index(each.id) for each in listed]

    assert found() == [0, 1, 2, 3]
    assert found(product=JIRA) == [0, 1, 3]
    assert found(product=JIRA, ref="test-1") == [0, 3]
    assert found(product=CONFLUENCE, ref="10068") == [2]
    assert found(definition_id=35) == [0, 1]
    assert found(product=CONFLUENCE, definition_id=35) == []
    refused(Fault.PARAMETER_INVALID, found, ref="TEST-1")
    refused(Fault.PATH_REFERENCE_UNKNOWN, found, product=JIRA, ref="none")


# -- taking away ------------------------------------------------------------------------------


def test_a_reset_discards_all_and_answers_what_was(settings):
    done = started("35")
    done = approval_paths.vote(done.id, "bob", ACCEPTED)
    running = started()
    archived = approval_paths.archive(started("35").id)
    other = started("35", "TEST-2")
    shown = approval_paths.reset_approvals(reference(), performer="carol")
    assert shown.entries == (done, running)
    assert set(shown.users) == {"admin", "alice", "bob"}
    assert listed() == ()
    assert listed("TEST-2") == (other,)
    assert approval_paths.show_path(archived.id) == archived
    assert approval_paths.reset_approvals(reference(), performer="carol", creates_comment=True).entries == ()
    assert comments() == [(None, "Approval Approval Name was approved.\nbob: ACCEPTED")]


def test_a_reset_leaves_one_comment_where_it_is_asked_for():
    started("35")
    started()
    approval_paths.reset_approvals(reference(), performer="carol", creates_comment=True)
    assert comments() == [
        (
            "carol",
            "Approval Approval Name was in progress when it was reset.\n\n"
            "Approval QA was in progress when it was reset.",
        )
    ]


def test_deleting_takes_one_away_and_tells_of_it():
    first, second = started("35"), started()
    refused(
        Fault.PATH_UNKNOWN,
        approval_paths.delete_approval,
        reference("TEST-2"),
        str(first.id),
        performer="bob",
    )
    for id in ("", "x", "99", "9" * 30):
        refused(Fault.PATH_UNKNOWN, approval_paths.delete_approval, reference(), id, performer="bob")
    approval_paths.delete_approval(reference(), str(first.id), performer="bob")
    assert listed() == (second,)
    assert comments() == [("bob", "Approval Approval Name was in progress when it was deleted.")]
    approval_paths.delete_path(second.id, performer="bob")
    assert listed() == ()
    refused(Fault.PATH_UNKNOWN, approval_paths.delete_path, second.id, performer="bob")


# -- many at once -----------------------------------------------------------------------------


def at_once(engine, *actions):
    """Do all of it in threads of their own, and return what each returned or raised."""
    results = [None] * len(actions)
    settings, barrier = config.current(), threading.Barrier(len(actions))

    def run(place, action):
        with store.active(engine), config.active(settings):
            barrier.wait()
            try:
                results[place] = action()
            except Problem as problem:
                results[place] = problem.fault

    threads = [threading.Thread(target=run, args=each) for each in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def with_members(count):
    """Give a group of so many members, and a definition that asks all of them."""
    names = [f"voter{number:02}" for number in range(count)]
    given(
        groups=[{"name": "voters"}],
        users=[
            {"id": 20000 + place, "username": name, "display_name": name, "groups": ["voters"]}
            for place, name in enumerate(names)
        ],
    )
    define({"kind": "GROUP", "group": "voters", "required_votes": count, "required_reject_votes": count})
    return names


def voting(path, voter, decision=ACCEPTED):
    return lambda: approval_paths.vote(path.id, voter, decision)


def test_no_vote_is_lost_where_all_vote_at_once(engine):
    names = with_members(16)
    path = started("500")
    results = at_once(engine, *(voting(path, name) for name in names))
    assert not [result for result in results if isinstance(result, Fault)]
    after = approval_paths.show_path(path.id)
    assert sorted(vote.voter for vote in after.steps[1].votes) == names
    assert (after.path_status, after.version) == (PathStatus.SUCCESS, 17)
    assert sorted(result.version for result in results) == list(range(2, 18))
    assert len(comments()) == 1
    assert databases.find_faults() == []


def test_one_vote_counts_of_somebody_who_votes_many_times_at_once(engine):
    with_members(3)
    path = started("500")
    results = at_once(engine, *(voting(path, "voter01") for _ in range(8)))
    assert Counter(result is Fault.VOTE_CAST for result in results) == {False: 1, True: 7}
    assert len(approval_paths.show_path(path.id).steps[1].votes) == 1


def test_votes_and_a_reset_at_once_leave_nothing_half_done(engine):
    names = with_members(6)
    for _ in range(3):
        path = started("500")
        actions = [voting(path, name) for name in names]
        actions.insert(3, lambda: approval_paths.reset_approvals(reference(), performer="admin"))
        results = at_once(engine, *actions)
        discarded = results.pop(3).entries[0]
        counted = [result for result in results if not isinstance(result, Fault)]
        assert {result for result in results if isinstance(result, Fault)} <= {Fault.PATH_UNKNOWN}
        assert len(discarded.steps[1].votes) == len(counted)
        assert listed() == ()
    assert databases.find_faults() == []


def test_as_of_old_one_is_started_by_many_at_once(engine, settings):
    with config.active(replace(settings, approval_path_returns_running=True)):
        results = at_once(engine, *(lambda: started("35").id for _ in range(8)))
    assert len(set(results)) == 1


# -- entries ----------------------------------------------------------------------------------


def test_pages_go_with_their_approvals_and_comments():
    path = started("46", "10068", CONFLUENCE)
    approval_paths.vote(path.id, "bob", ACCEPTED)
    approval_definitions.delete_entry(Page, 10068)
    refused(Fault.PATH_UNKNOWN, approval_paths.show_path, path.id)
    refused(Fault.PAGE_UNKNOWN, approval_definitions.list_page_comments, 10068)
    assert databases.find_faults() == []


def test_a_page_takes_its_approvals_to_another_space():
    path = started("46", "10068", CONFLUENCE)
    other = started("46", "10004", CONFLUENCE)
    space = approval_definitions.create_entry(Space(id=0, key="OPS", name="Operations")).entry
    page = approval_definitions.show_entry(Page, 10068).entry
    approval_definitions.edit_entry(replace(page, title="Renamed"))
    assert listed("10068", CONFLUENCE) == (path,)
    approval_definitions.edit_entry(replace(page, space_id=space.id))
    assert listed("10068", CONFLUENCE) == (replace(path, collection_id=space.id, version=2),)
    assert listed("10004", CONFLUENCE) == (other,)
    assert databases.find_faults() == []
    assert approval_paths.vote(path.id, "bob", ACCEPTED).path_status is PathStatus.SUCCESS


def test_what_is_used_stays():
    given(approval_conditions=[{"id": 1, "name": "tasks", "jql": "type = Task"}])
    define({"kind": "USER", "username": "bob", "condition_id": 1})
    problem = refused(Fault.CONDITION_IN_USE, approval_definitions.delete_entry, Condition, 1)
    assert problem.details == {"name": "tasks", "count": 1}
    problem = refused(Fault.SPACE_IN_USE, approval_definitions.delete_entry, Space, 10001)
    assert problem.details == {"key": "DOC", "pages": 2, "definitions": 1}
    approval_definitions.delete_entry(ApprovalDefinition, 500)
    approval_definitions.delete_entry(Condition, 1)


def test_two_edits_of_one_version(engine):
    space = Space(id=10001, key="DOC", name="x")
    version = approval_definitions.show_entry(Space, 10001).version
    actions = [
        lambda name=name: approval_definitions.edit_entry(replace(space, name=name), versions=[version])
        for name in ("a", "b", "c")
    ]
    results = at_once(engine, *actions)
    assert Counter(result is Fault.VERSION_STALE for result in results) == {True: 2, False: 1}


def test_pages_of_a_space():
    approval_definitions.create_entry(Space(id=0, key="OPS", name="Operations"))
    space_id = next(
        each.id
        for each in approval_definitions.find_entries(Space, EntryFilters(), Wish()).entries
        if each.key == "OPS"
    )
    made = approval_definitions.create_entry(Page(id=0, space_id=space_id, title="Runbook"))
    found = approval_definitions.find_entries(Page, EntryFilters(space_id=space_id), Wish()).entries
    assert list(found) == [made.entry]


# -- snapshots --------------------------------------------------------------------------------


def test_a_snapshot_holds_all_of_it_and_brings_it_back(settings):
    with config.active(replace(settings, approval_path_http_answer=0)):
        started("45", "10068", CONFLUENCE)
    approval_paths.vote(started().id, "alice", REJECTED)
    started("35", expires_at=clock.now() + timedelta(days=1), allows_abstaining=True)
    document = snapshot.export_all()
    assert {"spaces", "pages", "approval_definitions", "approval_paths", "http_calls", "path_mails"} <= set(
        document
    )
    snapshot.reset()
    assert "approval_paths" not in snapshot.export_all()
    snapshot.import_all(document)
    assert snapshot.export_all() == document
    assert databases.find_faults() == []
