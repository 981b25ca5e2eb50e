"""Tokens of JSM Operations: who signs in by one, and making, listing and revoking them.

Tokens are random and long, so they are found by a plain digest: no password is hashed for a request, and
guesses need no lock. What a token is nobody can tell once it was handed out.
"""

import hashlib
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from herzum_approval import clock
from herzum_approval.domain.jira import LARGEST_ID
from herzum_approval.domain.jsm_tokens import JsmCaller, JsmToken
from herzum_approval.domain.people import Actor, folded
from herzum_approval.errors import Fault, Problem
from herzum_approval.services.pages import Listed, Wish, listed
from herzum_approval.services.site_documents import refused
from herzum_approval.store import jsm_sites as stored
from herzum_approval.store import people as stored_people
from herzum_approval.store import reading, writing

logger = logging.getLogger(__name__)

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made. secret: what the client sends; it is shown this once."""

    token: JsmToken
    secret: str


def caller_of_basic(email: str, secret: str) -> JsmCaller | None:
    """Return whose API token it is, if it is that of the e-mail address; letter case of the address aside."""
    owner = _owner(secret)
    if owner is None or owner.token.scopes is not None or folded(owner.email) != folded(email):
        return None
    return JsmCaller(username=owner.token.username)


def caller_of_bearer(secret: str) -> JsmCaller | None:
    """Return whose OAuth 2.0 token it is, and what it is limited to."""
    owner = _owner(secret)
    if owner is None or owner.token.scopes is None:
        return None
    return JsmCaller(username=owner.token.username, scopes=frozenset(owner.token.scopes))


def _owner(secret: str) -> stored.TokenOwner | None:
    with reading() as database:
        owner = stored.find_token(database, digest_of(secret))
    return None if owner is None or owner.token.is_expired(clock.now()) else owner


def digest_of(secret: str) -> str:
    """Return what the database keeps of a token."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# -- what administrators do -------------------------------------------------------------------


def find_tokens(wish: Wish) -> Listed[JsmToken]:
    """Return the tokens by id."""
    with reading(at_one_moment=True) as database:
        ids = stored.find_token_ids(database)
        return listed(ids, wish, lambda chunk: stored.read_tokens(database, chunk))


def create_token(actor: Actor, token: JsmToken) -> NewToken:
    """Return a new token for the user, with label, scopes and end as given.

    Raises: REFERENCE_INVALID where there is no such user.
    """
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    made = replace(token, token_digest=digest_of(secret), created_at=clock.now())

    def work(database: Any) -> JsmToken:
        if not stored_people.find_users(database, [token.username]):
            reason = f"{token.username!r} is the username of none of the users"
            raise Problem(Fault.REFERENCE_INVALID, field="username", reason=reason)
        return stored.insert_token(database, made)

    created = writing(work)
    logger.info("token created", extra={"id": created.id, "for": created.username, "by": actor.username})
    return NewToken(created, secret)


def revoke_token(actor: Actor, token_id: int) -> None:
    """Let nobody sign in by the token any more. Raises: JSM_TOKEN_UNKNOWN."""
    if token_id > LARGEST_ID or not writing(lambda database: stored.delete_token(database, token_id)):
        raise Problem(Fault.JSM_TOKEN_UNKNOWN, id=token_id)
    logger.info("token revoked", extra={"id": token_id, "by": actor.username})


# -- snapshot documents -----------------------------------------------------------------------


def with_digests(document: object) -> object:
    """Return a snapshot document in which each `token` of a token is a `token_digest`.

    Raises: SNAPSHOT_REFUSED.
    """
    if not isinstance(document, dict) or not isinstance(document.get("jsm_tokens"), list):
        return document
    tokens = [_with_digest(entry, place) for place, entry in enumerate(document["jsm_tokens"])]
    return {**document, "jsm_tokens": tokens}


def _with_digest(entry: object, place: int) -> object:
    if not isinstance(entry, Mapping) or "token" not in entry:
        return entry
    path = f"jsm_tokens[{place}].token"
    if "token_digest" in entry:
        raise refused(path, "stands beside a token_digest")
    secret = entry["token"]
    if not isinstance(secret, str) or not secret:
        raise refused(path, "must be a text that is not empty")
    return {
        **{key: value for key, value in entry.items() if key != "token"},
        "token_digest": digest_of(secret),
    }
