"""What runs of approval paths send: the requests of their HTTP steps, and mails."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from peewee import Database, Query

from herzum_approval.domain.approval_paths import MailKind
from herzum_approval.domain.http_steps import CallState, HttpCall
from herzum_approval.store import approval_path_tables as path_tables
from herzum_approval.store.rows import entries
from herzum_approval.store.statements import list_size, run, slot, slots, spread

# -- HTTP steps -------------------------------------------------------------------------------


def find_call_ids(
    database: Database, *, path_id: int | None = None, state: CallState | None = None
) -> list[int]:
    """Return the ids of requests, in order: of a run, in a state, or all."""
    table = path_tables.HttpCall

    def build() -> Query:
        query = table.select(table.id).order_by(table.id)
        if path_id is not None:
            query = query.where(table.path == slot("path_id"))
        return query if state is None else query.where(table.state == slot("state"))

    values = {"path_id": path_id, "state": None if state is None else state.value}
    return [id for (id,) in run(database, ("find calls", path_id is None, state is None), build, values)]


def read_calls(database: Database, call_ids: Sequence[int]) -> list[HttpCall]:
    """Return the requests of these ids that there are, by id."""
    if not call_ids:
        return []
    table, size = path_tables.HttpCall, list_size(call_ids)
    rows = run(
        database,
        ("read calls", size),
        lambda: table.select(*table._meta.sorted_fields).where(table.id.in_(slots("id", size))),
        dict(spread("id", call_ids)),
    )
    return list(entries(HttpCall, table, rows))


def claim_call(database: Database, call: HttpCall, now: datetime) -> bool:
    """Say that the request is being sent now; return False where somebody else took it since it was read."""
    table = path_tables.HttpCall
    taken = table.update(claimed_at=now).where(
        table.id == call.id,
        table.state == CallState.WAITING.value,
        table.claimed_at.is_null() if call.claimed_at is None else table.claimed_at == call.claimed_at,
    )
    return bool(taken.execute(database))


def conclude_call(database: Database, before: HttpCall, after: HttpCall) -> bool:
    """Write what was answered; return False where the request is not in the state it was read in any more."""
    table = path_tables.HttpCall
    written = table.update(
        state=after.state.value, status=after.status, error=after.error, answered_at=after.answered_at
    ).where(table.id == before.id, table.state == before.state.value)
    return bool(written.execute(database))


# -- mails ------------------------------------------------------------------------------------


class UnsentMail(NamedTuple):
    """A mail that waits, with what it tells of."""

    id: int
    recipient: str
    kind: MailKind
    path_name: str
    summary: str


def read_unsent_mails(database: Database, after: int, limit: int) -> list[UnsentMail]:
    """Return mails about runs that were not sent, with ids above `after`, oldest first."""
    mail, path = path_tables.PathMail, path_tables.ApprovalPath
    rows = run(
        database,
        "unsent path mails",
        lambda: (
            mail.select(mail.id, mail.recipient, mail.kind, path.name, path.summary)
            .join(path)
            .where(mail.sent_at.is_null(), mail.id > slot("after"))
            .order_by(mail.id)
            .limit(slot("limit"))
        ),
        {"after": after, "limit": limit},
    )
    return [
        UnsentMail(id, recipient, MailKind(kind), name, summary)
        for id, recipient, kind, name, summary in rows
    ]


def mark_mail_sent(database: Database, mail_id: int, now: datetime) -> None:
    table = path_tables.PathMail
    table.update(sent_at=now).where(table.id == mail_id).execute(database)
