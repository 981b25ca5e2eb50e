"""The tables of JSM Operations: a frozen copy, independent of later changes of `store/tables.py`."""

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


class User(Table):
    """As far as the tables of this migration refer to it; made by the first one."""

    id = NumberField()
    username = TextField(unique=True)

    class Meta:
        table_name = "people_user"


class JsmSite(Table):
    cloud_id = TextField(primary_key=True)
    name = TextField()
    has_custom_roles = BooleanField()
    is_throttled = BooleanField()
    version = IntegerField()


class JsmSiteAdministrator(Table):
    site = reference(JsmSite, column_name="cloud_id", on_delete="CASCADE")
    position = IntegerField()
    username = reference(User, field="username", column_name="username", on_delete="CASCADE")

    class Meta:
        primary_key = CompositeKey("site", "position")
        indexes = ((("site", "username"), True),)


class CustomUserRole(Table):
    id = TextField(primary_key=True)
    site = reference(JsmSite, column_name="cloud_id", index=False)
    name = TextField()
    granted_rights = TextField()
    disallowed_rights = TextField()
    version = IntegerField()

    class Meta:
        indexes = ((("site", "name"), True), (("site", "id"), False))


class RoleAssignment(Table):
    site = reference(JsmSite, column_name="cloud_id")
    username = reference(User, field="username", column_name="username", on_delete="CASCADE")
    role = reference(CustomUserRole, index=True)

    class Meta:
        primary_key = CompositeKey("site", "username")


class JsmToken(Table):
    id = NumberField()
    token_digest = TextField(unique=True)
    username = reference(User, field="username", column_name="username", on_delete="CASCADE")
    label = TextField()
    scopes = TextField(null=True)
    created_at = BigIntegerField(null=True)
    expires_at = BigIntegerField(null=True)


TABLES: tuple[type[Table], ...] = (
    JsmSite, JsmSiteAdministrator, CustomUserRole, RoleAssignment, JsmToken,
)  # fmt: skip


def up(migrator, db):
    with db.bind_ctx((User, *TABLES)):
        db.create_tables(TABLES)


def down(migrator, db):
    with db.bind_ctx((User, *TABLES)):
        db.drop_tables(TABLES)
