"""API keys: found by the digest of their value, counted, read and written."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from peewee import Case, Database, Query, SqliteDatabase, Value, fn

from herzum_approval.domain.api_keys import ApiKey
from herzum_approval.domain.versions import Versioned
from herzum_approval.store import Outrun, tables
from herzum_approval.store.api_key_rows import key_of, rows_of_keys
from herzum_approval.store.numbering import reserve_ids
from herzum_approval.store.rows import by_column, columns
from herzum_approval.store.statements import change, insertion, list_size, run, slot, slots, spread
from herzum_approval.store.tables import MomentField

# -- reading ----------------------------------------------------------------------------------


def find_by_digest(database: Database, digests: Sequence[str]) -> ApiKey | None:
    """Return the key that has one of the digests."""
    table = tables.ApiKey
    rows = run(
        database,
        ("API key by digest", list_size(digests)),
        lambda: table.select(*table._meta.sorted_fields).where(
            table.digest.in_(slots("digest", list_size(digests)))
        ),
        dict(spread("digest", digests)),
    )
    return next(map(key_of, by_column(table, rows)), None)


def find_ids(database: Database) -> tuple[int, ...]:
    """Return the ids of all keys."""
    table = tables.ApiKey
    rows = run(database, "API keys", lambda: table.select(table.id).order_by(table.id), {})
    return tuple(id for (id,) in rows)


def read_keys(database: Database, ids: Sequence[int]) -> list[Versioned[ApiKey]]:
    """Return the keys of these ids that there are, by id."""
    if not ids:
        return []
    table = tables.ApiKey
    rows = run(
        database,
        ("read API keys", list_size(ids)),
        lambda: table.select(*table._meta.sorted_fields).where(table.id.in_(slots("id", list_size(ids)))),
        dict(spread("id", ids)),
    )
    found = sorted(by_column(table, rows), key=lambda values: values["id"])
    return [Versioned(key_of(values), values["version"]) for values in found]


def count_by_encryption_key(database: Database) -> dict[str, int]:
    """Return how many API keys each encryption key has encrypted, by its id."""
    table = tables.ApiKey
    rows = run(
        database,
        "encryption keys",
        lambda: table.select(table.key_id, fn.COUNT(table.id)).group_by(table.key_id),
        {},
    )
    return dict(map(tuple, rows))


def lock_key(database: Database, id: int) -> None:
    """Keep others from editing the key until the transaction ends; SQLite has one writer anyway."""
    if isinstance(database, SqliteDatabase):
        return
    table = tables.ApiKey
    run(
        database,
        "lock API key",
        lambda: table.select(table.id).where(table.id == slot("id")).for_update(),
        {"id": id},
    )


# -- writing ----------------------------------------------------------------------------------


def count_use(database: Database, id: int, now: datetime) -> bool:
    """Count one use of the key, and return whether it is still there; the last use never goes back."""
    values = {"id": id, "now": MomentField().db_value(now)}
    return bool(change(database, "count use of API key", _counting, [values]))


def _counting() -> Query:
    table = tables.ApiKey
    later = Case(None, [(table.used_at > slot("now"), table.used_at)], slot("now"))
    return table.update({table.usage_count: table.usage_count + Value(1), table.used_at: later}).where(
        table.id == slot("id")
    )


def insert_key(database: Database, key: ApiKey) -> ApiKey:
    """Write a new key and return it with its id."""
    (id,) = reserve_ids(database, tables.ApiKey, 1)
    created = replace(key, id=id)
    names = columns(tables.ApiKey)
    (row,) = rows_of_keys([created])
    values = dict(zip(names, row, strict=True))
    change(database, "insert API key", lambda: insertion(tables.ApiKey, names), [values])
    return created


def update_key(database: Database, before: Versioned[ApiKey], later: ApiKey) -> None:
    """Write what can be edited of a key; its value, its creation and its use stay as they are.

    Raises: Outrun, where it is not of this version any more.
    """
    (row,) = rows_of_keys([later])
    values = dict(zip(columns(tables.ApiKey), row, strict=True))
    if not change(database, "update API key", _updating, [{**values, "expected": before.version}]):
        raise Outrun


_KEPT = ("id", "creator", "key_id", "ciphertext", "digest", "created_at", "used_at", "usage_count", "version")


def _updating() -> Query:
    table = tables.ApiKey
    fields: dict[Any, Any] = {
        field: slot(field.column_name)
        for field in table._meta.sorted_fields
        if field.column_name not in _KEPT
    }
    fields[table.version] = table.version + 1
    return table.update(fields).where(table.id == slot("id"), table.version == slot("expected"))


def delete_key(database: Database, before: Versioned[ApiKey]) -> None:
    """Delete the key. Raises: Outrun, where it is not of this version any more."""
    values = {"id": before.entry.id, "expected": before.version}
    if not change(database, "delete API key", _deleting, [values]):
        raise Outrun


def _deleting() -> Query:
    table = tables.ApiKey
    return table.delete().where(table.id == slot("id"), table.version == slot("expected"))


def reseal(database: Database, changed: Sequence[ApiKey]) -> None:
    """Write how the values of these keys are kept now."""
    table = tables.ApiKey
    names = ("id", "key_id", "ciphertext", "digest")
    take = attrgetter(*names)
    change(
        database,
        "reseal API keys",
        lambda: table.update({getattr(table, name): slot(name) for name in names[1:]}).where(
            table.id == slot("id")
        ),
        [dict(zip(names, take(key), strict=True)) for key in changed],
    )
