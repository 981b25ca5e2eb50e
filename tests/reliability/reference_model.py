"""One issue under approval, told anew from the documentation alone: nothing of the product is imported.

The issue goes Open → Review → Closed; Open and Review each ask for the same three approvals, in their order.
"""

from collections import Counter
from dataclasses import dataclass, field

OPEN, REVIEW, DONE = "1", "10000", "6"
SUBMIT, ACCEPT, SEND_BACK, REOPEN, NOTE = "11", "21", "31", "41", "51"

TRANSITIONS = {
    SUBMIT: (OPEN, REVIEW),
    ACCEPT: (REVIEW, DONE),
    SEND_BACK: (REVIEW, OPEN),
    REOPEN: (DONE, REVIEW),
    NOTE: (REVIEW, REVIEW),
}
ASKED_BY = {OPEN: SUBMIT, REVIEW: ACCEPT}

# bob and carol are the board, from which carol is left out; frank is super approver everywhere.
APPROVERS = {"plan": {"alice"}, "board": {"bob"}, "audit": {"alice", "carol"}}
NOT_SEQUENTIAL = "audit"
SUPER_APPROVER, EXEMPTED, STRANGER = "frank", "carol", "grace"
USERNAMES = ["alice", "bob", "carol", "dave", SUPER_APPROVER, STRANGER]

PENDING, APPROVED, REJECTED, ABSTAINED = "PENDING", "APPROVED", "REJECTED", "ABSTAINED"
OUTCOME = {"APPROVE": APPROVED, "REJECT": REJECTED, "ABSTAIN": ABSTAINED, "RESET": PENDING}

NOT_FOUND, DISABLED = "issueapproval.notexist", "issueapproval.action.disabled"
UNAUTHORIZED, COMMENT_REQUIRED = "issueapproval.action.unauthorized", "issueapproval.comment.required"

ALL = -1.0

Key = tuple[str, str]  # an issue approval: the status that asks for it, and its approval


@dataclass
class Switches:
    """The General Configuration."""

    reject: bool = True
    abstain: bool = False
    locked: bool = False
    after_decision: bool = True
    minimums_move: bool = False
    responsive: bool = False


@dataclass
class Rules:
    """The settings of both mappings. abstain: None leaves it to the switch."""

    minimum_approbations: float = ALL
    minimum_rejections: float = ALL
    moves_on_approbations: bool = False
    moves_on_rejections: bool = False
    waits_for_all: bool = False
    sequential: bool = False
    after_any_decision: bool = False
    comment_required: bool = False
    abstain: bool | None = None


@dataclass
class Vote:
    state: str = PENDING
    by: str | None = None
    failed: bool = False


@dataclass
class Model:
    rules: Rules
    switches: Switches = field(default_factory=Switches)
    status: str = OPEN
    votes: dict[Key, Vote] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._enter(OPEN)

    # -- acting ------------------------------------------------------------------------------

    def act(self, username: str, key: Key, action: str, has_comment: bool) -> str | None:
        """Act, and return None; or return the code of the refusal."""
        refusal = self.refusal(username, key, action, has_comment)
        if refusal is None:
            state = OUTCOME[action]
            self.votes[key] = Vote(state, None if state == PENDING else username)
            self.told[state] += 1
            for vote in self._here().values():
                vote.failed = False
            if action != "RESET":
                self._move_by_itself(action)
        return refusal

    def refusal(self, username: str, key: Key, action: str, has_comment: bool) -> str | None:
        if username == STRANGER:
            return NOT_FOUND
        if not self._is_enabled(action):
            return DISABLED
        if not (self.can_act(username, key) and self._is_offered(username, self.votes[key], action)):
            return UNAUTHORIZED
        if self.rules.comment_required and action != "RESET" and not has_comment:
            return COMMENT_REQUIRED
        return None

    def can_act(self, username: str, key: Key) -> bool:
        """Whether the record waits for this user now; what he may do is another question."""
        may = username in APPROVERS[key[1]] or username == SUPER_APPROVER
        return may and key[0] == self.status and self._is_turn(key[1])

    def _is_turn(self, approval: str) -> bool:
        if not self.rules.sequential or approval == NOT_SEQUENTIAL:
            return True
        opening = {APPROVED, ABSTAINED, REJECTED} if self.rules.after_any_decision else {APPROVED, ABSTAINED}
        before = list(APPROVERS)[: list(APPROVERS).index(approval)]
        return all(self.votes[self.status, each].state in opening for each in before)

    def _is_enabled(self, action: str) -> bool:
        if action == "ABSTAIN":
            return self.switches.abstain if self.rules.abstain is None else self.rules.abstain
        return action != "REJECT" or self.switches.reject

    def _is_offered(self, username: str, vote: Vote, action: str) -> bool:
        if vote.state == PENDING:
            return action != "RESET"
        if vote.state == OUTCOME[action] or self.is_locked_for(username):
            return False
        return action == "RESET" or self.switches.after_decision

    def is_locked_for(self, username: str) -> bool:
        return self.switches.locked and username != EXEMPTED

    # -- moving ------------------------------------------------------------------------------

    def move(self, username: str, transition: str) -> bool:
        """Move the issue, and return whether it could be moved."""
        if username == STRANGER or transition not in self.offered():
            return False
        self._take(transition, "TRANSITION")
        return True

    def offered(self) -> set[str]:
        leaving = {each for each, (source, _) in TRANSITIONS.items() if source == self.status}
        if self.status in ASKED_BY and not self._reached(APPROVED, self.rules.minimum_approbations):
            leaving.remove(ASKED_BY[self.status])
        return leaving

    def _take(self, transition: str, how: str) -> None:
        self.told[how] += 1
        source, destination = TRANSITIONS[transition]
        for vote in self._here().values():
            vote.failed = vote.failed and source == destination
        self.status = destination
        if source != destination:
            self._enter(destination)

    def _enter(self, status: str) -> None:
        if status in ASKED_BY:
            self.votes.update({(status, approval): Vote() for approval in APPROVERS})

    def _move_by_itself(self, action: str) -> None:
        if self.rules.waits_for_all and any(vote.state == PENDING for vote in self._here().values()):
            return None
        ways = [
            (APPROVED, self.rules.moves_on_approbations, ASKED_BY[self.status]),
            (REJECTED, self.rules.moves_on_rejections, SEND_BACK if self.status == REVIEW else SUBMIT),
        ]
        for state, is_on, transition in reversed(ways) if action == "REJECT" else ways:
            if is_on and self._reached(state, self._needed_to_move(state)):
                if not self.switches.responsive:  # nobody is named who could move it then
                    return self._take(transition, "AUTOMATIC_TRANSITION")
                self.told["AUTOMATIC_TRANSITION_FAILED"] += 1
                for vote in self._here().values():
                    vote.failed = True
                return None
        return None

    def _needed_to_move(self, state: str) -> float:
        if not self.switches.minimums_move:
            return ALL
        own = self.rules.minimum_approbations if state == APPROVED else self.rules.minimum_rejections
        return own or 1

    def _reached(self, state: str, needed: float) -> bool:
        """Whether there are enough votes; those who abstain follow the others."""
        cast = [vote.state for vote in self._here().values() if vote.state != ABSTAINED]
        if needed == 0 or not cast:
            return needed == 0 or state == APPROVED
        if needed < 0 or needed > len(cast):
            needed = len(cast)
        elif needed < 1:
            needed *= len(cast)
        return 0 < cast.count(state) >= needed

    def _here(self) -> dict[Key, Vote]:
        return {key: vote for key, vote in self.votes.items() if key[0] == self.status}
