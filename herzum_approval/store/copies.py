"""A database copied into another, of whichever engine, and both compared row by row.

Everything follows from `tables.ALL_TABLES`: a table that is added there is copied too.
"""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from peewee import BlobField, BooleanField, Database, Query, Tuple, Value

from herzum_approval.store.numbering import last_numbers, set_last_numbers
from herzum_approval.store.rows import Row, columns
from herzum_approval.store.sites import delete_all, insert_rows
from herzum_approval.store.statements import run, slot
from herzum_approval.store.tables import ALL_TABLES, SiteVersion, Table

BATCH = 5_000

Progress = Callable[[str, int, int], None]
"""Told of what is done: a name, how many rows so far, how many in all."""

_MODULUS = 1 << 256


class Contents(NamedTuple):
    """What a table holds. digest: the same for the same rows, in whatever order they are read."""

    size: int
    digest: int


class Difference(NamedTuple):
    """A table that holds something else in the copy."""

    table: str
    expected: Contents
    found: Contents


def filled_tables(database: Database) -> list[str]:
    """Return the names of the tables that hold any row; every migrated database has a version."""
    tables = [table for table in ALL_TABLES if table is not SiteVersion]
    rows = {table: table.select(Value(1)).limit(1).tuples().execute(database) for table in tables}
    return [table._meta.table_name for table in tables if list(rows[table])]


def copy_rows(source: Database, target: Database, progress: Progress) -> tuple[int, list[Difference]]:
    """Put all that the source holds in the place of all that the target holds.

    Return how many rows there are, and what differs then.

    Both transactions are the caller's: the source is read at one moment, and what differs is not
    to be committed.
    """
    delete_all(target)
    sizes = {table: table.select().count(source) for table in ALL_TABLES}
    expected = {table: _copy(source, target, table, sizes[table], progress) for table in ALL_TABLES}
    set_last_numbers(target, last_numbers(source))
    found = {table: _contents(target, table, sizes[table], progress) for table in ALL_TABLES}
    return sum(sizes.values()), [
        Difference(table._meta.table_name, expected[table], found[table])
        for table in ALL_TABLES
        if expected[table] != found[table]
    ]


def _copy(source: Database, target: Database, table: type[Table], size: int, progress: Progress) -> Contents:
    name = table._meta.table_name
    contents = Contents(0, 0)
    for rows in _batches(source, table):
        insert_rows(target, table, rows)
        contents = _added(contents, rows)
        progress(f"copied {name}", contents.size, size)
    return contents


def _contents(database: Database, table: type[Table], size: int, progress: Progress) -> Contents:
    contents = Contents(0, 0)
    for rows in _batches(database, table):
        contents = _added(contents, rows)
        progress(f"compared {table._meta.table_name}", contents.size, size)
    return contents


def _added(contents: Contents, rows: list[Row]) -> Contents:
    """Return the contents with these rows: the sum of the digests of all rows, so that order is no matter."""
    digest = contents.digest
    for row in rows:
        digest += int.from_bytes(hashlib.sha256(repr(row).encode("utf-8", "surrogatepass")).digest())
    return Contents(contents.size + len(rows), digest % _MODULUS)


def _batches(database: Database, table: type[Table]) -> Iterator[list[Row]]:
    """Yield all rows by their primary key, each value as Python has it on either engine."""
    spell = _speller(table)
    places = [columns(table).index(field.column_name) for field in table._meta.get_primary_keys()]
    rows = run(database, ("first batch", table, BATCH), partial(_batch_query, table), {})
    while rows:
        yield [spell(row) for row in rows]
        if len(rows) < BATCH:
            return
        after = {f"key{number}": rows[-1][place] for number, place in enumerate(places)}
        rows = run(
            database, ("next batch", table, BATCH), partial(_batch_query, table, is_first=False), after
        )


def _batch_query(table: type[Table], *, is_first: bool = True) -> Query:
    keys = table._meta.get_primary_keys()
    query = table.select(*table._meta.sorted_fields).order_by(*keys).limit(BATCH)
    if is_first:
        return query
    return query.where(Tuple(*keys) > Tuple(*(slot(f"key{number}") for number in range(len(keys)))))


def _speller(table: type[Table]) -> Callable[[Row], Row]:
    """Return what turns a row into one that is the same on both engines: SQLite has no truth values."""
    convert = {BooleanField: bool, BlobField: bytes}
    places = {
        place: convert[type(field)]
        for place, field in enumerate(table._meta.sorted_fields)
        if type(field) in convert
    }
    if not places:
        return tuple

    def spell(row: Row) -> Row:
        values = list(row)
        for place, function in places.items():
            if values[place] is not None:
                values[place] = function(values[place])
        return tuple(values)

    return spell
