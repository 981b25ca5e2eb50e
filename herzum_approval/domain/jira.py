"""Jira as far as approvals need it: projects, workflows and issues."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

LARGEST_ID = 2**31 - 1
"""Ids are numbers of 32 bits; nothing has a larger one."""

_ID = re.compile(r"0*([0-9]{1,10})", re.ASCII)


def id_of(text: str) -> int | None:
    """Return the id that the text spells in ASCII digits, None where it spells none that can be."""
    spelt = _ID.fullmatch(text)
    if spelt is None or int(spelt[1]) > LARGEST_ID:
        return None
    return int(spelt[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueType:
    id: int
    name: str
    is_subtask: bool = False


class StatusCategory(StrEnum):
    """Jira's three colours of a status, by their keys."""

    TO_DO = "new"
    IN_PROGRESS = "indeterminate"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    id: int
    name: str
    category: StatusCategory = StatusCategory.TO_DO


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A way from one status to another.

    id: unique within its workflow only.
    source_status_ids: the statuses it leaves; empty where it may be taken from any.
    """

    id: int
    name: str
    destination_status_id: int
    source_status_ids: tuple[int, ...] = ()

    def leaves(self, status_id: int) -> bool:
        """Return whether the transition may be taken from the status (which must be of its workflow)."""
        return not self.source_status_ids or status_id in self.source_status_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """Statuses and the transitions between them.

    status_ids: every status of the workflow; the first is where a new issue starts.
    is_system: Jira's read-only workflow, on which no approvals can be mapped.
    """

    id: int
    name: str
    status_ids: tuple[int, ...]
    transitions: tuple[Transition, ...]
    is_system: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowScheme:
    """Gives issue types their workflow.

    by_issue_type: issue type id to workflow id; the others have `default_workflow_id`.
    """

    id: int
    name: str
    default_workflow_id: int
    by_issue_type: Mapping[int, int] = field(default_factory=dict)

    def workflow_id(self, issue_type_id: int) -> int:
        return self.by_issue_type.get(issue_type_id, self.default_workflow_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRole:
    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleActors:
    """Who has a project role in one project: usernames and group names."""

    role_id: int
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project.

    browsers: principals that may browse it: `anyone`, `user:NAME`, `group:NAME`, `role:ROLE_ID`
        (of this project) and `lead`.
    """

    id: int
    key: str
    name: str
    workflow_scheme_id: int
    lead: str | None = None
    browsers: tuple[str, ...] = ()
    roles: tuple[RoleActors, ...] = ()


class FieldType(StrEnum):
    USER_PICKER = "user picker"
    GROUP_PICKER = "group picker"
    EMAIL = "mail field"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField:
    """A field of issues that holds users, groups or e-mail addresses.

    id: as Jira spells it, `customfield_10100`.
    """

    id: str
    name: str
    type: FieldType


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An issue.

    fields: custom field id to the names (of users or groups) that it holds, in order.
    """

    id: int
    key: str
    project_id: int
    issue_type_id: int
    status_id: int
    summary: str = ""
    reporter: str | None = None
    assignee: str | None = None
    priority: str = "Medium"
    labels: tuple[str, ...] = ()
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None
