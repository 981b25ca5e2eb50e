"""Sessions, found by the digest of their id."""

from datetime import datetime
from typing import NamedTuple

from peewee import Database, Query, Value

from herzum_approval.domain.people import Actor, Session
from herzum_approval.store.statements import run, slot
from herzum_approval.store.tables import Session as SessionTable
from herzum_approval.store.tables import User, moment


def add_session(database: Database, session: Session) -> None:
    SessionTable.insert(
        token_digest=session.token_digest,
        username=session.username,
        created_at=session.created_at,
        seen_at=session.seen_at,
        wrote_at=session.wrote_at,
    ).execute(database)


class Use(NamedTuple):
    """A session of an active user. wrote_at: when it last wrote something, if that is kept."""

    actor: Actor
    created_at: datetime
    seen_at: datetime
    wrote_at: datetime | None


def find_session(database: Database, token_digest: str) -> Use | None:
    """Return the session, expired or not, if its user is active."""
    rows = run(database, "find session", _session_query, {"token_digest": token_digest})
    if not rows:
        return None
    username, display_name, created_at, seen_at, wrote_at = rows[0]
    actor = Actor(username=username, display_name=display_name, session_digest=token_digest)
    return Use(actor, moment(created_at), moment(seen_at), None if wrote_at is None else moment(wrote_at))


def _session_query() -> Query:
    session = SessionTable
    return (
        session.select(
            session.username, User.display_name, session.created_at, session.seen_at, session.wrote_at
        )
        .join(User)
        .where(session.token_digest == slot("token_digest"), User.is_active == Value(True))
    )


def touch_session(database: Database, token_digest: str, now: datetime) -> None:
    """Note that the session was used; an older note never replaces a younger one."""
    SessionTable.update(seen_at=now).where(
        SessionTable.token_digest == token_digest, SessionTable.seen_at < now
    ).execute(database)


def note_write(database: Database, token_digest: str, now: datetime) -> None:
    """Note that the session wrote something."""
    SessionTable.update(wrote_at=now).where(SessionTable.token_digest == token_digest).execute(database)


def delete_session(database: Database, token_digest: str) -> None:
    SessionTable.delete().where(SessionTable.token_digest == token_digest).execute(database)


def delete_sessions_of(database: Database, username: str) -> None:
    SessionTable.delete().where(SessionTable.username == username).execute(database)


def delete_unseen_sessions(database: Database, *, seen_before: datetime, at_most: int) -> int:
    """Delete some of the sessions not seen for long, and return how many."""
    unseen = (
        SessionTable.select(SessionTable.token_digest)
        .where(SessionTable.seen_at < seen_before)
        .order_by(SessionTable.seen_at)
        .limit(at_most)
    )
    return int(SessionTable.delete().where(SessionTable.token_digest.in_(unseen)).execute(database))
