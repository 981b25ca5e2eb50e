"""Password hashes: made and compared here, and nowhere else."""

import base64
import hashlib
import logging
import secrets
from functools import cache

import bcrypt

from herzum_approval import config

logger = logging.getLogger(__name__)

_BCRYPT_LIMIT = 72
_BCRYPT_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_DIGEST_MARK = b"\xff"
"""No UTF-8 text holds this byte, so no short password equals what a long one is hashed as."""


def hash_password(password: str) -> str:
    """Return the bcrypt hash of the password, at the cost in force.

    Raises: ValueError where the password is no Unicode text (lone surrogates).
    """
    secret = _bounded(password.encode("utf-8"))
    return bcrypt.hashpw(secret, bcrypt.gensalt(config.current().bcrypt_cost)).decode("ascii")


def check_password(password: str, stored_hash: str) -> bool:
    """Return whether the hash is that of the password; False also where it is no hash at all."""
    # Lone surrogates match nothing that `hash_password` takes, and cost what any wrong password costs.
    secret = _bounded(password.encode("utf-8", "surrogatepass"))
    try:
        return bcrypt.checkpw(secret, stored_hash.encode("utf-8", "surrogatepass"))
    except ValueError:
        logger.error("a stored password hash is malformed")
        return False


def _bounded(secret: bytes) -> bytes:
    """Return what bcrypt hashes: the password, or a digest of one longer than bcrypt takes."""
    if len(secret) <= _BCRYPT_LIMIT:
        return secret
    return _DIGEST_MARK + base64.b64encode(hashlib.sha256(secret).digest())


def is_outdated(stored_hash: str) -> bool:
    """Return whether a new hash of the same password would be stronger: higher cost, current variant."""
    match stored_hash.split("$"):
        case ["", "2b", cost, _] if cost.isdigit():
            return int(cost) < config.current().bcrypt_cost
        case _:
            return True


def dummy_hash() -> str:
    """Return a hash that no password has, which costs as much to check as a new one.

    It stands in for users who do not exist, so that they take as long as a wrong password.
    """
    return _dummy_hash(config.current().bcrypt_cost)


@cache
def _dummy_hash(cost: int) -> str:
    digest = "".join(secrets.choice(_BCRYPT_ALPHABET) for _ in range(31))
    return bcrypt.gensalt(cost).decode("ascii") + digest
