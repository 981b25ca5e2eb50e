"""Issues over HTTP: one shown, its transitions, and moving it; and with the clients that people use."""

from typing import Any

import pytest
import requests
from atlassian import Jira
from jira import JIRA, JIRAError
from webtest import TestApp

from herzum_approval.errors import Fault
from tests.api.herzum.acting import PATH, Site, basic, whole
from tests.live import LiveServer

ISSUE = "/rest/api/2/issue"
FIELDS = [
    "summary",
    "issuetype",
    "project",
    "status",
    "priority",
    "labels",
    "reporter",
    "assignee",
    "created",
    "updated",
    "comment",
]
NOT_AVAILABLE = Fault.TRANSITION_NOT_AVAILABLE.wire("jira").text


@pytest.fixture
def site(client: TestApp) -> Any:
    yield from whole(client)


def show(site: Site, key: str = "SOFT-1", fields: str | None = None, who: str = "admin") -> dict[str, Any]:
    query = {} if fields is None else {"fields": fields}
    answer = site.client.get(f"{ISSUE}/{key}", query, headers=basic(who), status=200)
    document: dict[str, Any] = answer.json
    return document


def error(answer: Any) -> str:
    """Return the one message of an error in Jira's shape."""
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.json["errors"] == {}
    (message,) = answer.json["errorMessages"]
    return str(message)


def post(site: Site, body: Any, key: str = "SOFT-1", status: int = 400, who: str = "admin") -> Any:
    return site.client.post_json(f"{ISSUE}/{key}/transitions", body, headers=basic(who), status=status)


# -- showing ----------------------------------------------------------------------------------


def test_an_issue_has_jiras_members_and_fields(site: Site) -> None:
    bean = show(site)
    assert list(bean) == ["expand", "id", "self", "key", "fields"]
    assert (bean["id"], bean["key"]) == ("10500", "SOFT-1")
    assert bean["self"] == "http://localhost/rest/api/2/issue/10500"
    assert list(bean["fields"]) == FIELDS
    assert bean["fields"]["status"]["statusCategory"]["key"] == "new"
    assert bean["fields"]["reporter"]["displayName"] == "Carol"


def test_nobody_is_null(site: Site) -> None:
    assert show(site, "TEST-3")["fields"]["assignee"] is None


def test_picker_fields_show_what_they_hold(site: Site) -> None:
    field = {"id": "customfield_10001", "name": "Who", "type": "user picker"}
    site.given(
        custom_fields=[field], issues=[{"id": 10500, "fields": {"customfield_10001": ["carol", "bob"]}}]
    )
    assert show(site)["fields"]["customfield_10001"] == [{"name": "carol"}, {"name": "bob"}]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("", FIELDS),
        (" , ", FIELDS),
        ("*all", FIELDS),
        ("*navigable", FIELDS),
        ("status", ["status"]),
        ("status, summary,none", ["summary", "status"]),
        ("*all,-comment,-status", [name for name in FIELDS if name not in ("comment", "status")]),
        ("*none", []),
        ("none", []),
        ("-comment", [name for name in FIELDS if name != "comment"]),
    ],
)
def test_fields(site: Site, wanted: str, names: list[str]) -> None:
    assert list(show(site, fields=wanted)["fields"]) == names


def test_an_issue_below_the_context_path_leads_there(site: Site) -> None:
    bean = site.client.get(f"/jira{ISSUE}/SOFT-1", headers=basic("admin")).json
    assert bean["self"] == "http://localhost/jira/rest/api/2/issue/10500"
    assert bean["fields"]["status"]["self"].startswith("http://localhost/jira/rest/api/2/status/")


@pytest.mark.parametrize("version", ["2", "latest"])
def test_both_versions(site: Site, version: str) -> None:
    site.client.get(f"/rest/api/{version}/issue/10500", headers=basic("carol"), status=200)
    site.client.get("/rest/api/3/issue/10500", headers=basic("carol"), status=404)


UNKNOWN = [
    "NONE-1",
    "1",
    "SOFT",
    "SOFT-01",
    "2147483648",
    "9" * 40,
    "%00",
    "%D9%A1",
    "a%2Fb",
    "%20",
    "-1",
    "'",
]


@pytest.mark.parametrize("key", UNKNOWN)
def test_unknown_issues(site: Site, key: str) -> None:
    headers = basic("admin")
    for address in (f"{ISSUE}/{key}", f"{ISSUE}/{key}/transitions"):
        answer = site.client.get(address, headers=headers, status=404)
        if key != "a%2Fb":
            assert error(answer) == "Issue Does Not Exist"
    site.client.post_json(
        f"{ISSUE}/{key}/transitions", {"transition": {"id": "31"}}, headers=headers, status=404
    )


def test_issues_that_may_not_be_browsed_are_unknown(site: Site) -> None:
    headers = basic("dave")
    assert error(site.client.get(f"{ISSUE}/SOFT-1", headers=headers, status=404)) == "Issue Does Not Exist"
    assert error(post(site, {"transition": {"id": "31"}}, status=404, who="dave")) == "Issue Does Not Exist"
    assert site.issue_status() == "10001"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_is_asked_to_sign_in(site: Site, method: str) -> None:
    address = f"{ISSUE}/SOFT-1/transitions"
    answer = site.client.request(address, method=method, status=401)
    assert error(answer).startswith("You are not authenticated")
    site.client.get(f"{ISSUE}/NONE-1", status=401)


def test_the_licence_is_the_plugins_alone(site: Site) -> None:
    site.given(licence={"state": "expired"})
    show(site)
    site.move("SOFT-1", 31)


# -- transitions ------------------------------------------------------------------------------


def test_locked_transitions_are_absent(site: Site) -> None:
    assert site.offered() == ["Done"]
    assert site.offered("TEST-2") == ["Close Issue"]
    assert site.offered("PROC-1") == ["Accept", "Send back"]
    site.act("APPROVE", 77)
    assert site.offered("TEST-2") == ["Start Progress", "Close Issue"]


def test_a_transition_says_where_it_leads(site: Site) -> None:
    answer = site.client.get(f"{ISSUE}/SOFT-1/transitions", headers=basic("carol"), status=200)
    assert list(answer.json) == ["expand", "transitions"]
    (done,) = answer.json["transitions"]
    assert (done["id"], done["name"]) == ("31", "Done")
    assert (done["to"]["id"], done["to"]["name"]) == ("10002", "Done")


@pytest.mark.parametrize("id", [31, "31", " 31 ", "031"])
def test_an_id_may_be_a_number_or_a_text(site: Site, id: int | str) -> None:
    answer = post(site, {"transition": {"id": id}, "fields": {}, "update": {}}, status=204, who="carol")
    assert answer.body == b""
    assert show(site)["fields"]["status"]["name"] == "Done"


@pytest.mark.parametrize("body", [{}, {"transition": None}, {"transition": {}}, {"transition": {"id": None}}])
def test_no_transition_is_named(site: Site, body: Any) -> None:
    assert error(post(site, body)) == "Missing 'transition' identifier"


@pytest.mark.parametrize(
    "id", ["Done", "", "3.1", "-31", "2147483648", "9" * 5000, "٣١", 31.0, True, [31], {"id": 31}, -31, 2**63]
)
def test_ids_that_are_no_numbers(site: Site, id: Any) -> None:
    assert error(post(site, {"transition": {"id": id}})) == "'transition' identifier must be an integer"


@pytest.mark.parametrize("transition", ["31", 31, [31], True])
def test_transitions_that_are_no_objects(site: Site, transition: Any) -> None:
    assert error(post(site, {"transition": transition})) == "Missing 'transition' identifier"


@pytest.mark.parametrize("body", [b"{", b"[]", b"31", b"", b"\xff", b"null"])
def test_bodies_that_are_no_objects(site: Site, body: bytes) -> None:
    headers = {**basic("admin"), "Content-Type": "application/json"}
    answer = site.client.post(f"{ISSUE}/SOFT-1/transitions", body, headers=headers, status=400)
    assert error(answer).startswith("The request body is malformed")


def test_a_form_is_no_body(site: Site) -> None:
    site.client.post(f"{ISSUE}/SOFT-1/transitions", "id=31", headers=basic("admin"), status=415)


def test_a_locked_transition_is_refused(site: Site) -> None:
    answer = post(site, {"transition": {"id": "21"}})
    assert error(answer) == NOT_AVAILABLE.format(name="In Progress", key="SOFT-1")
    assert site.issue_status() == "10001"
    assert site.all("history") == []


def test_a_transition_that_does_not_leave_the_status_is_refused(site: Site) -> None:
    answer = post(site, {"transition": {"id": 111}}, "TEST-2")
    assert error(answer) == NOT_AVAILABLE.format(name="Stop progress", key="TEST-2")
    answer = post(site, {"transition": {"id": 99}}, "TEST-2")
    assert error(answer) == NOT_AVAILABLE.format(name="99", key="TEST-2")


# -- the life of a record ---------------------------------------------------------------------


def test_while_the_issue_is_elsewhere_records_stay_and_refuse(site: Site) -> None:
    site.act("REJECT", 11)
    site.move("SOFT-1", 31)
    assert site.statuses(11, 21) == ["REJECTED", "PENDING"]
    for record_id, action in ((11, "RESET"), (11, "APPROVE"), (21, "APPROVE"), (21, "REJECT")):
        site.refused(Fault.ACTION_UNAUTHORIZED, action, record_id)
    assert not {11, 21} & set(site.found("admin"))


def test_re_entry_re_submits(site: Site) -> None:
    answer = site.act("REJECT", 11)
    site.given(issue_approvals=[{"id": 11, "notified_at": "2023-01-01T00:00:00Z"}])
    site.move("SOFT-1", 31)
    site.move("SOFT-1", 11)
    (record,) = [
        each
        for each in site.client.get(f"{PATH}?issuekey=SOFT-1", headers=basic("admin")).json
        if each["id"] == 11
    ]
    assert record["approvalStatus"] == "PENDING"
    assert record["notificationDate"] == "Not Sent"
    assert record["submittedDate"] != answer["submittedDate"]
    assert not {"date", "approverUser"} & set(record)
    site.act("APPROVE", 11)


def test_a_transition_into_its_own_status_is_no_re_entry(site: Site) -> None:
    site.act("APPROVE", 21)
    submitted = site.record(21)["submitted_at"]
    site.move("SOFT-1", 11)
    assert site.statuses(21) == ["APPROVED"]
    assert site.record(21)["submitted_at"] == submitted


def test_a_single_issues_configuration_replaces_the_mapping(site: Site) -> None:
    assert site.offered("TEST-1") == ["Close Issue"]
    site.act("APPROVE", 75)
    site.move("TEST-1", 11)
    assert site.offered("TEST-1") == ["Close Issue"]  # 76 holds Stop progress
    site.act("APPROVE", 76, "bob")
    site.move("TEST-1", 111)
    assert [record["id"] for record in site.all("issue_approvals") if record["issue_id"] == 12305] == [75, 76]


def test_moving_and_moving_back_by_somebody_else(site: Site) -> None:
    site.move("PROC-2", 131, who="carol")
    assert site.all("history")[0]["username"] == "carol"
    assert [record for record in site.all("issue_approvals") if record["issue_id"] == 12601] == []


def test_what_the_automatic_transition_reached_is_shown(site: Site) -> None:
    site.settle(2, transitions_on_approbations=True)
    site.act("APPROVE", 11)
    fields = show(site)["fields"]
    assert fields["status"]["name"] == "In Progress"
    assert fields["updated"] > "2026"


# -- real clients -----------------------------------------------------------------------------


@pytest.fixture(params=["", "/jira"], ids=["root", "context path"])
def address(request: pytest.FixtureRequest, live_server: LiveServer) -> str:
    live_server.reset()
    return f"{live_server.base_url}{request.param}"


def approve(address: str, record_id: int, username: str = "admin") -> None:
    answer = requests.post(
        f"{address}{PATH}/{record_id}/action",
        json={"action": "APPROVE", "comment": "Fine."},
        auth=(username, username),
        timeout=10,
    )
    answer.raise_for_status()


class TestJira:
    """The package `jira`."""

    @pytest.fixture
    def jira(self, address: str) -> Any:
        client = JIRA(address, basic_auth=("admin", "admin"), options={"check_update": False}, max_retries=0)
        yield client
        client.close()

    def test_an_issue(self, jira: JIRA, address: str) -> None:
        approve(address, 11, "bob")
        issue = jira.issue("SOFT-1")
        assert (issue.id, issue.key, issue.fields.status.name) == ("10500", "SOFT-1", "To Do")
        assert issue.fields.assignee.displayName == "Bob"
        (comment,) = issue.fields.comment.comments
        assert comment.author.name == "bob"
        assert comment.body.endswith("Fine.")
        assert jira.issue("10500", fields="summary").raw["fields"] == {
            "summary": "Sign in with a single account"
        }

    def test_transitions(self, jira: JIRA, address: str) -> None:
        assert [each["name"] for each in jira.transitions("SOFT-1")] == ["Done"]
        approve(address, 11)
        assert jira.find_transitionid_by_name("SOFT-1", "In Progress") == "21"
        jira.transition_issue("SOFT-1", "In Progress")
        assert jira.issue("SOFT-1").fields.status.name == "In Progress"
        jira.transition_issue("SOFT-1", "31")

    def test_refusals(self, jira: JIRA) -> None:
        with pytest.raises(JIRAError, match="not valid for the current state") as refused:
            jira.transition_issue("SOFT-1", "21")
        assert refused.value.status_code == 400
        with pytest.raises(JIRAError, match="Issue Does Not Exist") as unknown:
            jira.issue("NONE-1")
        assert unknown.value.status_code == 404


class TestAtlassian:
    """The package `atlassian-python-api`."""

    @pytest.fixture
    def jira(self, address: str) -> Jira:
        return Jira(address, username="admin", password="admin", cloud=False)

    def test_an_issue(self, jira: Jira) -> None:
        assert jira.issue("SOFT-1")["fields"]["status"]["name"] == "To Do"
        assert jira.issue("SOFT-1", fields="labels")["fields"] == {"labels": []}
        assert jira.get_issue_status("SOFT-1") == "To Do"

    def test_transitions(self, jira: Jira, address: str) -> None:
        assert [each["name"] for each in jira.get_issue_transitions("SOFT-1")] == ["Done"]
        approve(address, 11)
        jira.set_issue_status("SOFT-1", "In Progress")
        assert jira.get_issue_status("SOFT-1") == "In Progress"
        jira.set_issue_status_by_transition_id("SOFT-1", 31)
        assert jira.get_issue_status_id("SOFT-1") == "10002"

    def test_refusals(self, jira: Jira) -> None:
        with pytest.raises(requests.HTTPError, match="not valid for the current state"):
            jira.set_issue_status_by_transition_id("SOFT-1", "21")
        with pytest.raises(requests.HTTPError, match="Issue Does Not Exist"):
            jira.issue("NONE-1")
