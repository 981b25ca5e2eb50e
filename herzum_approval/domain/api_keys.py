"""API keys of Approval Path: what one allows, when and from where, and as whom it acts.

Source of all rules: the vendor's "Web API" pages, unless another one is named.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum

from herzum_approval.domain.addresses import LONGEST_LIST, Address, address_ranges, is_covered
from herzum_approval.domain.approval_paths import Product, Reference
from herzum_approval.domain.people import User
from herzum_approval.errors import Fault, Problem

LONGEST_NAME = 40
LONGEST_DESCRIPTION = 4000

VALUE_LENGTH = 44
VALUE_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""Of the one sample: its length, and base58, the alphabet that has all of its letters (inferred)."""


class Privilege(StrEnum):
    """What a key may allow, in the vendor's words."""

    GET_STATUS = "Get approval status"
    LIST_DEFINITIONS = "List approval definitions"
    CREATE = "Create approval"
    DELETE = "Delete approval"


class PerformerOrigin(StrEnum):
    """Where the performer comes from once it may change."""

    USER = "user"
    ISSUE_FIELD = "issue field"
    PAGE_CREATOR = "page creator"
    PAGE_MODIFIER = "page modifier"
    API_CALL = "api call"


_ORIGINS = {
    Product.JIRA: (PerformerOrigin.USER, PerformerOrigin.ISSUE_FIELD, PerformerOrigin.API_CALL),
    Product.CONFLUENCE: (
        PerformerOrigin.USER,
        PerformerOrigin.PAGE_CREATOR,
        PerformerOrigin.PAGE_MODIFIER,
        PerformerOrigin.API_CALL,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformerChange:
    """*Change performer origin*: in whose name the key acts.

    user: the username, where the origin is `USER`; absent elsewhere.
    field_id: where it is `ISSUE_FIELD`: a user picker, `reporter` or `assignee`; absent elsewhere.
    default_user: the username of who acts where the origin names no valid user; absent for `USER`.
    group: the name of the group to which users from API calls are limited; absent elsewhere.
    """

    origin: PerformerOrigin
    user: str | None = None
    field_id: str | None = None
    default_user: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """What can be chosen of an API key.

    product: whose references it is for: no path names that, so the key does (inferred).
    performer: None where *allow change performer origin* is off.
    valid_from, valid_until: "not valid before" and "not valid after"; both moments belong to the window.
    allowed_ips: as `domain.addresses` reads them; empty allows all.
    """

    name: str
    product: Product
    description: str = ""
    can_get_status: bool = False
    can_list_definitions: bool = False
    can_create: bool = False
    can_delete: bool = False
    performer: PerformerChange | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    allowed_ips: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(KeyTerms):
    """An API key.

    creator: the username of who created it, and of who acts where the performer is not changed.
    key_id, ciphertext, digest: the value, as `services.encryption` keeps it.
    used_at, usage_count: of requests that the key was found for and allowed.
    """

    id: int
    creator: str
    key_id: str
    ciphertext: str
    digest: str
    created_at: datetime
    modified_at: datetime
    used_at: datetime | None = None
    usage_count: int = 0

    def on_terms(self, terms: KeyTerms, now: datetime) -> "ApiKey":
        """Return the key as it is once it was modified so."""
        chosen = {each.name: getattr(terms, each.name) for each in fields(KeyTerms)}
        return replace(self, **chosen, modified_at=now)

    def allows(self, privilege: Privilege) -> bool:
        match privilege:
            case Privilege.GET_STATUS:
                return self.can_get_status
            case Privilege.LIST_DEFINITIONS:
                return self.can_list_definitions
            case Privilege.CREATE:
                return self.can_create
            case Privilege.DELETE:
                return self.can_delete


def check_use(key: ApiKey, privilege: Privilege, *, now: datetime, address: Address | None) -> None:
    """Do nothing where the key may be used so: now, from this address, for this.

    address: where the request comes from; None where nobody can tell.
    Raises, in this order: KEY_NOT_VALID_NOW, ADDRESS_NOT_ALLOWED, PRIVILEGE_MISSING. The order is ours.
    """
    is_early = key.valid_from is not None and now < key.valid_from
    is_late = key.valid_until is not None and now > key.valid_until
    if is_early or is_late:
        raise Problem(Fault.KEY_NOT_VALID_NOW)
    if key.allowed_ips.strip() and not is_covered(address, address_ranges(key.allowed_ips)):
        raise Problem(Fault.ADDRESS_NOT_ALLOWED)
    if not key.allows(privilege):
        raise Problem(Fault.PRIVILEGE_MISSING, privilege=privilege.value)


# -- the performer ----------------------------------------------------------------------------


def fixed_performers(key: ApiKey) -> frozenset[str]:
    """Return the usernames that the key itself names for its performer."""
    if key.performer is None:
        return frozenset({key.creator})
    return frozenset(filter(None, (key.performer.user, key.performer.default_user)))


def is_named_by_call(key: ApiKey) -> bool:
    """Return whether the `userId` of a request counts; elsewhere it is ignored."""
    return key.performer is not None and key.performer.origin is PerformerOrigin.API_CALL


def referred_performer(key: ApiKey, reference: Reference) -> str | None:
    """Return the username that the issue or page has where the key's origin looks; None for nobody there.

    Of a field of several users the first one counts.
    """
    change = key.performer
    if change is None:
        return None
    match change.origin:
        case PerformerOrigin.ISSUE_FIELD:
            return next(iter(reference.names_in(change.field_id or "")), None)
        case PerformerOrigin.PAGE_CREATOR:
            return reference.creator
        case PerformerOrigin.PAGE_MODIFIER:
            return reference.modifier
    return None


def choose_performer(key: ApiKey, *, found: User | None, named: dict[str, User]) -> User:
    """Return in whose name the key acts.

    found: whom the key's origin comes to: of an issue field its first user, of a page its creator or
        modifier, of an API call whoever has the `userId`; None where that is nobody.
    named: the users that `fixed_performers` names, by username, those that there are.
    A user is valid who is active (inferred: no text says what makes one valid).
    Raises: PERFORMER_UNRESOLVED, PERFORMER_OUTSIDE_GROUP.
    """
    change = key.performer
    if change is None:
        return _valid(named.get(key.creator))
    if change.origin is PerformerOrigin.USER:
        return _valid(named.get(change.user or ""))
    if found is None or not found.is_active:
        return _valid(named.get(change.default_user or ""))
    if change.group is not None and change.group not in found.groups:
        raise Problem(Fault.PERFORMER_OUTSIDE_GROUP, group=change.group)
    return found


def _valid(user: User | None) -> User:
    if user is None or not user.is_active:
        raise Problem(Fault.PERFORMER_UNRESOLVED)
    return user


# -- what makes a key whole -------------------------------------------------------------------


def key_faults(key: ApiKey) -> Iterator[tuple[str, str]]:
    """Give every value of the key that cannot stand: the field, by its path, and why."""
    if not key.name.strip():
        yield "name", "must not be empty"
    if len(key.name) > LONGEST_NAME:
        yield "name", f"has more than {LONGEST_NAME} characters"
    if len(key.description) > LONGEST_DESCRIPTION:
        yield "description", f"has more than {LONGEST_DESCRIPTION} characters"
    if key.valid_from is not None and key.valid_until is not None and key.valid_until < key.valid_from:
        yield "valid_until", "lies before the beginning"
    yield from _address_faults(key.allowed_ips)
    if key.performer is not None:
        for field, reason in _performer_faults(key.product, key.performer):
            yield f"performer.{field}", reason


def _address_faults(allowed_ips: str) -> Iterator[tuple[str, str]]:
    if len(allowed_ips) > LONGEST_LIST:
        yield "allowed_ips", f"has more than {LONGEST_LIST} characters"
        return
    try:
        address_ranges(allowed_ips)
    except ValueError as error:
        yield "allowed_ips", str(error)


def _performer_faults(product: Product, change: PerformerChange) -> Iterator[tuple[str, str]]:
    origin = change.origin
    if origin not in _ORIGINS[product]:
        yield "origin", f"{origin.value!r} is no origin for {product.value}"
    is_fixed, is_field = origin is PerformerOrigin.USER, origin is PerformerOrigin.ISSUE_FIELD
    for field, value, has_place, is_needed in (
        ("user", change.user, is_fixed, True),
        ("field_id", change.field_id, is_field, True),
        ("default_user", change.default_user, not is_fixed, False),
        ("group", change.group, origin is PerformerOrigin.API_CALL, False),
    ):
        if value is not None and not has_place:
            yield field, f"has no place where the origin is {origin.value!r}"
        if value is None and has_place and is_needed:
            yield field, f"is needed where the origin is {origin.value!r}"
