"""Password hashes."""

import base64
import hashlib
import logging

import bcrypt
import pytest

from herzum_approval import config
from herzum_approval.services import passwords

pytestmark = pytest.mark.usefixtures("settings")


@pytest.mark.parametrize(
    "password",
    [
        "admin",
        "",
        "with\0inside",
        "\0",
        "pässwörd 🔑",
        "x" * 72,
        "x" * 73,
        "x" * 200,
        "ü" * 36,
        "ü" * 37,
        "x" * 100_000,
    ],
)
def test_a_password_matches_its_own_hash_only(password: str) -> None:
    stored = passwords.hash_password(password)
    assert passwords.check_password(password, stored)
    assert not passwords.check_password(password + "x", stored)
    assert not passwords.check_password(password[:-1] + "?", stored)


def test_hashes_are_salted_and_have_the_cost_in_force() -> None:
    first, second = passwords.hash_password("admin"), passwords.hash_password("admin")
    assert first != second
    assert first.startswith("$2b$04$")
    with config.active(config.Settings(bcrypt_cost=5)):
        assert passwords.hash_password("admin").startswith("$2b$05$")


def test_long_passwords_that_differ_late_are_different() -> None:
    stored = passwords.hash_password("x" * 72 + "a")
    assert not passwords.check_password("x" * 72 + "b", stored)
    assert not passwords.check_password("x" * 72, stored)


def test_the_digest_of_a_long_password_is_no_password_itself() -> None:
    long = "x" * 73
    stored = passwords.hash_password(long)
    digest = base64.b64encode(hashlib.sha256(long.encode()).digest()).decode()
    for guess in (digest, "\xff" + digest, "\udcff" + digest):
        assert not passwords.check_password(guess, stored)


@pytest.mark.parametrize(
    "stored", ["", "plain", "$2b$04$short", "$2b$99$" + "a" * 53, "é" * 60, "\udc80", "\0"]
)
def test_what_is_no_hash_matches_nothing_and_is_logged(stored: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert not passwords.check_password("admin", stored)
    assert [record.message for record in caplog.records] == ["a stored password hash is malformed"]


def test_lone_surrogates_match_nothing_and_cannot_be_hashed() -> None:
    assert not passwords.check_password("\udc80", passwords.hash_password("x"))
    with pytest.raises(ValueError, match="surrogates"):
        passwords.hash_password("\udc80")


def test_older_variants_of_bcrypt_are_still_read() -> None:
    stored = bcrypt.hashpw(b"admin", bcrypt.gensalt(4)).decode()
    for prefix in ("$2a$", "$2y$"):
        assert passwords.check_password("admin", prefix + stored[4:])
        assert passwords.is_outdated(prefix + stored[4:])
    assert not passwords.is_outdated(stored)


def test_a_hash_of_lower_cost_is_outdated_one_of_higher_cost_is_not() -> None:
    stored = passwords.hash_password("admin")
    with config.active(config.Settings(bcrypt_cost=5)):
        assert passwords.is_outdated(stored)
        stored = passwords.hash_password("admin")
    assert not passwords.is_outdated(stored)
    assert passwords.is_outdated("no hash at all")


def test_the_dummy_has_the_cost_in_force_and_is_made_once() -> None:
    dummy = passwords.dummy_hash()
    assert dummy.startswith("$2b$04$")
    assert len(dummy) == len(passwords.hash_password("admin"))
    assert passwords.dummy_hash() == dummy
    assert not passwords.check_password("admin", dummy)
    with config.active(config.Settings(bcrypt_cost=5)):
        assert passwords.dummy_hash().startswith("$2b$05$")
