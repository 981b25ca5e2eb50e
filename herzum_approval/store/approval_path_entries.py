"""What approval paths are made by: definitions and conditions, pages and spaces, read and written one way."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from peewee import Database, Query

from herzum_approval.domain.approval_paths import ApprovalDefinition, Condition, Product
from herzum_approval.domain.confluence import Page, PageComment, Space
from herzum_approval.domain.versions import FIRST, Versioned
from herzum_approval.store import approval_path_tables as tables
from herzum_approval.store.approval_path_rows import definition_of, definition_rows
from herzum_approval.store.columns import Table
from herzum_approval.store.numbering import reserve_ids
from herzum_approval.store.rows import Row, always, by_column, columns, entries, flat, made
from herzum_approval.store.statements import change, insertion, list_size, run, slot, slots, spread

Entry = TypeVar("Entry", ApprovalDefinition, Condition, Space, Page)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of entry is kept."""

    table: Any  # every one of them has an id and a version
    rows: Callable[[Iterable[Any]], list[Row]]
    entry: Callable[[dict[str, Any]], Any]


def _plain(cls: type, table: type[Table]) -> _Kind:
    """Return the kind of an entry whose columns are its attributes."""
    return _Kind(
        table, lambda entries: flat(table, entries, version=always(FIRST)), lambda values: made(cls, values)
    )


_KINDS: dict[type, _Kind] = {
    ApprovalDefinition: _Kind(tables.ApprovalDefinition, definition_rows, definition_of),
    Condition: _plain(Condition, tables.ApprovalCondition),
    Space: _plain(Space, tables.Space),
    Page: _plain(Page, tables.Page),
}


# -- reading ----------------------------------------------------------------------------------


def find_ids(database: Database, cls: type[Any]) -> list[int]:
    """Return the ids of all entries of the kind, in order."""
    table = _KINDS[cls].table
    rows = run(database, ("ids", table), lambda: table.select(table.id).order_by(table.id), {})
    return [id for (id,) in rows]


def find_definition_ids(
    database: Database, product: Product | None, *, collection_id: int | None = None, is_global: bool = False
) -> list[int]:
    """Return the ids of definitions, in order: of a product, of a collection, or the global ones."""
    table = tables.ApprovalDefinition

    def build() -> Query:
        query = table.select(table.id).order_by(table.id)
        if product is not None:
            query = query.where(table.product == slot("product"))
        if is_global:
            query = query.where(table.collection_id.is_null())
        elif collection_id is not None:
            query = query.where(table.collection_id == slot("collection"))
        return query

    shape = ("definitions", product is None, is_global, collection_id is None)
    values = {"product": None if product is None else product.value, "collection": collection_id}
    return [id for (id,) in run(database, shape, build, values)]


def find_pages(database: Database, space_id: int) -> list[int]:
    """Return the ids of the pages of a space, in order."""
    table = tables.Page
    rows = run(
        database,
        "pages of space",
        lambda: table.select(table.id).where(table.space == slot("space")).order_by(table.id),
        {"space": space_id},
    )
    return [id for (id,) in rows]


def read_entries(database: Database, cls: type[Entry], ids: Sequence[int]) -> list[Versioned[Entry]]:
    """Return the entries of these ids that there are, by id."""
    if not ids:
        return []
    kind, size = _KINDS[cls], list_size(ids)
    rows = run(
        database,
        ("read", kind.table, size),
        lambda: (
            kind.table.select(*kind.table._meta.sorted_fields)
            .where(kind.table.id.in_(slots("id", size)))
            .order_by(kind.table.id)
        ),
        dict(spread("id", ids)),
    )
    return [Versioned(kind.entry(values), values["version"]) for values in by_column(kind.table, rows)]


def read_page_comments(database: Database, page_id: int) -> tuple[PageComment, ...]:
    """Return the comments on a page, oldest first."""
    table = tables.PageComment
    rows = run(
        database,
        "page comments",
        lambda: table.select(*table._meta.sorted_fields).where(table.page == slot("page")),
        {"page": page_id},
    )
    return entries(PageComment, table, rows)


def is_taken(database: Database, entry: Condition | Space, *, other_than: int) -> bool:
    """Return whether an entry, other than the one of that id, has the condition's name or the space's key."""
    table: Any = _KINDS[type(entry)].table
    column, value = (table.name, entry.name) if isinstance(entry, Condition) else (table.key, entry.key)
    rows = run(
        database,
        ("taken", table),
        lambda: table.select(table.id).where(column == slot("value"), table.id != slot("id")),
        {"value": value, "id": other_than},
    )
    return bool(rows)


# -- writing ----------------------------------------------------------------------------------


def insert_entry(database: Database, entry: Entry) -> Entry:
    """Write a new entry and return it with its id."""
    kind = _KINDS[type(entry)]
    (id,) = reserve_ids(database, kind.table, 1)
    created = replace(entry, id=id)
    names = columns(kind.table)
    change(database, ("insert", kind.table), lambda: insertion(kind.table, names), [_values(kind, created)])
    return created


def update_entry(database: Database, entry: Entry, version: int) -> bool:
    """Write the entry as it is now; return False where it is of that version no more."""
    kind = _KINDS[type(entry)]
    values = _values(kind, entry) | {"read_version": version}
    return bool(change(database, ("update", kind.table), lambda: _update(kind.table), [values]))


def delete_entry(database: Database, cls: type[Entry], id: int) -> None:
    table = _KINDS[cls].table
    change(database, ("delete", table), lambda: table.delete().where(table.id == slot("id")), [{"id": id}])


def _values(kind: _Kind, entry: Any) -> dict[str, Any]:
    (row,) = kind.rows([entry])
    return dict(zip(columns(kind.table), row, strict=True))


def _update(table: Any) -> Query:
    fields: dict[Any, Any] = {field: slot(field.column_name) for field in table._meta.sorted_fields}
    del fields[table.id]
    fields[table.version] = table.version + 1
    return table.update(fields).where(table.id == slot("id"), table.version == slot("read_version"))
