"""Secrets that have to be shown again: kept encrypted, and found by a keyed digest.

The keys stand in a file of their own, one in each line; the first one encrypts, all of them decrypt and
find. The file is looked at again whenever it has changed, so a rotation needs no restart.
"""

import base64
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from herzum_approval import config
from herzum_approval.errors import Fault, Problem

_HEAD = "# Encryption keys of herzum-approval, the newest first. Whoever has them can read its API keys.\n"
_DEMONSTRATION = hashlib.sha256(b"herzum-approval demonstration").digest()
"""The demonstration's key is known to everybody, as its passwords are and its API keys."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as it is kept.

    key_id: of the key that encrypted it. ciphertext: a Fernet token. digest: keyed, in hexadecimal digits.
    """

    key_id: str
    ciphertext: str
    digest: str


class Ring:
    """The keys of a site."""

    def __init__(self, keys: list[bytes]) -> None:
        """keys: 32 bytes each, the one that encrypts first."""
        self._digest_keys = {_derived(key, "id").hex()[:16]: _derived(key, "digest") for key in keys}
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
        self.ids = tuple(self._digest_keys)

    @property
    def current_id(self) -> str:
        return self.ids[0]

    def seal(self, value: str) -> Sealed:
        """Return the secret encrypted by the newest key."""
        return Sealed(
            self.current_id,
            self._fernet.encrypt(value.encode()).decode(),
            self._digest(self.current_id, value),
        )

    def unseal(self, sealed: Sealed) -> str:
        """Return the secret. Raises: SECRET_UNREADABLE where its key is not there, or it was altered."""
        try:
            value = self._fernet.decrypt(sealed.ciphertext.encode()).decode()
        except (InvalidToken, ValueError):
            raise Problem(Fault.SECRET_UNREADABLE, key_id=sealed.key_id) from None
        if sealed.key_id not in self._digest_keys or sealed.digest != self._digest(sealed.key_id, value):
            raise Problem(Fault.SECRET_UNREADABLE, key_id=sealed.key_id)
        return value

    def digests(self, value: str) -> list[str]:
        """Return the digests by which the secret may be found: one for each key."""
        return [self._digest(key_id, value) for key_id in self.ids]

    def _digest(self, key_id: str, value: str) -> str:
        return hmac.new(self._digest_keys[key_id], value.encode(), hashlib.sha256).hexdigest()


def _derived(key: bytes, purpose: str) -> bytes:
    """Return a key of its own for each purpose, so that no use of one tells of another."""
    return hmac.digest(key, f"herzum-approval {purpose}".encode(), "sha256")


# -- the file ---------------------------------------------------------------------------------


def key_file() -> Path | None:
    """Return where the keys are; None for the demonstration, which brings its own unless a file is set."""
    settings = config.current()
    if settings.key_file:
        return Path(settings.key_file)
    if settings.demonstration:
        return None
    database = urlsplit(settings.database_url)
    return Path(database.path[1:] if database.scheme == "sqlite" else "herzum-approval").with_suffix(".keys")


def ring() -> Ring:
    """Return the keys in force. Raises: KEY_FILE_MISSING."""
    path = key_file()
    if path is None:
        return _ring((_DEMONSTRATION,))
    try:
        found = path.stat()
        return _ring_of(path, (found.st_ino, found.st_mtime_ns, found.st_size))
    except FileNotFoundError:
        raise Problem(Fault.KEY_FILE_MISSING) from None


def has_ring() -> bool:
    """Return whether there are keys."""
    path = key_file()
    return path is None or path.exists()


@cache
def _ring(keys: tuple[bytes, ...]) -> Ring:
    return Ring(list(keys))


_read: dict[Path, tuple[tuple[int, int, int], Ring]] = {}


def _ring_of(path: Path, version: tuple[int, int, int]) -> Ring:
    known = _read.get(path)
    if known is not None and known[0] == version:
        return known[1]
    found = Ring(_keys_in(path))
    _read[path] = (version, found)
    return found


def _keys_in(path: Path) -> list[bytes]:
    """Return the keys of the file. Raises: ValueError where others may read it, or it holds no keys."""
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXO | stat.S_IWGRP):
        raise ValueError(f"Others may read or change the key file {path}. Run: chmod 600 {path}")
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    texts = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        keys = [base64.b64decode(text, altchars=b"-_", validate=True) for text in texts]
    except ValueError:
        keys = []
    if not keys or any(len(key) != 32 for key in keys):
        raise ValueError(f"The key file {path} does not hold one key of 32 bytes in each line.")
    return list(dict.fromkeys(keys))


def create_key_file() -> Path | None:
    """Write a first key, readable by its owner only, where there is no key file; return the new file."""
    path = key_file()
    if path is None or path.exists():
        return None
    with _written(path, [secrets.token_bytes(32)]) as temporary:
        try:
            os.link(temporary, path)  # fails where another process was faster, and keeps its key
        except FileExistsError:
            return None
    return path


def add_key() -> Ring:
    """Put a new key before those that there are, and return the keys then."""
    path = _own_file()
    keys = _keys_in(path) if path.exists() else []
    with _written(path, [secrets.token_bytes(32), *keys]) as temporary:
        temporary.replace(path)
    return ring()


def keep_keys(key_ids: frozenset[str]) -> int:
    """Drop all keys but the newest and those of these ids; return how many went."""
    path = _own_file()
    ids, keys = ring().ids, _keys_in(path)
    kept = [key for key, key_id in zip(keys, ids, strict=True) if key_id in key_ids or key_id == ids[0]]
    with _written(path, kept) as temporary:
        temporary.replace(path)
    return len(keys) - len(kept)


def _own_file() -> Path:
    path = key_file()
    if path is None:
        raise ValueError("The demonstration's key is known to everybody; set key_file to have one.")
    return path


@contextmanager
def _written(path: Path, keys: list[bytes]) -> Iterator[Path]:
    """Give a new file beside `path` that holds the keys, safe on the disk; what is left of it goes."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    lines = [base64.urlsafe_b64encode(key).decode() for key in keys]
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(_HEAD + "\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
