"""Sites of JSM Operations and the tokens by which clients sign in to them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from peewee import JOIN, Database, Query, SqliteDatabase, Value

from herzum_approval.domain.custom_roles import JsmSite
from herzum_approval.domain.jsm_tokens import JsmToken
from herzum_approval.domain.versions import Versioned
from herzum_approval.store import tables
from herzum_approval.store.custom_role_rows import jsm_sites, jsm_token
from herzum_approval.store.numbering import reserve_ids
from herzum_approval.store.rows import SiteRows, by_column, columns, flat
from herzum_approval.store.statements import (
    change,
    insertion,
    list_size,
    run,
    slot,
    slots,
    spread,
)
from herzum_approval.store.tables import CustomUserRole, JsmSiteAdministrator
from herzum_approval.store.tables import JsmSite as SiteTable
from herzum_approval.store.tables import JsmToken as TokenTable

# -- sites ------------------------------------------------------------------------------------


def lock_sites(database: Database) -> None:
    """Let nobody else create a site until the transaction ends; SQLite has one writer anyway."""
    if not isinstance(database, SqliteDatabase):
        database.execute_sql("SELECT pg_advisory_xact_lock(740231)")


class SiteAccess(NamedTuple):
    """What a site has for one user."""

    has_custom_roles: bool
    is_throttled: bool
    is_administrator: bool


def read_access(database: Database, cloud_id: str, username: str) -> SiteAccess | None:
    """Return what the site has for the user, None where there is no such site."""

    def build() -> Query:
        is_own = (JsmSiteAdministrator.site == SiteTable.cloud_id) & (
            JsmSiteAdministrator.username == slot("user")
        )
        return (
            SiteTable.select(
                SiteTable.has_custom_roles, SiteTable.is_throttled, JsmSiteAdministrator.username
            )
            .join(JsmSiteAdministrator, JOIN.LEFT_OUTER, on=is_own)
            .where(SiteTable.cloud_id == slot("site"))
        )

    rows = run(database, "access to jsm site", build, {"user": username, "site": cloud_id})
    if not rows:
        return None
    has_custom_roles, is_throttled, administrator = rows[0]
    return SiteAccess(bool(has_custom_roles), bool(is_throttled), administrator is not None)


def find_cloud_ids(database: Database) -> list[str]:
    """Return the ids of all sites, in their order."""
    rows = run(
        database,
        "jsm sites",
        lambda: SiteTable.select(SiteTable.cloud_id).order_by(SiteTable.cloud_id),
        {},
    )
    return [cloud_id for (cloud_id,) in rows]


def read_sites(database: Database, cloud_ids: Sequence[str]) -> list[Versioned[JsmSite]]:
    """Return those of the sites that there are, by id, with their versions."""
    if not cloud_ids:
        return []
    size = list_size(cloud_ids)
    values = dict(spread("id", cloud_ids))
    rows: SiteRows = defaultdict(list)
    for table, field in ((SiteTable, SiteTable.cloud_id), (JsmSiteAdministrator, JsmSiteAdministrator.site)):
        shape = ("read jsm sites", table._meta.table_name, size)
        rows[table] = run(database, shape, _selection(table, field, size), values)
    versions = {values["cloud_id"]: values["version"] for values in by_column(SiteTable, rows[SiteTable])}
    return [Versioned(site, versions[site.cloud_id]) for site in jsm_sites(rows)]


def _selection(table: Any, field: Any, size: int) -> Any:
    return lambda: table.select(*table._meta.sorted_fields).where(field.in_(slots("id", size)))


def insert_site(database: Database, site: JsmSite) -> None:
    """Write a new site."""
    names = columns(SiteTable)
    change(database, "insert jsm site", lambda: insertion(SiteTable, names), [_site_values(site)])
    _insert_administrators(database, site)


def update_site(database: Database, site: JsmSite) -> None:
    """Write a site as it is now, its administrators too."""
    change(database, "update jsm site", _site_update, [_site_values(site)])
    administrator = JsmSiteAdministrator
    change(
        database,
        "delete jsm administrators",
        lambda: administrator.delete().where(administrator.site == slot("site")),
        [{"site": site.cloud_id}],
    )
    _insert_administrators(database, site)


def delete_site(database: Database, cloud_id: str) -> None:
    """Delete a site that has no roles."""
    change(
        database,
        "delete jsm site",
        lambda: SiteTable.delete().where(SiteTable.cloud_id == slot("site")),
        [{"site": cloud_id}],
    )


def has_roles(database: Database, cloud_id: str) -> bool:
    """Return whether the site has custom user roles."""
    rows = run(
        database,
        "roles of jsm site",
        lambda: CustomUserRole.select(CustomUserRole.id).where(CustomUserRole.site == slot("site")).limit(1),
        {"site": cloud_id},
    )
    return bool(rows)


def _site_values(site: JsmSite) -> dict[str, Any]:
    (row,) = flat(SiteTable, [site], version=lambda each: 1)
    return dict(zip(columns(SiteTable), row, strict=True))


def _site_update() -> Query:
    fields: dict[Any, Any] = {
        field: slot(field.column_name)
        for field in (SiteTable.name, SiteTable.has_custom_roles, SiteTable.is_throttled)
    }
    fields[SiteTable.version] = SiteTable.version + 1
    return SiteTable.update(fields).where(SiteTable.cloud_id == slot("cloud_id"))


def _insert_administrators(database: Database, site: JsmSite) -> None:
    values = [
        {"cloud_id": site.cloud_id, "position": position, "username": username}
        for position, username in enumerate(site.administrators)
    ]
    names = columns(JsmSiteAdministrator)
    change(database, "insert jsm administrators", lambda: insertion(JsmSiteAdministrator, names), values)


# -- tokens -----------------------------------------------------------------------------------


class TokenOwner(NamedTuple):
    """A token with what must be known of its user."""

    token: JsmToken
    email: str


def find_token(database: Database, token_digest: str) -> TokenOwner | None:
    """Return the token of an active user, None where there is none."""
    rows = run(
        database,
        "find jsm token",
        lambda: (
            TokenTable.select(*TokenTable._meta.sorted_fields, tables.User.email)
            .join(tables.User, on=tables.User.username == TokenTable.username)
            .where(TokenTable.token_digest == slot("digest"), tables.User.is_active == Value(True))
        ),
        {"digest": token_digest},
    )
    for *row, email in rows:
        return TokenOwner(_token(row), email)
    return None


def find_token_ids(database: Database) -> list[int]:
    """Return the ids of all tokens, in their order."""
    rows = run(database, "jsm tokens", lambda: TokenTable.select(TokenTable.id).order_by(TokenTable.id), {})
    return [id for (id,) in rows]


def read_tokens(database: Database, token_ids: Sequence[int]) -> list[JsmToken]:
    """Return those of the tokens that there are, by id."""
    if not token_ids:
        return []
    size = list_size(token_ids)
    rows = run(
        database,
        ("read jsm tokens", size),
        lambda: (
            TokenTable.select(*TokenTable._meta.sorted_fields)
            .where(TokenTable.id.in_(slots("id", size)))
            .order_by(TokenTable.id)
        ),
        dict(spread("id", token_ids)),
    )
    return list(map(_token, rows))


def insert_token(database: Database, token: JsmToken) -> JsmToken:
    """Write a new token and return it with its id."""
    (id,) = reserve_ids(database, TokenTable, 1)
    created = replace(token, id=id)
    (row,) = flat(TokenTable, [created])
    names = columns(TokenTable)
    values = dict(zip(names, row, strict=True))
    change(database, "insert jsm token", lambda: insertion(TokenTable, names), [values])
    return created


def delete_token(database: Database, token_id: int) -> bool:
    """Delete the token and return whether there was one."""
    deleted = change(
        database,
        "delete jsm token",
        lambda: TokenTable.delete().where(TokenTable.id == slot("id")),
        [{"id": token_id}],
    )
    return bool(deleted)


def _token(row: Sequence[Any]) -> JsmToken:
    return jsm_token(dict(zip(columns(TokenTable), row, strict=True)))
