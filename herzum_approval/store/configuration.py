"""The licence and the General Configuration, each one JSON document in the database."""

import json
from dataclasses import asdict
from enum import Enum
from functools import lru_cache
from typing import Any, get_type_hints

from peewee import EXCLUDED, Database

from herzum_approval.domain.configuration import Configuration, Licence
from herzum_approval.domain.versions import Versioned
from herzum_approval.store.kept import facts
from herzum_approval.store.statements import run, slot
from herzum_approval.store.tables import SiteDocument

_KINDS: dict[str, type[Licence | Configuration]] = {"licence": Licence, "configuration": Configuration}


def read_licence(database: Database) -> Licence:
    document, _ = facts(database).remembered("licence", lambda: _read(database, "licence"))
    assert isinstance(document, Licence)
    return document


def read_configuration(database: Database) -> Configuration:
    return facts(database).remembered("configuration", lambda: read_versioned_configuration(database).entry)


def read_versioned_configuration(database: Database) -> Versioned[Configuration]:
    """Return the configuration with its version, 0 where it was never written."""
    document, version = _read(database, "configuration")
    assert isinstance(document, Configuration)
    return Versioned(document, version)


def write_document(database: Database, document: Licence | Configuration) -> None:
    """Store the licence or the configuration, whichever it is."""
    name = next(name for name, kind in _KINDS.items() if isinstance(document, kind))
    SiteDocument.insert(name=name, document=json.dumps(asdict(document))).on_conflict(
        conflict_target=[SiteDocument.name],
        update={SiteDocument.document: EXCLUDED.document, SiteDocument.version: SiteDocument.version + 1},
    ).execute(database)


def _read(database: Database, name: str) -> tuple[Licence | Configuration, int]:
    rows = run(
        database,
        "site document",
        lambda: SiteDocument.select(SiteDocument.document, SiteDocument.version).where(
            SiteDocument.name == slot("name")
        ),
        {"name": name},
    )
    text, version = rows[0] if rows else ("{}", 0)
    return _decoded(name, text), version


@lru_cache(maxsize=64)
def _decoded(name: str, text: str) -> Licence | Configuration:
    kind = _KINDS[name]
    hints = get_type_hints(kind)
    return kind(**{key: _typed(value, hints[key]) for key, value in json.loads(text).items()})


def _typed(value: Any, hint: Any) -> Any:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return tuple(value) if isinstance(value, list) else value
