"""Custom user roles and who has them, each within its site."""

from typing import Any

from peewee import JOIN, Database, Query, SqliteDatabase, fn

from herzum_approval.domain.custom_roles import CustomUserRole
from herzum_approval.domain.versions import Versioned
from herzum_approval.store.rows import by_column, columns, flat, made
from herzum_approval.store.statements import (
    change,
    insertion,
    list_size,
    run,
    slot,
    slots,
    spread,
)
from herzum_approval.store.tables import CustomUserRole as RoleTable
from herzum_approval.store.tables import JsmSite, RoleAssignment, User


def lock_site(database: Database, cloud_id: str) -> bool:
    """Return whether there is the site; until the transaction ends, nobody else changes anything on it.

    Two requests for one name, or one that assigns what another deletes, so come one after the other.
    SQLite has one writer anyway.
    """

    def build() -> Query:
        query = JsmSite.select(JsmSite.cloud_id).where(JsmSite.cloud_id == slot("site"))
        return query if isinstance(database, SqliteDatabase) else query.for_update()

    return bool(run(database, "lock jsm site", build, {"site": cloud_id}))


def is_site(database: Database, cloud_id: str) -> bool:
    """Return whether there is the site."""
    rows = run(
        database,
        "is jsm site",
        lambda: JsmSite.select(JsmSite.cloud_id).where(JsmSite.cloud_id == slot("site")),
        {"site": cloud_id},
    )
    return bool(rows)


# -- roles ------------------------------------------------------------------------------------


def count_roles(database: Database, cloud_id: str) -> int:
    """Return how many roles the site has."""
    rows = run(
        database,
        "count roles",
        lambda: RoleTable.select(fn.COUNT(RoleTable.id)).where(RoleTable.site == slot("site")),
        {"site": cloud_id},
    )
    return int(rows[0][0])


def list_roles(database: Database, cloud_id: str, *, offset: int, size: int) -> list[tuple[str, str]]:
    """Return id and name of the site's roles from the offset on, by id. size: how many at most."""
    return run(
        database,
        "list roles",
        lambda: (
            RoleTable.select(RoleTable.id, RoleTable.name)
            .where(RoleTable.site == slot("site"))
            .order_by(RoleTable.id)
            .limit(slot("size"))
            .offset(slot("offset"))
        ),
        {"site": cloud_id, "size": size, "offset": offset},
    )


def find_role(
    database: Database, cloud_id: str, *, id: str | None = None, name: str | None = None
) -> Versioned[CustomUserRole] | None:
    """Return the site's role of that id, or else of that name, with its version; None where there is none."""
    field = RoleTable.name if id is None else RoleTable.id
    rows = run(
        database,
        ("find role", field.name),
        lambda: RoleTable.select(*RoleTable._meta.sorted_fields).where(
            RoleTable.site == slot("site"), field == slot("value")
        ),
        {"site": cloud_id, "value": name if id is None else id},
    )
    for values in by_column(RoleTable, rows):
        return Versioned(made(CustomUserRole, values), values["version"])
    return None


def find_role_ids(database: Database, ids: list[str]) -> frozenset[str]:
    """Return those of the ids that roles have, on whatever site."""
    size = list_size(ids)
    rows = run(
        database,
        ("taken role ids", size),
        lambda: RoleTable.select(RoleTable.id).where(RoleTable.id.in_(slots("id", size))),
        dict(spread("id", ids)),
    )
    return frozenset(id for (id,) in rows)


def insert_role(database: Database, role: CustomUserRole) -> None:
    """Write a new role."""
    names = columns(RoleTable)
    change(database, "insert role", lambda: insertion(RoleTable, names), [_values(role)])


def update_role(database: Database, role: CustomUserRole) -> None:
    """Write a role as it is now."""
    change(database, "update role", _update, [_values(role)])


def _update() -> Query:
    fields: dict[Any, Any] = {
        field: slot(field.column_name)
        for field in (RoleTable.name, RoleTable.granted_rights, RoleTable.disallowed_rights)
    }
    fields[RoleTable.version] = RoleTable.version + 1
    return RoleTable.update(fields).where(RoleTable.id == slot("id"))


def _values(role: CustomUserRole) -> dict[str, Any]:
    (row,) = flat(RoleTable, [role], version=lambda each: 1)
    return dict(zip(columns(RoleTable), row, strict=True))


def delete_role(database: Database, role_id: str) -> None:
    """Delete a role that nobody has."""
    change(
        database,
        "delete role",
        lambda: RoleTable.delete().where(RoleTable.id == slot("id")),
        [{"id": role_id}],
    )


# -- who has which ----------------------------------------------------------------------------


def is_assigned(database: Database, role_id: str) -> bool:
    """Return whether somebody has the role."""
    rows = run(
        database,
        "role in use",
        lambda: (
            RoleAssignment.select(RoleAssignment.username).where(RoleAssignment.role == slot("id")).limit(1)
        ),
        {"id": role_id},
    )
    return bool(rows)


def find_username(database: Database, account_id: str) -> str | None:
    """Return the name of the account, None where there is none."""
    rows = run(
        database,
        "user of account",
        lambda: User.select(User.username).where(User.account_id == slot("account")),
        {"account": account_id},
    )
    return rows[0][0] if rows else None


def assign_role(database: Database, cloud_id: str, username: str, role_id: str) -> None:
    """Give the user the role, in the place of any other on the site."""

    def build() -> Query:
        given = {
            RoleAssignment.site: slot("site"),
            RoleAssignment.username: slot("user"),
            RoleAssignment.role: slot("role"),
        }
        return RoleAssignment.insert(given).on_conflict(
            conflict_target=[RoleAssignment.site, RoleAssignment.username],
            update={RoleAssignment.role: slot("role")},
        )

    change(database, "assign role", build, [{"site": cloud_id, "user": username, "role": role_id}])


def unassign_role(database: Database, cloud_id: str, username: str) -> None:
    """Take the user's role on the site away, if there is one."""
    change(
        database,
        "unassign role",
        lambda: RoleAssignment.delete().where(
            RoleAssignment.site == slot("site"), RoleAssignment.username == slot("user")
        ),
        [{"site": cloud_id, "user": username}],
    )


Member = tuple[str, str, CustomUserRole | None]
"""Account id, username, and the role on the site."""


def find_account_ids(database: Database) -> list[str]:
    """Return the account id of everybody who has one, by number of the user."""
    rows = run(
        database,
        "accounts",
        lambda: User.select(User.account_id).where(User.account_id.is_null(False)).order_by(User.id),
        {},
    )
    return [account_id for (account_id,) in rows]


def read_members(database: Database, cloud_id: str, account_ids: list[str]) -> list[Member]:
    """Return those of the accounts that exist, by number of the user, with their roles on the site."""
    if not account_ids:
        return []
    size = list_size(account_ids)

    def build() -> Query:
        has = (RoleAssignment.username == User.username) & (RoleAssignment.site == slot("site"))
        return (
            User.select(User.account_id, User.username, *RoleTable._meta.sorted_fields)
            .join(RoleAssignment, JOIN.LEFT_OUTER, on=has)
            .join(RoleTable, JOIN.LEFT_OUTER, on=RoleTable.id == RoleAssignment.role)
            .where(User.account_id.in_(slots("account", size)))
            .order_by(User.id)
        )

    values = {"site": cloud_id, **dict(spread("account", account_ids))}
    rows = run(database, ("members", size), build, values)
    return [(account_id, username, _role(row)) for account_id, username, *row in rows]


def _role(row: list[Any]) -> CustomUserRole | None:
    if row[0] is None:
        return None
    values = dict(zip(columns(RoleTable), row, strict=True))
    return made(CustomUserRole, values)
