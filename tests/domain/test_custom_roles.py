"""Custom user roles: the known rights, what a role may be, what it comes to, and how lists are paged."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herzum_approval.domain.custom_roles import (
    BASE_ROLE,
    RIGHTS,
    CustomUserRole,
    EffectiveRights,
    RightGroup,
    RightSource,
    RoleDraft,
    changed,
    created,
    effective_rights,
    links,
    missing_prerequisites,
    name_fault,
    role_faults,
    seeded_id,
)
from herzum_approval.errors import Fault, Problem

ID = "288c1908-2337-47c0-8a15-9d80fb12aaaa"
PRINTED = {
    *(
        f"alert-{name}"
        for name in ("action", "create", "delete", "delete-note", "close", "close-all", "add-note")
    ),
    "alerts-access-all",
    "incident-add-note",
    "incident-reopen",
}


def role(**parts):
    return CustomUserRole(**{"id": ID, "cloud_id": "cloud", "name": "FinanceRole", **parts})


# -- the rights -------------------------------------------------------------------------------


def test_there_are_95_rights_in_six_groups():
    counts = {group: sum(right.group is group for right in RIGHTS.values()) for group in RightGroup}
    assert list(counts.values()) == [31, 29, 25, 3, 5, 2]
    assert sum(counts.values()) == len(RIGHTS) == 95
    assert all(name == right.name for name, right in RIGHTS.items())


def test_the_rights_of_the_reference_page_are_marked_as_such():
    on_the_page = {name for name, right in RIGHTS.items() if right.source is RightSource.REFERENCE}
    assert on_the_page == PRINTED
    assert "asdasdad" not in RIGHTS


def test_a_prerequisite_is_a_right_of_the_same_group_and_not_itself():
    parents = {right.requires for right in RIGHTS.values() if right.requires}
    assert parents == {"alert-action", "incident-action", "configurations-read-only", "configurations-edit"}
    for right in RIGHTS.values():
        assert right.requires is None or RIGHTS[right.requires].group is right.group
        assert right.requires != right.name


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        ((), []),
        (("alert-action",), []),
        (("alert-close",), ["alert-action"]),
        (("alert-close", "alert-action"), []),
        (("incident-add-note", "alert-close"), ["alert-action", "incident-action"]),
        (("configurations-delete",), ["configurations-edit"]),
        (("configurations-delete", "configurations-edit"), ["configurations-read-only"]),
        (("alerts-access-all", "service-access", "asdasdad"), []),
    ],
)
def test_prerequisites(granted, missing):
    assert missing_prerequisites(granted) == missing


# -- what a role comes to ---------------------------------------------------------------------


def test_somebody_without_a_custom_role_has_the_base_role():
    assert effective_rights(None) == EffectiveRights(base_role="user")


def test_granted_and_disallowed_rights_stand_beside_the_base_role():
    rights = effective_rights(role(granted_rights=("b", "a"), disallowed_rights=("c",)))
    assert rights == EffectiveRights(base_role=BASE_ROLE, granted_rights=("b", "a"), disallowed_rights=("c",))


def test_what_is_disallowed_is_not_granted():
    rights = effective_rights(role(granted_rights=("a", "b"), disallowed_rights=("b",)))
    assert (rights.granted_rights, rights.disallowed_rights) == (("a",), ("b",))


# -- what a role may be -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "is_free"),
    [
        ("FinanceRole", True),
        ("x", True),
        ("é" * 255, True),
        ("a b/c?d", True),
        ("users", True),
        ("assign", True),
        ("", False),
        (" x", False),
        ("x\n", False),
        ("x" * 256, False),
        ("a\0b", False),
        *((name, False) for name in ("owner", "ADMIN", "User", "observer", "Stakeholder")),
    ],
)
def test_names(name, is_free):
    assert (name_fault(name) is None) is is_free


def test_a_new_role_has_what_the_request_says():
    draft = RoleDraft(name="FinanceRole", granted_rights=("b", "asdasdad"), disallowed_rights=("a",))
    assert created(draft, id=ID, cloud_id="cloud") == role(
        granted_rights=("b", "asdasdad"), disallowed_rights=("a",)
    )
    assert created(RoleDraft(name="FinanceRole"), id=ID, cloud_id="cloud") == role()


def faults_of(make):
    with pytest.raises(Problem) as caught:
        make()
    assert caught.value.fault is Fault.ROLE_INVALID
    return caught.value.details["errors"]


def test_a_right_cannot_be_granted_and_disallowed():
    draft = RoleDraft(name="x", granted_rights=("a", "b", "c"), disallowed_rights=("c", "d", "a"))
    assert faults_of(lambda: created(draft, id=ID, cloud_id="cloud")) == {
        "disallowed_rights": "conflicts with grantedRights: a, c"
    }


def test_a_long_conflict_is_told_in_short():
    many = tuple(f"r{number:03}" for number in range(100))
    told = role_faults(role(granted_rights=many, disallowed_rights=many))["disallowed_rights"]
    assert told == "conflicts with grantedRights: " + ", ".join(many[:10]) + " and 90 more"


@pytest.mark.parametrize("rights", [("",), (" ",), ("a\0",), ("x" * 256,), tuple(map(str, range(1001)))])
def test_rights_that_nothing_could_keep(rights):
    assert set(role_faults(role(granted_rights=rights))) == {"granted_rights"}
    assert set(role_faults(role(disallowed_rights=rights))) == {"disallowed_rights"}


def test_a_name_that_is_missing_is_a_fault():
    assert faults_of(lambda: created(RoleDraft(), id=ID, cloud_id="cloud")) == {"name": "must not be blank"}


@pytest.mark.parametrize(
    ("draft", "later"),
    [
        (RoleDraft(), {}),
        (RoleDraft(name="New"), {"name": "New"}),
        (RoleDraft(granted_rights=("c",)), {"granted_rights": ("c",)}),
        (RoleDraft(granted_rights=()), {"granted_rights": ()}),
        (RoleDraft(disallowed_rights=("d",)), {"disallowed_rights": ("d",)}),
        (
            RoleDraft(granted_rights=("b",), disallowed_rights=("a",)),
            {"granted_rights": ("b",), "disallowed_rights": ("a",)},
        ),
    ],
)
def test_a_change_replaces_what_it_names_and_keeps_the_rest(draft, later):
    before = role(granted_rights=("a",), disallowed_rights=("b",))
    assert changed(before, draft) == role(**{"granted_rights": ("a",), "disallowed_rights": ("b",), **later})


def test_a_change_may_not_conflict_with_what_stays():
    before = role(granted_rights=("a",), disallowed_rights=("b",))
    assert set(faults_of(lambda: changed(before, RoleDraft(granted_rights=("b",))))) == {"disallowed_rights"}


# -- strict mode ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draft", "faults"),
    [
        (RoleDraft(name="x", granted_rights=("alert-action", "alert-close")), {}),
        (
            RoleDraft(name="x", granted_rights=("asdasdad", "alert-view"), disallowed_rights=("nothing",)),
            {
                "granted_rights": "unknown rights: asdasdad, alert-view",
                "disallowed_rights": "unknown rights: nothing",
            },
        ),
        (
            RoleDraft(name="x", granted_rights=("incident-add-note",)),
            {"granted_rights": "missing prerequisites: incident-action"},
        ),
        (RoleDraft(name="x", disallowed_rights=("incident-add-note",)), {}),
    ],
)
def test_strict_mode(draft, faults):
    if faults:
        assert faults_of(lambda: created(draft, id=ID, cloud_id="cloud", is_strict=True)) == faults
    made = created(draft, id=ID, cloud_id="cloud", is_strict=False)
    assert made.granted_rights == (draft.granted_rights or ())
    if not faults:
        assert created(draft, id=ID, cloud_id="cloud", is_strict=True) == made


def test_strict_mode_does_not_look_at_what_a_change_leaves_alone():
    before = role(granted_rights=("asdasdad",), disallowed_rights=("nothing",))
    assert changed(before, RoleDraft(name="New"), is_strict=True).name == "New"
    assert set(faults_of(lambda: changed(before, RoleDraft(granted_rights=("other",)), is_strict=True))) == {
        "granted_rights"
    }


# -- ids --------------------------------------------------------------------------------------


def test_a_seed_gives_the_same_ids_again_and_different_ones_to_different_roles():
    args = [
        ("seed", "cloud", "x", 0),
        ("seed", "cloud", "x", 1),
        ("seed", "other", "x", 0),
        ("s", "cloud", "x", 0),
    ]
    ids = [seeded_id(*each) for each in args]
    assert ids == [seeded_id(*each) for each in args]
    assert len(set(ids)) == len(ids)
    assert all(UUID(id).version == 4 and str(UUID(id)) == id for id in ids)


# -- pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("total", [21, 22, 23])
def test_the_printed_page(total):
    assert (links(17, 3, total).next, links(17, 3, total).last) == (20, 20)


@pytest.mark.parametrize(
    ("offset", "size", "total", "expected"),
    [
        (0, 20, 0, (None, 0)),
        (0, 20, 3, (None, 0)),
        (0, 3, 3, (None, 0)),
        (0, 2, 3, (2, 2)),
        (1, 2, 3, (None, 1)),
        (5, 20, 3, (None, 5)),
        (40, 20, 3, (None, 0)),
        (41, 20, 3, (None, 1)),
        (0, 1, 5, (1, 4)),
    ],
)
def test_links(offset, size, total, expected):
    found = links(offset, size, total)
    assert (found.next, found.last) == expected


@given(offset=st.integers(0, 300), size=st.integers(1, 120), total=st.integers(0, 250))
def test_links_lead_through_and_stop_at_the_last_page(offset, size, total):
    seen = []
    place: int | None = offset
    while place is not None:
        found = links(place, size, total)
        assert found.last == links(offset, size, total).last
        seen.append(place)
        if found.next is None and place < total:
            assert place == found.last
        place = found.next
    covered = [item for start in seen for item in range(start, min(start + size, total))]
    assert covered == list(range(offset, total))
