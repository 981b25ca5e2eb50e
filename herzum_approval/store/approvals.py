"""Approvals: the definitions."""

from peewee import Database

from herzum_approval.store.statements import run, slot
from herzum_approval.store.tables import Approval


def find_approval_ids(database: Database, name_key: str) -> tuple[int, ...]:
    """Return the ids of the approvals of that name, letter case aside. name_key: `people.folded` name."""
    rows = run(
        database,
        "approvals by name",
        lambda: Approval.select(Approval.id).where(Approval.name_key == slot("name")).order_by(Approval.id),
        {"name": name_key},
    )
    return tuple(id for (id,) in rows)
