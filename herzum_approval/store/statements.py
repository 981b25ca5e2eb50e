"""SQL text made once by Peewee for each shape of query, and run with new values.

Writing the text of a query costs Peewee twenty times what SQLite needs to run it. A query is built
with `Slot`s in place of values; its text is kept by shape, and the tables stay its only source.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from peewee import Database, Model, Query, SqliteDatabase, Value
from peewee import __exception_wrapper__ as translated_errors  # type: ignore[attr-defined]

Text = tuple[str, tuple[Any, ...]]

_kept: dict[tuple[type[Database], Hashable], Text] = {}
_KEPT_AT_MOST = 2000


class Slot:
    """The place of a value in a query that is made before the value is known."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


def slot(name: str) -> Value:
    """Return a query node that stands for the value called `name`."""
    return Value(Slot(name), converter=False)


def slots(name: str, count: int) -> list[Value]:
    """Return nodes for `count` values of a list, called `name0`, `name1`, …"""
    return [slot(f"{name}{place}") for place in range(count)]


def list_size(values: Sequence[Any]) -> int:
    """Return how many slots to make for the values: the next power of two, so that few texts serve all."""
    return 1 << max(len(values) - 1, 0).bit_length()


def spread(name: str, values: Sequence[Any]) -> Iterable[tuple[str, Any]]:
    """Yield a value for each slot of the list; the last one repeats, which `IN` does not mind."""
    for place in range(list_size(values) if values else 0):
        yield f"{name}{place}", values[min(place, len(values) - 1)]


def run(
    database: Database, shape: Hashable, build: Callable[[], Query], values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """Return the rows of the query that `build` makes, its text kept under `shape`."""
    sql, parameters = _text(database, shape, build)
    return database.execute_sql(sql, _bound(parameters, values)).fetchall()


def change(
    database: Database, shape: Hashable, build: Callable[[], Query], values: Sequence[Mapping[str, Any]]
) -> int:
    """Run the change that `build` makes once with each of the values; return how many rows it changed."""
    if not values:
        return 0
    sql, parameters = _text(database, shape, build)
    cursor = database.cursor()
    with translated_errors:
        cursor.executemany(sql, _all_bound(parameters, values))
    return int(cursor.rowcount)


def insertion(table: type[Model], names: Iterable[str]) -> Query:
    """Return the query that inserts a row with values of these columns."""
    fields = {field.column_name: field for field in table._meta.sorted_fields}
    return table.insert({fields[name]: slot(name) for name in names})


def _text(database: Database, shape: Hashable, build: Callable[[], Query]) -> Text:
    key = (type(database), shape)
    kept = _kept.get(key)
    if kept is None:
        kept = made_text(database, build())
        if len(_kept) >= _KEPT_AT_MOST:
            _kept.clear()
        _kept[key] = kept
    return kept


def made_text(database: Database, query: Query) -> Text:
    """Return what Peewee writes for the query, and its parameters."""
    sql, parameters = database.get_sql_context().sql(query).query()
    return _numbered(sql, parameters) if isinstance(database, SqliteDatabase) else (sql, tuple(parameters))


def _numbered(sql: str, parameters: Sequence[Any]) -> Text:
    """Return SQLite's text with each slot once among the parameters, however often it stands there."""
    numbers: dict[str, int] = {}
    items: list[Any] = []
    pieces = sql.split("?")
    numbered = [pieces[0]]
    for item, piece in zip(parameters, pieces[1:], strict=True):
        number = numbers.get(item.name) if isinstance(item, Slot) else None
        if number is None:
            items.append(item)
            number = len(items)
            if isinstance(item, Slot):
                numbers[item.name] = number
        numbered.append(f"?{number}{piece}")
    return "".join(numbered), tuple(items)


def _bound(parameters: Sequence[Any], values: Mapping[str, Any]) -> list[Any]:
    bound = [values[item.name] if item.__class__ is Slot else item for item in parameters]
    for place, value in enumerate(bound):
        if value.__class__ is str and "\x00" in value:
            bound[place] = _findable(value)
    return bound


def _all_bound(parameters: Sequence[Any], values: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[Any]]:
    """Return what `_bound` returns for each of the values, sooner where there is nothing but slots."""
    names = [item.name for item in parameters if isinstance(item, Slot)]
    if len(names) < max(len(parameters), 2):
        return [_bound(parameters, each) for each in values]
    rows: list[Sequence[Any]] = list(map(itemgetter(*names), values))
    for place, row in enumerate(rows):
        for value in row:
            if value.__class__ is str and "\x00" in value:
                rows[place] = [_findable(each) for each in row]
                break
    return rows


def _findable(value: Any) -> Any:
    # PostgreSQL keeps no NUL in texts and refuses to look for one; nothing stored has it.
    if isinstance(value, str) and "\x00" in value:
        return value.replace("\x00", "\ufffd")
    return value
