"""Which records an issue should have: the table of `tables/alignment.csv`, and what mappings ask for."""

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from herzum_approval.domain.alignment import NEW, Alignment, enter, realign, wanted
from herzum_approval.domain.approvals import Approval, Approver, ApproverKind, Match
from herzum_approval.domain.issue_approvals import (
    ApprovalStatus,
    IssueApproval,
    RecordSettings,
    RequirementType,
)
from herzum_approval.domain.jira import Issue, Project
from herzum_approval.domain.mappings import (
    AbstainOverride,
    ApprovalMapping,
    MappedApproval,
    MappingSettings,
)
from tests.domain.truth_tables import NOW, SUBMITTED, cases, is_yes, rows, vote

HERE, ELSEWHERE = 1, 2
PROJECT = Project(id=10000, key="TEST", name="Test", workflow_scheme_id=1, lead="alice")
ISSUE = Issue(
    id=12305,
    key="TEST-1",
    project_id=10000,
    issue_type_id=10002,
    status_id=HERE,
    reporter="carol",
    fields={"people": ("dave", "bob"), "more": ("bob", "carol", "alice"), "groups": ("users", "admins")},
)
MADE_BY = {
    "mapping": {"mapping_id": 5},
    "single": {"mapping_id": 5, "type": RequirementType.SINGLE_ISSUE},
    "nothing": {"mapping_id": None},
}
PEOPLE = Approver(kind=ApproverKind.USER_PICKER_ALL, value="people")
MORE = Approver(kind=ApproverKind.USER_PICKER_ALL, value="more")
GROUPS = Approver(kind=ApproverKind.GROUP_PICKER, value="groups")
NOBODY = Approver(kind=ApproverKind.USER_PICKER_ALL, value="empty")
ANYBODY = Approver(kind=ApproverKind.USER_PICKER, value="people")
ALICE = Approver(kind=ApproverKind.USER, value="alice")
LEAD_EXCLUDED = Approver(kind=ApproverKind.PROJECT_LEAD, is_excluded=True)
BOB_EXCLUDED = Approver(kind=ApproverKind.USER, value="bob", is_excluded=True)


# -- what becomes of one record ---------------------------------------------------------------


def existing_for(case):
    if case["record"] == "none":
        return []
    status = {"configuration": "APPROVED", "unsubmitted": "PENDING"}.get(case["record"], case["record"])
    return [
        vote(
            7,
            ApprovalStatus(status),
            approval_id=3,
            source_status_id={"here": HERE, "elsewhere": ELSEWHERE}[case["status"]],
            submitted_at=None if case["record"] == "unsubmitted" else SUBMITTED,
            notified_at=SUBMITTED,
            has_transition_error=True,
            is_configuration=case["record"] == "configuration",
            version=4,
            **MADE_BY[case["made by"]],
        )
    ]


def wanted_for(case):
    if not is_yes(case["wanted"]):
        return []
    made_by = MADE_BY["mapping" if case["made by"] == "nothing" else case["made by"]]
    return [
        vote(
            NEW,
            approval_id=3,
            transition_name="Renamed",
            source_status_id={"here": HERE, "elsewhere": ELSEWHERE}[case["status"]],
            submitted_at=None,
            requires_comment=True,
            **made_by | {"mapping_id": 6},
        )
    ]


def submitted(record):
    return replace(
        record,
        approval_status=ApprovalStatus.PENDING,
        decided_at=None,
        approver_username=None,
        submitted_at=NOW,
        notified_at=None,
        has_transition_error=False,
    )


def expected(result, existing, asked):
    """Return the alignment that a cell of the table stands for."""
    if result == "leave":
        return Alignment()
    if result == "delete":
        return Alignment(deleted=tuple(existing))
    if result.startswith("create"):
        (record,) = asked
        return Alignment(created=(record if "unsubmitted" in result else submitted(record),))
    (before,) = existing
    after = before
    for record in asked:
        after = replace(
            before,
            settings=record.settings,
            mapping_id=6,
            type=record.type,
            transition_name="Renamed",
        )
    after = submitted(after) if result == "submit" else after
    return Alignment(updated=((before, replace(after, version=5)),))


@pytest.mark.parametrize(
    ("column", "align"), [("on entering", enter), ("on change", realign)], ids=["enter", "realign"]
)
@pytest.mark.parametrize("case", cases("alignment"))
def test_table(case, column, align):
    existing, asked = existing_for(case), wanted_for(case)
    if case[column]:
        assert align(existing, asked, HERE, NOW) == expected(case[column], existing, asked)
    else:  # who enters a status asks for nothing of another one
        assert (column, case["status"], case["wanted"]) == ("on entering", "elsewhere", "yes")


def test_table_has_every_result():
    results = {row[column] for row in rows("alignment") for column in ("on entering", "on change")} - {""}
    assert results == {"leave", "delete", "create", "create unsubmitted", "submit", "renew"}


@pytest.mark.parametrize(
    "difference", [{"transition_id": 31}, {"approval_id": 4}, {"target": "user:bob"}], ids=str
)
def test_another_transition_approval_or_target_is_another_record(difference):
    existing = vote(7, mapping_id=5)
    asked = vote(NEW, approval_id=7, mapping_id=5, submitted_at=None)
    asked = replace(asked, **difference)
    found = realign([existing], [asked], HERE, NOW)
    assert found == Alignment(created=(submitted(asked),), deleted=(existing,))


@pytest.mark.parametrize("align", [enter, realign])
def test_a_record_goes_over_to_whoever_asks_for_it_now(align):
    existing = vote(7, approval_id=3, mapping_id=5)
    asked = replace(existing, id=NEW, mapping_id=6, type=RequirementType.SINGLE_ISSUE, submitted_at=None)
    ((_, after),) = align([existing], [asked], HERE, NOW).updated
    assert (after.id, after.mapping_id, after.type) == (7, 6, RequirementType.SINGLE_ISSUE)


def test_an_approval_that_is_mapped_twice_has_two_records():
    asked = [vote(NEW, approval_id=3, place=place, submitted_at=None, mapping_id=5) for place in (1, 2)]
    existing = [vote(id, approval_id=3, mapping_id=5) for id in (7, 8, 9)]
    found = realign(existing, asked, HERE, NOW)
    assert found.created == ()
    assert [(before.id, after.settings.place) for before, after in found.updated] == [(8, 2)]
    assert [record.id for record in found.deleted] == [9]


# -- what a mapping asks for ------------------------------------------------------------------


def mapping_of(*mapped, issue_id=None, **values):
    return ApprovalMapping(
        id=5,
        project_id=10000,
        issue_type_id=10002,
        source_status_id=HERE,
        transition_id=11,
        issue_id=issue_id,
        settings=MappingSettings(**values),
        approvals=mapped,
    )


def asked_by(mapping, *approvals, true_rules=(), issue=ISSUE):
    definitions = {approval.id: approval for approval in approvals}
    return wanted(mapping, issue, PROJECT, definitions, "Start Progress", set(true_rules).__contains__)


TECH, LEGAL = (
    Approval(id=3, name="tech", approvers=(ALICE,)),
    Approval(id=4, name="legal", approvers=(ALICE,)),
)
BOTH = (MappedApproval(approval_id=4), MappedApproval(approval_id=3))


def test_a_record_is_new_and_has_what_its_mapping_says():
    settings = {
        "transitions_on_approbations": True,
        "transitions_on_rejections": True,
        "waits_for_all_replies": True,
        "sends_request_mail": True,
        "announces_by_comment": True,
        "requires_comment": True,
        "minimum_approbations": 2.0,
        "minimum_rejections": 0.5,
        "is_sequential": True,
        "opens_after_any_decision": True,
        "abstain_override": AbstainOverride.OFF,
        "shows_status_on_portal": True,
        "shows_buttons_on_portal": True,
    }
    mapping = mapping_of(MappedApproval(approval_id=3, is_optional=True), **settings)
    assert asked_by(mapping, TECH) == [
        IssueApproval(
            id=NEW,
            issue_id=12305,
            approval_id=3,
            transition_id=11,
            transition_name="Start Progress",
            source_status_id=HERE,
            mapping_id=5,
            settings=RecordSettings(**settings, place=1, is_optional=True),
        )
    ]
    copied = {each.name for each in fields(RecordSettings)}
    assert copied == set(settings) | {"place", "is_optional", "conditional_rule_id"}


def test_the_order_of_the_approvals_is_their_place():
    found = asked_by(mapping_of(*BOTH), TECH, LEGAL)
    assert [(record.approval_id, record.settings.place) for record in found] == [(4, 1), (3, 2)]


@pytest.mark.parametrize(
    ("issue_id", "type"), [(None, RequirementType.WORKFLOW), (12305, RequirementType.SINGLE_ISSUE)]
)
def test_the_type_tells_whether_it_is_for_this_issue_alone(issue_id, type):
    (record,) = asked_by(mapping_of(BOTH[0], issue_id=issue_id), LEGAL)
    assert record.type is type


@pytest.mark.parametrize(
    ("mapping_rule", "approval_rule", "true_rules", "asked"),
    [
        (None, None, (), [(4, None), (3, None)]),
        (8, None, (8,), [(4, 8), (3, 8)]),
        (8, None, (), []),
        (None, 9, (9,), [(4, 9), (3, None)]),
        (None, 9, (), [(3, None)]),
        (8, 9, (8, 9), [(4, 9), (3, 8)]),
        (8, 9, (8,), [(3, 8)]),
        (8, 9, (9,), []),
    ],
)
def test_only_what_its_rules_allow_is_asked_for(mapping_rule, approval_rule, true_rules, asked):
    mapped = (MappedApproval(approval_id=4, conditional_rule_id=approval_rule), BOTH[1])
    found = asked_by(
        mapping_of(*mapped, conditional_rule_id=mapping_rule), TECH, LEGAL, true_rules=true_rules
    )
    assert [(record.approval_id, record.settings.conditional_rule_id) for record in found] == asked


def test_an_approval_that_is_left_out_leaves_its_place_empty():
    mapped = (MappedApproval(approval_id=4, conditional_rule_id=9), BOTH[1])
    (record,) = asked_by(mapping_of(*mapped), TECH, LEGAL)
    assert record.settings.place == 2


@pytest.mark.parametrize(
    ("approvers", "match", "targets"),
    [
        ((ALICE,), Match.ANY, [None]),
        ((ANYBODY,), Match.ANY, [None]),
        ((PEOPLE,), Match.ANY, ["user:bob", "user:dave"]),
        ((GROUPS,), Match.ANY, ["group:admins", "group:users"]),
        ((PEOPLE, MORE), Match.ANY, ["user:alice", "user:bob", "user:carol", "user:dave"]),
        ((PEOPLE, GROUPS), Match.ANY, ["group:admins", "group:users", "user:bob", "user:dave"]),
        ((PEOPLE, ALICE), Match.ANY, ["user:bob", "user:dave"]),
        ((PEOPLE, BOB_EXCLUDED), Match.ANY, ["user:dave"]),
        ((MORE, LEAD_EXCLUDED), Match.ANY, ["user:bob", "user:carol"]),
        ((ALICE, BOB_EXCLUDED), Match.ANY, [None]),
        ((ALICE, replace(PEOPLE, is_excluded=True)), Match.ANY, [None]),
        ((NOBODY,), Match.ANY, []),
        ((NOBODY, PEOPLE), Match.ANY, ["user:bob", "user:dave"]),
        ((NOBODY, ALICE), Match.ANY, [None]),
        ((NOBODY, ALICE), Match.ALL, []),
        ((NOBODY, BOB_EXCLUDED), Match.ANY, []),
        ((), Match.ANY, [None]),
    ],
)
def test_pickers_of_all_and_of_groups_make_a_record_for_each_name(approvers, match, targets):
    approval = Approval(id=3, name="tech", approvers=approvers, match=match)
    found = asked_by(mapping_of(MappedApproval(approval_id=3)), approval)
    assert [record.target for record in found] == targets
    assert {record.settings.place for record in found} <= {1}


def test_a_picker_that_changed_keeps_the_votes_of_those_who_stay():
    approval = Approval(id=3, name="tech", approvers=(PEOPLE,))
    mapping = mapping_of(MappedApproval(approval_id=3))
    first = [
        replace(record, id=id, submitted_at=SUBMITTED, approval_status=ApprovalStatus.APPROVED)
        for id, record in enumerate(asked_by(mapping, approval), start=1)
    ]
    changed = replace(ISSUE, fields={"people": ("dave", "erin")})
    found = realign(first, asked_by(mapping, approval, issue=changed), HERE, NOW)
    assert [record.target for record in found.created] == ["user:erin"]
    assert [record.target for record in found.deleted] == ["user:bob"]
    assert found.updated == ()


# -- what holds of every alignment ------------------------------------------------------------


def records_of(ids, mapping_ids, submissions):
    return st.lists(
        st.builds(
            vote,
            st.just(NEW),
            st.sampled_from(ApprovalStatus),
            approval_id=st.sampled_from([1, 2]),
            transition_id=st.sampled_from([11, 21]),
            source_status_id=st.sampled_from([HERE, ELSEWHERE]),
            mapping_id=st.sampled_from(mapping_ids),
            type=st.sampled_from(RequirementType),
            target=st.sampled_from([None, "user:bob"]),
            submitted_at=st.sampled_from(submissions),
            is_configuration=st.booleans(),
            requires_comment=st.booleans(),
        ),
        max_size=8,
    ).map(lambda found: [replace(record, id=id) for id, record in zip(ids, found, strict=False)])


pools = records_of(range(1, 9), [None, 5, 6], [None, SUBMITTED])
# All of one type: an issue either follows mappings or has a configuration of its own.
wishes = st.tuples(records_of([NEW] * 8, [5, 6], [None]), st.sampled_from(RequirementType)).map(
    lambda drawn: [
        replace(
            record,
            type=drawn[1],
            approval_status=ApprovalStatus.PENDING,
            decided_at=None,
            approver_username=None,
            is_configuration=False,
        )
        for record in drawn[0]
    ]
)


def applied(existing, alignment):
    """Return the records as they are once the alignment is written."""
    after = {before.id: after for before, after in alignment.updated}
    gone = {record.id for record in alignment.deleted}
    kept = [after.get(record.id, record) for record in existing if record.id not in gone]
    return kept + [replace(record, id=100 + n) for n, record in enumerate(alignment.created)]


def of_here(records):
    return [record for record in records if record.source_status_id == HERE]


@settings(deadline=None)
@given(pools, wishes)
def test_to_enter_twice_is_to_enter_once(existing, asked):
    once = applied(existing, enter(existing, of_here(asked), HERE, NOW))
    assert enter(once, of_here(asked), HERE, NOW) == Alignment()


@settings(deadline=None)
@given(pools, wishes)
def test_to_realign_twice_is_to_realign_once(existing, asked):
    once = applied(existing, realign(existing, asked, HERE, NOW))
    assert realign(once, asked, HERE, NOW) == Alignment()


@settings(deadline=None)
@given(pools, wishes)
def test_to_realign_keeps_votes(existing, asked):
    for before, after in realign(existing, asked, HERE, NOW).updated:
        if before.submitted_at is not None:
            for name in ("approval_status", "decided_at", "approver_username", "submitted_at", "notified_at"):
                assert getattr(after, name) == getattr(before, name)


@settings(deadline=None)
@given(pools, wishes)
def test_who_enters_finds_everything_asked_for_and_nothing_decided(existing, asked):
    after = applied(existing, enter(existing, of_here(asked), HERE, NOW))
    live = [record for record in of_here(after) if not record.is_configuration]
    assert all(record.approval_status is ApprovalStatus.PENDING for record in live)
    assert all(record.submitted_at == NOW for record in live)
    assert len([record for record in live if record.mapping_id]) >= len(of_here(asked))


@settings(deadline=None)
@given(pools, wishes, st.sampled_from([enter, realign]))
def test_configuration_rows_are_never_touched(existing, asked, align):
    found = align(existing, of_here(asked), HERE, NOW)
    touched = [*found.deleted, *(before for before, _ in found.updated)]
    assert not any(record.is_configuration for record in touched)


@settings(deadline=None)
@given(pools, wishes)
def test_entering_leaves_other_statuses_alone(existing, asked):
    found = enter(existing, of_here(asked), HERE, NOW)
    touched = [*found.created, *found.deleted, *(before for before, _ in found.updated)]
    assert all(record.source_status_id == HERE for record in touched)


@settings(deadline=None)
@given(pools, wishes, st.sampled_from([enter, realign]))
def test_what_is_written_is_written_once(existing, asked, align):
    found = align(existing, of_here(asked), HERE, NOW)
    assert all(after.version == before.version + 1 for before, after in found.updated)
    touched = [record.id for record in (*found.deleted, *(before for before, _ in found.updated))]
    assert len(touched) == len(set(touched))
    assert all(record.id == NEW and record.version == 1 for record in found.created)
