"""What the tests of use cases share: the demonstration site, changed as examples change it."""

from dataclasses import replace
from itertools import cycle
from typing import Any

from herzum_approval import store
from herzum_approval.domain.actions import Action
from herzum_approval.domain.candidates import derive
from herzum_approval.domain.issue_approvals import ApprovalStatus, IssueApprovalView
from herzum_approval.domain.people import Actor
from herzum_approval.examples import merged
from herzum_approval.services import decisions, snapshot
from herzum_approval.services.decisions import Credentials
from herzum_approval.store import sites
from herzum_approval.store.site_rows import to_rows

AT = "2020-05-08T15:24:28Z"


def given(**parts: Any) -> None:
    """Lay parts of a snapshot document over what is there."""
    snapshot.import_all(merged(snapshot.export_all(), parts))


def grow(count: int) -> None:
    """Add so many issues like TEST-2 to the demonstration site, each with an issue approval of one approval.

    Issues have the ids from 20000 and the keys from TEST-100 on, issue approvals the ids from 1000 on.
    The four statuses take turns, and so do the approvals 1 and 3, and bob and carol as those who decided.
    """
    with store.reading() as database:
        small = sites.read_site(database)
    issue = next(each for each in small.issues if each.id == 12400)
    model = next(each for each in small.issue_approvals if each.id == 77)
    issues, records = [], []
    for number, status in zip(range(count), cycle(ApprovalStatus), strict=False):
        decided = None if status is ApprovalStatus.PENDING else model.submitted_at
        issues.append(replace(issue, id=20000 + number, key=f"TEST-{100 + number}"))
        records.append(
            replace(
                model,
                id=1000 + number,
                issue_id=20000 + number,
                approval_id=(1, 3)[number % 2],
                approval_status=status,
                decided_at=decided,
                approver_username=decided and ("bob", "carol")[number // 4 % 2],
            )
        )
    grown = replace(
        small, issues=(*small.issues, *issues), issue_approvals=(*small.issue_approvals, *records)
    )
    store.writing(lambda database: sites.restore(database, to_rows(grown, derive(grown))), alone=True)


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
