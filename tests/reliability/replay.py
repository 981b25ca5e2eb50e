"""The history of a site, done again one line after another by the pure rules."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from herzum_approval.domain.actions import OUTCOME, Right
from herzum_approval.domain.history import Event, EventKind
from herzum_approval.domain.issue_approvals import ApprovalStatus, IssueApproval
from herzum_approval.domain.issues import Outcome, Surroundings, decide, move
from herzum_approval.domain.sites import Site

_ACTIONS = {status: action for action, status in OUTCOME.items()}


def assert_replays(before: Site, after: Site) -> None:
    """Do again, in the order of the history, what was done to each issue, and compare all that there is.

    before: has no history yet. Its issues have the same mapping, and no conditional rules.
    """
    lines: dict[int, list[Event]] = defaultdict(list)
    for event in after.history:
        lines[event.issue_id].append(event)
    comments: dict[int, list[tuple[str | None, str]]] = defaultdict(list)
    for comment in after.comments:
        comments[comment.issue_id].append((comment.author, comment.body))
    reached = {issue.id: issue for issue in after.issues}
    records = _by_issue(after)
    for issue_id, start in pictures(before).items():
        outcome = _replayed(start, lines[issue_id])
        assert outcome.around.issue == reached[issue_id]
        assert list(outcome.around.records) == records[issue_id]
        assert [(each.author, each.body) for each in outcome.comments] == comments[issue_id]


def pictures(site: Site) -> Mapping[int, Surroundings]:
    """Return each issue with all that bears on it, taken from the site's one project."""
    (project,), (issue_type,), (workflow,) = site.projects, site.issue_types, site.workflows
    records = _by_issue(site)
    return {
        issue.id: Surroundings(
            issue=issue,
            project=project,
            issue_type=issue_type,
            statuses={status.id: status for status in site.statuses},
            workflow=workflow,
            approvals={approval.id: approval for approval in site.approvals},
            rules={},
            mappings={mapping.id: mapping for mapping in site.approval_mappings},
            records=records[issue.id],
            configuration=site.configuration,
        )
        for issue in site.issues
    }


def _by_issue(site: Site) -> dict[int, list[IssueApproval]]:
    found: dict[int, list[IssueApproval]] = defaultdict(list)
    for record in site.issue_approvals:
        found[record.issue_id].append(record)
    return found


def _replayed(start: Surroundings, lines: list[Event]) -> Outcome:
    whole = Outcome(around=start)
    told = iter(lines)
    for event in told:
        done = _done_again(whole.around, event)
        expected = [event, *(next(told) for _ in done.events[1:])]
        assert [replace(each, id=0) for each in done.events] == [replace(each, id=0) for each in expected]
        whole = whole.and_then(replace(done, around=_written(whole.around, done.around)))
    return whole


def _done_again(around: Surroundings, event: Event) -> Outcome:
    """Return what comes of that which the first line of an action or a move tells."""
    if event.kind is EventKind.TRANSITION:
        return move(around, event.details["transition_id"], event.username or "", event.at)
    record = next(each for each in around.records if each.id == event.issue_approval_id)
    assert (event.before, event.kind) == (record.approval_status, event.after)
    right = Right(username=event.username or "", is_approver=True)
    action = _ACTIONS[ApprovalStatus(event.after or "")]
    return decide(around, record, action, right, comment=event.comment, now=event.at)


def _written(before: Surroundings, after: Surroundings) -> Surroundings:
    """Return the picture with the version of each record that was written, whatever the rules say of it."""
    return replace(after, records=list(_versioned(before, after)))


def _versioned(before: Surroundings, after: Surroundings) -> Iterator[IssueApproval]:
    """Give every record; one is written where it changes, or opens, or closes."""
    known = {record.id: record for record in before.records}
    was_open, is_open = before.open_ids(), after.open_ids()
    for record in after.records:
        old = known[record.id]
        is_written = record != old or (record.id in was_open) is not (record.id in is_open)
        yield replace(record, version=old.version + is_written)
