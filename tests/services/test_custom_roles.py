"""Custom user roles as use cases, on both engines: what is written, in how many queries, and at once."""

import contextvars
import random
import threading
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from playhouse.test_utils import count_queries

from herzum_approval import config, store
from herzum_approval.domain.custom_roles import BASE_ROLE, RoleDraft
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import custom_roles, databases, jsm_sites, snapshot
from herzum_approval.services.custom_roles import RoleName
from herzum_approval.services.pages import Wish
from tests.reliability.traffic import at_once
from tests.services.sites import given as lay_over

SITE = "11111111-2222-4333-8444-555555555555"
OTHER = "other"
FINANCE, SRE = (
    "288c1908-2337-47c0-8a15-9d80fb1256ea",
    "33579c31-627c-4cc1-bb94-fd2c214142f7",
)
BOB, CAROL = "6299df401648f2006963deb8", "630a55c646556c72662aaaaa"


@pytest.fixture
def site(engine, settings):
    """The demonstration, with a second site."""
    snapshot.reset()
    lay_over(jsm_sites=[{"cloud_id": OTHER, "name": "Other", "administrators": ["bob"]}])
    return engine


def by_id(id):
    return RoleName(text=id)


def refused(work, *args, **kwargs):
    with pytest.raises(Problem) as caught:
        work(*args, **kwargs)
    return caught.value.fault


def names(cloud_id=SITE):
    return {name for _, name in custom_roles.list_roles(cloud_id, offset=0, size=100).roles}


def test_a_name_belongs_to_one_role_of_a_site(site):
    first = custom_roles.create_role(SITE, RoleDraft(name="Night")).entry
    assert refused(custom_roles.create_role, SITE, RoleDraft(name="Night")) is Fault.ROLE_NAME_TAKEN
    second = custom_roles.create_role(OTHER, RoleDraft(name="Night")).entry
    assert (first.cloud_id, second.cloud_id) == (SITE, OTHER)
    assert custom_roles.create_role(SITE, RoleDraft(name="night")).entry.name == "night"
    assert custom_roles.show_role(OTHER, RoleName(text=" Night ", is_name=True)).entry == second
    assert refused(custom_roles.show_role, OTHER, by_id(first.id)) is Fault.ROLE_UNKNOWN
    assert databases.find_faults() == []


def test_a_role_may_take_its_own_name_again(site):
    role = custom_roles.show_role(SITE, by_id(FINANCE))
    before, version = custom_roles.update_role(SITE, by_id(FINANCE), RoleDraft(name="FinanceRole"))
    assert (before, version) == (role.entry, role.version)
    draft = RoleDraft(name="SRERole")
    assert refused(custom_roles.update_role, SITE, by_id(FINANCE), draft) is Fault.ROLE_NAME_TAKEN


def test_a_change_raises_the_version_and_nothing_does_not(site):
    role = custom_roles.show_role(SITE, by_id(SRE))
    _, same = custom_roles.update_role(SITE, by_id(SRE), RoleDraft(granted_rights=()))
    _, next_one = custom_roles.update_role(SITE, by_id(SRE), RoleDraft(granted_rights=("x",)))
    assert (same, next_one) == (role.version, role.version + 1)
    found = custom_roles.show_role(SITE, by_id(SRE))
    assert found.entry == replace(role.entry, granted_rights=("x",))
    assert found.version == next_one


def test_an_import_makes_every_version_new(site):
    before = custom_roles.show_role(SITE, by_id(SRE)).version
    snapshot.import_all(snapshot.export_all())
    assert custom_roles.show_role(SITE, by_id(SRE)).version != before


def test_everybody_has_one_role_on_each_site(site):
    other = custom_roles.create_role(OTHER, RoleDraft(name="There")).entry
    for cloud_id, role_id in ((SITE, FINANCE), (OTHER, other.id), (SITE, SRE), (SITE, SRE)):
        custom_roles.assign_role(cloud_id, account_id=CAROL, role_id=role_id)
    assert custom_roles.show_member(SITE, CAROL).role.id == SRE
    assert custom_roles.show_member(OTHER, CAROL).role == other
    custom_roles.delete_role(SITE, by_id(FINANCE))
    assert refused(custom_roles.delete_role, SITE, by_id(SRE)) is Fault.ROLE_IN_USE
    custom_roles.unassign_role(SITE, CAROL)
    custom_roles.unassign_role(SITE, CAROL)
    custom_roles.delete_role(SITE, by_id(SRE))
    assert custom_roles.show_member(OTHER, CAROL).role == other
    assert databases.find_faults() == []


def test_what_a_role_comes_to(site):
    assert custom_roles.show_member(SITE, CAROL).rights.granted_rights == ()
    custom_roles.assign_role(SITE, account_id=CAROL, role_id=FINANCE)
    rights = custom_roles.show_member(SITE, CAROL).rights
    assert rights.base_role == BASE_ROLE
    assert rights.granted_rights == ("alert-action", "alert-create")
    assert rights.disallowed_rights == ("alert-delete", "alert-delete-note", "alert-close", "alert-close-all")


def test_members_are_those_with_an_account_id(site):
    custom_roles.assign_role(SITE, account_id=CAROL, role_id=SRE)
    members = custom_roles.find_members(SITE, Wish()).entries
    assert [(member.username, member.role and member.role.name) for member in members] == [
        ("admin", None),
        ("alice", None),
        ("bob", None),
        ("carol", "SRERole"),
        ("kamil", None),
    ]
    assert [member.role for member in custom_roles.find_members(OTHER, Wish()).entries] == [None] * 5
    page = custom_roles.find_members(SITE, Wish(start_at=1, max_results=2))
    assert [member.username for member in page.entries] == ["alice", "bob"]


@pytest.mark.parametrize(
    ("work", "fault"),
    [
        (lambda: custom_roles.create_role("none", RoleDraft(name="x")), Fault.JSM_SITE_UNKNOWN),
        (lambda: custom_roles.update_role("none", by_id(SRE), RoleDraft()), Fault.JSM_SITE_UNKNOWN),
        (lambda: custom_roles.delete_role("none", by_id(SRE)), Fault.JSM_SITE_UNKNOWN),
        (lambda: custom_roles.unassign_role("none", BOB), Fault.JSM_SITE_UNKNOWN),
        (lambda: custom_roles.find_members("none", Wish()), Fault.JSM_SITE_UNKNOWN),
        (lambda: custom_roles.show_member("none", BOB), Fault.JSM_SITE_UNKNOWN),
        (lambda: custom_roles.show_member(SITE, "none"), Fault.JSM_USER_UNKNOWN),
        (lambda: custom_roles.show_member(SITE, "a\0"), Fault.JSM_USER_UNKNOWN),
        (lambda: custom_roles.unassign_role(SITE, "none"), Fault.JSM_USER_UNKNOWN),
        (lambda: custom_roles.show_role(SITE, by_id("FinanceRole")), Fault.ROLE_UNKNOWN),
        (lambda: custom_roles.show_role(SITE, by_id(FINANCE.upper())), Fault.ROLE_UNKNOWN),
        (
            lambda: custom_roles.show_role(SITE, RoleName(text="financerole", is_name=True)),
            Fault.ROLE_UNKNOWN,
        ),
        (lambda: custom_roles.show_role(SITE, RoleName(text="a\0", is_name=True)), Fault.ROLE_UNKNOWN),
    ],
)
def test_what_is_not_there(site, work, fault):
    assert refused(work) is fault


def test_a_site_may_be_deleted_only_without_roles(site):
    role = custom_roles.create_role(OTHER, RoleDraft(name="x")).entry
    assert refused(jsm_sites.delete_site, OTHER) is Fault.JSM_SITE_IN_USE
    custom_roles.delete_role(OTHER, by_id(role.id))
    jsm_sites.delete_site(OTHER)
    assert refused(custom_roles.create_role, OTHER, RoleDraft(name="x")) is Fault.JSM_SITE_UNKNOWN


def test_ids_follow_from_a_seed(site):
    with config.active(replace(config.current(), jsm_ops_id_seed="seed")):
        first = custom_roles.create_role(SITE, RoleDraft(name="Night")).entry
        custom_roles.update_role(SITE, by_id(first.id), RoleDraft(name="Day"))
        second = custom_roles.create_role(SITE, RoleDraft(name="Night")).entry
        snapshot.reset()
        again = custom_roles.create_role(SITE, RoleDraft(name="Night")).entry
    assert first.id != second.id
    assert again.id == first.id
    assert custom_roles.create_role(SITE, RoleDraft(name="Late")).entry.id != first.id


# -- pages ------------------------------------------------------------------------------------


def many_roles(count, seed):
    ids = random.Random(seed)
    return [
        {
            "id": f"{ids.getrandbits(32):08x}-0000-4000-8000-{place:012}",
            "cloud_id": OTHER,
            "name": f"r{place}",
        }
        for place in range(count)
    ]


@given(offset=st.integers(0, 60), size=st.integers(1, 110), count=st.sampled_from([0, 1, 2, 7, 20, 50]))
@hypothesis_settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_role_is_on_one_page_under_any_size(site, offset, size, count):
    given_roles = many_roles(count, count)
    lay_over(custom_roles={"$replace": given_roles})
    expected = sorted(role["id"] for role in given_roles)
    seen, place = [], offset
    while place is not None:
        page = custom_roles.list_roles(OTHER, offset=place, size=size)
        assert len(page.roles) <= page.size == min(size, 100)
        seen += [id for id, _ in page.roles]
        place = page.links.next
    assert seen == expected[offset:]
    last = custom_roles.list_roles(OTHER, offset=page.links.last, size=size)
    assert last.links.next is None
    assert bool(last.roles) is (page.links.last < count)


def test_the_number_of_queries_does_not_grow(site):
    lay_over(custom_roles={"$replace": many_roles(50, 1)})
    with count_queries() as few:
        custom_roles.list_roles(OTHER, offset=0, size=1)
    with count_queries() as many:
        custom_roles.list_roles(OTHER, offset=0, size=50)
    assert few.count == many.count <= 4
    with count_queries() as members:
        custom_roles.find_members(OTHER, Wish())
    assert members.count <= 5


# -- at once ----------------------------------------------------------------------------------

ROUNDS = 8


def together(*jobs):
    """What each job came to, all begun at one moment: its result, or its fault."""
    barrier = threading.Barrier(len(jobs))

    def run(job):
        context = contextvars.copy_context()

        def outcome():
            barrier.wait(60)
            try:
                return job()
            except Problem as problem:
                return problem.fault

        return lambda: context.run(outcome)

    return at_once([run(job) for job in jobs])


def test_of_creations_of_one_name_at_once_one_succeeds(site):
    for turn in range(ROUNDS):
        draft = RoleDraft(name=f"Role {turn}")
        outcomes = together(*[lambda draft=draft: custom_roles.create_role(SITE, draft)] * 4)
        assert Counter(each is Fault.ROLE_NAME_TAKEN for each in outcomes) == {True: 3, False: 1}
    assert len(names()) == 3 + ROUNDS
    assert databases.find_faults() == []


def test_a_role_that_is_assigned_and_deleted_at_once_is_one_of_both(site):
    for turn in range(ROUNDS):
        role = custom_roles.create_role(SITE, RoleDraft(name=f"Role {turn}")).entry
        assigned, deleted = together(
            lambda role=role: custom_roles.assign_role(SITE, account_id=CAROL, role_id=role.id),
            lambda role=role: custom_roles.delete_role(SITE, by_id(role.id)),
        )
        had = custom_roles.show_member(SITE, CAROL).role
        if deleted is None:
            assert assigned is Fault.ROLE_UNKNOWN
            assert had is None
        else:
            assert (assigned, deleted) == (role, Fault.ROLE_IN_USE)
            assert had == role
            custom_roles.unassign_role(SITE, CAROL)
    assert databases.find_faults() == []


def test_of_changes_of_one_version_at_once_one_succeeds(site):
    for turn in range(ROUNDS):
        version = custom_roles.show_role(SITE, by_id(SRE)).version
        outcomes = together(
            *(
                lambda name=f"Role {turn} {number}", versions=(version,): custom_roles.update_role(
                    SITE, by_id(SRE), RoleDraft(name=name), versions=versions
                )
                for number in range(3)
            )
        )
        assert Counter(each is Fault.VERSION_STALE for each in outcomes) == {True: 2, False: 1}


def test_a_site_that_is_deleted_while_a_role_is_created_leaves_no_role_behind(site):
    for turn in range(ROUNDS):
        lay_over(jsm_sites=[{"cloud_id": OTHER, "name": "Other"}], custom_roles={"$replace": []})
        made, gone = together(
            lambda turn=turn: custom_roles.create_role(OTHER, RoleDraft(name=f"Role {turn}")),
            lambda: jsm_sites.delete_site(OTHER),
        )
        outcomes = (made is Fault.JSM_SITE_UNKNOWN, gone is Fault.JSM_SITE_IN_USE)
        assert outcomes in ((True, False), (False, True))
    assert databases.find_faults() == []


def test_two_sites_of_one_id_at_once_are_one(site):
    outcomes = together(
        *[lambda: jsm_sites.create_site(replace(jsm_sites.show_site(SITE).entry, cloud_id="new"))] * 3
    )
    assert Counter(each is Fault.JSM_SITE_TAKEN for each in outcomes) == {True: 2, False: 1}


def test_the_database_itself_keeps_roles_that_somebody_has(site):
    custom_roles.assign_role(SITE, account_id=CAROL, role_id=SRE)

    def behind_our_back(database):
        database.execute_sql(f"DELETE FROM custom_user_role WHERE id = '{SRE}'")

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        store.writing(behind_our_back)
