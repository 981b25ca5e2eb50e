"""Custom user roles of JSM Operations: the rights there are, what a role may hold, and what it comes to.

A role grants and disallows rights beside those of the base role that it extends. The vendor keeps both
lists as they were sent, so unknown rights and missing prerequisites are faults in strict mode only.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from herzum_approval.errors import Fault, Problem

BASE_ROLE = "user"
"""What every custom role extends. Source: the reference page's example; its API takes no other."""

BUILT_IN_ROLES = frozenset({"owner", "admin", "user", "observer", "stakeholder"})
"""Names, in any letter case, that no custom role may have. Inferred from the ancestor's OpenAPI text."""

LONGEST_NAME = 255
LONGEST_RIGHT = 255
MOST_RIGHTS = 1000
"""How many rights a list may hold."""


# -- the rights -------------------------------------------------------------------------------


class RightGroup(StrEnum):
    """What a right is about."""

    ACCESS = "access and account"
    ALERT = "alert"
    INCIDENT = "incident"
    SERVICE = "service"
    POSTMORTEM = "postmortem"
    SLACK = "slack"


class RightSource(StrEnum):
    """Where a right is known from."""

    REFERENCE = "JSM Operations reference page"
    PROVIDER = "Opsgenie Terraform provider"


@dataclass(frozen=True, slots=True)
class Right:
    """One right, by its name on the wire.

    requires: what it makes no sense without; inferred from names, and asked for in strict mode only.
    """

    name: str
    group: RightGroup
    source: RightSource
    requires: str | None = None


_NAMES: Mapping[RightGroup, str] = {
    RightGroup.ACCESS: """
        who-is-on-call-show-all notification-rules-edit quiet-hours-edit alerts-access-all
        reports-access logs-page-access maintenance-edit contacts-edit profile-edit login-email-edit
        profile-custom-fields-edit configurations-read-only configurations-edit
        configurations-delete billing-manage mass-notification-create forwardings-edit manage-roles
        it-user-functionality parent-login-as-user update-login-as-user-state see-alerts
        incidents-access-all assign-response-role update-potential-causes edit-impacted-services
        join-icc-session create-icc-session access-icc-past-sessions
        edit-incident-command-center-room delete-incident-command-center-room
    """,
    RightGroup.ALERT: """
        alert-action alert-create alert-add-attachment alert-delete-attachment alert-add-note
        alert-delete-note alert-update-note alert-acknowledge alert-unacknowledge alert-snooze
        alert-escalate alert-close alert-delete alert-take-ownership alert-assign-ownership
        alert-add-recipient alert-add-responder alert-add-team alert-edit-tags alert-edit-details
        alert-custom-action alert-update-priority alert-update-description alert-update-message
        alert-grant-visibility alert-create-issue alert-link-issue alert-acknowledge-all
        alert-close-all
    """,
    RightGroup.INCIDENT: """
        incident-create incident-action incident-add-stakeholder incident-add-responder
        incident-remove-responder incident-resolve incident-reopen incident-close incident-delete
        incident-add-note incident-update-priority incident-edit-tags incident-edit-details
        incident-edit-impact-times incident-edit-postmortem-fields incident-edit-message
        incident-custom-action incident-create-issue incident-link-issue incident-associate-alerts
        incident-dissociate-alerts incident-commander incident-timeline-create
        incident-timeline-edit incident-timeline-delete
    """,
    RightGroup.SERVICE: "service-access service-access-status service-send-status-update",
    RightGroup.POSTMORTEM: """
        postmortem-access-published postmortem-access-unpublished postmortem-create postmortem-edit
        postmortem-delete
    """,
    RightGroup.SLACK: "slack-channel-create slack-channel-unlink",
}

_ON_THE_PAGE = frozenset(
    {
        "alert-action",
        "alert-add-note",
        "alert-close",
        "alert-close-all",
        "alert-create",
        "alert-delete",
        "alert-delete-note",
        "alerts-access-all",
        "incident-add-note",
        "incident-reopen",
    }
)
"""Those that the examples of the reference page name."""

_PARENTS = {
    "configurations-edit": "configurations-read-only",
    "configurations-delete": "configurations-edit",
}
_PARENT_OF_GROUP = {RightGroup.ALERT: "alert-action", RightGroup.INCIDENT: "incident-action"}


def _right(name: str, group: RightGroup) -> Right:
    parent = _PARENTS.get(name) or _PARENT_OF_GROUP.get(group)
    source = RightSource.REFERENCE if name in _ON_THE_PAGE else RightSource.PROVIDER
    return Right(name, group, source, None if parent == name else parent)


RIGHTS: Mapping[str, Right] = {
    name: _right(name, group) for group, names in _NAMES.items() for name in names.split()
}
"""Every known right by name: the fullest published list, which is known to lag behind the service."""


# -- roles, and who has them ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class JsmSite:
    """One site of the cloud: its own namespace of roles.

    administrators: usernames of those who may use the API of roles.
    has_custom_roles: its plan includes custom roles (Premium and Enterprise do).
    is_throttled: it answers everything as if too many requests had come, for tests of clients.
    """

    cloud_id: str
    name: str
    administrators: tuple[str, ...] = ()
    has_custom_roles: bool = True
    is_throttled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomUserRole:
    """A role; its rights stand in the order in which they were sent, each once."""

    id: str
    cloud_id: str
    name: str
    granted_rights: tuple[str, ...] = ()
    disallowed_rights: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment:
    """Somebody has a custom role on its site; nobody has two there."""

    username: str
    role_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleDraft:
    """What a request says of a role; None is what it does not say."""

    name: str | None = None
    granted_rights: tuple[str, ...] | None = None
    disallowed_rights: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveRights:
    """What a user may do on a site: the rights of the base role, and granted, but disallowed.

    What the base role itself allows is not published, so it is named and not spelt out.
    """

    base_role: str = BASE_ROLE
    granted_rights: tuple[str, ...] = ()
    disallowed_rights: tuple[str, ...] = ()


def effective_rights(role: CustomUserRole | None) -> EffectiveRights:
    """Return what somebody with the role may do; None is somebody without a custom role.

    Disallowing wins, should a right ever stand on both sides.
    """
    if role is None:
        return EffectiveRights()
    refused = frozenset(role.disallowed_rights)
    return EffectiveRights(
        granted_rights=tuple(right for right in role.granted_rights if right not in refused),
        disallowed_rights=role.disallowed_rights,
    )


def created(draft: RoleDraft, *, id: str, cloud_id: str, is_strict: bool = False) -> CustomUserRole:
    """Return the new role that a request describes. Raises: ROLE_INVALID."""
    role = CustomUserRole(
        id=id,
        cloud_id=cloud_id,
        name=draft.name or "",
        granted_rights=draft.granted_rights or (),
        disallowed_rights=draft.disallowed_rights or (),
    )
    _require(role_faults(role) | _draft_faults(draft, role, is_strict))
    return role


def changed(role: CustomUserRole, draft: RoleDraft, *, is_strict: bool = False) -> CustomUserRole:
    """Return the role with what the request says put in the place of what was there.

    Raises: ROLE_INVALID. What the request does not touch is not looked at again in strict mode.
    """
    given = {
        name: value
        for name in ("name", "granted_rights", "disallowed_rights")
        if (value := getattr(draft, name)) is not None
    }
    later = replace(role, **given)
    _require(role_faults(later) | _draft_faults(draft, later, is_strict))
    return later


def role_faults(role: CustomUserRole) -> dict[str, str]:
    """Return what no role may be, in whatever mode: reasons by attribute."""
    faults = {}
    if reason := name_fault(role.name):
        faults["name"] = reason
    for attribute in ("granted_rights", "disallowed_rights"):
        if reason := _list_fault(getattr(role, attribute)):
            faults[attribute] = reason
    if conflict := sorted(set(role.granted_rights) & set(role.disallowed_rights)):
        faults.setdefault("disallowed_rights", f"conflicts with grantedRights: {_listed(conflict)}")
    return faults


def name_fault(name: str) -> str | None:
    """Return why no role can be called so, None where one can."""
    if not name or name != name.strip():
        return "must not be blank"
    if len(name) > LONGEST_NAME:
        return f"must not be longer than {LONGEST_NAME} characters"
    if "\0" in name:
        return "must not hold the character NUL"
    if name.casefold() in BUILT_IN_ROLES:
        return "must not be the name of a built-in role"
    return None


def _list_fault(rights: Collection[str]) -> str | None:
    if len(rights) > MOST_RIGHTS:
        return f"must not hold more than {MOST_RIGHTS} rights"
    if any(not right.strip() or len(right) > LONGEST_RIGHT or "\0" in right for right in rights):
        return f"must hold names of 1 to {LONGEST_RIGHT} characters"
    return None


def _draft_faults(draft: RoleDraft, role: CustomUserRole, is_strict: bool) -> dict[str, str]:
    """Return what strict mode has against the lists that the request brings. role: as it would be."""
    faults: dict[str, str] = {}
    if not is_strict:
        return faults
    for attribute in ("granted_rights", "disallowed_rights"):
        if unknown := [right for right in getattr(draft, attribute) or () if right not in RIGHTS]:
            faults[attribute] = f"unknown rights: {_listed(unknown)}"
    if draft.granted_rights and "granted_rights" not in faults:
        missing = missing_prerequisites(role.granted_rights)
        if missing:
            faults["granted_rights"] = "missing prerequisites: " + _listed(missing)
    return faults


def missing_prerequisites(granted: Collection[str]) -> list[str]:
    """Return the rights, by name, that those granted make no sense without and that are not granted."""
    needed = {parent for right in granted if right in RIGHTS and (parent := RIGHTS[right].requires)}
    return sorted(needed - set(granted))


def _listed(names: Iterable[str]) -> str:
    """Return some names for an error text, which must not grow with what was sent."""
    shown = list(names)
    rest = len(shown) - 10
    return ", ".join(shown[:10]) + (f" and {rest} more" if rest > 0 else "")


def _require(faults: Mapping[str, str]) -> None:
    if faults:
        raise Problem(Fault.ROLE_INVALID, errors=dict(faults))


def seeded_id(seed: str, cloud_id: str, name: str, attempt: int) -> str:
    """Return the id, spelt as a random UUID, that the seed gives to a role; another for each attempt."""
    digest = hashlib.sha256("\0".join((seed, cloud_id, name, str(attempt))).encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


# -- pages ------------------------------------------------------------------------------------

DEFAULT_SIZE = 20
LARGEST_SIZE = 100
"""A larger page is cut to this one. Source: inferred, from other lists of the vendor."""


@dataclass(frozen=True, slots=True)
class RoleLinks:
    """Where other pages begin; next: None on the last one."""

    next: int | None
    last: int


def links(offset: int, size: int, total: int) -> RoleLinks:
    """Return where the next and the last page begin, pages being counted from the offset in both directions.

    Source: the one printed page, which is consistent with this rule only.
    """
    first = offset % size
    last = first if total <= first else first + (total - 1 - first) // size * size
    return RoleLinks(next=offset + size if offset + size < total else None, last=last)
