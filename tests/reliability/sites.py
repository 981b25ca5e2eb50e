"""Sites for the tests of this folder, as snapshot documents: many issues, each with the same approvals."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from herzum_approval import store
from herzum_approval.domain.sites import Site
from herzum_approval.store.sites import read_site

TIMES = int(os.environ.get("RELIABILITY_ROUNDS", "1"))
"""How many times as many rounds as `make test` takes."""

OPEN, REVIEW, DONE = 1, 10000, 6
SUBMIT, ACCEPT, SEND_BACK, REOPEN = 11, 21, 31, 41

PROJECT, ISSUE_TYPE, MAPPING = 10000, 10002, 1
FIRST_ISSUE = 20001
WHEN = "2024-03-01T08:00:00.000Z"


def people(usernames: Iterable[str]) -> list[dict[str, Any]]:
    """Return accounts whose passwords are their usernames."""
    return [
        {"id": 100 + place, "username": name, "password": name, "display_name": name.title()}
        for place, name in enumerate(usernames)
    ]


def site(
    issue_count: int,
    approvals: Mapping[str, Sequence[str]],
    usernames: Sequence[str],
    *,
    settings: Mapping[str, Any] | None = None,
    configuration: Mapping[str, Any] | None = None,
    approved: Sequence[str] = (),
) -> dict[str, Any]:
    """Return a site whose issues all wait in Review for the approvals that Accept asks for.

    approvals: their names, each with the usernames of its approvers. settings: of the mapping.
    approved: names of approvals that the first user has approved everywhere.

    The records of one issue have successive ids, in the order of the approvals, from 1 on.
    """
    names = list(approvals)
    return {
        "format": "herzum-approval/1",
        "configuration": dict(configuration or {}),
        "users": people(usernames),
        "issue_types": [{"id": ISSUE_TYPE, "name": "Task"}],
        "statuses": [
            {"id": OPEN, "name": "Open"},
            {"id": REVIEW, "name": "Under Review"},
            {"id": DONE, "name": "Closed"},
        ],
        "workflows": [workflow()],
        "workflow_schemes": [{"id": 1, "name": "Scheme", "default_workflow_id": 1}],
        "projects": [
            {"id": PROJECT, "key": "REL", "name": "R", "workflow_scheme_id": 1, "browsers": ["anyone"]}
        ],
        "issues": [
            {
                "id": FIRST_ISSUE + place,
                "key": f"REL-{place + 1}",
                "project_id": PROJECT,
                "issue_type_id": ISSUE_TYPE,
                "status_id": REVIEW,
            }
            for place in range(issue_count)
        ],
        "approvals": [
            {
                "id": id,
                "name": name,
                "approvers": [{"kind": "user", "value": each} for each in approvals[name]],
            }
            for id, name in enumerate(names, start=1)
        ],
        "approval_mappings": [
            {
                "id": MAPPING,
                "project_id": PROJECT,
                "issue_type_id": ISSUE_TYPE,
                "source_status_id": REVIEW,
                "transition_id": ACCEPT,
                "settings": dict(settings or {}),
                "approvals": [{"approval_id": id} for id in range(1, len(names) + 1)],
            }
        ],
        "issue_approvals": [
            {
                "id": place * len(names) + number,
                "issue_id": FIRST_ISSUE + place,
                "approval_id": number,
                "mapping_id": MAPPING,
                "source_status_id": REVIEW,
                "transition_id": ACCEPT,
                "transition_name": "Accept",
                "submitted_at": WHEN,
                "settings": {"place": number, **_copied(settings or {})},
                **(_decided(usernames[0]) if name in approved else {}),
            }
            for place in range(issue_count)
            for number, name in enumerate(names, start=1)
        ],
    }


def workflow() -> dict[str, Any]:
    """Return Open → Review → Closed, with a way back from each."""
    return {
        "id": 1,
        "name": "Process",
        "status_ids": [OPEN, REVIEW, DONE],
        "transitions": [
            _transition(SUBMIT, "Submit", OPEN, REVIEW),
            _transition(ACCEPT, "Accept", REVIEW, DONE),
            _transition(SEND_BACK, "Send back", REVIEW, OPEN),
            _transition(REOPEN, "Reopen", DONE, REVIEW),
        ],
    }


def _transition(id: int, name: str, source: int, destination: int) -> dict[str, Any]:
    return {"id": id, "name": name, "source_status_ids": [source], "destination_status_id": destination}


def _copied(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what records take from their mapping; where a rejection leads is the mapping's alone."""
    return {name: value for name, value in settings.items() if name != "rejection_transition_id"}


def _decided(username: str) -> dict[str, Any]:
    return {"approval_status": "APPROVED", "decided_at": WHEN, "approver_username": username}


# -- looking at a site from beside its server -------------------------------------------------


@contextmanager
def opened(database_url: str) -> Iterator[None]:
    """Make the database at the address current within a `with` block."""
    database = store.open_database(database_url)
    try:
        with store.active(database):
            yield
    finally:
        database.close_all()


def whole_site() -> Site:
    """Return all that the current database holds."""
    with store.reading() as database:
        return read_site(database)
