"""In whose name a call acts: every origin, for creating, resetting and deleting."""

import pytest

from tests.api.approval_path.conftest import (
    ADMIN,
    ALICE,
    BOB,
    CONFLUENCE_KEY,
    JIRA_KEY,
    assert_refused,
)

UNRESOLVED = "There is no valid user to perform this, and no valid default user"
OUTSIDE = "The user does not belong to the group approvers"
CAROL = "630a55c646556c72662aaaaa"
PICKER = {"id": "customfield_10", "name": "Owners", "type": "user picker"}
FIELD = {"origin": "issue field", "field_id": "customfield_10"}

CASES = [
    # performer of the key, what the issue or page holds, userId of the call, who acts (None: refused)
    ("off: the creator", None, {}, BOB, ADMIN),
    ("user", {"origin": "user", "user": "carol"}, {}, BOB, CAROL),
    ("user, deactivated", {"origin": "user", "user": "dave"}, {}, BOB, UNRESOLVED),
    ("field, first of several", FIELD, {"fields": {"customfield_10": ["bob", "alice"]}}, CAROL, BOB),
    ("field, empty", FIELD, {}, CAROL, UNRESOLVED),
    ("field, empty, default", {**FIELD, "default_user": "alice"}, {}, CAROL, ALICE),
    ("field, deactivated", FIELD, {"fields": {"customfield_10": ["dave", "bob"]}}, None, UNRESOLVED),
    (
        "field, deactivated, default",
        {**FIELD, "default_user": "alice"},
        {"fields": {"customfield_10": ["dave"]}},
        None,
        ALICE,
    ),
    ("field, default deactivated", {**FIELD, "default_user": "dave"}, {}, None, UNRESOLVED),
    ("reporter", {"origin": "issue field", "field_id": "reporter"}, {"reporter": "carol"}, BOB, CAROL),
    ("assignee", {"origin": "issue field", "field_id": "assignee"}, {"assignee": "bob"}, None, BOB),
    ("call", {"origin": "api call"}, {}, BOB, BOB),
    ("call, number", {"origin": "api call"}, {}, 5, UNRESOLVED),
    ("call, absent", {"origin": "api call"}, {}, None, UNRESOLVED),
    ("call, blank", {"origin": "api call"}, {}, "  ", UNRESOLVED),
    ("call, blank, default", {"origin": "api call", "default_user": "alice"}, {}, "", ALICE),
    ("call, unknown", {"origin": "api call"}, {}, "nobody", UNRESOLVED),
    ("call, unknown, default", {"origin": "api call", "default_user": "alice"}, {}, "nobody", ALICE),
    ("call, username", {"origin": "api call"}, {}, "bob", UNRESOLVED),
    ("call, deactivated, default", {"origin": "api call", "default_user": "alice"}, {}, "dave", ALICE),
    ("call, in the group", {"origin": "api call", "group": "approvers"}, {}, BOB, BOB),
    ("call, outside the group", {"origin": "api call", "group": "approvers"}, {}, CAROL, OUTSIDE),
    (
        "call, outside the group, default",
        {"origin": "api call", "group": "approvers", "default_user": "bob"},
        {},
        CAROL,
        OUTSIDE,
    ),
    (
        "call, nobody, default outside the group",
        {"origin": "api call", "group": "approvers", "default_user": "alice"},
        {},
        "nobody",
        ALICE,
    ),
]
PAGE_CASES = [
    ("creator", {"origin": "page creator"}, {"creator": "carol"}, BOB, CAROL),
    ("creator, none", {"origin": "page creator"}, {"creator": None}, BOB, UNRESOLVED),
    (
        "creator, none, default",
        {"origin": "page creator", "default_user": "bob"},
        {"creator": None},
        None,
        BOB,
    ),
    ("modifier", {"origin": "page modifier"}, {"modifier": "carol"}, None, CAROL),
    ("modifier, deactivated", {"origin": "page modifier"}, {"modifier": "dave"}, None, UNRESOLVED),
    (
        "modifier, deactivated, default",
        {"origin": "page modifier", "default_user": "bob"},
        {"modifier": "dave"},
        None,
        BOB,
    ),
    ("user", {"origin": "user", "user": "carol"}, {}, None, CAROL),
    ("call", {"origin": "api call"}, {}, BOB, BOB),
    ("off: the creator", None, {}, BOB, ADMIN),
]


def names(cases):
    return [name for name, *_ in cases]


def body_of(user_id):
    return {} if user_id is None else {"userId": user_id}


def starter(answer):
    (approval,) = answer.json["result"]
    assert approval["steps"][0]["action"] == "STARTED"
    return approval["steps"][0]["userId"]


@pytest.fixture
def arrange(give):
    """Give the key an origin, and the issue TEST-1 or the page 10068 what it is to hold."""

    def lay(performer, held, key_id, collection, id):
        give(
            {
                "users": [{"id": 10004, "is_active": False}],
                "custom_fields": [PICKER],
                collection: [{"id": id, "reporter": None, "assignee": None, **held}]
                if collection == "issues"
                else [{"id": id, **held}],
                "api_keys": [{"id": key_id, "performer": {"$replace": performer}}],
            }
        )

    return lay


@pytest.mark.parametrize(("name", "performer", "held", "user_id", "expected"), CASES, ids=names(CASES))
def test_on_an_issue(ask, arrange, name, performer, held, user_id, expected):
    arrange(performer, held, 1, "issues", 12305)
    acts(ask, JIRA_KEY, "TEST-1", "35", user_id, expected)


@pytest.mark.parametrize(
    ("name", "performer", "held", "user_id", "expected"), PAGE_CASES, ids=names(PAGE_CASES)
)
def test_on_a_page(ask, arrange, name, performer, held, user_id, expected):
    arrange(performer, held, 2, "pages", 10068)
    acts(ask, CONFLUENCE_KEY, "10068", "98", user_id, expected)


def acts(ask, key, ref, definition_id, user_id, expected):
    """Create and reset in one name, or be refused twice."""
    body = {"definitionId": definition_id, **body_of(user_id)}
    is_refused = expected in (UNRESOLVED, OUTSIDE)
    status = 400 if is_refused else 200
    created = ask("POST", f"approvals/{ref}", body, key=key, status=status)
    reset = ask(
        "POST", f"approvals/{ref}/reset", {"createComment": True, **body_of(user_id)}, key=key, status=status
    )
    if is_refused:
        assert_refused(created, expected)
        assert_refused(reset, expected)
        assert ask("GET", f"approvals/{ref}", key=key).json["totalCount"] == 0
        return
    assert starter(created) == expected
    assert reset.json == created.json


def test_a_comment_of_a_reset_is_the_performers(ask, client):
    ask("POST", "approvals/TEST-1", {"definitionId": "197"})
    ask("POST", "approvals/TEST-1/reset", {"userId": BOB})
    before = client.get("/__emulator/snapshot").json.get("comments", [])
    ask("POST", "approvals/TEST-1", {"definitionId": "197"})
    ask("POST", "approvals/TEST-1/reset", {"createComment": True, "userId": BOB})
    after = client.get("/__emulator/snapshot").json["comments"]
    assert [comment["author"] for comment in after[len(before) :]] == ["bob"]


def test_deleting_needs_a_performer_too(ask, give):
    ask("POST", "approvals/TEST-1", {"definitionId": "197"})
    give({"api_keys": [{"id": 1, "performer": {"$replace": {"origin": "api call"}}}]})
    assert_refused(ask("DELETE", "approvals/TEST-1/1", status=400), UNRESOLVED)
    assert ask("GET", "approvals/TEST-1").json["totalCount"] == 1
