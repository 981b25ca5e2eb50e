"""Bulk requests as they are written: whether their scopes exist, and fit together."""

from dataclasses import dataclass
from functools import cache

from herzum_approval.domain.bulk_mappings import (
    BulkRequest,
    Operation,
    Place,
    Scope,
    ScopeType,
)
from herzum_approval.domain.jira import Project, Transition, Workflow, id_of
from herzum_approval.domain.sites import Site
from herzum_approval.errors import Fault, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenScope:
    """A scope whose ids are spelt as they were sent; members that its type does not need are None."""

    project_id: str
    issue_type_id: str | None = None
    source_status_id: str | None = None
    transition_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRequest:
    """A bulk request with all members that its operation and type need. source: None for a delete."""

    operation: Operation
    type: ScopeType
    source: WrittenScope | None
    destinations: tuple[WrittenScope, ...]


class Ground:
    """Projects, issue types and workflows as bulk requests name them.

    site: at least these, statuses and workflow schemes.
    """

    def __init__(self, site: Site) -> None:
        self.projects = {project.id: project for project in site.projects}
        self.issue_type_ids = frozenset(issue_type.id for issue_type in site.issue_types)
        self.status_names = {status.id: status.name for status in site.statuses}
        self._schemes = {scheme.id: scheme for scheme in site.workflow_schemes}
        self._workflows = {workflow.id: workflow for workflow in site.workflows}
        self._leaving = cache(self._find_leaving)

    def workflow(self, project_id: int, issue_type_id: int) -> Workflow:
        scheme = self._schemes[self.projects[project_id].workflow_scheme_id]
        return self._workflows[scheme.workflow_id(issue_type_id)]

    def leaves(self, place: Place, transition_id: int) -> bool:
        """Return whether the transition leaves the place's status."""
        return transition_id in self._leaving(place.project_id, place.issue_type_id, place.source_status_id)

    def _find_leaving(self, project_id: int, issue_type_id: int, status_id: int) -> dict[int, Transition]:
        workflow = self.workflow(project_id, issue_type_id)
        return {each.id: each for each in workflow.transitions if each.leaves(status_id)}


def resolve(written: WrittenRequest, ground: Ground) -> BulkRequest:
    """Return the request with its scopes found; destinations that are named twice count once.

    All that is named must exist before schemes and workflows are compared, and each in its order.

    Raises: BULK_PROJECT_NOT_FOUND, BULK_ISSUE_TYPE_NOT_FOUND, BULK_STATUS_NOT_FOUND,
    BULK_TRANSITION_INVALID, BULK_SCHEMES_DIFFER, BULK_WORKFLOWS_DIFFER, BULK_WORKFLOW_READ_ONLY.
    Source: HAP REST API; the order is inferred. That two transitions need not share a workflow is
    inferred; that a system workflow takes no mapping is documented, its code is ours.
    """
    source = None if written.source is None else _found(written.source, ground)
    destinations = [_found(each, ground) for each in written.destinations]
    if written.source is not None and source is not None:
        for named, destination in zip(written.destinations, destinations, strict=True):
            _check_likeness(written.type, written.source, source, named, destination, ground)
    if written.operation in (Operation.COPY, Operation.MOVE):
        for destination in destinations:
            _check_writable(destination, ground)
    return BulkRequest(
        operation=written.operation,
        type=written.type,
        source=source,
        destinations=tuple(dict.fromkeys(destinations)),
    )


def _found(named: WrittenScope, ground: Ground) -> Scope:
    project = ground.projects.get(id_of(named.project_id) or 0)
    if project is None:
        raise Problem(Fault.BULK_PROJECT_NOT_FOUND, project_id=named.project_id)
    if named.issue_type_id is None:
        return Scope(project_id=project.id)
    issue_type_id = id_of(named.issue_type_id)
    if issue_type_id not in ground.issue_type_ids or issue_type_id is None:
        raise Problem(Fault.BULK_ISSUE_TYPE_NOT_FOUND, issue_type_id=named.issue_type_id)
    if named.source_status_id is None or named.transition_id is None:
        return Scope(project_id=project.id, issue_type_id=issue_type_id)
    return _found_transition(named, project, issue_type_id, ground)


def _found_transition(named: WrittenScope, project: Project, issue_type_id: int, ground: Ground) -> Scope:
    workflow = ground.workflow(project.id, issue_type_id)
    status_id, transition_id = id_of(named.source_status_id or ""), id_of(named.transition_id or "")
    if status_id is None or status_id not in workflow.status_ids:
        raise Problem(
            Fault.BULK_STATUS_NOT_FOUND,
            status_id=named.source_status_id,
            workflow=workflow.name,
            project_key=project.key,
            issue_type_id=named.issue_type_id,
        )
    place = (project.id, issue_type_id, status_id)
    if transition_id is None or not ground.leaves(Place(*place, transition_id), transition_id):
        raise Problem(
            Fault.BULK_TRANSITION_INVALID,
            transition_id=named.transition_id,
            status=ground.status_names[status_id],
            status_id=named.source_status_id,
            project_id=named.project_id,
            issue_type_id=named.issue_type_id,
        )
    return Scope(
        project_id=project.id,
        issue_type_id=issue_type_id,
        source_status_id=status_id,
        transition_id=transition_id,
    )


def _check_likeness(
    type: ScopeType,
    named_source: WrittenScope,
    source: Scope,
    named: WrittenScope,
    found: Scope,
    ground: Ground,
) -> None:
    if type is ScopeType.PROJECT:
        schemes = {ground.projects[each.project_id].workflow_scheme_id for each in (source, found)}
        if len(schemes) > 1:
            raise Problem(
                Fault.BULK_SCHEMES_DIFFER, source_id=named_source.project_id, destination_id=named.project_id
            )
    if type is ScopeType.ISSUE_TYPE:
        workflows = {ground.workflow(each.project_id, each.issue_type_id or 0).id for each in (source, found)}
        if len(workflows) > 1:
            raise Problem(
                Fault.BULK_WORKFLOWS_DIFFER,
                source_id=named_source.project_id,
                source_type_id=named_source.issue_type_id,
                destination_id=named.project_id,
                destination_type_id=named.issue_type_id,
            )


def _check_writable(destination: Scope, ground: Ground) -> None:
    """Projects of one scheme and issue types of one workflow have nothing to copy in a system workflow."""
    if destination.transition_id is None or destination.issue_type_id is None:
        return
    workflow = ground.workflow(destination.project_id, destination.issue_type_id)
    if workflow.is_system:
        raise Problem(Fault.BULK_WORKFLOW_READ_ONLY, workflow=workflow.name)
