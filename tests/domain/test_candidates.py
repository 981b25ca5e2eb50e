"""Who can act on which open issue approval."""

from datetime import UTC, datetime

import pytest

from herzum_approval.domain.approvals import (
    Approval,
    Approver,
    ApproverKind,
    Match,
    Standing,
)
from herzum_approval.domain.candidates import SUPER_APPROVER_LIMIT, candidates, derive
from herzum_approval.domain.issue_approvals import IssueApproval, RecordSettings
from herzum_approval.domain.jira import Issue, Project
from herzum_approval.domain.mappings import ApprovalMapping, MappingSettings
from herzum_approval.domain.sites import Site

ADMIN = Approver(kind=ApproverKind.USER, value="admin")
APPROVERS = Approver(kind=ApproverKind.GROUP, value="approvers")
ASSIGNEE = Approver(kind=ApproverKind.ASSIGNEE)
NOT_BOB = Approver(kind=ApproverKind.USER, value="bob", is_excluded=True)
PICKED = Approver(kind=ApproverKind.USER_PICKER_ALL, value="customfield_1")

PROJECT = Project(id=1, key="TEST", name="Test", workflow_scheme_id=1, lead="alice")
ISSUE = Issue(
    id=1,
    key="TEST-1",
    project_id=1,
    issue_type_id=1,
    status_id=1,
    reporter="carol",
    fields={"customfield_1": ("alice", "bob")},
)


def record(id=1, approval_id=1, **others):
    values = {
        "issue_id": 1,
        "transition_id": 11,
        "transition_name": "Start Progress",
        "source_status_id": 1,
        "submitted_at": datetime(2023, 1, 20, tzinfo=UTC),
    }
    return IssueApproval(id=id, approval_id=approval_id, **{**values, **others})


def mapping(*super_approvers):
    return ApprovalMapping(
        id=1,
        project_id=1,
        issue_type_id=1,
        source_status_id=1,
        transition_id=11,
        settings=MappingSettings(super_approvers=super_approvers),
    )


def standing(*one_of, none_of=()):
    return Standing(tuple(frozenset(names) for names in one_of), frozenset(none_of))


@pytest.mark.parametrize(
    ("approvers", "match", "super_approvers", "expected"),
    [
        ((ADMIN, APPROVERS), Match.ANY, (), [standing({"user:admin", "group:approvers"})]),
        ((ADMIN, APPROVERS), Match.ALL, (), [standing({"user:admin"}, {"group:approvers"})]),
        ((APPROVERS, NOT_BOB), Match.ANY, (), [standing({"group:approvers"}, none_of={"user:bob"})]),
        ((), Match.ANY, (), []),
        ((NOT_BOB,), Match.ANY, (), []),
        ((ASSIGNEE,), Match.ANY, (), []),
        ((ADMIN, ASSIGNEE), Match.ALL, (), []),
        ((ADMIN, ASSIGNEE), Match.ANY, (), [standing({"user:admin"})]),
        ((PICKED,), Match.ANY, (), [standing({"user:alice", "user:bob"})]),
        ((ADMIN,), Match.ANY, (APPROVERS,), [standing({"user:admin"}), standing({"group:approvers"})]),
        ((ASSIGNEE,), Match.ANY, (APPROVERS,), [standing({"group:approvers"})]),
        (
            (ADMIN,),
            Match.ANY,
            (PICKED, NOT_BOB),
            [standing({"user:admin"}), standing({"user:alice", "user:bob"}, none_of={"user:bob"})],
        ),
        ((ADMIN,), Match.ANY, (ASSIGNEE,), [standing({"user:admin"})]),
    ],
)
def test_candidates(approvers, match, super_approvers, expected):
    approval = Approval(id=1, name="tech", approvers=approvers, match=match)
    assert candidates(record(), approval, ISSUE, PROJECT, mapping(*super_approvers)) == expected


def test_a_record_for_one_of_several_users_has_that_one():
    approval = Approval(id=1, name="tech", approvers=(PICKED,))
    assert candidates(record(target="user:bob"), approval, ISSUE, PROJECT) == [standing({"user:bob"})]


def test_only_the_first_users_that_super_approvers_name_count():
    users = [Approver(kind=ApproverKind.USER, value=f"u{number}") for number in range(SUPER_APPROVER_LIMIT)]
    late = Approver(kind=ApproverKind.USER, value="late")
    approval = Approval(id=1, name="tech", approvers=(ADMIN,))
    found = candidates(record(), approval, ISSUE, PROJECT, mapping(users[0], *users, late, APPROVERS))
    assert found[1] == standing({*(f"user:u{number}" for number in range(100)), "group:approvers"})


def test_only_open_records_have_candidates():
    def sequential(place):
        return RecordSettings(is_sequential=True, place=place)

    site = Site(
        projects=(PROJECT,),
        issues=(ISSUE,),
        approvals=(Approval(id=1, name="tech", approvers=(ADMIN,)), Approval(id=2, name="nobody's")),
        approval_mappings=(mapping(APPROVERS),),
        issue_approvals=(
            record(1, mapping_id=1),
            record(2, approval_id=2),
            record(3, submitted_at=None),
            record(4, is_configuration=True),
            record(5, source_status_id=3),
            record(6, transition_id=5, settings=sequential(1)),
            record(7, transition_id=5, settings=sequential(2)),
        ),
    )
    derived = derive(site)
    admin = standing({"user:admin"})
    assert derived.open_ids == {1, 2, 6}
    assert derived.standings == {1: (admin, standing({"group:approvers"})), 6: (admin,)}
