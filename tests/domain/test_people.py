"""Names are compared by one function."""

import pytest

from herzum_approval.domain.configuration import Configuration, Licence, LicenceState
from herzum_approval.domain.people import folded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Admin", "aDMIN"),
        ("Jos\u00e9", "JOSE\u0301"),  # composed and decomposed
        ("Stra\u00dfe", "STRASSE"),
    ],
)
def test_letter_case_and_composition_do_not_tell_names_apart(one, other):
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("admin", "admin "), ("a-b", "ab"), ("bob", "b\u043eb")])
def test_other_differences_do(one, other):
    assert folded(one) != folded(other)


def test_super_approvers_are_named_by_user_or_group():
    configuration = Configuration(super_approver_users=("alice",), super_approver_groups=("approvers",))
    assert configuration.has_super_approver(frozenset({"user:alice"}))
    assert configuration.has_super_approver(frozenset({"user:bob", "group:approvers"}))
    assert not configuration.has_super_approver(frozenset({"user:carol", "group:alice"}))
    assert not Configuration().has_super_approver(frozenset({"user:alice"}))


@pytest.mark.parametrize(
    ("is_locked", "username", "locks"), [(False, "bob", False), (True, "bob", True), (True, "alice", False)]
)
def test_reversing_is_locked_for_all_but_the_exempted(is_locked, username, locks):
    configuration = Configuration(is_reversing_locked=is_locked, reversing_exempted_users=("alice",))
    assert configuration.locks_reversing(username) is locks


def test_only_a_valid_licence_is_valid():
    assert Licence().is_valid
    assert not Licence(state=LicenceState.EXPIRED).is_valid
