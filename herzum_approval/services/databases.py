"""The database as a whole: brought up to date, and looked over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from herzum_approval import store
from herzum_approval.domain import site_checks
from herzum_approval.domain.candidates import derive
from herzum_approval.services import accounts
from herzum_approval.services.sealed_keys import sealing_faults
from herzum_approval.store import copies, reading, writing
from herzum_approval.store import sites as stored
from herzum_approval.store.derived_rows import differences
from herzum_approval.store.site_rows import to_rows, to_site


def migrate() -> list[str]:
    """Bring the schema up to date and return the names of the migrations that ran."""
    with reading() as database:
        return store.migrate(database)


def require_initialised() -> None:
    """Do nothing where the schema is up to date and somebody can sign in.

    Raises: ValueError otherwise.
    """
    with reading() as database:
        is_migrated = store.is_migrated(database)
    if not is_migrated or not accounts.has_users():
        raise ValueError("The database is not initialised. Run: herzum-approval init")


def find_faults() -> list[str]:
    """Return what is wrong with the database, in words; an empty list where nothing is.

    Looked at are the engine's own checks, whether the site is whole, and whether what the database
    keeps worked out (open records, candidates, principals, folded names) is what follows from the rest, and
    whether the key file can read the API keys.
    """
    with reading() as database:
        damage = stored.engine_faults(database)
        if damage:
            return damage
        rows = stored.capture(database)
    site = to_site(rows)
    found = chain(site_checks.faults(site), sealing_faults(site))
    faults = [f"{path}: {reason}" for path, reason in found]
    return faults or list(differences(rows, to_rows(site, derive(site))))


# -- copying ----------------------------------------------------------------------------------


def copy(
    source_url: str, target_url: str, *, replaces: bool, progress: Callable[[str, int, int], None]
) -> int:
    """Copy the whole database at one address to another, and return how many rows it has.

    It is copied as it stands at one moment, and compared row by row before the target keeps any of it.
    replaces: what the target holds is deleted; otherwise it must hold nothing.
    progress: told of what is done, how many rows of it so far, and how many in all.

    Raises: ValueError where the source is not in the newest schema, the target is not empty, both are
        the same, or the copy differs; BUSY where one of them cannot be reached.
    """
    if source_url == target_url:
        raise ValueError("A database cannot be copied to itself.")
    with _opened(source_url):
        _require_newest_schema()
        with reading(at_one_moment=True) as source, _opened(target_url):
            migrate()
            return writing(
                lambda target: _copy(source, target, replaces=replaces, progress=progress), alone=True
            )


def _require_newest_schema() -> None:
    with reading() as database:
        if not store.is_migrated(database):
            raise ValueError("The database to copy is not in the newest schema: serve it first.")


@contextmanager
def _opened(url: str) -> Iterator[None]:
    database = store.open_database(url)
    try:
        with store.active(database):
            yield
    finally:
        database.close_all()


def _copy(source: Any, target: Any, *, replaces: bool, progress: Callable[[str, int, int], None]) -> int:
    filled = copies.filled_tables(target)
    if filled and not replaces:
        raise ValueError(f"The target is not empty ({', '.join(filled)}). To replace all of it: --replace")
    count, differences = copies.copy_rows(source, target, progress)
    if differences:
        told = [f"{each.table} {each.expected.size} rows, copied {each.found.size}" for each in differences]
        raise ValueError(f"The copy differs and was not kept: {'; '.join(told)}.")
    return count
