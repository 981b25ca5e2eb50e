"""Approval paths as rows, and back; no query here."""

import json
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from herzum_approval.domain.approval_paths import (
    ApprovalDefinition,
    ApprovalPath,
    Condition,
    DefinitionStep,
    PathMail,
    PathStep,
    Vote,
)
from herzum_approval.domain.confluence import Page, PageComment, Space
from herzum_approval.domain.http_steps import HttpCall
from herzum_approval.domain.sites import Site
from herzum_approval.domain.versions import FIRST
from herzum_approval.store import approval_path_tables as tables
from herzum_approval.store.rows import Row, SiteRows, all_of, always, flat, made, stored, values_of

# -- a site as rows ---------------------------------------------------------------------------


def approval_path_rows(site: Site) -> SiteRows:
    """Return the rows of a site's approval paths, and of the pages and spaces that some are for."""
    return {
        tables.Space: flat(tables.Space, site.spaces, version=always(FIRST)),
        tables.Page: flat(tables.Page, site.pages, version=always(FIRST)),
        tables.PageComment: flat(tables.PageComment, site.page_comments),
        tables.ApprovalCondition: flat(
            tables.ApprovalCondition, site.approval_conditions, version=always(FIRST)
        ),
        tables.ApprovalDefinition: definition_rows(site.approval_definitions),
        tables.ApprovalPath: path_rows(site.approval_paths),
        tables.HttpCall: flat(tables.HttpCall, site.http_calls),
        tables.PathMail: flat(tables.PathMail, site.path_mails),
    }


def definition_rows(definitions: Iterable[ApprovalDefinition]) -> list[Row]:
    """Return the rows of definitions, each in its first version."""
    return flat(
        tables.ApprovalDefinition,
        definitions,
        steps=lambda each: _text(each.steps),
        rejection_steps=lambda each: _text(each.rejection_steps),
        success_steps=lambda each: _text(each.success_steps),
        version=always(FIRST),
    )


def path_rows(paths: Iterable[ApprovalPath]) -> list[Row]:
    """Return the rows of runs, each in the version that it says."""
    return flat(
        tables.ApprovalPath,
        paths,
        steps=lambda each: _text(each.steps),
        rejection_steps=lambda each: _text(each.rejection_steps),
        success_steps=lambda each: _text(each.success_steps),
    )


def _text(steps: tuple[Any, ...]) -> str:
    return json.dumps(_kept(steps), ensure_ascii=False)


def _kept(value: Any) -> Any:
    """Return a value as JSON can hold it; of an entry, what is not its default, by name of field."""
    if isinstance(value, tuple):
        return [_kept(each) for each in value]
    if not is_dataclass(value):
        return stored(value)
    members = ((each, getattr(value, each.name)) for each in fields(value))
    return {
        each.name: _kept(held) for each, held in members if each.default is MISSING or held != each.default
    }


# -- rows as a site ---------------------------------------------------------------------------


def approval_path_parts(rows: SiteRows) -> dict[str, Any]:
    """Return what of a site the rows hold, by its name there."""
    return {
        "spaces": all_of(Space, rows, tables.Space),
        "pages": all_of(Page, rows, tables.Page),
        "page_comments": all_of(PageComment, rows, tables.PageComment),
        "approval_conditions": all_of(Condition, rows, tables.ApprovalCondition),
        "approval_definitions": tuple(map(definition_of, values_of(rows, tables.ApprovalDefinition, "id"))),
        "approval_paths": tuple(map(path_of, values_of(rows, tables.ApprovalPath, "id"))),
        "http_calls": all_of(HttpCall, rows, tables.HttpCall),
        "path_mails": all_of(PathMail, rows, tables.PathMail),
    }


def definition_of(values: dict[str, Any]) -> ApprovalDefinition:
    """Return the definition of a row, given by name of column."""
    return made(
        ApprovalDefinition,
        values,
        steps=_definition_steps(values["steps"]),
        rejection_steps=_definition_steps(values["rejection_steps"]),
        success_steps=_definition_steps(values["success_steps"]),
    )


def path_of(values: dict[str, Any]) -> ApprovalPath:
    """Return the run of a row, given by name of column."""
    return made(
        ApprovalPath,
        values,
        steps=_path_steps(values["steps"]),
        rejection_steps=_path_steps(values["rejection_steps"]),
        success_steps=_path_steps(values["success_steps"]),
    )


def _definition_steps(text: str) -> tuple[DefinitionStep, ...]:
    return tuple(made(DefinitionStep, document) for document in json.loads(text))


def _path_steps(text: str) -> tuple[PathStep, ...]:
    return tuple(
        made(
            PathStep,
            document,
            definition=made(DefinitionStep, document["definition"]),
            votes=tuple(made(Vote, each) for each in document.get("votes", ())),
        )
        for document in json.loads(text)
    )
