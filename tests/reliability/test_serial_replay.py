"""C2: whatever happened at once could have happened one after another."""

import random
import threading
from collections import Counter
from functools import partial

import pytest
from peewee import Database

from herzum_approval import config, store
from herzum_approval.domain.actions import Action
from herzum_approval.domain.history import EventKind
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import decisions, issues, snapshot
from herzum_approval.services.databases import find_faults
from herzum_approval.services.decisions import Credentials
from tests.reliability.replay import assert_replays
from tests.reliability.sites import (
    ACCEPT,
    FIRST_ISSUE,
    REOPEN,
    SEND_BACK,
    SUBMIT,
    TIMES,
    site,
    whole_site,
)
from tests.reliability.traffic import at_once, rounds

SEEDS = 25 * TIMES
"""Of each site on each engine; a seed is an issue, and what everybody does to it."""

APPROVERS = ["alice", "bob", "carol", "dave", "erin"]
SUPER_APPROVER = "frank"
ACTIONS_OF_ONE = 5
DECISIONS = {EventKind.APPROVED, EventKind.REJECTED, EventKind.ABSTAINED, EventKind.PENDING}
REFUSALS = {Fault.ACTION_UNAUTHORIZED, Fault.TRANSITION_NOT_AVAILABLE}

TWO_OF_FIVE = {"minimum_approbations": 2.0, "minimum_rejections": 2.0}
BY_THEMSELVES = {
    "transitions_on_approbations": True,
    "transitions_on_rejections": True,
    "rejection_transition_id": SEND_BACK,
}
UNMOVED = "nobody moves"
SITES = {
    UNMOVED: (TWO_OF_FIVE, {}),
    "two move": (TWO_OF_FIVE | BY_THEMSELVES, {"do_minimums_drive_transitions": True}),
    "in sequence": (
        TWO_OF_FIVE | BY_THEMSELVES | {"is_sequential": True, "opens_after_any_decision": True},
        {"do_minimums_drive_transitions": True},
    ),
    "locked after all replies": (
        TWO_OF_FIVE | BY_THEMSELVES | {"waits_for_all_replies": True},
        {"do_minimums_drive_transitions": True, "is_reversing_locked": True},
    ),
}


@pytest.mark.parametrize("name", SITES)
def test_c2_there_is_a_serial_order(engine: Database, settings: config.Settings, name: str) -> None:
    mapping_settings, switches = SITES[name]
    configuration = {"is_abstain_enabled": True, "super_approver_users": [SUPER_APPROVER], **switches}
    approvals = {f"by {username}": [username] for username in APPROVERS}
    usernames = [*APPROVERS, SUPER_APPROVER]
    snapshot.import_all(
        site(SEEDS, approvals, usernames, settings=mapping_settings, configuration=configuration)
    )
    before = whole_site()
    barrier = threading.Barrier(len(usernames))

    done = at_once(partial(play, name, username, engine, settings, barrier) for username in usernames)

    after = whole_site()
    assert_replays(before, after)
    assert find_faults() == []
    decisions_on = Counter(event.issue_approval_id for event in after.history if event.kind in DECISIONS)
    assert decisions_on.total() == sum(done)
    if name == UNMOVED:
        versions = {record.id: record.version - 1 for record in after.issue_approvals}
        assert Counter(versions) == decisions_on


def play(
    name: str, username: str, database: Database, settings: config.Settings, barrier: threading.Barrier
) -> int:
    """Do what the seeds say to each issue in turn; return how many decisions were taken."""
    with store.active(database), config.active(settings):
        return sum(rounds(barrier, range(SEEDS), partial(play_seed, name, username)))


def play_seed(name: str, username: str, seed: int) -> int:
    dice = random.Random(f"{name} {username} {seed}")
    return sum(do_something(name, username, seed, dice) for _ in range(ACTIONS_OF_ONE))


def do_something(name: str, username: str, seed: int, dice: random.Random) -> bool:
    """Act on a record of the issue, or now and then move it; return whether a decision was taken."""
    actor = Actor(username=username, display_name=username)
    own = APPROVERS.index(username) if username in APPROVERS else dice.randrange(len(APPROVERS))
    try:
        if name != UNMOVED and dice.random() < 0.2:
            issues.transition(
                actor, str(FIRST_ISSUE + seed), dice.choice([SUBMIT, ACCEPT, SEND_BACK, REOPEN])
            )
            return False
        decisions.act(
            actor,
            seed * len(APPROVERS) + own + 1,
            dice.choice([Action.APPROVE, *Action]),
            credentials=Credentials(),
            comment=None,
        )
    except Problem as problem:
        if problem.fault not in REFUSALS:
            raise
        return False
    return True
