"""Builds pictures of one issue: a small workflow, a few approvals, and what mappings make of them.

OPEN --Submit--> REVIEW --Finish--> DONE        Reject: OPEN to DONE     Again: OPEN to OPEN
Back: from anywhere to OPEN
"""

from dataclasses import replace
from datetime import timedelta

from herzum_approval.domain.actions import Right
from herzum_approval.domain.approvals import (
    Approval,
    Approver,
    ApproverKind,
    ConditionalRule,
)
from herzum_approval.domain.configuration import Configuration
from herzum_approval.domain.issues import Surroundings, decide, move
from herzum_approval.domain.jira import (
    Issue,
    IssueType,
    Project,
    Status,
    StatusCategory,
    Transition,
    Workflow,
)
from herzum_approval.domain.mappings import (
    ApprovalMapping,
    MappedApproval,
    MappingSettings,
)
from tests.domain.truth_tables import NOW

OPEN, REVIEW, DONE = 1, 2, 3
SUBMIT, REJECT, FINISH, BACK, AGAIN, UNKNOWN = 11, 21, 31, 41, 51, 99
TECH, LEGAL, EACH, GROUPS = 3, 4, 5, 6
IS_BUG, IS_URGENT = 8, 9

WORKFLOW = Workflow(
    id=1,
    name="Approved work",
    status_ids=(OPEN, REVIEW, DONE),
    transitions=(
        Transition(id=SUBMIT, name="Submit", destination_status_id=REVIEW, source_status_ids=(OPEN,)),
        Transition(id=REJECT, name="Reject", destination_status_id=DONE, source_status_ids=(OPEN,)),
        Transition(id=FINISH, name="Finish", destination_status_id=DONE, source_status_ids=(REVIEW,)),
        Transition(id=BACK, name="Back", destination_status_id=OPEN),
        Transition(id=AGAIN, name="Again", destination_status_id=OPEN, source_status_ids=(OPEN,)),
    ),
)
APPROVALS = {
    TECH: Approval(id=TECH, name="tech", approvers=(Approver(kind=ApproverKind.USER, value="alice"),)),
    LEGAL: Approval(
        id=LEGAL,
        name="legal",
        approvers=(
            Approver(kind=ApproverKind.GROUP, value="lawyers"),
            Approver(kind=ApproverKind.REPORTER),
            Approver(kind=ApproverKind.USER, value="carol", is_excluded=True),
        ),
    ),
    EACH: Approval(
        id=EACH,
        name="each",
        approvers=(
            Approver(kind=ApproverKind.USER_PICKER_ALL, value="people"),
            Approver(kind=ApproverKind.PROJECT_LEAD, is_excluded=True),
        ),
    ),
    GROUPS: Approval(
        id=GROUPS, name="groups", approvers=(Approver(kind=ApproverKind.GROUP_PICKER, value="teams"),)
    ),
}
RULES = {
    IS_BUG: ConditionalRule(id=IS_BUG, name="is bug", jql="issuetype = Bug"),
    IS_URGENT: ConditionalRule(id=IS_URGENT, name="is urgent", jql="labels = urgent"),
}
ISSUE = Issue(
    id=12305,
    key="TEST-1",
    project_id=10000,
    issue_type_id=10002,
    status_id=OPEN,
    reporter="carol",
    assignee="dave",
    fields={"people": ("dave", "alice", "bob"), "teams": ("users", "admins")},
)
ALICE = Right(username="alice", is_approver=True)
DELEGATE = Right(username="erin", is_approver=False, delegators=("bob", "alice"))
LATER = NOW + timedelta(days=1)

AUTOMATIC = {"transitions_on_approbations": True}
REJECTING = {"transitions_on_rejections": True, "rejection_transition_id": REJECT}
RESPONSIVE = {"is_transition_responsive": True, "responsive_user": "robot"}


def mapping(id, *approvals, source=OPEN, transition=SUBMIT, conditioned=(), issue_id=None, **settings):
    """Return a mapping; approvals are ids, or mapped approvals."""
    return ApprovalMapping(
        id=id,
        project_id=ISSUE.project_id,
        issue_type_id=ISSUE.issue_type_id,
        source_status_id=source,
        transition_id=transition,
        issue_id=issue_id,
        settings=MappingSettings(**settings),
        approvals=tuple(
            each if isinstance(each, MappedApproval) else MappedApproval(approval_id=each)
            for each in approvals
        ),
        conditioned_minimums=conditioned,
    )


def picture(*mappings, records=(), status=OPEN, single=False, may_move=False, issue=ISSUE, **switches):
    """Return the issue in a status, with these records and no others. switches: of the configuration."""
    return Surroundings(
        issue=replace(issue, status_id=status),
        project=Project(id=10000, key="TEST", name="Test", workflow_scheme_id=1, lead="alice"),
        issue_type=IssueType(id=10002, name="Task"),
        statuses={
            OPEN: Status(id=OPEN, name="Open"),
            REVIEW: Status(id=REVIEW, name="Review", category=StatusCategory.IN_PROGRESS),
            DONE: Status(id=DONE, name="Done", category=StatusCategory.DONE),
        },
        workflow=WORKFLOW,
        approvals=APPROVALS,
        rules=RULES,
        mappings={each.id: each for each in mappings},
        records=tuple(records),
        configuration=Configuration(**switches),
        is_configured_singly=single,
        may_responsive_user_move=may_move,
    )


def numbered(around):
    """Return the picture with its new records numbered, as a database does."""
    last = max((record.id for record in around.records), default=0)
    new = [record.id for record in around.records if record.id <= 0]
    ids = dict(zip(new, range(max(last, 100) + 1, max(last, 100) + 1 + len(new)), strict=True))
    return replace(
        around,
        records=tuple(replace(record, id=ids.get(record.id, record.id)) for record in around.records),
    )


def moved(around, transition, now=NOW, username="dave"):
    """Return the picture after a move by hand."""
    return numbered(move(around, transition, username, now).around)


def opened(*mappings, **more):
    """Return the issue as it is when it has come to the status OPEN: its records numbered from 101."""
    return moved(picture(*mappings, **{"status": DONE} | more), BACK)


def decided(around, number, action, right=ALICE, comment=None, now=NOW):
    """Return what comes of an action on the picture's n-th record, from 1."""
    return decide(around, around.records[number - 1], action, right, comment=comment, now=now)


def after(around, *actions):
    """Return the picture after the actions, each a pair of a record's number and what is done to it."""
    for number, action in actions:
        around = numbered(decided(around, number, action).around)
    return around
