"""What the tests of use cases share: the demonstration site, changed as examples change it."""

from typing import Any

from herzum_approval.domain.actions import Action
from herzum_approval.domain.issue_approvals import IssueApprovalView
from herzum_approval.domain.people import Actor
from herzum_approval.examples import merged
from herzum_approval.services import decisions, snapshot
from herzum_approval.services.decisions import Credentials

AT = "2020-05-08T15:24:28Z"


def given(**parts: Any) -> None:
    """Lay parts of a snapshot document over what is there."""
    snapshot.import_all(merged(snapshot.export_all(), parts))


def decided(record_id: int, status: str, by: str = "admin") -> dict[str, Any]:
    """Return what to give for a decided record."""
    return {"id": record_id, "approval_status": status, "approver_username": by, "decided_at": AT}


def actor(username: str) -> Actor:
    return Actor(username=username, display_name=username.capitalize())


def act(
    who: str, record_id: int, action: Action, comment: str | None = None, **credentials: str
) -> IssueApprovalView:
    return decisions.act(
        actor(who), record_id, action, credentials=Credentials(**credentials), comment=comment
    )


def record(record_id: int) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for each in snapshot.export_all()["issue_approvals"] if each["id"] == record_id
    )
    return found
