"""The tables of approval paths: a frozen copy, independent of later changes of the store's tables."""

from typing import Any

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BooleanField,
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


class Space(Table):
    id = NumberField()
    key = TextField(unique=True)
    name = TextField()
    version = IntegerField(default=1)


class Page(Table):
    id = NumberField()
    space = reference(Space, index=True)
    title = TextField()
    creator = TextField(null=True)
    modifier = TextField(null=True)
    version = IntegerField(default=1)


class PageComment(Table):
    id = NumberField()
    page = reference(Page, index=True, on_delete="CASCADE")
    author = TextField(null=True)
    body = TextField()
    created_at = BigIntegerField()


class ApprovalCondition(Table):
    id = NumberField()
    name = TextField(unique=True)
    jql = TextField()
    version = IntegerField(default=1)


class ApprovalDefinition(Table):
    id = NumberField()
    product = TextField()
    name = TextField()
    description = TextField()
    collection_id = IntegerField(null=True)
    condition_id = IntegerField(null=True)
    is_available_for_customers = BooleanField()
    steps = TextField()  # a JSON list
    rejection_steps = TextField()  # a JSON list
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("product", "collection_id", "id"), False),)


class ApprovalPath(Table):
    id = NumberField()
    product = TextField()
    definition_id = IntegerField()
    name = TextField()
    summary = TextField()
    collection_id = IntegerField()
    ref_id = IntegerField()
    started_by = TextField()
    started_at = BigIntegerField()
    modified_at = BigIntegerField()
    path_status = TextField()
    expires_at = BigIntegerField(null=True)
    allows_abstaining = BooleanField()
    steps = TextField()  # a JSON list
    rejection_steps = TextField()  # a JSON list
    version = IntegerField()

    class Meta:
        indexes = ((("product", "ref_id", "id"), False), (("path_status", "id"), False))


class HttpCall(Table):
    id = NumberField()
    path = reference(ApprovalPath, index=True, on_delete="CASCADE")
    position = IntegerField()
    is_of_rejection = BooleanField()
    created_at = BigIntegerField()
    method = TextField()
    url = TextField()
    headers = TextField()
    body = TextField()
    state = TextField()
    status = IntegerField(null=True)
    error = TextField(null=True)
    answered_at = BigIntegerField(null=True)
    claimed_at = BigIntegerField(null=True)

    class Meta:
        indexes = ((("state", "id"), False),)


class PathMail(Table):
    id = NumberField()
    path = reference(ApprovalPath, index=True, on_delete="CASCADE")
    position = IntegerField()
    recipient = TextField()
    kind = TextField()
    created_at = BigIntegerField()
    sent_at = BigIntegerField(null=True, index=True)


TABLES: tuple[type[Table], ...] = (
    Space, Page, PageComment, ApprovalCondition, ApprovalDefinition, ApprovalPath, HttpCall, PathMail,
)  # fmt: skip


def up(migrator, db):
    with db.bind_ctx(TABLES):
        db.create_tables(TABLES)


def down(migrator, db):
    with db.bind_ctx(TABLES):
        db.drop_tables(TABLES)
