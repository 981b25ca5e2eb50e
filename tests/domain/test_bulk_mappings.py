"""Plans of bulk operations: what becomes of each transition, and how it is counted."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herzum_approval.domain.bulk_mappings import (
    BulkRequest,
    Counts,
    Effect,
    Operation,
    Place,
    Reason,
    Scope,
    ScopeType,
    place_of,
    plan_copies,
    plan_deletions,
    plan_departures,
    plan_edits,
)
from herzum_approval.domain.mappings import (
    ApprovalMapping,
    ConditionedMinimum,
    MappedApproval,
    MappingSettings,
    MinimumKind,
)

STRICT = MappingSettings(requires_comment=True, minimum_approbations=2.0, rejection_transition_id=31)


def mapping(id, project_id=1, issue_type_id=1, source_status_id=1, transition_id=11, **more):
    return ApprovalMapping(
        id=id,
        project_id=project_id,
        issue_type_id=issue_type_id,
        source_status_id=source_status_id,
        transition_id=transition_id,
        approvals=more.pop("approvals", (MappedApproval(approval_id=id),)),
        **more,
    )


def request(operation, source, *destinations, type=ScopeType.PROJECT):
    return BulkRequest(operation=operation, type=type, source=source, destinations=destinations)


def always(place, transition_id):
    return True


def never(place, transition_id):
    return False


# -- scopes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "place"),
    [
        (Scope(project_id=9), (9, 2, 3, 4)),
        (Scope(project_id=9, issue_type_id=8), (9, 8, 3, 4)),
        (Scope(project_id=9, issue_type_id=8, source_status_id=7, transition_id=6), (9, 8, 7, 6)),
    ],
)
def test_a_mapping_lands_where_the_scope_says(scope, place):
    assert scope.place_for(mapping(1, 1, 2, 3, 4)) == place


# -- one operation after the other ------------------------------------------------------------


def said(entries):
    return [(entry.place, entry.effect, entry.reason, entry.source_mapping_id) for entry in entries]


def test_a_copy_goes_to_unmapped_transitions():
    first, second = mapping(1, settings=STRICT), mapping(2, transition_id=21)
    destinations = (Scope(project_id=2), Scope(project_id=1))
    order = request(Operation.COPY, Scope(project_id=1), *destinations)
    mapped = {Place(2, 1, 1, 21), Place(1, 1, 1, 11), Place(1, 1, 1, 21)}
    entries = list(plan_copies(order, [first, second], destinations, mapped, always))
    assert said(entries) == [
        (Place(2, 1, 1, 11), Effect.CREATE, Reason.UNMAPPED, 1),
        (Place(2, 1, 1, 21), Effect.SKIP, Reason.MAPPED, 2),
        (Place(1, 1, 1, 11), Effect.SKIP, Reason.ITSELF, 1),
        (Place(1, 1, 1, 21), Effect.SKIP, Reason.ITSELF, 2),
    ]
    assert entries[0].after == replace(first, id=0, project_id=2)
    assert [entry.after for entry in entries[1:]] == [None, None, None]
    assert [entry.before for entry in entries] == [None] * 4


@pytest.mark.parametrize(
    ("settings", "leaves", "kept", "is_dropped"),
    [
        (STRICT, always, 31, False),
        (STRICT, never, None, True),
        (MappingSettings(), never, None, False),
    ],
)
def test_a_rejection_transition_that_does_not_leave_the_status_is_dropped(settings, leaves, kept, is_dropped):
    scope = Scope(project_id=2, issue_type_id=1, source_status_id=5, transition_id=51)
    order = request(Operation.COPY, Scope(project_id=1), scope, type=ScopeType.TRANSITION)
    source = mapping(1, settings=settings)
    (copied,) = plan_copies(order, [source], [scope], set(), leaves)
    (edited,) = plan_edits(order, [source], [scope], {Place(2, 1, 5, 51): mapping(9, 2, 1, 5, 51)}, leaves)
    for entry in (copied, edited):
        assert entry.after.settings == replace(settings, rejection_transition_id=kept)
        assert entry.drops_rejection_transition is is_dropped


def test_it_is_the_destination_whose_transitions_are_looked_at():
    asked = []
    scope = Scope(project_id=2, issue_type_id=1, source_status_id=5, transition_id=51)
    order = request(Operation.COPY, Scope(project_id=1), scope, type=ScopeType.TRANSITION)
    list(plan_copies(order, [mapping(1, settings=STRICT)], [scope], set(), lambda *way: asked.append(way)))
    assert asked == [(Place(2, 1, 5, 51), 31)]


def test_a_move_takes_away_what_was_written_somewhere():
    sources = [mapping(1), mapping(2, transition_id=21), mapping(3, transition_id=31)]
    order = request(Operation.MOVE, Scope(project_id=1), Scope(project_id=2))
    entries = list(plan_departures(order, sources, {1, 3}))
    assert said(entries) == [
        (Place(1, 1, 1, 11), Effect.DELETE, Reason.MOVED, 1),
        (Place(1, 1, 1, 31), Effect.DELETE, Reason.MOVED, 3),
    ]
    assert [entry.before for entry in entries] == [sources[0], sources[2]]
    assert [entry.after for entry in entries] == [None, None]


def test_a_move_takes_nothing_from_a_source_that_is_a_destination():
    order = request(Operation.MOVE, Scope(project_id=1), Scope(project_id=2), Scope(project_id=1))
    assert list(plan_departures(order, [mapping(1)], {1})) == []


def test_an_edit_replaces_settings_and_approvals_of_mapped_transitions():
    minimum = ConditionedMinimum(kind=MinimumKind.REJECTIONS, conditional_rule_id=4, minimum=1.0)
    source = mapping(1, settings=STRICT, conditioned_minimums=(minimum,))
    unmapped, itself = mapping(2, transition_id=21), Scope(project_id=1)
    there = mapping(7, 2)
    destinations = (Scope(project_id=2), itself)
    order = request(Operation.EDIT, itself, *destinations)
    mapped = {place_of(each): each for each in (there, source, unmapped)}
    entries = list(plan_edits(order, [source, unmapped], destinations, mapped, always))
    assert said(entries) == [
        (Place(2, 1, 1, 11), Effect.OVERWRITE, Reason.MAPPED, 1),
        (Place(2, 1, 1, 21), Effect.SKIP, Reason.UNMAPPED, 2),
        (Place(1, 1, 1, 11), Effect.OVERWRITE, Reason.ITSELF, 1),
        (Place(1, 1, 1, 21), Effect.OVERWRITE, Reason.ITSELF, 2),
    ]
    assert entries[0].before == there
    assert entries[0].after == replace(source, id=7, project_id=2)
    assert entries[2].before == entries[2].after == source


def test_a_deletion_deletes():
    found = [mapping(1), mapping(2, 2)]
    assert [(entry.place, entry.effect, entry.before, entry.after) for entry in plan_deletions(found)] == [
        (place_of(each), Effect.DELETE, each, None) for each in found
    ]


# -- counting ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "skipped", "warning"),
    [
        (
            Operation.COPY,
            1,
            "A copy operation was skipped because the destination transition was already mapped before the "
            "copy operation began.",
        ),
        (
            Operation.COPY,
            3,
            "3 copy operations were skipped because the destination transitions were already mapped before "
            "the copy operation began.",
        ),
        (
            Operation.MOVE,
            1,
            "A move operation was skipped because the destination transition was already mapped before the "
            "move operation began.",
        ),
        (
            Operation.MOVE,
            2,
            "2 move operations were skipped because the destination transitions were already mapped before "
            "the move operation began.",
        ),
        (
            Operation.EDIT,
            1,
            "An edit operation was skipped because the destination transition was not mapped before the edit "
            "operation began.",
        ),
        (
            Operation.EDIT,
            2,
            "2 edit operations were skipped because the destination transitions were not mapped before the "
            "edit operation began.",
        ),
        (Operation.DELETE, 0, None),
        (Operation.COPY, 0, None),
    ],
)
def test_warning(operation, skipped, warning):
    assert Counts(operation=operation, affected=5, skipped=skipped).warning == warning


# -- what holds of all plans ------------------------------------------------------------------

places = st.builds(Place, st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.sampled_from([11, 21]))
numbers = st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True)


@st.composite
def situations(draw, operation):
    """Mappings of three projects, and an operation between projects."""
    taken = draw(st.lists(places, max_size=10, unique=True))
    comments = draw(st.lists(st.booleans(), min_size=len(taken), max_size=len(taken)))
    found = [
        mapping(id, *place, settings=MappingSettings(requires_comment=comment))
        for id, (place, comment) in enumerate(zip(taken, comments, strict=True), start=1)
    ]
    destinations = [Scope(project_id=id) for id in draw(numbers)]
    return found, request(operation, Scope(project_id=draw(st.integers(1, 3))), *destinations)


def planned(found, order, size=100):
    """Return the plan of a whole operation, made from chunks of so many sources."""
    sources = [each for each in found if each.project_id == order.source.project_id]
    by_place = {place_of(each): each for each in found}
    entries = []
    for start in range(0, len(sources), size):
        chunk = sources[start : start + size]
        plan = plan_edits if order.operation is Operation.EDIT else plan_copies
        made = list(plan(order, chunk, order.destinations, by_place, always))
        if order.operation is Operation.MOVE:
            written = {entry.source_mapping_id for entry in made if entry.effect is Effect.CREATE}
            made += plan_departures(order, chunk, written)
        entries += made
    return entries


def carried_out(found, entries):
    after = {place_of(each): each for each in found}
    for entry in entries:
        if entry.effect is Effect.DELETE:
            del after[entry.place]
        elif entry.after is not None:
            after[entry.place] = entry.after
    return [replace(each, id=id) for id, (_, each) in enumerate(sorted(after.items()), start=1)]


@given(situations(Operation.COPY))
def test_a_copy_is_idempotent(situation):
    found, order = situation
    once = carried_out(found, planned(found, order))
    again = planned(once, order)
    assert {entry.effect for entry in again} <= {Effect.SKIP}
    assert carried_out(once, again) == once


@given(situations(Operation.MOVE))
def test_a_move_is_a_copy_and_the_deletion_of_what_was_written(situation):
    found, order = situation
    copied = planned(found, replace(order, operation=Operation.COPY))
    written = {entry.source_mapping_id for entry in copied if entry.effect is Effect.CREATE}
    gone = [each for each in found if each.id in written and order.source not in order.destinations]
    both = [*copied, *plan_deletions(gone)]
    assert carried_out(found, planned(found, order)) == carried_out(found, both)


@given(situations(Operation.EDIT))
def test_an_edit_is_idempotent_and_maps_nothing_new(situation):
    found, order = situation
    once = carried_out(found, planned(found, order))
    assert [place_of(each) for each in once] == sorted(place_of(each) for each in found)
    assert carried_out(once, planned(once, order)) == once


@given(
    st.sampled_from([Operation.COPY, Operation.MOVE, Operation.EDIT]).flatmap(situations), st.integers(1, 4)
)
def test_chunks_make_the_same_plan(situation, size):
    found, order = situation
    whole, chunked = planned(found, order), planned(found, order, size)
    assert sorted(map(repr, chunked)) == sorted(map(repr, whole))
    total, parts = Counts(operation=order.operation), Counts(operation=order.operation)
    for place in range(0, len(chunked), size):
        parts = parts.plus(chunked[place : place + size])
    assert parts == total.plus(whole)
    sources = [each for each in found if each.project_id == order.source.project_id]
    assert parts.affected + parts.skipped == len(sources) * len(order.destinations)
