"""Looking a database over: every derived value that is wrong is found."""

import pytest

from herzum_approval import store
from herzum_approval.services import accounts, databases, snapshot


@pytest.fixture
def demonstration(engine, settings):
    snapshot.reset()
    return engine


def spoil(database, *statements):
    with database.connection_context():
        for statement in statements:
            database.execute_sql(statement)


def test_a_whole_database_has_no_faults(demonstration):
    assert databases.find_faults() == []


COMPOSITE = "INSERT INTO composite_principal (id, definition) VALUES (7, '{}')"


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (["UPDATE issue_approval SET is_open = NOT is_open WHERE id = 76"], "issue_approval 76: is_open is"),
        (
            ["UPDATE issue_approval SET project_id = 10300 WHERE id = 76"],
            "issue_approval 76: project_id is 10300, not 10000",
        ),
        (
            ["DELETE FROM candidate WHERE principal = 'user:bob' AND issue_approval_id = 11"],
            "candidate user:bob, PENDING, 11 is missing",
        ),
        (
            ["INSERT INTO candidate VALUES ('user:carol', 'PENDING', 11)"],
            "candidate user:carol, PENDING, 11 should not be there",
        ),
        (
            [COMPOSITE, "INSERT INTO candidate VALUES ('composite:7', 'PENDING', 11)"],
            "candidate {}, PENDING, 11 should not be there",
        ),
        (
            ["UPDATE project_browser SET principal = 'anyone' WHERE project_id = 10000"],
            "project_browser 10000, 0: principal is anyone, not group:jira-software-users",
        ),
        (
            ["UPDATE people_user SET username_key = 'x' WHERE id = 10002"],
            "people_user 10002: username_key is x, not bob",
        ),
        (["UPDATE approval SET name_key = 'x' WHERE id = 1"], "approval 1: name_key is x, not tech"),
        (
            [
                "INSERT INTO jsm_site (cloud_id, name, has_custom_roles, is_throttled, version) "
                "VALUES ('other', 'Other', TRUE, FALSE, 1)",
                "INSERT INTO role_assignment (cloud_id, username, role_id) "
                "VALUES ('other', 'bob', '33579c31-627c-4cc1-bb94-fd2c214142f7')",
            ],
            "role_assignment bob, 33579c31-627c-4cc1-bb94-fd2c214142f7: cloud_id is other, not 11111111",
        ),
    ],
)
def test_a_wrong_derived_value_is_found(demonstration, statements, fault):
    spoil(demonstration, *statements)
    (found,) = databases.find_faults()
    assert found.startswith(fault)


def test_a_composite_principal_that_nothing_needs_may_stay(demonstration):
    spoil(demonstration, COMPOSITE, "INSERT INTO composite_part VALUES ('user:bob', 7)")
    assert databases.find_faults() == []


def test_a_missing_part_of_a_composite_principal_is_found(demonstration):
    document = snapshot.export_all()
    document["approvals"][0]["match"] = "all"
    snapshot.import_all(document)
    assert databases.find_faults() == []
    spoil(demonstration, "DELETE FROM composite_part")
    (found,) = databases.find_faults()
    assert found.startswith("composite_part ")
    assert found.endswith(" is missing")


def test_what_does_not_fit_together_is_found(demonstration):
    spoil(demonstration, "UPDATE issue SET status_id = 6 WHERE id = 10500")
    assert databases.find_faults() == ["issues[0].status_id: 6 is no status of its workflow"]


def test_damage_of_the_file_is_found(sqlite_database, settings):
    with store.active(sqlite_database):
        spoil(
            sqlite_database,
            "PRAGMA foreign_keys = 0",
            "INSERT INTO single_issue_configuration (issue_id) VALUES (7)",
        )
        assert databases.find_faults() == ["single_issue_configuration row 7 refers to nothing in issue"]


def test_a_database_is_initialised_once_somebody_can_sign_in(engine, settings):
    with pytest.raises(ValueError, match="herzum-approval init"):
        databases.require_initialised()
    accounts.create_first_administrator("root", "secret")
    databases.require_initialised()


def test_an_empty_database_is_migrated_once(tmp_path, settings):
    database = store.open_database(f"sqlite:///{tmp_path / 'new.db'}")
    with store.active(database):
        with pytest.raises(ValueError, match="herzum-approval init"):
            databases.require_initialised()
        assert databases.migrate() != []
        assert databases.migrate() == []
    database.close_all()
