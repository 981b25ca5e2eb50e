"""API keys as rows, and back; no query here."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

from herzum_approval.domain.api_keys import ApiKey, PerformerChange
from herzum_approval.domain.sites import Site
from herzum_approval.domain.versions import FIRST
from herzum_approval.store import tables
from herzum_approval.store.rows import Row, SiteRows, always, flat, made, values_of


def api_key_rows(site: Site) -> SiteRows:
    """Return the rows of a site's API keys."""
    return {tables.ApiKey: rows_of_keys(site.api_keys)}


def api_keys(rows: SiteRows) -> tuple[ApiKey, ...]:
    """Return the API keys that the rows hold, by id."""
    return tuple(map(key_of, values_of(rows, tables.ApiKey, "id")))


def rows_of_keys(keys: Iterable[ApiKey]) -> list[Row]:
    """Return a row for each key."""
    performer = {f"performer_{each.name}": _of_performer(each.name) for each in fields(PerformerChange)}
    return flat(tables.ApiKey, keys, version=always(FIRST), **performer)


def _of_performer(name: str) -> Callable[[ApiKey], Any]:
    return lambda key: None if key.performer is None else getattr(key.performer, name)


def key_of(values: dict[str, Any]) -> ApiKey:
    """Return the key that a row holds. values: by name of column."""
    prefix = "performer_"
    part = {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
    performer = None if part["origin"] is None else made(PerformerChange, part)
    return made(ApiKey, values, performer=performer)
