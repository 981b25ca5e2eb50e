"""Which principals somebody has, and what they open, on both engines."""

import json

import pytest
from peewee import Database
from playhouse.test_utils import count_queries

from herzum_approval import store
from herzum_approval.services import people
from herzum_approval.store.tables import (
    CompositePart,
    CompositePrincipal,
    Group,
    Membership,
    Project,
    ProjectBrowser,
    ProjectRole,
    RoleActor,
    User,
    Workflow,
    WorkflowScheme,
)

COMPOSITES = {
    1: {"one_of": [["user:alice"], ["group:approvers"]], "none_of": []},
    2: {"one_of": [["user:alice", "user:bob"]], "none_of": ["group:approvers"]},
    3: {"one_of": [["role:10/1"], ["user:alice"]], "none_of": ["user:bob"]},
    4: {"one_of": [["user:alice"], ["group:unknown"]], "none_of": []},
}


@pytest.fixture(autouse=True)
def site(engine: Database) -> None:
    """alice administers and approves, bob and carol approve nothing; approvers have role 1 in project 10."""
    with store.reading() as database:
        for name in ("jira-administrators", "approvers"):
            Group.insert(name=name).execute(database)
        for place, username in enumerate(("alice", "bob", "Carol"), start=1):
            User.insert(
                id=place,
                username=username,
                username_key=username.casefold(),
                display_name=username,
                email="",
                is_active=username != "Carol",
            ).execute(database)
        for group in ("jira-administrators", "approvers"):
            Membership.insert(user=1, group=group).execute(database)
        Workflow.insert(id=1, name="Workflow", is_system=False).execute(database)
        WorkflowScheme.insert(id=1, name="Scheme", default_workflow=1).execute(database)
        ProjectRole.insert(id=1, name="Developers").execute(database)
        for project, browser in ((10, "role:10/1"), (20, "anyone"), (30, "user:bob")):
            Project.insert(id=project, key=f"P{project}", name="", workflow_scheme=1).execute(database)
            ProjectBrowser.insert(project=project, position=0, written=browser, principal=browser).execute(
                database
            )
        RoleActor.insert(project=10, role=1, position=0, principal="group:approvers").execute(database)
        for id, definition in COMPOSITES.items():
            CompositePrincipal.insert(id=id, definition=json.dumps(definition)).execute(database)
            for principal in definition["one_of"][0]:
                CompositePart.insert(principal=principal, composite_principal=id).execute(database)


@pytest.mark.parametrize(
    ("username", "expected"),
    [
        (None, {"anyone"}),
        (
            "alice",
            {
                "anyone",
                "user:alice",
                "group:jira-administrators",
                "group:approvers",
                "role:10/1",
                "composite:1",
                "composite:3",
            },
        ),
        ("bob", {"anyone", "user:bob", "composite:2"}),
        ("nobody", {"anyone", "user:nobody"}),
    ],
)
def test_principals(username: str | None, expected: set[str]) -> None:
    assert people.principals(username) == expected


@pytest.mark.parametrize("username", ["alice", "bob"])
def test_principals_take_three_queries_whoever_asks_and_none_once_they_are_kept(username: str) -> None:
    store.writing(lambda database: None)  # from here on the site has a version
    for count in (1 + 3, 1):
        with count_queries() as counter:
            people.principals(username)
        assert counter.count == count


@pytest.mark.parametrize(
    ("username", "expected"), [(None, {20}), ("alice", {10, 20}), ("bob", {20, 30}), ("Carol", {20})]
)
def test_visible_projects(username: str | None, expected: set[int]) -> None:
    assert people.visible_project_ids(people.principals(username)) == expected


@pytest.mark.parametrize("name", ["alice", "ALICE"])
def test_a_user_is_found_in_any_spelling(name: str) -> None:
    user = people.find_user(name)
    assert user is not None
    assert (user.username, user.groups) == ("alice", ("approvers", "jira-administrators"))


def test_inactive_users_are_found_too() -> None:
    user = people.find_user("carol")
    assert user is not None
    assert (user.username, user.is_active) == ("Carol", False)


@pytest.mark.parametrize("name", ["", "nobody", "\0", "\ud800"])
def test_nobody_is_found(name: str) -> None:
    assert people.find_user(name) is None


def test_administrators() -> None:
    assert people.is_administrator("alice")
    assert not people.is_administrator("bob")
    assert not people.is_administrator("nobody")
