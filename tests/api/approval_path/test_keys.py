"""What an API key opens: privilege by endpoint, time, address, and the order in which they are looked at."""

import pytest

from tests.api.approval_path.conftest import CONFLUENCE_KEY, JIRA_KEY, assert_refused

FLAGS = {
    "can_get_status": "Get approval status",
    "can_list_definitions": "List approval definitions",
    "can_create": "Create approval",
    "can_delete": "Delete approval",
}
ENDPOINTS = {
    ("GET", "approvals/TEST-1"): "can_get_status",
    ("POST", "approvals/TEST-1"): "can_create",
    ("POST", "approvals/TEST-1/reset"): "can_delete",
    ("DELETE", "approvals/TEST-1/1"): "can_delete",
    ("GET", "approval-definitions"): "can_list_definitions",
    ("GET", "approval-definitions/TEST"): "can_list_definitions",
}
NOTHING = dict.fromkeys(FLAGS, False)


def with_key(give, **members):
    give({"api_keys": [{"id": 1, **members}]})


def key_of(client):
    document = client.get("/__emulator/snapshot").json
    return next(key for key in document["api_keys"] if key["id"] == 1)


@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag_opens_its_endpoints_and_no_others(ask, give, client, flag):
    with_key(give, **{**NOTHING, flag: True})
    for (method, path), needed in ENDPOINTS.items():
        body = {"definitionId": "197"} if (method, path) == ("POST", "approvals/TEST-1") else None
        answer = ask(method, path, body, status="*")
        if needed == flag:
            assert answer.status_int in (200, 204, 404)
            assert answer.status_int != 404 or answer.json["message"] == "Approval not found"
        else:
            assert answer.status_int == 403
            assert_refused(answer, f"The API key lacks the privilege: {FLAGS[needed]}")
    allowed = list(ENDPOINTS.values()).count(flag)
    assert key_of(client)["usage_count"] == allowed, "what is refused does not count as use"


@pytest.mark.parametrize(
    ("authorization", "text"),
    [
        (None, "No API key was given"),
        ("", "No API key was given"),
        ("Bearer", "No API key was given"),
        ("Bearer ", "No API key was given"),
        (JIRA_KEY, "No API key was given"),
        ("Basic YWRtaW46YWRtaW4=", "No API key was given"),
        (f"Token {JIRA_KEY}", "No API key was given"),
        ("Bearer wrong", "The API key is unknown"),
        (f"Bearer {JIRA_KEY}x", "The API key is unknown"),
        (f"Bearer {JIRA_KEY.swapcase()}", "The API key is unknown"),
        (f"Bearer {JIRA_KEY} {JIRA_KEY}", "The API key is unknown"),
        ("Bearer " + "x" * 100_000, "The API key is unknown"),
        ("Bearer \xff\x01", "The API key is unknown"),
    ],
)
def test_without_a_key_that_is_known(ask, authorization, text):
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path in ENDPOINTS:
        answer = ask(method, path, key=None, headers=headers, status=401)
        assert_refused(answer, text)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "  Bearer  "])
def test_the_scheme_may_be_spelt_in_any_case(ask, scheme):
    ask("GET", "approvals/TEST-1", key=None, headers={"Authorization": f"{scheme} {JIRA_KEY}"})


def test_a_session_or_a_login_of_jira_opens_nothing(ask, client):
    client.post_json("/rest/auth/1/session", {"username": "admin", "password": "admin"}, status=200)
    assert_refused(ask("GET", "approvals/TEST-1", key=None, status=401), "No API key was given")


def test_the_key_tells_the_product(ask):
    assert ask("GET", "approval-definitions").json["result"][0]["id"] == "35"
    assert ask("GET", "approval-definitions", key=CONFLUENCE_KEY).json["result"][0]["id"] == "45"
    ask("GET", "approvals/10068", key=CONFLUENCE_KEY)
    assert_refused(ask("GET", "approvals/10068", status=404), "Issue 10068 not found")
    assert_refused(ask("GET", "approvals/TEST-1", key=CONFLUENCE_KEY, status=404), "Page TEST-1 not found")


def test_what_is_looked_at_first(ask, give):
    """Key, window, address, privilege, reference, body, performer, definition: each cure meets the next."""
    wrong = {
        "valid_until": "2022-12-31T23:59:59.999Z",
        "allowed_ips": "192.0.2.1",
        "can_create": False,
        "performer": {"$replace": {"origin": "issue field", "field_id": "assignee"}},
    }
    given = {"api_keys": [{"id": 1, **wrong}], "issues": [{"id": 12305, "assignee": None}]}
    give(given)
    steps = [
        ({"key": "wrong"}, 401, "The API key is unknown", {}),
        ({}, 401, "The API key is not valid at this time", {"valid_until": None}),
        ({}, 403, "The API key may not be used from this address", {"allowed_ips": ""}),
        ({}, 403, "The API key lacks the privilege: Create approval", {"can_create": True}),
    ]
    for options, status, text, cure in steps:
        answer = ask("POST", "approvals/NONE-1", {"definitionId": []}, status=status, **options)
        assert_refused(answer, text)
        with_key(give, **cure)
    for path, body, status, text in (
        ("NONE-1", {"definitionId": []}, 404, "Issue NONE-1 not found"),
        ("TEST-1", {"definitionId": []}, 400, "definitionId: must be a text"),
        (
            "TEST-1",
            {"definitionId": "9"},
            400,
            "There is no valid user to perform this, and no valid default user",
        ),
    ):
        assert_refused(ask("POST", f"approvals/{path}", body, status=status), text)
    with_key(give, performer={"default_user": "bob"})
    answer = ask("POST", "approvals/TEST-1", {"definitionId": "9"}, status=404)
    assert_refused(answer, "Approval definition not found")


@pytest.mark.parametrize(
    ("allowed", "address", "is_allowed"),
    [
        ("", "203.0.113.9", True),
        ("203.0.113.0/24", "203.0.113.9", True),
        ("203.0.113.1-203.0.113.8", "203.0.113.9", False),
        ("203.0.113.0/24", "::ffff:203.0.113.9", True),
        ("2001:db8::/32", "2001:db8::5", True),
        ("2001:db8::/32", "2001:db9::5", False),
    ],
)
def test_addresses(ask, give, allowed, address, is_allowed):
    with_key(give, allowed_ips=allowed)
    answer = ask("GET", "approvals/TEST-1", peer=address, status=200 if is_allowed else 403)
    if not is_allowed:
        assert_refused(answer, "The API key may not be used from this address")


def test_a_header_of_a_proxy_that_nobody_trusts_changes_nothing(ask, give):
    with_key(give, allowed_ips="203.0.113.9")
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
        ask("GET", "approvals/TEST-1", headers={name: "203.0.113.9"}, peer="198.51.100.1", status=403)
    ask("GET", "approvals/TEST-1", headers={"X-Forwarded-For": "198.51.100.1"}, peer="203.0.113.9")


def test_no_answer_and_no_log_shows_a_key(ask, give, client, caplog):
    caplog.set_level("DEBUG")
    with_key(give, can_get_status=False)
    for key in (JIRA_KEY, "s3cret-" + JIRA_KEY):
        for method, path in ENDPOINTS:
            assert key not in ask(method, path, key=key, status="*").text
    assert JIRA_KEY not in caplog.text
    assert JIRA_KEY not in client.get("/__emulator/snapshot").text
