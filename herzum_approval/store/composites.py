"""Composite principals: standings that no single principal satisfies, each kept once."""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from peewee import Database

from herzum_approval.domain.approvals import Standing
from herzum_approval.domain.people import composite_principal
from herzum_approval.store.kept import raise_site_version
from herzum_approval.store.tables import CompositePart, CompositePrincipal


class Composites(NamedTuple):
    """Composite principals to keep: rows of both their tables, and their ids by definition."""

    ids: dict[str, int]
    principals: list[tuple[int, str]]
    parts: list[tuple[str, int]]


def definition(standing: Standing) -> str:
    """Return the one spelling of a standing. The smallest set comes first: callers are found by it."""
    one_of = sorted((sorted(names) for names in standing.one_of), key=lambda names: (len(names), names))
    return json.dumps({"one_of": one_of, "none_of": sorted(standing.none_of)}, separators=(",", ":"))


def number(standings: Iterable[Standing]) -> Composites:
    """Return what to keep for those of the standings that are not plain, numbered from 1 as they appear."""
    found = Composites({}, [], [])
    for standing in standings:
        if standing.is_plain:
            continue
        text = definition(standing)
        if text in found.ids:
            continue
        composite_id = found.ids[text] = len(found.ids) + 1
        found.principals.append((composite_id, text))
        found.parts.extend((name, composite_id) for name in json.loads(text)["one_of"][0])
    return found


def principals(standing: Standing, ids: Mapping[str, int]) -> frozenset[str]:
    """Return the principals by which whoever meets the standing is found. ids: as `number` gives them."""
    if standing.is_plain:
        return frozenset[str]().union(*standing.one_of)
    return frozenset({composite_principal(ids[definition(standing)])})


def intern(database: Database, standings: Iterable[Standing]) -> dict[str, int]:
    """Return the ids of those of the standings that are not plain, keeping new ones.

    Two transactions may need the same new one at once: the definition is unique, so the second
    waits for the first and then finds it.
    """
    texts = sorted({definition(standing) for standing in standings if not standing.is_plain})
    if not texts:
        return {}
    new = CompositePrincipal.insert_many([{"definition": text} for text in texts]).on_conflict_ignore()
    count = new.as_rowcount().execute(database)
    query = CompositePrincipal.select(CompositePrincipal.definition, CompositePrincipal.id).where(
        CompositePrincipal.definition.in_(texts)
    )
    ids = dict(query.tuples().execute(database))
    parts = [
        {"principal": name, "composite_principal": ids[text]}
        for text in texts
        for name in json.loads(text)["one_of"][0]
    ]
    CompositePart.insert_many(parts).on_conflict_ignore().execute(database)
    if count:
        raise_site_version(database)  # whoever meets a new standing has one more principal
    return ids
