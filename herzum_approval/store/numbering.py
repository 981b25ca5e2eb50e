"""Numbers for new rows, handed out before the rows are written; no number is ever given twice."""

from collections.abc import Mapping, Sequence

from peewee import AutoField, Database, SqliteDatabase

from herzum_approval.store.tables import ALL_TABLES, ApprovalMapping, Table


def reserve_ids(database: Database, table: type[Table], count: int) -> Sequence[int]:
    """Return so many ids that no row of the table has, had or will be given otherwise."""
    name = table._meta.table_name
    if isinstance(database, SqliteDatabase):
        return _from_sqlite(database, name, count)
    rows = database.execute_sql(f"SELECT nextval({_sequence(name)}) FROM generate_series(1, %s)", (count,))
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


# -- the whole numbering ----------------------------------------------------------------------


def last_numbers(database: Database) -> dict[str, int]:
    """Return the last number that each table gave, by the table's name; none where it gave none."""
    if isinstance(database, SqliteDatabase):
        given = dict(database.execute_sql("SELECT name, seq FROM sqlite_sequence").fetchall())
        return {name: given[name] for name in _numbered() if given.get(name)}
    calls = [f"pg_sequence_last_value({_sequence(name)}::regclass)" for name in _numbered()]
    row = database.execute_sql("SELECT " + ", ".join(calls)).fetchone()
    return {name: last for name, last in zip(_numbered(), row, strict=True) if last}


def set_last_numbers(database: Database, numbers: Mapping[str, int]) -> None:
    """Let each table go on after its number, as if it had given all up to that."""
    if isinstance(database, SqliteDatabase):
        database.execute_sql("DELETE FROM sqlite_sequence")
        for name, last in numbers.items():
            database.execute_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, last))
        return
    calls = [
        f"setval({_sequence(name)}, {numbers.get(name, 1)}, {str(name in numbers).lower()})"
        for name in _numbered()
    ]
    database.execute_sql("SELECT " + ", ".join(calls))


def _numbered() -> list[str]:
    return [table._meta.table_name for table in ALL_TABLES if isinstance(table._meta.primary_key, AutoField)]


def _sequence(name: str) -> str:
    return f"pg_get_serial_sequence('{name}', 'id')"
