"""Small whole sites, drawn by hypothesis: everything that a snapshot document can hold, in export's order."""

from datetime import UTC, datetime
from functools import cache

from hypothesis import strategies as st

from herzum_approval import config
from herzum_approval.domain.api_keys import ApiKey, PerformerChange, PerformerOrigin
from herzum_approval.domain.approval_paths import Product
from herzum_approval.domain.approvals import (
    Approval,
    Approver,
    ApproverKind,
    ConditionalRule,
    Match,
)
from herzum_approval.domain.bulk_mappings import (
    BulkEntry,
    BulkOperation,
    BulkRecord,
    Effect,
    Operation,
    Reason,
    ScopeType,
)
from herzum_approval.domain.configuration import (
    Configuration,
    CredentialsRequired,
    Licence,
    LicenceState,
)
from herzum_approval.domain.custom_roles import CustomUserRole, JsmSite, RoleAssignment
from herzum_approval.domain.delegations import Delegation
from herzum_approval.domain.history import (
    Comment,
    Event,
    EventKind,
    Message,
    MessageKind,
)
from herzum_approval.domain.issue_approvals import (
    ApprovalStatus,
    IssueApproval,
    RecordSettings,
    RequirementType,
)
from herzum_approval.domain.jira import (
    CustomField,
    FieldType,
    Issue,
    IssueType,
    Project,
    ProjectRole,
    RoleActors,
    Status,
    StatusCategory,
    Transition,
    Workflow,
    WorkflowScheme,
)
from herzum_approval.domain.jsm_tokens import JsmToken, Scope
from herzum_approval.domain.mappings import (
    AbstainOverride,
    ApprovalMapping,
    ConditionedMinimum,
    MappedApproval,
    MappingSettings,
    MinimumKind,
    ReplyNotification,
)
from herzum_approval.domain.people import Group, LoginRecord, Session, User, folded
from herzum_approval.domain.site_checks import bears_on
from herzum_approval.domain.sites import SingleIssueConfiguration, Site
from herzum_approval.services import encryption
from tests.approval_path_strategies import path_parts

RULES = ("project = A", 'NOT priority in (High, "a b")')
HASH = "$2b$04$abcdefghijklmnopqrstuuAW4Yds4sX8OoxDBpdMX0lSxjXNhxYL2"
PICKERS = (ApproverKind.USER_PICKER, ApproverKind.USER_PICKER_ALL)

ids = st.integers(1, 2**31 - 1)
counts = st.integers(0, 2**31 - 1)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
names = texts.filter(lambda text: text and text == text.strip())
moments = st.datetimes(
    datetime(1900, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC)
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))  # fmt: skip
minimums = st.sampled_from([-1.0, 0.0]) | st.floats(0, 1e9)


def _distinct(values, most=3, least=0, fold=None):
    return (
        st.lists(values, min_size=least, max_size=most, unique_by=fold).map(tuple)
        if fold
        else st.lists(values, min_size=least, max_size=most, unique=True).map(tuple)
    )


def _of(values, most=3):
    """Some of the values, each once, in any order."""
    return _distinct(st.sampled_from(values), most) if values else st.just(())


def _maybe_of(values):
    return st.none() | st.sampled_from(values) if values else st.none()


def _collection(draw, make, most=3, least=0):
    """Entries under distinct ids, in their order."""
    return tuple(draw(make(each)) for each in sorted(draw(_distinct(ids, most, least))))


@st.composite
def sites(draw):
    """A whole site."""
    group_names = sorted(draw(_distinct(names)))
    groups = tuple(Group(name=name, id=draw(st.none() | st.just(f"id of {name}"))) for name in group_names)
    usernames = draw(_distinct(names, 4, 1, folded))
    users = tuple(
        User(
            id=user_id,
            username=username,
            display_name=draw(texts),
            email=draw(texts),
            is_active=draw(st.booleans()),
            password_hash=draw(st.none() | st.just(HASH)),
            account_id=draw(st.none() | st.just(f"account {user_id}")),
            groups=tuple(sorted(draw(_of(group_names)))),
        )
        for user_id, username in zip(
            sorted(draw(_distinct(ids, len(usernames), len(usernames)))), usernames, strict=True
        )
    )
    issue_types = _collection(
        draw, lambda id: st.builds(IssueType, id=st.just(id), name=texts, is_subtask=st.booleans()), 3, 1
    )
    statuses = _collection(
        draw,
        lambda id: st.builds(Status, id=st.just(id), name=texts, category=st.sampled_from(StatusCategory)),
        4,
        1,
    )
    workflows = _collection(draw, lambda id: _workflow(id, [status.id for status in statuses]), 2, 1)
    workflow_ids = [workflow.id for workflow in workflows]
    type_ids = [each.id for each in issue_types]
    schemes = _collection(
        draw,
        lambda id: st.builds(
            WorkflowScheme,
            id=st.just(id),
            name=st.just(f"scheme {id}"),
            default_workflow_id=st.sampled_from(workflow_ids),
            by_issue_type=st.dictionaries(
                st.sampled_from(type_ids), st.sampled_from(workflow_ids), max_size=2
            ),
        ),
        2,
        1,
    )
    roles = _collection(draw, lambda id: st.builds(ProjectRole, id=st.just(id), name=st.just(f"role {id}")))
    role_ids = [role.id for role in roles]
    projects = _collection(
        draw, lambda id: _project(id, [each.id for each in schemes], usernames, group_names, role_ids)
    )
    fields = tuple(
        CustomField(id=f"customfield_{number}", name=draw(texts), type=kind)
        for number, kind in enumerate(draw(st.lists(st.sampled_from(FieldType), max_size=2)))
    )
    workflow_of = _workflow_finder(workflows, schemes, projects)
    issues = (
        _collection(
            draw, lambda id: _issue(id, projects, type_ids, workflow_of, usernames, group_names, fields)
        )
        if projects
        else ()
    )
    rules = _collection(
        draw,
        lambda id: st.builds(
            ConditionalRule, id=st.just(id), name=st.just(f"rule {id}"), jql=st.sampled_from(RULES)
        ),
    )
    rule_ids = [rule.id for rule in rules]
    properties = _properties(usernames, group_names, role_ids, fields)
    approvals = _collection(draw, lambda id: _approval(id, properties))
    singles = tuple(SingleIssueConfiguration(issue_id=each.id) for each in issues if draw(st.booleans()))
    mappings = _mappings(draw, issues, singles, workflow_of, approvals, rule_ids, properties, usernames)
    ways = [
        (issue, *way) for issue in issues for way in _ways(workflow_of(issue.project_id, issue.issue_type_id))
    ]
    jsm_sites = tuple(
        JsmSite(
            cloud_id=f"cloud-{number}",
            name=draw(texts),
            administrators=draw(_of(usernames)),
            has_custom_roles=draw(st.booleans()),
            is_throttled=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 2)))
    )
    roles_of_jsm = _custom_roles(draw, jsm_sites)
    records = (
        _collection(
            draw, lambda id: _record(id, ways, approvals, mappings, rule_ids, usernames, group_names), 6
        )
        if ways and approvals
        else ()
    )
    return Site(
        licence=Licence(state=draw(st.sampled_from(LicenceState))),
        configuration=draw(_configuration(usernames, group_names)),
        groups=groups,
        users=users,
        issue_types=issue_types,
        statuses=statuses,
        workflows=workflows,
        workflow_schemes=schemes,
        project_roles=roles,
        projects=projects,
        custom_fields=fields,
        issues=issues,
        conditional_rules=rules,
        approvals=approvals,
        single_issue_configurations=singles,
        approval_mappings=mappings,
        issue_approvals=records,
        delegations=_collection(draw, lambda id: _delegation(id, usernames, projects, approvals), 2),
        history=_collection(draw, lambda id: _event(id, issues), 2) if issues else (),
        comments=_collection(draw, lambda id: _comment(id, issues), 2) if issues else (),
        messages=_collection(draw, lambda id: _message(id, issues), 2) if issues else (),
        bulk_operations=_collection(draw, lambda id: _bulk_operation(id, mappings, records), 2),
        **path_parts(
            draw, _collection, users=users, groups=groups, projects=projects, issues=issues, fields=fields
        ),
        api_keys=_collection(draw, lambda id: _api_key(id, usernames, group_names, fields), 2),
        jsm_sites=jsm_sites,
        custom_roles=roles_of_jsm,
        role_assignments=_role_assignments(draw, roles_of_jsm, usernames),
        jsm_tokens=_collection(draw, lambda id: _jsm_token(id, usernames)),
        login_records=tuple(draw(_login_record(username)) for username in sorted(draw(_of(usernames)))),
        sessions=tuple(
            Session(
                token_digest=digest,
                username=draw(st.sampled_from(usernames)),
                created_at=draw(moments),
                seen_at=draw(moments),
            )
            for digest in sorted(draw(_distinct(texts)))
        ),
    )


def _configuration(usernames, group_names):
    return st.builds(
        Configuration,
        is_reject_enabled=st.booleans(),
        credentials_required=st.sampled_from(CredentialsRequired),
        reversing_exempted_users=_of(usernames),
        responsive_user=_maybe_of(usernames),
        comment_limit=counts,
        super_approver_users=_of(usernames),
        super_approver_groups=_of(group_names),
    )


@st.composite
def _workflow(draw, id, status_ids):
    own = draw(_distinct(st.sampled_from(status_ids), 3, 1))
    return Workflow(
        id=id,
        name=f"workflow {id}",
        status_ids=own,
        transitions=tuple(
            Transition(
                id=transition_id,
                name=draw(texts),
                destination_status_id=draw(st.sampled_from(own)),
                source_status_ids=draw(_of(own)),
            )
            for transition_id in draw(_distinct(ids))
        ),
    )


@st.composite
def _project(draw, id, scheme_ids, usernames, group_names, role_ids):
    browsers = [
        "anyone",
        "lead",
        *(f"user:{name}" for name in usernames),
        *(f"group:{name}" for name in group_names),
        *(f"role:{role_id}" for role_id in role_ids),
    ]
    actors = [
        RoleActors(role_id=role_id, users=draw(_of(usernames)), groups=draw(_of(group_names)))
        for role_id in role_ids
    ]
    return Project(
        id=id,
        key=f"P{id}",
        name=draw(texts),
        workflow_scheme_id=draw(st.sampled_from(scheme_ids)),
        lead=draw(_maybe_of(usernames)),
        browsers=draw(_of(browsers)),
        roles=tuple(each for each in actors if each.users or each.groups),
    )


def _workflow_finder(workflows, schemes, projects):
    by_id = {workflow.id: workflow for workflow in workflows}
    schemes_by_id = {scheme.id: scheme for scheme in schemes}
    scheme_of = {project.id: schemes_by_id[project.workflow_scheme_id] for project in projects}
    return lambda project_id, type_id: by_id[scheme_of[project_id].workflow_id(type_id)]


def _ways(workflow):
    """Every source status and transition that leaves it."""
    return [
        (status_id, transition.id)
        for transition in workflow.transitions
        for status_id in workflow.status_ids
        if transition.leaves(status_id)
    ]


@st.composite
def _issue(draw, id, projects, type_ids, workflow_of, usernames, group_names, fields):
    project = draw(st.sampled_from(projects))
    type_id = draw(st.sampled_from(type_ids))
    of_type = {
        FieldType.USER_PICKER: usernames,
        FieldType.GROUP_PICKER: group_names,
        FieldType.EMAIL: ["x@example.com", "Y@example.com"],
    }
    held = {field.id: draw(_of(of_type[field.type])) for field in fields}
    return Issue(
        id=id,
        key=f"{project.key}-{id}",
        project_id=project.id,
        issue_type_id=type_id,
        status_id=draw(st.sampled_from(workflow_of(project.id, type_id).status_ids)),
        summary=draw(texts),
        reporter=draw(_maybe_of(usernames)),
        assignee=draw(_maybe_of(usernames)),
        priority=draw(texts),
        labels=draw(_distinct(texts)),
        fields={field_id: held_names for field_id, held_names in held.items() if held_names},
        created_at=draw(st.none() | moments),
        updated_at=draw(st.none() | moments),
    )


def _properties(usernames, group_names, role_ids, fields):
    """Every approver property that the site allows, as kind and value."""
    user_fields = [field.id for field in fields if field.type is FieldType.USER_PICKER]
    group_fields = [field.id for field in fields if field.type is FieldType.GROUP_PICKER]
    return [
        *((ApproverKind.USER, name) for name in usernames),
        *((ApproverKind.GROUP, name) for name in group_names),
        *((ApproverKind.PROJECT_ROLE, str(role_id)) for role_id in role_ids),
        *((kind, None) for kind in (ApproverKind.REPORTER, ApproverKind.ASSIGNEE, ApproverKind.PROJECT_LEAD)),
        *((kind, field_id) for kind in PICKERS for field_id in user_fields),
        *((ApproverKind.GROUP_PICKER, field_id) for field_id in group_fields),
    ]


@st.composite
def _approvers(draw, properties):
    excluded = set(draw(_of(list(ApproverKind), 2)))
    return tuple(
        Approver(kind=kind, value=value, is_excluded=kind in excluded)
        for kind, value in draw(_of(properties, 4))
    )


@st.composite
def _approval(draw, id, properties):
    return Approval(
        id=id,
        name=f"approval {id}",
        approvers=draw(_approvers(properties)),
        match=draw(st.sampled_from(Match)),
        is_sequential=draw(st.booleans()),
        description=draw(texts),
    )


def _mappings(draw, issues, singles, workflow_of, approvals, rule_ids, properties, usernames):
    own = {single.issue_id for single in singles}
    scopes = {}
    for issue in issues:
        issue_id = issue.id if issue.id in own and draw(st.booleans()) else None
        for way in _ways(workflow_of(issue.project_id, issue.issue_type_id)):
            scopes[issue_id or (issue.project_id, issue.issue_type_id), way] = (issue, issue_id, way)
    chosen = (
        draw(st.lists(st.sampled_from(list(scopes.values())), max_size=3, unique_by=repr)) if scopes else []
    )
    return tuple(
        ApprovalMapping(
            id=place + 1,
            project_id=issue.project_id,
            issue_type_id=issue.issue_type_id,
            source_status_id=status_id,
            transition_id=transition_id,
            issue_id=issue_id,
            settings=draw(_settings(rule_ids, properties, usernames, transition_id)),
            approvals=tuple(
                MappedApproval(
                    approval_id=approval.id,
                    is_optional=draw(st.booleans()),
                    conditional_rule_id=draw(_maybe_of(rule_ids)),
                )
                for approval in draw(_of(approvals))
            ),
            conditioned_minimums=tuple(
                ConditionedMinimum(
                    kind=draw(st.sampled_from(MinimumKind)),
                    conditional_rule_id=rule_id,
                    minimum=draw(minimums),
                )
                for rule_id in draw(_of(rule_ids))
            ),
        )
        for place, (issue, issue_id, (status_id, transition_id)) in enumerate(chosen)
    )


def _settings(rule_ids, properties, usernames, transition_id):
    return st.builds(
        MappingSettings,
        transitions_on_approbations=st.booleans(),
        requires_comment=st.booleans(),
        minimum_approbations=minimums,
        minimum_rejections=minimums,
        conditional_rule_id=_maybe_of(rule_ids),
        abstain_override=st.sampled_from(AbstainOverride),
        rejection_transition_id=st.none() | st.just(transition_id),
        assignee_after_decision=_maybe_of(usernames),
        request_mail_template=st.none() | texts,
        reply_notification=st.none() | st.sampled_from(ReplyNotification),
        reminder_days=st.none() | ids,
        super_approvers=_approvers(properties),
    )


@st.composite
def _record(draw, id, ways, approvals, mappings, rule_ids, usernames, group_names):
    issue, status_id, transition_id = draw(st.sampled_from(ways))
    approval_status = draw(st.sampled_from(ApprovalStatus))
    is_pending = approval_status is ApprovalStatus.PENDING
    targets = [*(f"user:{name}" for name in usernames), *(f"group:{name}" for name in group_names)]
    return IssueApproval(
        id=id,
        issue_id=issue.id,
        approval_id=draw(st.sampled_from(approvals)).id,
        transition_id=transition_id,
        transition_name=draw(texts),
        source_status_id=status_id,
        mapping_id=draw(_maybe_of([mapping.id for mapping in mappings if bears_on(mapping, issue)])),
        type=draw(st.sampled_from(RequirementType)),
        approval_status=approval_status,
        decided_at=None if is_pending else draw(moments),
        approver_username=None if is_pending else draw(st.sampled_from(usernames)),
        submitted_at=draw(st.none() | moments),
        notified_at=draw(st.none() | moments),
        has_transition_error=draw(st.booleans()),
        target=draw(_maybe_of(targets)),
        is_configuration=draw(st.booleans()),
        settings=draw(
            st.builds(
                RecordSettings,
                minimum_approbations=minimums,
                conditional_rule_id=_maybe_of(rule_ids),
                place=ids,
                is_sequential=st.booleans(),
                opens_after_any_decision=st.booleans(),
                abstain_override=st.sampled_from(AbstainOverride),
                is_optional=st.booleans(),
            )
        ),
        version=draw(ids),
    )


def _event(id, issues):
    values = st.none() | st.booleans() | counts | texts
    return st.builds(
        Event,
        id=st.just(id),
        at=moments,
        kind=st.sampled_from(EventKind),
        issue_id=st.sampled_from([issue.id for issue in issues]),
        issue_approval_id=st.none() | ids,
        username=st.none() | texts,
        comment=st.none() | texts,
        details=st.dictionaries(texts, values | st.lists(values, max_size=2), max_size=2),
    )


def _comment(id, issues):
    return st.builds(
        Comment,
        id=st.just(id),
        issue_id=st.sampled_from([issue.id for issue in issues]),
        author=st.none() | texts,
        body=texts,
        created_at=moments,
    )


def _message(id, issues):
    return st.builds(
        Message,
        id=st.just(id),
        recipient=texts,
        kind=st.sampled_from(MessageKind),
        created_at=moments,
        issue_id=st.sampled_from([issue.id for issue in issues]),
        issue_approval_id=st.none() | ids,
        sent_at=st.none() | moments,
    )


def _delegation(id, usernames, projects, approvals):
    return st.builds(
        Delegation,
        id=st.just(id),
        delegator=st.sampled_from(usernames),
        delegate=st.sampled_from(usernames),
        starts_at=st.none() | moments,
        ends_at=st.none() | moments,
        project_id=_maybe_of([project.id for project in projects]),
        transition_id=st.none() | ids,
        approval_id=_maybe_of([approval.id for approval in approvals]),
    )


def _bulk_operation(id, mappings, issue_approvals):
    entries = st.builds(
        BulkEntry,
        project_id=ids,
        issue_type_id=ids,
        source_status_id=ids,
        transition_id=ids,
        effect=st.sampled_from(Effect),
        reason=st.sampled_from(Reason),
        source_mapping_id=st.none() | ids,
        drops_rejection_transition=st.booleans(),
        mapping_id=ids,
        is_overtaken=st.booleans(),
        before=_maybe_of(mappings),
    )
    records = st.builds(
        BulkRecord,
        issue_approval_id=ids,
        issue_id=ids,
        before=_maybe_of(issue_approvals),
        version=st.none() | ids,
        is_overtaken=st.booleans(),
    )
    return st.builds(
        BulkOperation,
        id=st.just(id),
        at=moments,
        username=texts,
        operation=st.sampled_from(Operation),
        type=st.sampled_from(ScopeType),
        affected=counts,
        skipped=counts,
        request=st.dictionaries(texts, counts | texts, max_size=2),
        undone_at=st.none() | moments,
        undone_by=st.none() | texts,
        entries=st.lists(entries, max_size=2).map(tuple),
        records=_distinct(records, 2, 0, lambda record: record.issue_approval_id).map(
            lambda found: tuple(sorted(found, key=lambda record: record.issue_approval_id))
        ),
    )


@cache
def _sealed(number):
    with config.active(config.Settings(demonstration=True)):
        return encryption.ring().seal(f"value of the API key {number}")


@st.composite
def _api_key(draw, id, usernames, group_names, fields):
    sealed = _sealed(id)
    product = draw(st.sampled_from(Product))
    referred = [PerformerOrigin.PAGE_CREATOR, PerformerOrigin.PAGE_MODIFIER]
    user_fields = [field.id for field in fields if field.type is FieldType.USER_PICKER]
    performers = [
        st.none(),
        st.builds(PerformerChange, origin=st.just(PerformerOrigin.USER), user=st.sampled_from(usernames)),
        st.builds(
            PerformerChange,
            origin=st.just(PerformerOrigin.API_CALL),
            default_user=_maybe_of(usernames),
            group=_maybe_of(group_names),
        ),
        st.builds(
            PerformerChange,
            origin=st.just(PerformerOrigin.ISSUE_FIELD),
            field_id=st.sampled_from(["reporter", *user_fields]),
        )
        if product is Product.JIRA
        else st.builds(PerformerChange, origin=st.sampled_from(referred), default_user=_maybe_of(usernames)),
    ]
    return ApiKey(
        id=id,
        name=draw(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=40)),
        product=product,
        description=draw(texts),
        creator=draw(st.sampled_from(usernames)),
        key_id=sealed.key_id,
        ciphertext=sealed.ciphertext,
        digest=sealed.digest,
        created_at=draw(moments),
        modified_at=draw(moments),
        can_get_status=draw(st.booleans()),
        can_create=draw(st.booleans()),
        performer=draw(st.one_of(performers)),
        valid_from=draw(st.none() | moments),
        allowed_ips=draw(st.sampled_from(["", "10.0.0.1", "10.0.0.0/8, ::1", "10.0.0.1 - 10.0.0.9"])),
        used_at=draw(st.none() | moments),
        usage_count=draw(counts),
    )


def _login_record(username):
    return st.builds(
        LoginRecord,
        username=st.just(username),
        failed_count=counts,
        unresolved_count=counts,
        attempted_at=st.none() | moments,
        login_count=counts,
        last_login_at=st.none() | moments,
    )


def _custom_roles(draw, jsm_sites):
    if not jsm_sites:
        return ()
    numbers = sorted(draw(_distinct(ids, 3)))
    return tuple(
        CustomUserRole(
            id=f"{number:08x}-0000-4000-8000-000000000000",
            cloud_id=draw(st.sampled_from(jsm_sites)).cloud_id,
            name=f"custom role {number}",
            granted_rights=draw(_of(["alert-action", "asdasdad", "é"])),
            disallowed_rights=draw(_of(["alert-delete", '"quoted"'])),
        )
        for number in numbers
    )


def _role_assignments(draw, roles, usernames):
    cloud_ids = {role.id: role.cloud_id for role in roles}
    chosen = [(name, role.id) for name in draw(_of(usernames)) for role in draw(_of(roles))]
    by_holder = {(name, cloud_ids[role_id]): (name, role_id) for name, role_id in chosen}
    return tuple(RoleAssignment(username=name, role_id=id) for name, id in sorted(by_holder.values()))


def _jsm_token(id, usernames):
    return st.builds(
        JsmToken,
        id=st.just(id),
        token_digest=st.just(f"{id:064x}"),
        username=st.sampled_from(usernames),
        label=texts,
        scopes=st.none() | _of(list(Scope)),
        created_at=st.none() | moments,
        expires_at=st.none() | moments,
    )
