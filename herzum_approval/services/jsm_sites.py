"""Sites of JSM Operations: who may enter them, and finding, creating, editing and deleting them."""

from collections.abc import Collection
from typing import Any

from herzum_approval.domain.change_checks import check_jsm_site
from herzum_approval.domain.custom_roles import JsmSite
from herzum_approval.domain.jsm_tokens import JsmCaller, Scope
from herzum_approval.domain.site_references import mentions
from herzum_approval.domain.sites import Site
from herzum_approval.domain.versions import FIRST, Versioned
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.pages import Listed, Wish, listed
from herzum_approval.store import jsm_sites as stored
from herzum_approval.store import reading, writing
from herzum_approval.store.custom_roles import lock_site
from herzum_approval.store.mentions import read_mentioned


def require_entry(caller: JsmCaller, cloud_id: str, scopes: Collection[Scope]) -> None:
    """Do nothing where the caller may use the site's roles. scopes: that a limited token must have.

    Raises, in this order: JSM_SITE_UNKNOWN, REQUESTS_TOO_MANY, PLAN_WITHOUT_ROLES, TOKEN_SCOPE_MISSING,
    ADMINISTRATOR_REQUIRED. Source: that only administrators may is documented, the order is inferred.
    """
    with reading() as database:
        access = stored.read_access(database, cloud_id, caller.username)
    if access is None:
        raise Problem(Fault.JSM_SITE_UNKNOWN, cloud_id=cloud_id)
    if access.is_throttled:
        raise Problem(Fault.REQUESTS_TOO_MANY)
    if not access.has_custom_roles:
        raise Problem(Fault.PLAN_WITHOUT_ROLES)
    if missing := caller.lacks(scopes):
        raise Problem(Fault.TOKEN_SCOPE_MISSING, scope=missing.value)
    if not access.is_administrator:
        raise Problem(Fault.ADMINISTRATOR_REQUIRED)


# -- what administrators do -------------------------------------------------------------------


def find_sites(wish: Wish) -> Listed[JsmSite]:
    """Return the sites by cloud id."""
    with reading(at_one_moment=True) as database:
        ids = stored.find_cloud_ids(database)
        return listed(ids, wish, lambda chunk: [each.entry for each in stored.read_sites(database, chunk)])


def show_site(cloud_id: str) -> Versioned[JsmSite]:
    """Return the site. Raises: JSM_SITE_UNKNOWN."""
    with reading(at_one_moment=True) as database:
        return _found(database, cloud_id)


def create_site(site: JsmSite) -> Versioned[JsmSite]:
    """Return the new site, which has no roles yet.

    Raises: VALUE_INVALID, REFERENCE_INVALID, JSM_SITE_TAKEN.
    """

    def work(database: Any) -> Versioned[JsmSite]:
        stored.lock_sites(database)
        _check(database, site)
        if stored.read_sites(database, [site.cloud_id]):
            raise Problem(Fault.JSM_SITE_TAKEN, cloud_id=site.cloud_id)
        stored.insert_site(database, site)
        return Versioned(site, FIRST)

    return writing(work)


def edit_site(site: JsmSite, *, versions: Collection[int] | None = None) -> Versioned[JsmSite]:
    """Write the site of this id as given, and return it as it is then.

    versions: one of them must be the present one; None for any.
    Raises: JSM_SITE_UNKNOWN, VERSION_STALE, VALUE_INVALID, REFERENCE_INVALID.
    """

    def work(database: Any) -> Versioned[JsmSite]:
        lock_site(database, site.cloud_id)
        before = _found(database, site.cloud_id)
        before.require(versions)
        _check(database, site)
        stored.update_site(database, site)
        return before.succeeded_by(site)

    return writing(work)


def delete_site(cloud_id: str, *, versions: Collection[int] | None = None) -> None:
    """Delete the site, which must have no roles.

    versions: as for `edit_site`. Raises: JSM_SITE_UNKNOWN, VERSION_STALE, JSM_SITE_IN_USE.
    """

    def work(database: Any) -> None:
        lock_site(database, cloud_id)
        _found(database, cloud_id).require(versions)
        if stored.has_roles(database, cloud_id):
            raise Problem(Fault.JSM_SITE_IN_USE, cloud_id=cloud_id)
        stored.delete_site(database, cloud_id)

    writing(work)


def _found(database: Any, cloud_id: str) -> Versioned[JsmSite]:
    found = stored.read_sites(database, [cloud_id])
    if not found:
        raise Problem(Fault.JSM_SITE_UNKNOWN, cloud_id=cloud_id)
    return found[0]


def _check(database: Any, site: JsmSite) -> None:
    check_jsm_site(site, read_mentioned(database, mentions(Site(jsm_sites=(site,)))))
