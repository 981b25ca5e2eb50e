"""Bulk operations on mappings: previewed, carried out and undone, with all that follows for the issues."""

import random
from contextlib import suppress
from dataclasses import replace

import pytest

from herzum_approval import errors
from herzum_approval.domain.actions import Action
from herzum_approval.domain.bulk_mappings import Effect, Operation, Reason, ScopeType
from herzum_approval.domain.bulk_requests import WrittenRequest, WrittenScope
from herzum_approval.domain.history import EventKind
from herzum_approval.domain.issue_approvals import ApprovalStatus, SearchFilters
from herzum_approval.domain.mappings import MappedApproval, MappingSettings
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.examples import merged
from herzum_approval.services import (
    bulk_mappings,
    databases,
    decisions,
    issue_approvals,
    issues,
    mappings,
    snapshot,
)
from herzum_approval.services.decisions import Credentials
from herzum_approval.store import sites

ADMIN = Actor(username="admin", display_name="Admin")
TASK, SUB_TASK = "10002", "10003"
PROC, DOUB, TRIP = "10100", "10101", "10200"
WAYS = [(1, 11), (10000, 31), (10000, 131), (6, 21)]
"""Every way out of a status of the workflow that tasks and sub-tasks of PROC, DOUB and TRIP share."""


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


def request(operation, source, *destinations):
    """Write a request between scopes, each a tuple of ids. source: None for a delete."""
    type = {1: ScopeType.PROJECT, 2: ScopeType.ISSUE_TYPE, 4: ScopeType.TRANSITION}[len(destinations[0])]
    return WrittenRequest(
        operation=operation,
        type=type,
        source=None if source is None else scope(*source),
        destinations=tuple(scope(*each) for each in destinations),
    )


def scope(*ids):
    names = ("project_id", "issue_type_id", "source_status_id", "transition_id")
    return WrittenScope(**dict(zip(names, map(str, ids), strict=False)))


def run(*order):
    return bulk_mappings.run_bulk(ADMIN, request(*order))


def undo(operation):
    return bulk_mappings.undo_bulk(ADMIN, operation.id)


def lay_over(given):
    snapshot.import_all(merged(snapshot.export_all(), given))


def map_all(*entries):
    """Put these mappings in the place of all that there are, and align nothing. entries: with their ids."""
    lay_over(
        {
            "approval_mappings": {"$replace": list(entries)},
            "issue_approvals": {"$replace": []},
            "single_issue_configurations": {"$replace": []},
        }
    )


def mapping(id, project_id, issue_type_id, way, *approval_ids, **settings):
    return {
        "id": id,
        "project_id": int(project_id),
        "issue_type_id": int(issue_type_id),
        "source_status_id": way[0],
        "transition_id": way[1],
        "settings": settings,
        "approvals": [{"approval_id": each} for each in approval_ids or (3,)],
    }


def said():
    """Return what the site says, but for what may differ after an undo: history, operations, versions."""
    document = snapshot.export_all()
    records = [
        {name: value for name, value in record.items() if name != "version"}
        for record in document.get("issue_approvals", ())
    ]
    left_out = ("history", "bulk_operations", "issue_approvals")
    return {name: value for name, value in document.items() if name not in left_out} | {"records": records}


def act(record_id, action=Action.APPROVE):
    decisions.act(ADMIN, record_id, action, credentials=Credentials(), comment=None)


def records_of(site, key):
    issue_id = next(issue.id for issue in site.issues if issue.key == key)
    return [record for record in site.issue_approvals if record.issue_id == issue_id]


# -- effects ----------------------------------------------------------------------------------


def test_a_copy_asks_the_issues_that_wait(site):
    map_all(mapping(1, PROC, TASK, (1, 11), 2, requires_comment=True))
    # PROC-1 is a task in Under Review; PROC-2 a sub-task there.
    operation = run(Operation.COPY, (PROC, TASK, 1, 11), (PROC, TASK, 10000, 31), (PROC, SUB_TASK, 10000, 31))
    assert (operation.affected, operation.skipped) == (2, 0)
    after = site()
    for key, mapping_id in (("PROC-1", 2), ("PROC-2", 3)):
        (record,) = records_of(after, key)
        assert (record.approval_id, record.mapping_id, record.transition_name) == (2, mapping_id, "Accept")
        assert record.submitted_at is not None
        assert record.settings.requires_comment
    assert [(event.kind, event.username, event.details["reason"]) for event in after.history] == [
        (EventKind.SUBMITTED, "admin", "bulk copy 1")
    ] * 2
    found = issue_approvals.search(ADMIN, SearchFilters(username="admin", issue_keys=("PROC-1", "PROC-2")))
    assert len(found.rows) == 2
    kept = after.bulk_operations[0]
    assert (kept.username, kept.operation, kept.type) == ("admin", Operation.COPY, ScopeType.TRANSITION)
    assert (kept.affected, kept.skipped, kept.undone_at) == (2, 0, None)
    assert kept.request["source"] == {
        "project_id": PROC,
        "issue_type_id": TASK,
        "source_status_id": "1",
        "transition_id": "11",
    }
    assert [(entry.effect, entry.mapping_id, entry.source_mapping_id) for entry in kept.entries] == [
        (Effect.CREATE, 2, 1),
        (Effect.CREATE, 3, 1),
    ]
    assert [(record.before, record.version) for record in kept.records] == [(None, 1), (None, 1)]


def test_a_move_takes_its_source_along(site):
    map_all(
        *(mapping(id, PROC, TASK, way) for id, way in enumerate(WAYS, 1)), mapping(9, DOUB, TASK, WAYS[0])
    )
    operation = run(Operation.MOVE, (PROC,), (DOUB,))
    assert (operation.affected, operation.skipped) == (3, 1)
    after = site()
    left = {(each.project_id, each.source_status_id, each.transition_id) for each in after.approval_mappings}
    assert left == {(10100, 1, 11), *((10101, *way) for way in WAYS)}
    assert [entry.reason for entry in after.bulk_operations[0].entries][-3:] == [Reason.MOVED] * 3


def test_a_move_within_one_issue_type_asks_for_the_other_transition(site):
    map_all(mapping(1, PROC, TASK, (10000, 31)))
    mappings.edit_mapping(ADMIN, replace(site().approval_mappings[0], settings=MappingSettings()))
    (before,) = records_of(site(), "PROC-1")
    assert before.transition_id == 31
    run(Operation.MOVE, (PROC, TASK, 10000, 31), (PROC, TASK, 10000, 131))
    (after,) = records_of(site(), "PROC-1")
    assert (after.transition_id, after.mapping_id) == (131, 2)


def test_an_edit_keeps_the_votes_of_approvals_that_remain(site):
    map_all(
        mapping(1, PROC, TASK, (10000, 31), 3, 4),
        mapping(2, PROC, SUB_TASK, (10000, 31), 3, 2, requires_comment=True),
    )
    mappings.edit_mapping(ADMIN, replace(site().approval_mappings[0], settings=MappingSettings()))
    for record in records_of(site(), "PROC-1"):
        act(record.id)
    operation = run(Operation.EDIT, (PROC, SUB_TASK), (PROC, TASK))
    assert (operation.affected, operation.skipped) == (1, 0)
    kept, new = records_of(site(), "PROC-1")
    assert (kept.approval_id, kept.approval_status) == (3, ApprovalStatus.APPROVED)
    assert (new.approval_id, new.approval_status) == (2, ApprovalStatus.PENDING)
    assert kept.settings.requires_comment
    undo(operation)
    assert [(each.approval_id, each.approval_status) for each in records_of(site(), "PROC-1")] == [
        (3, ApprovalStatus.APPROVED),
        (4, ApprovalStatus.APPROVED),
    ]


def test_single_issue_configurations_stay(site):
    before = [each for each in site().approval_mappings if each.issue_id]
    run(Operation.DELETE, None, ("10000",), ("10101",))
    after = site()
    assert [each for each in after.approval_mappings if each.issue_id] == before
    assert [record.id for record in records_of(after, "TEST-1")] == [75, 76]
    assert records_of(after, "TEST-2") == []


def test_an_edit_by_itself_writes_nothing(site):
    before = said()
    operation = run(Operation.EDIT, (PROC,), (PROC,))
    assert (operation.affected, operation.skipped) == (1, 0)
    assert said() == before
    assert site().bulk_operations[0].entries[0].mapping_id is None


# -- previews ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order",
    [
        (Operation.COPY, (PROC,), (DOUB,), (TRIP,), (PROC,)),
        (Operation.MOVE, (PROC, TASK), (PROC, SUB_TASK), (TRIP, TASK)),
        (Operation.EDIT, (PROC,), (DOUB,), (TRIP,)),
        (Operation.DELETE, None, (PROC,), (TRIP,)),
        (Operation.DELETE, None, (PROC, TASK), (TRIP, TASK)),
        (Operation.DELETE, None, (PROC, TASK, 1, 11), (TRIP, TASK, 1, 11)),
    ],
)
def test_a_preview_changes_nothing_and_tells_what_will_happen(site, order):
    map_all(
        *(mapping(id, PROC, TASK, way) for id, way in enumerate(WAYS[:3], 1)),
        mapping(4, DOUB, TASK, WAYS[0]),
        mapping(5, TRIP, TASK, WAYS[1], requires_comment=True),
    )
    before = snapshot.export_all()
    preview = bulk_mappings.preview_bulk(request(*order), 0, 100)
    assert snapshot.export_all() == before
    operation = run(*order)
    assert operation.counts == preview.counts
    entries = site().bulk_operations[0].entries
    assert preview.total == len(entries) > 0
    assert [(each.place, each.effect, each.reason, each.source_mapping_id) for each in preview.entries] == [
        (each.place, each.effect, each.reason, each.source_mapping_id) for each in entries
    ]
    counted = [each.effect for each in entries].count(Effect.SKIP)
    assert counted == operation.skipped


def test_a_page_of_a_preview(monkeypatch):
    monkeypatch.setattr(bulk_mappings, "_ENTRIES_AT_ONCE", 2)
    map_all(*(mapping(id, PROC, TASK, way) for id, way in enumerate(WAYS, 1)))
    order = request(Operation.COPY, (PROC,), (DOUB,), (TRIP,))
    whole = bulk_mappings.preview_bulk(order, 0, 100).entries
    assert len(whole) == 8
    for start, size in ((0, 3), (1, 1), (3, 4), (7, 5), (8, 1), (2, 0)):
        page = bulk_mappings.preview_bulk(order, start, size)
        assert list(page.entries) == list(whole)[start : start + size]
        assert (page.start_at, page.max_results, page.total) == (start, size, 8)


# -- undoing ----------------------------------------------------------------------------------


def some_site(dice):
    """Return mappings of some of the three projects' transitions, with any settings that matter."""
    places = [
        (project, issue_type, way)
        for project in (PROC, DOUB, TRIP)
        for issue_type in (TASK, SUB_TASK)
        for way in WAYS
    ]
    return [
        mapping(
            id,
            *place,
            *dice.sample([1, 2, 3, 4], dice.randint(1, 3)),
            is_sequential=dice.random() < 0.5,
            requires_comment=dice.random() < 0.5,
            super_approvers=[{"kind": "user", "value": "carol"}] if dice.random() < 0.3 else [],
        )
        for id, place in enumerate(dice.sample(places, 12), 1)
    ]


def some_order(dice):
    operation = dice.choice(list(Operation))
    width = dice.choice([1, 2, 4])
    scopes = [
        (project, issue_type, *way)[:width]
        for project in (PROC, DOUB, TRIP)
        for issue_type in (TASK, SUB_TASK)
        for way in WAYS
    ]
    source = None if operation is Operation.DELETE else dice.choice(scopes)
    return operation, source, *dice.sample(scopes, dice.randint(1, 3))


@pytest.mark.parametrize("seed", range(20))
def test_an_undo_leaves_no_trace(site, seed, monkeypatch):
    monkeypatch.setattr(bulk_mappings, "_ENTRIES_AT_ONCE", random.Random(seed).choice([1, 2, 5, 2000]))
    dice = random.Random(seed)
    map_all(*some_site(dice))
    # Every mapping is written once, so that the records are those that it asks for.
    for each in site().approval_mappings:
        mappings.edit_mapping(ADMIN, each)
    for record in site().issue_approvals:
        if dice.random() < 0.4:
            with suppress(Problem):  # its turn may not have come
                act(record.id, dice.choice([Action.APPROVE, Action.REJECT]))
    before = said()
    operation = run(*some_order(dice))
    site()
    undone = undo(operation)
    assert (undone.undone_by, undone.affected) == ("admin", operation.affected)
    site()
    assert said() == before


def test_votes_come_back_with_their_ids_and_versions_go_on(site):
    act(77)
    (before,) = records_of(site(), "TEST-2")
    operation = run(Operation.DELETE, None, ("10000",))
    assert records_of(site(), "TEST-2") == []
    undo(operation)
    after = site()
    assert records_of(after, "TEST-2") == [replace(before, version=before.version + 1)]
    reasons = [(event.kind, event.details.get("reason")) for event in after.history]
    assert (EventKind.REMOVED, "bulk delete 1") in reasons
    assert (EventKind.SUBMITTED, "undo of bulk delete 1") in reasons
    found = issue_approvals.search(ADMIN, SearchFilters(username="bob", issue_key="TEST-2"))
    assert [row[0] for row in found.rows] == [77]


def test_versions_of_mappings_go_on(site):
    source = find(site(), PROC, (1, 11))
    seen = mappings.show_mapping(source.id).version
    mappings.edit_mapping(ADMIN, replace(source, approvals=(MappedApproval(approval_id=4),)))
    undo(run(Operation.DELETE, None, (PROC,)))
    assert mappings.show_mapping(source.id).version == seen + 2
    assert find(site(), PROC, (1, 11)).approvals == (MappedApproval(approval_id=4),)


def test_an_operation_is_undone_once():
    operation = run(Operation.COPY, (PROC,), (DOUB,))
    undo(operation)
    with pytest.raises(Problem) as refusal:
        undo(operation)
    assert refusal.value.fault is Fault.BULK_OPERATION_UNDONE


@pytest.mark.parametrize("id", [0, 1, 2**31, 10**30])
def test_an_unknown_operation_is_not_undone(id):
    with pytest.raises(Problem) as refusal:
        bulk_mappings.undo_bulk(ADMIN, id)
    assert refusal.value.fault is Fault.BULK_OPERATION_NOT_FOUND


def find(site, project_id, way):
    (found,) = [
        each
        for each in site.approval_mappings
        if (str(each.project_id), each.source_status_id, each.transition_id) == (project_id, *way)
        and each.issue_id is None
    ]
    return found


def edit_the_copy(site):
    found = find(site(), DOUB, (10000, 31))
    mappings.edit_mapping(ADMIN, replace(found, settings=MappingSettings(requires_comment=True)))


def delete_the_copy(site):
    mappings.delete_mapping(ADMIN, find(site(), DOUB, (10000, 31)).id)


def map_the_source_anew(site):
    copy = find(site(), DOUB, (10000, 31))
    mappings.create_mapping(ADMIN, replace(copy, id=0, project_id=int(PROC)))


def vote_on_what_the_copy_asked_for(site):
    (record,) = records_of(site(), "DOUB-1")
    act(record.id)


def vote_and_take_it_back(site):
    vote_on_what_the_copy_asked_for(site)
    (record,) = records_of(site(), "DOUB-1")
    act(record.id, Action.RESET)


def move_the_issue(site):
    issues.transition(ADMIN, "DOUB-1", 131)


def let_an_issue_enter(site):
    issues.transition(ADMIN, "DOUB-2", 11)


def put_tasks(site, status_ids):
    """Put tasks of DOUB, by key, into these statuses."""
    ids = {issue.key: issue.id for issue in site().issues}
    lay_over(
        {
            "issues": [
                {"id": ids.get(key, 90000), "key": key, "project_id": 10101, "issue_type_id": 10002}
                | {"status_id": status_id}
                for key, status_id in status_ids.items()
            ]
        }
    )


PLACE = "project 10101, issue type 10002, status 10000, transition 31"


@pytest.mark.parametrize(
    ("change", "said_of_it"),
    [
        (edit_the_copy, [f"{PLACE}: its mapping was changed"]),
        (delete_the_copy, [f"{PLACE}: its mapping was deleted"]),
        (map_the_source_anew, [f"{PLACE.replace(DOUB, PROC)}: it was mapped anew"]),
        (
            vote_on_what_the_copy_asked_for,
            [f"{PLACE}: an issue approval was acted on, made or deleted (DOUB-1)"],
        ),
        (vote_and_take_it_back, [f"{PLACE}: an issue approval was acted on, made or deleted (DOUB-1)"]),
        (move_the_issue, [f"{PLACE}: an issue was moved (DOUB-1)"]),
        (let_an_issue_enter, [f"{PLACE}: an issue entered its status (DOUB-2)"]),
    ],
)
def test_what_happened_since_keeps_an_operation_from_being_undone(site, change, said_of_it):
    map_all(mapping(1, PROC, TASK, (10000, 31)))
    put_tasks(site, {"DOUB-1": 10000, "DOUB-2": 1})
    operation = run(Operation.MOVE, (PROC,), (DOUB,))
    change(site)
    before = snapshot.export_all()
    with pytest.raises(Problem) as refusal:
        undo(operation)
    assert refusal.value.fault is Fault.BULK_OPERATION_OVERTAKEN
    assert set(said_of_it) <= set(refusal.value.details["changes"].split("; "))
    assert snapshot.export_all() == before


@pytest.mark.parametrize(
    "order",
    [
        (Operation.DELETE, None, (DOUB,)),
        (Operation.MOVE, (DOUB,), (TRIP,)),
        # What the edit brings is asked of nobody: its rule is true of no task.
        (Operation.EDIT, (PROC,), (DOUB,)),
    ],
)
def test_issues_that_entered_while_a_mapping_was_gone_are_asked_by_an_undo(site, order):
    lay_over({"conditional_rules": [{"id": 70, "name": "None", "jql": "issuetype = Sub-task"}]})
    map_all(
        mapping(1, DOUB, TASK, (10000, 31), 3, 4),
        mapping(2, PROC, TASK, (10000, 31), 2, conditional_rule_id=70),
    )
    put_tasks(site, {"DOUB-1": 10000, "DOUB-2": 1})
    operation = run(*order)
    issues.transition(ADMIN, "DOUB-2", 11)
    assert records_of(site(), "DOUB-2") == []
    undo(operation)
    after = site()
    assert [record.approval_id for record in records_of(after, "DOUB-2")] == [3, 4]
    reasons = [event.details["reason"] for event in after.history if event.kind is EventKind.SUBMITTED]
    assert reasons == [f"undo of {operation.title}"] * 2
    # One that waited there before without being asked goes on so.
    assert records_of(after, "DOUB-1") == []


def test_what_it_refers_to_must_still_be_there(site):
    operation = run(Operation.DELETE, None, (PROC,))
    lay_over(
        {
            "approvals": {
                "$replace": [each for each in snapshot.export_all()["approvals"] if each["id"] != 2]
            },
            "approval_mappings": {
                "$replace": [
                    each
                    for each in snapshot.export_all()["approval_mappings"]
                    if each["approvals"] != [{"approval_id": 2}]
                ]
            },
            "issue_approvals": {
                "$replace": [
                    each for each in snapshot.export_all()["issue_approvals"] if each["approval_id"] != 2
                ]
            },
        }
    )
    before = snapshot.export_all()
    with pytest.raises(Problem) as refusal:
        undo(operation)
    assert refusal.value.fault is Fault.BULK_OPERATION_OVERTAKEN
    assert snapshot.export_all() == before


def test_an_exported_operation_can_be_undone_where_it_was_imported(site):
    map_all(mapping(1, PROC, TASK, (10000, 31)), mapping(2, PROC, SUB_TASK, (10000, 31), 2))
    before = said()
    first = run(Operation.EDIT, (PROC, TASK), (PROC, SUB_TASK))
    edit_id = site().bulk_operations[0].entries[0].mapping_id
    snapshot.import_all(snapshot.export_all())
    undo(first)
    assert said() == before
    second = run(Operation.EDIT, (PROC, TASK), (PROC, SUB_TASK))
    changed = next(each for each in site().approval_mappings if each.id == edit_id)
    mappings.edit_mapping(ADMIN, replace(changed, approvals=(MappedApproval(approval_id=4),)))
    snapshot.import_all(snapshot.export_all())
    with pytest.raises(Problem) as refusal:
        undo(second)
    assert refusal.value.fault is errors.Fault.BULK_OPERATION_OVERTAKEN


# -- statements -------------------------------------------------------------------------------


@pytest.fixture
def statements(engine, monkeypatch):
    """Every statement that is sent, one for each list of values too."""
    sent = []
    cursor = engine.cursor

    class Counting:
        def __init__(self, inner):
            self.inner = inner

        def execute(self, sql, *values):
            sent.append(sql)
            return self.inner.execute(sql, *values)

        def executemany(self, sql, values):
            sent.append(sql)
            return self.inner.executemany(sql, values)

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def __iter__(self):
            return iter(self.inner)

    monkeypatch.setattr(engine, "cursor", lambda *options: Counting(cursor(*options)))
    return sent


def test_the_number_of_statements_does_not_grow(statements):
    def count(size):
        types = [{"id": 20000 + place, "name": f"Type {place}"} for place in range(size)]
        lay_over({"issue_types": types})
        schemes = [{"id": 3, "by_issue_type": {str(each["id"]): 3 for each in types}}]
        issue_list = [
            {"id": 50000 + place, "key": f"TRIP-{100 + place}", "project_id": 10200}
            | {"issue_type_id": 20000 + place, "status_id": 1}
            for place in range(size)
        ]
        lay_over({"workflow_schemes": schemes, "issues": issue_list})
        map_all(*(mapping(1 + place, PROC, 20000 + place, (1, 11)) for place in range(size)))
        counts = []
        for order in ((Operation.MOVE, (PROC,), (TRIP,)), (Operation.EDIT, (TRIP,), (TRIP,))):
            statements.clear()
            operation = run(*order)
            counts.append(len(statements))
            assert operation.affected == size
        statements.clear()
        bulk_mappings.undo_bulk(ADMIN, operation.id - 1)
        return [*counts, len(statements)]

    count(1)  # the first row of a table takes a statement more on SQLite
    assert count(40) == count(3)
