"""C9: whatever is done to one issue over HTTP, in any order, the server and the reference model agree."""

from collections import Counter
from dataclasses import asdict
from itertools import cycle, product
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from webtest import TestApp

from tests.reliability import reference_model, sites
from tests.reliability.reference_model import (
    ACCEPT,
    ALL,
    APPROVERS,
    DONE,
    NOT_SEQUENTIAL,
    OPEN,
    OUTCOME,
    PENDING,
    REVIEW,
    SEND_BACK,
    STRANGER,
    SUBMIT,
    SUPER_APPROVER,
    TRANSITIONS,
    USERNAMES,
    Model,
    Rules,
    Switches,
)

SEARCH = "/rest/herzum-hap-services/1.0/api/issueapprovals"
ISSUE = "/rest/api/2/issue/REL-1"

RULES = st.builds(
    Rules,
    minimum_approbations=st.sampled_from([1.0, 0.67, 0.5, 2.0, 7.0, 0.0, ALL]),
    minimum_rejections=st.sampled_from([1.0, 0.34, 2.0, ALL]),
    moves_on_approbations=st.sampled_from([True, True, False]),
    moves_on_rejections=st.sampled_from([True, True, False]),
    waits_for_all=st.booleans(),
    sequential=st.booleans(),
    after_any_decision=st.booleans(),
    comment_required=st.sampled_from([False, False, True]),
    abstain=st.sampled_from([None, True, False]),
)
SWITCHES = st.builds(Switches, **{name: st.booleans() for name in asdict(Switches())})


def document(rules: Rules) -> dict[str, Any]:
    """Return the site that the reference model describes, as it begins."""
    names = list(APPROVERS)
    whole = sites.site(1, {name: [] for name in names}, USERNAMES, settings=_settings(rules))
    whole["configuration"] = _configuration(Switches())
    whole["groups"] = [{"name": "board"}, {"name": "staff"}]
    for user in whole["users"]:
        groups = ["board"] * (user["username"] in ("bob", "carol"))
        user["groups"] = groups + ["staff"] * (user["username"] != STRANGER)
    whole["projects"][0]["browsers"] = ["group:staff"]
    whole["issues"][0]["status_id"] = int(OPEN)
    whole["workflows"][0]["transitions"].append(
        {"id": 51, "name": "Note", "source_status_ids": [sites.REVIEW], "destination_status_id": sites.REVIEW}
    )
    board = [{"kind": "group", "value": "board"}, {"kind": "user", "value": "carol", "is_excluded": True}]
    for approval in whole["approvals"]:
        users = [{"kind": "user", "value": name} for name in sorted(APPROVERS[approval["name"]])]
        approval["approvers"] = board if approval["name"] == "board" else users
        approval["is_sequential"] = approval["name"] != NOT_SEQUENTIAL
    (review,) = whole["approval_mappings"]
    whole["approval_mappings"].append(
        review
        | {"id": 2, "source_status_id": int(OPEN), "transition_id": int(SUBMIT)}
        | {"settings": review["settings"] | {"rejection_transition_id": int(SUBMIT)}}
    )
    for record in whole["issue_approvals"]:
        record |= {"mapping_id": 2, "source_status_id": int(OPEN), "transition_id": int(SUBMIT)}
        record["transition_name"] = "Submit"
    return whole


def _settings(rules: Rules) -> dict[str, Any]:
    return {
        "minimum_approbations": rules.minimum_approbations,
        "minimum_rejections": rules.minimum_rejections,
        "transitions_on_approbations": rules.moves_on_approbations,
        "transitions_on_rejections": rules.moves_on_rejections,
        "rejection_transition_id": int(SEND_BACK),
        "waits_for_all_replies": rules.waits_for_all,
        "is_sequential": rules.sequential,
        "opens_after_any_decision": rules.after_any_decision,
        "requires_comment": rules.comment_required,
        "abstain_override": {None: 0, True: 1, False: 2}[rules.abstain],
    }


def _configuration(switches: Switches) -> dict[str, Any]:
    return {
        "is_reject_enabled": switches.reject,
        "is_abstain_enabled": switches.abstain,
        "is_reversing_locked": switches.locked,
        "reversing_exempted_users": [reference_model.EXEMPTED],
        "are_actions_enabled_after_decision": switches.after_decision,
        "do_minimums_drive_transitions": switches.minimums_move,
        "is_transition_responsive": switches.responsive,
        "super_approver_users": [SUPER_APPROVER],
    }


class OneIssue(RuleBasedStateMachine):
    """Does to the server what it does to the model."""

    def __init__(self, client: TestApp) -> None:
        super().__init__()
        self.client = client
        self.model = Model(Rules())
        self.ids: dict[reference_model.Key, int] = {}
        self.searched = cycle(USERNAMES)

    @initialize(rules=RULES, switches=SWITCHES)
    def begin(self, rules: Rules, switches: Switches) -> None:
        self.model = Model(rules, switches)
        whole = document(rules)
        whole["configuration"] = _configuration(switches)
        self.client.put_json("/__emulator/snapshot", whole, status=204)

    def ask_as(self, username: str) -> None:
        self.client.authorization = ("Basic", (username, username))

    # -- what is done ------------------------------------------------------------------------

    @rule(data=st.data(), username=st.sampled_from(USERNAMES))
    def try_anything(self, data: st.DataObject, username: str) -> None:
        if data.draw(st.booleans(), "move"):
            self._move(username, data.draw(st.sampled_from(sorted(TRANSITIONS)), "transition"))
            return
        key = data.draw(st.sampled_from(sorted(self.model.votes)), "record")
        action = data.draw(st.sampled_from(sorted(OUTCOME)), "action")
        self._act(username, key, action, data.draw(st.booleans(), "comment"))

    @rule(data=st.data())
    @precondition(lambda self: self.allowed())
    def act_where_one_may(self, data: st.DataObject) -> None:
        username, key, action = data.draw(st.sampled_from(self.allowed()), "who, what, how")
        self._act(username, key, action, has_comment=True)

    @rule(actions=st.lists(st.sampled_from(["APPROVE", "REJECT", "ABSTAIN"]), min_size=3, max_size=3))
    def everybody_votes(self, actions: list[str]) -> None:
        for approval, action in zip(APPROVERS, actions, strict=True):
            if (key := (self.model.status, approval)) in self.model.votes:
                self._act(min(APPROVERS[approval]), key, action, has_comment=True)

    def allowed(self) -> list[tuple[str, reference_model.Key, str]]:
        every = product(USERNAMES, sorted(self.model.votes), OUTCOME)
        return [each for each in every if self.model.refusal(*each, has_comment=True) is None]

    def _act(self, username: str, key: reference_model.Key, action: str, has_comment: bool) -> None:
        body = {"action": action.lower(), "comment": "because" if has_comment else "  "}
        self.ask_as(username)
        answer = self.client.post_json(f"{SEARCH}/{self.ids[key]}/action", body, status="*")
        refusal = self.model.act(username, key, action, has_comment)
        assert answer.json.get("errorCode") == refusal, (answer.json, refusal)
        assert answer.status_int == answer.json.get("status", 200)
        if refusal is None:
            assert answer.json["issueStatus"] == self.model.status
            assert answer.json["approvalStatus"] == self.model.votes[key].state

    @rule(data=st.data())
    @precondition(lambda self: self.model.offered())
    def move_where_one_may(self, data: st.DataObject) -> None:
        # Whoever sees an issue may move it, approver or not.
        self._move("dave", data.draw(st.sampled_from(sorted(self.model.offered())), "transition"))

    def _move(self, username: str, transition: str) -> None:
        self.ask_as(username)
        answer = self.client.post_json(f"{ISSUE}/transitions", {"transition": {"id": transition}}, status="*")
        expected = 204 if self.model.move(username, transition) else 404 if username == STRANGER else 400
        assert answer.status_int == expected, answer

    @rule(name=st.sampled_from(sorted(asdict(Switches()))))
    def switch(self, name: str) -> None:
        """Turn a switch, by way of the whole state, which must come back as it was."""
        setattr(self.model.switches, name, not getattr(self.model.switches, name))
        whole = self.client.get("/__emulator/snapshot", status=200).json
        whole["configuration"] = _configuration(self.model.switches)
        self.client.put_json("/__emulator/snapshot", whole, status=204)

    # -- what is seen ------------------------------------------------------------------------

    @invariant()
    def all_that_is_seen_agrees(self) -> None:
        self.ask_as("dave")
        self.records_agree()
        self.offered_transitions_agree()
        self.search_by_user_agrees(next(self.searched))

    def records_agree(self) -> None:
        records = self.client.get(SEARCH, status=200).json
        self.ids = {(record["sourceStatusId"], record["approvalName"]): record["id"] for record in records}
        seen = {
            (record["sourceStatusId"], record["approvalName"]): (
                record["approvalStatus"],
                record.get("approverUser"),
                record["errorTransit"],
                record["issueStatus"],
            )
            for record in records
        }
        votes = self.model.votes
        assert len(records) == len(votes)
        assert seen == {
            key: (vote.state, vote.by, vote.failed, self.model.status) for key, vote in votes.items()
        }
        assert all(("date" in record) is (record["approvalStatus"] != PENDING) for record in records)

    def offered_transitions_agree(self) -> None:
        answer = self.client.get(f"{ISSUE}/transitions", status=200)
        assert {each["id"] for each in answer.json["transitions"]} == self.model.offered()

    def search_by_user_agrees(self, username: str) -> None:
        records = self.client.get(SEARCH, {"username": username}, status=200).json
        assert {record["id"] for record in records} == {
            self.ids[key]
            for key, vote in self.model.votes.items()
            if self.model.can_act(username, key)
            and (vote.state == PENDING or not self.model.is_locked_for(username))
        }

    def teardown(self) -> None:
        history = self.client.get("/__emulator/snapshot", status=200).json.get("history", [])
        told = Counter(event["kind"] for event in history)
        del told["SUBMITTED"]
        assert told == self.model.told


def test_c9_server_and_model_agree(sqlite_site: TestApp) -> None:
    sqlite_site.reset()
    run_state_machine_as_test(
        lambda: OneIssue(sqlite_site),
        settings=settings(
            max_examples=50 * sites.TIMES,
            stateful_step_count=30,
            derandomize=sites.TIMES == 1,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


def test_the_model_knows_the_site() -> None:
    whole = document(Rules())
    assert {str(each["id"]) for each in whole["workflows"][0]["transitions"]} == set(TRANSITIONS)
    assert {str(each["id"]) for each in whole["statuses"]} == {OPEN, REVIEW, DONE}
    assert [str(each["transition_id"]) for each in whole["approval_mappings"]] == [ACCEPT, SUBMIT]
