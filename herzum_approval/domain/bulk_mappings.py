"""Bulk operations on mappings: what copy, move, edit and delete make of each transition.

A plan is made chunk by chunk, from some mappings of the source and what is mapped where they would land,
so that it needs no more room for a hundred thousand mappings than for ten.

Source: HAP REST API, "Bulk operations for Approval mapping"; what it leaves open is inferred, or ours, and
said in `docs/bulk-mapping.md`.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from herzum_approval.domain.alignment import NEW
from herzum_approval.domain.issue_approvals import IssueApproval
from herzum_approval.domain.mappings import ApprovalMapping, MappingSettings


class Operation(StrEnum):
    COPY = "COPY"
    MOVE = "MOVE"
    EDIT = "EDIT"
    DELETE = "DELETE"


class ScopeType(StrEnum):
    """What a scope names: a project, an issue type of it (and so a workflow), or one transition."""

    PROJECT = "project"
    ISSUE_TYPE = "project-issuetype"
    TRANSITION = "project-issuetype-status-trans"


class Effect(StrEnum):
    """What happens to the mapping of one transition."""

    CREATE = "create"
    OVERWRITE = "overwrite"
    DELETE = "delete"
    SKIP = "skip"


class Reason(StrEnum):
    """Why."""

    UNMAPPED = "the transition is not mapped"
    MAPPED = "the transition is mapped"
    ITSELF = "the transition is the source itself"
    MOVED = "the mapping was moved"


COUNTED = {
    Operation.COPY: Effect.CREATE,
    Operation.MOVE: Effect.CREATE,
    Operation.EDIT: Effect.OVERWRITE,
    Operation.DELETE: Effect.DELETE,
}
"""The effect that counts as an affected entry; what a move takes from its source does not count."""


class Place(NamedTuple):
    """One transition out of one status, for a project's issue type."""

    project_id: int
    issue_type_id: int
    source_status_id: int
    transition_id: int


def place_of(mapping: ApprovalMapping) -> Place:
    return Place(mapping.project_id, mapping.issue_type_id, mapping.source_status_id, mapping.transition_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A project, an issue type of it, or one of its transitions; what is None does not limit."""

    project_id: int
    issue_type_id: int | None = None
    source_status_id: int | None = None
    transition_id: int | None = None

    def place_for(self, mapping: ApprovalMapping) -> Place:
        """Return where a mapping of a source of the same type lands in this scope."""
        return Place(
            self.project_id,
            self.issue_type_id or mapping.issue_type_id,
            self.source_status_id or mapping.source_status_id,
            self.transition_id or mapping.transition_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRequest:
    """An operation whose scopes exist and fit together.

    source: None for a delete. destinations: each once.
    """

    operation: Operation
    type: ScopeType
    source: Scope | None
    destinations: tuple[Scope, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    """What happens to one transition.

    source_mapping_id: the mapping that is copied; None for a delete.
    drops_rejection_transition: the source's does not leave the destination's status.
    before, after: its mapping on both sides, None where there is none; a new one has no id yet.
    """

    place: Place
    effect: Effect
    reason: Reason
    source_mapping_id: int | None = None
    drops_rejection_transition: bool = False
    before: ApprovalMapping | None = None
    after: ApprovalMapping | None = None


Leaves = Callable[[Place, int], bool]
"""Whether a transition, by id, leaves the status of a place, in the workflow of that place."""


def plan_copies(
    request: BulkRequest,
    sources: Sequence[ApprovalMapping],
    destinations: Sequence[Scope],
    mapped: Container[Place],
    leaves: Leaves,
) -> Iterator[PlanEntry]:
    """Give what a copy, or the first half of a move, does with these sources at these destinations.

    mapped: of all places where they land, those that were mapped before the operation began.
    """
    for destination in destinations:
        for mapping in sources:
            place = destination.place_for(mapping)
            if destination == request.source:
                yield PlanEntry(
                    place=place, effect=Effect.SKIP, reason=Reason.ITSELF, source_mapping_id=mapping.id
                )
            elif place in mapped:
                yield PlanEntry(
                    place=place, effect=Effect.SKIP, reason=Reason.MAPPED, source_mapping_id=mapping.id
                )
            else:
                yield _copied(mapping, place, leaves)


def _copied(mapping: ApprovalMapping, place: Place, leaves: Leaves) -> PlanEntry:
    settings = _settings_at(place, mapping.settings, leaves)
    return PlanEntry(
        place=place,
        effect=Effect.CREATE,
        reason=Reason.UNMAPPED,
        source_mapping_id=mapping.id,
        drops_rejection_transition=settings is not mapping.settings,
        after=replace(mapping, **place._asdict(), id=NEW, settings=settings),
    )


def _settings_at(place: Place, settings: MappingSettings, leaves: Leaves) -> MappingSettings:
    rejection_id = settings.rejection_transition_id
    if rejection_id is None or leaves(place, rejection_id):
        return settings
    return replace(settings, rejection_transition_id=None)


def plan_departures(
    request: BulkRequest, sources: Sequence[ApprovalMapping], written: Container[int | None]
) -> Iterator[PlanEntry]:
    """Give which of these sources a move takes away: those that were written somewhere.

    written: ids of such sources. Of a source that is itself a destination nothing is taken.
    """
    if request.source in request.destinations:
        return
    for mapping in sources:
        if mapping.id in written:
            yield PlanEntry(
                place=place_of(mapping),
                effect=Effect.DELETE,
                reason=Reason.MOVED,
                source_mapping_id=mapping.id,
                before=mapping,
            )


def plan_edits(
    request: BulkRequest,
    sources: Sequence[ApprovalMapping],
    destinations: Sequence[Scope],
    mapped: Mapping[Place, ApprovalMapping],
    leaves: Leaves,
) -> Iterator[PlanEntry]:
    """Give what an edit does with these sources at these destinations.

    mapped: of all places where they land, the mappings of those that are mapped.
    """
    for destination in destinations:
        for mapping in sources:
            place = destination.place_for(mapping)
            before = mapped.get(place)
            if before is None:
                yield PlanEntry(
                    place=place, effect=Effect.SKIP, reason=Reason.UNMAPPED, source_mapping_id=mapping.id
                )
                continue
            settings = _settings_at(place, mapping.settings, leaves)
            yield PlanEntry(
                place=place,
                effect=Effect.OVERWRITE,
                reason=Reason.ITSELF if destination == request.source else Reason.MAPPED,
                source_mapping_id=mapping.id,
                drops_rejection_transition=settings is not mapping.settings,
                before=before,
                after=replace(
                    before,
                    settings=settings,
                    approvals=mapping.approvals,
                    conditioned_minimums=mapping.conditioned_minimums,
                ),
            )


def plan_deletions(found: Iterable[ApprovalMapping]) -> Iterator[PlanEntry]:
    """Give the deletion of each of the mappings."""
    for mapping in found:
        yield PlanEntry(place=place_of(mapping), effect=Effect.DELETE, reason=Reason.MAPPED, before=mapping)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many transitions an operation affects, and how many it leaves alone."""

    operation: Operation
    affected: int = 0
    skipped: int = 0

    def plus(self, entries: Iterable[PlanEntry]) -> "Counts":
        """Return the counts with some entries of the plan more."""
        effects = [entry.effect for entry in entries]
        return replace(
            self,
            affected=self.affected + effects.count(COUNTED[self.operation]),
            skipped=self.skipped + effects.count(Effect.SKIP),
        )

    @property
    def warning(self) -> str | None:
        """Return what the answer says of skipped transitions; None where there are none.

        Source: HAP REST API, plural of move and singular of edit; the others by symmetry.
        """
        if not self.skipped:
            return None
        name = self.operation.lower()
        mapped = "not mapped" if self.operation is Operation.EDIT else "already mapped"
        if self.skipped == 1:
            article = "An" if self.operation is Operation.EDIT else "A"
            begin, verb = f"{article} {name} operation was", "transition was"
        else:
            begin, verb = f"{self.skipped} {name} operations were", "transitions were"
        return f"{begin} skipped because the destination {verb} {mapped} before the {name} operation began."


# -- what is kept of an operation -------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkEntry:
    """An entry of a plan as it was carried out.

    mapping_id: the mapping that was written or deleted; None where nothing was.
    is_overtaken: the mapping was written since by somebody else.
    before: the mapping as it stood; None where there was none, or nothing was written.
    """

    project_id: int
    issue_type_id: int
    source_status_id: int
    transition_id: int
    effect: Effect
    reason: Reason
    source_mapping_id: int | None = None
    drops_rejection_transition: bool = False
    mapping_id: int | None = None
    is_overtaken: bool = False
    before: ApprovalMapping | None = None

    @property
    def place(self) -> Place:
        return Place(self.project_id, self.issue_type_id, self.source_status_id, self.transition_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRecord:
    """An issue approval that an operation touched.

    before: as it stood; None where the operation made it.
    version: the record's afterwards; None where it was deleted.
    is_overtaken: its issue was moved since.
    """

    issue_approval_id: int
    issue_id: int
    before: IssueApproval | None = None
    version: int | None = None
    is_overtaken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOperation:
    """An operation that was carried out.

    request: as it was asked for. undone_at, undone_by: None as long as it stands.
    entries: the plan, in order. records: what became of issue approvals, by id.
    """

    id: int
    at: datetime
    username: str
    operation: Operation
    type: ScopeType
    affected: int
    skipped: int
    request: Mapping[str, Any] = field(default_factory=dict)
    undone_at: datetime | None = None
    undone_by: str | None = None
    entries: tuple[BulkEntry, ...] = ()
    records: tuple[BulkRecord, ...] = ()

    @property
    def counts(self) -> Counts:
        return Counts(operation=self.operation, affected=self.affected, skipped=self.skipped)

    @property
    def title(self) -> str:
        """Return by what name the history calls it."""
        return f"bulk {self.operation.lower()} {self.id}"


class LaterKind(StrEnum):
    """What happened to a transition after an operation, so that it cannot be undone any more."""

    CHANGED = "its mapping was changed"
    UNMAPPED = "its mapping was deleted"
    MAPPED = "it was mapped anew"
    ACTED = "an issue approval was acted on, made or deleted"
    MOVED = "an issue was moved"
    ENTERED = "an issue entered its status"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterChange:
    """One such change. issue_key: None where it is no issue's."""

    place: Place
    kind: LaterKind
    issue_key: str | None = None

    def __str__(self) -> str:
        names = ("project", "issue type", "status", "transition")
        place = ", ".join(f"{name} {id}" for name, id in zip(names, self.place, strict=True) if id)
        issue = f" ({self.issue_key})" if self.issue_key else ""
        return f"{place}: {self.kind}{issue}"
