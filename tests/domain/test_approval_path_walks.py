"""Whatever a definition says and whatever people do, an approval comes to an end, by the rules."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from herzum_approval.domain import approval_path_runs as runs
from herzum_approval.domain.approval_path_votes import Around
from herzum_approval.domain.approval_paths import (
    Decision,
    PathStatus,
    Product,
    Reference,
    StepAction,
    StepKind,
    StepStatus,
)
from tests.approval_path_strategies import (
    NOW,
    definitions,
    happen,
    policies,
    started,
    steps,
)

MEMBERS = {"all": ["alice", "bob", "carol", "dave"], "two": ["alice", "bob"], "one": ["alice"], "none": []}
USERS = MEMBERS["all"]
FIELDS = (
    ("customfield_1", ("bob", "carol")),
    ("customfield_2", ("two", "none")),
    ("customfield_3", ("x@example.com", "Y@example.com")),
    ("assignee", ("dave",)),
)
STEPS = steps(
    USERS, MEMBERS, ["customfield_1", "assignee", "reporter"], ["customfield_2"], [1, 2, 3], ["customfield_3"]
)
UNDECIDED = (StepStatus.PENDING, StepStatus.ACTIVE)


@st.composite
def surroundings(draw):
    issue = Reference(
        product=Product.JIRA,
        id=5,
        collection_id=7,
        title="t",
        key="T-1",
        fields=draw(st.sampled_from([FIELDS, ()])),
    )
    conditions = draw(st.dictionaries(st.integers(1, 3), st.booleans()))
    return Around(reference=issue, members=MEMBERS, conditions=conditions, policy=draw(policies))


@given(st.data(), definitions(STEPS, condition_ids=[1, 2, 3]), surroundings(), surroundings())
@settings(max_examples=300, deadline=None)
def test_every_walk_ends_by_the_rules(data, definition, around, later):
    outcome = started(data.draw, definition, 38, data.draw(st.sampled_from(USERS)), around)
    if outcome is None:
        return
    origin = outcome.path
    assert_snapshot(origin, definition, around)
    history = [origin]
    most = sum(len(USERS) if step.definition.kind is not StepKind.HTTP else 1 for step in origin.steps)
    reports = int(outcome.report is not None)
    while outcome.path.is_running:
        assert len(history) <= most, "it never ends"
        now = NOW + timedelta(minutes=len(history))
        outcome = happen(data.draw, outcome, later, now)
        reports += outcome.report is not None
        assert_succession(history[-1], outcome.path)
        history.append(outcome.path)
    for path in history:
        assert_whole(path)
    assert reports == 1
    assert_calls(outcome)


def assert_snapshot(path, definition, around):
    """The run has the steps of the definition in their order, but those that were left out at the start."""
    remaining = iter(definition.steps)
    kept = [step.definition for step in path.steps[1:]]
    assert all(any(step == each for each in remaining) for step in kept)
    for step in kept:
        assert step.condition_id is None or around.conditions[step.condition_id]
    assert path.steps[0].definition.action is StepAction.STARTED


def assert_succession(before, after):
    """What was decided stays, the snapshot stays, time goes on."""
    assert [step.definition for step in before.steps] == [step.definition for step in after.steps]
    assert after.modified_at >= before.modified_at
    for old, new in zip(before.steps, after.steps, strict=True):
        if old.status not in UNDECIDED:
            assert new == old
        assert new.votes[: len(old.votes)] == old.votes
        assert old.status is StepStatus.PENDING or new.members == old.members


def assert_whole(path):
    statuses = [step.status for step in path.steps]
    is_open = any(status in UNDECIDED for status in statuses)
    assert path.is_running is bool(path.active_steps) is is_open
    assert (path.path_status is PathStatus.FAIL) is (StepStatus.FAIL in statuses)
    if path.is_running:
        assert_one_block_is_active(path)
    for step in path.steps[1:]:
        assert_step(step, path)
    assert_informed(path, path.rejection_steps, PathStatus.FAIL)
    assert_informed(path, path.success_steps, PathStatus.SUCCESS)


def assert_informed(path, steps, end):
    """Steps after an end wait for it, and are left out where another one comes."""
    informed = StepStatus.SUCCESS if path.path_status is end else StepStatus.SKIPPED
    for step in steps:
        assert step.status is (StepStatus.PENDING if path.is_running else informed)


def assert_one_block_is_active(path):
    """Beside each other are only steps of one parallel group; before them all is done, after them nothing."""
    active = [place for place, step in enumerate(path.steps) if step.status is StepStatus.ACTIVE]
    first, last = active[0], active[-1]
    if first != last:
        groups = {step.definition.parallel_group for step in path.steps[first : last + 1]}
        assert len(groups) == 1
        assert groups != {None}
    assert all(step.status not in UNDECIDED for step in path.steps[:first])
    pending = [place for place, step in enumerate(path.steps) if step.status is StepStatus.PENDING]
    assert all(place > last for place in pending)


def assert_step(step, path):
    definition = step.definition
    voters = [vote.voter for vote in step.votes]
    assert len(set(voters)) == len(voters)
    assert set(voters) <= set(step.members)
    if definition.is_creator_excluded:
        assert path.started_by not in step.members
    if not definition.awaits_decision:
        assert step.status is not StepStatus.ACTIVE
        assert step.status is not StepStatus.FAIL
        assert not step.votes
    elif definition.kind is not StepKind.HTTP:
        assert_votes(step)


def assert_votes(step):
    """The thresholds, told another way than in the code."""
    needed, against = step.definition.required_votes, step.definition.required_reject_votes
    cast = [vote.decision for vote in step.votes]
    accepts, rejects = cast.count(Decision.ACCEPTED), cast.count(Decision.REJECTED)
    everybody = bool(step.members) and len(cast) == len(step.members)
    match step.status:
        case StepStatus.SUCCESS:
            assert rejects < against
            silent = accepts + cast.count(Decision.ABSTAINED)
            assert accepts >= needed or (
                everybody and (silent >= needed or set(cast) == {Decision.ABSTAINED})
            )
        case StepStatus.FAIL:
            assert accepts < needed
            assert rejects >= against or everybody or not step.members
        case StepStatus.ACTIVE:
            assert step.members
            assert accepts < needed
            assert rejects < against
            assert not everybody


def assert_calls(outcome):
    """Each HTTP step that was reached made one request, and no other did."""
    path = outcome.path
    made = sorted(call.position for call in outcome.calls if not call.informs_of_end)
    reached = [
        place
        for place, step in enumerate(path.steps)
        if step.definition.kind is StepKind.HTTP and step.status in (StepStatus.SUCCESS, StepStatus.FAIL)
    ]
    cut_off = [
        place
        for place, step in enumerate(path.steps)
        if step.definition.kind is StepKind.HTTP and step.status is StepStatus.SKIPPED
    ]
    assert len(set(made)) == len(made)
    assert set(reached) <= set(made) <= set(reached) | set(cut_off)
    informed = [call.position for call in outcome.calls if call.is_of_rejection]
    assert informed == (list(range(len(path.rejection_steps))) if path.path_status is PathStatus.FAIL else [])
    informed = [call.position for call in outcome.calls if call.is_of_success]
    assert informed == (
        list(range(len(path.success_steps))) if path.path_status is PathStatus.SUCCESS else []
    )


@given(st.data(), definitions(STEPS), surroundings())
@settings(max_examples=100, deadline=None)
def test_an_approval_can_be_put_away_at_any_time(data, definition, around):
    outcome = started(data.draw, definition, 38, "alice", around)
    if outcome is None:
        return
    for path in (outcome.path, runs.as_of(outcome.path, NOW + timedelta(days=2))):
        archived = runs.archive(path, NOW + timedelta(days=3))
        assert archived.path_status is PathStatus.ARCHIVED
        assert not archived.active_steps
        assert archived.happened == path.happened
