"""What a snapshot document must hold of approval paths."""

import pytest

from herzum_approval import store
from herzum_approval.domain.approval_paths import Product
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import approval_paths, snapshot
from tests.services.sites import given


@pytest.fixture
def demonstration(sqlite_database, settings):
    """The demonstration site with a condition, and a page's approval that has an HTTP step."""
    with store.active(sqlite_database):
        snapshot.reset()
        given(approval_conditions=[{"id": 1, "name": "any", "jql": "type = Task"}])
        page = approval_paths.find_reference(Product.CONFLUENCE, "10068")
        approval_paths.create_approval(page, "45", performer="admin")
        yield


def replaced(*steps):
    return {"$replace": list(steps)}


SPACE = {"id": 10001, "key": "DOC", "name": "x"}
DEFINITION = {"id": 1, "product": "jira", "name": "x", "steps": [{"kind": "USER", "username": "bob"}]}
AT = "2023-02-01T10:00:00.000Z"
DECIDED = {"decision": "REJECTED", "decided_at": AT}
START = {
    "definition": {"kind": "USER", "action": "STARTED", "username": "admin"},
    "status": "SUCCESS",
    "decision": "ACCEPTED",
    "decided_at": AT,
}
USER = {"definition": {"kind": "USER", "username": "bob"}, "status": "ACTIVE", "members": ["bob"]}
VOTE = {"voter": "bob", "decision": "ACCEPTED", "voted_at": AT}


def run(*steps):
    """Give the run these steps, and no request."""
    return {"http_calls": replaced(), "approval_paths": [{"id": 1, "steps": replaced(*steps)}]}


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ({"approval_definitions": [{"id": 35, "steps": {"$replace": []}}]}, "approval_definitions[0].steps"),
        (
            {"approval_definitions": [{"id": 35, "steps": replaced({"kind": "USER", "username": "x"})}]},
            "approval_definitions[0].steps[0].username",
        ),
        (
            {"approval_definitions": [{"id": 35, "steps": [{"kind": "GROUP", "username": "bob"}]}]},
            "approval_definitions[0].steps[0].username",
        ),
        (
            {"approval_definitions": [{"id": 35, "steps": [{"kind": "EMAIL", "email": "x"}]}]},
            "approval_definitions[0].steps[0].email",
        ),
        (
            {"approval_definitions": [{"id": 35, "rejection_steps": [{"kind": "USER", "username": "bob"}]}]},
            "approval_definitions[0].rejection_steps[0].kind",
        ),
        (
            {"approval_definitions": [{"id": 35, "success_steps": [{"kind": "USER", "username": "bob"}]}]},
            "approval_definitions[0].success_steps[0].kind",
        ),
        (
            {"approval_definitions": [{"id": 35, "collection_id": 10001}]},
            "approval_definitions[0].collection_id",
        ),
        ({"approval_definitions": [{"id": 46, "condition_id": 1}]}, "approval_definitions[2].condition_id"),
        (
            {
                "approval_definitions": [
                    {"id": 35, "steps": [{"kind": "USER_FIELD", "field_id": "customfield_1"}]}
                ]
            },
            "approval_definitions[0].steps[0].field_id",
        ),
        (
            {"approval_definitions": [{"id": 46, "steps": [{"kind": "USER_FIELD", "field_id": "reporter"}]}]},
            "approval_definitions[2].steps[0].field_id",
        ),
        ({"approval_conditions": [{"id": 1, "name": "x", "jql": "x ="}]}, "approval_conditions[0].jql"),
        ({"pages": [{"id": 10004, "space_id": 1}]}, "pages[0].space_id"),
        ({"spaces": replaced(SPACE, {**SPACE, "id": 2})}, "spaces[1].key"),
        ({"spaces": replaced(SPACE, {**SPACE, "key": "B"})}, "spaces[1].id"),
        (
            {"approval_conditions": [{"id": 2, "name": "any", "jql": "type = Bug"}]},
            "approval_conditions[1].name",
        ),
        ({"approval_definitions": replaced(DEFINITION, DEFINITION)}, "approval_definitions[1].id"),
        ({"approval_definitions": replaced({**DEFINITION, "id": 0})}, "approval_definitions[0].id"),
        ({"approval_paths": [{"id": 1, "ref_id": 1}]}, "approval_paths[0].ref_id"),
        ({"approval_paths": [{"id": 1, "collection_id": 1}]}, "approval_paths[0].collection_id"),
        ({"approval_paths": [{"id": 1, "path_status": "SUCCESS"}]}, "approval_paths[0].path_status"),
        ({"approval_paths": [{"id": 1, "steps": {"$replace": []}}]}, "approval_paths[0].steps"),
        ({"approval_paths": [{"id": 1, "started_by": "x"}]}, "approval_paths[0].started_by"),
        ({"approval_paths": [{"id": 1, "path_status": "EXPIRED"}]}, "approval_paths[0].path_status"),
        (run(START), "approval_paths[0].path_status"),
        (run(START, {**USER, "status": "FAIL", **DECIDED}, USER), "approval_paths[0].path_status"),
        (run(USER), "approval_paths[0].steps"),
        (run(START, {**USER, "decision": "ACCEPTED"}), "approval_paths[0].steps[1].decided_at"),
        (run(START, {**USER, **DECIDED}), "approval_paths[0].steps[1].decision"),
        (run(START, {**USER, "votes": [VOTE, VOTE]}), "approval_paths[0].steps[1].votes"),
        (run(START, {**USER, "members": [], "votes": [VOTE]}), "approval_paths[0].steps[1].votes"),
        ({"http_calls": [{"id": 1, "answered_at": None}]}, "http_calls[0].answered_at"),
        ({"http_calls": [{"id": 1, "position": 99}]}, "http_calls[0].position"),
        ({"http_calls": [{"id": 1, "position": -1}]}, "http_calls[0].position"),
        ({"http_calls": [{"id": 1, "is_of_rejection": True}]}, "http_calls[0].position"),
        ({"http_calls": [{"id": 1, "is_of_success": True}]}, "http_calls[0].position"),
        (
            {"http_calls": [{"id": 1, "is_of_rejection": True, "is_of_success": True}]},
            "http_calls[0].is_of_success",
        ),
        ({"http_calls": [{"id": 1, "position": 1}]}, "http_calls[0].position"),
        ({"http_calls": [{"id": 1, "state": "open"}]}, "http_calls[0].status"),
        ({"http_calls": [{"id": 1, "path_id": 9}]}, "http_calls[0].path_id"),
    ],
)
def test_a_document_that_cannot_be_is_refused(demonstration, parts, path):
    with pytest.raises(Problem) as caught:
        given(**parts)
    assert caught.value.fault is Fault.SNAPSHOT_REFUSED
    assert caught.value.details["path"] == path
