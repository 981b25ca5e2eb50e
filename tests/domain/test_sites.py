"""Which parts of a site are names and references, held against its dataclasses."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from herzum_approval.domain import site_checks
from herzum_approval.domain.jira import Project, RoleActors
from herzum_approval.domain.site_references import (
    APPROVER_TARGETS,
    FORMATS,
    LEAST,
    MINIMUMS,
    PRINCIPALS,
    REFERENCES,
    UNIQUE,
    UNIQUE_WITHIN,
    values_at,
)
from herzum_approval.domain.sites import Site

SEEN_TO_ELSEWHERE = {
    "workflows[].transitions[].source_status_ids[]",  # of the workflow itself, not only of the site
    "workflows[].transitions[].destination_status_id",
    "delegations[].transition_id",  # of any workflow
    "approval_mappings[].transition_id",  # of the workflow of its issue type, and so are the next two
    "approval_mappings[].settings.rejection_transition_id",
    "issue_approvals[].transition_id",
    "api_keys[].key_id",  # of the key file
    "api_keys[].performer.field_id",  # a user picker, or one of Jira's own fields
    "approval_definitions[].collection_id",  # of the projects or the spaces, as the product says
    "approval_definitions[].steps[].field_id",  # a picker, or one of Jira's own fields
    "approval_definitions[].rejection_steps[].field_id",  # nobody decides these, so they name nobody
    "approval_definitions[].rejection_steps[].username",
    "approval_definitions[].success_steps[].field_id",
    "approval_definitions[].success_steps[].username",
    "approval_paths[].collection_id",  # of the product, and so is the next one
    "approval_paths[].ref_id",
    "approval_paths[].definition_id",  # runs outlive their definition, and what their copies of steps mention
    "approval_paths[].steps[].definition.condition_id",
    "approval_paths[].steps[].definition.field_id",
    "approval_paths[].rejection_steps[].definition.condition_id",
    "approval_paths[].rejection_steps[].definition.field_id",
    "approval_paths[].rejection_steps[].definition.username",
    "approval_paths[].success_steps[].definition.condition_id",
    "approval_paths[].success_steps[].definition.field_id",
    "approval_paths[].success_steps[].definition.username",
    "history[].issue_approval_id",  # history and messages outlive people and records
    "history[].username",
    "messages[].issue_approval_id",
}


def paths(cls: type = Site, prefix: str = "") -> dict[str, Any]:
    """Every path of the document that holds a value or a list of values, with its type."""
    found: dict[str, Any] = {}
    hints = get_type_hints(cls)
    for field in fields(cls):
        hint = hints[field.name]
        path = f"{prefix}{field.name}"
        if get_origin(hint) is tuple:
            path, hint = f"{path}[]", get_args(hint)[0]
        if isinstance(hint, UnionType) and is_dataclass(get_args(hint)[0]):
            hint = get_args(hint)[0]
        if is_dataclass(hint):
            found[path] = hint
            found |= paths(hint, f"{path}.")
        elif get_origin(hint) is not Mapping:
            found[path] = hint
    return found


PATHS = paths()


@pytest.mark.parametrize(
    "table", [UNIQUE, UNIQUE_WITHIN, REFERENCES, REFERENCES.values(), PRINCIPALS, LEAST, MINIMUMS, FORMATS]
)
def test_every_path_of_a_table_is_there(table):
    assert set(table) <= set(PATHS)


def test_every_approver_target_is_there():
    assert set(APPROVER_TARGETS.values()) <= set(UNIQUE)


OUTLIVING = "bulk_operations[]."
"""Operations outlive all that they tell of."""


def test_what_looks_like_a_reference_is_one():
    endings = ("_id", "_ids[]", "username", "_usernames[]", "_users[]", "_groups[]", ".users[]", ".groups[]")
    others = ("users[].account_id", *(path for path in PATHS if path.startswith(OUTLIVING)))
    looking = {path for path in PATHS if path.endswith(endings) and not path.endswith(others)}
    declared = set(REFERENCES) | set(UNIQUE) | SEEN_TO_ELSEWHERE
    assert looking - declared == set()


def test_every_reference_leads_to_something_unique():
    assert set(REFERENCES.values()) <= set(UNIQUE)


def test_every_id_is_unique():
    own_ids = {path for path in PATHS if path.endswith("[].id")}
    assert own_ids - set(UNIQUE) - set(UNIQUE_WITHIN) == set()


def test_values_come_with_the_places_that_lead_to_them():
    roles = (RoleActors(role_id=5, users=("a", "b")), RoleActors(role_id=6, groups=("c",)))
    project = Project(id=1, key="AB", name="", workflow_scheme_id=1, roles=roles)
    site = Site(projects=(replace(project, id=2, roles=()), project))
    assert list(values_at(site, "projects[].roles[].users[]")) == [((1, 0, 0), "a"), ((1, 0, 1), "b")]
    assert list(values_at(site, "projects[].roles[].role_id")) == [((1, 0), 5), ((1, 1), 6)]
    assert list(values_at(site, "projects[].lead")) == []
    assert list(values_at(site, "configuration.comment_limit")) == [((), 32767)]


def test_an_empty_site_is_whole():
    assert list(site_checks.faults(Site())) == []


def test_another_format_is_a_fault():
    faults = list(site_checks.faults(Site(format="herzum-approval/2")))
    assert [fault.path for fault in faults] == ["format"]
