"""Delegations: who acts for whom."""

from peewee import SQL, Database, Query

from herzum_approval.domain.delegations import Delegation
from herzum_approval.store import tables
from herzum_approval.store.rows import entries
from herzum_approval.store.statements import run, slot


def find_delegations(database: Database, delegate: str) -> tuple[Delegation, ...]:
    """Return what was delegated to the user, by number. Whoever is inactive has nothing to pass on."""
    rows = run(database, "delegations", _delegations_query, {"delegate": delegate})
    return entries(Delegation, tables.Delegation, rows)


def _delegations_query() -> Query:
    table, delegator = tables.Delegation, tables.User
    return (
        table.select(*table._meta.sorted_fields)
        .join(delegator, on=table.delegator == delegator.username)
        .where(table.delegate == slot("delegate"), delegator.is_active == SQL("TRUE"))
        .order_by(table.id)
    )
