"""JSM Operations: its sites and tokens, and what the vendor's API does not show of users' roles."""

from flask import Response, g

from herzum_approval.api.administration.doors import (
    BODY_FAULTS,
    ENTRY_FAULTS,
    LOCATION,
    body_of,
    created_response,
    list_response,
    make_blueprint,
    one_response,
    read_body,
)
from herzum_approval.api.administration.jsm_ops_schemas import (
    JsmSiteSchema,
    JsmTokenSchema,
    MemberSchema,
    NewTokenSchema,
    RightSchema,
    TokenHandedOutSchema,
)
from herzum_approval.api.administration.schemas import PageParameters, list_or_page
from herzum_approval.api.family import ETAG, IF_MATCH, expected_versions, json_response
from herzum_approval.domain.custom_roles import RIGHTS, JsmSite
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import custom_roles, jsm_sites, jsm_tokens
from herzum_approval.services.pages import Wish

blp = make_blueprint("jsm-ops", "JSM Operations: sites, tokens, users' roles and rights")

_SITE = JsmSiteSchema()
_TOKEN = JsmTokenSchema()
_NEW_TOKEN = NewTokenSchema()
_HANDED_OUT = TokenHandedOutSchema()
_MEMBER = MemberSchema()
_RIGHT = RightSchema()
_PAGE = PageParameters()


# -- sites ------------------------------------------------------------------------------------


@blp.route("/sites")
@blp.doc(operationId="jsm_sites")
@blp.query(_PAGE)
@blp.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID)
@blp.response(
    200,
    list_or_page(JsmSiteSchema, "sites"),
    description="All sites, by id; one page where startAt or maxResults is given",
)
def list_sites(wish: Wish) -> Response:
    """List the sites of the cloud."""
    return list_response(jsm_sites.find_sites(wish), "sites", _SITE)


@blp.route("/sites", methods=["POST"])
@blp.doc(operationId="create_jsm_site", requestBody=body_of(_SITE))
@blp.raises(*ENTRY_FAULTS, *BODY_FAULTS, Fault.JSM_SITE_TAKEN)
@blp.response(201, JsmSiteSchema, description="The site", headers={**ETAG, **LOCATION})
def create_site() -> Response:
    """Create a site, which has no roles yet."""
    created = jsm_sites.create_site(read_body(_SITE))
    return created_response(created, _SITE, created.entry.cloud_id)


@blp.route("/sites/<cloud_id>")
@blp.doc(operationId="jsm_site")
@blp.raises(*ENTRY_FAULTS, Fault.JSM_SITE_UNKNOWN)
@blp.response(200, JsmSiteSchema, description="The site", headers=ETAG)
def show_site(cloud_id: str) -> Response:
    """Show a site."""
    return one_response(jsm_sites.show_site(cloud_id), _SITE)


@blp.route("/sites/<cloud_id>", methods=["PUT"])
@blp.doc(operationId="edit_jsm_site", requestBody=body_of(_SITE), parameters=[IF_MATCH])
@blp.raises(*ENTRY_FAULTS, *BODY_FAULTS, Fault.JSM_SITE_UNKNOWN, Fault.VERSION_STALE)
@blp.response(200, JsmSiteSchema, description="The site as it is now", headers=ETAG)
def edit_site(cloud_id: str) -> Response:
    """Replace a site: its name, administrators and switches; its roles stay."""
    given: JsmSite = read_body(_SITE)
    if given.cloud_id != cloud_id:
        raise Problem(Fault.VALUE_INVALID, path="cloudId", reason=f"is {cloud_id} in the address")
    return one_response(jsm_sites.edit_site(given, versions=expected_versions()), _SITE)


@blp.route("/sites/<cloud_id>", methods=["DELETE"])
@blp.doc(operationId="delete_jsm_site", parameters=[IF_MATCH])
@blp.raises(*ENTRY_FAULTS, Fault.JSM_SITE_UNKNOWN, Fault.VERSION_STALE, Fault.JSM_SITE_IN_USE)
@blp.response(204, description="The site is gone")
def delete_site(cloud_id: str) -> Response:
    """Delete a site that has no roles."""
    jsm_sites.delete_site(cloud_id, versions=expected_versions())
    return Response(status=204)


# -- users ------------------------------------------------------------------------------------


@blp.route("/sites/<cloud_id>/users")
@blp.doc(operationId="jsm_users")
@blp.query(_PAGE)
@blp.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID, Fault.JSM_SITE_UNKNOWN)
@blp.response(
    200,
    list_or_page(MemberSchema, "users"),
    description="Everybody who has an account id; one page where startAt or maxResults is given",
)
def list_users(wish: Wish, cloud_id: str) -> Response:
    """List users with their roles on the site, and the rights that follow."""
    return list_response(custom_roles.find_members(cloud_id, wish), "users", _MEMBER)


@blp.route("/sites/<cloud_id>/users/<account_id>")
@blp.doc(operationId="jsm_user")
@blp.raises(*ENTRY_FAULTS, Fault.JSM_SITE_UNKNOWN, Fault.JSM_USER_UNKNOWN)
@blp.response(200, MemberSchema, description="The user")
def show_user(cloud_id: str, account_id: str) -> Response:
    """Show a user's role on the site, and the rights that follow."""
    return json_response(_MEMBER.dump(custom_roles.show_member(cloud_id, account_id)))


@blp.route("/sites/<cloud_id>/users/<account_id>/role", methods=["DELETE"])
@blp.doc(operationId="unassign_jsm_role")
@blp.raises(*ENTRY_FAULTS, Fault.JSM_SITE_UNKNOWN, Fault.JSM_USER_UNKNOWN)
@blp.response(204, description="The user has the built-in role, as at the start")
def unassign_role(cloud_id: str, account_id: str) -> Response:
    """Take a user's custom role away."""
    custom_roles.unassign_role(cloud_id, account_id)
    return Response(status=204)


@blp.route("/rights")
@blp.doc(operationId="jsm_rights")
@blp.raises(*ENTRY_FAULTS)
@blp.response(200, RightSchema(many=True), description="Every known right")
def list_rights() -> Response:
    """List the rights that are known by name."""
    return json_response(_RIGHT.dump(RIGHTS.values(), many=True))


# -- tokens -----------------------------------------------------------------------------------


@blp.route("/tokens")
@blp.doc(operationId="jsm_tokens")
@blp.query(_PAGE)
@blp.raises(*ENTRY_FAULTS, Fault.PARAMETER_INVALID)
@blp.response(
    200,
    list_or_page(JsmTokenSchema, "tokens"),
    description="All tokens, by id; one page where startAt or maxResults is given",
)
def list_tokens(wish: Wish) -> Response:
    """List API tokens and OAuth 2.0 tokens, expired ones among them."""
    return list_response(jsm_tokens.find_tokens(wish), "tokens", _TOKEN)


@blp.route("/tokens", methods=["POST"])
@blp.doc(operationId="create_jsm_token", requestBody=body_of(_NEW_TOKEN))
@blp.raises(*ENTRY_FAULTS, *BODY_FAULTS)
@blp.response(201, TokenHandedOutSchema, description="The token, which is shown this once")
def create_token() -> Response:
    """Make a token for a user."""
    made = jsm_tokens.create_token(g.actor, read_body(_NEW_TOKEN))
    return json_response({**_TOKEN.dump(made.token), "token": made.secret}, 201)


@blp.route("/tokens/<int:token_id>", methods=["DELETE"])
@blp.doc(operationId="revoke_jsm_token")
@blp.raises(*ENTRY_FAULTS, Fault.JSM_TOKEN_UNKNOWN)
@blp.response(204, description="Nobody signs in by the token any more")
def revoke_token(token_id: int) -> Response:
    """Revoke a token."""
    jsm_tokens.revoke_token(g.actor, token_id)
    return Response(status=204)
