"""Sites, roles and tokens of JSM Operations as rows, and back; no query here."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from herzum_approval.domain.custom_roles import CustomUserRole, JsmSite, RoleAssignment
from herzum_approval.domain.jsm_tokens import JsmToken, Scope
from herzum_approval.domain.sites import Site
from herzum_approval.store import tables
from herzum_approval.store.rows import (
    SiteRows,
    all_of,
    always,
    children,
    flat,
    grouped,
    made,
    values_of,
)


def custom_role_rows(site: Site) -> SiteRows:
    """Return the rows of sites, roles, assignments and tokens."""
    cloud_ids = {role.id: role.cloud_id for role in site.custom_roles}
    return {
        tables.JsmSite: flat(tables.JsmSite, site.jsm_sites, version=always(1)),
        tables.JsmSiteAdministrator: [
            (each.cloud_id, position, username)
            for each, position, username in children(site.jsm_sites, "administrators")
        ],
        tables.CustomUserRole: flat(tables.CustomUserRole, site.custom_roles, version=always(1)),
        tables.RoleAssignment: flat(
            tables.RoleAssignment, site.role_assignments, cloud_id=lambda each: cloud_ids[each.role_id]
        ),
        tables.JsmToken: flat(tables.JsmToken, site.jsm_tokens),
    }


def jsm_sites(rows: SiteRows) -> Iterator[JsmSite]:
    """Give the sites, by cloud id."""
    administrators = grouped(rows, tables.JsmSiteAdministrator, "cloud_id")
    for values in values_of(rows, tables.JsmSite, "cloud_id"):
        names = tuple(each["username"] for each in administrators[values["cloud_id"]])
        yield made(JsmSite, values, administrators=names)


def custom_roles(rows: SiteRows) -> tuple[CustomUserRole, ...]:
    """Return the roles, by id."""
    return all_of(CustomUserRole, rows, tables.CustomUserRole)


def role_assignments(rows: SiteRows) -> Iterator[RoleAssignment]:
    """Give who has which role, by username and role."""
    for values in values_of(rows, tables.RoleAssignment, "username", "role_id"):
        yield made(RoleAssignment, values)


def jsm_tokens(rows: SiteRows) -> Iterator[JsmToken]:
    """Give the tokens, by id."""
    for values in values_of(rows, tables.JsmToken, "id"):
        yield jsm_token(values)


def jsm_token(values: Mapping[str, Any]) -> JsmToken:
    """Return a token from a row by name of column."""
    names = values["scopes"]
    return made(JsmToken, values, scopes=None if names is None else tuple(map(Scope, json.loads(names))))
