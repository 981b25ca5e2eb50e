"""Composite principals: standings that no single principal satisfies, each kept once."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from herzum_approval.domain.approvals import Standing
from herzum_approval.domain.people import composite_principal


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


def principals(standing: Standing, ids: dict[str, int]) -> frozenset[str]:
    """Return the principals by which whoever meets the standing is found. ids: as `number` gives them."""
    if standing.is_plain:
        return frozenset[str]().union(*standing.one_of)
    return frozenset({composite_principal(ids[definition(standing)])})
