"""Approval paths: definitions, conditions, and approvals that run by them.

People are usernames and groups are names here, as everywhere on the site; a door that speaks of
Atlassian account ids and group ids translates them.
Source: Approval Path, Web API; what its text leaves open is said in `docs/approval-path.md`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Product(StrEnum):
    """The product that a definition is of, and the kind of thing that is approved there."""

    JIRA = "jira"  # issues, collected in projects
    CONFLUENCE = "confluence"  # pages, collected in spaces


class StepKind(StrEnum):
    """Who or what a step waits for. The kinds of issue fields are ours: the vendor's spelling is unknown."""

    USER = "USER"
    GROUP = "GROUP"
    EMAIL = "EMAIL"
    HTTP = "HTTP"
    USER_FIELD = "USER_FIELD"  # whoever stands in a field of the issue
    GROUP_FIELD = "GROUP_FIELD"  # the members of the groups that stand in one
    EMAIL_FIELD = "EMAIL_FIELD"  # whoever has the addresses that stand in one


class StepAction(StrEnum):
    APPROVAL = "APPROVAL"
    CONSENT = "CONSENT"  # the same, technically
    NOTIFICATION = "NOTIFICATION"  # informs; nobody decides
    STARTED = "STARTED"  # the first step of a run only


class StepStatus(StrEnum):
    PENDING = "PENDING"  # its turn is to come
    ACTIVE = "ACTIVE"  # awaits a decision
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"
    SKIPPED = "SKIPPED"  # ours, on no wire of the vendor's: left out, or cut off when the path ended


class Decision(StrEnum):
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    ABSTAINED = "ABSTAINED"


class PathStatus(StrEnum):
    IN_PROGRESS = "IN_PROGRESS"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"  # shown as "Rejected"
    EXPIRED = "EXPIRED"
    ARCHIVED = "ARCHIVED"


class FieldResolution(StrEnum):
    """When an issue-field step looks into its field."""

    APPROVAL_START = "approval start"
    STEP_START = "step start"


class HttpMethod(StrEnum):
    GET = "GET"
    PUT = "PUT"
    POST = "POST"
    DELETE = "DELETE"


FIELD_KINDS = frozenset({StepKind.USER_FIELD, StepKind.GROUP_FIELD, StepKind.EMAIL_FIELD})
ADDRESS_KINDS = frozenset({StepKind.EMAIL, StepKind.EMAIL_FIELD})
"""Kinds whose voters are e-mail addresses; of the others they are users."""

REPORTER = "reporter"
ASSIGNEE = "assignee"
"""Fields that every issue has, and that a USER_FIELD step can name beside custom fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionStep:
    """One step of a definition; what is not of its kind has its default.

    parallel_group: adjacent steps of one number run at the same time; None runs alone.
    condition_id: the step is left out where this condition is false, or cannot be asked.
    username: of USER. group: of GROUP. email: of EMAIL. field_id, resolution: of the issue fields.
    required_votes, required_reject_votes, is_creator_excluded, is_skipped_when_empty: of all that several
        people can stand behind. The creator is whoever started the approval (inferred).
    name, http_method and the templates: of HTTP.
    """

    kind: StepKind
    action: StepAction = StepAction.APPROVAL
    parallel_group: int | None = None
    notifies_watchers: bool = True
    condition_id: int | None = None
    username: str | None = None
    group: str | None = None
    email: str | None = None
    field_id: str | None = None
    resolution: FieldResolution = FieldResolution.APPROVAL_START
    required_votes: int = 1
    required_reject_votes: int = 1
    is_creator_excluded: bool = False
    is_skipped_when_empty: bool = False
    name: str = ""
    http_method: HttpMethod = HttpMethod.POST
    url_template: str = ""
    headers_template: str = ""
    body_template: str = ""

    @property
    def awaits_decision(self) -> bool:
        return self.action is not StepAction.NOTIFICATION


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDefinition:
    """How an approval runs.

    collection_id: the project or space that it is for; None on a global one.
    rejection_steps, success_steps: run once an approval has failed, or succeeded, and inform only.
    condition_id: an approval is refused where this condition is false (Jira only).
    """

    id: int
    product: Product
    name: str
    steps: tuple[DefinitionStep, ...]
    description: str = ""
    collection_id: int | None = None
    rejection_steps: tuple[DefinitionStep, ...] = ()
    success_steps: tuple[DefinitionStep, ...] = ()
    is_available_for_customers: bool = False
    condition_id: int | None = None

    @property
    def condition_ids(self) -> frozenset[int]:
        """The conditions that it asks, of itself and of its steps."""
        steps = (*self.steps, *self.rejection_steps, *self.success_steps)
        found = (self.condition_id, *(step.condition_id for step in steps))
        return frozenset(id for id in found if id is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A named question about an issue, as JQL."""

    id: int
    name: str
    jql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What one person said. voter: a username, or the e-mail address that was asked."""

    voter: str
    decision: Decision
    voted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """A step of a run.

    definition: as it was when the approval started.
    members: who may vote, usernames or e-mail addresses; known once the step is active, of fields that
        are looked into at the start from then on.
    decision, decided_at: None while there is none; notices to people never have one.
    refreshed_at: when the person's name was looked up (the vendor's `lastUpdated`, inferred).
    """

    definition: DefinitionStep
    status: StepStatus = StepStatus.PENDING
    members: tuple[str, ...] = ()
    votes: tuple[Vote, ...] = ()
    decision: Decision | None = None
    decided_at: datetime | None = None
    refreshed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPath:
    """An approval of an issue or a page, running or done: what the vendor calls an approval.

    definition_id: where it came from; the definition may be another by now, or gone.
    collection_id: of the project or space. ref_id: of the issue or page.
    steps: the first one is always that of whoever started it.
    rejection_steps, success_steps: run once the path has failed, or succeeded, and inform only.
    expires_at: None where it never does. modified_at: the last start, decision or end.
    version: how many times it was written.
    """

    id: int
    product: Product
    definition_id: int
    name: str
    summary: str
    collection_id: int
    ref_id: int
    started_by: str
    started_at: datetime
    modified_at: datetime
    steps: tuple[PathStep, ...]
    rejection_steps: tuple[PathStep, ...] = ()
    success_steps: tuple[PathStep, ...] = ()
    path_status: PathStatus = PathStatus.IN_PROGRESS
    expires_at: datetime | None = None
    allows_abstaining: bool = False
    version: int = 1

    @property
    def happened(self) -> tuple[PathStep, ...]:
        """The steps that have been decided, or have informed: the vendor's `steps` (inferred)."""
        return tuple(step for step in self.steps if step.status in (StepStatus.SUCCESS, StepStatus.FAIL))

    @property
    def active_steps(self) -> tuple[PathStep, ...]:
        """The steps that await a decision now: the vendor's `activeSteps` (inferred)."""
        return tuple(step for step in self.steps if step.status is StepStatus.ACTIVE)

    @property
    def is_running(self) -> bool:
        return self.path_status is PathStatus.IN_PROGRESS


class MailKind(StrEnum):
    """Why somebody is written to."""

    REQUEST = "request"  # a decision is asked for
    NOTICE = "notice"  # a notification step informs


@dataclass(frozen=True, slots=True, kw_only=True)
class PathMail:
    """Something to be mailed about a run. recipient: `user:NAME` or `email:ADDRESS`."""

    id: int
    path_id: int
    position: int
    recipient: str
    kind: MailKind
    created_at: datetime
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The issue or page that an approval is of.

    key: of an issue; None for a page. title: the issue's summary, or the page's title.
    creator, modifier: of a page, usernames. fields: custom field id to names or addresses, of an issue;
    `reporter` and `assignee` are among them.
    """

    product: Product
    id: int
    collection_id: int
    title: str
    key: str | None = None
    creator: str | None = None
    modifier: str | None = None
    fields: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def summary(self) -> str:
        """What a summary says that nobody gave."""
        return f"{self.key} {self.title}" if self.key else self.title

    def names_in(self, field_id: str) -> tuple[str, ...]:
        """Return the usernames, group names or addresses that the field holds, in order."""
        return dict(self.fields).get(field_id, ())
