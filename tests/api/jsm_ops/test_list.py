"""`GET /v1/roles`."""

import random

import pytest

from tests.api.jsm_ops.conftest import (
    BASES,
    DEVELOPER,
    FINANCE,
    SITE,
    SRE,
    assert_refused,
)

THREE = [
    {"id": FINANCE, "name": "FinanceRole"},
    {"id": DEVELOPER, "name": "DeveloperRole"},
    {"id": SRE, "name": "SRERole"},
]


def test_all(ask):
    answer = ask("GET")
    assert answer.json == {"values": THREE, "links": {"last": "/v1/roles?offset=0&size=20"}}
    assert list(answer.json) == ["values", "links"]


@pytest.mark.parametrize(
    ("query", "values", "links"),
    [
        ("size=2", THREE[:2], {"next": "offset=2&size=2", "last": "offset=2&size=2"}),
        ("offset=1&size=1", THREE[1:2], {"next": "offset=2&size=1", "last": "offset=2&size=1"}),
        ("offset=1", THREE[1:], {"last": "offset=1&size=20"}),
        ("offset=3", [], {"last": "offset=3&size=20"}),
        ("offset=4&size=2", [], {"last": "offset=2&size=2"}),
        ("size=100", THREE, {"last": "offset=0&size=100"}),
        ("size=101", THREE, {"last": "offset=0&size=100"}),
        (f"size={2**63 - 1}", THREE, {"last": "offset=0&size=100"}),
        (f"offset={2**63 - 1}", [], {"last": "offset=7&size=20"}),
        ("size=2&size=3", THREE[:2], {"next": "offset=2&size=2", "last": "offset=2&size=2"}),
        ("page=7&Size=1", THREE, {"last": "offset=0&size=20"}),
    ],
)
@pytest.mark.parametrize("base", BASES)
def test_pages(ask, base, query, values, links):
    found = ask("GET", f"?{query}", base=base).json
    assert found == {
        "values": values,
        "links": {name: f"/v1/roles?{parameters}" for name, parameters in links.items()},
    }


@pytest.mark.parametrize("name", ["size", "offset"])
@pytest.mark.parametrize(
    "value",
    ["", "x", "1.0", "%201", "1e3", "%2B1", "--1", "%D9%A1", "%00", "9" * 19, "9" * 5000, "null", "%FF"],
)
def test_what_is_no_integer(ask, name, value):
    assert_refused(ask("GET", f"?{name}={value}", status=400), f"Parameter {name} must be an integer")


@pytest.mark.parametrize(("query", "least"), [("size=0", 1), ("size=-1", 1), ("offset=-1", 0)])
def test_what_is_too_small(ask, query, least):
    name = query.partition("=")[0]
    assert_refused(ask("GET", f"?{query}", status=400), f"Parameter {name} must not be less than {least}")


def test_an_empty_site(ask, lay_over):
    lay_over(custom_roles={"$replace": []})
    assert ask("GET").json == {"values": [], "links": {"last": "/v1/roles?offset=0&size=20"}}


@pytest.mark.parametrize("size", [1, 7, 20, 45, 100])
def test_a_client_that_follows_the_links_sees_every_role_once(ask, lay_over, size):
    """As the vendor's client does: it joins the link to its base, and stops where there is none."""
    numbers = random.Random(7)
    ids = sorted(f"{numbers.getrandbits(32):08x}-0000-4000-8000-{place:012}" for place in range(45))
    roles = [{"id": id, "cloud_id": SITE, "name": f"r {id}"} for id in random.Random(8).sample(ids, len(ids))]
    lay_over(custom_roles={"$replace": roles})
    seen, link = [], f"/v1/roles?size={size}"
    while link is not None:
        page = ask("GET", link.removeprefix("/v1/roles")).json
        seen += [role["id"] for role in page["values"]]
        assert set(page["links"]) <= {"next", "last"}
        last, link = page["links"]["last"], page["links"].get("next")
    assert seen == ids
    assert ask("GET", last.removeprefix("/v1/roles")).json["values"] == page["values"]
