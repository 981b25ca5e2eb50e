"""Tokens of JSM Operations: who signs in by one, and that nobody can read one afterwards."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from herzum_approval import clock, store
from herzum_approval.domain.jsm_tokens import JsmCaller, JsmToken, Scope
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import jsm_sites, jsm_tokens, logins, snapshot
from herzum_approval.services.jsm_tokens import caller_of_basic, caller_of_bearer
from herzum_approval.services.pages import Wish
from tests.services.sites import actor
from tests.services.sites import given as lay_over

NEW = JsmToken(id=0, token_digest="", username="carol", label="Terraform")
SITE = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def site(engine, settings):
    snapshot.reset()
    return engine


@pytest.mark.parametrize(
    ("email", "secret", "username"),
    [
        ("admin@example.com", "demo-token-admin", "admin"),
        ("ADMIN@Example.com", "demo-token-admin", "admin"),
        ("bob@example.com", "demo-token-bob", "bob"),
        ("bob@example.com", "demo-token-admin", None),
        ("admin", "demo-token-admin", None),
        ("", "demo-token-admin", None),
        ("admin@example.com", "admin", None),
        ("admin@example.com", "demo-token-admin ", None),
        ("admin@example.com", "DEMO-TOKEN-ADMIN", None),
        ("admin@example.com", "", None),
        ("admin@example.com", "demo-oauth-admin", None),
        ("admin@example.com", "a\0", None),
        ("admin@example.com", "\ud800", None),
    ],
)
def test_basic(site, email, secret, username):
    caller = caller_of_basic(email, secret)
    assert caller == (None if username is None else JsmCaller(username=username))


@pytest.mark.parametrize(
    ("secret", "scopes"),
    [
        ("demo-oauth-admin", frozenset(Scope)),
        ("demo-oauth-admin-read", frozenset({Scope.READ})),
        ("demo-token-admin", None),
        ("", None),
    ],
)
def test_bearer(site, secret, scopes):
    caller = caller_of_bearer(secret)
    assert caller == (None if scopes is None else JsmCaller(username="admin", scopes=scopes))


def test_a_new_token_works_until_it_is_revoked(site):
    made = jsm_tokens.create_token(actor("admin"), NEW)
    assert caller_of_basic("carol@example.com", made.secret) == JsmCaller(username="carol")
    assert len(made.secret) >= 43
    jsm_tokens.revoke_token(actor("admin"), made.token.id)
    assert caller_of_basic("carol@example.com", made.secret) is None
    with pytest.raises(Problem) as caught:
        jsm_tokens.revoke_token(actor("admin"), made.token.id)
    assert caught.value.fault is Fault.JSM_TOKEN_UNKNOWN


def test_an_expired_token_is_none(site):
    end = clock.now() - timedelta(seconds=1)
    for scopes in (None, (Scope.READ,)):
        made = jsm_tokens.create_token(actor("admin"), replace(NEW, expires_at=end, scopes=scopes))
        assert caller_of_basic("carol@example.com", made.secret) is None
        assert caller_of_bearer(made.secret) is None
    later = jsm_tokens.create_token(actor("admin"), replace(NEW, expires_at=clock.now() + timedelta(days=1)))
    assert caller_of_basic("carol@example.com", later.secret) is not None


def test_the_tokens_of_somebody_who_was_barred_are_none(site):
    assert logins.deactivate("bob")
    assert caller_of_basic("bob@example.com", "demo-token-bob") is None


def test_nobody_gets_a_token_who_is_not_there(site):
    with pytest.raises(Problem) as caught:
        jsm_tokens.create_token(actor("admin"), replace(NEW, username="nobody"))
    assert caught.value.fault is Fault.REFERENCE_INVALID


def test_no_token_rests_anywhere(site, caplog):
    with caplog.at_level(logging.DEBUG):
        made = jsm_tokens.create_token(actor("admin"), NEW)
        caller_of_basic("carol@example.com", made.secret)
        caller_of_bearer("wrong-" + made.secret)
        jsm_tokens.revoke_token(actor("admin"), made.token.id)
        jsm_tokens.create_token(actor("admin"), NEW)
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert made.secret not in logged
    assert "token created" in logged
    assert made.secret not in str(snapshot.export_all())
    assert made.secret not in str(jsm_tokens.find_tokens(Wish()).entries)
    with store.reading() as database:
        rows = database.execute_sql("SELECT * FROM jsm_token").fetchall()
    assert rows
    assert not any(secret in str(rows) for secret in (made.secret, "demo-token", "demo-oauth"))


def test_the_order_of_what_keeps_somebody_out(site):
    """Site, throttle, plan, scope, right: each said before those after it."""
    caller = JsmCaller(username="bob", scopes=frozenset[Scope]())
    lay_over(jsm_sites=[{"name": "Demonstration", "is_throttled": True, "has_custom_roles": False}])

    def fault(cloud_id=SITE, who=caller):
        with pytest.raises(Problem) as caught:
            jsm_sites.require_entry(who, cloud_id, (Scope.READ,))
        return caught.value.fault

    assert fault("none") is Fault.JSM_SITE_UNKNOWN
    assert fault() is Fault.REQUESTS_TOO_MANY
    lay_over(jsm_sites=[{"name": "Demonstration", "is_throttled": False}])
    assert fault() is Fault.PLAN_WITHOUT_ROLES
    lay_over(jsm_sites=[{"name": "Demonstration", "has_custom_roles": True}])
    assert fault() is Fault.TOKEN_SCOPE_MISSING
    assert fault(who=JsmCaller(username="bob")) is Fault.ADMINISTRATOR_REQUIRED
    jsm_sites.require_entry(JsmCaller(username="alice"), SITE, (Scope.READ,))
