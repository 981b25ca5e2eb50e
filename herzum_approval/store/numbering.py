"""Numbers for new rows, handed out before the rows are written; no number is ever given twice."""

from collections.abc import Sequence

from peewee import Database, SqliteDatabase

from herzum_approval.store.tables import ApprovalMapping, Table


def reserve_ids(database: Database, table: type[Table], count: int) -> Sequence[int]:
    """Return so many ids that no row of the table has, had or will be given otherwise."""
    name = table._meta.table_name
    if isinstance(database, SqliteDatabase):
        return _from_sqlite(database, name, count)
    sequence = f"pg_get_serial_sequence('{name}', 'id')"
    rows = database.execute_sql(f"SELECT nextval({sequence}) FROM generate_series(1, %s)", (count,))
    return [id for (id,) in rows]


def reserve_mapping_ids(database: Database, count: int) -> Sequence[int]:
    """Return ids for so many new approval mappings."""
    return reserve_ids(database, ApprovalMapping, count)


def _from_sqlite(database: Database, name: str, count: int) -> Sequence[int]:
    """Move the mark that SQLite's AUTOINCREMENT keeps; it has none before the first row."""
    row = database.execute_sql(
        "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ? RETURNING seq", (count, name)
    ).fetchone()
    if row is None:
        database.execute_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, count))
        row = (count,)
    return range(row[0] - count + 1, row[0] + 1)
