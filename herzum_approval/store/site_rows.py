"""The site as rows of every table, and back; no query here.

A row is a tuple in the order of its table's columns, its values as the database keeps them.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from herzum_approval.domain import (
    approvals,
    configuration,
    history,
    issue_approvals,
    jira,
    mappings,
    people,
)
from herzum_approval.domain.approvals import Standing
from herzum_approval.domain.candidates import Derived
from herzum_approval.domain.delegations import Delegation
from herzum_approval.domain.people import (
    folded,
    group_principal,
    role_principal,
    user_principal,
)
from herzum_approval.domain.sites import SingleIssueConfiguration, Site
from herzum_approval.store import composites, tables
from herzum_approval.store.api_key_rows import api_key_rows, api_keys
from herzum_approval.store.approval_path_rows import approval_path_parts, approval_path_rows
from herzum_approval.store.bulk_rows import bulk_operations, bulk_rows
from herzum_approval.store.custom_role_rows import (
    custom_role_rows,
    custom_roles,
    jsm_sites,
    jsm_tokens,
    role_assignments,
)
from herzum_approval.store.rows import (
    Row,
    SiteRows,
    all_of,
    always,
    children,
    flat,
    grouped,
    made,
    settings_getters,
    values_of,
)

# -- a site as rows ---------------------------------------------------------------------------


def to_rows(site: Site, derived: Derived) -> SiteRows:
    """Return the rows of every table for a site and what follows from it."""
    return (
        _people_rows(site)
        | _jira_rows(site)
        | _approval_rows(site)
        | _record_rows(site, derived)
        | bulk_rows(site)
        | approval_path_rows(site)
        | api_key_rows(site)
        | custom_role_rows(site)
    )


def _people_rows(site: Site) -> SiteRows:
    documents: dict[str, Any] = {"licence": site.licence, "configuration": site.configuration}
    return {
        tables.SiteVersion: [],  # whoever writes the rows gives a new one
        tables.SiteDocument: [(name, json.dumps(asdict(each)), 1) for name, each in documents.items()],
        tables.Group: flat(tables.Group, site.groups),
        tables.User: flat(tables.User, site.users, username_key=lambda user: folded(user.username)),
        tables.Membership: [(user.id, name) for user in site.users for name in user.groups],
        tables.LoginRecord: flat(tables.LoginRecord, site.login_records),
        tables.Session: flat(tables.Session, site.sessions),
    }


def _jira_rows(site: Site) -> SiteRows:
    transitions = list(children(site.workflows, "transitions"))
    return {
        tables.IssueType: flat(tables.IssueType, site.issue_types),
        tables.Status: flat(tables.Status, site.statuses),
        tables.Workflow: flat(tables.Workflow, site.workflows),
        tables.WorkflowStatus: [
            (workflow.id, position, status_id)
            for workflow, position, status_id in children(site.workflows, "status_ids")
        ],
        tables.Transition: [
            (workflow.id, transition.id, position, transition.name, transition.destination_status_id)
            for workflow, position, transition in transitions
        ],
        tables.TransitionSource: [
            (workflow.id, transition.id, position, status_id)
            for workflow, _, transition in transitions
            for position, status_id in enumerate(transition.source_status_ids)
        ],
        tables.WorkflowScheme: flat(tables.WorkflowScheme, site.workflow_schemes),
        tables.WorkflowSchemeEntry: [
            (scheme.id, *entry) for scheme in site.workflow_schemes for entry in scheme.by_issue_type.items()
        ],
        tables.ProjectRole: flat(tables.ProjectRole, site.project_roles),
        tables.Project: flat(tables.Project, site.projects),
        tables.ProjectBrowser: [
            (project.id, position, written, _browser(project, written))
            for project, position, written in children(site.projects, "browsers")
        ],
        tables.RoleActor: list(_role_actors(site)),
        tables.CustomField: flat(tables.CustomField, site.custom_fields),
        tables.Issue: flat(tables.Issue, site.issues, version=always(1)),
        tables.IssueField: [
            (issue.id, field_id, position, name)
            for issue in site.issues
            for field_id, names in issue.fields.items()
            for position, name in enumerate(names)
        ],
    }


def _browser(project: jira.Project, written: str) -> str:
    """Return the principal that callers have. A project without a lead is browsed by nobody as its lead."""
    kind, _, name = written.partition(":")
    if kind == "lead":
        return user_principal(project.lead or "")
    return role_principal(project.id, int(name)) if kind == "role" else written


def _role_actors(site: Site) -> Iterator[Row]:
    for project, _, actors in children(site.projects, "roles"):
        names = (*map(user_principal, actors.users), *map(group_principal, actors.groups))
        for position, principal in enumerate(names):
            yield project.id, actors.role_id, position, principal


def _approval_rows(site: Site) -> SiteRows:
    return {
        tables.ConditionalRule: flat(tables.ConditionalRule, site.conditional_rules),
        tables.Approval: flat(
            tables.Approval,
            site.approvals,
            name_key=lambda approval: folded(approval.name),
            version=always(1),
        ),
        tables.Approver: [
            (approval.id, position, approver.kind.value, approver.value, approver.is_excluded)
            for approval, position, approver in children(site.approvals, "approvers")
        ],
        tables.SingleIssueConfiguration: flat(
            tables.SingleIssueConfiguration, site.single_issue_configurations
        ),
        **mapping_rows(site.approval_mappings),
    }


def mapping_rows(entries: Sequence[mappings.ApprovalMapping]) -> SiteRows:
    """Return the rows of mappings and of what is part of them."""
    settings = settings_getters(mappings.MappingSettings)
    return {
        tables.ApprovalMapping: flat(tables.ApprovalMapping, entries, version=always(1), **settings),
        tables.MappedApproval: [
            (mapping.id, position, mapped.approval_id, mapped.is_optional, mapped.conditional_rule_id)
            for mapping, position, mapped in children(entries, "approvals")
        ],
        tables.ConditionedMinimum: [
            (mapping.id, position, each.kind.value, each.conditional_rule_id, each.minimum)
            for mapping, position, each in children(entries, "conditioned_minimums")
        ],
    }


def _record_rows(site: Site, derived: Derived) -> SiteRows:
    project_ids = {issue.id: issue.project_id for issue in site.issues}
    numbered = composites.number(each for found in derived.standings.values() for each in found)
    statuses = {record.id: record.approval_status.value for record in site.issue_approvals}
    return {
        tables.IssueApproval: flat(
            tables.IssueApproval,
            site.issue_approvals,
            project_id=lambda record: project_ids[record.issue_id],
            is_open=lambda record: record.id in derived.open_ids,
            **settings_getters(issue_approvals.RecordSettings),
        ),
        tables.Candidate: [
            (principal, statuses[record_id], record_id)
            for record_id, standings in derived.standings.items()
            for principal in sorted(_principals(standings, numbered.ids))
        ],
        tables.CompositePrincipal: list(numbered.principals),
        tables.CompositePart: list(numbered.parts),
        tables.History: flat(tables.History, site.history),
        tables.IssueComment: flat(tables.IssueComment, site.comments),
        tables.Message: flat(tables.Message, site.messages),
        tables.Delegation: flat(tables.Delegation, site.delegations),
    }


def _principals(standings: Iterable[Standing], ids: dict[str, int]) -> frozenset[str]:
    return frozenset[str]().union(*(composites.principals(standing, ids) for standing in standings))


# -- rows as a site ---------------------------------------------------------------------------


def to_site(rows: SiteRows) -> Site:
    """Return the site that the rows hold, each collection in order of id, or of name where it has none."""
    documents = {name: json.loads(text) for name, text, _ in rows[tables.SiteDocument]}
    return Site(
        licence=made(configuration.Licence, documents.get("licence", {})),
        configuration=made(configuration.Configuration, documents.get("configuration", {})),
        groups=all_of(people.Group, rows, tables.Group, "name"),
        users=tuple(_users(rows)),
        login_records=all_of(people.LoginRecord, rows, tables.LoginRecord, "username"),
        sessions=all_of(people.Session, rows, tables.Session, "token_digest"),
        issue_types=all_of(jira.IssueType, rows, tables.IssueType),
        statuses=all_of(jira.Status, rows, tables.Status),
        workflows=tuple(_workflows(rows)),
        workflow_schemes=tuple(_workflow_schemes(rows)),
        project_roles=all_of(jira.ProjectRole, rows, tables.ProjectRole),
        projects=tuple(_projects(rows)),
        custom_fields=all_of(jira.CustomField, rows, tables.CustomField),
        issues=tuple(issues(rows)),
        conditional_rules=all_of(approvals.ConditionalRule, rows, tables.ConditionalRule),
        approvals=tuple(_approvals(rows)),
        single_issue_configurations=all_of(
            SingleIssueConfiguration, rows, tables.SingleIssueConfiguration, "issue_id"
        ),
        approval_mappings=tuple(_mappings(rows)),
        issue_approvals=tuple(records(rows)),
        delegations=all_of(Delegation, rows, tables.Delegation),
        history=all_of(history.Event, rows, tables.History),
        comments=all_of(history.Comment, rows, tables.IssueComment),
        messages=all_of(history.Message, rows, tables.Message),
        bulk_operations=tuple(bulk_operations(rows)),
        **approval_path_parts(rows),
        api_keys=api_keys(rows),
        jsm_sites=tuple(jsm_sites(rows)),
        custom_roles=custom_roles(rows),
        role_assignments=tuple(role_assignments(rows)),
        jsm_tokens=tuple(jsm_tokens(rows)),
    )


def _users(rows: SiteRows) -> Iterator[people.User]:
    groups = defaultdict(list)
    for user_id, name in sorted(rows[tables.Membership]):
        groups[user_id].append(name)
    for values in values_of(rows, tables.User, "id"):
        yield made(people.User, values, groups=tuple(groups[values["id"]]))


def _workflows(rows: SiteRows) -> Iterator[jira.Workflow]:
    statuses = grouped(rows, tables.WorkflowStatus, "workflow_id")
    transitions = grouped(rows, tables.Transition, "workflow_id")
    sources = grouped(rows, tables.TransitionSource, "workflow_id", "transition_id")
    for values in values_of(rows, tables.Workflow, "id"):
        yield made(
            jira.Workflow,
            values,
            status_ids=_column(statuses[values["id"]], "status_id"),
            transitions=tuple(
                made(
                    jira.Transition,
                    each,
                    source_status_ids=_column(sources[each["workflow_id"], each["id"]], "status_id"),
                )
                for each in transitions[values["id"]]
            ),
        )


def _column(entries: Iterable[Mapping[str, Any]], name: str) -> tuple[Any, ...]:
    return tuple(values[name] for values in entries)


def _workflow_schemes(rows: SiteRows) -> Iterator[jira.WorkflowScheme]:
    by_issue_type: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for scheme_id, issue_type_id, workflow_id in sorted(rows[tables.WorkflowSchemeEntry]):
        by_issue_type[scheme_id][issue_type_id] = workflow_id
    for values in values_of(rows, tables.WorkflowScheme, "id"):
        yield made(jira.WorkflowScheme, values, by_issue_type=by_issue_type[values["id"]])


def _projects(rows: SiteRows) -> Iterator[jira.Project]:
    browsers = grouped(rows, tables.ProjectBrowser, "project_id")
    actors = grouped(rows, tables.RoleActor, "project_id", "role_id")
    roles = defaultdict(list)
    for project_id, role_id in sorted(actors):
        roles[project_id].append(_role(role_id, _column(actors[project_id, role_id], "principal")))
    for values in values_of(rows, tables.Project, "id"):
        yield made(
            jira.Project,
            values,
            browsers=_column(browsers[values["id"]], "written"),
            roles=tuple(roles[values["id"]]),
        )


def _role(role_id: int, principals: Iterable[str]) -> jira.RoleActors:
    names = defaultdict(list)
    for principal in principals:
        kind, _, name = principal.partition(":")
        names[kind].append(name)
    return jira.RoleActors(role_id=role_id, users=tuple(names["user"]), groups=tuple(names["group"]))


def issues(rows: SiteRows) -> Iterator[jira.Issue]:
    """Give the issues of the rows, by id, with the names that their fields hold."""
    names: defaultdict[int, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for values in values_of(rows, tables.IssueField, "custom_field_id", "position"):
        names[values["issue_id"]][values["custom_field_id"]].append(values["name"])
    for values in values_of(rows, tables.Issue, "id"):
        held = {field_id: tuple(each) for field_id, each in names[values["id"]].items()}
        yield made(jira.Issue, values, fields=held)


def _approvals(rows: SiteRows) -> Iterator[approvals.Approval]:
    approvers = grouped(rows, tables.Approver, "approval_id")
    for values in values_of(rows, tables.Approval, "id"):
        properties = tuple(made(approvals.Approver, each) for each in approvers[values["id"]])
        yield made(approvals.Approval, values, approvers=properties)


def _mappings(rows: SiteRows) -> Iterator[mappings.ApprovalMapping]:
    mapped = grouped(rows, tables.MappedApproval, "approval_mapping_id")
    minimums = grouped(rows, tables.ConditionedMinimum, "approval_mapping_id")
    for values in values_of(rows, tables.ApprovalMapping, "id"):
        super_approvers = json.loads(values["super_approvers"])
        yield made(
            mappings.ApprovalMapping,
            values,
            settings=made(
                mappings.MappingSettings,
                values,
                super_approvers=tuple(made(approvals.Approver, each) for each in super_approvers),
            ),
            approvals=tuple(made(mappings.MappedApproval, each) for each in mapped[values["id"]]),
            conditioned_minimums=tuple(
                made(mappings.ConditionedMinimum, each) for each in minimums[values["id"]]
            ),
        )


def records(rows: SiteRows) -> Iterator[issue_approvals.IssueApproval]:
    """Give the issue approvals of the rows, by id."""
    for values in values_of(rows, tables.IssueApproval, "id"):
        settings = made(issue_approvals.RecordSettings, values)
        yield made(issue_approvals.IssueApproval, values, settings=settings)
