"""Custom user roles of a site: finding, creating, changing and deleting them, and who has which.

None of it bears on approvals, nor is it kept in memory, so writing it is daily business.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from herzum_approval import config
from herzum_approval.domain.custom_roles import (
    LARGEST_SIZE,
    CustomUserRole,
    EffectiveRights,
    RoleDraft,
    RoleLinks,
    changed,
    created,
    effective_rights,
    links,
    seeded_id,
)
from herzum_approval.domain.versions import FIRST, Versioned
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.pages import Listed, Wish, listed
from herzum_approval.store import custom_roles as stored
from herzum_approval.store import reading, writing

_SEEDED_TRIES = 16


@dataclass(frozen=True, slots=True)
class RolePage:
    """Some roles, as id and name. size: of a page, as it was cut; links: where others begin."""

    roles: Sequence[tuple[str, str]]
    size: int
    links: RoleLinks


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleName:
    """How a request names a role: by its id or by its name."""

    text: str
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A user on a site, with the custom role there (None: the built-in one) and what it comes to."""

    account_id: str
    username: str
    role: CustomUserRole | None
    rights: EffectiveRights


def list_roles(cloud_id: str, *, offset: int, size: int) -> RolePage:
    """Return the site's roles from the offset on, by id. size: at least 1; cut to the largest there is."""
    size = min(size, LARGEST_SIZE)
    with reading(at_one_moment=True) as database:
        total = stored.count_roles(database, cloud_id)
        # What lies past the end is not asked for: a database counts no further than 2⁶³.
        is_past = offset >= total
        roles = [] if is_past else stored.list_roles(database, cloud_id, offset=offset, size=size)
    return RolePage(roles, size, links(offset, size, total))


def show_role(cloud_id: str, role: RoleName) -> Versioned[CustomUserRole]:
    """Return the role. Raises: ROLE_UNKNOWN."""
    with reading() as database:
        return _found(database, cloud_id, role)


def create_role(cloud_id: str, draft: RoleDraft) -> Versioned[CustomUserRole]:
    """Return the new role, which nobody has yet.

    Raises: ROLE_INVALID, JSM_SITE_UNKNOWN, ROLE_NAME_TAKEN.
    """
    settings = config.current()
    role = created(draft, id=str(uuid4()), cloud_id=cloud_id, is_strict=settings.jsm_ops_strict)

    def work(database: Any) -> Versioned[CustomUserRole]:
        _lock(database, cloud_id)
        _require_free_name(database, role)
        numbered = _with_seeded_id(database, role, settings.jsm_ops_id_seed)
        stored.insert_role(database, numbered)
        return Versioned(numbered, FIRST)

    return writing(work, is_daily=True)


def update_role(
    cloud_id: str, role: RoleName, draft: RoleDraft, *, versions: Collection[int] | None = None
) -> tuple[CustomUserRole, int]:
    """Change what the draft says of the role; return the role as it was before, and its version now.

    versions: one of them must be the present one; None for any.
    Raises: JSM_SITE_UNKNOWN, ROLE_UNKNOWN, VERSION_STALE, ROLE_INVALID, ROLE_NAME_TAKEN.
    """
    is_strict = config.current().jsm_ops_strict

    def work(database: Any) -> tuple[CustomUserRole, int]:
        _lock(database, cloud_id)
        before = _found(database, cloud_id, role)
        before.require(versions)
        later = changed(before.entry, draft, is_strict=is_strict)
        if later == before.entry:
            return before.entry, before.version
        _require_free_name(database, later)
        stored.update_role(database, later)
        return before.entry, before.version + 1

    return writing(work, is_daily=True)


def delete_role(cloud_id: str, role: RoleName, *, versions: Collection[int] | None = None) -> None:
    """Delete the role, which nobody may have.

    versions: as for `update_role`. Raises: JSM_SITE_UNKNOWN, ROLE_UNKNOWN, VERSION_STALE, ROLE_IN_USE.
    """

    def work(database: Any) -> None:
        _lock(database, cloud_id)
        before = _found(database, cloud_id, role)
        before.require(versions)
        if stored.is_assigned(database, before.entry.id):
            raise Problem(Fault.ROLE_IN_USE, name=before.entry.name)
        stored.delete_role(database, before.entry.id)

    writing(work, is_daily=True)


def _lock(database: Any, cloud_id: str) -> None:
    if not stored.lock_site(database, cloud_id):
        raise Problem(Fault.JSM_SITE_UNKNOWN, cloud_id=cloud_id)


def _found(database: Any, cloud_id: str, role: RoleName) -> Versioned[CustomUserRole]:
    text = role.text.strip() if role.is_name else role.text
    # No text with a NUL is stored; the store would look for another one instead.
    sought = None if "\0" in text else {"name": text} if role.is_name else {"id": text}
    found = stored.find_role(database, cloud_id, **sought) if sought else None
    if found is None:
        raise Problem(Fault.ROLE_UNKNOWN, identifier=role.text)
    return found


def _require_free_name(database: Any, role: CustomUserRole) -> None:
    other = stored.find_role(database, role.cloud_id, name=role.name)
    if other is not None and other.entry.id != role.id:
        raise Problem(Fault.ROLE_NAME_TAKEN, name=role.name)


def _with_seeded_id(database: Any, role: CustomUserRole, seed: str) -> CustomUserRole:
    """Return the role with the first free id that the seed gives it; unchanged without a seed."""
    if not seed:
        return role
    ids = [seeded_id(seed, role.cloud_id, role.name, attempt) for attempt in range(_SEEDED_TRIES)]
    taken = stored.find_role_ids(database, ids)
    return replace(role, id=next((id for id in ids if id not in taken), role.id))


# -- who has which ----------------------------------------------------------------------------


def assign_role(cloud_id: str, *, account_id: str, role_id: str) -> CustomUserRole:
    """Give the user the role in the place of any other on the site, and return it.

    Raises: JSM_SITE_UNKNOWN, ROLE_UNKNOWN, JSM_USER_UNKNOWN.
    """

    def work(database: Any) -> CustomUserRole:
        _lock(database, cloud_id)
        role = _found(database, cloud_id, RoleName(text=role_id)).entry
        stored.assign_role(database, cloud_id, _username(database, account_id), role.id)
        return role

    return writing(work, is_daily=True)


def unassign_role(cloud_id: str, account_id: str) -> None:
    """Give the user the built-in role again. Raises: JSM_SITE_UNKNOWN, JSM_USER_UNKNOWN."""

    def work(database: Any) -> None:
        _lock(database, cloud_id)
        stored.unassign_role(database, cloud_id, _username(database, account_id))

    writing(work, is_daily=True)


def _username(database: Any, account_id: str) -> str:
    username = None if "\0" in account_id else stored.find_username(database, account_id)
    if username is None:
        raise Problem(Fault.JSM_USER_UNKNOWN, account_id=account_id)
    return username


def find_members(cloud_id: str, wish: Wish) -> Listed[Member]:
    """Return everybody who has an account id, with role and rights on the site. Raises: JSM_SITE_UNKNOWN."""
    with reading(at_one_moment=True) as database:
        _require_site(database, cloud_id)
        ids = stored.find_account_ids(database)
        return listed(
            ids, wish, lambda chunk: map(_member, stored.read_members(database, cloud_id, list(chunk)))
        )


def show_member(cloud_id: str, account_id: str) -> Member:
    """Return the user's role and rights on the site. Raises: JSM_SITE_UNKNOWN, JSM_USER_UNKNOWN."""
    with reading(at_one_moment=True) as database:
        _require_site(database, cloud_id)
        _username(database, account_id)
        (found,) = stored.read_members(database, cloud_id, [account_id])
        return _member(found)


def _require_site(database: Any, cloud_id: str) -> None:
    if not stored.is_site(database, cloud_id):
        raise Problem(Fault.JSM_SITE_UNKNOWN, cloud_id=cloud_id)


def _member(found: stored.Member) -> Member:
    account_id, username, role = found
    return Member(account_id, username, role, effective_rights(role))
