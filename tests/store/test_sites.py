"""Whole sites in and out of the database, on both engines."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from playhouse.test_utils import count_queries

from herzum_approval.domain import site_checks
from herzum_approval.domain.approvals import Approver, ApproverKind, Match
from herzum_approval.domain.candidates import derive
from herzum_approval.domain.sites import Site
from herzum_approval.services import snapshot
from herzum_approval.store import sites, tables
from herzum_approval.store.site_rows import to_rows, to_site
from tests.site_strategies import sites as whole_sites

quickly = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
several_times = settings(quickly, max_examples=25)


def write(database, site, progress=None):
    with database.connection_context(), database.atomic():
        sites.restore(database, to_rows(site, derive(site)), progress)


def read(database):
    with database.connection_context():
        return sites.read_site(database)


def rows_of(database, table):
    with database.connection_context():
        return set(sites.capture(database)[table])


@pytest.fixture
def demonstration(engine, settings):
    snapshot.reset()
    return read(engine)


@given(whole_sites())
@quickly
def test_rows_say_all_that_a_site_says(site):
    assert list(site_checks.faults(site)) == []
    assert to_site(to_rows(site, derive(site))) == site


@given(site=whole_sites())
@several_times
def test_what_was_written_reads_back_equal(engine, site):
    write(engine, site)
    assert read(engine) == site


def test_an_empty_site_takes_the_place_of_everything(engine, demonstration):
    write(engine, Site())
    assert read(engine) == Site()
    documents = (tables.SiteVersion, tables.SiteDocument)
    for table in (each for each in tables.ALL_TABLES if each not in documents):
        assert rows_of(engine, table) == set(), table


def test_captured_rows_are_put_back_whatever_happened_since(engine, demonstration):
    with engine.connection_context():
        before = sites.capture(engine)
        tables.IssueApproval.delete().execute(engine)
        tables.User.update(email="").execute(engine)
        tables.Session.insert(token_digest="x", username="bob", created_at=None, seen_at=None)
    with engine.connection_context(), engine.atomic():
        sites.restore(engine, before)
    assert read(engine) == demonstration


def test_new_rows_are_numbered_after_the_written_ones(engine, demonstration):
    with engine.connection_context():
        tables.ConditionalRule.insert(name="first", jql="").execute(engine)
        tables.Status.insert(name="next", category="new").execute(engine)
        assert tables.ConditionalRule.select(tables.ConditionalRule.id).scalar(engine) == 1
        highest = tables.Status.select(tables.Status.id).order_by(tables.Status.id.desc())
        assert highest.scalar(engine) == 10003


def test_definitions_get_a_version_that_no_earlier_state_had(engine, demonstration):
    def version():
        with engine.connection_context():
            return tables.Approval.select(tables.Approval.version).order_by(tables.Approval.id).scalar(engine)

    first = version()
    with engine.connection_context():
        captured = sites.capture(engine)
        tables.Approval.update(version=first + 10).execute(engine)
    write(engine, Site())
    with engine.connection_context(), engine.atomic():
        sites.restore(engine, captured)
    assert version() > first + 10


def test_writing_takes_few_statements_and_reading_one_for_each_table(engine, demonstration):
    with count_queries() as written:
        write(engine, demonstration)
    assert written.count <= len(tables.ALL_TABLES) + 3
    with count_queries() as read_queries:
        read(engine)
    assert read_queries.count <= len(tables.ALL_TABLES) + 2


def test_progress_is_told_by_chunks_and_at_the_end(engine, demonstration, monkeypatch):
    monkeypatch.setattr(sites, "CHUNK", 20)
    told = []
    write(engine, demonstration, lambda *each: told.append(each))
    total = told[-1][2]
    assert told[-1] == ("rows", total, total)
    assert 2 < len(told) <= total / 20 + 1
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})


# -- what is worked out -----------------------------------------------------------------------


def candidates(database):
    return {(record_id, principal) for principal, _, record_id in rows_of(database, tables.Candidate)}


def test_open_records_and_their_candidates_are_worked_out(engine, demonstration):
    names = [field.column_name for field in tables.IssueApproval._meta.sorted_fields]
    places = [names.index(name) for name in ("id", "is_open", "project_id")]
    found = {tuple(row[place] for place in places) for row in rows_of(engine, tables.IssueApproval)}
    assert found == {
        (11, True, 10300),
        (13, True, 10300),
        (21, True, 10300),
        (75, True, 10000),
        (76, False, 10000),  # its status is not reached
        (77, True, 10000),
        (78, True, 10000),
        (90, False, 10101),  # a configuration row
    }
    assert candidates(engine) == {
        (11, "user:admin"),
        (11, "user:bob"),
        (13, "user:admin"),
        (21, "user:admin"),
        (21, "group:approvers"),
        (75, "user:admin"),
        (77, "user:admin"),
        (77, "user:bob"),
        (78, "user:admin"),
        (78, "user:bob"),
    }


def test_a_standing_of_several_conditions_is_one_composite_principal(engine, demonstration):
    both = (
        Approver(kind=ApproverKind.GROUP, value="jira-software-users"),
        Approver(kind=ApproverKind.GROUP, value="approvers"),
    )
    but_bob = (*both[1:], Approver(kind=ApproverKind.USER, value="bob", is_excluded=True))
    changed = {1: {"approvers": both, "match": Match.ALL}, 3: {"approvers": but_bob}}
    approvals = tuple(replace(each, **changed.get(each.id, {})) for each in demonstration.approvals)
    write(engine, replace(demonstration, approvals=approvals))
    definitions = dict(rows_of(engine, tables.CompositePrincipal))
    by_text = {text: number for number, text in definitions.items()}
    of_1 = by_text['{"one_of":[["group:approvers"],["group:jira-software-users"]],"none_of":[]}']
    of_3 = by_text['{"one_of":[["group:approvers"]],"none_of":["user:bob"]}']
    assert len(definitions) == 2
    assert rows_of(engine, tables.CompositePart) == {("group:approvers", of_1), ("group:approvers", of_3)}
    assert candidates(engine) >= {
        (11, f"composite:{of_3}"),
        (21, f"composite:{of_1}"),
        (77, f"composite:{of_3}"),
        (78, f"composite:{of_3}"),
    }


def test_browsers_and_roles_become_principals_as_callers_have_them(engine, demonstration):
    browsers = ("anyone", "user:dave", "group:approvers", "role:10002", "lead")
    projects = tuple(
        replace(each, browsers=browsers, lead=None if each.id == 10200 else "alice")
        for each in demonstration.projects
        if each.id in (10000, 10200)
    )
    write(engine, Site(**{**_without_issues(demonstration), "projects": projects}))
    assert rows_of(engine, tables.ProjectBrowser) >= {
        (10000, 0, "anyone", "anyone"),
        (10000, 1, "user:dave", "user:dave"),
        (10000, 2, "group:approvers", "group:approvers"),
        (10000, 3, "role:10002", "role:10000/10002"),
        (10000, 4, "lead", "user:alice"),
        (10200, 4, "lead", "user:"),
    }
    assert (10000, 10002, 0, "group:jira-administrators") in rows_of(engine, tables.RoleActor)


def _without_issues(site):
    kept = ("groups", "users", "issue_types", "statuses", "workflows", "workflow_schemes", "project_roles")
    return {name: getattr(site, name) for name in kept}


def test_names_are_kept_folded(engine, demonstration):
    with engine.connection_context():
        approvals = tables.Approval.select(tables.Approval.name_key).tuples().execute(engine)
        assert ("roberto pupo",) in list(approvals)


# -- what the engine finds --------------------------------------------------------------------


def test_a_sound_database_has_no_engine_faults(engine, demonstration):
    with engine.connection_context():
        assert sites.engine_faults(engine) == []


def test_a_dangling_reference_in_the_file_is_found(sqlite_database):
    with sqlite_database.connection_context():
        sqlite_database.execute_sql("PRAGMA foreign_keys = 0")
        sqlite_database.execute_sql("INSERT INTO single_issue_configuration (issue_id) VALUES (7)")
        assert sites.engine_faults(sqlite_database) == [
            "single_issue_configuration row 7 refers to nothing in issue"
        ]
