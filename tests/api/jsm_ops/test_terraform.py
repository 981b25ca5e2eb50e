"""What the acceptance test of the vendor's Terraform provider does to a custom role, call by call.

The provider sends null for what is not set, reads back after every change, takes a 404 for a resource that
is gone, and imports by id; it compares rights as sets.
"""

import pytest

from tests.api.jsm_ops.conftest import BASES

GRANTED = ["alert-action", "alert-create", "alert-close", "alert-acknowledge", "alerts-access-all"]
DISALLOWED = ["alert-delete"]


class Provider:
    """One resource of the provider."""

    def __init__(self, ask, base):
        self.ask = lambda *args, **options: ask(*args, base=base, **options)
        self.id = None

    def create(self, **plan):
        answer = self.ask(
            "POST", "", {"name": None, "grantedRights": None, "disallowedRights": None, **plan}, status=201
        )
        self.id = answer.json["data"]["id"]
        return self.read()

    def read(self, query=""):
        return self.ask("GET", f"/{self.id}{query}").json

    def update(self, **plan):
        body = {"id": self.id, "name": None, "grantedRights": None, "disallowedRights": None, **plan}
        self.ask("PUT", f"/{self.id}", body)
        return self.read()

    def list(self):
        """Every role, page by page, as the provider's client reads lists."""
        found, link = [], "/v1/roles?offset=0&size=2"
        while link:
            page = self.ask("GET", link.removeprefix("/v1/roles")).json
            found += page["values"]
            link = page["links"].get("next")
        return found

    def destroy(self):
        self.ask("DELETE", f"/{self.id}?identifierType=id", status=204)


def state(role):
    return role["name"], set(role["grantedRights"]), set(role["disallowedRights"])


@pytest.mark.parametrize("base", BASES)
def test_the_life_of_a_resource(ask, base):
    resource = Provider(ask, base)

    made = resource.create(name="acceptance-role", grantedRights=GRANTED, disallowedRights=DISALLOWED)
    assert state(made) == ("acceptance-role", set(GRANTED), set(DISALLOWED))
    assert made["extendedRole"] == "user"

    by_name = ask("GET", "/acceptance-role?identifierType=name", base=base).json
    assert by_name == resource.read() == resource.read("?identifierType=id") == made

    updated = resource.update(name="acceptance-role-2", grantedRights=GRANTED[:2], disallowedRights=[])
    assert state(updated) == ("acceptance-role-2", set(GRANTED[:2]), set())
    assert resource.update() == updated
    assert resource.update(disallowedRights=DISALLOWED)["grantedRights"] == GRANTED[:2]

    imported = Provider(ask, base)
    imported.id = ask("GET", "/acceptance-role-2?identifierType=name", base=base).json["id"]
    assert imported.read() == resource.read()
    listed = resource.list()
    assert {"id": resource.id, "name": "acceptance-role-2"} in listed
    assert len(listed) == len({role["id"] for role in listed}) == 4

    resource.destroy()
    ask("GET", f"/{resource.id}", status=404, base=base)
    assert len(resource.list()) == 3
