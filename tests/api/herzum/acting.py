"""What the tests of actions share: the demonstration site, changed and acted on."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from webtest import TestApp, TestResponse

from herzum_approval import config, store
from herzum_approval.errors import Fault
from herzum_approval.examples import merged
from herzum_approval.services import databases

PATH = "/rest/herzum-hap-services/1.0/api/issueapprovals"
SNAPSHOT = "/__emulator/snapshot"
DECIDED = {"decided_at": "2020-05-08T15:24:28Z"}


def basic(username: str, password: str | None = None) -> dict[str, str]:
    """Return the header of Basic credentials; the demonstration's passwords are the usernames."""
    pair = f"{username}:{username if password is None else password}"
    return {"Authorization": "Basic " + b64encode(pair.encode()).decode()}


class Site:
    """The demonstration site, with what a test changes about it."""

    def __init__(self, client: TestApp) -> None:
        self.client = client

    def given(self, **parts: Any) -> None:
        """Lay parts of a snapshot document over what is there, as examples do."""
        document = merged(self.client.get(SNAPSHOT, status=200).json, parts)
        self.client.put_json(SNAPSHOT, document, status=204)

    def configure(self, **switches: Any) -> None:
        self.given(configuration=switches)

    def settle(self, mapping_id: int, **settings: Any) -> None:
        """Give the mapping and the records that it made other settings."""
        records = [record for record in self.all("issue_approvals") if record.get("mapping_id") == mapping_id]
        self.given(
            approval_mappings=[{"id": mapping_id, "settings": settings}],
            issue_approvals=[{"id": record["id"], "settings": settings} for record in records],
        )

    def decided(self, record_id: int, status: str, by: str = "admin") -> None:
        self.given(
            issue_approvals=[{"id": record_id, "approval_status": status, "approver_username": by, **DECIDED}]
        )

    def delegate(self, delegator: str, delegate: str, **limits: Any) -> None:
        """Switch delegation on, and delegate."""
        self.configure(is_delegation_enabled=True)
        number = len(self.all("delegations")) + 1
        self.given(delegations=[{"id": number, "delegator": delegator, "delegate": delegate, **limits}])

    def ask(self, *approval_ids: int, optional: tuple[int, ...] = (), **settings: Any) -> list[int]:
        """Ask for these approvals on SOFT-1's transition In Progress; return the ids of their records."""
        records = [
            {
                **{name: value for name, value in self.record(11).items() if name != "settings"},
                "id": 100 + place,
                "approval_id": approval_id,
                "settings": {**settings, "place": place, "is_optional": approval_id in optional},
            }
            for place, approval_id in enumerate(approval_ids, start=1)
        ]
        mapped = [{"approval_id": id, "is_optional": id in optional} for id in approval_ids]
        others = [record for record in self.all("issue_approvals") if record["id"] != 11]
        self.given(
            approval_mappings=[{"id": 2, "settings": settings, "approvals": {"$replace": mapped}}],
            issue_approvals={"$replace": [*others, *records]},
        )
        return [record["id"] for record in records]

    def post(
        self, record_id: int | str = 11, who: str | None = "admin", status: int = 200, **body: Any
    ) -> TestResponse:
        """Send an action's body. who: signed in by Basic; None for nobody, or whoever the cookie says."""
        headers = basic(who) if who else {}
        return self.client.post_json(f"{PATH}/{record_id}/action", body, headers=headers, status=status)

    def act(self, action: str, record_id: int = 11, who: str = "admin", **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.post(record_id, who, action=action, **body).json
        return answer

    def refused(
        self, fault: Fault, action: str, record_id: int | str = 11, who: str | None = "admin", **body: Any
    ) -> TestResponse:
        """Act, and be refused in just these words."""
        wire = fault.wire("herzum")
        answer = self.post(record_id, who, wire.status, action=action, **body)
        expected = {"errorCode": wire.code, "errorMessage": wire.text, "status": wire.status}
        assert answer.json == expected
        return answer

    def move(self, key: str, transition_id: int, who: str = "admin", status: int = 204) -> None:
        body = {"transition": {"id": transition_id}}
        address = f"/rest/api/2/issue/{key}/transitions"
        self.client.post_json(address, body, headers=basic(who), status=status)

    def all(self, collection: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get(SNAPSHOT, status=200).json.get(collection, [])
        return found

    def record(self, record_id: int) -> dict[str, Any]:
        return next(record for record in self.all("issue_approvals") if record["id"] == record_id)

    def statuses(self, *record_ids: int) -> list[str]:
        by_id = {record["id"]: record for record in self.all("issue_approvals")}
        return [by_id[id].get("approval_status", "PENDING") for id in record_ids]

    def issue(self, key: str = "SOFT-1") -> dict[str, Any]:
        """Return the issue's fields, as Jira shows them."""
        answer = self.client.get(f"/rest/api/2/issue/{key}", headers=basic("admin"), status=200)
        fields: dict[str, Any] = answer.json["fields"]
        return fields

    def issue_status(self, key: str = "SOFT-1") -> str:
        status: str = self.issue(key)["status"]["id"]
        return status

    def offered(self, key: str = "SOFT-1") -> list[str]:
        """Return the names of the transitions that the issue may take."""
        address = f"/rest/api/2/issue/{key}/transitions"
        answer = self.client.get(address, headers=basic("admin"), status=200)
        return [transition["name"] for transition in answer.json["transitions"]]

    def comments(self, key: str = "SOFT-1") -> list[str]:
        return [comment["body"] for comment in self.issue(key)["comment"]["comments"]]

    def found(self, username: str, **query: str) -> list[int]:
        """Return the ids of what the search says the user can act on."""
        parameters = {"username": username, **query}
        answer = self.client.get(PATH, parameters, headers=basic("admin"), status=200)
        return [record["id"] for record in answer.json]


def whole(client: TestApp) -> Iterator[Site]:
    """Give the site, and see afterwards that whatever the database keeps worked out is still right."""
    yield Site(client)
    site = client.app.wsgi_app
    with config.active(site.settings), store.active(site.database):
        assert databases.find_faults() == []
