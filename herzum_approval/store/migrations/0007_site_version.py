"""The version of the site: a frozen copy, independent of later changes of `store/tables.py`."""

from peewee import BigIntegerField, IntegerField, Model


class SiteVersion(Model):
    id = IntegerField(primary_key=True)
    version = BigIntegerField()

    class Meta:
        legacy_table_names = False


def up(migrator, db):
    with db.bind_ctx([SiteVersion]):
        db.create_tables([SiteVersion])


def down(migrator, db):
    with db.bind_ctx([SiteVersion]):
        db.drop_tables([SiteVersion])
