"""The plugin's licence: reading it, setting it, and refusing service without a valid one."""

from herzum_approval.domain.configuration import Licence, LicenceState
from herzum_approval.errors import Fault, Problem
from herzum_approval.store import configuration as stored
from herzum_approval.store import reading, writing


def licence() -> Licence:
    """Return the licence."""
    with reading() as database:
        return stored.read_licence(database)


def set_licence(state: LicenceState) -> Licence:
    """Make the licence valid or expired, and return it."""
    new = Licence(state=state)
    writing(lambda database: stored.write_document(database, new))
    return new


def require_valid() -> None:
    """Do nothing where the licence is valid.

    Raises: LICENCE_INVALID. Source: HAP REST API; that it comes before all other checks is inferred.
    """
    if not is_valid():
        raise Problem(Fault.LICENCE_INVALID)


def is_valid() -> bool:
    """Return whether the licence is valid."""
    return licence().is_valid
