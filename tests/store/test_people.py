"""Users, principals and login counts in SQL, on both engines."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from peewee import Database
from playhouse.test_utils import count_queries

from herzum_approval import store
from herzum_approval.domain.approvals import Standing
from herzum_approval.domain.people import Account, LoginRecord, User
from herzum_approval.store import people
from herzum_approval.store.tables import (
    CompositePart,
    CompositePrincipal,
    Group,
    Membership,
    Project,
    ProjectBrowser,
    ProjectRole,
    RoleActor,
    Workflow,
    WorkflowScheme,
)
from herzum_approval.store.tables import User as UserTable

NOW = datetime(2026, 3, 14, 9, 26, 53, 589_000, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
DOUBT = NOW - timedelta(seconds=10)


@pytest.fixture(autouse=True)
def database(engine: Database) -> AbstractContextManager[Database]:
    with store.reading() as connected:
        for name in ("jira-administrators", "approvers", "empty"):
            Group.insert(name=name).execute(connected)
        for username, password_hash, is_active in [
            ("alice", "hash", True),
            ("bob", None, True),
            ("dave", "hash", False),
        ]:
            UserTable.insert(
                username=username,
                username_key=username,
                display_name=username.title(),
                email=f"{username}@example.com",
                is_active=is_active,
                password_hash=password_hash,
            ).execute(connected)
        for username, group in [
            ("alice", "jira-administrators"),
            ("alice", "approvers"),
            ("bob", "approvers"),
        ]:
            user = UserTable.select(UserTable.id).where(UserTable.username == username)
            Membership.insert(user=user, group=group).execute(connected)
        yield connected


def attempt(database: Database, now: datetime = NOW, *, limit: int = 3) -> bool:
    return people.count_attempt(
        database, "alice", limit=limit, now=now, doubtful_since=now - timedelta(seconds=10)
    )


def record(database: Database) -> LoginRecord:
    return people.read_login_record(database, "alice")


# -- finding ----------------------------------------------------------------------------------


def test_find_user(database: Database) -> None:
    assert people.find_user(database, "alice") == User(
        id=1,
        username="alice",
        display_name="Alice",
        email="alice@example.com",
        password_hash="hash",
        groups=("approvers", "jira-administrators"),
    )
    dave = people.find_user(database, "dave")
    assert dave is not None
    assert (dave.is_active, dave.groups) == (False, ())
    assert dave.is_active is False


@pytest.mark.parametrize("find", [people.find_user, people.find_account])
@pytest.mark.parametrize("username_key", ["nobody", "Alice", "", "alice\0", "\ud800", "%", "' OR 1=1 --"])
def test_nobody_is_found(database: Database, find: Callable[..., Any], username_key: str) -> None:
    assert find(database, username_key) is None


def test_find_account(database: Database) -> None:
    assert people.find_account(database, "alice") == Account(
        username="alice", display_name="Alice", password_hash="hash"
    )
    attempt(database)
    assert people.find_account(database, "alice") == Account(
        username="alice",
        display_name="Alice",
        password_hash="hash",
        failed_count=1,
        unresolved_count=1,
        attempted_at=NOW,
    )


def test_accounts_without_a_password_or_inactive_are_none(database: Database) -> None:
    assert people.find_account(database, "bob") is None
    assert people.find_account(database, "dave") is None


@pytest.mark.parametrize("find", [people.find_user, people.find_account])
def test_finding_takes_one_query(database: Database, find: Callable[..., Any]) -> None:
    with count_queries() as counter:
        find(database, "alice")
    assert counter.count == 1


# -- counting ---------------------------------------------------------------------------------


def test_attempts_are_counted_up_to_the_limit(database: Database) -> None:
    assert [attempt(database) for _ in range(4)] == [True, True, True, False]
    assert record(database) == LoginRecord(
        username="alice", failed_count=3, unresolved_count=3, attempted_at=NOW
    )


def test_an_attempt_beyond_the_limit_changes_nothing(database: Database) -> None:
    attempt(database, limit=1)
    assert not attempt(database, LATER, limit=1)
    assert record(database).attempted_at == NOW


def test_attempts_of_nobody_are_not_counted(database: Database) -> None:
    for username in ("nobody", "dave"):
        assert not people.count_attempt(database, username, limit=3, now=NOW, doubtful_since=DOUBT)


def test_a_success_leaves_only_what_others_still_check(database: Database) -> None:
    for _ in range(3):
        attempt(database)
    people.record_success(database, "alice", LATER)
    assert record(database) == LoginRecord(
        username="alice",
        failed_count=2,
        unresolved_count=2,
        attempted_at=NOW,
        login_count=1,
        last_login_at=LATER,
    )
    people.record_success(database, "alice", LATER + timedelta(seconds=1))
    assert record(database).previous_login_at == LATER


def test_a_failure_stays_counted(database: Database) -> None:
    attempt(database)
    people.record_failure(database, "alice", LATER)
    assert record(database) == LoginRecord(
        username="alice",
        failed_count=1,
        attempted_at=NOW,
        total_failed_count=1,
        last_failed_at=LATER,
    )


def test_nothing_is_counted_below_zero(database: Database) -> None:
    attempt(database)
    for _ in range(2):
        people.record_success(database, "alice", LATER)
        people.record_failure(database, "alice", LATER)
    assert (record(database).failed_count, record(database).unresolved_count) == (0, 0)


def test_attempts_never_resolved_are_given_up(database: Database) -> None:
    attempt(database)
    attempt(database, NOW + timedelta(seconds=10, milliseconds=1))
    assert (record(database).failed_count, record(database).unresolved_count) == (2, 1)


def test_clearing_keeps_the_totals(database: Database) -> None:
    attempt(database)
    people.record_failure(database, "alice", LATER)
    attempt(database)
    people.clear_failures(database, "alice")
    assert record(database) == LoginRecord(
        username="alice", attempted_at=NOW, total_failed_count=1, last_failed_at=LATER
    )


# -- passwords --------------------------------------------------------------------------------


def test_a_hash_is_exchanged_for_the_one_it_was_only(database: Database) -> None:
    assert people.exchange_password_hash(database, "alice", "hash", "hash")
    assert people.exchange_password_hash(database, "alice", "hash", "new")
    assert not people.exchange_password_hash(database, "alice", "hash", "newer")
    assert not people.exchange_password_hash(database, "dave", "hash", "new")
    account = people.find_account(database, "alice")
    assert account is not None
    assert account.password_hash == "new"


def test_a_hash_can_be_set_and_an_account_closed(database: Database) -> None:
    people.set_password_hash(database, "bob", "hash")
    assert people.find_account(database, "bob") is not None
    people.set_inactive(database, "bob")
    assert people.find_account(database, "bob") is None
    assert people.find_account(database, "alice") is not None


# -- principals -------------------------------------------------------------------------------


def add_projects(database: Database) -> None:
    Workflow.insert(id=1, name="Workflow", is_system=False).execute(database)
    WorkflowScheme.insert(id=1, name="Scheme", default_workflow=1).execute(database)
    for id, name in ((1, "Developers"), (2, "Testers")):
        ProjectRole.insert(id=id, name=name).execute(database)
    for id in (10, 20, 30):
        Project.insert(id=id, key=f"P{id}", name=f"P{id}", workflow_scheme=1).execute(database)
    for project, role, position, principal in [
        (10, 1, 0, "user:alice"),
        (10, 1, 1, "group:approvers"),
        (20, 2, 0, "group:approvers"),
        (30, 1, 0, "user:bob"),
    ]:
        RoleActor.insert(project=project, role=role, position=position, principal=principal).execute(database)
    for project, position, principal in [
        (10, 0, "group:approvers"),
        (10, 1, "user:alice"),
        (20, 0, "role:20/2"),
        (30, 0, "anyone"),
    ]:
        ProjectBrowser.insert(
            project=project, position=position, written=principal, principal=principal
        ).execute(database)


def test_many_users(database: Database) -> None:
    found = people.find_users(database, {"bob", "alice", "nobody"})
    assert [user.username for user in found] == ["alice", "bob"]
    assert found == [people.find_user(database, user.username) for user in found]
    assert people.find_users(database, set()) == []


def test_memberships(database: Database) -> None:
    assert sorted(people.find_memberships(database, {"alice", "nobody"})) == [
        ("alice", "approvers"),
        ("alice", "jira-administrators"),
    ]
    assert people.find_memberships(database, {"nobody"}) == []


def test_roles(database: Database) -> None:
    add_projects(database)
    assert sorted(people.find_roles(database, {"user:alice", "group:approvers"})) == [
        ("group:approvers", 10, 1),
        ("group:approvers", 20, 2),
        ("user:alice", 10, 1),
    ]
    assert people.find_roles(database, {"user:carol"}) == []


def test_visible_projects(database: Database) -> None:
    add_projects(database)
    assert sorted(people.find_visible_project_ids(database, {"group:approvers", "user:alice"})) == [10]
    assert people.find_visible_project_ids(database, {"role:20/2"}) == [20]
    assert people.find_visible_project_ids(database, {"anyone"}) == [30]


def test_composites_are_found_by_their_parts(database: Database) -> None:
    definition = {"one_of": [["user:alice", "user:bob"], ["group:approvers"]], "none_of": ["user:bob"]}
    CompositePrincipal.insert(id=7, definition=json.dumps(definition)).execute(database)
    for principal in definition["one_of"][0]:
        CompositePart.insert(principal=principal, composite_principal=7).execute(database)
    standing = Standing(
        (frozenset({"user:alice", "user:bob"}), frozenset({"group:approvers"})), frozenset({"user:bob"})
    )
    assert people.find_composites(database, {"user:alice", "anyone"}) == {7: standing}
    assert people.find_composites(database, {"group:approvers", "anyone"}) == {}


def test_five_thousand_principals_are_not_too_many(database: Database) -> None:
    add_projects(database)
    principals = {f"group:{number}" for number in range(5000)} | {"anyone"}
    assert people.find_visible_project_ids(database, principals) == [30]
