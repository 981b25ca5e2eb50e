"""API keys in use, on both engines: found, counted exactly, administered."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from datetime import timedelta

import pytest
from playhouse.test_utils import count_queries

from herzum_approval import clock, config
from herzum_approval.domain.api_keys import (
    VALUE_ALPHABET,
    KeyTerms,
    PerformerChange,
    PerformerOrigin,
    Privilege,
)
from herzum_approval.domain.approval_paths import Product, Reference
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import api_keys, snapshot
from herzum_approval.services.pages import Wish

ADMIN = Actor(username="admin", display_name="Admin")
TERMS = KeyTerms(name="key", product=Product.JIRA, can_create=True)
CALLERS, USES = 16, 5


@pytest.fixture
def site(engine, settings):
    snapshot.reset()
    return engine


@pytest.fixture
def key(site):
    return api_keys.create_key(ADMIN, TERMS).entry


@pytest.fixture
def value(key):
    return api_keys.reveal_key(ADMIN, key.id)


def use(value, privilege=Privilege.CREATE, **options):
    return api_keys.use_key(value, privilege, **{"peer": None, "forwarded_for": None, **options})


def fault(work):
    with pytest.raises(Problem) as caught:
        work()
    return caught.value.fault


def edited(key, **changes):
    return api_keys.edit_key(key.id, replace(TERMS, **changes)).entry


# -- use --------------------------------------------------------------------------------------


def test_a_value_is_random_and_plain_letters(site, key, value):
    other = api_keys.reveal_key(ADMIN, api_keys.create_key(ADMIN, TERMS).entry.id)
    assert value != other
    for each in (value, other):
        assert re.fullmatch(f"[{VALUE_ALPHABET}]{{44}}", each)


def test_a_key_is_found_by_its_value_alone(site, key, value):
    assert use(value).id == key.id
    for wrong in ("", "x", value[:-1], value + "x", value.swapcase(), "\0", "é" * 44, "x" * 100_000):
        assert fault(lambda: use(wrong)) is Fault.KEY_UNKNOWN  # noqa: B023


def test_a_use_that_is_allowed_counts_and_no_other(site, key, value):
    before = clock.now()
    use(value)
    use(value)
    assert fault(lambda: use(value, Privilege.DELETE)) is Fault.PRIVILEGE_MISSING
    edited(key, allowed_ips="10.0.0.1")
    assert fault(lambda: use(value, peer="10.0.0.2")) is Fault.ADDRESS_NOT_ALLOWED
    use(value, peer="10.0.0.1")
    edited(key, valid_until=before - timedelta(days=1))
    assert fault(lambda: use(value)) is Fault.KEY_NOT_VALID_NOW
    found = api_keys.show_key(key.id)
    assert found.entry.usage_count == 3
    assert before <= found.entry.used_at <= clock.now()
    assert found.version == 3  # two edits; use raises none


def test_every_use_of_sixteen_callers_at_once_is_counted(site, key, value):
    def caller():
        for _ in range(USES):
            use(value)

    with ThreadPoolExecutor(CALLERS) as pool:
        for started in [pool.submit(copy_context().run, caller) for _ in range(CALLERS)]:
            started.result()
    assert api_keys.show_key(key.id).entry.usage_count == CALLERS * USES


def test_the_last_use_never_goes_back(site, key, value, monkeypatch):
    now = clock.now()
    for moment in (now, now - timedelta(hours=1)):
        monkeypatch.setattr(clock, "now", lambda: moment)  # noqa: B023
        use(value)
    found = api_keys.show_key(key.id).entry
    assert (found.used_at, found.usage_count) == (now, 2)


def test_a_use_takes_two_statements_however_many_keys_there_are(site, key, value):
    for _ in range(20):
        api_keys.create_key(ADMIN, TERMS)
    use(value)
    with count_queries() as queries:
        use(value)
    assert queries.count <= 3


def test_a_key_that_goes_while_it_is_looked_at_opens_nothing(site, key, value, monkeypatch):
    found = api_keys._key_of(value)
    api_keys.delete_key(key.id)
    monkeypatch.setattr(api_keys, "_key_of", lambda value: found)
    assert fault(lambda: use(value)) is Fault.KEY_UNKNOWN


def test_a_proxy_is_believed_where_it_is_trusted(site, key, value, settings):
    edited(key, allowed_ips="198.51.100.7")
    proxied = {"peer": "10.0.0.1", "forwarded_for": "198.51.100.7"}
    assert fault(lambda: use(value, **proxied)) is Fault.ADDRESS_NOT_ALLOWED
    with config.active(replace(settings, trusted_proxies="10.0.0.0/8")):
        assert use(value, **proxied).id == key.id
        assert fault(lambda: use(value, peer="10.0.0.1", forwarded_for=None)) is Fault.ADDRESS_NOT_ALLOWED


# -- the performer ----------------------------------------------------------------------------

ISSUE = Reference(
    product=Product.JIRA,
    id=10500,
    collection_id=10300,
    title="",
    key="SOFT-1",
    fields=(("reporter", ("carol",)),),
)
BOB = "6299df401648f2006963deb8"


@pytest.mark.parametrize(
    ("change", "user_id", "result"),
    [
        (None, None, "admin"),
        (None, BOB, "admin"),
        (PerformerChange(origin=PerformerOrigin.USER, user="carol"), BOB, "carol"),
        (PerformerChange(origin=PerformerOrigin.ISSUE_FIELD, field_id="reporter"), BOB, "carol"),
        (
            PerformerChange(origin=PerformerOrigin.ISSUE_FIELD, field_id="assignee"),
            BOB,
            Fault.PERFORMER_UNRESOLVED,
        ),
        (
            PerformerChange(origin=PerformerOrigin.ISSUE_FIELD, field_id="assignee", default_user="alice"),
            None,
            "alice",
        ),
        (PerformerChange(origin=PerformerOrigin.API_CALL), BOB, "bob"),
        (PerformerChange(origin=PerformerOrigin.API_CALL), f" {BOB} ", "bob"),
        (PerformerChange(origin=PerformerOrigin.API_CALL), "dave", "dave"),  # who has no account id
        (PerformerChange(origin=PerformerOrigin.API_CALL), "bob", Fault.PERFORMER_UNRESOLVED),
        (PerformerChange(origin=PerformerOrigin.API_CALL), None, Fault.PERFORMER_UNRESOLVED),
        (PerformerChange(origin=PerformerOrigin.API_CALL), "  ", Fault.PERFORMER_UNRESOLVED),
        (PerformerChange(origin=PerformerOrigin.API_CALL), "no\0body", Fault.PERFORMER_UNRESOLVED),
        (PerformerChange(origin=PerformerOrigin.API_CALL, default_user="alice"), "", "alice"),
        (PerformerChange(origin=PerformerOrigin.API_CALL, group="approvers"), BOB, "bob"),
        (
            PerformerChange(
                origin=PerformerOrigin.API_CALL, group="jira-administrators", default_user="alice"
            ),
            BOB,
            Fault.PERFORMER_OUTSIDE_GROUP,
        ),
    ],
)
def test_the_performer(site, key, change, user_id, result):
    changed = edited(key, performer=change)
    if isinstance(result, str):
        assert api_keys.performer(changed, ISSUE, user_id).username == result
        return
    assert fault(lambda: api_keys.performer(changed, ISSUE, user_id)) is result


# -- administration ---------------------------------------------------------------------------


def test_what_is_created_is_found_edited_and_deleted(site):
    terms = replace(
        TERMS,
        description="d",
        performer=PerformerChange(origin=PerformerOrigin.API_CALL, group="approvers", default_user="bob"),
        valid_from=clock.now(),
        valid_until=clock.now() + timedelta(days=1),
        allowed_ips="10.0.0.0/8",
        can_delete=True,
    )
    created = api_keys.create_key(ADMIN, terms)
    id = created.entry.id
    assert api_keys.show_key(id) == created
    assert created.entry.creator == "admin"
    assert created.entry.created_at == created.entry.modified_at
    assert created.entry in api_keys.find_keys(Wish()).entries
    later = api_keys.edit_key(id, TERMS, versions=[created.version])
    assert api_keys.show_key(id) == later
    assert later.entry.performer is None
    assert fault(lambda: api_keys.edit_key(id, TERMS, versions=[created.version])) is Fault.VERSION_STALE
    assert fault(lambda: api_keys.delete_key(id, versions=[created.version])) is Fault.VERSION_STALE
    api_keys.delete_key(id, versions=[later.version])
    for work in (api_keys.show_key, api_keys.delete_key, lambda id: api_keys.reveal_key(ADMIN, id)):
        assert fault(lambda: work(id)) is Fault.API_KEY_UNKNOWN  # noqa: B023
    assert fault(lambda: api_keys.show_key(2**40)) is Fault.API_KEY_UNKNOWN
    assert api_keys.create_key(ADMIN, TERMS).entry.id > id


@pytest.mark.parametrize(
    ("changes", "fault_", "field"),
    [
        ({"name": ""}, Fault.VALUE_INVALID, "name"),
        ({"allowed_ips": "x"}, Fault.VALUE_INVALID, "allowed_ips"),
        (
            {"performer": PerformerChange(origin=PerformerOrigin.USER, user="eve")},
            Fault.REFERENCE_INVALID,
            "performer.user",
        ),
        (
            {"performer": PerformerChange(origin=PerformerOrigin.API_CALL, group="none")},
            Fault.REFERENCE_INVALID,
            "performer.group",
        ),
        (
            {"performer": PerformerChange(origin=PerformerOrigin.ISSUE_FIELD, field_id="none")},
            Fault.REFERENCE_INVALID,
            "performer.field_id",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(site, key, changes, fault_, field):
    before = api_keys.find_keys(Wish()).entries
    terms = replace(TERMS, **changes)
    for work in (lambda: api_keys.create_key(ADMIN, terms), lambda: api_keys.edit_key(key.id, terms)):
        with pytest.raises(Problem) as caught:
            work()
        assert (caught.value.fault, caught.value.details["field"]) == (fault_, field)
    assert api_keys.find_keys(Wish()).entries == before


def test_a_key_that_is_used_while_it_is_edited_loses_no_use(site, key, value):
    def edit():
        for number in range(USES):
            edited(key, name=f"key {number}")

    def caller():
        for _ in range(USES):
            use(value)

    with ThreadPoolExecutor(8) as pool:
        for started in [pool.submit(copy_context().run, work) for work in [edit, caller] * 4]:
            started.result()
    found = api_keys.show_key(key.id)
    assert found.entry.usage_count == 4 * USES
    assert found.version == 1 + 4 * USES


def test_who_reveals_a_key_is_logged_and_the_value_is_not(site, key, caplog):
    with caplog.at_level(logging.DEBUG):
        value = api_keys.reveal_key(ADMIN, key.id)
        use(value)
    (record,) = [record for record in caplog.records if record.name == "herzum_approval.services.api_keys"]
    assert (record.api_key, record.username) == (key.id, "admin")
    assert all(value not in repr(vars(record)) for record in caplog.records)
