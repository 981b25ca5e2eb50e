"""The memory of verified credentials."""

import pytest

from herzum_approval import clock
from herzum_approval.services.credentials import CredentialMemory


class Seconds:
    """A clock that stands until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(clock, "monotonic", lambda: self.now)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    return Seconds(monkeypatch)


def test_it_knows_exactly_what_it_was_told() -> None:
    memory = CredentialMemory()
    memory.remember("hash", "secret", 60)
    assert memory.knows("hash", "secret")
    for stored_hash, password in [("hash", "Secret"), ("other", "secret"), ("hash\0se", "cret"), ("", "")]:
        assert not memory.knows(stored_hash, password)


@pytest.mark.parametrize(("asked", "granted"), [(5, 5), (60, 60), (3600, 60)])
def test_it_forgets_in_time(seconds: Seconds, asked: float, granted: float) -> None:
    memory = CredentialMemory()
    memory.remember("hash", "secret", asked)
    seconds.now += granted - 1
    assert memory.knows("hash", "secret")
    seconds.now += 1
    assert not memory.knows("hash", "secret")
    seconds.now -= 1
    assert not memory.knows("hash", "secret")


def test_remembering_again_starts_the_time_again(seconds: Seconds) -> None:
    memory = CredentialMemory()
    memory.remember("hash", "secret", 10)
    seconds.now += 9
    memory.remember("hash", "secret", 10)
    seconds.now += 9
    assert memory.knows("hash", "secret")


def test_it_remembers_nothing_for_no_time() -> None:
    memory = CredentialMemory()
    memory.remember("hash", "secret", 0)
    assert not memory.knows("hash", "secret")


def test_the_least_used_makes_room() -> None:
    memory = CredentialMemory(at_most=2)
    memory.remember("hash", "first", 60)
    memory.remember("hash", "second", 60)
    assert memory.knows("hash", "first")
    memory.remember("hash", "third", 60)
    assert [memory.knows("hash", name) for name in ("first", "second", "third")] == [True, False, True]


def test_it_can_be_emptied() -> None:
    memory = CredentialMemory()
    memory.remember("hash", "secret", 60)
    memory.clear()
    assert not memory.knows("hash", "secret")


def test_it_keeps_no_password_and_shares_no_key() -> None:
    first, second = CredentialMemory(), CredentialMemory()
    for memory in (first, second):
        memory.remember("hash-marker", "secret-marker", 60)
    assert "marker" not in repr(vars(first))
    assert not set(first._expiries) & set(second._expiries)


def test_lone_surrogates_are_remembered_like_anything_else() -> None:
    memory = CredentialMemory()
    memory.remember("hash", "\ud800", 60)
    assert memory.knows("hash", "\ud800")
    assert not memory.knows("hash", "\udfff")
