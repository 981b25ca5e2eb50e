"""What an API key allows, and in whose name it acts."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from herzum_approval.domain.api_keys import (
    ApiKey,
    KeyTerms,
    PerformerChange,
    PerformerOrigin,
    Privilege,
    check_use,
    choose_performer,
    fixed_performers,
    is_named_by_call,
    key_faults,
    referred_performer,
)
from herzum_approval.domain.approval_paths import Product, Reference
from herzum_approval.domain.people import User
from herzum_approval.errors import Fault, Problem

NOW = datetime(2022, 9, 26, 15, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)
KEY = ApiKey(
    id=1,
    name="key",
    product=Product.JIRA,
    creator="admin",
    key_id="0",
    ciphertext="",
    digest="",
    created_at=NOW,
    modified_at=NOW,
    can_get_status=True,
    can_list_definitions=True,
    can_create=True,
    can_delete=True,
)
HOME = ip_address("10.0.0.1")


def fault(work):
    with pytest.raises(Problem) as caught:
        work()
    return caught.value.fault


# -- use --------------------------------------------------------------------------------------


FLAGS = {
    Privilege.GET_STATUS: "can_get_status",
    Privilege.LIST_DEFINITIONS: "can_list_definitions",
    Privilege.CREATE: "can_create",
    Privilege.DELETE: "can_delete",
}


@pytest.mark.parametrize("privilege", Privilege)
@pytest.mark.parametrize("flag", FLAGS.values())
def test_each_flag_allows_one_thing(privilege, flag):
    none = {name: name == flag for name in FLAGS.values()}
    key = replace(KEY, **none)
    if FLAGS[privilege] == flag:
        check_use(key, privilege, now=NOW, address=None)
        return
    assert fault(lambda: check_use(key, privilege, now=NOW, address=None)) is Fault.PRIVILEGE_MISSING


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "is_valid"),
    [
        (None, None, True),
        (NOW, None, True),
        (NOW + MOMENT, None, False),
        (None, NOW, True),
        (None, NOW - MOMENT, False),
        (NOW, NOW, True),
        (NOW - MOMENT, NOW + MOMENT, True),
    ],
)
def test_both_ends_of_the_window_belong_to_it(valid_from, valid_until, is_valid):
    key = replace(KEY, valid_from=valid_from, valid_until=valid_until)
    if is_valid:
        check_use(key, Privilege.CREATE, now=NOW, address=None)
        return
    found = fault(lambda: check_use(key, Privilege.CREATE, now=NOW, address=None))
    assert found is Fault.KEY_NOT_VALID_NOW


@pytest.mark.parametrize(
    ("allowed", "address", "is_allowed"),
    [
        ("", None, True),
        (" ", HOME, True),
        ("10.0.0.0/8", HOME, True),
        ("10.0.0.2", HOME, False),
        ("::/0", None, False),
    ],
)
def test_addresses(allowed, address, is_allowed):
    key = replace(KEY, allowed_ips=allowed)
    if is_allowed:
        check_use(key, Privilege.CREATE, now=NOW, address=address)
        return
    found = fault(lambda: check_use(key, Privilege.CREATE, now=NOW, address=address))
    assert found is Fault.ADDRESS_NOT_ALLOWED


def test_the_window_is_looked_at_before_the_address_and_that_before_the_privilege():
    wrong = replace(KEY, valid_until=NOW - MOMENT, allowed_ips="::1", can_create=False)
    met = []
    for cure in ({}, {"valid_until": None}, {"allowed_ips": ""}):
        wrong = replace(wrong, **cure)
        met.append(fault(lambda: check_use(wrong, Privilege.CREATE, now=NOW, address=HOME)))  # noqa: B023
    assert met == [Fault.KEY_NOT_VALID_NOW, Fault.ADDRESS_NOT_ALLOWED, Fault.PRIVILEGE_MISSING]


# -- the performer ----------------------------------------------------------------------------


def user(name, *, is_active=True, groups=()):
    return User(id=1, username=name, display_name=name, is_active=is_active, groups=groups)


PEOPLE = {name: user(name) for name in ("admin", "fixed", "default", "found")}
GONE = user("found", is_active=False)
MEMBER = user("found", groups=("approvers",))


def change(origin, **options):
    return replace(KEY, performer=PerformerChange(origin=origin, **options))


USER = change(PerformerOrigin.USER, user="fixed")
FIELD = change(PerformerOrigin.ISSUE_FIELD, field_id="reporter")
CREATOR = change(PerformerOrigin.PAGE_CREATOR)
MODIFIER = change(PerformerOrigin.PAGE_MODIFIER)
CALL = change(PerformerOrigin.API_CALL)


def limited(key, **options):
    return replace(key, performer=replace(key.performer, **options))


@pytest.mark.parametrize(
    ("key", "found", "named", "result"),
    [
        (KEY, PEOPLE["found"], PEOPLE, "admin"),
        (KEY, None, {}, Fault.PERFORMER_UNRESOLVED),
        (KEY, None, {"admin": user("admin", is_active=False)}, Fault.PERFORMER_UNRESOLVED),
        (USER, PEOPLE["found"], PEOPLE, "fixed"),
        (USER, None, {}, Fault.PERFORMER_UNRESOLVED),
        (USER, None, {"fixed": user("fixed", is_active=False)}, Fault.PERFORMER_UNRESOLVED),
        *[
            case
            for key in (FIELD, CREATOR, MODIFIER, CALL)
            for case in (
                (key, PEOPLE["found"], PEOPLE, "found"),
                (key, None, PEOPLE, Fault.PERFORMER_UNRESOLVED),
                (key, GONE, PEOPLE, Fault.PERFORMER_UNRESOLVED),
                (limited(key, default_user="default"), None, PEOPLE, "default"),
                (limited(key, default_user="default"), GONE, PEOPLE, "default"),
                (limited(key, default_user="default"), PEOPLE["found"], PEOPLE, "found"),
                (limited(key, default_user="default"), None, {}, Fault.PERFORMER_UNRESOLVED),
                (
                    limited(key, default_user="default"),
                    None,
                    {"default": user("default", is_active=False)},
                    Fault.PERFORMER_UNRESOLVED,
                ),
            )
        ],
        (limited(CALL, group="approvers"), MEMBER, PEOPLE, "found"),
        (limited(CALL, group="approvers"), PEOPLE["found"], PEOPLE, Fault.PERFORMER_OUTSIDE_GROUP),
        # The default user stands in for nobody, not for somebody of the wrong group, and need not be in it.
        (
            limited(CALL, group="approvers", default_user="default"),
            PEOPLE["found"],
            PEOPLE,
            Fault.PERFORMER_OUTSIDE_GROUP,
        ),
        (limited(CALL, group="approvers", default_user="default"), None, PEOPLE, "default"),
        (limited(CALL, group="approvers", default_user="default"), GONE, PEOPLE, "default"),
    ],
)
def test_in_whose_name_a_key_acts(key, found, named, result):
    if isinstance(result, str):
        assert choose_performer(key, found=found, named=named).username == result
        return
    assert fault(lambda: choose_performer(key, found=found, named=named)) is result


ISSUE = Reference(
    product=Product.JIRA,
    id=1,
    collection_id=1,
    title="",
    key="TEST-1",
    fields=(("reporter", ("carol",)), ("customfield_1", ("bob", "alice")), ("customfield_2", ())),
)
PAGE = Reference(product=Product.CONFLUENCE, id=1, collection_id=1, title="", creator="ann", modifier="ben")


@pytest.mark.parametrize(
    ("key", "reference", "name"),
    [
        (KEY, ISSUE, None),
        (USER, ISSUE, None),
        (CALL, ISSUE, None),
        (FIELD, ISSUE, "carol"),
        (limited(FIELD, field_id="customfield_1"), ISSUE, "bob"),
        (limited(FIELD, field_id="customfield_2"), ISSUE, None),
        (limited(FIELD, field_id="customfield_3"), ISSUE, None),
        (CREATOR, PAGE, "ann"),
        (MODIFIER, PAGE, "ben"),
        (CREATOR, replace(PAGE, creator=None), None),
    ],
)
def test_whom_an_issue_or_page_names(key, reference, name):
    assert referred_performer(key, reference) == name


def test_whom_a_key_itself_names():
    assert fixed_performers(KEY) == {"admin"}
    assert fixed_performers(USER) == {"fixed"}
    assert fixed_performers(CALL) == frozenset()
    assert fixed_performers(limited(FIELD, default_user="default")) == {"default"}


def test_a_call_names_the_performer_for_one_origin_only():
    assert is_named_by_call(CALL)
    assert not any(map(is_named_by_call, (KEY, USER, FIELD, CREATOR, MODIFIER)))


# -- what makes a key whole -------------------------------------------------------------------


CONFLUENCE = replace(KEY, product=Product.CONFLUENCE)


@pytest.mark.parametrize(
    ("key", "faults"),
    [
        (replace(KEY, name="é" * 40, description="x" * 4000), []),
        (replace(KEY, name="x" * 41), ["name"]),
        (replace(KEY, name=" "), ["name"]),
        (replace(KEY, description="x" * 4001), ["description"]),
        (replace(KEY, valid_from=NOW, valid_until=NOW), []),
        (replace(KEY, valid_from=NOW, valid_until=NOW - MOMENT), ["valid_until"]),
        (replace(KEY, allowed_ips="10.0.0.1 ::1/64"), []),
        (replace(KEY, allowed_ips="home"), ["allowed_ips"]),
        (replace(KEY, allowed_ips="1" * 4001), ["allowed_ips"]),
        (USER, []),
        (limited(USER, user=None), ["performer.user"]),
        (limited(USER, default_user="x"), ["performer.default_user"]),
        (limited(USER, group="x"), ["performer.group"]),
        (FIELD, []),
        (limited(FIELD, field_id=None), ["performer.field_id"]),
        (limited(FIELD, user="x"), ["performer.user"]),
        (limited(FIELD, default_user="x"), []),
        (limited(FIELD, group="x"), ["performer.group"]),
        (limited(CALL, group="x", default_user="y"), []),
        (limited(CALL, field_id="x"), ["performer.field_id"]),
        (CREATOR, ["performer.origin"]),
        (MODIFIER, ["performer.origin"]),
        (replace(CREATOR, product=Product.CONFLUENCE), []),
        (replace(MODIFIER, product=Product.CONFLUENCE), []),
        (replace(USER, product=Product.CONFLUENCE), []),
        (replace(CALL, product=Product.CONFLUENCE), []),
        (replace(FIELD, product=Product.CONFLUENCE), ["performer.origin"]),
    ],
)
def test_what_a_key_can_be(key, faults):
    assert [field for field, _ in key_faults(key)] == faults


def test_new_terms_leave_the_value_and_the_use_alone():
    used = replace(KEY, usage_count=7, used_at=NOW)
    terms = KeyTerms(name="new", product=Product.CONFLUENCE, can_create=True)
    later = used.on_terms(terms, NOW + MOMENT)
    assert {each.name: getattr(later, each.name) for each in fields(KeyTerms)} == {
        each.name: getattr(terms, each.name) for each in fields(KeyTerms)
    }
    assert later == replace(
        used,
        name="new",
        product=Product.CONFLUENCE,
        can_get_status=False,
        can_list_definitions=False,
        can_delete=False,
        modified_at=NOW + MOMENT,
    )
