"""The tables of bulk operations: a frozen copy, independent of later changes of `store/tables.py`."""

from typing import Any

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BooleanField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    NodeList,
    SqliteDatabase,
    TextField,
)


class NumberField(AutoField):
    def ddl(self, ctx: Any) -> Any:
        column = super().ddl(ctx)
        is_sqlite = isinstance(self.model._meta.database, SqliteDatabase)
        return NodeList((column, SQL("AUTOINCREMENT"))) if is_sqlite else column


def reference(target: type[Model], **options: Any) -> ForeignKeyField:
    return ForeignKeyField(target, backref="+", lazy_load=False, **options)


class Table(Model):
    class Meta:
        legacy_table_names = False


class BulkOperation(Table):
    id = NumberField()
    at = BigIntegerField()
    username = TextField()
    operation = TextField()
    type = TextField()
    affected = IntegerField()
    skipped = IntegerField()
    request = TextField()  # a JSON object
    undone_at = BigIntegerField(null=True)
    undone_by = TextField(null=True)


class BulkEntry(Table):
    operation = reference(BulkOperation, on_delete="CASCADE")
    position = IntegerField()
    project_id = IntegerField()
    issue_type_id = IntegerField()
    source_status_id = IntegerField()
    transition_id = IntegerField()
    effect = TextField()
    reason = TextField()
    source_mapping_id = IntegerField(null=True)
    drops_rejection_transition = BooleanField()
    mapping_id = IntegerField(null=True)
    mapping_version = IntegerField(null=True)
    before = TextField(null=True)

    class Meta:
        primary_key = CompositeKey("operation", "position")


class BulkRecord(Table):
    operation = reference(BulkOperation, on_delete="CASCADE")
    issue_approval_id = IntegerField()
    issue_id = IntegerField()
    before = TextField(null=True)
    version = IntegerField(null=True)
    issue_version = IntegerField()

    class Meta:
        primary_key = CompositeKey("operation", "issue_approval_id")
        indexes = ((("operation", "issue_id"), False),)


TABLES: tuple[type[Table], ...] = (BulkOperation, BulkEntry, BulkRecord)


def up(migrator, db):
    with db.bind_ctx(TABLES):
        db.create_tables(TABLES)


def down(migrator, db):
    with db.bind_ctx(TABLES):
        db.drop_tables(TABLES)
