"""Delegations: who acts for whom."""

from peewee import Database

from herzum_approval.domain.delegations import Delegation
from herzum_approval.store import tables
from herzum_approval.store.site_rows import entries
from herzum_approval.store.statements import run, slot


def find_delegations(database: Database, delegate: str) -> tuple[Delegation, ...]:
    """Return what was delegated to the user, by number."""
    table = tables.Delegation
    rows = run(
        database,
        "delegations",
        lambda: table.select(*table._meta.sorted_fields).where(table.delegate == slot("delegate")),
        {"delegate": delegate},
    )
    return entries(Delegation, table, rows)
