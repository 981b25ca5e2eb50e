"""The table of API keys: a frozen copy, independent of later changes of `store/tables.py`."""

from typing import Any

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BooleanField,
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


class ApiKey(Model):
    id = NumberField()
    name = TextField()
    product = TextField()
    creator = TextField()
    key_id = TextField(index=True)
    ciphertext = TextField()
    digest = TextField(unique=True)
    created_at = BigIntegerField()
    modified_at = BigIntegerField()
    description = TextField()
    can_get_status = BooleanField()
    can_list_definitions = BooleanField()
    can_create = BooleanField()
    can_delete = BooleanField()
    performer_origin = TextField(null=True)
    performer_user = TextField(null=True)
    performer_field_id = TextField(null=True)
    performer_default_user = TextField(null=True)
    performer_group = TextField(null=True)
    valid_from = BigIntegerField(null=True)
    valid_until = BigIntegerField(null=True)
    allowed_ips = TextField()
    used_at = BigIntegerField(null=True)
    usage_count = BigIntegerField()
    version = IntegerField()

    class Meta:
        legacy_table_names = False


def up(migrator, db):
    with db.bind_ctx([ApiKey]):
        db.create_tables([ApiKey])


def down(migrator, db):
    with db.bind_ctx([ApiKey]):
        db.drop_tables([ApiKey])
