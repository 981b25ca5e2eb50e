"""What tables are made of: their base, and columns of kinds that Peewee does not have.

Moments are kept as milliseconds since the epoch (UTC), alike on every engine.
"""

from datetime import UTC, datetime
from typing import Any

from peewee import SQL, AutoField, BigIntegerField, ForeignKeyField, Model, NodeList, SqliteDatabase


class MomentField(BigIntegerField):
    """An aware datetime, kept as milliseconds since the epoch."""

    def db_value(self, value: datetime | None) -> int | None:
        return None if value is None else round(value.timestamp() * 1000)

    def python_value(self, value: int | None) -> datetime | None:
        return None if value is None else moment(value)


class NumberField(AutoField):
    """A number that the database gives; never one that a deleted row had."""

    def ddl(self, ctx: Any) -> Any:
        column = super().ddl(ctx)
        is_sqlite = isinstance(self.model._meta.database, SqliteDatabase)
        return NodeList((column, SQL("AUTOINCREMENT"))) if is_sqlite else column


def moment(milliseconds: int) -> datetime:
    """Return the moment so many milliseconds after the epoch, exact (no floating point)."""
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def reference(target: type[Model], **options: Any) -> ForeignKeyField:
    return ForeignKeyField(target, backref="+", lazy_load=False, **options)


class Table(Model):
    class Meta:
        legacy_table_names = False
