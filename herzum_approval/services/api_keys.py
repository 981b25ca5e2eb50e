"""API keys of Approval Path: finding who asks by one, in whose name, and administering them.

None of it bears on approvals, nor is it kept in memory, so writing it is daily business.
"""

import logging
import secrets
from collections.abc import Collection
from typing import Any

from herzum_approval import clock, config
from herzum_approval.domain.addresses import address_ranges, client_address
from herzum_approval.domain.api_keys import (
    VALUE_ALPHABET,
    VALUE_LENGTH,
    ApiKey,
    KeyTerms,
    Privilege,
    check_use,
    choose_performer,
    fixed_performers,
    is_named_by_call,
    referred_performer,
)
from herzum_approval.domain.approval_paths import Reference
from herzum_approval.domain.change_checks import check_api_key
from herzum_approval.domain.jira import LARGEST_ID
from herzum_approval.domain.people import Actor, User
from herzum_approval.domain.site_references import mentions
from herzum_approval.domain.sites import Site
from herzum_approval.domain.versions import FIRST, Versioned
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import encryption
from herzum_approval.services.pages import Listed, Wish, listed
from herzum_approval.services.sealed_keys import sealed
from herzum_approval.store import api_keys as stored
from herzum_approval.store import people as stored_people
from herzum_approval.store import reading, writing
from herzum_approval.store.mentions import read_mentioned

logger = logging.getLogger(__name__)

_LONGEST_VALUE = 200


# -- use --------------------------------------------------------------------------------------


def use_key(value: str, privilege: Privilege, *, peer: str | None, forwarded_for: str | None) -> ApiKey:
    """Return the key that has the value, once its use for this is allowed and counted.

    peer, forwarded_for: as for `addresses.client_address`.
    Raises, in this order: KEY_UNKNOWN, and what `domain.api_keys.check_use` raises.
    """
    now = clock.now()
    key = _key_of(value)
    trusted = address_ranges(config.current().trusted_proxies)
    check_use(key, privilege, now=now, address=client_address(peer, forwarded_for, trusted))
    if not writing(lambda database: stored.count_use(database, key.id, now), is_daily=True):
        raise Problem(Fault.KEY_UNKNOWN)  # deleted since it was read
    return key


def require_settings() -> None:
    """Do nothing where the settings make sense. Raises: ValueError that names the one that does not."""
    try:
        address_ranges(config.current().trusted_proxies)
    except ValueError as error:
        raise ValueError(f"The setting trusted_proxies: {error}") from None


def _key_of(value: str) -> ApiKey:
    if len(value) <= _LONGEST_VALUE and encryption.has_ring():
        digests = encryption.ring().digests(value)
        with reading() as database:
            found = stored.find_by_digest(database, digests)
        if found is not None:
            return found
    raise Problem(Fault.KEY_UNKNOWN)


def performer(key: ApiKey, reference: Reference, user_id: str | None) -> User:
    """Return in whose name the key acts on the issue or page.

    user_id: the account id that an API call gives, of somebody without one the username; ignored where
        the key's origin is another one.
    Raises: PERFORMER_UNRESOLVED, PERFORMER_OUTSIDE_GROUP.
    """
    with reading() as database:
        name = referred_performer(key, reference)
        if is_named_by_call(key) and user_id is not None and user_id.strip():
            name = stored_people.find_username_of_account(database, user_id.strip())
        names = fixed_performers(key) | ({name} if name else set())
        users = {user.username: user for user in stored_people.find_users(database, names)}
    return choose_performer(key, found=users.get(name or ""), named=users)


# -- administration ---------------------------------------------------------------------------


def find_keys(wish: Wish) -> Listed[ApiKey]:
    """Return the keys by id."""
    with reading(at_one_moment=True) as database:
        ids = stored.find_ids(database)
        return listed(ids, wish, lambda chunk: [each.entry for each in stored.read_keys(database, chunk)])


def show_key(id: int) -> Versioned[ApiKey]:
    """Return the key. Raises: API_KEY_UNKNOWN."""
    with reading() as database:
        return _found(database, id)


def reveal_key(actor: Actor, id: int) -> str:
    """Return the value of the key; who asked for it is logged. Raises: API_KEY_UNKNOWN, SECRET_UNREADABLE."""
    value = encryption.ring().unseal(sealed(show_key(id).entry))
    logger.info("an API key was revealed", extra={"api_key": id, "username": actor.username})
    return value


def create_key(actor: Actor, terms: KeyTerms) -> Versioned[ApiKey]:
    """Return a new key on these terms, which the actor has created; its value is revealed when asked for.

    Raises: what `change_checks.check_api_key` raises, KEY_FILE_MISSING.
    """
    now = clock.now()
    made = encryption.ring().seal("".join(secrets.choice(VALUE_ALPHABET) for _ in range(VALUE_LENGTH)))
    key = ApiKey(
        id=1,  # its own is yet to come
        name=terms.name,
        product=terms.product,
        creator=actor.username,
        key_id=made.key_id,
        ciphertext=made.ciphertext,
        digest=made.digest,
        created_at=now,
        modified_at=now,
    ).on_terms(terms, now)

    def work(database: Any) -> Versioned[ApiKey]:
        _check(database, key)
        return Versioned(stored.insert_key(database, key), FIRST)

    return writing(work, is_daily=True)


def edit_key(id: int, terms: KeyTerms, *, versions: Collection[int] | None = None) -> Versioned[ApiKey]:
    """Put the key on these terms, and return it as it is then; its value stays.

    versions: one of them must be the present one; None for any. Use raises no version.
    Raises: API_KEY_UNKNOWN, VERSION_STALE, what `change_checks.check_api_key` raises.
    """
    now = clock.now()

    def work(database: Any) -> Versioned[ApiKey]:
        before = _locked(database, id)
        before.require(versions)
        later = before.entry.on_terms(terms, now)
        _check(database, later)
        stored.update_key(database, before, later)
        return before.succeeded_by(later)

    return writing(work, is_daily=True)


def delete_key(id: int, *, versions: Collection[int] | None = None) -> None:
    """Delete the key. versions: as for `edit_key`. Raises: API_KEY_UNKNOWN, VERSION_STALE."""

    def work(database: Any) -> None:
        before = _locked(database, id)
        before.require(versions)
        stored.delete_key(database, before)

    writing(work, is_daily=True)


def _found(database: Any, id: int) -> Versioned[ApiKey]:
    found = stored.read_keys(database, [id] if id <= LARGEST_ID else [])
    if not found:
        raise Problem(Fault.API_KEY_UNKNOWN, id=id)
    return found[0]


def _locked(database: Any, id: int) -> Versioned[ApiKey]:
    if id <= LARGEST_ID:
        stored.lock_key(database, id)
    return _found(database, id)


def _check(database: Any, key: ApiKey) -> None:
    check_api_key(key, read_mentioned(database, mentions(Site(api_keys=(key,)))))
