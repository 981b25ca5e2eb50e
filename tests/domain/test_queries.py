"""What a query means: the table in docs/jql.md, and three-valued logic."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from herzum_approval.domain.jira import (
    Issue,
    IssueType,
    Project,
    Status,
    StatusCategory,
)
from herzum_approval.domain.jql import (
    And,
    Comparison,
    Facts,
    Field,
    Not,
    Operator,
    Or,
    Query,
    facts,
    matches,
    parse,
)
from herzum_approval.domain.queries import FIELD_NAMES
from tests.domain.jql_trees import TREES

PAGE = Path(__file__).parents[2] / "docs" / "jql.md"


# -- the table of the guide -------------------------------------------------------------------


def table(heading):
    """Return the rows of the guide's table whose first column is headed so, as lists of cells."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    end = next(place for place, line in enumerate(lines) if place > first and not line.startswith("|"))
    return [_cells(line) for line in (lines[first], *lines[first + 2 : end])]


def _cells(line):
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def documented_facts(row):
    key, id, project, issue_type, status, category, priority, labels, reporter, assignee = row
    project_key, project_name, project_id = project.split(", ")
    type_name, type_id = issue_type.split(", ")
    status_name, status_id = status.split(", ")
    return facts(
        Issue(
            id=int(id),
            key=key,
            project_id=int(project_id),
            issue_type_id=int(type_id),
            status_id=int(status_id),
            priority=priority,
            labels=tuple(labels.split(", ")) if labels else (),
            reporter=reporter or None,
            assignee=assignee or None,
        ),
        Project(id=int(project_id), key=project_key, name=project_name, workflow_scheme_id=1),
        IssueType(id=int(type_id), name=type_name),
        Status(id=int(status_id), name=status_name, category=StatusCategory(category)),
    )


ISSUES = {row[0]: documented_facts(row) for row in table("issue")[1:]}
HEAD, *ROWS = table("query")
CASES = [
    (row[0].strip("`"), key, answer == "yes")
    for row in ROWS
    for key, answer in zip(HEAD[1:], row[1:], strict=True)
]


@pytest.mark.parametrize(("text", "key", "expected"), CASES)
def test_the_guide_is_right(text, key, expected):
    assert matches(parse(text), ISSUES[key]) is expected


def test_the_table_of_the_guide_is_whole():
    assert set(HEAD[1:]) == set(ISSUES)
    assert len(CASES) > 150
    assert {answer for row in ROWS for answer in row[1:]} == {"yes", "–"}


def test_the_guide_names_every_field():
    rows = table("field")[1:]
    named = {name for row in rows for cell in row[:2] for name in re.findall(r"`(\w+)`", cell)}
    assert {name.lower() for name in named} == set(FIELD_NAMES)
    assert {row[0].strip("`") for row in rows} == set(Field)


@pytest.mark.parametrize(("place", "category"), list(enumerate(StatusCategory)))
def test_every_status_category_has_the_names_of_the_guide(place, category):
    known = documented_facts(["A-1", "1", "A, A, 1", "Bug, 1", "Open, 1", category.value, "", "", "", ""])
    cell = next(row[2] for row in table("field") if row[0] == "`statusCategory`")
    documented = re.findall(r"`(.+?)`", cell)
    assert len(documented) == 9
    matching = [name for name in documented if matches(parse(f"statusCategory = {name}"), known)]
    assert matching == documented[place::3]


@pytest.mark.parametrize("text", ["", " \n", "ORDER BY key"])
def test_a_query_without_condition_matches_every_issue(text):
    query = parse(text, allow_order=True)
    assert all(matches(query, known) for known in ISSUES.values())


# -- three-valued logic -----------------------------------------------------------------------

USERS = st.sampled_from([None, "", "alice", "Bob"])
FACTS = st.builds(
    Facts,
    issue_id=st.sampled_from([12305, 7]),
    issue_key=st.sampled_from(["TEST-1", "OPS-7"]),
    project_id=st.sampled_from([10000, 3]),
    project_key=st.sampled_from(["TEST", "OPS"]),
    project_name=st.sampled_from(["Test project", "Bug"]),
    issue_type_id=st.sampled_from([10004, 3]),
    issue_type=st.sampled_from(["Bug", "Task"]),
    status_id=st.sampled_from([3, 4]),
    status=st.sampled_from(["In Progress", "Done"]),
    status_category=st.sampled_from(StatusCategory),
    priority=st.sampled_from([None, "", "High", "Low"]),
    labels=st.lists(st.sampled_from(["backend", "Urgent", "next"]), max_size=3).map(tuple),
    reporter=USERS,
    assignee=USERS,
)

CATEGORY_NAMES = {
    StatusCategory.TO_DO: ["new", "To Do", "2"],
    StatusCategory.IN_PROGRESS: ["indeterminate", "In Progress", "4"],
    StatusCategory.DONE: ["done", "3"],
}
POSITIVE = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.NOT_IN: Operator.IN,
    Operator.IS_NOT: Operator.IS,
}


def names(known, field):
    """Return, in lower case, every name of what the issue has in the field."""
    having = {
        Field.PROJECT: [known.project_key, known.project_name, str(known.project_id)],
        Field.ISSUE_TYPE: [known.issue_type, str(known.issue_type_id)],
        Field.STATUS: [known.status, str(known.status_id)],
        Field.STATUS_CATEGORY: CATEGORY_NAMES[known.status_category],
        Field.PRIORITY: [known.priority],
        Field.LABELS: known.labels,
        Field.REPORTER: [known.reporter],
        Field.ASSIGNEE: [known.assignee],
        Field.KEY: [known.issue_key, str(known.issue_id)],
    }
    return [name.lower() for name in having[field] if name]


def truth(clause, known):
    """Return True, False or, for a condition on the value of an EMPTY field, None, as Kleene has it."""
    if isinstance(clause, Not):
        inner = truth(clause.clause, known)
        return None if inner is None else not inner
    if isinstance(clause, Comparison):
        if clause.operator in POSITIVE:
            positive = Comparison(clause.field, POSITIVE[clause.operator], clause.values)
            return truth(Not(positive), known)
        return equality(names(known, clause.field), clause.values)
    found = [truth(each, known) for each in clause.clauses]
    decisive = isinstance(clause, Or)
    if decisive in found:
        return decisive
    return None if None in found else not decisive


def equality(having, values):
    if not having:
        return True if None in values else None
    return any(value is not None and value.lower() in having for value in values)


@settings(deadline=None, max_examples=300)
@given(TREES, FACTS)
def test_matching_is_three_valued_logic(tree, known):
    assert matches(Query(tree), known) is (truth(tree, known) is True)


@settings(deadline=None)
@given(TREES, TREES, FACTS)
def test_not_is_carried_inwards(one, other, known):
    def matching(tree):
        return matches(Query(tree), known)

    assert matching(Not(Not(one))) is matching(one)
    assert matching(Not(And((one, other)))) is matching(Or((Not(one), Not(other))))
    assert matching(Not(Or((one, other)))) is matching(And((Not(one), Not(other))))
    assert not (matching(one) and matching(Not(one)))
