"""API keys in documents and in the database: always sealed, and sealed anew by a rotation."""

import json
from dataclasses import replace
from importlib.resources import files

import pytest

from herzum_approval import config
from herzum_approval.domain.api_keys import Privilege
from herzum_approval.domain.people import Actor
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import (
    api_keys,
    databases,
    encryption,
    sealed_keys,
    snapshot,
)

VALUE = "mc96LyRi9nUQySSjKXEf8xfqUZzjS2CYhRK8bWSRRfQi"
SITE = {
    "format": "herzum-approval/1",
    "users": [{"id": 1, "username": "ann", "display_name": "Ann"}],
    "api_keys": [
        {
            "id": 7,
            "name": "key",
            "product": "jira",
            "creator": "ann",
            "value": VALUE,
            "created_at": "2022-09-26T15:00:00.000Z",
            "modified_at": "2022-09-26T15:00:00.000Z",
            "can_create": True,
        }
    ],
}
ADMIN = Actor(username="ann", display_name="Ann")


@pytest.fixture
def own_keys(settings, tmp_path):
    """Settings with a key file of their own, which is there."""
    with config.active(replace(settings, key_file=str(tmp_path / "own.keys"))) as current:
        encryption.create_key_file()
        yield current


def key_of(document):
    (key,) = document["api_keys"]
    return key


def with_key(**members):
    key = {name: value for name, value in {**key_of(SITE), **members}.items() if value is not None}
    return {**SITE, "api_keys": [key]}


def refusal(document):
    with pytest.raises(Problem) as caught:
        snapshot.import_all(document)
    assert caught.value.fault is Fault.SNAPSHOT_REFUSED
    return caught.value.details["path"], caught.value.details["reason"]


def use(value=VALUE):
    return api_keys.use_key(value, Privilege.CREATE, peer=None, forwarded_for=None)


def everything_in(database):
    """Every value in every row of every table, as text."""
    with database.connection_context():
        found = []
        for table in database.get_tables():
            found += [repr(row) for row in database.execute_sql(f'SELECT * FROM "{table}"').fetchall()]
    return "\n".join(found)


# -- documents --------------------------------------------------------------------------------


def test_a_plain_value_is_sealed_on_its_way_in(engine, own_keys):
    snapshot.import_all(SITE)
    exported = snapshot.export_all()
    assert set(key_of(exported)) == set(key_of(SITE)) - {"value"} | {"key_id", "ciphertext", "digest"}
    assert VALUE not in json.dumps(exported)
    assert VALUE not in everything_in(engine)
    assert key_of(exported)["key_id"] == encryption.ring().current_id
    assert use().id == 7
    snapshot.import_all(exported)
    assert key_of(snapshot.export_all()) == key_of(exported)
    assert api_keys.reveal_key(ADMIN, 7) == VALUE


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"value": VALUE, "key_id": "x"}, "stands beside an encrypted one"),
        ({"value": VALUE, "ciphertext": "x"}, "stands beside an encrypted one"),
        *[
            ({"value": value}, "must be a text of 20 to 200 letters, digits and . _ ~ + / = -")
            for value in (1, [], "", "short", "x" * 201, VALUE + "\n", VALUE + " x", "é" * 44, "\ud800" * 44)
        ],
    ],
)
def test_what_cannot_be_a_value_is_refused(settings, members, reason):
    assert refusal(with_key(**members)) == ("api_keys[0].value", reason)


def test_a_document_whose_key_is_missing_is_refused_on_both_ways(engine, own_keys, tmp_path):
    snapshot.import_all(SITE)
    exported = snapshot.export_all()
    key_id = key_of(exported)["key_id"]
    place = ("api_keys[0].key_id", f"the key file does not hold the key '{key_id}'")
    encryption.key_file().rename(tmp_path / "lost")
    for create in (lambda: None, encryption.create_key_file):
        create()
        assert refusal(exported) == place
        with pytest.raises(Problem) as caught:
            snapshot.export_all()
        assert (caught.value.details["path"], caught.value.details["reason"]) == place
        assert databases.find_faults() == [": ".join(place)]
    (tmp_path / "lost").replace(encryption.key_file())
    assert snapshot.export_all() == exported
    assert databases.find_faults() == []


def test_an_altered_value_is_refused(engine, own_keys):
    snapshot.import_all(SITE)
    exported = snapshot.export_all()
    other = encryption.ring().seal(VALUE[::-1])
    for change in ({"ciphertext": "x"}, {"ciphertext": other.ciphertext}, {"digest": "0" * 64}):
        path, reason = refusal({**exported, "api_keys": [{**key_of(exported), **change}]})
        assert (path, reason) == ("api_keys[0].ciphertext", "was not made by this key, or was altered")


def test_a_value_needs_a_key_file(own_keys):
    encryption.key_file().unlink()
    with pytest.raises(Problem) as caught:
        snapshot.import_all(SITE)
    assert caught.value.fault is Fault.KEY_FILE_MISSING


def test_a_site_without_api_keys_needs_no_key_file(engine, own_keys):
    encryption.key_file().unlink()
    document = {**SITE, "api_keys": []}
    snapshot.import_all(document)
    assert "api_keys" not in snapshot.export_all()
    with pytest.raises(Problem) as caught:
        use()
    assert caught.value.fault is Fault.KEY_UNKNOWN


@pytest.mark.parametrize(
    ("members", "path", "reason"),
    [
        ({"creator": "eve"}, "creator", "'eve' is the username of none of the users"),
        ({"name": "x" * 41}, "name", "has more than 40 characters"),
        (
            {"performer": {"origin": "user", "user": "eve"}},
            "performer.user",
            "'eve' is the username of none of the users",
        ),
        (
            {"performer": {"origin": "api call", "group": "g"}},
            "performer.group",
            "'g' is the name of none of the groups",
        ),
        (
            {"performer": {"origin": "issue field", "field_id": "customfield_1"}},
            "performer.field_id",
            "'customfield_1' is no field of users",
        ),
        ({"usage_count": -1}, "usage_count", "-1 is less than 0"),
    ],
)
def test_what_does_not_fit_is_refused(settings, members, path, reason):
    assert refusal(with_key(**members)) == (f"api_keys[0].{path}", reason)


def test_the_demonstrations_keys_are_plain_in_its_document_and_nowhere_else(engine, settings):
    snapshot.reset()
    text = files("herzum_approval").joinpath("data", "demo.json").read_text(encoding="utf-8")
    values = [key["value"] for key in json.loads(text)["api_keys"]]
    assert VALUE in values
    kept = everything_in(engine)
    assert all(value not in kept for value in values)


# -- rotation ---------------------------------------------------------------------------------


def test_a_rotation_seals_all_anew_and_every_value_is_found(engine, own_keys):
    snapshot.import_all(SITE)
    before = key_of(snapshot.export_all())
    version = api_keys.show_key(7).version
    assert sealed_keys.rotate() == 1
    after = key_of(snapshot.export_all())
    for name in ("key_id", "ciphertext", "digest"):
        assert after[name] != before[name]
    assert {**after, **{name: before[name] for name in ("key_id", "ciphertext", "digest")}} == before
    assert api_keys.show_key(7).version == version
    assert use().id == 7
    assert api_keys.reveal_key(ADMIN, 7) == VALUE
    assert databases.find_faults() == []


def test_between_the_two_steps_of_a_rotation_values_are_found_too(engine, own_keys):
    snapshot.import_all(SITE)
    encryption.add_key()
    assert use().id == 7
    assert api_keys.reveal_key(ADMIN, 7) == VALUE


def test_keys_that_are_forgotten_are_those_that_nothing_needs(engine, own_keys):
    snapshot.import_all(SITE)
    encryption.add_key()
    assert sealed_keys.forget() == 0
    sealed_keys.rotate()
    assert sealed_keys.forget() == 2
    assert use().id == 7


def test_a_rotation_needs_the_keys_in_force(engine, own_keys, tmp_path):
    snapshot.import_all(SITE)
    encryption.key_file().rename(tmp_path / "lost")
    for work in (sealed_keys.rotate, sealed_keys.prepare):
        with pytest.raises(ValueError, match=r"lacks the key [0-9a-f]{16}, which encrypts 1 API keys"):
            work()
        assert not encryption.has_ring()


def test_a_first_key_file_is_prepared_where_nothing_needs_another(engine, own_keys):
    encryption.key_file().unlink()
    snapshot.import_all({**SITE, "api_keys": []})
    assert sealed_keys.prepare() == encryption.key_file()
    assert sealed_keys.prepare() is None
    snapshot.import_all(SITE)
    assert sealed_keys.prepare() is None
