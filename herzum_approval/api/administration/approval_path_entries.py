"""What approval paths are made by: definitions and conditions, pages and spaces, by doors of one kind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response

from herzum_approval.api.administration.approval_path_schemas import (
    ConditionSchema,
    DefinitionParameters,
    DefinitionSchema,
    EntryParameters,
    PageCommentSchema,
    PageParameters,
    PageSchema,
    SpaceSchema,
)
from herzum_approval.api.administration.doors import (
    BODY_FAULTS,
    ENTRY_FAULTS,
    LOCATION,
    body_of,
    created_response,
    list_response,
    make_blueprint,
    one_response,
    read_body,
    require_same_id,
)
from herzum_approval.api.administration.schemas import list_or_page
from herzum_approval.api.family import ETAG, IF_MATCH, Blueprint, expected_versions, json_response
from herzum_approval.domain.approval_paths import ApprovalDefinition, Condition
from herzum_approval.domain.confluence import Page, Space
from herzum_approval.errors import Fault
from herzum_approval.services import approval_definitions as entries
from herzum_approval.services.approval_definitions import EntryFilters
from herzum_approval.services.pages import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One kind of entry. word: for one of it. taken, used: the faults of names and of deleting, if any."""

    cls: Any
    word: str
    schema: Any
    parameters: Any
    unknown: Fault
    taken: Sequence[Fault] = ()
    used: Sequence[Fault] = ()
    description: str


def _blueprint(kind: _Kind) -> Blueprint:
    """Return the doors of a kind: list, create, show, edit and delete."""
    words, schema = f"{kind.word}s", kind.schema()
    blp = make_blueprint(f"approval-path/{words}", kind.description)

    @blp.route("")
    @blp.doc(operationId=f"path_{words}", summary=f"List {words}.")
    @blp.query(kind.parameters())
    @blp.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID)
    @blp.response(
        200,
        list_or_page(kind.schema, words),
        description="All that match, by id; one page where startAt or maxResults is given",
    )
    def list_entries(given: tuple[EntryFilters, Wish]) -> Response:
        return list_response(entries.find_entries(kind.cls, *given), words, schema)

    @blp.route("", methods=["POST"])
    @blp.doc(
        operationId=f"create_path_{kind.word}", summary=f"Create a {kind.word}.", requestBody=body_of(schema)
    )
    @blp.raises(*ENTRY_FAULTS, *BODY_FAULTS, *kind.taken)
    @blp.response(201, kind.schema, description=f"The {kind.word}, with its id", headers={**ETAG, **LOCATION})
    def create_entry() -> Response:
        given = read_body(schema)
        require_same_id(given.id)
        created = entries.create_entry(given)
        return created_response(created, schema, created.entry.id)

    @blp.route("/<int:entry_id>")
    @blp.doc(operationId=f"path_{kind.word}", summary=f"Show a {kind.word}.")
    @blp.raises(*ENTRY_FAULTS, kind.unknown)
    @blp.response(200, kind.schema, description=f"The {kind.word}", headers=ETAG)
    def show_entry(entry_id: int) -> Response:
        return one_response(entries.show_entry(kind.cls, entry_id), schema)

    @blp.route("/<int:entry_id>", methods=["PUT"])
    @blp.doc(
        operationId=f"edit_path_{kind.word}",
        summary=f"Replace a {kind.word}.",
        requestBody=body_of(schema),
        parameters=[IF_MATCH],
    )
    @blp.raises(*ENTRY_FAULTS, *BODY_FAULTS, kind.unknown, Fault.VERSION_STALE, *kind.taken)
    @blp.response(200, kind.schema, description=f"The {kind.word} as it is now", headers=ETAG)
    def edit_entry(entry_id: int) -> Response:
        given = read_body(schema)
        require_same_id(given.id, entry_id)
        later = entries.edit_entry(replace(given, id=entry_id), versions=expected_versions())
        return one_response(later, schema)

    @blp.route("/<int:entry_id>", methods=["DELETE"])
    @blp.doc(operationId=f"delete_path_{kind.word}", summary=f"Delete a {kind.word}.", parameters=[IF_MATCH])
    @blp.raises(*ENTRY_FAULTS, kind.unknown, Fault.VERSION_STALE, *kind.used)
    @blp.response(204, description=f"The {kind.word} is gone")
    def delete_entry(entry_id: int) -> Response:
        entries.delete_entry(kind.cls, entry_id, versions=expected_versions())
        return Response(status=204)

    return blp


definitions = _blueprint(
    _Kind(
        cls=ApprovalDefinition,
        word="definition",
        schema=DefinitionSchema,
        parameters=DefinitionParameters,
        unknown=Fault.DEFINITION_UNKNOWN,
        description="Definitions of Approval Path: how approvals run",
    )
)
conditions = _blueprint(
    _Kind(
        cls=Condition,
        word="condition",
        schema=ConditionSchema,
        parameters=EntryParameters,
        unknown=Fault.CONDITION_UNKNOWN,
        taken=(Fault.CONDITION_NAME_TAKEN,),
        used=(Fault.CONDITION_IN_USE,),
        description="Conditions of Approval Path: questions about issues",
    )
)
spaces = _blueprint(
    _Kind(
        cls=Space,
        word="space",
        schema=SpaceSchema,
        parameters=EntryParameters,
        unknown=Fault.SPACE_UNKNOWN,
        taken=(Fault.SPACE_KEY_TAKEN,),
        used=(Fault.SPACE_IN_USE,),
        description="Spaces of Confluence, as far as approvals need them",
    )
)
pages = _blueprint(
    _Kind(
        cls=Page,
        word="page",
        schema=PageSchema,
        parameters=PageParameters,
        unknown=Fault.PAGE_UNKNOWN,
        description="Pages of Confluence, as far as approvals need them",
    )
)

_COMMENT = PageCommentSchema()


@pages.route("/<int:page_id>/comments")
@pages.doc(operationId="path_page_comments")
@pages.raises(*ENTRY_FAULTS, Fault.PAGE_UNKNOWN)
@pages.response(200, {"type": "array", "items": PageCommentSchema}, description="Oldest first")
def list_page_comments(page_id: int) -> Response:
    """List the comments on a page, which tell how approvals ended."""
    return json_response(_COMMENT.dump(entries.list_page_comments(page_id), many=True))
