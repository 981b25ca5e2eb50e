"""Logins: the one place where a password is checked, the lock after failures, and sessions."""

import hashlib
import logging
import secrets
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
from typing import Any

from herzum_approval import clock, config, metrics
from herzum_approval.domain.people import Account, Actor, LoginRecord, Session, folded
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import answers, passwords
from herzum_approval.services.credentials import CredentialMemory
from herzum_approval.store import people as stored
from herzum_approval.store import reading, watch_writes, writing
from herzum_approval.store import sessions as stored_sessions
from herzum_approval.store.sessions import Use

logger = logging.getLogger(__name__)

_DOUBT = timedelta(seconds=10)
"""A check that took longer than this was never finished, and counts as the failure it was counted as."""

_TURNS = tuple(threading.Lock() for _ in range(1024))
_POLL_SECONDS = 0.02
_TRIES = 3
_TOUCH = timedelta(minutes=1)
_EXPIRED_AT_ONCE = 100
_LOGGED_LENGTH = 100

_memory = CredentialMemory()


class Outcome(Enum):
    """How a password check ended; each door has its own words for it."""

    OK = auto()
    FAILED = auto()
    DENIED = auto()  # too many failures: the password was not even looked at


@dataclass(frozen=True, slots=True)
class LoginResult:
    """actor: who it is, where the outcome is OK."""

    outcome: Outcome
    actor: Actor | None = None


_FAILED = LoginResult(Outcome.FAILED)
_DENIED = LoginResult(Outcome.DENIED)


# -- passwords --------------------------------------------------------------------------------


def verify_password(username: str, password: str, *, use_cache: bool = True) -> LoginResult:
    """Return whether the password is that of the user; every door asks here.

    An attempt is counted as failed before its password is hashed, so that guesses made at once
    cannot outrun the count. One user's passwords are checked one at a time in each process.
    use_cache: a password verified less than a minute ago need not be hashed again. Such a success
        is not counted and does not clear earlier failures.

    Raises: BUSY where other processes still check this user's passwords, or the database is busy.
    Source: Jira's CAPTCHA after failed logins; the counting is ours.
    """
    username_key = folded(username)
    known = _recall(username_key, password) if use_cache else None
    if known is not None:
        return known
    if use_cache:
        metrics.count_cache_misses("credentials")
    with _TURNS[hash(username_key) % len(_TURNS)]:
        # Whoever had the turn before may have verified the same password.
        known = _recall(username_key, password) if use_cache else None
        result = known or _check(username_key, password)
    metrics.count_login(result.outcome.name.lower())
    logger.info("login %s", result.outcome.name, extra={"username": username[:_LOGGED_LENGTH]})
    return result


def recall(username: str, password: str) -> Actor | None:
    """Return who it is where the password was verified lately, else None; nothing is counted."""
    username_key = folded(username)
    account = answers.kept(("account", username_key), lambda: _find_account(username_key))
    known = _known(account, password)
    return None if known is None else known.actor


def _recall(username_key: str, password: str) -> LoginResult | None:
    return _known(_find_account(username_key), password)


def _known(account: Account | None, password: str) -> LoginResult | None:
    """Return the success of lately, unless the user is locked out, gone, or has a new password."""
    if account is None or account.failed_count >= config.current().failed_logins_allowed:
        return None
    if not _memory.knows(account.password_hash, password):
        return None
    metrics.count_cache_hits("credentials")
    return _success(account)


def _check(username_key: str, password: str) -> LoginResult:
    """Hash once, for unknown users too; not at all where the user is locked out."""
    settings = config.current()
    patience = clock.monotonic() + settings.database_wait_seconds
    while (account := _find_account(username_key)) is not None:
        if account.failed_count < settings.failed_logins_allowed:
            if _count_attempt(account.username):
                return _compare(account, password)
        elif _is_locked(account, clock.now()):
            return _DENIED
        elif clock.monotonic() > patience:
            raise Problem(Fault.BUSY)
        else:
            time.sleep(_POLL_SECONDS)
    passwords.check_password(password, passwords.dummy_hash())
    return _FAILED


def _count_attempt(username: str) -> bool:
    now = clock.now()
    return writing(
        lambda database: stored.count_attempt(
            database,
            username,
            limit=config.current().failed_logins_allowed,
            now=now,
            doubtful_since=now - _DOUBT,
        ),
        is_daily=True,
    )


def _is_locked(account: Account, now: datetime) -> bool:
    """Return whether the failures alone lock the user out, without what is still being checked."""
    is_checking = account.attempted_at is not None and account.attempted_at > now - _DOUBT
    failures = account.failed_count - (account.unresolved_count if is_checking else 0)
    return failures >= config.current().failed_logins_allowed


def _compare(account: Account, password: str) -> LoginResult:
    """Check the password of a counted attempt and resolve the count.

    Raises: BUSY where the account's hash changed under each try.
    """
    current: Account | None = account
    for _ in range(_TRIES):
        if current is None or not passwords.check_password(password, current.password_hash):
            writing(
                lambda database: stored.record_failure(database, account.username, clock.now()), is_daily=True
            )
            return _FAILED
        if _resolve_success(current, password):
            return _success(current)
        # The hash changed while it was checked: the user has a new password, or a stronger hash.
        current = _find_account(folded(account.username))
    # Each hash was matched, and each was gone by then: nobody can say that the password is wrong.
    writing(lambda database: stored.withdraw_attempt(database, account.username), is_daily=True)
    raise Problem(Fault.BUSY)


def _resolve_success(account: Account, password: str) -> bool:
    """Record the success, renew an outdated hash, and remember the credential."""
    old_hash = account.password_hash
    new_hash = passwords.hash_password(password) if passwords.is_outdated(old_hash) else old_hash
    now = clock.now()

    def work(database: Any) -> bool:
        if not stored.exchange_password_hash(database, account.username, old_hash, new_hash):
            return False
        stored.record_success(database, account.username, now)
        return True

    if not writing(work, is_daily=True):
        return False
    _memory.remember(new_hash, password, config.current().credential_cache_seconds)
    return True


def _find_account(username_key: str) -> Account | None:
    with reading() as database:
        return stored.find_account(database, username_key)


def _success(account: Account) -> LoginResult:
    return LoginResult(Outcome.OK, Actor(username=account.username, display_name=account.display_name))


def forget_credentials() -> None:
    """Forget every remembered credential, so that the next check of each hashes again."""
    _memory.clear()


# -- sessions ---------------------------------------------------------------------------------


def open_session(actor: Actor, *, replacing: str | None = None) -> str:
    """Sign the actor in and return the new session's id, of which only a digest is kept.

    replacing: the id of a session that ends by this login.
    """
    token = secrets.token_urlsafe(24)
    now = clock.now()
    session = Session(token_digest=_digest(token), username=actor.username, created_at=now, seen_at=now)
    settings = config.current()
    longest = timedelta(seconds=max(settings.session_idle_seconds, settings.session_absolute_seconds))

    def work(database: Any) -> None:
        stored_sessions.delete_unseen_sessions(database, seen_before=now - longest, at_most=_EXPIRED_AT_ONCE)
        if replacing is not None:
            stored_sessions.delete_session(database, _digest(replacing))
        stored_sessions.add_session(database, session)

    writing(work, is_daily=True)
    return token


def session_actor(token: str) -> Actor | None:
    """Return who is signed in by the session; None where it is unknown, expired, or its user inactive."""
    digest = _digest(token)
    found = _find_session(digest)
    now = clock.now()
    if found is None or not _is_alive(found, now):
        return None
    if now - found.seen_at >= _TOUCH:
        _touch(digest, now)
    if not config.current().database_read_url:
        return found.actor
    watch_writes(partial(_note_write, digest))
    return replace(found.actor, may_lag=_wrote_long_ago(found.wrote_at, now))


def _note_write(token_digest: str, database: Any) -> None:
    stored_sessions.note_write(database, token_digest, clock.now())


def _wrote_long_ago(wrote_at: datetime | None, now: datetime) -> bool:
    """Return whether a copy has all that was written then."""
    lag = timedelta(seconds=config.current().database_read_after_write_seconds)
    return wrote_at is None or now - wrote_at > lag


def recall_session(token: str) -> Actor | None:
    """Return who is signed in by the session, where its use was noted lately; else None.

    None too where there is a copy of the database: whether to search that is found out by `session_actor`.
    """
    if config.current().database_read_url:
        return None
    digest = _digest(token)
    found = answers.kept(("session", digest), lambda: _find_session(digest))
    now = clock.now()
    if found is None or now - found.seen_at >= _TOUCH or not _is_alive(found, now):
        return None
    return found.actor


def _find_session(token_digest: str) -> Use | None:
    with reading() as database:
        return stored_sessions.find_session(database, token_digest)


def _is_alive(session: Use, now: datetime) -> bool:
    settings = config.current()
    return now - session.created_at < timedelta(
        seconds=settings.session_absolute_seconds
    ) and now - session.seen_at < timedelta(seconds=settings.session_idle_seconds)


def _touch(token_digest: str, now: datetime) -> None:
    try:
        writing(lambda database: stored_sessions.touch_session(database, token_digest, now), is_daily=True)
    except Problem:
        # The next request notes it; a busy database is no reason to refuse this one.
        logger.warning("a session's use could not be noted", exc_info=True)


def close_session(token: str) -> None:
    """Sign out: the session's id is dead from now on, if it ever was alive."""
    writing(lambda database: stored_sessions.delete_session(database, _digest(token)), is_daily=True)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


# -- what administrators do -------------------------------------------------------------------


def login_info(username: str) -> LoginRecord:
    """Return what is counted about the user's logins. username: as the account spells it."""
    with reading() as database:
        return stored.read_login_record(database, username)


def unlock(username: str) -> bool:
    """Clear the failures that lock the user out; return whether there is such a user."""
    found = _spelling(username)
    if found is not None:
        writing(lambda database: stored.clear_failures(database, found), is_daily=True)
        logger.info("login unlocked", extra={"username": found})
    return found is not None


def set_password(username: str, password: str) -> bool:
    """Give the user a new password and end all their sessions; return whether there is such a user.

    Failures that lock the user out stay counted: `unlock` clears them.
    Raises: ValueError where the password is no Unicode text.
    """
    found = _spelling(username)
    if found is None:
        return False
    password_hash = passwords.hash_password(password)

    def work(database: Any) -> None:
        stored.set_password_hash(database, found, password_hash)
        stored_sessions.delete_sessions_of(database, found)

    writing(work)
    logger.info("password changed", extra={"username": found})
    return True


def deactivate(username: str) -> bool:
    """Bar the user from every login and end all their sessions; return whether there is such a user."""
    found = _spelling(username)
    if found is None:
        return False

    def work(database: Any) -> None:
        stored.set_inactive(database, found)
        stored_sessions.delete_sessions_of(database, found)

    writing(work)
    logger.info("user deactivated", extra={"username": found})
    return True


def _spelling(username: str) -> str | None:
    """Return the name as the account spells it."""
    with reading() as database:
        user = stored.find_user(database, folded(username))
    return None if user is None else user.username
