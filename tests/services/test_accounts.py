"""Accounts from the first administrator on, on both engines."""

import pytest

from herzum_approval.services import accounts, logins, snapshot


def test_the_first_administrator_is_in_both_of_jiras_groups(engine, settings):
    assert not accounts.has_users()
    accounts.create_first_administrator("root", "secret")
    (root,) = accounts.list_users()
    assert (root.username, root.display_name, root.groups) == (
        "root",
        "root",
        ("jira-administrators", "jira-software-users"),
    )
    assert logins.verify_password("root", "secret").actor is not None
    assert snapshot.export_all()["groups"] == [
        {"name": "jira-administrators"},
        {"name": "jira-software-users"},
    ]


def test_there_is_one_first_administrator(engine, settings):
    accounts.create_first_administrator("root", "secret")
    with pytest.raises(ValueError, match="users already"):
        accounts.create_first_administrator("other", "secret")
    assert [user.username for user in accounts.list_users()] == ["root"]


def found(username):
    (user,) = (user for user in accounts.list_users() if user.username == username)
    return user


def test_a_user_is_created_with_groups(engine, settings):
    snapshot.reset()
    accounts.create_user("eve", "secret", display_name="Eve", email="eve@example.com", groups=["approvers"])
    eve = found("eve")
    assert (eve.id, eve.username, eve.display_name, eve.email, eve.groups) == (
        10006,
        "eve",
        "Eve",
        "eve@example.com",
        ("approvers",),
    )
    assert eve.password_hash is None
    assert logins.verify_password("EVE", "secret").actor is not None


def test_a_user_may_be_in_no_group(engine, settings):
    snapshot.reset()
    accounts.create_user("eve", "secret", groups=())
    assert found("eve").groups == ()


@pytest.mark.parametrize(
    ("username", "password", "groups", "reason"),
    [
        ("BOB", "secret", (), "There is a user BOB already"),
        ("eve", "secret", ("nobody",), "There is no group nobody"),
        ("eve", "", (), "password cannot be empty"),
        ("", "secret", (), "A username has"),
        (" eve", "secret", (), "A username has"),
        ("e:ve", "secret", (), "A username has"),
        ("e\0ve", "secret", (), "A username has"),
    ],
)
def test_users_that_cannot_be(engine, settings, username, password, groups, reason):
    snapshot.reset()
    before = accounts.list_users()
    with pytest.raises(ValueError, match=reason):
        accounts.create_user(username, password, groups=groups)
    assert accounts.list_users() == before
