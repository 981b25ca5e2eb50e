"""What the database keeps worked out, compared with working it out again."""

from collections.abc import Iterator

from herzum_approval.domain.people import composite_principal
from herzum_approval.store import tables
from herzum_approval.store.rows import Row, SiteRows, columns
from herzum_approval.store.tables import Table

DERIVED: dict[type[Table], tuple[tuple[str, ...], tuple[str, ...]]] = {
    tables.User: (("id",), ("username_key",)),
    tables.ProjectBrowser: (("project_id", "position"), ("principal",)),
    tables.Approval: (("id",), ("name_key",)),
    tables.IssueApproval: (("id",), ("project_id", "is_open")),
    tables.RoleAssignment: (("username", "role_id"), ("cloud_id",)),
    tables.CompositePrincipal: (("definition",), ()),
    tables.CompositePart: (("principal", "composite_principal_id"), ()),
    tables.Candidate: (("principal", "approval_status", "issue_approval_id"), ()),
}
"""The columns that tell derived rows apart, and those whose values are compared."""


def differences(rows: SiteRows, expected: SiteRows) -> Iterator[str]:
    """Give each derived row that is missing, too many or has a wrong value.

    Composite principals are compared by what they stand for, not by number, and one that nothing
    needs any more may stay.
    """
    found_rows, expected_rows = _by_definition(rows), _by_definition(expected)
    for table, (key_names, value_names) in DERIVED.items():
        found = _keyed(table, found_rows[table], key_names, value_names)
        wanted = _keyed(table, expected_rows[table], key_names, value_names)
        if table in (tables.CompositePrincipal, tables.CompositePart):
            needed = {definition for _, definition in expected_rows[tables.CompositePrincipal]}
            found = {key: values for key, values in found.items() if key[-1] in needed}
        name = table._meta.table_name
        for key in sorted(found.keys() | wanted.keys()):
            title = f"{name} {', '.join(map(str, key))}"
            if key not in wanted:
                yield f"{title} should not be there"
            elif key not in found:
                yield f"{title} is missing"
            else:
                pairs = zip(value_names, found[key], wanted[key], strict=True)
                yield from (f"{title}: {value} is {is_}, not {be}" for value, is_, be in pairs if is_ != be)


def _keyed(
    table: type[Table], rows: list[Row], key_names: tuple[str, ...], value_names: tuple[str, ...]
) -> dict[Row, Row]:
    names = columns(table)
    keys = [names.index(name) for name in key_names]
    values = [names.index(name) for name in value_names]
    return {tuple(row[place] for place in keys): tuple(row[place] for place in values) for row in rows}


def _by_definition(rows: SiteRows) -> SiteRows:
    """Return the rows with the definition of each composite principal in the place of its number."""
    definitions: dict[int, str] = dict(rows[tables.CompositePrincipal])
    spelt = {composite_principal(number): text for number, text in definitions.items()}
    return rows | {
        tables.CompositePart: [(name, definitions[number]) for name, number in rows[tables.CompositePart]],
        tables.Candidate: [(spelt.get(name, name), *rest) for name, *rest in rows[tables.Candidate]],
    }
