"""Accounts: adding users and groups, and listing them."""

from collections.abc import Iterable
from dataclasses import asdict

from peewee import Database

from herzum_approval.domain.people import User, folded
from herzum_approval.store.tables import Group, Membership
from herzum_approval.store.tables import User as UserTable


def has_users(database: Database) -> bool:
    return bool(UserTable.select(UserTable.id).limit(1).tuples().execute(database))


def list_users(database: Database) -> tuple[User, ...]:
    """Return every user by name, without password hashes."""
    groups: dict[int, list[str]] = {}
    memberships = Membership.select(Membership.user, Membership.group).order_by(Membership.group)
    for user_id, name in memberships.tuples().execute(database):
        groups.setdefault(user_id, []).append(name)
    names = ("id", "username", "display_name", "email", "is_active", "account_id")
    users = UserTable.select(*(getattr(UserTable, name) for name in names)).order_by(UserTable.username_key)
    return tuple(
        User(**row, groups=tuple(groups.get(row["id"], ()))) for row in users.dicts().execute(database)
    )


def find_group_names(database: Database) -> frozenset[str]:
    """Return the names of all groups."""
    return frozenset(name for (name,) in Group.select(Group.name).tuples().execute(database))


def add_groups(database: Database, names: Iterable[str]) -> None:
    """Add those of the groups that are not there yet."""
    rows = [(name,) for name in names]
    Group.insert_many(rows, fields=[Group.name]).on_conflict_ignore().execute(database)


def add_user(database: Database, user: User) -> None:
    """Add the user with the groups; the database chooses the id."""
    values = {name: value for name, value in asdict(user).items() if name not in ("id", "groups")}
    key = folded(user.username)
    UserTable.insert(**values, username_key=key).execute(database)
    user_id = UserTable.select(UserTable.id).where(UserTable.username_key == key).scalar(database)
    if user.groups:
        rows = [(user_id, name) for name in user.groups]
        Membership.insert_many(rows, fields=[Membership.user, Membership.group]).execute(database)
