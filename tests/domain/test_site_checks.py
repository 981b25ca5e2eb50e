"""What makes a site whole beside its references."""

import pytest

from herzum_approval.domain.approvals import ConditionalRule
from herzum_approval.domain.custom_roles import CustomUserRole, JsmSite, RoleAssignment
from herzum_approval.domain.people import User
from herzum_approval.domain.site_checks import faults
from herzum_approval.domain.sites import Site


def test_a_conditional_rule_must_be_a_condition_in_jql():
    good = ConditionalRule(id=1, name="good", jql="project = TEST AND priority != Low")
    texts = ("", "priority", "project = TEST ORDER BY key")
    bad = [ConditionalRule(id=id, name=f"bad {id}", jql=jql) for id, jql in enumerate(texts, start=2)]
    found = list(faults(Site(conditional_rules=(good, *bad))))
    assert [fault.path for fault in found] == [f"conditional_rules[{place}].jql" for place in (1, 2, 3)]
    assert found[0].reason == "Error in the JQL Query: Expecting a field name at the end of the query."


FIRST, SECOND = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


def site_of_roles(*roles, assignments=(), cloud_ids=("one", "two")):
    return Site(
        users=(User(id=1, username="bob", display_name="Bob"),),
        jsm_sites=tuple(JsmSite(cloud_id=cloud_id, name="Site") for cloud_id in cloud_ids),
        custom_roles=roles,
        role_assignments=assignments,
    )


def test_roles_of_one_name_on_different_sites_are_whole():
    roles = (
        CustomUserRole(
            id=FIRST, cloud_id="one", name="Role", granted_rights=("a",), disallowed_rights=("b",)
        ),
        CustomUserRole(id=SECOND, cloud_id="two", name="Role"),
    )
    assigned = tuple(RoleAssignment(username="bob", role_id=role.id) for role in roles)
    assert list(faults(site_of_roles(*roles, assignments=assigned))) == []


@pytest.mark.parametrize(
    ("parts", "path", "reason"),
    [
        ({"name": "role"}, None, None),
        ({"name": "Role"}, "custom_roles[1].name", "'Role' is there already"),
        ({"name": "Admin"}, "custom_roles[1].name", "must not be the name of a built-in role"),
        ({"name": " x"}, "custom_roles[1].name", "must not be blank"),
        (
            {"granted_rights": ("a", "b"), "disallowed_rights": ("b",)},
            "custom_roles[1].disallowed_rights",
            "conflicts with grantedRights: b",
        ),
        ({"granted_rights": ("a", "a")}, "custom_roles[1].granted_rights", "holds a right twice"),
        ({"id": "x"}, "custom_roles[1].id", "is not spelt as it must be"),
        ({"id": FIRST}, "custom_roles[1].id", f"'{FIRST}' is there already"),
        (
            {"cloud_id": "three"},
            "custom_roles[1].cloud_id",
            "'three' is the cloud_id of none of the jsm_sites",
        ),
    ],
)
def test_a_role_must_be_one(parts, path, reason):
    first = CustomUserRole(id=FIRST, cloud_id="one", name="Role")
    second = CustomUserRole(**{"id": SECOND, "cloud_id": "one", "name": "Other", **parts})
    found = list(faults(site_of_roles(first, second)))
    assert [(fault.path, fault.reason) for fault in found] == ([] if path is None else [(path, reason)])


def test_nobody_has_two_roles_on_one_site():
    roles = tuple(CustomUserRole(id=id, cloud_id="one", name=f"Role {id}") for id in (FIRST, SECOND))
    assigned = tuple(RoleAssignment(username="bob", role_id=role.id) for role in roles)
    (fault,) = faults(site_of_roles(*roles, assignments=assigned))
    assert fault == ("role_assignments[1]", "its user has a role on this site already")
