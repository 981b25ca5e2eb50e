"""The licence and the General Configuration, each one JSON document in the database."""

import json
from dataclasses import asdict
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, get_type_hints

from peewee import EXCLUDED, Database

from herzum_approval.domain.configuration import Configuration, Licence
from herzum_approval.store.statements import run, slot
from herzum_approval.store.tables import SiteDocument

Document = TypeVar("Document", Licence, Configuration)
_NAMES: dict[type, str] = {Licence: "licence", Configuration: "configuration"}


def read_licence(database: Database) -> Licence:
    return _read(database, Licence)


def read_configuration(database: Database) -> Configuration:
    return _read(database, Configuration)


def write_document(database: Database, document: Licence | Configuration) -> None:
    """Store the licence or the configuration, whichever it is."""
    SiteDocument.insert(name=_NAMES[type(document)], document=json.dumps(asdict(document))).on_conflict(
        conflict_target=[SiteDocument.name],
        update={SiteDocument.document: EXCLUDED.document, SiteDocument.version: SiteDocument.version + 1},
    ).execute(database)


def _read(database: Database, kind: type[Document]) -> Document:
    rows = run(
        database,
        "site document",
        lambda: SiteDocument.select(SiteDocument.document).where(SiteDocument.name == slot("name")),
        {"name": _NAMES[kind]},
    )
    return _decoded(kind, rows[0][0]) if rows else kind()


@lru_cache(maxsize=64)
def _decoded(kind: type[Document], text: str) -> Document:
    hints = get_type_hints(kind)
    return kind(**{name: _typed(value, hints[name]) for name, value in json.loads(text).items()})


def _typed(value: Any, hint: Any) -> Any:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return tuple(value) if isinstance(value, list) else value
