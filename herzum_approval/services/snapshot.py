"""The whole state as one JSON document: written, read, and put back to the demonstration site."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from itertools import chain, islice
from typing import Any

from herzum_approval import config
from herzum_approval.domain import site_checks
from herzum_approval.domain.candidates import derive
from herzum_approval.domain.people import User
from herzum_approval.domain.sites import Site
from herzum_approval.services import encryption, jsm_tokens, logins, passwords
from herzum_approval.services.sealed_keys import seal_values, sealing_faults
from herzum_approval.services.site_documents import dump_site, load_site, refused
from herzum_approval.store import reading, writing
from herzum_approval.store import sites as stored
from herzum_approval.store.rows import SiteRows
from herzum_approval.store.site_rows import to_rows

Progress = Callable[[str, int, int], None]
"""Told of what is done: a name, how many of it so far, how many in all."""


def export_all() -> dict[str, Any]:
    """Return the whole state, as it stands at one moment, as a JSON document.

    Raises: SNAPSHOT_REFUSED where the key file cannot read an API key, which nobody could read elsewhere.
    """
    with reading() as database:
        site = stored.read_site(database)
    for path, reason in islice(sealing_faults(site), 1):
        raise refused(path, reason)
    return dump_site(site)


def import_all(document: object, progress: Progress | None = None) -> None:
    """Put the document's state in the place of all that is there.

    document: parsed JSON. A user may have a `password` instead of a `password_hash`, a token of JSM
        Operations a `token` instead of a `token_digest`, an API key a `value` instead of an encrypted one.
    Raises: SNAPSHOT_REFUSED with the path of the first fault, and nothing is changed; KEY_FILE_MISSING.
    """
    site = _checked(document, progress)
    rows = to_rows(site, derive(site))
    writing(lambda database: stored.restore(database, rows, progress), alone=True)
    logins.forget_credentials()


def reset() -> None:
    """Put everything back to the demonstration site: data, counters, sessions, remembered credentials."""
    seed = _seed(config.current().bcrypt_cost, encryption.ring().current_id)
    writing(lambda database: stored.restore(database, seed), alone=True)
    logins.forget_credentials()


@cache
def _seed(bcrypt_cost: int, key_id: str) -> SiteRows:
    """Return the demonstration site's rows.

    bcrypt_cost: of the password hashes among them. key_id: of the key that its API keys are encrypted by.
    """
    text = files("herzum_approval").joinpath("data", "demo.json").read_text(encoding="utf-8")
    site = _checked(json.loads(text), None)
    return to_rows(site, derive(site))


def _checked(document: object, progress: Progress | None) -> Site:
    """Return the site of a document in which nothing is wrong, plain passwords hashed."""
    document, plain_passwords = _without_passwords(document)
    site = load_site(seal_values(jsm_tokens.with_digests(document)))
    for path, reason in islice(chain(site_checks.faults(site), sealing_faults(site)), 1):
        raise refused(path, reason)
    return replace(site, users=tuple(_hashed(site.users, plain_passwords, progress)))


# -- passwords --------------------------------------------------------------------------------


def _without_passwords(document: object) -> tuple[object, dict[int, str]]:
    """Return the document without the plain passwords of its users, and those by place."""
    if not isinstance(document, dict) or not isinstance(document.get("users"), list):
        return document, {}
    found = {}
    users = list(document["users"])
    for place, user in enumerate(users):
        if isinstance(user, dict) and "password" in user:
            found[place] = _password(user, f"users[{place}].password")
            users[place] = {key: value for key, value in user.items() if key != "password"}
    return {**document, "users": users}, found


def _password(user: Mapping[str, Any], path: str) -> str:
    password = user["password"]
    if "password_hash" in user:
        raise refused(path, "stands beside a password_hash")
    if not isinstance(password, str) or not password:
        raise refused(path, "must be a text that is not empty")
    if any("\ud800" <= letter <= "\udfff" for letter in password):
        raise refused(path, "holds a character that cannot be stored")
    return password


def _hashed(users: Iterable[User], plain: Mapping[int, str], progress: Progress | None) -> Iterable[User]:
    done = 0
    for place, user in enumerate(users):
        if place not in plain:
            yield user
            continue
        yield replace(user, password_hash=passwords.hash_password(plain[place]))
        done += 1
        if progress:
            progress("passwords", done, len(plain))
