"""Creating, showing, changing, deleting and assigning roles, by id and by name."""

from urllib.parse import quote
from uuid import UUID

import pytest

from tests.api.jsm_ops.conftest import (
    BASES,
    BOB,
    CAROL,
    FINANCE,
    OTHER,
    SRE,
    asking,
    assert_refused,
)

PRE_REQ = {
    "name": "Pre req Rest Api 3",
    "grantedRights": ["alert-action", "alert-create", "alert-add-note"],
    "disallowedRights": ["alert-delete"],
}
NOT_PROCESSABLE = "Request body is not processable. Please check the errors."
BY_NAME = "?identifierType=name"


# -- create -----------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_create(ask, base):
    answer = ask("POST", "", PRE_REQ, status=201, base=base)
    id = answer.json["data"]["id"]
    assert answer.json == {"message": "Created", "data": {"id": id, "name": "Pre req Rest Api 3"}}
    assert UUID(id).version == 4
    shown = ask("GET", f"/{id}", base=base)
    assert shown.json == {"id": id, **PRE_REQ, "extendedRole": "user"}
    assert list(shown.json) == ["id", "name", "extendedRole", "grantedRights", "disallowedRights"]
    assert shown.headers["ETag"] == answer.headers["ETag"]


@pytest.mark.parametrize("rights", [{}, {"grantedRights": None, "disallowedRights": None}])
def test_create_without_rights(ask, rights):
    id = ask("POST", "", {"name": "Bare", **rights}, status=201).json["data"]["id"]
    shown = ask("GET", f"/{id}").json
    assert (shown["grantedRights"], shown["disallowedRights"]) == ([], [])


def test_rights_are_kept_in_order_and_once_and_unknown_ones_too(ask):
    body = {"name": "x", "grantedRights": ["b", "asdasdad", "b", "a"], "disallowedRights": ["alert-view"]}
    id = ask("POST", "", body, status=201).json["data"]["id"]
    shown = ask("GET", f"/{id}").json
    assert (shown["grantedRights"], shown["disallowedRights"]) == (["b", "asdasdad", "a"], ["alert-view"])


def test_other_members_are_ignored(ask):
    body = {"name": "x", "id": 5, "extendedRole": "observer", "anything": [{}], "granted_rights": ["y"]}
    id = ask("POST", "", body, status=201).json["data"]["id"]
    assert ask("GET", f"/{id}").json["extendedRole"] == "user"
    assert ask("GET", f"/{id}").json["grantedRights"] == []


def test_blanks_around_a_name_do_not_count(ask):
    assert (
        ask("POST", "", {"name": "\t Night \u00a0shift\n"}, status=201).json["data"]["name"]
        == "Night \u00a0shift"
    )
    answer = ask("POST", "", {"name": "Night \u00a0shift "}, status=409)
    assert_refused(answer, "Custom user role already exists with name: Night \u00a0shift")
    ask("POST", "", {"name": "NIGHT \u00a0shift"}, status=201)


@pytest.mark.parametrize(
    "name", ["x", "x" * 255, "役割", "💥", "'; DROP TABLE", "a/b", "assign", "%41", "Owners"]
)
def test_names_that_can_be(ask, name):
    id = ask("POST", "", {"name": name}, status=201).json["data"]["id"]
    assert ask("GET", f"/{id}").json["name"] == name


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"name": "must not be blank"}),
        ({"name": None}, {"name": "must not be blank"}),
        ({"name": ""}, {"name": "must not be blank"}),
        ({"name": " \n"}, {"name": "must not be blank"}),
        ({"name": 5}, {"name": "must be a string"}),
        ({"name": ["x"]}, {"name": "must be a string"}),
        ({"name": True}, {"name": "must be a string"}),
        ({"name": "x" * 256}, {"name": "must not be longer than 255 characters"}),
        ({"name": "a\0b"}, {"name": "must not hold the character NUL"}),
        *(
            ({"name": name}, {"name": "must not be the name of a built-in role"})
            for name in ("owner", "Admin", "USER", " observer ", "stakeHolder")
        ),
        *(
            ({"name": "x", member: rights}, {member: "must be an array of strings"})
            for member in ("grantedRights", "disallowedRights")
            for rights in ("alert-close", {}, 5, True, [5], [None], [["x"]], ["x", {}])
        ),
        ({"name": "x", "grantedRights": [""]}, {"grantedRights": "must hold names of 1 to 255 characters"}),
        (
            {"name": "x", "grantedRights": ["a" * 256]},
            {"grantedRights": "must hold names of 1 to 255 characters"},
        ),
        (
            {"name": "x", "disallowedRights": ["a\0"]},
            {"disallowedRights": "must hold names of 1 to 255 characters"},
        ),
        (
            {"name": "x", "grantedRights": [str(number) for number in range(1001)]},
            {"grantedRights": "must not hold more than 1000 rights"},
        ),
        (
            {"name": "x", "grantedRights": ["a", "b"], "disallowedRights": ["b", "c"]},
            {"disallowedRights": "conflicts with grantedRights: b"},
        ),
        (
            {"name": 1, "grantedRights": 2, "disallowedRights": 3},
            {
                "name": "must be a string",
                "grantedRights": "must be an array of strings",
                "disallowedRights": "must be an array of strings",
            },
        ),
    ],
)
def test_what_a_role_cannot_be(ask, body, errors):
    assert_refused(ask("POST", "", body, status=422), NOT_PROCESSABLE, errors=errors)
    if body.get("name") is not None:
        assert_refused(ask("PUT", f"/{SRE}", body, status=422), NOT_PROCESSABLE, errors=errors)
    assert len(ask("GET").json["values"]) == 3
    assert ask("GET", f"/{SRE}").json["name"] == "SRERole"


BODIES = [b"", b"null", b"[]", b'"x"', b"{", b'{"name": "x",}', b'{"name": "\xff"}', b'{"name": "\\ud800"}']
WRITING = [("POST", ""), ("PUT", f"/{SRE}"), ("POST", "/assign")]


@pytest.mark.parametrize("body", [*BODIES, b"[" * 100_000, b'{"a":' * 65 + b"1" + b"}" * 65])
@pytest.mark.parametrize(("method", "path"), WRITING)
def test_what_is_no_json_object(client, ask, method, path, body):
    headers = dict(ask("GET").request.headers)
    answer = client.request(
        BASES[0].format("11111111-2222-4333-8444-555555555555") + path,
        method=method,
        body=body,
        headers={"Authorization": headers["Authorization"], "Content-Type": "application/json"},
        status=400,
    )
    assert_refused(answer)


@pytest.mark.parametrize(("method", "path"), WRITING)
def test_another_type_of_body(ask, method, path):
    answer = ask(method, path, {"name": "x"}, status=415, headers={"Content-Type": "text/plain"})
    assert_refused(answer, "The request body must be application/json")


# -- show -------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("path", [f"/{FINANCE}", f"/{FINANCE}?identifierType=id", f"/FinanceRole{BY_NAME}"])
def test_show(ask, base, path):
    assert ask("GET", path, base=base).json == {
        "id": FINANCE,
        "name": "FinanceRole",
        "extendedRole": "user",
        "grantedRights": ["alert-action", "alert-create"],
        "disallowedRights": ["alert-delete", "alert-delete-note", "alert-close", "alert-close-all"],
    }


@pytest.mark.parametrize(
    ("path", "identifier"),
    [
        ("/FinanceRole", "FinanceRole"),
        (f"/{FINANCE}{BY_NAME}", FINANCE),
        (f"/{FINANCE.upper()}", FINANCE.upper()),
        ("/financerole" + BY_NAME, "financerole"),
        ("/none", "none"),
        ("/a%00b", "a\0b"),
        ("/%F0%9F%92%A5" + BY_NAME, "💥"),
        ("/" + "x" * 5000, "x" * 5000),
    ],
)
def test_what_is_not_there(ask, path, identifier):
    for method, body in (("GET", None), ("PUT", {}), ("DELETE", None)):
        answer = ask(method, path, body, status=404)
        assert_refused(answer, f"Custom user role not found with identifier: {identifier}")


@pytest.mark.parametrize("value", ["", "ID", "Name", "key", "%00"])
@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PUT", {}), ("DELETE", None)])
def test_an_unknown_type_of_identifier(ask, method, body, value):
    answer = ask(method, f"/{SRE}?identifierType={value}", body, status=400)
    assert_refused(answer, "Parameter identifierType must be one of [ id, name ]")


def test_a_role_named_assign_is_found_by_its_name(ask):
    created = ask("POST", "", {"name": "assign"}, status=201).json["data"]
    assert ask("GET", "/assign" + BY_NAME).json["id"] == created["id"]
    ask("PUT", "/assign" + BY_NAME, {"grantedRights": ["x"]})
    ask("DELETE", "/assign" + BY_NAME, status=204)


def test_a_name_with_blanks_around_it_is_found(ask):
    assert ask("GET", "/%20SRERole%20" + BY_NAME).json["id"] == SRE


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", ["a/b", "/", "//x", "tail/", "assign/", "../up", "line\n/line", "100%2F"])
def test_a_name_with_slashes_can_be_in_an_address(ask, base, name):
    """The role of the same name without the slash is another one."""
    ask("POST", "", {"name": "tail"}, status=201, base=base)
    id = ask("POST", "", {"name": name}, status=201, base=base).json["data"]["id"]
    path = f"/{quote(name, safe='')}{BY_NAME}"
    assert ask("GET", path, base=base).json["id"] == id
    assert ask("PUT", path, {"grantedRights": ["x"]}, base=base).json["data"]["id"] == id
    ask("DELETE", path, status=204, base=base)
    assert_refused(
        ask("GET", path, status=404, base=base),
        f"Custom user role not found with identifier: {name}".replace("\n", " "),
    )
    ask("GET", f"/tail{BY_NAME}", base=base)


def test_a_slash_behind_an_id_does_not_count(ask):
    assert ask("GET", f"/{SRE}/").json["id"] == SRE
    ask("GET", f"/{SRE}/x", status=404)


# -- change -----------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("path", [f"/{FINANCE}", f"/FinanceRole{BY_NAME}"])
def test_change(ask, base, path):
    body = {
        "name": "conflictRightRole_1",
        "grantedRights": ["alerts-access-all", "incident-add-note", "asdasdad"],
        "disallowedRights": ["incident-reopen"],
    }
    answer = ask("PUT", path, body, base=base)
    assert answer.json == {"message": "Updated", "data": {"id": FINANCE, "name": "FinanceRole"}}
    assert ask("GET", f"/{FINANCE}").json == {"id": FINANCE, **body, "extendedRole": "user"}


@pytest.mark.parametrize(
    ("body", "later"),
    [
        ({}, {}),
        ({"name": None, "grantedRights": None, "disallowedRights": None}, {}),
        ({"name": " Money "}, {"name": "Money"}),
        ({"grantedRights": []}, {"grantedRights": []}),
        ({"disallowedRights": []}, {"disallowedRights": []}),
        ({"disallowedRights": ["z", "y", "z"]}, {"disallowedRights": ["z", "y"]}),
        ({"grantedRights": ["alert-close"], "disallowedRights": []}, None),
        ({"id": "other", "extendedRole": "observer"}, {}),
    ],
)
def test_what_a_change_leaves_out_stays(ask, body, later):
    before = ask("GET", f"/{FINANCE}").json
    ask("PUT", f"/{FINANCE}", body)
    assert ask("GET", f"/{FINANCE}").json == {**before, **(body if later is None else later)}


def test_a_change_may_not_conflict_with_what_stays(ask):
    answer = ask("PUT", f"/{FINANCE}", {"grantedRights": ["alert-close"]}, status=422)
    assert_refused(answer, errors={"disallowedRights": "conflicts with grantedRights: alert-close"})


def test_a_name_that_another_role_has(ask):
    ask("PUT", f"/{SRE}", {"name": "SRERole"})
    answer = ask("PUT", f"/{SRE}", {"name": " DeveloperRole"}, status=409)
    assert_refused(answer, "Custom user role already exists with name: DeveloperRole")


@pytest.mark.parametrize(
    ("template", "status"),
    [
        ("{tag}", 200),
        ('"0", {tag}', 200),
        ("*", 200),
        (None, 200),
        ('"0"', 412),
        ("W/{tag}", 412),
        ("nonsense", 412),
        ("", 412),
    ],
)
@pytest.mark.parametrize(("method", "body"), [("PUT", {"grantedRights": ["x"]}), ("DELETE", None)])
def test_if_match(ask, method, body, template, status):
    tag = ask("GET", f"/{SRE}").headers["ETag"]
    headers = {} if template is None else {"If-Match": template.format(tag=tag)}
    expected = 204 if (status, method) == (200, "DELETE") else status
    answer = ask(method, f"/{SRE}", body, status=expected, headers=headers)
    if status == 412:
        assert_refused(answer)
        assert ask("GET", f"/{SRE}").headers["ETag"] == tag


def test_each_change_has_a_tag_of_its_own(ask):
    tags = [ask("GET", f"/{SRE}").headers["ETag"]]
    for name in ("a", "b"):
        tags.append(ask("PUT", f"/{SRE}", {"name": name}, headers={"If-Match": tags[-1]}).headers["ETag"])
    assert len(set(tags)) == 3
    ask("PUT", f"/{SRE}", {"name": "c"}, headers={"If-Match": tags[1]}, status=412)


# -- delete and assign ------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("path", [f"/{SRE}", f"/SRERole{BY_NAME}"])
def test_delete(ask, base, path):
    answer = ask("DELETE", path, status=204, base=base)
    assert answer.body == b""
    assert "Content-Type" not in answer.headers
    ask("GET", f"/{SRE}", status=404)
    ask("DELETE", path, status=404)
    ask("POST", "", {"name": "SRERole"}, status=201)


@pytest.mark.parametrize("base", BASES)
def test_assign(ask, administer, base):
    body = {"accountId": CAROL, "roleId": FINANCE, "more": 1}
    for _ in range(2):
        answer = ask("POST", "/assign", body, status=201, base=base)
        assert answer.json == {"message": "Created", "data": {"id": FINANCE, "name": "FinanceRole"}}
    assert_refused(
        ask("DELETE", f"/{FINANCE}", status=428),
        "Custom user role is assigned to users and cannot be deleted: FinanceRole",
    )
    ask("POST", "/assign", {"accountId": CAROL, "roleId": SRE}, status=201)
    ask("DELETE", f"/{FINANCE}", status=204)
    ask("DELETE", f"/{SRE}", status=428)
    administer("DELETE", f"sites/11111111-2222-4333-8444-555555555555/users/{CAROL}/role", status=204)
    ask("DELETE", f"/{SRE}", status=204)


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"accountId": "none", "roleId": SRE}, 404, "User not found with identifier: none"),
        ({"accountId": f" {CAROL}", "roleId": SRE}, 404, f"User not found with identifier:  {CAROL}"),
        ({"accountId": CAROL, "roleId": "none"}, 404, "Custom user role not found with identifier: none"),
        ({"accountId": CAROL, "roleId": "SRERole"}, 404, None),
        ({"accountId": "carol", "roleId": SRE}, 404, None),
        ({"accountId": "a\0", "roleId": "a\0"}, 404, None),
        ({}, 422, {"accountId": "must not be blank", "roleId": "must not be blank"}),
        ({"accountId": CAROL}, 422, {"roleId": "must not be blank"}),
        (
            {"accountId": " ", "roleId": None},
            422,
            {"accountId": "must not be blank", "roleId": "must not be blank"},
        ),
        ({"accountId": 5, "roleId": SRE}, 422, {"accountId": "must be a string"}),
        ({"accountId": CAROL, "roleId": [SRE]}, 422, {"roleId": "must be a string"}),
    ],
)
def test_what_cannot_be_assigned(ask, body, status, told):
    answer = ask("POST", "/assign", body, status=status)
    if status == 422:
        assert_refused(answer, NOT_PROCESSABLE, errors=told)
    else:
        assert_refused(answer, told)


# -- sites ------------------------------------------------------------------------------------


def test_each_site_has_roles_of_its_own(ask, other_site):
    assert ask("GET", site=OTHER).json["values"] == []
    created = ask("POST", "", {"name": "FinanceRole"}, status=201, site=OTHER, as_="bob").json["data"]
    assert ask("GET", site=OTHER).json["values"] == [created]
    assert len(ask("GET").json["values"]) == 3
    ask("GET", f"/{created['id']}", status=404)
    ask("GET", f"/{FINANCE}", status=404, site=OTHER)
    ask("POST", "/assign", {"accountId": BOB, "roleId": created["id"]}, status=404)
    ask("POST", "/assign", {"accountId": BOB, "roleId": FINANCE}, status=404, site=OTHER)
    ask("POST", "/assign", {"accountId": BOB, "roleId": created["id"]}, status=201, site=OTHER)
    ask("POST", "/assign", {"accountId": BOB, "roleId": FINANCE}, status=201)
    ask("DELETE", f"/FinanceRole{BY_NAME}", status=428, site=OTHER)
    ask("GET", status=403, as_="bob")
    ask("GET", status=403, as_="alice", site=OTHER)


# -- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rights", "errors"),
    [
        ({"grantedRights": ["asdasdad"]}, {"grantedRights": "unknown rights: asdasdad"}),
        ({"disallowedRights": ["alert-view"]}, {"disallowedRights": "unknown rights: alert-view"}),
        ({"grantedRights": ["alert-close"]}, {"grantedRights": "missing prerequisites: alert-action"}),
    ],
)
def test_strict_mode(site_with, rights, errors):
    strict = asking(site_with(jsm_ops_strict=True))
    assert_refused(strict("POST", "", {"name": "x", **rights}, status=422), errors=errors)
    assert_refused(strict("PUT", f"/{SRE}", rights, status=422), errors=errors)
    id = strict("POST", "", PRE_REQ, status=201).json["data"]["id"]
    strict("PUT", f"/{id}", {"name": "Renamed"})
    lenient = asking(site_with())
    lenient("POST", "", {"name": "x", **rights}, status=201)


def test_the_shape_of_the_introduction(site_with):
    ask = asking(site_with(jsm_ops_error_shape="intro"))
    unknown = "Custom user role not found with identifier: none"
    assert ask("GET", "/none", status=404).json == {"errors": [{"title": unknown}]}
    assert ask("GET", status=401, as_=None).json == {"errors": [{"title": "Could not authenticate"}]}
    assert ask("GET", status=403, as_="bob").json == {
        "errors": [{"title": "You are not authorized to perform this action"}]
    }
    answer = ask("POST", "", {"name": 5, "grantedRights": 5}, status=422)
    assert answer.json == {
        "errors": [
            {"title": "name: must be a string"},
            {"title": "grantedRights: must be an array of strings"},
        ]
    }
    assert answer.headers["X-Request-ID"]
    assert ask("GET", f"/{FINANCE}").json["name"] == "FinanceRole"


def test_ids_follow_from_a_seed(site_with):
    ids = []
    for _ in range(2):
        ask = asking(site_with(jsm_ops_id_seed="7"))
        ids.append([ask("POST", "", {"name": name}, status=201).json["data"]["id"] for name in ("a", "b")])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


# -- headers ----------------------------------------------------------------------------------


def test_the_id_of_a_request_is_that_of_the_client_or_a_new_one(ask):
    answer = ask("GET", "/none", status=404, headers={"X-Request-ID": "mine-1"})
    assert (answer.headers["X-Request-ID"], answer.json["requestId"]) == ("mine-1", "mine-1")
    ids = [ask("GET", "/none", status=404).json["requestId"] for _ in range(2)]
    assert len({*ids, *(str(UUID(id)) for id in ids)}) == 2
