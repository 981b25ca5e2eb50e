"""Our own REST API to what the plugin's can change but not show, below /rest/approval-admin/1.0."""

from herzum_approval.api import login
from herzum_approval.api.administration import (
    api_keys,
    approval_path_entries,
    approval_path_runs,
    approvals,
    bulk_operations,
    configuration,
    jsm_ops,
    mappings,
)
from herzum_approval.api.administration.errors import ERRORS
from herzum_approval.api.family import JIRA_LOGINS, Family

FAMILY = Family(
    title="Administration",
    description=(
        "Read and change approval mappings, approvals and the General Configuration, see what bulk "
        "operations did, and keep the sites and tokens of JSM Operations. No vendor has these endpoints; "
        "they are for Jira administrators."
    ),
    bases=("/rest/approval-admin/1.0",),
    errors=ERRORS,
    blueprints=(
        mappings.blp,
        bulk_operations.blp,
        approvals.blp,
        configuration.blp,
        jsm_ops.blp,
        api_keys.blp,
        approval_path_entries.definitions,
        approval_path_entries.conditions,
        approval_path_entries.spaces,
        approval_path_entries.pages,
        approval_path_runs.approvals,
        approval_path_runs.requests,
    ),
    after_request=login.sign,
    security_schemes=JIRA_LOGINS,
)
