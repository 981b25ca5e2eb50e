"""The Web API of Approval Path, below /webapi, for Jira and Confluence alike: the API key tells which."""

from herzum_approval.api.approval_path import approvals, definitions
from herzum_approval.api.approval_path.errors import ERRORS
from herzum_approval.api.family import Family

FAMILY = Family(
    title="Approval Path",
    description="List, create and reset approvals of issues and pages, and list their definitions.",
    bases=("/webapi",),
    errors=ERRORS,
    blueprints=(approvals.blp, approvals.ours, definitions.blp),
    security_schemes={"apiKey": {"type": "http", "scheme": "bearer"}},
)
