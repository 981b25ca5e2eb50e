"""The key file, and what is sealed by it."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from herzum_approval import config
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import encryption

VALUE = "mc96LyRi9nUQySSjKXEf8xfqUZzjS2CYhRK8bWSRRfQi"


@pytest.fixture
def key_file(tmp_path):
    """A key file that is not there yet, of a site that is no demonstration."""
    settings = config.Settings(database_url=f"sqlite:///{tmp_path}/site.db")
    with config.active(settings):
        path = encryption.key_file()
        assert path == tmp_path / "site.keys"
        yield path


def test_a_sealed_value_is_read_again_and_stands_in_nothing(key_file):
    encryption.create_key_file()
    ring = encryption.ring()
    sealed = ring.seal(VALUE)
    assert ring.unseal(sealed) == VALUE
    assert VALUE not in repr(sealed)
    assert sealed.digest in ring.digests(VALUE)
    again = ring.seal(VALUE)
    assert again.ciphertext != sealed.ciphertext
    assert again.digest == sealed.digest
    assert VALUE.encode() not in key_file.read_bytes()


def test_the_file_is_for_its_owner_only(key_file):
    before = os.umask(0)
    try:
        assert encryption.create_key_file() == key_file
    finally:
        os.umask(before)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert list(key_file.parent.iterdir()) == [key_file]


def test_a_file_that_is_there_stays_as_it_is(key_file):
    encryption.create_key_file()
    before = key_file.read_bytes()
    assert encryption.create_key_file() is None
    assert key_file.read_bytes() == before


def test_of_two_that_write_a_first_key_one_wins(key_file, monkeypatch):
    encryption.create_key_file()
    before = key_file.read_bytes()
    monkeypatch.setattr(Path, "exists", lambda self: False)  # as the slower one saw it
    assert encryption.create_key_file() is None
    assert key_file.read_bytes() == before
    assert list(key_file.parent.iterdir()) == [key_file]


def test_what_others_may_read_is_refused(key_file):
    encryption.create_key_file()
    for mode in (0o604, 0o620, 0o666):
        key_file.chmod(mode)
        os.utime(key_file, ns=(mode, mode))
        with pytest.raises(ValueError, match=f"chmod 600 {key_file}"):
            encryption.ring()
    key_file.chmod(0o640)  # a group that the operator chose may read it
    os.utime(key_file, ns=(1, 1))
    assert encryption.ring().ids


@pytest.mark.parametrize("text", ["", "# nothing\n", "short\n", "é" * 44 + "\n", "A" * 43 + "=\nx\n"])
def test_what_is_no_key_file_is_refused(key_file, text):
    key_file.write_text(text, encoding="utf-8")
    key_file.chmod(0o600)
    with pytest.raises(ValueError, match="does not hold one key of 32 bytes in each line"):
        encryption.ring()


def test_without_a_file_there_are_no_keys(key_file):
    assert not encryption.has_ring()
    with pytest.raises(Problem) as caught:
        encryption.ring()
    assert caught.value.fault is Fault.KEY_FILE_MISSING


def test_a_rotation_is_seen_without_a_restart_and_old_values_are_found(key_file):
    encryption.create_key_file()
    old = encryption.ring()
    sealed = old.seal(VALUE)
    new = encryption.add_key()
    assert new is encryption.ring()
    assert new.ids == (new.current_id, old.current_id)
    assert new.unseal(sealed) == VALUE
    assert sealed.digest in new.digests(VALUE)
    assert new.seal(VALUE).key_id == new.current_id != old.current_id
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert list(key_file.parent.iterdir()) == [key_file]


def test_only_keys_that_are_needed_are_kept(key_file):
    encryption.create_key_file()
    first = encryption.ring().current_id
    second, third = encryption.add_key().current_id, encryption.add_key().current_id
    assert encryption.keep_keys(frozenset({first})) == 1
    assert encryption.ring().ids == (third, first)
    assert second not in encryption.ring().ids
    assert encryption.keep_keys(frozenset()) == 1
    assert encryption.ring().ids == (third,)


def test_what_was_altered_or_is_of_another_key_is_refused(key_file):
    encryption.create_key_file()
    ring = encryption.ring()
    sealed = ring.seal(VALUE)
    other = ring.seal(VALUE[::-1])
    for wrong in (
        replace(sealed, ciphertext=sealed.ciphertext[:-4] + "AAA="),
        replace(sealed, ciphertext=other.ciphertext),
        replace(sealed, ciphertext="é"),
        replace(sealed, digest=other.digest),
        replace(sealed, key_id="0" * 16),
    ):
        with pytest.raises(Problem) as caught:
            ring.unseal(wrong)
        assert caught.value.fault is Fault.SECRET_UNREADABLE
        assert VALUE not in str(caught.value)


def test_the_demonstration_brings_a_key_that_everybody_knows(tmp_path):
    settings = config.Settings(demonstration=True, database_url=f"sqlite:///{tmp_path}/site.db")
    with config.active(settings):
        assert encryption.key_file() is None
        assert encryption.has_ring()
        assert encryption.create_key_file() is None
        assert encryption.ring() is encryption.ring()
        for change in (encryption.add_key, lambda: encryption.keep_keys(frozenset())):
            with pytest.raises(ValueError, match="known to everybody"):
                change()
    with config.active(replace(settings, key_file=str(tmp_path / "own"))):
        assert encryption.create_key_file() == tmp_path / "own"
    assert list(tmp_path.iterdir()) == [tmp_path / "own"]


def test_beside_postgresql_the_file_is_in_the_working_directory():
    with config.active(config.Settings(database_url="postgresql://u:p@host/name")):
        assert encryption.key_file() == Path("herzum-approval.keys")
