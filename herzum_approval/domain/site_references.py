"""The names and references of a site: what must be unique, what refers to what, how things are spelt.

Paths are written as in the snapshot document, with `[]` for each entry of a list.
"""

import re
from collections.abc import Iterator
from math import isfinite
from operator import attrgetter
from typing import Any, NamedTuple

from herzum_approval.domain.api_keys import key_faults
from herzum_approval.domain.approval_paths import ASSIGNEE, REPORTER
from herzum_approval.domain.approvals import Approver, ApproverKind
from herzum_approval.domain.jira import FieldType
from herzum_approval.domain.mappings import ALL
from herzum_approval.domain.people import ANYONE, folded, is_email_address
from herzum_approval.domain.sites import FORMAT, Site


class SiteFault(NamedTuple):
    """One thing wrong with a site. path: where, for instance `issue_approvals[3].approval_id`."""

    path: str
    reason: str


UNIQUE = (
    "groups[].name",
    "groups[].id",
    "users[].id",
    "users[].username",
    "users[].account_id",
    "issue_types[].id",
    "statuses[].id",
    "workflows[].id",
    "workflows[].name",
    "workflow_schemes[].id",
    "workflow_schemes[].name",
    "project_roles[].id",
    "project_roles[].name",
    "projects[].id",
    "projects[].key",
    "custom_fields[].id",
    "issues[].id",
    "issues[].key",
    "conditional_rules[].id",
    "conditional_rules[].name",
    "approvals[].id",
    "approvals[].name",
    "single_issue_configurations[].issue_id",
    "approval_mappings[].id",
    "issue_approvals[].id",
    "delegations[].id",
    "history[].id",
    "comments[].id",
    "messages[].id",
    "bulk_operations[].id",
    "spaces[].id",
    "spaces[].key",
    "pages[].id",
    "page_comments[].id",
    "approval_conditions[].id",
    "approval_conditions[].name",
    "approval_definitions[].id",
    "approval_paths[].id",
    "http_calls[].id",
    "path_mails[].id",
    "api_keys[].id",
    "api_keys[].digest",
    "jsm_sites[].cloud_id",
    "custom_roles[].id",
    "jsm_tokens[].id",
    "jsm_tokens[].token_digest",
    "login_records[].username",
    "sessions[].token_digest",
)
"""What may occur once in the whole site."""

UNIQUE_WITHIN = (
    "users[].groups[]",
    "workflows[].status_ids[]",
    "workflows[].transitions[].id",
    "workflows[].transitions[].source_status_ids[]",
    "projects[].browsers[]",
    "projects[].roles[].role_id",
    "bulk_operations[].records[].issue_approval_id",
    "jsm_sites[].administrators[]",
)
"""What may occur once within the entry that holds it."""

REFERENCES = {
    "users[].groups[]": "groups[].name",
    "workflows[].status_ids[]": "statuses[].id",
    "workflow_schemes[].default_workflow_id": "workflows[].id",
    "projects[].workflow_scheme_id": "workflow_schemes[].id",
    "projects[].lead": "users[].username",
    "projects[].roles[].role_id": "project_roles[].id",
    "projects[].roles[].users[]": "users[].username",
    "projects[].roles[].groups[]": "groups[].name",
    "issues[].project_id": "projects[].id",
    "issues[].issue_type_id": "issue_types[].id",
    "issues[].status_id": "statuses[].id",
    "issues[].reporter": "users[].username",
    "issues[].assignee": "users[].username",
    "single_issue_configurations[].issue_id": "issues[].id",
    "approval_mappings[].project_id": "projects[].id",
    "approval_mappings[].issue_type_id": "issue_types[].id",
    "approval_mappings[].source_status_id": "statuses[].id",
    "approval_mappings[].issue_id": "single_issue_configurations[].issue_id",
    "approval_mappings[].settings.conditional_rule_id": "conditional_rules[].id",
    "approval_mappings[].settings.assignee_after_decision": "users[].username",
    "approval_mappings[].approvals[].approval_id": "approvals[].id",
    "approval_mappings[].approvals[].conditional_rule_id": "conditional_rules[].id",
    "approval_mappings[].conditioned_minimums[].conditional_rule_id": "conditional_rules[].id",
    "issue_approvals[].issue_id": "issues[].id",
    "issue_approvals[].approval_id": "approvals[].id",
    "issue_approvals[].mapping_id": "approval_mappings[].id",
    "issue_approvals[].source_status_id": "statuses[].id",
    "issue_approvals[].approver_username": "users[].username",
    "issue_approvals[].settings.conditional_rule_id": "conditional_rules[].id",
    "delegations[].delegator": "users[].username",
    "delegations[].delegate": "users[].username",
    "delegations[].project_id": "projects[].id",
    "delegations[].issue_type_id": "issue_types[].id",
    "delegations[].source_status_id": "statuses[].id",
    "delegations[].approval_id": "approvals[].id",
    "history[].issue_id": "issues[].id",
    "comments[].issue_id": "issues[].id",
    "messages[].issue_id": "issues[].id",
    "api_keys[].creator": "users[].username",
    "api_keys[].performer.user": "users[].username",
    "api_keys[].performer.default_user": "users[].username",
    "api_keys[].performer.group": "groups[].name",
    "pages[].space_id": "spaces[].id",
    "pages[].creator": "users[].username",
    "pages[].modifier": "users[].username",
    "page_comments[].page_id": "pages[].id",
    "approval_definitions[].condition_id": "approval_conditions[].id",
    "approval_definitions[].steps[].condition_id": "approval_conditions[].id",
    "approval_definitions[].rejection_steps[].condition_id": "approval_conditions[].id",
    "approval_definitions[].success_steps[].condition_id": "approval_conditions[].id",
    "approval_definitions[].steps[].username": "users[].username",
    "approval_definitions[].steps[].group": "groups[].name",
    "approval_paths[].started_by": "users[].username",
    "approval_paths[].steps[].definition.username": "users[].username",
    "approval_paths[].steps[].definition.group": "groups[].name",
    "http_calls[].path_id": "approval_paths[].id",
    "path_mails[].path_id": "approval_paths[].id",
    "jsm_sites[].administrators[]": "users[].username",
    "custom_roles[].cloud_id": "jsm_sites[].cloud_id",
    "role_assignments[].username": "users[].username",
    "role_assignments[].role_id": "custom_roles[].id",
    "jsm_tokens[].username": "users[].username",
    "login_records[].username": "users[].username",
    "sessions[].username": "users[].username",
    "configuration.reversing_exempted_users[]": "users[].username",
    "configuration.responsive_user": "users[].username",
    "configuration.decision_log_user": "users[].username",
    "configuration.conditional_rule_user": "users[].username",
    "configuration.super_approver_users[]": "users[].username",
    "configuration.super_approver_groups[]": "groups[].name",
}
"""What refers to what. People and records of history, comments and messages, and all that bulk operations
tell of, are not here: these outlive them."""

PRINCIPALS = {
    "projects[].browsers[]": frozenset({"user", "group", "role", "lead", ANYONE}),
    "issue_approvals[].target": frozenset({"user", "group"}),
}
"""References written as principals, and the kinds that each may be of."""

PRINCIPAL_TARGETS = {"user": "users[].username", "group": "groups[].name", "role": "project_roles[].id"}

APPROVER_TARGETS = {
    ApproverKind.USER: "users[].username",
    ApproverKind.GROUP: "groups[].name",
    ApproverKind.PROJECT_ROLE: "project_roles[].id",
    ApproverKind.USER_PICKER: "custom_fields[].id",
    ApproverKind.USER_PICKER_ALL: "custom_fields[].id",
    ApproverKind.GROUP_PICKER: "custom_fields[].id",
}
"""What the value of an approver property refers to; the other kinds have none."""

_APPROVERS = ("approvals[].approvers[]", "approval_mappings[].settings.super_approvers[]")

_TEXT_IDS = ("groups[].id", "custom_fields[].id", "custom_roles[].id")

LEAST = {
    "configuration.comment_limit": 0,
    "workflows[].transitions[].id": 1,
    "approval_mappings[].settings.reminder_days": 1,
    "issue_approvals[].settings.place": 1,
    "issue_approvals[].version": 1,
    "bulk_operations[].affected": 0,
    "bulk_operations[].skipped": 0,
    "api_keys[].usage_count": 0,
    "approval_paths[].version": 1,
    "http_calls[].position": 0,
    "path_mails[].position": 0,
    "login_records[].failed_count": 0,
    "login_records[].unresolved_count": 0,
    "login_records[].login_count": 0,
    "login_records[].total_failed_count": 0,
} | {path: 1 for path in UNIQUE if path.endswith("[].id") and path not in _TEXT_IDS}
"""The least value of each number that has one."""

MINIMUMS = (
    "approval_mappings[].settings.minimum_approbations",
    "approval_mappings[].settings.minimum_rejections",
    "approval_mappings[].conditioned_minimums[].minimum",
    "issue_approvals[].settings.minimum_approbations",
    "issue_approvals[].settings.minimum_rejections",
)

FORMATS = {
    "users[].password_hash": re.compile(r"\$2[abxy]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}"),
    "projects[].key": re.compile(r"[A-Z][A-Z0-9_]+"),
    "issues[].key": re.compile(r"[A-Z][A-Z0-9_]+-[1-9][0-9]*"),
    "custom_fields[].id": re.compile(r"customfield_[0-9]+"),
    "jsm_sites[].cloud_id": re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}"),
    "custom_roles[].id": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "jsm_tokens[].token_digest": re.compile(r"[0-9a-f]{64}"),
} | {
    path: re.compile(r"\S(.*\S)?", re.DOTALL)
    for path in (
        "groups[].name",
        "users[].username",
        "approvals[].name",
        "workflows[].name",
        "spaces[].key",
        "approval_conditions[].name",
        "approval_definitions[].name",
    )
}
"""How some texts are spelt; names have something in them, and no space around it."""


def reference_faults(site: Site) -> Iterator[SiteFault]:
    """Give every name, number and reference that cannot stand."""
    if site.format != FORMAT:
        yield SiteFault("format", f"is {FORMAT!r} in this version, not {site.format!r}")
    yield from value_faults(site)
    yield from _duplicates(site)
    yield from link_faults(site)


def value_faults(site: Site) -> Iterator[SiteFault]:
    """Give every value that cannot stand, whatever else there is."""
    yield from _number_faults(site)
    yield from _format_faults(site)
    yield from _contradictions(site)
    for place, key in enumerate(site.api_keys):
        for field, reason in key_faults(key):
            yield SiteFault(f"api_keys[{place}].{field}", reason)


def link_faults(site: Site) -> Iterator[SiteFault]:
    """Give every reference that leads nowhere, or to something that does not fit."""
    yield from _reference_faults(site)
    yield from _approver_faults(site)
    yield from _key_field_faults(site)


def mentions(site: Site) -> dict[str, frozenset[Any]]:
    """Return what the site refers to: values by what each is of, such as `users[].username`."""
    found: dict[str, set[Any]] = {}
    for path, target in REFERENCES.items():
        found.setdefault(target, set()).update(value for _, value in values_at(site, path))
    for path in _APPROVERS:
        for _, approver in values_at(site, path):
            if approver.value is not None and (target := APPROVER_TARGETS.get(approver.kind, "")):
                found.setdefault(target, set()).add(approver.value)
    return {target: frozenset(values) for target, values in found.items()}


# -- walking ----------------------------------------------------------------------------------


def values_at(site: Site, path: str) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Give all that stands at `path`, each with the places of the lists that lead to it; None is left out."""
    first, *rest = path.split("[]")
    yield from _values(attrgetter(first)(site), [_getter(step) for step in rest], ())


def _getter(step: str) -> Any:
    """Return what reads the attributes of a step, such as `.performer.user`; None where one is None."""
    if not step:
        return None
    outer, *rest = map(attrgetter, step[1:].split("."))
    if not rest:
        return outer

    def read(value: Any) -> Any:
        for get in (outer, *rest):
            value = None if value is None else get(value)
        return value

    return read


def _values(value: Any, getters: list[Any], places: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Any]]:
    if not getters:
        if value is not None:
            yield places, value
        return
    getter, *rest = getters
    for place, entry in enumerate(value):
        inner = entry if getter is None else getter(entry)
        if rest:
            yield from _values(inner, rest, (*places, place))
        elif inner is not None:
            yield (*places, place), inner


def located(path: str, places: tuple[int, ...]) -> str:
    steps = iter(places)
    return re.sub(r"\[\]", lambda _: f"[{next(steps)}]", path)


class _Targets:
    """The values that references may have, looked up once per path."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.known: dict[str, frozenset[Any]] = {}

    def missing(self, path: str, value: Any) -> str | None:
        """Return why `value` is no reference to `path`, None where it is one."""
        if path not in self.known:
            self.known[path] = frozenset(found for _, found in values_at(self.site, path))
        if value in self.known[path]:
            return None
        collection, attribute = path.split("[].")
        return f"{value!r} is the {attribute} of none of the {collection}"


# -- names and references ---------------------------------------------------------------------


def _number_faults(site: Site) -> Iterator[SiteFault]:
    for path, least in LEAST.items():
        for places, value in values_at(site, path):
            if value < least:
                yield SiteFault(located(path, places), f"{value} is less than {least}")
    for path in MINIMUMS:
        for places, value in values_at(site, path):
            if value != ALL and not (isfinite(value) and value >= 0):
                yield SiteFault(located(path, places), f"{value} is neither {ALL} (all) nor 0 or more")


def _format_faults(site: Site) -> Iterator[SiteFault]:
    for path, spelling in FORMATS.items():
        for places, value in values_at(site, path):
            if not spelling.fullmatch(value):
                yield SiteFault(located(path, places), "is not spelt as it must be")


def _duplicates(site: Site) -> Iterator[SiteFault]:
    for path in (*UNIQUE, *UNIQUE_WITHIN):
        seen = set()
        for places, value in values_at(site, path):
            name = folded(value) if path == "users[].username" else value
            holder = places[:-1] if path in UNIQUE_WITHIN else ()
            if (holder, name) in seen:
                yield SiteFault(located(path, places), f"{value!r} is there already")
            seen.add((holder, name))


def _reference_faults(site: Site) -> Iterator[SiteFault]:
    targets = _Targets(site)
    for path, target in REFERENCES.items():
        for places, value in values_at(site, path):
            if reason := targets.missing(target, value):
                yield SiteFault(located(path, places), reason)
    for path, kinds in PRINCIPALS.items():
        for places, value in values_at(site, path):
            if reason := _principal_fault(value, kinds, targets):
                yield SiteFault(located(path, places), reason)
    for place, scheme in enumerate(site.workflow_schemes):
        for issue_type_id, workflow_id in scheme.by_issue_type.items():
            reason = targets.missing("issue_types[].id", issue_type_id)
            reason = reason or targets.missing("workflows[].id", workflow_id)
            if reason:
                yield SiteFault(f"workflow_schemes[{place}].by_issue_type.{issue_type_id}", reason)
    yield from _field_faults(site, targets)


def _principal_fault(principal: str, kinds: frozenset[str], targets: _Targets) -> str | None:
    kind, colon, name = principal.partition(":")
    if kind not in kinds or bool(colon) != (kind in PRINCIPAL_TARGETS):
        return f"{principal!r} is no principal that can stand here"
    if not colon:
        return None
    return targets.missing(PRINCIPAL_TARGETS[kind], _number(name) if kind == "role" else name)


def _number(text: str) -> int | str:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,9}", text) else text


def _field_faults(site: Site, targets: _Targets) -> Iterator[SiteFault]:
    types = {field.id: field.type for field in site.custom_fields}
    for place, issue in enumerate(site.issues):
        for field_id, names in issue.fields.items():
            path = f"issues[{place}].fields.{field_id}"
            if reason := targets.missing("custom_fields[].id", field_id):
                yield SiteFault(path, reason)
                continue
            if not names:
                yield SiteFault(path, "is empty; a field without a value is left out")
            for position, name in enumerate(names):
                if reason := _held_fault(types[field_id], name, targets):
                    yield SiteFault(f"{path}[{position}]", reason)


def _held_fault(type: FieldType, name: str, targets: _Targets) -> str | None:
    if type is FieldType.EMAIL:
        return None if is_email_address(name) else "is no e-mail address"
    return targets.missing("users[].username" if type is FieldType.USER_PICKER else "groups[].name", name)


def _key_field_faults(site: Site) -> Iterator[SiteFault]:
    types = {field.id: field.type for field in site.custom_fields}
    for place, key in enumerate(site.api_keys):
        field_id = None if key.performer is None else key.performer.field_id
        if field_id in (None, REPORTER, ASSIGNEE) or types.get(field_id or "") is FieldType.USER_PICKER:
            continue
        yield SiteFault(f"api_keys[{place}].performer.field_id", f"{field_id!r} is no field of users")


def _approver_faults(site: Site) -> Iterator[SiteFault]:
    targets = _Targets(site)
    types = {field.id: field.type for field in site.custom_fields}
    for path in _APPROVERS:
        for places, approver in values_at(site, path):
            if reason := _approver_fault(approver, targets, types):
                yield SiteFault(located(path, places) + ".value", reason)


def _contradictions(site: Site) -> Iterator[SiteFault]:
    for place, approval in enumerate(site.approvals):
        excluded = {approver.kind for approver in approval.approvers if approver.is_excluded}
        for position, approver in enumerate(approval.approvers):
            if approver.kind in excluded and not approver.is_excluded:
                reason = f"the property {approver.kind.value!r} both includes and excludes"
                yield SiteFault(f"approvals[{place}].approvers[{position}].kind", reason)


def _approver_fault(approver: Approver, targets: _Targets, types: dict[str, FieldType]) -> str | None:
    target = APPROVER_TARGETS.get(approver.kind)
    if target is None:
        return None if approver.value is None else f"the property {approver.kind.value!r} has no value"
    if approver.value is None:
        return f"the property {approver.kind.value!r} needs a value"
    is_role = approver.kind is ApproverKind.PROJECT_ROLE
    if reason := targets.missing(target, _number(approver.value) if is_role else approver.value):
        return reason
    if target != "custom_fields[].id":
        return None
    is_group_field = approver.kind is ApproverKind.GROUP_PICKER
    wanted, found = FieldType.GROUP_PICKER if is_group_field else FieldType.USER_PICKER, types[approver.value]
    return None if found is wanted else f"{approver.value!r} is a {found.value}"
