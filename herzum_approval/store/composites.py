"""Composite principals: standings that no single principal satisfies, each kept once."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from peewee import Database

from herzum_approval.domain.approvals import Standing
from herzum_approval.domain.people import composite_principal
from herzum_approval.store.tables import CompositePart, CompositePrincipal

_CHUNK = 300


class Composites(NamedTuple):
    """Composite principals to keep: rows of both their tables, and their ids by definition."""

    ids: dict[str, int]
    principals: list[tuple[int, str]]
    parts: list[tuple[str, int]]


def definition(standing: Standing) -> str:
    """Return the one spelling of a standing. The smallest set comes first: callers are found by it."""
    one_of = sorted((sorted(names) for names in standing.one_of), key=lambda names: (len(names), names))
    return json.dumps({"one_of": one_of, "none_of": sorted(standing.none_of)}, separators=(",", ":"))


def number(standings: Iterable[Standing], first_id: int = 1) -> Composites:
    """Return what to keep for those of the standings that are not plain, ids in order of appearance."""
    found = Composites({}, [], [])
    for standing in standings:
        if standing.is_plain:
            continue
        text = definition(standing)
        if text in found.ids:
            continue
        composite_id = found.ids[text] = first_id + len(found.ids)
        found.principals.append((composite_id, text))
        found.parts.extend((name, composite_id) for name in json.loads(text)["one_of"][0])
    return found


def principals(standing: Standing, ids: dict[str, int]) -> frozenset[str]:
    """Return the principals by which whoever meets the standing is found. ids: as `number` gives them."""
    if standing.is_plain:
        return frozenset[str]().union(*standing.one_of)
    return frozenset({composite_principal(ids[definition(standing)])})


def intern(database: Database, standings: Iterable[Standing]) -> dict[str, int]:
    """Return the ids of the composite principals that the standings need, by definition; add what is new."""
    needed = [standing for standing in dict.fromkeys(standings) if not standing.is_plain]
    known = _find_ids(database, [definition(standing) for standing in needed])
    missing = [standing for standing in needed if definition(standing) not in known]
    definitions = list(dict.fromkeys(map(definition, missing)))
    for start in range(0, len(definitions), _CHUNK):
        rows = [(text,) for text in definitions[start : start + _CHUNK]]
        query = CompositePrincipal.insert_many(rows, fields=[CompositePrincipal.definition])
        query.on_conflict_ignore().execute(database)
    known |= _find_ids(database, definitions)
    parts = [
        (name, known[text]) for text in definitions for name in json.loads(text)["one_of"][0]
    ]
    for start in range(0, len(parts), _CHUNK):
        fields = [CompositePart.principal, CompositePart.composite_principal]
        CompositePart.insert_many(parts[start : start + _CHUNK], fields=fields).on_conflict_ignore().execute(
            database
        )
    return known


def _find_ids(database: Database, definitions: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(definitions), _CHUNK):
        query = CompositePrincipal.select(CompositePrincipal.definition, CompositePrincipal.id).where(
            CompositePrincipal.definition.in_(definitions[start : start + _CHUNK])
        )
        found.update(query.tuples().execute(database))
    return found
