"""Tokens: what they are limited to, and when they end."""

from datetime import UTC, datetime, timedelta

import pytest

from herzum_approval.domain.jsm_tokens import JsmCaller, JsmToken, Scope

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("scopes", "wanted", "lacking"),
    [
        (None, tuple(Scope), None),
        (frozenset(Scope), tuple(Scope), None),
        (frozenset({Scope.READ}), (Scope.READ,), None),
        (frozenset({Scope.READ}), (Scope.READ, Scope.WRITE, Scope.DELETE), Scope.WRITE),
        (frozenset[Scope](), (Scope.READ,), Scope.READ),
        (frozenset[Scope](), (), None),
    ],
)
def test_an_api_token_is_not_limited_and_another_to_its_scopes(scopes, wanted, lacking):
    assert JsmCaller(username="admin", scopes=scopes).lacks(wanted) is lacking


@pytest.mark.parametrize(
    ("after", "is_expired"),
    [(None, False), (timedelta(0), True), (timedelta(seconds=1), False), (timedelta(seconds=-1), True)],
)
def test_a_token_ends_at_its_end(after, is_expired):
    end = None if after is None else NOW + after
    token = JsmToken(id=1, token_digest="0" * 64, username="admin", expires_at=end)
    assert token.is_expired(NOW) is is_expired
