"""The part of Jira's own REST API that clients need to sign in, below /rest."""

from herzum_approval.api import login
from herzum_approval.api.family import JIRA_LOGINS, Family
from herzum_approval.api.jira import issues, myself, server_info, session
from herzum_approval.api.jira.errors import ERRORS

FAMILY = Family(
    title="Jira",
    description="Sign in and out, see the server and oneself, and move issues, as on the plugin's own Jira.",
    bases=("/rest",),
    errors=ERRORS,
    blueprints=(session.blp, server_info.blp, myself.blp, issues.blp),
    after_request=login.sign,
    security_schemes=JIRA_LOGINS,
)
