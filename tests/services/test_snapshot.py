"""The snapshot document: what it says, and what it is refused for."""

import copy
import json
import re
from dataclasses import fields, is_dataclass
from importlib.resources import files
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from herzum_approval import store
from herzum_approval.domain.issue_approvals import SearchFilters
from herzum_approval.domain.people import Actor
from herzum_approval.domain.sites import FORMAT, Site
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import (
    databases,
    issue_approvals,
    jsm_tokens,
    logins,
    passwords,
    snapshot,
)
from herzum_approval.services.site_documents import dump_site, load_site
from tests.site_strategies import HASH, sites

DEMO = json.loads(files("herzum_approval").joinpath("data", "demo.json").read_text(encoding="utf-8"))


def changed(*path, to):
    """The demonstration's document with another value at a path; an entry past the end is added."""
    document = copy.deepcopy(DEMO)
    place = document
    for step in path[:-1]:
        place = place[step] if isinstance(place, list) or step in place else place.setdefault(step, {})
    if isinstance(place, list) and path[-1] == len(place):
        place.append(to)
    else:
        place[path[-1]] = to
    return document


def without(*path):
    document = copy.deepcopy(DEMO)
    place = document
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return document


def refusal(document):
    """Path and reason for which a document is refused; no database is there to be changed."""
    with pytest.raises(Problem) as caught:
        snapshot.import_all(document)
    assert caught.value.fault is Fault.SNAPSHOT_REFUSED
    return caught.value.details["path"], caught.value.details["reason"]


# -- there and back ---------------------------------------------------------------------------


@given(sites())
@hypothesis_settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_a_document_says_all_that_a_site_says(site):
    assert load_site(json.loads(json.dumps(dump_site(site)))) == site


@given(site=sites())
@hypothesis_settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
def test_import_then_export_is_the_same(engine, settings, site):
    document = dump_site(site)
    snapshot.import_all(document)
    assert snapshot.export_all() == document


def test_the_demonstration_site_comes_back_as_it_was_written(engine, settings):
    snapshot.import_all(DEMO)
    once = snapshot.export_all()
    snapshot.import_all(once)
    assert snapshot.export_all() == once
    assert _without_secrets(once) == _without_secrets(dump_site(load_site(_plain(DEMO))))


def _plain(document):
    """The document with nothing in it that an import makes something else of."""
    sealed = {"key_id": "", "ciphertext": "", "digest": ""}
    plain = _without_secrets(document)
    keys = [{**key, **sealed} for key in plain["api_keys"]]
    return jsm_tokens.with_digests({**plain, "api_keys": keys})


def _without_secrets(document):
    secrets = ("password", "password_hash", "value", "key_id", "ciphertext", "digest")
    return {
        **document,
        **{
            collection: [
                {name: value for name, value in entry.items() if name not in secrets}
                for entry in document[collection]
            ]
            for collection in ("users", "api_keys")
        },
    }


def test_defaults_are_left_out():
    assert dump_site(load_site({"format": FORMAT, "licence": {"state": "valid"}, "users": []})) == {
        "format": FORMAT
    }


def test_moments_are_spelt_in_one_way():
    for spelling in ("2023-01-20T09:59:16Z", "2023-01-20T11:59:16.000+02:00", "2023-01-20T09:59:16.00Z"):
        document = _plain(changed("issues", 0, "created_at", to=spelling))
        assert dump_site(load_site(document))["issues"][0]["created_at"] == "2023-01-20T09:59:16.000Z"


def test_a_whole_number_serves_as_any_number():
    path = ("approval_mappings", 0, "settings", "minimum_approbations")
    document = _plain(changed(*path, to=2))
    assert load_site(document).approval_mappings[0].settings.minimum_approbations == 2.0


def test_passwords_are_hashed_and_hashes_taken_as_they_are(engine, settings):
    users = [
        {"id": 1, "username": "ann", "display_name": "Ann", "password": "é" * 50},
        {"id": 2, "username": "ben", "display_name": "Ben", "password_hash": HASH},
        {"id": 3, "username": "cat", "display_name": "Cat"},
    ]
    told = []
    snapshot.import_all({"format": FORMAT, "users": users}, lambda *each: told.append(each))
    ann, ben, cat = snapshot.export_all()["users"]
    assert passwords.check_password("é" * 50, ann["password_hash"])
    assert not passwords.check_password("é" * 49, ann["password_hash"])
    assert ann["password_hash"].startswith("$2b$04$")
    assert ben["password_hash"] == HASH
    assert "password_hash" not in cat
    assert told[0] == ("passwords", 1, 1)
    assert told[-1][0] == "rows"
    assert told[-1][1] == told[-1][2]


def test_of_tokens_the_digest_alone_is_kept(engine, settings):
    snapshot.import_all(DEMO)
    exported = json.dumps(snapshot.export_all())
    for token in DEMO["jsm_tokens"]:
        assert token["token"] not in exported
        assert jsm_tokens.digest_of(token["token"]) in exported


# -- refusals ---------------------------------------------------------------------------------

USER = {"id": 1, "username": "zoe", "display_name": "Zoe"}
ROLE_IDS = [role["id"] for role in DEMO["custom_roles"]]
TRANSITION = {"id": 11, "name": "Again", "destination_status_id": 1}
RULE = {"id": 1, "name": "rule", "jql": "project = TEST"}
EVENT = {"id": 1, "at": "2023-01-20T09:59:16Z", "kind": "APPROVED", "issue_id": 12305}
LONG_AGO = "0001-01-01T00:00:00+14:00"

SHAPES = [
    ([], "document", "must be an object, not a list"),
    (None, "document", "must be an object, not null"),
    ({}, "format", "is missing"),
    ({"format": "herzum-approval/2"}, "format", "is 'herzum-approval/1' in this version"),
    ({"format": 1}, "format", "must be a text, not a number"),
    (changed("user", to=[]), "user", "is no key of the document"),
    (changed("users", 2, "usernam", to="x"), "users[2].usernam", "is no key of the document"),
    (without("users", 2, "username"), "users[2].username", "is missing"),
    (changed("users", to={}), "users", "must be a list, not an object"),
    (changed("users", to="abc"), "users", "must be a list, not a text"),
    (changed("users", 1, to=5), "users[1]", "must be an object, not a number"),
    (changed("users", 1, "id", to=True), "users[1].id", "must be a whole number, not a boolean"),
    (changed("users", 1, "id", to="5"), "users[1].id", "must be a whole number, not a text"),
    (changed("users", 1, "id", to=5.0), "users[1].id", "must be a whole number, not a number"),
    (changed("users", 1, "id", to=2**31), "users[1].id", "more than 32 bits"),
    (changed("users", 1, "email", to=None), "users[1].email", "must be a text, not null"),
    (changed("users", 1, "is_active", to=1), "users[1].is_active", "must be true or false"),
    (changed("users", 1, "groups", to="abc"), "users[1].groups", "must be a list, not a text"),
    (changed("users", 1, "groups", 1, to=7), "users[1].groups[1]", "must be a text, not a number"),
    (changed("users", 1, "email", to="a\0b"), "users[1].email", "cannot be stored"),
    (changed("users", 1, "email", to="\ud83d"), "users[1].email", "cannot be stored"),
    (changed("users", 1, "password_hash", to=HASH), "users[1].password", "stands beside a password_hash"),
    (changed("users", 1, "password", to=5), "users[1].password", "must be a text that is not empty"),
    (changed("users", 1, "password", to=""), "users[1].password", "must be a text that is not empty"),
    (changed("users", 1, "password", to="\udc00"), "users[1].password", "cannot be stored"),
    (changed("licence", "state", to="gone"), "licence.state", "must be one of 'valid', 'expired'"),
    (changed("issues", 0, "fields", to=[]), "issues[0].fields", "must be an object, not a list"),
    (
        changed("issues", 0, "fields", to={"customfield_1": ["bob", 5]}),
        "issues[0].fields.customfield_1[1]",
        "must be a text, not a number",
    ),
    *(
        (changed("issues", 0, "created_at", to=text), "issues[0].created_at", "must be a moment such as")
        for text in ("2023-01-20", "2023-01-20T09:59:16", "2023-13-20T09:59:16Z", LONG_AGO)
    ),
    (changed("issues", 0, "created_at", to=0), "issues[0].created_at", "must be a text, not a number"),
    (
        changed("approval_mappings", 0, "settings", "abstain_override", to=True),
        "approval_mappings[0].settings.abstain_override",
        "must be one of 0, 1, 2",
    ),
    (
        changed("approval_mappings", 0, "settings", "minimum_rejections", to=True),
        "approval_mappings[0].settings.minimum_rejections",
        "must be a number, not a boolean",
    ),
    (
        changed("approval_mappings", 0, "settings", "minimum_rejections", to=float("inf")),
        "approval_mappings[0].settings.minimum_rejections",
        "must be a finite number",
    ),
    (
        changed("workflow_schemes", 2, "by_issue_type", to={"1O002": 3}),
        "workflow_schemes[2].by_issue_type.1O002",
        "is no id",
    ),
    (
        changed("workflow_schemes", 2, "by_issue_type", to={"9999999999": 3}),
        "workflow_schemes[2].by_issue_type.9999999999",
        "more than 32 bits",
    ),
    (
        changed("workflow_schemes", 2, "by_issue_type", to={"10002": "3"}),
        "workflow_schemes[2].by_issue_type.10002",
        "must be a whole number, not a text",
    ),
    (
        changed("workflow_schemes", 2, "by_issue_type", to=[]),
        "workflow_schemes[2].by_issue_type",
        "must be an object, not a list",
    ),
    (
        changed("history", to=[{**EVENT, "details": {"a": json.loads("[" * 99 + "]" * 99)}}]),
        "history[0].details",
        "is nested deeper than 32 levels",
    ),
]

SPELLINGS = [
    (changed("users", 0, "id", to=0), "users[0].id", "0 is less than 1"),
    (changed("issue_approvals", 0, "version", to=0), "issue_approvals[0].version", "0 is less than 1"),
    (
        changed("issue_approvals", 0, "settings", "minimum_approbations", to=-0.5),
        "issue_approvals[0].settings.minimum_approbations",
        "-0.5 is neither -1.0 (all) nor 0 or more",
    ),
    (changed("users", 0, "username", to=" admin"), "users[0].username", "is not spelt as it must be"),
    (changed("groups", 0, "name", to=""), "groups[0].name", "is not spelt as it must be"),
    (changed("projects", 0, "key", to="test"), "projects[0].key", "is not spelt as it must be"),
    (changed("issues", 0, "key", to="SOFT-01"), "issues[0].key", "is not spelt as it must be"),
    (
        {"format": FORMAT, "users": [{**USER, "password_hash": "secret"}]},
        "users[0].password_hash",
        "is not spelt as it must be",
    ),
]

DUPLICATES = [
    (changed("users", 1, "id", to=10000), "users[1].id", "10000 is there already"),
    (changed("users", 1, "username", to="ADMIN"), "users[1].username", "'ADMIN' is there already"),
    (changed("users", 0, "groups", 0, to="jira-software-users"), "users[0].groups[1]", "is there already"),
    (changed("groups", 1, "name", to="approvers"), "groups[1].name", "is there already"),
    (changed("projects", 1, "key", to="TEST"), "projects[1].key", "is there already"),
    (changed("issues", 1, "key", to="SOFT-1"), "issues[1].key", "is there already"),
    (changed("issue_approvals", 1, "id", to=11), "issue_approvals[1].id", "is there already"),
    (changed("approvals", 1, "name", to="tech"), "approvals[1].name", "is there already"),
    (changed("workflows", 1, "name", to="Classic Workflow"), "workflows[1].name", "is there already"),
    (
        changed("workflows", 0, "transitions", 3, to=TRANSITION),
        "workflows[0].transitions[3].id",
        "11 is there already",
    ),
    (
        changed("projects", 0, "roles", 3, to={"role_id": 10000, "users": ["bob"]}),
        "projects[0].roles[3].role_id",
        "is there already",
    ),
    (changed("approval_mappings", 1, "transition_id", to=11), "approval_mappings[1]", "is mapped already"),
    (
        changed(
            "approval_mappings",
            9,
            to={**DEMO["approval_mappings"][7], "id": 10, "approvals": [{"approval_id": 1}]},
        ),
        "approval_mappings[9]",
        "its scope is mapped already",
    ),
]

DANGLING = [
    (changed("users", 0, "groups", 0, to="x"), "users[0].groups[0]", "'x' is the name of none of the groups"),
    (changed("workflows", 0, "status_ids", 0, to=99), "workflows[0].status_ids[0]", "none of the statuses"),
    (
        changed("workflow_schemes", 0, "default_workflow_id", to=99),
        "workflow_schemes[0].default_workflow_id",
        "99 is the id of none of the workflows",
    ),
    (
        changed("workflow_schemes", 0, "by_issue_type", to={"99": 1}),
        "workflow_schemes[0].by_issue_type.99",
        "none of the issue_types",
    ),
    (
        changed("workflow_schemes", 0, "by_issue_type", to={"10002": 99}),
        "workflow_schemes[0].by_issue_type.10002",
        "none of the workflows",
    ),
    (changed("projects", 0, "lead", to="eve"), "projects[0].lead", "none of the users"),
    (changed("projects", 0, "browsers", 0, to="user:eve"), "projects[0].browsers[0]", "none of the users"),
    (
        changed("projects", 0, "browsers", 0, to="role:7"),
        "projects[0].browsers[0]",
        "none of the project_roles",
    ),
    (
        changed("projects", 0, "browsers", 0, to="role:x"),
        "projects[0].browsers[0]",
        "none of the project_roles",
    ),
    *(
        (
            changed("projects", 0, "browsers", 0, to=text),
            "projects[0].browsers[0]",
            "no principal that can stand",
        )
        for text in ("everybody", "lead:bob", "group", "composite:1")
    ),
    (changed("issues", 0, "reporter", to="eve"), "issues[0].reporter", "none of the users"),
    (
        changed("issues", 0, "fields", to={"customfield_1": ["bob"]}),
        "issues[0].fields.customfield_1",
        "none of the custom_fields",
    ),
    (
        changed("approvals", 0, "approvers", 0, "value", to="eve"),
        "approvals[0].approvers[0].value",
        "of the users",
    ),
    (
        changed("issue_approvals", 3, "approval_id", to=99),
        "issue_approvals[3].approval_id",
        "of the approvals",
    ),
    (
        changed("issue_approvals", 3, "mapping_id", to=99),
        "issue_approvals[3].mapping_id",
        "of the approval_map",
    ),
    (
        changed("issue_approvals", 0, "mapping_id", to=3),
        "issue_approvals[0].mapping_id",
        "the mapping is for other issues",
    ),
    (
        changed("issue_approvals", 5, "mapping_id", to=7),
        "issue_approvals[5].mapping_id",
        "the mapping is for other issues",
    ),
    (
        changed("issue_approvals", 3, "target", to="role:10000"),
        "issue_approvals[3].target",
        "is no principal",
    ),
    (
        changed("issue_approvals", 3, "target", to="user:eve"),
        "issue_approvals[3].target",
        "none of the users",
    ),
    (changed("approval_mappings", 6, "issue_id", to=12400), "approval_mappings[6].issue_id", "single_issue"),
    (
        changed("approval_mappings", 0, "settings", "conditional_rule_id", to=1),
        "approval_mappings[0].settings.conditional_rule_id",
        "none of the conditional_rules",
    ),
    (
        changed("configuration", "super_approver_groups", to=["x"]),
        "configuration.super_approver_groups[0]",
        "none of the groups",
    ),
    (changed("login_records", to=[{"username": "eve"}]), "login_records[0].username", "none of the users"),
]

PICKERS = [
    {"id": "customfield_1", "name": "Users", "type": "user picker"},
    {"id": "customfield_2", "name": "Groups", "type": "group picker"},
    {"id": "customfield_3", "name": "Addresses", "type": "mail field"},
]


def approver(**given):
    return {**changed("approvals", 0, "approvers", 0, to=given), "custom_fields": PICKERS}


APPROVERS = [
    (approver(kind="reporter", value="bob"), "value", "the property 'reporter' has no value"),
    (approver(kind="user picker", value="customfield_3"), "value", "'customfield_3' is a mail field"),
    (approver(kind="group"), "value", "the property 'group' needs a value"),
    (approver(kind="project role", value="Users"), "value", "none of the project_roles"),
    (approver(kind="group picker", value="customfield_1"), "value", "'customfield_1' is a user picker"),
    (approver(kind="user picker", value="customfield_2"), "value", "'customfield_2' is a group picker"),
    (approver(kind="group", value="approvers", is_excluded=True), "kind", "both includes and excludes"),
]

MISFITS = [
    (
        changed("workflows", 0, "transitions", 0, "destination_status_id", to=10001),
        "destination_status_id",
        "no status",
    ),
    (
        changed("workflows", 0, "transitions", 0, "source_status_ids", to=[10001]),
        "source_status_ids[0]",
        "no status",
    ),
    (
        changed("issues", 0, "key", to="TEST-9"),
        "issues[0].key",
        "does not begin with its project's key 'SOFT'",
    ),
    (changed("issues", 0, "status_id", to=6), "issues[0].status_id", "6 is no status of its workflow"),
    (
        changed("approval_mappings", 0, "transition_id", to=99),
        "approval_mappings[0].transition_id",
        "no transition",
    ),
    (
        changed("approval_mappings", 3, "transition_id", to=111),
        "approval_mappings[3].transition_id",
        "111 is no transition from status 1 in 'Classic Workflow'",
    ),
    (
        changed("approval_mappings", 3, "source_status_id", to=10001),
        "approval_mappings[3].transition_id",
        "the status 10001 is not in the workflow",
    ),
    (
        changed("approval_mappings", 3, "settings", "rejection_transition_id", to=111),
        "approval_mappings[3].settings.rejection_transition_id",
        "111 is no transition from status 1",
    ),
    (
        changed("approval_mappings", 8, "project_id", to=10100),
        "approval_mappings[8].issue_id",
        "of another project or issue type",
    ),
    (
        changed("workflows", 1, "is_system", to=True),
        "approval_mappings[0]",
        "a system workflow takes no approvals",
    ),
    (
        changed("issue_approvals", 0, "approval_status", to="APPROVED"),
        "issue_approvals[0].decided_at",
        "exactly where",
    ),
    (
        changed("issue_approvals", 0, "decided_at", to="2023-01-20T09:59:16Z"),
        "issue_approvals[0].decided_at",
        "is there exactly where a decision is",
    ),
    (
        changed("issue_approvals", 0, "approver_username", to="bob"),
        "issue_approvals[0].approver_username",
        "is there exactly where a decision is",
    ),
    (
        changed("issue_approvals", 0, "transition_id", to=5),
        "issue_approvals[0].transition_id",
        "5 is no transition",
    ),
    (
        changed("projects", 0, "roles", 0, "groups", to=[]),
        "projects[0].roles[0]",
        "names neither users nor groups",
    ),
    (
        {**changed("issues", 0, "fields", to={"customfield_1": []}), "custom_fields": PICKERS},
        "issues[0].fields.customfield_1",
        "is empty",
    ),
    (
        {**changed("issues", 0, "fields", to={"customfield_2": ["bob"]}), "custom_fields": PICKERS},
        "issues[0].fields.customfield_2[0]",
        "none of the groups",
    ),
    (
        {**changed("issues", 0, "fields", to={"customfield_3": ["a@b", "bob"]}), "custom_fields": PICKERS},
        "issues[0].fields.customfield_3[1]",
        "is no e-mail address",
    ),
    (
        changed("custom_roles", 1, "name", to="FinanceRole"),
        "custom_roles[1].name",
        "is there already",
    ),
    (
        changed("role_assignments", to=[{"username": "bob", "role_id": each} for each in ROLE_IDS[:2]]),
        "role_assignments[1]",
        "has a role on this site already",
    ),
    (
        changed("role_assignments", to=[{"username": "nobody", "role_id": ROLE_IDS[0]}]),
        "role_assignments[0].username",
        "none of the users",
    ),
    (
        changed("jsm_sites", 0, "administrators", to=["nobody"]),
        "jsm_sites[0].administrators[0]",
        "none of the users",
    ),
    (changed("jsm_sites", 0, "cloud_id", to="a b"), "jsm_sites[0].cloud_id", "not spelt as it must be"),
    (changed("jsm_tokens", 1, "token", to="demo-token-admin"), "jsm_tokens[1].token_digest", "there already"),
    (changed("jsm_tokens", 1, "token", to=""), "jsm_tokens[1].token", "must be a text that is not empty"),
    (changed("jsm_tokens", 1, "token", to=5), "jsm_tokens[1].token", "must be a text that is not empty"),
    (changed("jsm_tokens", 1, "token_digest", to="0" * 64), "jsm_tokens[1].token", "beside a token_digest"),
    (without("jsm_tokens", 1, "token"), "jsm_tokens[1].token_digest", "is missing"),
    (changed("jsm_tokens", 1, "scopes", to=["all"]), "jsm_tokens[1].scopes[0]", "must be one of"),
    (changed("jsm_tokens", 1, to=5), "jsm_tokens[1]", "must be an object"),
    (
        {"format": FORMAT, "workflows": [{"id": 1, "name": "w", "status_ids": [], "transitions": []}]},
        "workflows[0].status_ids",
        "is empty; a new issue needs a status",
    ),
]


@pytest.mark.parametrize(("document", "path", "reason"), SHAPES + SPELLINGS + DUPLICATES + DANGLING)
def test_refused_at(settings, document, path, reason):
    found_path, found_reason = refusal(document)
    assert found_path == path
    assert reason in found_reason


@pytest.mark.parametrize(("document", "ending", "reason"), APPROVERS + MISFITS)
def test_refused_for_what_does_not_fit(settings, document, ending, reason):
    path, found_reason = refusal(document)
    assert path.endswith(ending)
    assert reason in found_reason


def test_a_refused_document_changes_nothing(engine, settings):
    snapshot.reset()
    before = snapshot.export_all()
    refusal(changed("issue_approvals", 3, "approval_id", to=99))
    assert snapshot.export_all() == before


def test_a_failure_while_writing_changes_nothing(engine, settings):
    snapshot.reset()
    before = snapshot.export_all()

    def interrupted(name, done, total):
        if name == "rows":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        snapshot.import_all({"format": FORMAT}, interrupted)
    assert snapshot.export_all() == before


# -- reset ------------------------------------------------------------------------------------


def test_reset_puts_everything_back(engine, settings):
    snapshot.reset()
    seed = snapshot.export_all()
    logins.verify_password("bob", "wrong")
    logins.open_session(Actor(username="bob", display_name="Bob"))
    logins.set_password("admin", "other")
    with store.reading() as database:
        database.execute_sql("DELETE FROM history")
        database.execute_sql("UPDATE issue SET summary = 'changed'")
    assert snapshot.export_all() != seed
    snapshot.reset()
    assert snapshot.export_all() == seed
    assert "sessions" not in seed
    assert "login_records" not in seed


def test_reset_forgets_remembered_credentials(engine, settings):
    snapshot.reset()
    assert logins.verify_password("bob", "bob").actor is not None
    snapshot.reset()
    logins.verify_password("bob", "bob")
    # A remembered credential would not have been counted.
    assert logins.login_info("bob").login_count == 1


# -- the documentation ------------------------------------------------------------------------

PAGE = Path(__file__).parents[2].joinpath("docs", "snapshot.md").read_text(encoding="utf-8")


def test_the_documented_example_is_a_site(engine, settings):
    (text,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    snapshot.import_all(json.loads(text))
    assert databases.find_faults() == []
    actor = logins.verify_password("ann", "secret").actor
    (row,) = issue_approvals.search(actor, SearchFilters(username="ann")).rows
    assert row[issue_approvals.COLUMNS.index("record.id")] == 75


def test_every_key_is_documented():
    assert {name for name in _keys(Site) if f"`{name}`" not in PAGE} == set()


def _keys(cls):
    """Every key of the document, by its own name."""
    for field in fields(cls):
        yield field.name
        hint = get_type_hints(cls)[field.name]
        inner = get_args(hint)[0] if get_origin(hint) is tuple else hint
        if is_dataclass(inner):
            yield from _keys(inner)
