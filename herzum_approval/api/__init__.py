"""The doors: one package for each API family."""

from herzum_approval.api import administration, approval_path, emulator, herzum, jira, jsm_ops
from herzum_approval.api.family import Family

FAMILIES: tuple[Family, ...] = (
    herzum.FAMILY,
    approval_path.FAMILY,
    administration.FAMILY,
    jsm_ops.FAMILY,
    emulator.FAMILY,
    jira.FAMILY,
)
"""In the order in which they are asked for a path: Jira has all of /rest, so it comes last."""
