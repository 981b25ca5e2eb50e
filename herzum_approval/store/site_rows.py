"""The site as rows of every table, and back; no query here.

A row is a tuple in the order of its table's columns, its values as the database keeps them.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from enum import Enum
from functools import cache, partial
from operator import attrgetter, itemgetter
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from herzum_approval.domain import approvals, configuration, history, issue_approvals, jira, mappings, people
from herzum_approval.domain.approvals import Standing
from herzum_approval.domain.bulk_mappings import BulkEntry, BulkOperation, BulkRecord
from herzum_approval.domain.candidates import Derived
from herzum_approval.domain.delegations import Delegation
from herzum_approval.domain.people import folded, group_principal, role_principal, user_principal
from herzum_approval.domain.sites import SingleIssueConfiguration, Site
from herzum_approval.store import composites, tables
from herzum_approval.store.tables import MomentField, Table, moment

Row = tuple[Any, ...]
SiteRows = dict[type[Table], list[Row]]

Entry = TypeVar("Entry")


@cache
def columns(table: type[Table]) -> tuple[str, ...]:
    """Return the names of the table's columns, in their order."""
    return tuple(field.column_name for field in table._meta.sorted_fields)


# -- a site as rows ---------------------------------------------------------------------------


def to_rows(site: Site, derived: Derived) -> SiteRows:
    """Return the rows of every table for a site and what follows from it."""
    return (
        _people_rows(site)
        | _jira_rows(site)
        | _approval_rows(site)
        | _record_rows(site, derived)
        | _bulk_rows(site)
    )


def flat(table: type[Table], entries: Iterable[Any], **others: Callable[[Any], Any]) -> list[Row]:
    """Return a row for each entry, by its attributes of the columns' names. others: what has no such name."""
    getters = [others.get(name) or attrgetter(name) for name in columns(table)]
    return [tuple([_stored(getter(entry)) for getter in getters]) for entry in entries]


def _stored(value: Any) -> Any:
    encode = _encoder(value.__class__)
    return encode(value) if encode else value


@cache
def _encoder(cls: type) -> Callable[[Any], Any] | None:
    if issubclass(cls, Enum):
        return attrgetter("value")
    if issubclass(cls, datetime):
        return MomentField().db_value
    if issubclass(cls, tuple | Mapping):
        return partial(json.dumps, default=_document)
    return None


def _document(entry: Any) -> dict[str, Any]:
    return asdict(entry)


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def _children(entries: Iterable[Any], attribute: str) -> Iterator[tuple[Any, int, Any]]:
    """Give each part of each entry, with the entry and its place."""
    for entry in entries:
        for position, part in enumerate(getattr(entry, attribute)):
            yield entry, position, part


def _people_rows(site: Site) -> SiteRows:
    documents: dict[str, Any] = {"licence": site.licence, "configuration": site.configuration}
    return {
        tables.SiteDocument: [(name, json.dumps(asdict(each)), 1) for name, each in documents.items()],
        tables.Group: flat(tables.Group, site.groups),
        tables.User: flat(tables.User, site.users, username_key=lambda user: folded(user.username)),
        tables.Membership: [(user.id, name) for user in site.users for name in user.groups],
        tables.LoginRecord: flat(tables.LoginRecord, site.login_records),
        tables.Session: flat(tables.Session, site.sessions),
    }


def _jira_rows(site: Site) -> SiteRows:
    transitions = list(_children(site.workflows, "transitions"))
    return {
        tables.IssueType: flat(tables.IssueType, site.issue_types),
        tables.Status: flat(tables.Status, site.statuses),
        tables.Workflow: flat(tables.Workflow, site.workflows),
        tables.WorkflowStatus: [
            (workflow.id, position, status_id)
            for workflow, position, status_id in _children(site.workflows, "status_ids")
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
            for project, position, written in _children(site.projects, "browsers")
        ],
        tables.RoleActor: list(_role_actors(site)),
        tables.CustomField: flat(tables.CustomField, site.custom_fields),
        tables.Issue: flat(tables.Issue, site.issues, version=_always(1)),
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
    for project, _, actors in _children(site.projects, "roles"):
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
            version=_always(1),
        ),
        tables.Approver: [
            (approval.id, position, approver.kind.value, approver.value, approver.is_excluded)
            for approval, position, approver in _children(site.approvals, "approvers")
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
        tables.ApprovalMapping: flat(tables.ApprovalMapping, entries, version=_always(1), **settings),
        tables.MappedApproval: [
            (mapping.id, position, mapped.approval_id, mapped.is_optional, mapped.conditional_rule_id)
            for mapping, position, mapped in _children(entries, "approvals")
        ],
        tables.ConditionedMinimum: [
            (mapping.id, position, each.kind.value, each.conditional_rule_id, each.minimum)
            for mapping, position, each in _children(entries, "conditioned_minimums")
        ],
    }


def settings_getters(cls: type) -> dict[str, Callable[[Any], Any]]:
    return {field.name: attrgetter(f"settings.{field.name}") for field in fields(cls)}


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


def _bulk_rows(site: Site) -> SiteRows:
    """Return the rows of bulk operations: all that is imported has the version 1, what was overtaken none."""
    return {
        tables.BulkOperation: flat(tables.BulkOperation, site.bulk_operations),
        tables.BulkEntry: _parts(
            tables.BulkEntry,
            _children(site.bulk_operations, "entries"),
            mapping_version=lambda entry: None if entry.mapping_id is None else int(not entry.is_overtaken),
        ),
        tables.BulkRecord: _parts(
            tables.BulkRecord,
            _children(site.bulk_operations, "records"),
            issue_version=lambda record: int(not record.is_overtaken),
        ),
    }


def _parts(
    table: type[Table], children: Iterable[tuple[Any, int, Any]], **others: Callable[[Any], Any]
) -> list[Row]:
    """Return rows that begin with the id of a parent, and with the place in it where the table keeps it."""
    is_placed = "position" in columns(table)
    getters = [others.get(name) or attrgetter(name) for name in columns(table)[1 + is_placed :]]
    return [
        (parent.id, *([position] if is_placed else ()), *(_stored(getter(part)) for getter in getters))
        for parent, position, part in children
    ]


# -- rows as a site ---------------------------------------------------------------------------


def to_site(rows: SiteRows) -> Site:
    """Return the site that the rows hold, each collection in order of id, or of name where it has none."""
    documents = {name: json.loads(text) for name, text, _ in rows[tables.SiteDocument]}
    return Site(
        licence=_made(configuration.Licence, documents.get("licence", {})),
        configuration=_made(configuration.Configuration, documents.get("configuration", {})),
        groups=_all(people.Group, rows, tables.Group, "name"),
        users=tuple(_users(rows)),
        login_records=_all(people.LoginRecord, rows, tables.LoginRecord, "username"),
        sessions=_all(people.Session, rows, tables.Session, "token_digest"),
        issue_types=_all(jira.IssueType, rows, tables.IssueType),
        statuses=_all(jira.Status, rows, tables.Status),
        workflows=tuple(_workflows(rows)),
        workflow_schemes=tuple(_workflow_schemes(rows)),
        project_roles=_all(jira.ProjectRole, rows, tables.ProjectRole),
        projects=tuple(_projects(rows)),
        custom_fields=_all(jira.CustomField, rows, tables.CustomField),
        issues=tuple(_issues(rows)),
        conditional_rules=_all(approvals.ConditionalRule, rows, tables.ConditionalRule),
        approvals=tuple(_approvals(rows)),
        single_issue_configurations=_all(
            SingleIssueConfiguration, rows, tables.SingleIssueConfiguration, "issue_id"
        ),
        approval_mappings=tuple(_mappings(rows)),
        issue_approvals=tuple(_issue_approvals(rows)),
        delegations=_all(Delegation, rows, tables.Delegation),
        history=_all(history.Event, rows, tables.History),
        comments=_all(history.Comment, rows, tables.IssueComment),
        messages=_all(history.Message, rows, tables.Message),
        bulk_operations=tuple(_bulk_operations(rows)),
    )


def _all(cls: type[Entry], rows: SiteRows, table: type[Table], key: str = "id") -> tuple[Entry, ...]:
    return tuple(_made(cls, values) for values in _values(rows, table, key))


def entries(cls: type[Entry], table: type[Table], found: list[Row]) -> tuple[Entry, ...]:
    """Return dataclasses from some whole rows of a table, by id."""
    return _all(cls, {table: found}, table)


def _values(rows: SiteRows, table: type[Table], *key: str) -> list[dict[str, Any]]:
    """Return the rows of a table by name of column, sorted."""
    names = columns(table)
    return sorted((dict(zip(names, row, strict=True)) for row in rows[table]), key=itemgetter(*key))


def _grouped(rows: SiteRows, table: type[Table], *key: str) -> defaultdict[Any, list[dict[str, Any]]]:
    """Return the rows of a table in order of position, by the parent that they belong to."""
    found = defaultdict(list)
    parent = itemgetter(*key)
    for values in _values(rows, table, "position"):
        found[parent(values)].append(values)
    return found


def _made(cls: Callable[..., Entry], values: Mapping[str, Any], **others: Any) -> Entry:
    """Return a dataclass from stored values of its fields' names. others: fields that are no column."""
    given = {
        name: decode(values[name]) if decode else values[name]
        for name, decode in _decoders(cls).items()
        if name in values and name not in others
    }
    return cls(**given, **others)


@cache
def _decoders(cls: Callable[..., Any]) -> dict[str, Callable[[Any], Any] | None]:
    return {name: _decoder(hint) for name, hint in get_type_hints(cls).items()}


def _decoder(hint: Any) -> Callable[[Any], Any] | None:
    if isinstance(hint, UnionType):
        decode = _decoder(get_args(hint)[0])
        return decode and (lambda value: None if value is None else decode(value))
    if hint is datetime:
        return moment
    if hint is bool or (isinstance(hint, type) and issubclass(hint, Enum)):
        return hint
    if get_origin(hint) is tuple:
        return lambda value: tuple(json.loads(value) if isinstance(value, str) else value)
    return json.loads if get_origin(hint) is Mapping else None


def _users(rows: SiteRows) -> Iterator[people.User]:
    groups = defaultdict(list)
    for user_id, name in sorted(rows[tables.Membership]):
        groups[user_id].append(name)
    for values in _values(rows, tables.User, "id"):
        yield _made(people.User, values, groups=tuple(groups[values["id"]]))


def _workflows(rows: SiteRows) -> Iterator[jira.Workflow]:
    statuses = _grouped(rows, tables.WorkflowStatus, "workflow_id")
    transitions = _grouped(rows, tables.Transition, "workflow_id")
    sources = _grouped(rows, tables.TransitionSource, "workflow_id", "transition_id")
    for values in _values(rows, tables.Workflow, "id"):
        yield _made(
            jira.Workflow,
            values,
            status_ids=_column(statuses[values["id"]], "status_id"),
            transitions=tuple(
                _made(
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
    for values in _values(rows, tables.WorkflowScheme, "id"):
        yield _made(jira.WorkflowScheme, values, by_issue_type=by_issue_type[values["id"]])


def _projects(rows: SiteRows) -> Iterator[jira.Project]:
    browsers = _grouped(rows, tables.ProjectBrowser, "project_id")
    actors = _grouped(rows, tables.RoleActor, "project_id", "role_id")
    roles = defaultdict(list)
    for project_id, role_id in sorted(actors):
        roles[project_id].append(_role(role_id, _column(actors[project_id, role_id], "principal")))
    for values in _values(rows, tables.Project, "id"):
        yield _made(
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


def _issues(rows: SiteRows) -> Iterator[jira.Issue]:
    names: defaultdict[int, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for values in _values(rows, tables.IssueField, "custom_field_id", "position"):
        names[values["issue_id"]][values["custom_field_id"]].append(values["name"])
    for values in _values(rows, tables.Issue, "id"):
        held = {field_id: tuple(each) for field_id, each in names[values["id"]].items()}
        yield _made(jira.Issue, values, fields=held)


def _approvals(rows: SiteRows) -> Iterator[approvals.Approval]:
    approvers = _grouped(rows, tables.Approver, "approval_id")
    for values in _values(rows, tables.Approval, "id"):
        properties = tuple(_made(approvals.Approver, each) for each in approvers[values["id"]])
        yield _made(approvals.Approval, values, approvers=properties)


def _mappings(rows: SiteRows) -> Iterator[mappings.ApprovalMapping]:
    mapped = _grouped(rows, tables.MappedApproval, "approval_mapping_id")
    minimums = _grouped(rows, tables.ConditionedMinimum, "approval_mapping_id")
    for values in _values(rows, tables.ApprovalMapping, "id"):
        super_approvers = json.loads(values["super_approvers"])
        yield _made(
            mappings.ApprovalMapping,
            values,
            settings=_made(
                mappings.MappingSettings,
                values,
                super_approvers=tuple(_made(approvals.Approver, each) for each in super_approvers),
            ),
            approvals=tuple(_made(mappings.MappedApproval, each) for each in mapped[values["id"]]),
            conditioned_minimums=tuple(
                _made(mappings.ConditionedMinimum, each) for each in minimums[values["id"]]
            ),
        )


def _issue_approvals(rows: SiteRows) -> Iterator[issue_approvals.IssueApproval]:
    for values in _values(rows, tables.IssueApproval, "id"):
        settings = _made(issue_approvals.RecordSettings, values)
        yield _made(issue_approvals.IssueApproval, values, settings=settings)


def _bulk_operations(rows: SiteRows) -> Iterator[BulkOperation]:
    mapping_versions = _versions(rows, tables.ApprovalMapping)
    issue_versions = _versions(rows, tables.Issue)
    entries = _grouped(rows, tables.BulkEntry, "operation_id")
    records = defaultdict(list)
    for values in _values(rows, tables.BulkRecord, "issue_approval_id"):
        records[values["operation_id"]].append(values)
    for values in _values(rows, tables.BulkOperation, "id"):
        yield _made(
            BulkOperation,
            values,
            entries=tuple(
                _made(
                    BulkEntry,
                    each,
                    is_overtaken=_is_other(each["mapping_version"], mapping_versions.get(each["mapping_id"])),
                )
                for each in entries[values["id"]]
            ),
            records=tuple(
                _made(
                    BulkRecord,
                    each,
                    is_overtaken=_is_other(each["issue_version"], issue_versions.get(each["issue_id"])),
                )
                for each in records[values["id"]]
            ),
        )


def _versions(rows: SiteRows, table: type[Table]) -> dict[int, int]:
    names = columns(table)
    id, version = names.index("id"), names.index("version")
    return {row[id]: row[version] for row in rows[table]}


def _is_other(then: int | None, now: int | None) -> bool:
    """Return whether what had one version has another; what is gone has none, and what never was."""
    return then == 0 if now is None else then != now
