"""Approvals: named definitions of who may act, and the principals that they come to on an issue."""

from dataclasses import dataclass
from enum import StrEnum

from herzum_approval.domain.jira import Issue, Project
from herzum_approval.domain.people import (
    group_principal,
    role_principal,
    user_principal,
)


class ApproverKind(StrEnum):
    """How a definition names its approvers; the value each needs stands behind it."""

    USER = "user"  # username
    GROUP = "group"  # group name
    PROJECT_ROLE = "project role"  # role id
    REPORTER = "reporter"
    ASSIGNEE = "assignee"
    PROJECT_LEAD = "project lead"
    USER_PICKER = "user picker"  # custom field id: anybody in the field decides for all
    USER_PICKER_ALL = "user picker all"  # custom field id: one request for each user in it
    GROUP_PICKER = "group picker"  # custom field id: one request for each group in it


FANNING_OUT = frozenset({ApproverKind.USER_PICKER_ALL, ApproverKind.GROUP_PICKER})
"""Kinds that make one issue approval for each name in the field."""


class Match(StrEnum):
    """How several approver properties combine."""

    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """One property of a definition. is_excluded: whoever it names may not act."""

    kind: ApproverKind
    value: str | None = None
    is_excluded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A named definition of who may act.

    is_sequential: its own switch; off lets it be acted on at any time within a sequential mapping.
    """

    id: int
    name: str
    approvers: tuple[Approver, ...] = ()
    match: Match = Match.ANY
    is_sequential: bool = True
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalRule:
    """A named JQL condition on an issue."""

    id: int
    name: str
    jql: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The principals a definition comes to on one issue.

    one_of: sets of principals; somebody must have one out of every set.
    none_of: principals that bar whoever has one.
    """

    one_of: tuple[frozenset[str], ...]
    none_of: frozenset[str] = frozenset()

    @property
    def is_plain(self) -> bool:
        """Whether any single principal suffices, so that it can be stored and looked up as it is."""
        return len(self.one_of) <= 1 and not self.none_of

    def admits(self, principals: frozenset[str]) -> bool:
        """Return whether somebody with these principals may act."""
        if not self.one_of or self.none_of & principals:
            return False
        return all(principals & required for required in self.one_of)


def standing(approval: Approval, issue: Issue, project: Project, target: str | None = None) -> Standing:
    """Return who may act on the approval's record of this issue.

    target: the principal that a record of a fanned-out picker is for; it stands in for its picker.
    Source: HAP "Multiple property examples": included properties by OR or AND, minus the excluded.
    """
    included = [
        frozenset({target})
        if target is not None and approver.kind in FANNING_OUT
        else principals_of(approver, issue, project)
        for approver in approval.approvers
        if not approver.is_excluded
    ]
    excluded = frozenset[str]().union(
        *(principals_of(approver, issue, project) for approver in approval.approvers if approver.is_excluded)
    )
    if approval.match is Match.ALL and included:
        return Standing(tuple(included), excluded)
    anybody = frozenset[str]().union(*included)
    return Standing((anybody,) if anybody else (), excluded)


def principals_of(approver: Approver, issue: Issue, project: Project) -> frozenset[str]:
    """Return the principals that one property comes to on this issue."""
    match approver.kind:
        case ApproverKind.USER:
            return _users(approver.value)
        case ApproverKind.GROUP:
            return frozenset({group_principal(approver.value or "")})
        case ApproverKind.PROJECT_ROLE:
            return frozenset({role_principal(project.id, int(approver.value or 0))})
        case ApproverKind.REPORTER:
            return _users(issue.reporter)
        case ApproverKind.ASSIGNEE:
            return _users(issue.assignee)
        case ApproverKind.PROJECT_LEAD:
            return _users(project.lead)
        case ApproverKind.GROUP_PICKER:
            return frozenset(map(group_principal, issue.fields.get(approver.value or "", ())))
        case _:
            return _users(*issue.fields.get(approver.value or "", ()))


def _users(*usernames: str | None) -> frozenset[str]:
    return frozenset(user_principal(username) for username in usernames if username)
