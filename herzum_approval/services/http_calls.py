"""The requests of HTTP steps: looked at, answered by hand, and sent to hosts that a setting names."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from herzum_approval import clock, config
from herzum_approval.domain import approval_path_runs as runs
from herzum_approval.domain.approval_path_runs import Outcome
from herzum_approval.domain.approval_path_votes import Around
from herzum_approval.domain.approval_paths import ApprovalPath
from herzum_approval.domain.http_steps import CallState, HttpCall
from herzum_approval.domain.jira import LARGEST_ID
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.approval_paths import allowed_hosts, changed
from herzum_approval.services.http_sender import Limits, SendingError, send
from herzum_approval.services.pages import Listed, Wish, listed
from herzum_approval.store import path_sendings as stored
from herzum_approval.store import reading, writing

logger = logging.getLogger(__name__)

_LONGEST_ERROR = 500
_GIVEN_UP_AFTER = timedelta(minutes=5)
"""After how long a request is sent again whose sender never said what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilters:
    """Which requests are wanted; None leaves a filter out."""

    path_id: int | None = None
    state: CallState | None = None


class Delivery(NamedTuple):
    """How a delivery ended: requests that were answered, and that were not."""

    answered: int
    failed: int


def find_calls(filters: CallFilters, wish: Wish) -> Listed[HttpCall]:
    """Return requests by id."""
    with reading(at_one_moment=True) as database:
        ids = stored.find_call_ids(database, path_id=filters.path_id, state=filters.state)
        return listed(ids, wish, lambda chunk: stored.read_calls(database, chunk))


def show_call(call_id: int) -> HttpCall:
    """Return the request. Raises: CALL_UNKNOWN."""
    with reading() as database:
        return _call(database, call_id)


def answer_call(call_id: int, status: int) -> HttpCall:
    """Say what was answered to a request that has no answer yet, and return it; the step is decided.

    status: of HTTP. Raises: CALL_UNKNOWN, CALL_DECIDED.
    """
    now = clock.now()
    before = show_call(call_id)
    after = replace(before, state=CallState.ANSWERED, status=status, answered_at=now)
    if before.is_decided or not _conclude(before, after, now):
        raise Problem(Fault.CALL_DECIDED, id=call_id)
    return after


def _call(database: Any, call_id: int) -> HttpCall:
    for call in stored.read_calls(database, [call_id] if call_id <= LARGEST_ID else []):
        return call
    raise Problem(Fault.CALL_UNKNOWN, id=call_id)


def _conclude(before: HttpCall, after: HttpCall, now: datetime) -> bool:
    """Write an answer, and what it decides; return False where one is there, or the run is gone."""

    def work(database: Any) -> bool:
        is_first = True

        def happen(path: ApprovalPath, around: Around) -> Outcome:
            nonlocal is_first
            is_first = stored.conclude_call(database, before, after)
            return runs.answer(path, after, around=around, now=now) if is_first else Outcome(path=path)

        try:
            changed(database, before.path_id, happen)
        except Problem as problem:
            if problem.fault is not Fault.PATH_UNKNOWN:
                raise
            return False
        return is_first

    return writing(work, is_daily=True)


# -- sending ----------------------------------------------------------------------------------


def deliver() -> Delivery:
    """Send each request that waits, oldest first, and let its answer decide in a transaction of its own.

    A request is taken before it is sent, so that two deliveries at once send it once. One whose sender
    died is sent again later rather than lost.
    """
    answered = failed = 0
    with reading() as database:
        waiting = stored.find_call_ids(database, state=CallState.WAITING)
    for call_id in waiting:
        call = _taken(call_id)
        if call is None:
            continue
        concluded = _sent(call, clock.now)
        if _conclude(call, concluded, concluded.answered_at or clock.now()):
            is_answered = concluded.state is CallState.ANSWERED
            answered, failed = answered + is_answered, failed + (not is_answered)
    return Delivery(answered, failed)


def _taken(call_id: int) -> HttpCall | None:
    """Return the request, taken for sending; None where somebody else has it, or it is gone."""
    now = clock.now()

    def work(database: Any) -> HttpCall | None:
        for call in stored.read_calls(database, [call_id]):
            is_claimed = call.claimed_at is not None and now - call.claimed_at < _GIVEN_UP_AFTER
            if call.state is not CallState.WAITING or is_claimed:
                return None
            if stored.claim_call(database, call, now):
                return replace(call, claimed_at=now)
        return None

    return writing(work, is_daily=True)


def _sent(call: HttpCall, now: Callable[[], datetime]) -> HttpCall:
    settings = config.current()
    limits = Limits(
        seconds=settings.approval_path_http_timeout_seconds,
        answer_bytes=settings.approval_path_http_max_bytes,
    )
    try:
        status = send(call, allowed_hosts(settings.approval_path_http_hosts), limits)
    except SendingError as error:
        logger.warning("an HTTP step has no answer", extra={"call_id": call.id, "reason": str(error)})
        reason = str(error)[:_LONGEST_ERROR]
        return replace(call, state=CallState.FAILED, error=reason, answered_at=now())
    return replace(call, state=CallState.ANSWERED, status=status, answered_at=now())
