"""Steps that inform of a success, of definitions and of runs, and the requests that they make.

Written as SQL: Peewee would build these tables anew on SQLite, and rows that refer to them would go.
"""

from peewee import SqliteDatabase

_LIST = "TEXT NOT NULL DEFAULT '[]'"


def _added(db):
    boolean = "INTEGER" if isinstance(db, SqliteDatabase) else "BOOLEAN"
    return (
        ("approval_definition", "success_steps", _LIST),
        ("approval_path", "success_steps", _LIST),
        ("http_call", "is_of_success", f"{boolean} NOT NULL DEFAULT FALSE"),
    )


def up(migrator, db):
    for table, column, kind in _added(db):
        db.execute_sql(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")


def down(migrator, db):
    for table, column, _ in _added(db):
        db.execute_sql(f"ALTER TABLE {table} DROP COLUMN {column}")
