"""Custom user roles of Jira Service Management Operations, below /jsm/ops/api and /ex/jira."""

from herzum_approval.api.family import Family
from herzum_approval.api.jsm_ops import roles
from herzum_approval.api.jsm_ops.doors import SECURITY_SCHEMES, make_request_id, sign
from herzum_approval.api.jsm_ops.errors import ERRORS

FAMILY = Family(
    title="JSM Operations",
    description=(
        "Custom user roles of Jira Service Management Operations. Clients sign in by e-mail address and API "
        "token, or by an OAuth 2.0 token; both bases serve both. They must administer the site."
    ),
    bases=("/jsm/ops/api", "/ex/jira"),
    errors=ERRORS,
    blueprints=(roles.blp, roles.oauth_blp),
    after_request=sign,
    security_schemes=SECURITY_SCHEMES,
    make_request_id=make_request_id,
)
