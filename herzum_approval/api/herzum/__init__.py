"""The REST API of Herzum Approval, below /rest/herzum-hap-services/1.0."""

from herzum_approval.api import login
from herzum_approval.api.family import JIRA_LOGINS, Family
from herzum_approval.api.herzum import issue_approvals, mappings
from herzum_approval.api.herzum.errors import ERRORS

FAMILY = Family(
    title="Herzum Approval",
    description="Search issue approvals, act on them, and change approval mappings in bulk.",
    bases=("/rest/herzum-hap-services/1.0",),
    errors=ERRORS,
    blueprints=(issue_approvals.blp, mappings.blp),
    after_request=login.sign,
    shortcuts={issue_approvals.blp.url_prefix: issue_approvals.search_at_once},
    short_posts=(issue_approvals.ACT_AT_ONCE,),
    security_schemes=JIRA_LOGINS,
)
