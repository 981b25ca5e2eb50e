"""The site: the whole state, as one value. The snapshot document is this dataclass in JSON."""

from dataclasses import dataclass, field

from herzum_approval.domain.api_keys import ApiKey
from herzum_approval.domain.approval_paths import ApprovalDefinition, ApprovalPath, Condition, PathMail
from herzum_approval.domain.approvals import Approval, ConditionalRule
from herzum_approval.domain.bulk_mappings import BulkOperation
from herzum_approval.domain.configuration import Configuration, Licence
from herzum_approval.domain.confluence import Page, PageComment, Space
from herzum_approval.domain.custom_roles import CustomUserRole, JsmSite, RoleAssignment
from herzum_approval.domain.delegations import Delegation
from herzum_approval.domain.history import Comment, Event, Message
from herzum_approval.domain.http_steps import HttpCall
from herzum_approval.domain.issue_approvals import IssueApproval
from herzum_approval.domain.jira import (
    CustomField,
    Issue,
    IssueType,
    Project,
    ProjectRole,
    Status,
    Workflow,
    WorkflowScheme,
)
from herzum_approval.domain.jsm_tokens import JsmToken
from herzum_approval.domain.mappings import ApprovalMapping
from herzum_approval.domain.people import Group, LoginRecord, Session, User

FORMAT = "herzum-approval/1"
"""What a snapshot document says it is; the number changes with the shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleIssueConfiguration:
    """Says that one issue follows its own mappings (those with its `issue_id`) and no others."""

    issue_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything that the server knows, ordered so that nothing refers to what comes later."""

    format: str = FORMAT
    licence: Licence = field(default_factory=Licence)
    configuration: Configuration = field(default_factory=Configuration)
    groups: tuple[Group, ...] = ()
    users: tuple[User, ...] = ()
    issue_types: tuple[IssueType, ...] = ()
    statuses: tuple[Status, ...] = ()
    workflows: tuple[Workflow, ...] = ()
    workflow_schemes: tuple[WorkflowScheme, ...] = ()
    project_roles: tuple[ProjectRole, ...] = ()
    projects: tuple[Project, ...] = ()
    custom_fields: tuple[CustomField, ...] = ()
    issues: tuple[Issue, ...] = ()
    conditional_rules: tuple[ConditionalRule, ...] = ()
    approvals: tuple[Approval, ...] = ()
    single_issue_configurations: tuple[SingleIssueConfiguration, ...] = ()
    approval_mappings: tuple[ApprovalMapping, ...] = ()
    issue_approvals: tuple[IssueApproval, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    history: tuple[Event, ...] = ()
    comments: tuple[Comment, ...] = ()
    messages: tuple[Message, ...] = ()
    bulk_operations: tuple[BulkOperation, ...] = ()
    spaces: tuple[Space, ...] = ()
    pages: tuple[Page, ...] = ()
    page_comments: tuple[PageComment, ...] = ()
    approval_conditions: tuple[Condition, ...] = ()
    approval_definitions: tuple[ApprovalDefinition, ...] = ()
    approval_paths: tuple[ApprovalPath, ...] = ()
    http_calls: tuple[HttpCall, ...] = ()
    path_mails: tuple[PathMail, ...] = ()
    api_keys: tuple[ApiKey, ...] = ()
    jsm_sites: tuple[JsmSite, ...] = ()
    custom_roles: tuple[CustomUserRole, ...] = ()
    role_assignments: tuple[RoleAssignment, ...] = ()
    jsm_tokens: tuple[JsmToken, ...] = ()
    login_records: tuple[LoginRecord, ...] = ()
    sessions: tuple[Session, ...] = ()
