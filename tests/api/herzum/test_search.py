"""The search over HTTP: which answer, in which order of checks, on the demonstration site."""

from urllib.parse import urlencode

import pytest
from webtest import TestApp

PATH = "/rest/herzum-hap-services/1.0/api/issueapprovals"
ADMIN = {"Authorization": "Basic YWRtaW46YWRtaW4="}
BOB = {"Authorization": "Basic Ym9iOmJvYg=="}
CAROL = {"Authorization": "Basic Y2Fyb2w6Y2Fyb2w="}
DAVE = {"Authorization": "Basic ZGF2ZTpkYXZl"}
EVERYTHING = [11, 13, 21, 75, 76, 77, 78, 90]


def search(client: TestApp, query: str = "", headers=ADMIN, status=200):
    return client.get(f"{PATH}?{query}", headers=headers, status=status)


def ids(client: TestApp, query: str = "", headers=ADMIN) -> list[int]:
    return [record["id"] for record in search(client, query, headers).json]


def code(client: TestApp, query: str, status: int, headers=ADMIN) -> str:
    answer = search(client, query, headers, status).json
    assert answer["status"] == status
    return answer["errorCode"]


def change(client: TestApp, **collections) -> None:
    """Change the site: each collection by a function of its list (or document)."""
    document = client.get("/__emulator/snapshot").json
    for name, work in collections.items():
        document[name] = work(document.get(name))
    client.put_json("/__emulator/snapshot", document, status=204)


def with_user(**more):
    def work(users):
        return [*users, {"id": 99, "username": "erin", "display_name": "Erin", "password": "erin", **more}]

    return work


# -- filters ----------------------------------------------------------------------------------


def test_without_parameters_everything_that_may_be_browsed(client):
    assert ids(client) == EVERYTHING
    assert ids(client, headers=CAROL) == EVERYTHING


def test_nothing_for_somebody_who_may_browse_no_project(client):
    assert ids(client, headers=DAVE) == []
    assert search(client, "startAt=0", DAVE).json == {
        "startAt": 0,
        "maxResults": 0,
        "total": 0,
        "issueApprovals": [],
    }


@pytest.mark.parametrize("query", ["status=PENDING", "status=pending", "status=%20Pending%20"])
def test_status_ignores_letter_case_and_blanks_around_it(client, query):
    assert ids(client, query) == EVERYTHING
    assert ids(client, "status=APPROVED") == []


@pytest.mark.parametrize("name", ["tech", "TECH", "%20Tech%20"])
def test_appname_is_an_equality_that_ignores_letter_case(client, name):
    assert ids(client, f"appname={name}") == [21, 90]


def test_an_approval_that_is_mapped_nowhere_has_no_records(client):
    assert ids(client, "appname=change%20board") == []


@pytest.mark.parametrize(
    ("username", "expected"),
    [
        ("admin", [11, 13, 21, 75, 77, 78]),  # not 76, unsubmitted, and not 90, a configuration row
        ("bob", [11, 21, 77, 78]),  # 21 by his group
        ("BOB", [11, 21, 77, 78]),
        ("carol", []),
        ("alice", []),  # administrators have no right to act
        ("dave", []),
    ],
)
def test_username_finds_what_that_user_can_act_on(client, username, expected):
    assert ids(client, f"username={username}", CAROL) == expected


def test_filters_are_joined_by_and(client):
    assert ids(client, "username=bob&appname=tech") == [21]
    assert ids(client, "username=bob&appname=tech&status=REJECTED") == []
    assert ids(client, "username=bob&issuekeys=TEST-1,TEST-2") == [77]


def test_keys_and_ids_make_one_union(client):
    assert ids(client, "issuekey=TEST-1") == [75, 76]
    assert ids(client, "issuekey=test-1") == [75, 76]
    assert ids(client, "issuekey=TEST-1&issuekeys=TEST-2&issueids=12500") == [75, 76, 77, 78]
    assert ids(client, "issuekeys=%20TEST-2%20,,TEST-1,TEST-2&issueids=12400") == [75, 76, 77]
    assert ids(client, "issueids=12600") == []  # an issue without issue approvals


def test_of_a_repeated_parameter_the_first_counts(client):
    assert ids(client, "issuekey=TEST-2&issuekey=wrong") == [77]
    assert code(client, "status=&status=PENDING", 400) == "issueapproval.status.empty"


def test_unknown_parameters_are_ignored(client):
    assert ids(client, "issuekey=TEST-2&colour=blue&APPNAME=x") == [77]


# -- who can act ------------------------------------------------------------------------------


def test_a_super_approver_can_act_on_all_that_is_open(client):
    change(client, configuration=lambda _: {"super_approver_groups": ["jira-administrators"]})
    assert ids(client, "username=alice") == [11, 13, 21, 75, 77, 78]
    assert ids(client, "username=carol") == []


def test_a_decided_record_can_still_be_reversed_unless_that_is_locked(client):
    decided = {
        "approval_status": "APPROVED",
        "decided_at": "2023-02-01T10:00:00.000Z",
        "approver_username": "bob",
    }

    def decide(records):
        return [{**record, **decided} if record["id"] == 77 else record for record in records]

    change(client, issue_approvals=decide)
    assert ids(client, "username=bob") == [11, 21, 77, 78]
    assert ids(client, "username=bob&status=APPROVED") == [77]
    change(
        client, configuration=lambda _: {"is_reversing_locked": True, "reversing_exempted_users": ["admin"]}
    )
    assert ids(client, "username=bob") == [11, 21, 78]
    assert ids(client, "username=bob&status=APPROVED") == []
    assert ids(client, "username=bob&status=PENDING") == [11, 21, 78]
    assert ids(client, "username=admin&status=APPROVED") == [77]


def test_what_is_decided_shows_when_and_by_whom(client):
    decided = {
        "approval_status": "REJECTED",
        "decided_at": "2023-02-01T10:00:00.000Z",
        "approver_username": "bob",
    }
    change(
        client,
        issue_approvals=lambda records: [
            {**record, **decided} if record["id"] == 77 else record for record in records
        ],
    )
    (record,) = search(client, "issuekey=TEST-2").json
    assert list(record)[5:8] == ["approvalStatus", "date", "approverUser"]
    assert (record["date"], record["approverUser"]) == ("01/02/2023 10:00:00", "bob")


def test_a_record_whose_issue_has_moved_on_is_nobodys(client):
    change(
        client,
        issues=lambda issues: [
            {**issue, "status_id": 3} if issue["id"] == 12400 else issue for issue in issues
        ],
    )
    assert ids(client, "username=bob") == [11, 21, 78]
    assert search(client, "issuekey=TEST-2").json[0]["issueStatus"] == "3"


def test_the_second_of_a_sequence_is_found_once_the_first_is_approved(client):
    def sequence(first_status):
        def work(records):
            base = {
                **next(record for record in records if record["id"] == 77),
                "settings": {"is_sequential": True},
            }
            first = {**base, "approval_id": 1, "approval_status": first_status}
            if first_status != "PENDING":
                first |= {"decided_at": "2023-02-01T10:00:00.000Z", "approver_username": "admin"}
            second = {**base, "id": 79, "settings": {"is_sequential": True, "place": 2}}
            return [first if record["id"] == 77 else record for record in records if record["id"] != 79] + [
                second
            ]

        return work

    change(client, issue_approvals=sequence("PENDING"))
    assert ids(client, "username=bob&issuekey=TEST-2") == [77]
    change(client, issue_approvals=sequence("APPROVED"))
    assert ids(client, "username=bob&issuekey=TEST-2") == [77, 79]
    change(client, issue_approvals=sequence("REJECTED"))
    assert ids(client, "username=bob&issuekey=TEST-2") == [77]


def test_several_properties_and_exclusions(client):
    def approvers(match, *properties):
        def work(approvals):
            return [
                {**approval, "match": match, "approvers": list(properties)}
                if approval["id"] == 3
                else approval
                for approval in approvals
            ]

        return work

    group = {"kind": "group", "value": "jira-software-users"}
    change(client, approvals=approvers("all", group, {"kind": "user", "value": "bob"}))
    assert (ids(client, "username=bob&appname=roberto%20pupo"), ids(client, "username=carol")) == (
        [11, 77, 78],
        [],
    )
    change(client, approvals=approvers("any", group, {"kind": "user", "value": "bob", "is_excluded": True}))
    assert ids(client, "username=carol") == [11, 77, 78]
    assert ids(client, "username=bob") == [21]


def test_what_the_named_user_may_not_browse_he_cannot_act_on(client):
    change(
        client,
        approvals=lambda approvals: [
            {**approval, "approvers": [{"kind": "user", "value": "dave"}]} for approval in approvals
        ],
    )
    assert ids(client, "username=dave") == []


def test_an_inactive_user_can_act_on_nothing(client):
    change(
        client,
        users=lambda users: [
            {**user, "is_active": False} if user["username"] == "bob" else user for user in users
        ],
    )
    assert ids(client, "username=bob") == []


# -- visibility -------------------------------------------------------------------------------


def test_issues_that_may_not_be_browsed_do_not_exist(client):
    change(
        client,
        users=with_user(),
        projects=lambda projects: [
            {**project, "browsers": ["user:erin"] if project["key"] == "SOFT" else project["browsers"]}
            for project in projects
        ],
    )
    erin = {"Authorization": "Basic ZXJpbjplcmlu"}
    assert ids(client, headers=erin) == [11, 13, 21]
    assert ids(client, headers=BOB) == [75, 76, 77, 78, 90]
    assert code(client, "issuekey=TEST-1", 404, erin) == "issue.notexist.or.noperm"
    assert (
        search(client, "issuekeys=TEST-1,SOFT-1&issueids=12305", erin, 404)
        .json["errorMessage"]
        .endswith("Invalid issue key set: (TEST-1). Invalid issue id set: (12305).")
    )


# -- pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "start_at", "max_results", "expected"),
    [
        ("startAt=0&maxResults=3", 0, 3, [11, 13, 21]),
        ("startAt=6&maxResults=3", 6, 3, [78, 90]),
        ("startAt=5", 5, 3, [77, 78, 90]),
        ("maxResults=2", 0, 2, [11, 13]),
        ("maxResults=0", 0, 0, []),
        ("startAt=8", 8, 0, []),
        ("startAt=100&maxResults=5", 100, 5, []),
        ("startAt=%2007%20", 7, 1, [90]),
        ("startAt=9223372036854775807&maxResults=9223372036854775807", 2**63 - 1, 2**63 - 1, []),
    ],
)
def test_a_page(client, query, start_at, max_results, expected):
    answer = search(client, query).json
    assert list(answer) == ["startAt", "maxResults", "total", "issueApprovals"]
    assert (answer["startAt"], answer["maxResults"], answer["total"]) == (start_at, max_results, 8)
    assert [record["id"] for record in answer["issueApprovals"]] == expected


def test_pages_of_what_a_user_can_act_on(client):
    answer = search(client, "username=admin&startAt=2&maxResults=3").json
    assert answer["total"] == 6
    assert [record["id"] for record in answer["issueApprovals"]] == [21, 75, 77]


@pytest.mark.parametrize(
    "number",
    [
        "-1",
        "%2B1",
        "1.0",
        "1e3",
        "0x1",
        "1_000",
        "%D9%A1",
        "%C2%B2",
        "x",
        "9223372036854775808",
        "9" * 5000,
        "1%002",
    ],
)
def test_what_is_no_whole_number_from_0_is_invalid(client, number):
    assert code(client, f"startAt={number}", 404) == "invalid.start.at"
    assert code(client, f"maxResults={number}", 404) == "invalid.max.results"


# -- the order of checks ----------------------------------------------------------------------

CHECKS = [  # in their order: query, error code, HTTP status
    ("appname=%20", "issueapproval.appname.empty", 400),
    ("username=%20", "issueapproval.username.empty", 400),
    ("status=%20", "issueapproval.status.empty", 400),
    ("issuekey=%20", "issue.keys.empty", 400),
    ("issuekeys=%20,%20", "issue.keys.empty", 400),
    ("issueids=,", "issue.ids.empty", 400),
    ("startAt=%20", "start.at.empty", 400),
    ("maxResults=x", "invalid.max.results", 404),
    ("appname=wrong", "issueapproval.approval.notexist", 404),
    ("username=wrong", "issueapproval.user.notfound", 404),
    ("issuekey=wrong", "issue.notexist.or.noperm", 404),
    ("issueids=wrong", "issues.notexist.or.noperm", 404),
]
PAIRS = [
    (first, second)
    for place, first in enumerate(CHECKS)
    for second in CHECKS[place + 1 :]
    if first[0].split("=")[0] != second[0].split("=")[0]
]


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda check: check[0])
def test_of_two_faults_the_earlier_check_speaks(client, first, second):
    for query in (f"{first[0]}&{second[0]}", f"{second[0]}&{first[0]}"):
        assert code(client, query, first[2]) == first[1]


def test_the_licence_comes_before_every_parameter_and_after_the_login(client):
    change(client, licence=lambda _: {"state": "expired"})
    for query in ("", *(check[0] for check in CHECKS)):
        assert code(client, query, 402) == "license.invalid"
    assert search(client, "", {}, 401).json["status-code"] == 401


@pytest.mark.parametrize(
    ("query", "sets"),
    [
        ({"issuekeys": "X-1, x-1,X-2,TEST-1,X-1"}, " Invalid issue key set: (X-1,x-1,X-2)."),
        (
            {"issueids": "1, 007,12305,99999999999999999999,-5"},
            " Invalid issue id set: (1,007,99999999999999999999,-5).",
        ),
        (
            {"issuekeys": "wrongIssueKey", "issueids": "wrongIssueId"},
            " Invalid issue key set: (wrongIssueKey). Invalid issue id set: (wrongIssueId).",
        ),
        ({"issuekeys": "TEST-1", "issueids": "ü"}, " Invalid issue id set: (ü)."),
    ],
)
def test_what_was_not_found_is_named_once_and_only_the_sets_that_have_members(client, query, sets):
    answer = search(client, urlencode(query), status=404).json
    assert answer["errorMessage"] == (
        "Some issues do not exist or you do not have permission to view them." + sets
    )
