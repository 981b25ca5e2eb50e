"""What approvals are made by: definitions and conditions, and the pages and spaces that some are for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from herzum_approval import clock
from herzum_approval.domain import change_checks
from herzum_approval.domain.approval_paths import ApprovalDefinition, Condition, Product
from herzum_approval.domain.confluence import Page, PageComment, Space
from herzum_approval.domain.jira import LARGEST_ID, id_of
from herzum_approval.domain.site_references import mentions
from herzum_approval.domain.sites import Site
from herzum_approval.domain.versions import FIRST, Versioned
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.approval_paths import Shown, shown
from herzum_approval.services.pages import Listed, Wish, listed
from herzum_approval.store import Outrun, reading, writing
from herzum_approval.store import approval_path_entries as stored
from herzum_approval.store import approval_paths as stored_paths
from herzum_approval.store.approval_paths import Place
from herzum_approval.store.mentions import read_mentioned

Entry = TypeVar("Entry", ApprovalDefinition, Condition, Space, Page)

_UNKNOWN = {
    ApprovalDefinition: Fault.DEFINITION_UNKNOWN,
    Condition: Fault.CONDITION_UNKNOWN,
    Space: Fault.SPACE_UNKNOWN,
    Page: Fault.PAGE_UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilters:
    """Which entries are wanted; None leaves a filter out. What a kind does not have filters nothing.

    product, collection_id: of definitions. space_id: of pages.
    """

    product: Product | None = None
    collection_id: int | None = None
    space_id: int | None = None


# -- for the Web API --------------------------------------------------------------------------


def list_definitions(product: Product, ref: str | None = None) -> Shown[ApprovalDefinition]:
    """Return definitions by id: the global ones, or those of one project or space alone.

    ref: id or key of a project, or id of a space, as a caller wrote it; None for the global ones.
    Raises: COLLECTION_UNKNOWN.
    """
    with reading(at_one_moment=True) as database:
        collection_id = None if ref is None else _collection_id(database, product, ref)
        ids = stored.find_definition_ids(
            database, product, collection_id=collection_id, is_global=collection_id is None
        )
        found = stored.read_entries(database, ApprovalDefinition, ids)
        return shown(database, [each.entry for each in found])


def _collection_id(database: Any, product: Product, ref: str) -> int:
    id = id_of(ref)
    found = None
    if product is Product.CONFLUENCE:
        spaces = [] if id is None else stored.read_entries(database, Space, [id])
        found = spaces[0].entry.id if spaces else None
    elif id is not None:
        found = stored_paths.find_project_id(database, id=id)
    else:
        found = stored_paths.find_project_id(database, key=ref.upper())
    if found is None:
        kind = "Project" if product is Product.JIRA else "Space"
        raise Problem(Fault.COLLECTION_UNKNOWN, kind=kind, ref=ref)
    return found


# -- finding ----------------------------------------------------------------------------------


def find_entries(cls: type[Entry], filters: EntryFilters, wish: Wish) -> Listed[Entry]:
    """Return the entries of a kind, by id."""
    with reading(at_one_moment=True) as database:
        ids = _ids(database, cls, filters)
        return listed(
            ids, wish, lambda chunk: [each.entry for each in stored.read_entries(database, cls, chunk)]
        )


def _ids(database: Any, cls: type[Any], filters: EntryFilters) -> Sequence[int]:
    if cls is ApprovalDefinition:
        return stored.find_definition_ids(database, filters.product, collection_id=filters.collection_id)
    if cls is Page and filters.space_id is not None:
        return stored.find_pages(database, filters.space_id)
    return stored.find_ids(database, cls)


def show_entry(cls: type[Entry], id: int) -> Versioned[Entry]:
    """Return the entry. Raises: DEFINITION_UNKNOWN, CONDITION_UNKNOWN, SPACE_UNKNOWN, PAGE_UNKNOWN."""
    with reading() as database:
        return _found(database, cls, id)


def _found(database: Any, cls: type[Entry], id: int) -> Versioned[Entry]:
    for each in stored.read_entries(database, cls, [id] if id <= LARGEST_ID else []):
        return each
    raise Problem(_UNKNOWN[cls], id=id)


def list_page_comments(page_id: int) -> Sequence[PageComment]:
    """Return the comments on a page, oldest first. Raises: PAGE_UNKNOWN."""
    with reading(at_one_moment=True) as database:
        _found(database, Page, page_id)
        return stored.read_page_comments(database, page_id)


# -- changing ---------------------------------------------------------------------------------


def create_entry(entry: Entry) -> Versioned[Entry]:
    """Return the entry with its id.

    Raises: VALUE_INVALID, REFERENCE_INVALID, CONDITION_NAME_TAKEN, SPACE_KEY_TAKEN.
    """

    def work(database: Any) -> Versioned[Entry]:
        _check(database, entry)
        return Versioned(stored.insert_entry(database, entry), FIRST)

    return writing(work, alone=_is_named_once(entry))


def edit_entry(entry: Entry, *, versions: Collection[int] | None = None) -> Versioned[Entry]:
    """Write the entry of this id as given, and return it as it is then; what runs goes on as it was.

    Approvals of a page that goes to another space go with it.

    versions: one of them must be the present one; None for any.
    Raises: what `show_entry` raises, VERSION_STALE, and what `create_entry` raises.
    """

    def work(database: Any) -> Versioned[Entry]:
        before = _found(database, type(entry), entry.id)
        before.require(versions)
        _check(database, entry)
        if not stored.update_entry(database, entry, before.version):
            raise Outrun
        if isinstance(entry, Page):
            _move_approvals(database, entry, before.entry.space_id)
        return before.succeeded_by(entry)

    return writing(work, alone=_is_named_once(entry))


def _move_approvals(database: Any, page: Page, space_id: int) -> None:
    """Take the approvals of a page along to the space where it is now. space_id: where it was."""
    if page.space_id != space_id:
        stored_paths.move_paths(database, Place(Product.CONFLUENCE, page.id), page.space_id)


def _is_named_once(entry: ApprovalDefinition | Condition | Space | Page) -> bool:
    """Return whether nobody may write beside it, lest two get the name that one may have."""
    return isinstance(entry, Condition | Space)


def delete_entry(cls: type[Entry], id: int, *, versions: Collection[int] | None = None) -> None:
    """Delete the entry. A page goes with its comments and approvals; runs outlive their definition.

    versions: as for `edit_entry`.
    Raises: what `show_entry` raises, VERSION_STALE, CONDITION_IN_USE, SPACE_IN_USE.
    """

    def work(database: Any) -> None:
        before = _found(database, cls, id)
        before.require(versions)
        _require_unused(database, before.entry)
        if isinstance(before.entry, Page):
            place = Place(Product.CONFLUENCE, id)
            paths = stored_paths.find_path_ids(database, place, now=clock.now())
            stored_paths.delete_paths(database, paths)
        stored.delete_entry(database, cls, id)

    writing(work, alone=True)  # nobody may come to refer meanwhile to what goes


def _require_unused(database: Any, entry: ApprovalDefinition | Condition | Space | Page) -> None:
    if isinstance(entry, Condition):
        ids = stored.find_definition_ids(database, Product.JIRA)
        found = stored.read_entries(database, ApprovalDefinition, ids)
        count = sum(entry.id in each.entry.condition_ids for each in found)
        if count:
            raise Problem(Fault.CONDITION_IN_USE, name=entry.name, count=count)
    if isinstance(entry, Space):
        pages = len(stored.find_pages(database, entry.id))
        definitions = len(stored.find_definition_ids(database, Product.CONFLUENCE, collection_id=entry.id))
        if pages or definitions:
            raise Problem(Fault.SPACE_IN_USE, key=entry.key, pages=pages, definitions=definitions)


def _check(database: Any, entry: ApprovalDefinition | Condition | Space | Page) -> None:
    numbered = replace(entry, id=entry.id or 1)  # that of a new one is yet to come; any will do
    match numbered:
        case ApprovalDefinition():
            mentioned = {**mentions(Site(approval_definitions=(numbered,)))}
            if numbered.collection_id is not None:
                name = "projects[].id" if numbered.product is Product.JIRA else "spaces[].id"
                mentioned[name] = frozenset({numbered.collection_id})
            change_checks.check_definition(numbered, read_mentioned(database, mentioned))
        case Condition():
            change_checks.check_condition(numbered)
            if stored.is_taken(database, numbered, other_than=entry.id):
                raise Problem(Fault.CONDITION_NAME_TAKEN, name=numbered.name)
        case Space():
            change_checks.check_space(numbered)
            if stored.is_taken(database, numbered, other_than=entry.id):
                raise Problem(Fault.SPACE_KEY_TAKEN, key=numbered.key)
        case Page():
            mentioned = mentions(Site(pages=(numbered,)))
            change_checks.check_page(numbered, read_mentioned(database, mentioned))
