"""What a comment tells of an approval. Our words; the vendor's are unknown."""

from enum import StrEnum

from herzum_approval.domain.approval_paths import ApprovalPath, DefinitionStep, PathStatus, StepKind


class Occasion(StrEnum):
    """Why a comment is written."""

    ENDED = "ended"
    RESET = "reset"
    DELETED = "deleted"


_ENDS = {
    PathStatus.SUCCESS: "was approved",
    PathStatus.FAIL: "was rejected",
    PathStatus.IN_PROGRESS: "was in progress",
    PathStatus.EXPIRED: "has expired",
    PathStatus.ARCHIVED: "was archived",
}


def report(path: ApprovalPath, occasion: Occasion) -> str:
    """Return the comment that tells of a run: how it stands, and who decided what."""
    end = _ENDS[path.path_status]
    after = "" if occasion is Occasion.ENDED else f" when it was {occasion.value}"
    lines = [f"Approval {path.name} {end}{after}."]
    for step in path.steps[1:]:
        if step.decision is None:
            continue
        lines.append(f"{_name(step.definition)}: {step.decision.value}")
        if step.definition.kind not in (StepKind.USER, StepKind.EMAIL):
            lines += [f"- {each.voter}: {each.decision.value}" for each in step.votes]
    return "\n".join(lines)


def _name(step: DefinitionStep) -> str:
    return step.username or step.group or step.email or step.field_id or step.name or step.kind.value
