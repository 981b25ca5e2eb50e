"""The General Configuration: reading and replacing it."""

from collections.abc import Collection
from typing import Any

from herzum_approval.domain.change_checks import check_configuration
from herzum_approval.domain.configuration import Configuration
from herzum_approval.domain.site_references import mentions
from herzum_approval.domain.sites import Site
from herzum_approval.domain.versions import Versioned
from herzum_approval.store import configuration as stored
from herzum_approval.store import reading, writing
from herzum_approval.store.mappings import lock_mappings
from herzum_approval.store.mentions import read_mentioned


def show_configuration() -> Versioned[Configuration]:
    """Return the configuration."""
    with reading() as database:
        return stored.read_versioned_configuration(database)


def edit_configuration(
    configuration: Configuration, *, versions: Collection[int] | None = None
) -> Versioned[Configuration]:
    """Put the configuration in the place of the present one, and return it.

    Records stay as they are: super approvers and switches are looked up when somebody searches or acts.
    versions: one of them must be the present one; None for any.
    Raises: VERSION_STALE, what `change_checks.check_configuration` raises.
    """

    def work(database: Any) -> Versioned[Configuration]:
        lock_mappings(database)
        before = stored.read_versioned_configuration(database)
        before.require(versions)
        mentioned = read_mentioned(database, mentions(Site(configuration=configuration)))
        check_configuration(configuration, mentioned)
        stored.write_document(database, configuration)
        return before.succeeded_by(configuration)

    return writing(work)
