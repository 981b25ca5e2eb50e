"""An action over HTTP: its request, the order of its checks, its credentials."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pytest
from webtest import TestApp

from herzum_approval.errors import Fault
from herzum_approval.services import logins, passwords
from tests.api.herzum.acting import PATH, Site, basic

NOW = ["2099-01-01T00:00:00Z"] * 2


# -- the request ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["APPROVE", "approve", "Approve", " approve\t"])
def test_the_actions_name_ignores_letter_case(site: Site, name: str) -> None:
    assert site.act(name)["approvalStatus"] == "APPROVED"


@pytest.mark.parametrize("blank", ["", "  ", "\n", None])
def test_blank_counts_as_absent(site: Site, blank: str | None) -> None:
    site.refused(Fault.ACTION_REQUIRED, blank)
    site.configure(credentials_required="username and password")
    site.refused(Fault.PASSWORD_REQUIRED, "APPROVE", username="admin", password=blank)
    site.refused(Fault.USERNAME_REQUIRED, "APPROVE", username=blank, password="admin")
    site.configure(credentials_required="none")
    site.settle(2, requires_comment=True)
    site.refused(Fault.COMMENT_REQUIRED, "APPROVE", username=blank, password=blank, comment=blank)


def test_a_password_keeps_the_blanks_around_it(site: Site) -> None:
    users = [user for user in site.all("users") if user["username"] != "bob"]
    bob = {"id": 10002, "username": "bob", "display_name": "Bob", "password": " b "}
    site.given(users={"$replace": [*users, {**bob, "groups": ["approvers", "jira-software-users"]}]})
    site.client.authorization = ("Basic", ("bob", " b "))
    site.refused(Fault.CREDENTIALS_WRONG, "APPROVE", who=None, password="b")
    site.act("APPROVE", who=None, password=" b ")
    site.client.authorization = None


@pytest.mark.parametrize("member", ["action", "username", "password", "comment"])
@pytest.mark.parametrize("value", [1, True, ["APPROVE"], {"a": "b"}, 1.5])
def test_members_that_are_no_texts(site: Site, member: str, value: Any) -> None:
    answer = site.post(status=400, **{"action": "APPROVE", member: value})
    assert answer.json["errorCode"] == "request.body.malformed"
    assert answer.json["errorMessage"].endswith(f"{member} must be a string")
    assert site.statuses(11) == ["PENDING"]


@pytest.mark.parametrize("member", ["action", "username", "password", "comment"])
def test_nul_can_be_kept_nowhere(site: Site, member: str) -> None:
    answer = site.post(status=400, **{"action": "APPROVE", member: "a\0b"})
    assert answer.json["errorCode"] == "request.body.malformed"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"APPROVE"', b"null", b"\xff", b'{"action":"\\ud800"}'])
def test_bodies_that_are_no_objects(site: Site, body: bytes) -> None:
    headers = {**basic("admin"), "Content-Type": "application/json"}
    answer = site.client.post(f"{PATH}/11/action", body, headers=headers, status=400)
    assert answer.json["errorCode"] == "request.body.malformed"


def test_no_body_lacks_the_action_whatever_the_headers(site: Site) -> None:
    address, headers = f"{PATH}/11/action", basic("admin")
    required = Fault.ACTION_REQUIRED.wire("herzum").code
    for answer in (
        site.client.post(address, headers=headers, status=400),
        site.client.request(address, method="POST", headers=headers, status=400),
        site.client.post(address, b"", headers={**headers, "Content-Type": "text/plain"}, status=400),
    ):
        assert answer.json["errorCode"] == required


def test_another_content_type(site: Site) -> None:
    headers = {**basic("admin"), "Content-Type": "text/plain"}
    answer = site.client.post(f"{PATH}/11/action", b'{"action":"APPROVE"}', headers=headers, status=415)
    assert answer.json["errorCode"] == "request.type.unsupported"


@pytest.mark.parametrize("record_id", [0, 12, 2**31 - 1, 2**31, 2**63, 10**40])
def test_ids_that_nothing_has(site: Site, record_id: int) -> None:
    site.refused(Fault.ISSUE_APPROVAL_NOT_FOUND, "APPROVE", record_id)


@pytest.mark.parametrize("record_id", ["-1", "1.0", "abc", "11%00", "%20", "9" * 5000])
def test_ids_that_are_none(site: Site, record_id: str) -> None:
    answer = site.post(record_id, status=404, action="APPROVE")
    assert answer.json["status-code"] == 404


def test_only_post(site: Site) -> None:
    answer = site.client.get(f"{PATH}/11/action", headers=basic("admin"), status=405)
    assert answer.headers["Allow"] == "OPTIONS, POST"


def test_below_the_context_path_too(site: Site) -> None:
    answer = site.client.post_json(f"/jira{PATH}/11/action", {"action": "APPROVE"}, headers=basic("admin"))
    assert answer.json["approvalStatus"] == "APPROVED"


# -- the answer -------------------------------------------------------------------------------


def test_the_answer_is_the_searchs_record_without_the_approvals_name(site: Site) -> None:
    decided = site.act("APPROVE")
    (found,) = [
        record
        for record in site.client.get(f"{PATH}?issuekey=SOFT-1", headers=basic("admin")).json
        if record["id"] == 11
    ]
    assert list(found) == [*list(decided)[:3], "approvalName", *list(decided)[3:]]
    assert {name: value for name, value in found.items() if name != "approvalName"} == decided
    assert decided["approverUser"] == "admin"
    assert {"showAppStatusJsd", "showAppButtonsJsd"} <= set(decided)


def test_reset_takes_date_and_approver_away(site: Site) -> None:
    submitted = site.act("APPROVE")["submittedDate"]
    answer = site.act("RESET", who="bob")
    assert answer["approvalStatus"] == "PENDING"
    assert not {"date", "approverUser"} & set(answer)
    assert answer["submittedDate"] == submitted
    assert answer["notificationDate"] == "Not Sent"


# -- the order of checks ----------------------------------------------------------------------


@dataclass(frozen=True)
class Broken:
    """One thing wrong with a request that would do else.

    slot: what of the request it changes; two of one slot cannot be wrong at once.
    """

    fault: Fault
    slot: str
    given: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    record_id: int | None = None
    caller: str | None = None


CHECKS = [
    Broken(Fault.LICENCE_INVALID, "licence", given={"licence": {"state": "expired"}}),
    Broken(Fault.ACTION_REQUIRED, "action", body={"action": " "}),
    Broken(Fault.ACTION_NOT_FOUND, "action", body={"action": "WRONG"}),
    Broken(Fault.ISSUE_APPROVAL_NOT_FOUND, "record", record_id=214124214),
    Broken(Fault.CONFIGURATION_ROW, "record", record_id=90),
    Broken(Fault.PASSWORD_REQUIRED, "password", body={"password": None}),
    Broken(Fault.USERNAME_REQUIRED, "username", body={"username": None}),
    Broken(Fault.USER_NOT_FOUND, "username", body={"username": "nobody"}),
    Broken(Fault.USERNAME_OF_ANOTHER, "username", body={"username": "bob"}),
    Broken(Fault.CREDENTIALS_WRONG, "password", body={"password": "wrong"}),
    Broken(Fault.ACTION_DISABLED, "switch", given={"configuration": {"is_reject_enabled": False}}),
    Broken(Fault.ACTION_UNAUTHORIZED, "caller", caller="carol"),
    Broken(Fault.COMMENT_REQUIRED, "comment", body={"comment": None}),
]
PAIRS = [(first, second) for first, second in combinations(CHECKS, 2) if first.slot != second.slot]
EVERYTHING_REQUIRED = {"credentials_required": "username and password"}


def refuse(site: Site, expected: Fault, *broken: Broken) -> None:
    site.configure(**EVERYTHING_REQUIRED)
    commented = [{"id": id, "settings": {"requires_comment": True}} for id in (11, 90)]
    site.given(issue_approvals=commented)
    for each in broken:
        site.given(**each.given)
    caller = next((each.caller for each in broken if each.caller), "admin")
    record_id = next((each.record_id for each in broken if each.record_id), 11)
    body = {"action": "REJECT", "username": caller, "password": caller, "comment": "comment"}
    for each in broken:
        body.update(each.body)
    site.refused(expected, record_id=record_id, who=caller, **body)


def test_what_is_broken_would_do_else(site: Site) -> None:
    site.configure(**EVERYTHING_REQUIRED)
    site.act("REJECT", username="admin", password="admin", comment="comment")


@pytest.mark.parametrize("broken", CHECKS, ids=lambda broken: broken.fault.name)
def test_one_fault(site: Site, broken: Broken) -> None:
    refuse(site, broken.fault, broken)


@pytest.mark.parametrize(
    ("first", "second"), PAIRS, ids=[f"{first.fault.name}, {second.fault.name}" for first, second in PAIRS]
)
def test_of_two_faults_the_earlier_is_told(site: Site, first: Broken, second: Broken) -> None:
    refuse(site, first.fault, first, second)


def test_every_check_but_those_of_one_place_is_paired() -> None:
    assert len(PAIRS) == len(CHECKS) * (len(CHECKS) - 1) // 2 - 6


def test_the_login_comes_before_the_licence_and_that_before_the_body(site: Site) -> None:
    site.given(licence={"state": "expired"})
    site.post(who=None, status=401, action="WRONG")
    headers = {**basic("admin"), "Content-Type": "application/json"}
    site.client.post(f"{PATH}/11/action", b"{", headers=headers, status=402)
    site.given(licence={"state": "valid"})
    site.client.post(f"{PATH}/214124214/action", b"{", headers=headers, status=400)


def test_a_body_that_is_told_to_be_too_long_comes_before_the_login(site: Site) -> None:
    answer = site.client.post(f"{PATH}/11/action", b" " * (1024 * 1024 + 1), status=413)
    assert answer.json["errorCode"] == "request.body.toolarge"


def test_members_are_looked_at_before_the_action_is(site: Site) -> None:
    for action in (None, "WRONG"):
        answer = site.post(status=400, action=action, comment=1)
        assert answer.json["errorCode"] == "request.body.malformed"


# -- credentials ------------------------------------------------------------------------------


@dataclass
class Door:
    """The password door, watched. hashed: how many passwords were."""

    hashed: int = 0


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    watched = Door()
    check = passwords.check_password

    def counted(*arguments: Any) -> bool:
        watched.hashed += 1
        return check(*arguments)

    monkeypatch.setattr(passwords, "check_password", counted)
    yield watched
    logins.forget_credentials()


def sign_in(site: Site, username: str) -> None:
    site.client.post_json("/rest/auth/1/session", {"username": username, "password": username}, status=200)


@pytest.mark.parametrize("mode", ["none", "password", "username and password"])
@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        ({"username": "admin", "password": "admin"}, None),
        ({"username": "ADMIN", "password": "admin"}, None),
        ({"username": "admin", "password": "wrong"}, Fault.CREDENTIALS_WRONG),
        ({"username": "admin", "password": "ADMIN"}, Fault.CREDENTIALS_WRONG),
        ({"username": "bob", "password": "bob"}, Fault.USERNAME_OF_ANOTHER),
        ({"username": "nobody", "password": "admin"}, Fault.USER_NOT_FOUND),
    ],
)
def test_what_is_sent_is_verified_in_every_mode(
    site: Site, mode: str, sent: dict[str, str], fault: Fault | None
) -> None:
    site.configure(credentials_required=mode)
    if fault is None:
        site.act("APPROVE", **sent)
    else:
        site.refused(fault, "APPROVE", **sent)


@pytest.mark.parametrize(
    ("mode", "password", "username", "nothing"),
    [
        ("none", None, None, None),
        ("password", None, Fault.PASSWORD_REQUIRED, Fault.PASSWORD_REQUIRED),
        ("username and password", Fault.USERNAME_REQUIRED, Fault.PASSWORD_REQUIRED, Fault.PASSWORD_REQUIRED),
    ],
)
def test_what_each_mode_demands(
    site: Site, mode: str, password: Fault | None, username: Fault | None, nothing: Fault | None
) -> None:
    site.configure(credentials_required=mode)
    for fault, sent in (
        (password, {"password": "admin"}),
        (username, {"username": "admin"}),
        (nothing, {}),
    ):
        if fault is not None:
            site.refused(fault, "APPROVE", **sent)
            continue
        site.act("APPROVE", **sent)
        site.decided(11, "REJECTED")


def test_a_password_alone_is_the_callers(site: Site) -> None:
    site.refused(Fault.CREDENTIALS_WRONG, "APPROVE", who="bob", password="admin")
    site.act("APPROVE", who="bob", password="bob")


def test_a_password_is_hashed_even_where_it_is_remembered(site: Site, door: Door) -> None:
    site.act("APPROVE", password="admin")
    before = door.hashed
    site.act("RESET", password="admin")  # Basic is remembered by now, the body's password is not
    assert door.hashed == before + 1


@pytest.mark.parametrize("username", ["bob", "BOB", "nobody"])
def test_another_username_is_refused_before_any_password_is_hashed(
    site: Site, door: Door, username: str
) -> None:
    sign_in(site, "admin")
    before = door.hashed
    fault = Fault.USER_NOT_FOUND if username == "nobody" else Fault.USERNAME_OF_ANOTHER
    for _ in range(5):
        site.refused(fault, "APPROVE", who=None, username=username, password="wrong")
    assert door.hashed == before
    site.act("APPROVE", who="bob", password="bob")  # and counted against nobody


def test_an_inactive_users_name_is_another_name(site: Site) -> None:
    site.given(users=[{"id": 10002, "is_active": False}])
    site.refused(Fault.USERNAME_OF_ANOTHER, "APPROVE", username="bob")


def test_guesses_lock_the_door_for_all_ways_in(site: Site, door: Door) -> None:
    sign_in(site, "bob")
    for _ in range(3):
        site.refused(Fault.CREDENTIALS_WRONG, "APPROVE", who=None, password="wrong")
    before = door.hashed
    answer = site.refused(Fault.CREDENTIALS_DENIED, "APPROVE", who=None, password="bob")
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATION_DENIED"
    assert answer.headers["X-Authentication-Denied-Reason"] == (
        "CAPTCHA_CHALLENGE; login-url=http://localhost/login.jsp"
    )
    site.client.post_json("/rest/auth/1/session", {"username": "bob", "password": "bob"}, status=403)
    assert door.hashed == before
    site.act("APPROVE", who=None)  # the session goes on
    site.client.reset()
    site.client.get(PATH, headers=basic("bob"), status=403)


def sign_in_wrongly(site: Site) -> None:
    credentials = {"username": "bob", "password": "wrong"}
    TestApp(site.client.app).post_json("/rest/auth/1/session", credentials, status=401)


def test_all_doors_count_together(site: Site) -> None:
    sign_in(site, "bob")
    sign_in_wrongly(site)
    TestApp(site.client.app).get(PATH, headers=basic("bob", "wrong"), status=401)
    site.refused(Fault.CREDENTIALS_WRONG, "APPROVE", who=None, password="wrong")
    site.refused(Fault.CREDENTIALS_DENIED, "APPROVE", who=None, password="bob")


def test_the_right_password_clears_the_count(site: Site) -> None:
    sign_in(site, "bob")
    for _ in range(2):
        sign_in_wrongly(site)
        sign_in_wrongly(site)
        site.refused(Fault.ACTION_UNAUTHORIZED, "RESET", who=None, password="bob")
    (record,) = [each for each in site.all("login_records") if each["username"] == "bob"]
    assert record.get("failed_count", 0) == 0
    assert record["total_failed_count"] == 4


def test_a_password_is_not_looked_at_where_an_earlier_check_fails(site: Site, door: Door) -> None:
    sign_in(site, "admin")
    before = door.hashed
    site.refused(Fault.ISSUE_APPROVAL_NOT_FOUND, "APPROVE", 999, None, password="wrong")
    site.refused(Fault.CONFIGURATION_ROW, "APPROVE", 90, None, password="wrong")
    site.refused(Fault.ACTION_NOT_FOUND, "WRONG", who=None, password="wrong")
    assert door.hashed == before


def test_a_locked_caller_with_a_session_of_before(site: Site) -> None:
    token = "token-of-before"
    digest = hashlib.sha256(token.encode()).hexdigest()
    session = dict(zip(("created_at", "seen_at"), NOW, strict=True))
    site.given(
        sessions=[{"token_digest": digest, "username": "admin", **session}],
        login_records=[{"username": "admin", "failed_count": 3}],
    )
    site.client.set_cookie("JSESSIONID", token)
    site.refused(Fault.CREDENTIALS_DENIED, "APPROVE", who=None, username="admin", password="admin")
    site.act("APPROVE", who=None, username="admin")
