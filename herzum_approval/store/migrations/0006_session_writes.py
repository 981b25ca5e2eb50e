"""When a session last wrote something."""

from peewee import BigIntegerField


def up(migrator, db):
    migrator.migrate(migrator.add_column("session", "wrote_at", BigIntegerField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("session", "wrote_at"))
