"""The database as a whole: brought up to date, and looked over."""

from itertools import chain

from herzum_approval import store
from herzum_approval.domain import site_checks
from herzum_approval.domain.candidates import derive
from herzum_approval.services import accounts
from herzum_approval.services.sealed_keys import sealing_faults
from herzum_approval.store import reading
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
