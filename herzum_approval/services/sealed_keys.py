"""API keys as they are kept: sealed on their way in, looked over, and sealed anew by another key."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from herzum_approval.domain.api_keys import ApiKey
from herzum_approval.domain.site_references import SiteFault
from herzum_approval.domain.sites import Site
from herzum_approval.errors import Problem
from herzum_approval.services import encryption
from herzum_approval.services.encryption import Ring, Sealed
from herzum_approval.services.site_documents import refused
from herzum_approval.store import api_keys as stored
from herzum_approval.store import reading, writing

_AT_ONCE = 500
_VALUE = re.compile(r"[A-Za-z0-9._~+/=-]{20,200}")
"""What an `Authorization` header can hold; the server's own are shorter and plainer."""


def sealed(key: ApiKey) -> Sealed:
    """Return the value of a key, as it is kept."""
    return Sealed(key.key_id, key.ciphertext, key.digest)


def seal_values(document: object) -> object:
    """Return a snapshot document in which API keys with a plain `value` have it sealed.

    Raises: SNAPSHOT_REFUSED where one cannot be a value, or stands beside a sealed one; KEY_FILE_MISSING.
    """
    if not isinstance(document, dict) or not isinstance(document.get("api_keys"), list):
        return document
    keys = [_sealed_entry(place, entry) for place, entry in enumerate(document["api_keys"])]
    return {**document, "api_keys": keys}


def _sealed_entry(place: int, entry: object) -> object:
    if not isinstance(entry, Mapping) or "value" not in entry:
        return entry
    path = f"api_keys[{place}].value"
    if not {"key_id", "ciphertext", "digest"}.isdisjoint(entry):
        raise refused(path, "stands beside an encrypted one")
    if not isinstance(entry["value"], str) or not _VALUE.fullmatch(entry["value"]):
        raise refused(path, "must be a text of 20 to 200 letters, digits and . _ ~ + / = -")
    made = encryption.ring().seal(entry["value"])
    plain = {name: value for name, value in entry.items() if name != "value"}
    return {**plain, "key_id": made.key_id, "ciphertext": made.ciphertext, "digest": made.digest}


def sealing_faults(site: Site) -> Iterator[SiteFault]:
    """Give each API key of a site that the key file cannot read."""
    if not site.api_keys:
        return
    ring = encryption.ring() if encryption.has_ring() else None
    for place, key in enumerate(site.api_keys):
        if ring is None or key.key_id not in ring.ids:
            yield SiteFault(f"api_keys[{place}].key_id", f"the key file does not hold the key {key.key_id!r}")
        elif not _is_readable(ring, key):
            yield SiteFault(f"api_keys[{place}].ciphertext", "was not made by this key, or was altered")


def _is_readable(ring: Ring, key: ApiKey) -> bool:
    try:
        ring.unseal(sealed(key))
    except Problem:
        return False
    return True


# -- the key file -----------------------------------------------------------------------------


def prepare() -> Path | None:
    """Have a key file that reads all API keys there are; where there are none yet, write a first one.

    Returns the file where it was written.
    Raises: ValueError where the file is missing, though there are API keys, or lacks one of their keys.
    """
    used = used_key_ids()
    written = None if used else encryption.create_key_file()
    _require_keys(used)
    return written


def _require_keys(used: Mapping[str, int]) -> None:
    known = encryption.ring().ids if encryption.has_ring() else ()
    missing = sorted(used.keys() - set(known))
    if missing:
        raise ValueError(
            f"The key file {encryption.key_file()} lacks the key {missing[0]}, "
            f"which encrypts {used[missing[0]]} API keys. Put it back, or set key_file."
        )


def used_key_ids() -> dict[str, int]:
    """Return how many API keys are encrypted by each key, by the key's id."""
    with reading() as database:
        return stored.count_by_encryption_key(database)


def rotate() -> int:
    """Put a new key into the key file and encrypt every API key by it; return how many.

    Servers go on meanwhile: the old keys stay in the file, and values are found by either digest.
    Raises: ValueError where the key file lacks a key that is needed, or there can be none.
    """
    _require_keys(used_key_ids())
    ring = encryption.add_key()

    def work(database: Any) -> int:
        ids = stored.find_ids(database)
        for start in range(0, len(ids), _AT_ONCE):
            keys = stored.read_keys(database, ids[start : start + _AT_ONCE])
            stored.reseal(database, [_resealed(ring, each.entry) for each in keys])
        return len(ids)

    return writing(work, is_daily=True)


def _resealed(ring: Ring, key: ApiKey) -> ApiKey:
    made = ring.seal(ring.unseal(sealed(key)))
    return replace(key, key_id=made.key_id, ciphertext=made.ciphertext, digest=made.digest)


def forget() -> int:
    """Drop the keys from the key file that no API key needs; return how many.

    What an older backup or export holds cannot be read without them.
    """
    return encryption.keep_keys(frozenset(used_key_ids()))
