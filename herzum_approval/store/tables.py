"""Every table, on one page; those of Approval Path stand in `approval_path_tables` and `api_key_tables`.

The models are bound to no database: queries run on the handle that `reading()` or `writing()` gives.
"""

from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    Check,
    CompositeKey,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from herzum_approval.store.api_key_tables import ApiKey as ApiKey
from herzum_approval.store.approval_path_tables import APPROVAL_PATH_TABLES
from herzum_approval.store.columns import MomentField as MomentField
from herzum_approval.store.columns import NumberField as NumberField
from herzum_approval.store.columns import Table as Table
from herzum_approval.store.columns import moment as moment
from herzum_approval.store.columns import reference as reference

# -- the site ---------------------------------------------------------------------------------


class SiteDocument(Table):
    """Settings of the site that are one value each, as JSON: `licence`, `configuration`."""

    name = TextField(primary_key=True)
    document = TextField()
    version = IntegerField(default=1)


class SiteVersion(Table):
    """One row: the version of all that is administered (`store/kept.py`)."""

    id = IntegerField(primary_key=True)
    version = BigIntegerField()


# -- people -----------------------------------------------------------------------------------


class Group(Table):
    name = TextField(primary_key=True)
    id = TextField(null=True, unique=True)

    class Meta:
        table_name = "people_group"


class User(Table):
    id = NumberField()
    username = TextField(unique=True)
    username_key = TextField(unique=True)  # people.folded(username)
    display_name = TextField()
    email = TextField()
    is_active = BooleanField()
    password_hash = TextField(null=True)
    account_id = TextField(null=True, unique=True)

    class Meta:
        table_name = "people_user"


class Membership(Table):
    user = reference(User, on_delete="CASCADE")
    group = reference(Group, column_name="group_name", on_delete="CASCADE", index=True)

    class Meta:
        primary_key = CompositeKey("user", "group")


class LoginRecord(Table):
    username = ForeignKeyField(
        User, field="username", column_name="username", backref="+", lazy_load=False,
        primary_key=True, on_delete="CASCADE",
    )  # fmt: skip
    failed_count = IntegerField(default=0)
    unresolved_count = IntegerField(default=0)
    attempted_at = MomentField(null=True)
    login_count = IntegerField(default=0)
    total_failed_count = IntegerField(default=0)
    last_failed_at = MomentField(null=True)
    last_login_at = MomentField(null=True)
    previous_login_at = MomentField(null=True)


class Session(Table):
    token_digest = TextField(primary_key=True)
    username = reference(User, field="username", column_name="username", on_delete="CASCADE", index=True)
    created_at = MomentField()
    seen_at = MomentField(index=True)
    wrote_at = MomentField(null=True)


# -- Jira -------------------------------------------------------------------------------------


class IssueType(Table):
    id = NumberField()
    name = TextField()
    is_subtask = BooleanField()


class Status(Table):
    id = NumberField()
    name = TextField()
    category = TextField()


class Workflow(Table):
    id = NumberField()
    name = TextField(unique=True)
    is_system = BooleanField()


class WorkflowStatus(Table):
    workflow = reference(Workflow, on_delete="CASCADE")
    position = IntegerField()
    status = reference(Status)

    class Meta:
        primary_key = CompositeKey("workflow", "position")
        indexes = ((("workflow", "status"), True),)


class Transition(Table):
    """id is unique within the workflow only; without sources it may be taken from any status."""

    workflow = reference(Workflow, on_delete="CASCADE")
    id = IntegerField()
    position = IntegerField()
    name = TextField()
    destination_status = reference(Status)

    class Meta:
        primary_key = CompositeKey("workflow", "id")


class TransitionSource(Table):
    workflow = reference(Workflow, on_delete="CASCADE")
    transition_id = IntegerField()
    position = IntegerField()
    status = reference(Status)

    class Meta:
        primary_key = CompositeKey("workflow", "transition_id", "position")


class WorkflowScheme(Table):
    id = NumberField()
    name = TextField(unique=True)
    default_workflow = reference(Workflow)


class WorkflowSchemeEntry(Table):
    workflow_scheme = reference(WorkflowScheme, on_delete="CASCADE")
    issue_type = reference(IssueType)
    workflow = reference(Workflow)

    class Meta:
        primary_key = CompositeKey("workflow_scheme", "issue_type")


class ProjectRole(Table):
    id = NumberField()
    name = TextField(unique=True)


class Project(Table):
    id = NumberField()
    key = TextField(unique=True)
    name = TextField()
    workflow_scheme = reference(WorkflowScheme)
    lead = reference(User, field="username", column_name="lead", null=True)


class ProjectBrowser(Table):
    """principal: as a caller has it (`role:PROJECT/ROLE`); written: as the project's owner wrote it."""

    project = reference(Project, on_delete="CASCADE")
    position = IntegerField()
    written = TextField()
    principal = TextField(index=True)

    class Meta:
        primary_key = CompositeKey("project", "position")


class RoleActor(Table):
    """kind: `user` or `group`; principal: the same as one text, as callers have it."""

    project = reference(Project, on_delete="CASCADE")
    role = reference(ProjectRole)
    position = IntegerField()
    principal = TextField(index=True)

    class Meta:
        primary_key = CompositeKey("project", "role", "position")


class CustomField(Table):
    id = TextField(primary_key=True)
    name = TextField()
    type = TextField()


class Issue(Table):
    id = NumberField()
    key = TextField(unique=True)
    project = reference(Project, index=False)
    issue_type = reference(IssueType)
    status = reference(Status)
    summary = TextField()
    reporter = reference(User, field="username", column_name="reporter", null=True)
    assignee = reference(User, field="username", column_name="assignee", null=True)
    priority = TextField()
    labels = TextField()  # a JSON list
    created_at = MomentField(null=True)
    updated_at = MomentField(null=True)
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("project", "issue_type", "status"), False),)


class IssueField(Table):
    """What a custom field of an issue holds, in order."""

    issue = reference(Issue, on_delete="CASCADE")
    custom_field = reference(CustomField)
    position = IntegerField()
    name = TextField()

    class Meta:
        primary_key = CompositeKey("issue", "custom_field", "position")


# -- approvals --------------------------------------------------------------------------------


class ConditionalRule(Table):
    id = NumberField()
    name = TextField(unique=True)
    jql = TextField()


class Approval(Table):
    id = NumberField()
    name = TextField(unique=True)
    name_key = TextField(index=True)  # people.folded(name)
    match = TextField()
    is_sequential = BooleanField()
    description = TextField()
    version = IntegerField(default=1)


class Approver(Table):
    approval = reference(Approval, on_delete="CASCADE")
    position = IntegerField()
    kind = TextField()
    value = TextField(null=True)
    is_excluded = BooleanField()

    class Meta:
        primary_key = CompositeKey("approval", "position")


class SingleIssueConfiguration(Table):
    issue = reference(Issue, primary_key=True, on_delete="CASCADE")


class ApprovalMapping(Table):
    """A mapping; with an issue it belongs to that issue's single-issue configuration."""

    id = NumberField()
    project = reference(Project)
    issue_type = reference(IssueType)
    source_status = reference(Status)
    transition_id = IntegerField()
    issue = reference(SingleIssueConfiguration, null=True, on_delete="CASCADE")
    transitions_on_approbations = BooleanField()
    transitions_on_rejections = BooleanField()
    waits_for_all_replies = BooleanField()
    sends_request_mail = BooleanField()
    announces_by_comment = BooleanField()
    requires_comment = BooleanField()
    minimum_approbations = DoubleField()
    minimum_rejections = DoubleField()
    conditional_rule = reference(ConditionalRule, null=True)
    is_sequential = BooleanField()
    opens_after_any_decision = BooleanField()
    abstain_override = IntegerField()
    shows_status_on_portal = BooleanField()
    shows_buttons_on_portal = BooleanField()
    rejection_transition_id = IntegerField(null=True)
    assignee_after_decision = TextField(null=True)
    request_mail_template = TextField(null=True)
    reply_mail_template = TextField(null=True)
    reply_notification = TextField(null=True)
    reminder_days = IntegerField(null=True)
    super_approvers = TextField()  # a JSON list of approver properties
    version = IntegerField(default=1)


ApprovalMapping.add_index(
    ApprovalMapping.index(
        ApprovalMapping.project,
        ApprovalMapping.issue_type,
        ApprovalMapping.source_status,
        ApprovalMapping.transition_id,
        unique=True,
        where=ApprovalMapping.issue.is_null(),
        name="approval_mapping_of_project",
    )
)
ApprovalMapping.add_index(
    ApprovalMapping.index(
        ApprovalMapping.issue,
        ApprovalMapping.source_status,
        ApprovalMapping.transition_id,
        unique=True,
        where=ApprovalMapping.issue.is_null(False),
        name="approval_mapping_of_issue",
    )
)


class MappedApproval(Table):
    approval_mapping = reference(ApprovalMapping, on_delete="CASCADE")
    position = IntegerField()
    approval = reference(Approval, index=True)
    is_optional = BooleanField()
    conditional_rule = reference(ConditionalRule, null=True)

    class Meta:
        primary_key = CompositeKey("approval_mapping", "position")


class ConditionedMinimum(Table):
    approval_mapping = reference(ApprovalMapping, on_delete="CASCADE")
    position = IntegerField()
    kind = TextField()
    conditional_rule = reference(ConditionalRule)
    minimum = DoubleField()

    class Meta:
        primary_key = CompositeKey("approval_mapping", "position")


class IssueApproval(Table):
    """is_open: its approvers can act on it now (`issue_approvals.open_records`), kept with each write.

    project: the issue's, kept here so that visibility and filters share an index.
    """

    id = NumberField()
    issue = reference(Issue, index=True, on_delete="CASCADE")
    project = reference(Project)
    approval = reference(Approval)
    mapping = reference(ApprovalMapping, null=True, index=True, on_delete="SET NULL")
    type = TextField()
    approval_status = TextField()
    decided_at = MomentField(null=True)
    approver_username = TextField(null=True)
    transition_id = IntegerField()
    transition_name = TextField()
    source_status = reference(Status)
    submitted_at = MomentField(null=True)
    notified_at = MomentField(null=True)
    defines_custom_approval = BooleanField()
    has_transition_error = BooleanField()
    target = TextField(null=True)
    is_configuration = BooleanField()
    transitions_on_approbations = BooleanField()
    transitions_on_rejections = BooleanField()
    waits_for_all_replies = BooleanField()
    sends_request_mail = BooleanField()
    announces_by_comment = BooleanField()
    requires_comment = BooleanField()
    minimum_approbations = DoubleField()
    minimum_rejections = DoubleField()
    conditional_rule = reference(ConditionalRule, null=True)
    place = IntegerField()
    is_sequential = BooleanField()
    opens_after_any_decision = BooleanField()
    abstain_override = IntegerField()
    is_optional = BooleanField()
    shows_status_on_portal = BooleanField()
    shows_buttons_on_portal = BooleanField()
    is_open = BooleanField()
    version = IntegerField()

    class Meta:
        indexes = (
            (("approval_status", "id"), False),
            (("approval", "id"), False),
            (("project", "id"), False),
        )
        constraints = (
            Check("approval_status IN ('PENDING', 'APPROVED', 'REJECTED', 'ABSTAINED')"),
            Check("(approval_status = 'PENDING') = (decided_at IS NULL)"),
        )


class Candidate(Table):
    """Who can act on an open issue approval, by principal; closed ones have no candidates.

    approval_status repeats the record's, so that "what can I act on" is read off one index.
    """

    principal = TextField()
    approval_status = TextField()
    issue_approval = reference(IssueApproval, on_delete="CASCADE", index=True)

    class Meta:
        primary_key = CompositeKey("principal", "approval_status", "issue_approval")


class CompositePrincipal(Table):
    """A principal that stands for several conditions at once, kept once however many records need it.

    definition: JSON `{"one_of": [[principal, …], …], "none_of": [principal, …]}`, names sorted.
    """

    id = NumberField()
    definition = TextField(unique=True)


class CompositePart(Table):
    """Finds the composite principals that a caller might have: one of their first set is theirs."""

    principal = TextField()
    composite_principal = reference(CompositePrincipal, on_delete="CASCADE", index=True)

    class Meta:
        primary_key = CompositeKey("principal", "composite_principal")


class IssueComment(Table):
    id = NumberField()
    issue = reference(Issue, index=True, on_delete="CASCADE")
    author = TextField(null=True)
    body = TextField()
    created_at = MomentField()


class Message(Table):
    """What is to be mailed: an outbox. issue_approval_id is no reference, as in the history."""

    id = NumberField()
    recipient = TextField()
    kind = TextField()
    created_at = MomentField()
    issue = reference(Issue, index=True, on_delete="CASCADE")
    issue_approval_id = IntegerField(null=True)
    sent_at = MomentField(null=True, index=True)


class Delegation(Table):
    """Somebody acts for somebody else; a limit that is null does not limit."""

    id = NumberField()
    delegator = reference(User, field="username", column_name="delegator", on_delete="CASCADE")
    delegate = reference(User, field="username", column_name="delegate", index=True, on_delete="CASCADE")
    starts_at = MomentField(null=True)
    ends_at = MomentField(null=True)
    project = reference(Project, null=True, on_delete="CASCADE")
    issue_type = reference(IssueType, null=True)
    source_status = reference(Status, null=True)
    transition_id = IntegerField(null=True)
    approval = reference(Approval, null=True, on_delete="CASCADE")


class History(Table):
    """issue_approval_id is no reference: history outlives the records it tells of."""

    id = NumberField()
    at = MomentField()
    kind = TextField()
    issue = reference(Issue, index=True, on_delete="CASCADE")
    issue_approval_id = IntegerField(null=True, index=True)
    username = TextField(null=True)
    on_behalf_of = TextField(null=True)
    comment = TextField(null=True)
    before = TextField(null=True)
    after = TextField(null=True)
    details = TextField(constraints=[SQL("DEFAULT '{}'")])


class BulkOperation(Table):
    """A bulk operation on mappings. What it touched outlives nothing here: its parts refer to no rows."""

    id = NumberField()
    at = MomentField()
    username = TextField()
    operation = TextField()
    type = TextField()
    affected = IntegerField()
    skipped = IntegerField()
    request = TextField()  # a JSON object
    undone_at = MomentField(null=True)
    undone_by = TextField(null=True)


class BulkEntry(Table):
    """An entry of an operation's plan.

    mapping_version: right after the operation; of a mapping that was deleted, its last.
    before: the mapping as it stood, a JSON object.
    """

    operation = reference(BulkOperation, on_delete="CASCADE")
    position = IntegerField()
    project_id = IntegerField()
    issue_type_id = IntegerField()
    source_status_id = IntegerField()
    transition_id = IntegerField()
    effect = TextField()
    reason = TextField()
    source_mapping_id = IntegerField(null=True)
    drops_rejection_transition = BooleanField()
    mapping_id = IntegerField(null=True)
    mapping_version = IntegerField(null=True)
    before = TextField(null=True)

    class Meta:
        primary_key = CompositeKey("operation", "position")


class BulkRecord(Table):
    """An issue approval that an operation touched. version, issue_version: right after it.

    before: the record as it stood, a JSON object.
    """

    operation = reference(BulkOperation, on_delete="CASCADE")
    issue_approval_id = IntegerField()
    issue_id = IntegerField()
    before = TextField(null=True)
    version = IntegerField(null=True)
    issue_version = IntegerField()

    class Meta:
        primary_key = CompositeKey("operation", "issue_approval_id")
        indexes = ((("operation", "issue_id"), False),)


# -- JSM Operations ---------------------------------------------------------------------------


class JsmSite(Table):
    cloud_id = TextField(primary_key=True)
    name = TextField()
    has_custom_roles = BooleanField()
    is_throttled = BooleanField()
    version = IntegerField(default=1)


class JsmSiteAdministrator(Table):
    site = reference(JsmSite, column_name="cloud_id", on_delete="CASCADE")
    position = IntegerField()
    username = reference(User, field="username", column_name="username", on_delete="CASCADE")

    class Meta:
        primary_key = CompositeKey("site", "position")
        indexes = ((("site", "username"), True),)


class CustomUserRole(Table):
    id = TextField(primary_key=True)
    site = reference(JsmSite, column_name="cloud_id", index=False)
    name = TextField()
    granted_rights = TextField()  # a JSON list
    disallowed_rights = TextField()  # a JSON list
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("site", "name"), True), (("site", "id"), False))


class RoleAssignment(Table):
    """site: the role's, kept here so that nobody has two roles there."""

    site = reference(JsmSite, column_name="cloud_id")
    username = reference(User, field="username", column_name="username", on_delete="CASCADE")
    role = reference(CustomUserRole, index=True)

    class Meta:
        primary_key = CompositeKey("site", "username")


class JsmToken(Table):
    """scopes: a JSON list, null for an API token."""

    id = NumberField()
    token_digest = TextField(unique=True)
    username = reference(User, field="username", column_name="username", on_delete="CASCADE")
    label = TextField()
    scopes = TextField(null=True)
    created_at = MomentField(null=True)
    expires_at = MomentField(null=True)


ALL_TABLES: tuple[type[Table], ...] = (
    SiteVersion, SiteDocument, Group, User, Membership, LoginRecord, Session,
    IssueType, Status, Workflow, WorkflowStatus, Transition, TransitionSource,
    WorkflowScheme, WorkflowSchemeEntry, ProjectRole, Project, ProjectBrowser, RoleActor,
    CustomField, Issue, IssueField, ConditionalRule, Approval, Approver,
    SingleIssueConfiguration, ApprovalMapping, MappedApproval, ConditionedMinimum,
    IssueApproval, Candidate, CompositePrincipal, CompositePart,
    History, IssueComment, Message, Delegation, BulkOperation, BulkEntry, BulkRecord,
    JsmSite, JsmSiteAdministrator, CustomUserRole, RoleAssignment, JsmToken, ApiKey,
    *APPROVAL_PATH_TABLES,
)  # fmt: skip
"""In an order in which rows can be inserted; the reverse is one in which they can be deleted."""
