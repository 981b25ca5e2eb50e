"""The General Configuration of the plugin, and its licence."""

from dataclasses import dataclass
from enum import StrEnum

from herzum_approval.domain.people import group_principal, user_principal


class CredentialsRequired(StrEnum):
    """What an action must bring beside the login ("Require Authentication")."""

    NONE = "none"
    PASSWORD = "password"
    USERNAME_AND_PASSWORD = "username and password"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The plugin's global switches, with the defaults of the Data Center product.

    super_approver_users, super_approver_groups: may act on every issue approval.
    Source: HAP "Approval Actions", "Approval General Settings", "Automatic Workflow Transition".
    """

    is_reject_enabled: bool = True
    is_abstain_enabled: bool = False
    is_reversing_locked: bool = False
    reversing_exempted_users: tuple[str, ...] = ()
    are_actions_enabled_after_decision: bool = True
    credentials_required: CredentialsRequired = CredentialsRequired.NONE
    is_delegation_enabled: bool = False
    is_transition_responsive: bool = False
    responsive_user: str | None = None
    do_minimums_drive_transitions: bool = False
    are_decisions_logged_as_comments: bool = True
    decision_log_user: str | None = None
    conditional_rule_user: str | None = None
    comment_limit: int = 32767
    super_approver_users: tuple[str, ...] = ()
    super_approver_groups: tuple[str, ...] = ()

    def has_super_approver(self, principals: frozenset[str]) -> bool:
        """Return whether somebody with these principals may act on every issue approval."""
        users = map(user_principal, self.super_approver_users)
        groups = map(group_principal, self.super_approver_groups)
        return not principals.isdisjoint((*users, *groups))

    def locks_reversing(self, username: str) -> bool:
        """Return whether the user must leave decisions as they are, once taken."""
        return self.is_reversing_locked and username not in self.reversing_exempted_users


class LicenceState(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """The plugin's licence; every endpoint of the plugin refuses service without a valid one."""

    state: LicenceState = LicenceState.VALID

    @property
    def is_valid(self) -> bool:
        return self.state is LicenceState.VALID
