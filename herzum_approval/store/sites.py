"""The whole site: read, captured as rows, and put back from rows."""

from collections.abc import Callable
from enum import Enum, auto

from peewee import AutoField, Database, Query, SqliteDatabase
from peewee import __exception_wrapper__ as translated_errors  # type: ignore[attr-defined]

from herzum_approval.domain.sites import Site
from herzum_approval.store import one_moment
from herzum_approval.store.approval_path_tables import ApprovalCondition, ApprovalDefinition, Page, Space
from herzum_approval.store.bulk_rows import entries_after
from herzum_approval.store.rows import Row, SiteRows, columns
from herzum_approval.store.site_rows import to_site
from herzum_approval.store.tables import (
    ALL_TABLES,
    ApiKey,
    Approval,
    ApprovalMapping,
    BulkEntry,
    CustomUserRole,
    JsmSite,
    SiteDocument,
    Table,
)

CHUNK = 10_000

Progress = Callable[[str, int, int], None]
"""Told of what is done: a name, how many of it so far, how many in all."""


def read_site(database: Database) -> Site:
    """Return the whole site, as it stands at one moment."""
    return to_site(capture(database))


def capture(database: Database) -> SiteRows:
    """Return all rows of all tables, as they stand at one moment."""
    with one_moment(database):
        return {table: _read(database, table) for table in ALL_TABLES}


def restore(database: Database, rows: SiteRows, progress: Progress | None = None) -> None:
    """Put the rows in the place of all that is there; the transaction is the caller's, alone."""
    version = _unused_version(database)
    rows = rows | {BulkEntry: entries_after(rows, version)}
    delete_all(database)
    _forget_numbering(database)
    done, told, total = 0, 0, sum(map(len, rows.values()))
    for table in ALL_TABLES:
        for start in range(0, len(rows[table]), CHUNK):
            chunk = rows[table][start : start + CHUNK]
            insert_rows(database, table, _versioned(table, chunk, version))
            done += len(chunk)
            if progress and (done - told >= CHUNK or done == total):
                progress("rows", done, total)
                told = done
    _continue_numbering(database)


def engine_faults(database: Database) -> list[str]:
    """Return what the engine itself finds wrong with its file; PostgreSQL watches itself."""
    if not isinstance(database, SqliteDatabase):
        return []
    damage = [text for (text,) in database.execute_sql("PRAGMA integrity_check") if text != "ok"]
    dangling = database.execute_sql("PRAGMA foreign_key_check").fetchall()
    return damage + [f"{table} row {row} refers to nothing in {target}" for table, row, target, _ in dangling]


# -- statements -------------------------------------------------------------------------------


class _Verb(Enum):
    SELECT = auto()
    INSERT = auto()
    DELETE = auto()


_texts: dict[tuple[type[Database], type[Table], _Verb], str] = {}


def _sql(database: Database, table: type[Table], verb: _Verb) -> str:
    """Return the text of a statement on whole rows of the table, made once."""
    key = (type(database), table, verb)
    if key not in _texts:
        _texts[key] = database.get_sql_context().sql(_query(table, verb)).query()[0]
    return _texts[key]


def _query(table: type[Table], verb: _Verb) -> Query:
    fields = table._meta.sorted_fields
    if verb is _Verb.INSERT:
        return table.insert_many([[None] * len(fields)], fields=fields)
    return table.delete() if verb is _Verb.DELETE else table.select(*fields)


def _unused_version(database: Database) -> int:
    """Return a version that nothing kept about an earlier state can have."""
    tables = " UNION ALL ".join(f"SELECT version FROM {table._meta.table_name}" for table in _VERSIONED)
    return 1 + (database.execute_sql(f"SELECT MAX(version) FROM ({tables}) AS versions").fetchone()[0] or 0)


_VERSIONED: tuple[type[Table], ...] = (
    SiteDocument, Approval, ApprovalMapping, JsmSite, CustomUserRole,
    ApiKey, Space, Page, ApprovalCondition, ApprovalDefinition,
)  # fmt: skip


def _versioned(table: type[Table], rows: list[Row], version: int) -> list[Row]:
    if table not in _VERSIONED:
        return rows
    place = columns(table).index("version")
    return [(*row[:place], version, *row[place + 1 :]) for row in rows]


def delete_all(database: Database) -> None:
    """Delete every row of every table; the transaction is the caller's."""
    for table in reversed(ALL_TABLES):
        database.execute_sql(_sql(database, table, _Verb.DELETE))


def insert_rows(database: Database, table: type[Table], rows: list[Row]) -> None:
    """Insert whole rows of the table."""
    with translated_errors:
        database.cursor().executemany(_sql(database, table, _Verb.INSERT), rows)


def _read(database: Database, table: type[Table]) -> list[Row]:
    return database.execute_sql(_sql(database, table, _Verb.SELECT)).fetchall()


def _forget_numbering(database: Database) -> None:
    """Let SQLite number after the highest id that comes now, as PostgreSQL does, not of all that ever was."""
    if isinstance(database, SqliteDatabase):
        database.execute_sql("DELETE FROM sqlite_sequence")


def _continue_numbering(database: Database) -> None:
    """Let new rows be numbered after the highest id; SQLite does so of its own."""
    if isinstance(database, SqliteDatabase):
        return
    names = [table._meta.table_name for table in ALL_TABLES if isinstance(table._meta.primary_key, AutoField)]
    database.execute_sql("SELECT " + ", ".join(map(_sequence_call, names)))


def _sequence_call(name: str) -> str:
    sequence = f"pg_get_serial_sequence('{name}', 'id')"
    highest = f"(SELECT MAX(id) FROM {name})"
    return f"setval({sequence}, COALESCE({highest}, 1), {highest} IS NOT NULL)"
