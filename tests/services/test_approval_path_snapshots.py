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
        ({"approval_paths": [{"id": 1, "ref_id": 1}]}, "approval_paths[0].ref_id"),
        ({"approval_paths": [{"id": 1, "collection_id": 1}]}, "approval_paths[0].collection_id"),
        ({"approval_paths": [{"id": 1, "path_status": "SUCCESS"}]}, "approval_paths[0].path_status"),
        ({"approval_paths": [{"id": 1, "steps": {"$replace": []}}]}, "approval_paths[0].steps"),
        ({"approval_paths": [{"id": 1, "started_by": "x"}]}, "approval_paths[0].started_by"),
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
