"""What makes a site whole: names and references that hold, and parts that fit together."""

from collections.abc import Iterator

from herzum_approval.domain import jql
from herzum_approval.domain.approval_path_checks import (
    definition_link_faults,
    definition_value_faults,
    path_faults,
)
from herzum_approval.domain.custom_role_checks import custom_role_faults
from herzum_approval.domain.issue_approvals import ApprovalStatus
from herzum_approval.domain.jira import Issue, Workflow
from herzum_approval.domain.mappings import ApprovalMapping
from herzum_approval.domain.site_references import (
    SiteFault,
    located,
    reference_faults,
    values_at,
)
from herzum_approval.domain.sites import Site


def faults(site: Site) -> Iterator[SiteFault]:
    """Give everything that is wrong with a site, nothing where it is whole.

    What has to fit together is looked at only where all names and references hold.
    """
    basic = False
    for fault in reference_faults(site):
        basic = True
        yield fault
    if not basic:
        yield from _transition_faults(site)
        yield from _role_faults(site)
        yield from _issue_faults(site)
        yield from _rule_faults(site)
        yield from _mapping_faults(site)
        yield from _issue_approval_faults(site)
        yield from definition_value_faults(site)
        yield from definition_link_faults(site)
        yield from path_faults(site)
        yield from custom_role_faults(site)


def _transition_faults(site: Site) -> Iterator[SiteFault]:
    for place, workflow in enumerate(site.workflows):
        if not workflow.status_ids:
            yield SiteFault(f"workflows[{place}].status_ids", "is empty; a new issue needs a status")
    for path in (
        "workflows[].transitions[].destination_status_id",
        "workflows[].transitions[].source_status_ids[]",
    ):
        for places, status_id in values_at(site, path):
            if status_id not in site.workflows[places[0]].status_ids:
                yield SiteFault(located(path, places), f"{status_id} is no status of this workflow")


def _role_faults(site: Site) -> Iterator[SiteFault]:
    for places, actors in values_at(site, "projects[].roles[]"):
        if not actors.users and not actors.groups:
            path = located("projects[].roles[]", places)
            yield SiteFault(path, "names neither users nor groups; leave the role out")


def _issue_faults(site: Site) -> Iterator[SiteFault]:
    workflows = Workflows(site)
    keys = {project.id: project.key for project in site.projects}
    for place, issue in enumerate(site.issues):
        if issue.key.rpartition("-")[0] != keys[issue.project_id]:
            reason = f"{issue.key!r} does not begin with its project's key {keys[issue.project_id]!r}"
            yield SiteFault(f"issues[{place}].key", reason)
        if issue.status_id not in workflows.of(issue.project_id, issue.issue_type_id).status_ids:
            yield SiteFault(f"issues[{place}].status_id", f"{issue.status_id} is no status of its workflow")


def _rule_faults(site: Site) -> Iterator[SiteFault]:
    for place, rule in enumerate(site.conditional_rules):
        try:
            jql.parse(rule.jql)
        except jql.JqlError as error:
            yield SiteFault(f"conditional_rules[{place}].jql", str(error))


class Workflows:
    """The workflow of each project's issue type."""

    def __init__(self, site: Site) -> None:
        workflows = {workflow.id: workflow for workflow in site.workflows}
        schemes = {scheme.id: scheme for scheme in site.workflow_schemes}
        self.schemes = {project.id: schemes[project.workflow_scheme_id] for project in site.projects}
        self.workflows = workflows

    def of(self, project_id: int, issue_type_id: int) -> Workflow:
        """Return the workflow of the project's issue type."""
        return self.workflows[self.schemes[project_id].workflow_id(issue_type_id)]

    def transition_fault(
        self, project_id: int, issue_type_id: int, status_id: int, transition_id: int
    ) -> str | None:
        """Return why the transition cannot be taken from the status, None where it can."""
        workflow = self.of(project_id, issue_type_id)
        if status_id not in workflow.status_ids:
            return f"the status {status_id} is not in the workflow {workflow.name!r}"
        leaving = {transition.id for transition in workflow.transitions if transition.leaves(status_id)}
        if transition_id not in leaving:
            return f"{transition_id} is no transition from status {status_id} in {workflow.name!r}"
        return None


def _mapping_faults(site: Site) -> Iterator[SiteFault]:
    workflows = Workflows(site)
    issues = {issue.id: issue for issue in site.issues}
    scopes: set[tuple[int | None, ...]] = set()
    for place, mapping in enumerate(site.approval_mappings):
        path = f"approval_mappings[{place}]"
        if mapping.scope in scopes:
            yield SiteFault(path, "its scope is mapped already")
        scopes.add(mapping.scope)
        if mapping.issue_id is not None and not is_of(issues[mapping.issue_id], mapping):
            yield SiteFault(f"{path}.issue_id", "the issue is of another project or issue type")
        pair = (mapping.project_id, mapping.issue_type_id)
        if workflows.of(*pair).is_system:
            yield SiteFault(path, "a system workflow takes no approvals")
        if reason := workflows.transition_fault(*pair, mapping.source_status_id, mapping.transition_id):
            yield SiteFault(f"{path}.transition_id", reason)
        rejection_id = mapping.settings.rejection_transition_id
        if rejection_id is None:
            continue
        if reason := workflows.transition_fault(*pair, mapping.source_status_id, rejection_id):
            yield SiteFault(f"{path}.settings.rejection_transition_id", reason)


def is_of(issue: Issue, mapping: ApprovalMapping) -> bool:
    """Return whether the issue is of the mapping's project and issue type."""
    return (issue.project_id, issue.issue_type_id) == (mapping.project_id, mapping.issue_type_id)


def bears_on(mapping: ApprovalMapping, issue: Issue) -> bool:
    """Return whether the issue may have records of the mapping."""
    return mapping.issue_id in (None, issue.id) and is_of(issue, mapping)


def _issue_approval_faults(site: Site) -> Iterator[SiteFault]:
    workflows = Workflows(site)
    issues = {issue.id: issue for issue in site.issues}
    mappings = {mapping.id: mapping for mapping in site.approval_mappings}
    known: dict[tuple[int, int, int, int], str | None] = {}
    for place, record in enumerate(site.issue_approvals):
        path = f"issue_approvals[{place}]"
        is_pending = record.approval_status is ApprovalStatus.PENDING
        if is_pending is not (record.decided_at is None):
            yield SiteFault(f"{path}.decided_at", "is there exactly where a decision is")
        if is_pending is not (record.approver_username is None):
            yield SiteFault(f"{path}.approver_username", "is there exactly where a decision is")
        issue = issues[record.issue_id]
        if record.mapping_id is not None and not bears_on(mappings[record.mapping_id], issue):
            yield SiteFault(f"{path}.mapping_id", "the mapping is for other issues")
        way = (issue.project_id, issue.issue_type_id, record.source_status_id, record.transition_id)
        if way not in known:
            known[way] = workflows.transition_fault(*way)
        if reason := known[way]:
            yield SiteFault(f"{path}.transition_id", reason)
