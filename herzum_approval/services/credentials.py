"""Verified Basic credentials, remembered in memory for a short while without keeping any password."""

import hmac
import secrets
import threading
from collections import OrderedDict

from herzum_approval import clock

LONGEST_SECONDS = 60.0


class CredentialMemory:
    """Remembers that a password matched a stored hash, under a keyed digest of both.

    The key is random and never leaves the process. A changed hash makes another digest, so what was
    remembered of the old password is found no more. Safe to share between threads.
    """

    def __init__(self, *, at_most: int = 10_000) -> None:
        self._key = secrets.token_bytes(32)
        self._at_most = at_most
        self._expiries: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, stored_hash: str, password: str, seconds: float) -> None:
        """Remember the credential for so long, 60 seconds at most; the least used one makes room."""
        if seconds <= 0:
            return
        digest = self._digest(stored_hash, password)
        with self._lock:
            self._expiries[digest] = clock.monotonic() + min(seconds, LONGEST_SECONDS)
            self._expiries.move_to_end(digest)
            if len(self._expiries) > self._at_most:
                self._expiries.popitem(last=False)

    def knows(self, stored_hash: str, password: str) -> bool:
        """Return whether the credential was verified lately; asking does not prolong that."""
        digest = self._digest(stored_hash, password)
        with self._lock:
            expiry = self._expiries.get(digest)
            if expiry is None:
                return False
            if expiry <= clock.monotonic():
                del self._expiries[digest]
                return False
            self._expiries.move_to_end(digest)
            return True

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._expiries.clear()

    def _digest(self, stored_hash: str, password: str) -> bytes:
        # No stored hash holds a NUL, so no two pairs come to the same text.
        secret = f"{stored_hash}\0{password}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, secret, "sha256")
