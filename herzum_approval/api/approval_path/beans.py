"""Approvals and definitions as the vendor writes them; `schemas` describes what is made here.

The domain knows people by username and groups by name. The wire has the account id and the group's id,
and where there is none the name.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from herzum_approval import clock, config
from herzum_approval.domain.approval_paths import (
    ApprovalDefinition,
    ApprovalPath,
    DefinitionStep,
    PathStep,
    Product,
    StepKind,
)
from herzum_approval.domain.people import Group, User

_AVATAR_SIZES = {"48x48": "large", "32x32": "medium", "24x24": "small", "16x16": "xsmall"}


class Writer:
    """Writes for one answer.

    users, groups: those that are mentioned, by name. base_url: of this site, where the avatars are; Jira's
    answers show them, Confluence's do not.
    """

    def __init__(self, users: Mapping[str, User], groups: Mapping[str, Group], base_url: str) -> None:
        self.users = users
        self.groups = groups
        self.base_url = base_url

    def definition(self, definition: ApprovalDefinition) -> dict[str, Any]:
        collection_id = definition.collection_id
        return {
            "id": str(definition.id),
            "name": definition.name,
            "description": definition.description,
            "collectionId": None if collection_id is None else str(collection_id),
            "steps": [self._definition_step(step) for step in definition.steps],
            "rejectionSteps": [self._definition_step(step) for step in definition.rejection_steps],
            "availableForJSMCustomers": definition.is_available_for_customers,
        }

    def approval(self, path: ApprovalPath) -> dict[str, Any]:
        return {
            "id": str(path.id),
            "definitionId": str(path.definition_id),
            "name": path.name,
            "summary": path.summary,
            "collectionId": str(path.collection_id),
            "refId": str(path.ref_id),
            "steps": [self._path_step(step, path.product) for step in path.happened],
            "status": path.path_status.value,
            "activeSteps": [self._path_step(step, path.product) for step in path.active_steps],
            "modificationDate": _spelt(path.modified_at),
        }

    def _definition_step(self, step: DefinitionStep) -> dict[str, Any]:
        return {
            "type": step.kind.value,
            "parallelGroupNumber": step.parallel_group,
            **self._who(step),
            "issueWatchersNotification": "ENABLED" if step.notifies_watchers else "DISABLED",
        }

    def _who(self, step: DefinitionStep) -> dict[str, Any]:
        """Return the members that differ from kind to kind, the action in the place that each gives it."""
        action = {"action": step.action.value}
        match step.kind:
            case StepKind.USER:
                return {**self._user_id(step), **action, **self._user_name(step), "lastUpdated": None}
            case StepKind.EMAIL:
                return {"email": step.email, **action}
            case StepKind.HTTP:
                return {
                    "name": step.name,
                    "httpMethod": step.http_method.value,
                    "urlTemplate": step.url_template,
                    "headersTemplate": step.headers_template,
                    "bodyTemplate": step.body_template,
                    **action,
                }
            case StepKind.GROUP:
                group = self.groups.get(step.group or "")
                group_id = {"groupId": group.id if group and group.id else step.group}
                return {**group_id, **action, **_votes(step, {"displayName": step.group})}
        # The vendor's spelling of steps by issue field is unknown; these two members are ours.
        field = {"fieldId": step.field_id, "resolution": step.resolution.value}
        return {**field, **action, **_votes(step, {})}

    def _path_step(self, step: PathStep, product: Product) -> dict[str, Any]:
        decided = {
            "decision": step.decision and step.decision.value,
            "decisionDate": step.decided_at and _spelt(step.decided_at),
        }
        if step.definition.kind is not StepKind.USER:
            shown = self._definition_step(step.definition)
            return {"type": shown.pop("type"), "status": step.status.value, **shown, **decided}
        return {
            "type": step.definition.kind.value,
            "status": step.status.value,
            **self._user_id(step.definition),
            **self._user_name(step.definition),
            "parallelGroupNumber": step.definition.parallel_group,
            **(self._avatars(step.definition) if product is Product.JIRA else {}),
            "action": step.definition.action.value,
            **decided,
            "lastUpdated": step.refreshed_at and _spelt_locally(step.refreshed_at),
        }

    def _user_id(self, step: DefinitionStep) -> dict[str, Any]:
        user = self.users.get(step.username or "")
        return {"userId": user.account_id if user and user.account_id else step.username}

    def _user_name(self, step: DefinitionStep) -> dict[str, Any]:
        user = self.users.get(step.username or "")
        return {"displayName": user.display_name if user else step.username}

    def _avatars(self, step: DefinitionStep) -> dict[str, Any]:
        picture = f"{self.base_url}/secure/useravatar?ownerId={quote(step.username or '', safe='')}&size="
        return {"avatarUrls": {size: picture + name for size, name in _AVATAR_SIZES.items()}}


def _votes(step: DefinitionStep, name: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "requiredVotes": step.required_votes,
        "requiredRejectVotes": step.required_reject_votes,
        **name,
        "approvalCreatorExcluded": step.is_creator_excluded,
        "skipFromApprovalWhenEmpty": step.is_skipped_when_empty,
    }


def _spelt(moment: datetime) -> str:
    """Return the moment as `2022-09-27T09:23:10.706+00:00`."""
    return moment.isoformat(timespec="milliseconds")


def _spelt_locally(moment: datetime) -> str:
    """Return the moment as `2022-09-26T17:32:42+02:00`, in the zone that is set."""
    local = clock.in_zone(moment, config.current().approval_path_time_zone)
    return local.isoformat(timespec="seconds")
