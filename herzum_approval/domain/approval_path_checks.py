"""What must hold in definitions, conditions and runs of approval paths."""

from collections.abc import Iterator, Mapping

from herzum_approval.domain import jql
from herzum_approval.domain.approval_paths import (
    ASSIGNEE,
    FIELD_KINDS,
    REPORTER,
    ApprovalDefinition,
    ApprovalPath,
    DefinitionStep,
    PathStatus,
    PathStep,
    Product,
    StepAction,
    StepKind,
    StepStatus,
)
from herzum_approval.domain.http_steps import CallState, HttpCall
from herzum_approval.domain.jira import FieldType
from herzum_approval.domain.people import is_email_address
from herzum_approval.domain.site_references import SiteFault
from herzum_approval.domain.sites import Site

_UNDECIDED = (StepStatus.PENDING, StepStatus.ACTIVE)

_BELONGS_TO: Mapping[str, frozenset[StepKind]] = {
    "username": frozenset({StepKind.USER}),
    "group": frozenset({StepKind.GROUP}),
    "email": frozenset({StepKind.EMAIL}),
    "field_id": FIELD_KINDS,
}
"""What names the people of a step, and the kinds of step that need it."""

_FIELDS_OF: Mapping[StepKind, tuple[FieldType, str]] = {
    StepKind.USER_FIELD: (FieldType.USER_PICKER, "users"),
    StepKind.GROUP_FIELD: (FieldType.GROUP_PICKER, "groups"),
    StepKind.EMAIL_FIELD: (FieldType.EMAIL, "e-mail addresses"),
}
"""The type of field that each kind of step looks into, and what such a field holds."""


# -- definitions ------------------------------------------------------------------------------


def definition_value_faults(site: Site) -> Iterator[SiteFault]:
    """Give every part of a definition or a condition that cannot stand, whatever else there is."""
    for place, condition in enumerate(site.approval_conditions):
        try:
            jql.parse(condition.jql)
        except jql.JqlError as error:
            yield SiteFault(f"approval_conditions[{place}].jql", str(error))
    for place, definition in enumerate(site.approval_definitions):
        path = f"approval_definitions[{place}]"
        if not definition.steps:
            yield SiteFault(f"{path}.steps", "is empty; a definition needs a step")
        for position, step in enumerate(definition.steps):
            for name, reason in _step_faults(step):
                yield SiteFault(f"{path}.steps[{position}].{name}", reason)
        for part, end in (("rejection_steps", "a rejection"), ("success_steps", "a success")):
            for position, step in enumerate(getattr(definition, part)):
                for name, reason in _informing_step_faults(step, end):
                    yield SiteFault(f"{path}.{part}[{position}].{name}", reason)
        if definition.product is not Product.JIRA:
            for name in _conditioned(definition):
                yield SiteFault(f"{path}.{name}", "conditions are asked of issues only")


def _step_faults(step: DefinitionStep) -> Iterator[tuple[str, str]]:
    for name, kinds in _BELONGS_TO.items():
        is_needed = step.kind in kinds
        if (getattr(step, name) is not None) is not is_needed:
            yield name, f"a step of kind {step.kind.value} {'needs one' if is_needed else 'has none'}"
    if step.action is StepAction.STARTED:
        yield "action", "only the start of an approval is of it"
    if step.email is not None and not is_email_address(step.email):
        yield "email", "is no e-mail address"
    if step.parallel_group is not None and step.parallel_group < 0:
        yield "parallel_group", "must be 0 or more"
    for name in ("required_votes", "required_reject_votes"):
        votes = getattr(step, name)
        if votes < 1:
            yield name, "must be 1 or more"
        if votes > 1 and step.kind not in (StepKind.GROUP, *FIELD_KINDS):
            yield name, f"one vote decides a step of kind {step.kind.value}"
    if step.kind is StepKind.HTTP and not step.url_template:
        yield "url_template", "must not be empty"


def _informing_step_faults(step: DefinitionStep, end: str) -> Iterator[tuple[str, str]]:
    if step.kind is not StepKind.HTTP:
        yield "kind", f"after {end} there are only HTTP steps"
        return
    yield from _step_faults(step)


def _conditioned(definition: ApprovalDefinition) -> Iterator[str]:
    if definition.condition_id is not None:
        yield "condition_id"
    for name in ("steps", "rejection_steps", "success_steps"):
        for position, step in enumerate(getattr(definition, name)):
            if step.condition_id is not None:
                yield f"{name}[{position}].condition_id"


def definition_link_faults(site: Site) -> Iterator[SiteFault]:
    """Give every collection and every field of a definition that is not there, or does not fit."""
    collections = {
        Product.JIRA: ("projects", {project.id for project in site.projects}),
        Product.CONFLUENCE: ("spaces", {space.id for space in site.spaces}),
    }
    types = {field.id: field.type for field in site.custom_fields}
    for place, definition in enumerate(site.approval_definitions):
        path = f"approval_definitions[{place}]"
        name, ids = collections[definition.product]
        if definition.collection_id is not None and definition.collection_id not in ids:
            yield SiteFault(
                f"{path}.collection_id", f"{definition.collection_id} is the id of none of the {name}"
            )
        for position, step in enumerate(definition.steps):
            if step.field_id is None or step.kind not in FIELD_KINDS:
                continue
            if reason := _field_fault(definition.product, step, types):
                yield SiteFault(f"{path}.steps[{position}].field_id", reason)


def _field_fault(product: Product, step: DefinitionStep, types: Mapping[str, FieldType]) -> str | None:
    if product is not Product.JIRA:
        return "pages have no fields"
    wanted, held = _FIELDS_OF[step.kind]
    if step.field_id in (REPORTER, ASSIGNEE):
        return None if wanted is FieldType.USER_PICKER else f"{step.field_id} holds no {held}"
    found = types.get(step.field_id or "")
    if found is None:
        return f"{step.field_id!r} is the id of none of the custom_fields"
    return None if found is wanted else f"{step.field_id!r} is a {found.value}"


# -- runs -------------------------------------------------------------------------------------


def path_faults(site: Site) -> Iterator[SiteFault]:
    """Give everything that does not fit together in runs, and in what was sent for them."""
    issues = {issue.id: issue.project_id for issue in site.issues}
    pages = {page.id: page.space_id for page in site.pages}
    for place, path in enumerate(site.approval_paths):
        where = f"approval_paths[{place}]"
        homes = issues if path.product is Product.JIRA else pages
        if path.ref_id not in homes:
            name = "issues" if path.product is Product.JIRA else "pages"
            yield SiteFault(f"{where}.ref_id", f"{path.ref_id} is the id of none of the {name}")
        elif homes[path.ref_id] != path.collection_id:
            yield SiteFault(f"{where}.collection_id", f"{path.ref_id} is in {homes[path.ref_id]}")
        for name, reason in _run_faults(path):
            yield SiteFault(f"{where}.{name}", reason)
    paths = {path.id: path for path in site.approval_paths}
    for place, call in enumerate(site.http_calls):
        for name, reason in _call_faults(call, paths[call.path_id]):
            yield SiteFault(f"http_calls[{place}].{name}", reason)


def _run_faults(path: ApprovalPath) -> Iterator[tuple[str, str]]:
    if not path.steps or path.steps[0].definition.action is not StepAction.STARTED:
        yield "steps", "must begin with the start"
        return
    steps = (*path.steps, *path.rejection_steps, *path.success_steps)
    is_open = any(step.status in _UNDECIDED for step in steps)
    if not path.is_running and is_open:
        yield "path_status", "an approval that has ended awaits nothing"
    if path.is_running and not path.active_steps:
        yield "path_status", "an approval that runs awaits a decision"
    has_failed = any(step.status is StepStatus.FAIL for step in path.steps)
    if has_failed and path.path_status in (PathStatus.IN_PROGRESS, PathStatus.SUCCESS, PathStatus.EXPIRED):
        yield "path_status", "an approval ends with its first failed step"
    for position, step in enumerate(path.steps):
        for name, reason in _run_step_faults(step):
            yield f"steps[{position}].{name}", reason


def _run_step_faults(step: PathStep) -> Iterator[tuple[str, str]]:
    if (step.decision is None) is not (step.decided_at is None):
        yield "decided_at", "is there exactly where a decision is"
    if step.status in (*_UNDECIDED, StepStatus.SKIPPED) and step.decision is not None:
        yield "decision", f"a step that is {step.status.value} has none"
    voters = [vote.voter for vote in step.votes]
    if len(set(voters)) < len(voters):
        yield "votes", "somebody has voted twice"
    if not set(voters) <= set(step.members):
        yield "votes", "somebody has voted who is none of the members"


def _call_faults(call: HttpCall, path: ApprovalPath) -> Iterator[tuple[str, str]]:
    if call.is_of_rejection and call.is_of_success:
        yield "is_of_success", "one step has one place"
    after = path.success_steps if call.is_of_success else path.rejection_steps
    steps = after if call.informs_of_end else path.steps
    if call.position >= len(steps) or steps[call.position].definition.kind is not StepKind.HTTP:
        yield "position", "there is no HTTP step in this place"
    if (call.status is None) is (call.state is CallState.ANSWERED):
        yield "status", "is there exactly where an answer is"
    if (call.answered_at is None) is call.is_decided:
        yield "answered_at", "is there exactly where it is known what came of it"
