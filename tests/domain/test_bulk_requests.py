"""Bulk requests: what must exist, in which order it is looked at, and what must be alike."""

import pytest

from herzum_approval.domain.bulk_mappings import Operation, Place, Scope, ScopeType
from herzum_approval.domain.bulk_requests import (
    Ground,
    WrittenRequest,
    WrittenScope,
    resolve,
)
from herzum_approval.domain.jira import (
    IssueType,
    Project,
    Status,
    Transition,
    Workflow,
    WorkflowScheme,
)
from herzum_approval.domain.sites import Site
from herzum_approval.errors import Fault, Problem


def workflow(id, is_system=False):
    return Workflow(
        id=id,
        name=f"Workflow {id}",
        status_ids=(1, 2),
        transitions=(
            Transition(id=11, name="Go", destination_status_id=2, source_status_ids=(1,)),
            Transition(id=21, name="Anywhere", destination_status_id=1),
        ),
        is_system=is_system,
    )


GROUND = Ground(
    Site(
        issue_types=(IssueType(id=5, name="Task"), IssueType(id=6, name="Bug")),
        statuses=(Status(id=1, name="Open"), Status(id=2, name="Done"), Status(id=3, name="Unused")),
        workflows=(workflow(1), workflow(2), workflow(3, is_system=True)),
        workflow_schemes=(
            WorkflowScheme(id=1, name="One", default_workflow_id=1),
            WorkflowScheme(id=2, name="Two", default_workflow_id=1, by_issue_type={6: 2}),
            WorkflowScheme(id=3, name="System", default_workflow_id=3),
        ),
        projects=(
            Project(id=100, key="A", name="A", workflow_scheme_id=1),
            Project(id=101, key="B", name="B", workflow_scheme_id=1),
            Project(id=102, key="C", name="C", workflow_scheme_id=2),
            Project(id=103, key="D", name="D", workflow_scheme_id=3),
        ),
    )
)

TYPES = {1: ScopeType.PROJECT, 2: ScopeType.ISSUE_TYPE, 4: ScopeType.TRANSITION}


def scope(*ids):
    names = ("project_id", "issue_type_id", "source_status_id", "transition_id")
    return WrittenScope(**dict(zip(names, ids, strict=False)))


def resolved(operation, source, *destinations):
    ids = destinations[0] if source is None else source
    return resolve(
        WrittenRequest(
            operation=operation,
            type=TYPES[len(ids)],
            source=None if source is None else scope(*source),
            destinations=tuple(scope(*each) for each in destinations),
        ),
        GROUND,
    )


def test_scopes_are_found():
    request = resolved(
        Operation.COPY, ("100", "5", "1", "11"), ("0102", "6", "2", "21"), ("102", "6", "2", "21")
    )
    assert request.source == Scope(project_id=100, issue_type_id=5, source_status_id=1, transition_id=11)
    assert request.destinations == (
        Scope(project_id=102, issue_type_id=6, source_status_id=2, transition_id=21),
    )
    assert resolved(Operation.DELETE, None, ("103",), ("103",)).destinations == (Scope(project_id=103),)


@pytest.mark.parametrize(
    ("source", "destinations", "fault", "details"),
    [
        (("x",), [("100",)], Fault.BULK_PROJECT_NOT_FOUND, {"project_id": "x"}),
        (("100",), [("101",), ("0",)], Fault.BULK_PROJECT_NOT_FOUND, {"project_id": "0"}),
        (None, [("99999999999",)], Fault.BULK_PROJECT_NOT_FOUND, {"project_id": "99999999999"}),
        (("100", "7"), [("x", "5")], Fault.BULK_ISSUE_TYPE_NOT_FOUND, {"issue_type_id": "7"}),
        (("100", "5"), [("101", "-5")], Fault.BULK_ISSUE_TYPE_NOT_FOUND, {"issue_type_id": "-5"}),
        (
            ("100", "5", "3", "99"),
            [("x", "5", "1", "11")],
            Fault.BULK_STATUS_NOT_FOUND,
            {"status_id": "3", "workflow": "Workflow 1", "project_key": "A", "issue_type_id": "5"},
        ),
        (
            ("100", "5", "2", "11"),
            [("101", "5", "9", "11")],
            Fault.BULK_TRANSITION_INVALID,
            {
                "transition_id": "11",
                "status": "Done",
                "status_id": "2",
                "project_id": "100",
                "issue_type_id": "5",
            },
        ),
        # All exist before anything is compared, and what is compared is in the order of the list.
        (("100",), [("102",), ("9",)], Fault.BULK_PROJECT_NOT_FOUND, {"project_id": "9"}),
        (
            ("100",),
            [("101",), ("102",), ("103",)],
            Fault.BULK_SCHEMES_DIFFER,
            {"source_id": "100", "destination_id": "102"},
        ),
        (
            ("100", "5"),
            [("102", "5"), ("102", "6")],
            Fault.BULK_WORKFLOWS_DIFFER,
            {
                "source_id": "100",
                "source_type_id": "5",
                "destination_id": "102",
                "destination_type_id": "6",
            },
        ),
        (
            ("100", "5", "1", "11"),
            [("101", "5", "1", "11"), ("103", "5", "1", "11")],
            Fault.BULK_WORKFLOW_READ_ONLY,
            {"workflow": "Workflow 3"},
        ),
    ],
)
def test_refused(source, destinations, fault, details):
    operation = Operation.DELETE if source is None else Operation.MOVE
    with pytest.raises(Problem) as refusal:
        resolved(operation, source, *destinations)
    assert (refusal.value.fault, refusal.value.details) == (fault, details)


def test_transitions_need_not_share_a_workflow():
    assert resolved(Operation.COPY, ("100", "5", "1", "11"), ("102", "6", "1", "11"))


@pytest.mark.parametrize("operation", [Operation.EDIT, Operation.DELETE])
def test_nothing_is_mapped_in_a_system_workflow_so_nothing_is_refused(operation):
    source = None if operation is Operation.DELETE else ("100", "5", "1", "11")
    assert resolved(operation, source, ("103", "5", "1", "11"))


@pytest.mark.parametrize(
    ("status_id", "transition_id", "leaves"), [(1, 11, True), (2, 11, False), (2, 21, True), (1, 99, False)]
)
def test_leaves(status_id, transition_id, leaves):
    assert GROUND.leaves(Place(100, 5, status_id, 0), transition_id) is leaves
