"""Who may act: what each kind of approver comes to on an issue, and how several combine."""

import pytest

from herzum_approval.domain.approvals import (
    Approval,
    Approver,
    ApproverKind,
    Match,
    Standing,
    standing,
)
from herzum_approval.domain.jira import Issue, Project

PROJECT = Project(id=10000, key="TEST", name="Test", workflow_scheme_id=1, lead="alice")
ISSUE = Issue(
    id=12305,
    key="TEST-1",
    project_id=10000,
    issue_type_id=10002,
    status_id=1,
    reporter="carol",
    assignee="bob",
    fields={"customfield_10100": ("admin", "bob"), "customfield_10200": ("approvers",)},
)


def approver(kind, value=None, *, is_excluded=False):
    return Approver(kind=kind, value=value, is_excluded=is_excluded)


def standing_of(*approvers, match=Match.ANY, issue=ISSUE, project=PROJECT, target=None):
    return standing(Approval(id=1, name="tech", approvers=approvers, match=match), issue, project, target)


@pytest.mark.parametrize(
    ("kind", "value", "principals"),
    [
        (ApproverKind.USER, "admin", {"user:admin"}),
        (ApproverKind.GROUP, "approvers", {"group:approvers"}),
        (ApproverKind.PROJECT_ROLE, "10002", {"role:10000/10002"}),
        (ApproverKind.REPORTER, None, {"user:carol"}),
        (ApproverKind.ASSIGNEE, None, {"user:bob"}),
        (ApproverKind.PROJECT_LEAD, None, {"user:alice"}),
        (ApproverKind.USER_PICKER, "customfield_10100", {"user:admin", "user:bob"}),
        (ApproverKind.USER_PICKER_ALL, "customfield_10100", {"user:admin", "user:bob"}),
        (ApproverKind.GROUP_PICKER, "customfield_10200", {"group:approvers"}),
    ],
)
def test_each_kind_comes_to_its_principals(kind, value, principals):
    found = standing_of(approver(kind, value))
    assert found == Standing((frozenset(principals),))
    assert found.is_plain


@pytest.mark.parametrize(
    "kind",
    [ApproverKind.REPORTER, ApproverKind.ASSIGNEE, ApproverKind.PROJECT_LEAD, ApproverKind.USER_PICKER],
)
def test_an_empty_field_names_nobody(kind):
    empty_issue = Issue(id=1, key="TEST-9", project_id=10000, issue_type_id=1, status_id=1)
    empty_project = Project(id=10000, key="TEST", name="Test", workflow_scheme_id=1)
    found = standing_of(approver(kind, "customfield_1"), issue=empty_issue, project=empty_project)
    assert not found.admits(frozenset({"user:alice", "anyone"}))


def test_one_of_several_properties_is_enough_by_default():
    found = standing_of(approver(ApproverKind.USER, "admin"), approver(ApproverKind.GROUP, "approvers"))
    assert found.is_plain
    assert found.admits(frozenset({"user:bob", "group:approvers"}))
    assert not found.admits(frozenset({"user:carol"}))


def test_all_properties_are_needed_where_they_are_joined_by_and():
    found = standing_of(
        approver(ApproverKind.GROUP, "approvers"), approver(ApproverKind.ASSIGNEE), match=Match.ALL
    )
    assert not found.is_plain
    assert found.admits(frozenset({"user:bob", "group:approvers"}))
    assert not found.admits(frozenset({"user:bob"}))
    assert not found.admits(frozenset({"user:admin", "group:approvers"}))


def test_who_is_excluded_may_not_act():
    found = standing_of(
        approver(ApproverKind.GROUP, "approvers"), approver(ApproverKind.REPORTER, is_excluded=True)
    )
    assert not found.is_plain
    assert found.admits(frozenset({"user:bob", "group:approvers"}))
    assert not found.admits(frozenset({"user:carol", "group:approvers"}))


def test_a_definition_that_only_excludes_admits_nobody():
    assert not standing_of(approver(ApproverKind.REPORTER, is_excluded=True)).admits(frozenset({"user:bob"}))


def test_the_record_of_a_fanned_out_picker_is_for_its_target_alone():
    found = standing_of(approver(ApproverKind.USER_PICKER_ALL, "customfield_10100"), target="user:bob")
    assert found == Standing((frozenset({"user:bob"}),))
