"""A site of many records, made without asking anybody to decide them."""

from typing import Any

PAIRS = 5000
"""Approvals of two records each, of which the approver is `pairN`."""

FIFTIES = 1000
"""Approvals of fifty records each, of which the approver is `fiftyN`."""

OPEN, DONE = 1, 2
APPROVE, REJECT = 11, 12
PASSWORD_HASH_COST = 4


def many_records(count: int, pairs: int = PAIRS, fifties: int = FIFTIES) -> dict[str, Any]:
    """Return a site with so many pending issue approvals; those of no pair and no fifty are `rest`'s."""
    sizes = [2] * pairs + [50] * fifties
    rest = count - sum(sizes)
    assert rest >= 0
    names = [f"pair{n}" for n in range(pairs)] + [f"fifty{n}" for n in range(fifties)] + ["rest"]
    owners = [place for place, size in enumerate(sizes) for _ in range(size)]
    # Spread, as records of one approver are in a database that grew.
    owners = [owners[(place * 7919) % len(owners)] for place in range(len(owners))] if owners else []
    owners += [len(sizes)] * rest
    return {
        "format": "herzum-approval/1",
        "groups": [{"name": "jira-administrators"}, {"name": "jira-software-users"}],
        "users": [
            {"id": 1, "username": "admin", "display_name": "Admin", "password": "admin",
             "groups": ["jira-administrators", "jira-software-users"]},
            *({"id": 2 + n, "username": name, "display_name": name} for n, name in enumerate(names)),
        ],
        "issue_types": [{"id": 1, "name": "Task"}],
        "statuses": [{"id": OPEN, "name": "Open"}, {"id": DONE, "name": "Done"}],
        "workflows": [
            {
                "id": 1, "name": "Flow", "status_ids": [OPEN, DONE],
                "transitions": [
                    {"id": APPROVE, "name": "Approve", "source_status_ids": [OPEN],
                     "destination_status_id": DONE},
                    {"id": REJECT, "name": "Reject", "source_status_ids": [OPEN],
                     "destination_status_id": OPEN},
                ],
            }
        ],
        "workflow_schemes": [{"id": 1, "name": "Scheme", "default_workflow_id": 1}],
        "projects": [
            {"id": 1, "key": "BIG", "name": "Big", "workflow_scheme_id": 1, "browsers": ["anyone"]}
        ],
        "issues": [
            {"id": n + 1, "key": f"BIG-{n + 1}", "project_id": 1, "issue_type_id": 1, "status_id": OPEN,
             "summary": f"Issue {n + 1}"}
            for n in range((count + 1) // 2)
        ],
        "approvals": [
            {"id": n + 1, "name": f"Approval of {name}", "approvers": [
                {"kind": "user", "value": name}, {"kind": "user", "value": "admin"}]}
            for n, name in enumerate(names)
        ],
        "approval_mappings": [],
        "issue_approvals": [
            {
                "id": n + 1, "issue_id": n // 2 + 1, "approval_id": owner + 1, "source_status_id": OPEN,
                "transition_id": APPROVE, "transition_name": "Approve",
                "submitted_at": "2026-01-01T00:00:00.000Z",
            }
            for n, owner in enumerate(owners)
        ],
    }  # fmt: skip
