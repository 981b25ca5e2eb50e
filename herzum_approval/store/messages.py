"""Messages: the outbox."""

from datetime import datetime
from typing import NamedTuple

from peewee import JOIN, Database, Query

from herzum_approval.domain.history import MessageKind
from herzum_approval.store import tables
from herzum_approval.store.statements import run, slot


class Unsent(NamedTuple):
    """A message that waits, with what it tells of; empty texts where the issue approval is gone."""

    id: int
    recipient: str
    kind: MessageKind
    issue_key: str
    issue_summary: str
    approval_name: str
    approval_status: str
    issue_approval_id: int | None


def read_unsent(database: Database, after: int, limit: int) -> list[Unsent]:
    """Return messages that were not sent, with ids above `after`, oldest first."""
    rows = run(database, "unsent", _unsent, {"after": after, "limit": limit})
    return [
        Unsent(id, recipient, MessageKind(kind), key, summary, name or "", status or "", record_id)
        for id, recipient, kind, key, summary, name, status, record_id in rows
    ]


def _unsent() -> Query:
    message, issue = tables.Message, tables.Issue
    record, approval = tables.IssueApproval, tables.Approval
    return (
        message.select(
            message.id,
            message.recipient,
            message.kind,
            issue.key,
            issue.summary,
            approval.name,
            record.approval_status,
            message.issue_approval_id,
        )
        .join_from(message, issue)
        .join_from(message, record, JOIN.LEFT_OUTER, on=record.id == message.issue_approval_id)
        .join_from(record, approval, JOIN.LEFT_OUTER)
        .where(message.sent_at.is_null(), message.id > slot("after"))
        .order_by(message.id)
        .limit(slot("limit"))
    )


def find_addresses(database: Database, principal: str) -> list[str]:
    """Return the e-mail addresses of the active users that a principal stands for, each once."""
    user, membership, actor = tables.User, tables.Membership, tables.RoleActor
    of_group = user.select(user.id).join(membership).where(membership.group == slot("name"))
    principals = actor.select(actor.principal).where(
        actor.project == slot("project"), actor.role == slot("role")
    )
    kind, _, name = principal.partition(":")
    if kind == "role":
        project, _, role = name.partition("/")
        rows = run(
            database,
            "principals of role",
            lambda: principals.order_by(actor.principal),
            {"project": int(project), "role": int(role)},
        )
        found = [address for (each,) in rows for address in find_addresses(database, each)]
        return list(dict.fromkeys(found))
    condition = user.username == slot("name") if kind == "user" else user.id.in_(of_group)
    rows = run(
        database,
        ("addresses", kind),
        lambda: user.select(user.email).where(condition, user.is_active, user.email != "").order_by(user.id),
        {"name": name},
    )
    return [address for (address,) in rows]


def mark_sent(database: Database, message: Unsent, now: datetime) -> None:
    """Say that the message was sent; of a request, its issue approval shows when."""
    table, record = tables.Message, tables.IssueApproval
    table.update(sent_at=now).where(table.id == message.id).execute(database)
    if message.kind is not MessageKind.REQUEST:
        return
    record.update(notified_at=now, version=record.version + 1).where(
        record.id == message.issue_approval_id, record.notified_at.is_null()
    ).execute(database)
