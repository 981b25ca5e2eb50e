"""Issues, their comments and transitions as Jira's beans."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from herzum_approval.api.jira.schemas import JiraTime
from herzum_approval.domain.history import Comment
from herzum_approval.domain.jira import Status, StatusCategory
from herzum_approval.domain.people import User
from herzum_approval.services.issues import IssueView, OfferedTransition

_TIME = JiraTime()
_CATEGORIES = {
    StatusCategory.TO_DO: (2, "To Do", "blue-gray"),
    StatusCategory.IN_PROGRESS: (4, "In Progress", "yellow"),
    StatusCategory.DONE: (3, "Done", "green"),
}
_ALL, _NONE = frozenset({"*all", "*navigable"}), "*none"


def issue_bean(view: IssueView, base_url: str, wanted: str = "") -> dict[str, Any]:
    """Return the issue. wanted: the `fields` parameter; blank for all, `*none` for no field."""
    issue = view.around.issue
    return {
        "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
        "id": str(issue.id),
        "self": f"{base_url}/rest/api/2/issue/{issue.id}",
        "key": issue.key,
        "fields": {name: work() for name, work in _chosen(_fields(view, base_url), wanted).items()},
    }


def _chosen(fields: Mapping[str, Callable[[], Any]], wanted: str) -> Mapping[str, Callable[[], Any]]:
    names = {name.strip() for name in wanted.split(",") if name.strip()}
    if names & _ALL or all(name.startswith("-") for name in names):
        return {name: work for name, work in fields.items() if f"-{name}" not in names}
    return {name: work for name, work in fields.items() if name in names and _NONE not in names}


def _fields(view: IssueView, base_url: str) -> dict[str, Callable[[], Any]]:
    around, users = view.around, view.users
    issue, api = around.issue, f"{base_url}/rest/api/2"
    return {
        "summary": lambda: issue.summary,
        "issuetype": lambda: {
            "self": f"{api}/issuetype/{issue.issue_type_id}",
            "id": str(issue.issue_type_id),
            "name": around.issue_type.name,
            "subtask": around.issue_type.is_subtask,
        },
        "project": lambda: {
            "self": f"{api}/project/{issue.project_id}",
            "id": str(issue.project_id),
            "key": around.project.key,
            "name": around.project.name,
        },
        "status": lambda: status_bean(around.statuses[issue.status_id], base_url),
        "priority": lambda: {"name": issue.priority},
        "labels": lambda: list(issue.labels),
        "reporter": lambda: _person(issue.reporter, users, base_url),
        "assignee": lambda: _person(issue.assignee, users, base_url),
        "created": lambda: _TIME.serialize("at", {"at": issue.created_at}),
        "updated": lambda: _TIME.serialize("at", {"at": issue.updated_at}),
        "comment": lambda: {
            "comments": [_comment(each, view, base_url) for each in view.comments],
            "maxResults": len(view.comments),
            "total": len(view.comments),
            "startAt": 0,
        },
        **{name: _picked(names) for name, names in issue.fields.items()},
    }


def _picked(names: tuple[str, ...]) -> Callable[[], list[dict[str, str]]]:
    return lambda: [{"name": name} for name in names]


def status_bean(status: Status, base_url: str) -> dict[str, Any]:
    """Return a status with its category."""
    number, name, colour = _CATEGORIES[status.category]
    return {
        "self": f"{base_url}/rest/api/2/status/{status.id}",
        "name": status.name,
        "id": str(status.id),
        "statusCategory": {
            "self": f"{base_url}/rest/api/2/statuscategory/{number}",
            "id": number,
            "key": status.category.value,
            "colorName": colour,
            "name": name,
        },
    }


def transition_bean(offered: OfferedTransition, base_url: str) -> dict[str, Any]:
    """Return a transition and where it leads."""
    return {
        "id": str(offered.transition.id),
        "name": offered.transition.name,
        "to": status_bean(offered.destination, base_url),
    }


def _comment(comment: Comment, view: IssueView, base_url: str) -> dict[str, Any]:
    author = _person(comment.author, view.users, base_url)
    written = _TIME.serialize("at", {"at": comment.created_at})
    return {
        "self": f"{base_url}/rest/api/2/issue/{comment.issue_id}/comment/{comment.id}",
        "id": str(comment.id),
        "author": author,
        "body": comment.body,
        "updateAuthor": author,
        "created": written,
        "updated": written,
    }


def _person(username: str | None, users: Mapping[str, User], base_url: str) -> dict[str, Any] | None:
    if username is None:
        return None
    user = users.get(username)
    return {
        "self": f"{base_url}/rest/api/2/user?username={quote(username, safe='')}",
        "name": username,
        "key": username,
        "emailAddress": user.email if user else "",
        "displayName": user.display_name if user else username,
        "active": user is not None and user.is_active,
    }
