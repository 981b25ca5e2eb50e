"""Which writes raise the site's version, so that what is kept of what is administered is read again."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from peewee import Database

from herzum_approval import clock, config, services, store
from herzum_approval.domain.actions import Action
from herzum_approval.domain.approvals import Approval
from herzum_approval.domain.bulk_mappings import Operation, ScopeType
from herzum_approval.domain.bulk_requests import WrittenRequest, WrittenScope
from herzum_approval.domain.configuration import Configuration, LicenceState
from herzum_approval.domain.custom_roles import RoleDraft
from herzum_approval.domain.history import Message, MessageKind
from herzum_approval.domain.mappings import (
    ApprovalMapping,
    MappedApproval,
    MappingFilters,
)
from herzum_approval.errors import Problem
from herzum_approval.services import (
    accounts,
    approvals,
    bulk_mappings,
    configuration,
    custom_roles,
    issues,
    licence,
    logins,
    mappings,
    messages,
    people,
    snapshot,
)
from herzum_approval.services.custom_roles import RoleName
from herzum_approval.services.pages import Wish
from herzum_approval.store import people as stored_people
from herzum_approval.store.kept import site_version
from tests.services.sites import act, actor, given

DAILY = {
    "decisions._act",
    "issues.transition",
    "logins._compare",
    "logins._count_attempt",
    "logins._resolve_success",
    "logins._touch",
    "logins.close_session",
    "logins.open_session",
    "logins.unlock",
    "messages._path_mail_sent",
    "messages._sent",
}
"""Writes that change nothing which is kept under the site's version; the tests below do each of them."""

APART = {"api_keys", "approval_paths", "custom_roles", "http_calls", "sealed_keys"}
"""Services of other products: they write tables of their own, and no fact is read from those."""


@pytest.fixture(autouse=True)
def demonstration(engine: Database, settings: Any) -> None:
    snapshot.reset()


def version() -> int | None:
    with store.reading() as database:
        return site_version(database)


def edited(**changes: Any) -> ApprovalMapping:
    return replace(mappings.show_mapping(4).entry, **changes)


def copy_of_proc() -> WrittenRequest:
    return WrittenRequest(
        operation=Operation.COPY,
        type=ScopeType.PROJECT,
        source=WrittenScope(project_id="10100"),
        destinations=(WrittenScope(project_id="10200"),),
    )


SITE, CAROL = "11111111-2222-4333-8444-555555555555", "630a55c646556c72662aaaaa"
NEW_MAPPING = ApprovalMapping(
    id=0, project_id=10000, issue_type_id=10004, source_status_id=1, transition_id=5,
    approvals=(MappedApproval(approval_id=1),),
)  # fmt: skip
ADMIN = actor("admin")

ADMINISTRATION: dict[str, Callable[[], object]] = {
    "a user": lambda: accounts.create_user("eve", "eve"),
    "a password": lambda: logins.set_password("bob", "other"),
    "a user's end": lambda: logins.deactivate("bob"),
    "the licence": lambda: licence.set_licence(LicenceState.EXPIRED),
    "the configuration": lambda: configuration.edit_configuration(Configuration(is_reject_enabled=False)),
    "an approval": lambda: approvals.create_approval(Approval(id=0, name="new")),
    "an approval's name": lambda: approvals.edit_approval(
        ADMIN, replace(approvals.show_approval(1).entry, name="other")
    ),
    "an approval's end": lambda: approvals.delete_approval(4),
    "a mapping": lambda: mappings.create_mapping(ADMIN, NEW_MAPPING),
    "a mapping's approvals": lambda: mappings.edit_mapping(ADMIN, edited(approvals=())),
    "a mapping's end": lambda: mappings.delete_mapping(ADMIN, 4),
    "a bulk operation": lambda: bulk_mappings.run_bulk(ADMIN, copy_of_proc()),
    "another site": lambda: snapshot.import_all(snapshot.export_all()),
    "the first site": snapshot.reset,
}


@pytest.mark.parametrize("name", ADMINISTRATION)
def test_administration_raises_the_version(name: str) -> None:
    before = version()
    ADMINISTRATION[name]()
    assert version() not in (None, before)


def test_an_undone_bulk_operation_raises_it_again() -> None:
    operation = bulk_mappings.run_bulk(ADMIN, copy_of_proc())
    before = version()
    bulk_mappings.undo_bulk(ADMIN, operation.id)
    assert version() not in (None, before)


def test_the_first_administrator_raises_it(engine: Database) -> None:
    given(**{name: {"$replace": []} for name in snapshot.export_all() if name not in ("format", "licence")})
    before = version()
    accounts.create_first_administrator("eve", "eve")
    assert version() not in (None, before)
    assert people.is_administrator("eve")


def days_work() -> Iterator[tuple[str, Callable[[], object]]]:
    """Give what is done every day, with what it stands for."""
    for action in (Action.APPROVE, Action.RESET, Action.REJECT):
        yield action, lambda action=action: act("admin", 11, action)
    yield "move", lambda: issues.transition(ADMIN, "PROC-1", 131)
    yield "login", lambda: logins.verify_password("bob", "bob")
    yield "wrong login", lambda: logins.verify_password("bob", "wrong")
    yield "unlock", lambda: logins.unlock("bob")
    yield "session", lambda: logins.open_session(actor("bob"))
    yield "session's use", lambda: logins._touch("none", clock.now())
    yield "session's end", lambda: logins.close_session("none")
    role = custom_roles.create_role(SITE, RoleDraft(name="new")).entry
    named = RoleName(text=role.id)
    yield "assignment", lambda: custom_roles.assign_role(SITE, account_id=CAROL, role_id=role.id)
    yield "assignment's end", lambda: custom_roles.unassign_role(SITE, CAROL)
    yield "role's rights", lambda: custom_roles.update_role(SITE, named, RoleDraft(name="other"))
    yield "role's end", lambda: custom_roles.delete_role(SITE, named)


def test_a_days_work_does_not_raise_it() -> None:
    first = version()
    for name, work in days_work():
        work()
        assert version() == first, name


def test_a_message_that_was_sent_does_not_raise_it(monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message(
        id=1, recipient="user:bob", kind=MessageKind.REQUEST, created_at=clock.now(), issue_id=12400,
        issue_approval_id=77,
    )  # fmt: skip
    store.writing(
        lambda database: store.tables.Message.insert(
            recipient=message.recipient, kind=message.kind, created_at=message.created_at, issue=12400,
            issue_approval_id=77,
        ).execute(database)
    )  # fmt: skip
    before = version()
    sent: list[Any] = []
    monkeypatch.setattr(messages.smtplib, "SMTP", lambda *_, **__: _Server(sent))
    with config.active(replace(config.current(), smtp_host="mail", smtp_starttls=False, smtp_username="")):
        assert messages.deliver().sent == 1
    assert len(sent) == 1
    assert version() == before
    (found,) = [each for each in snapshot.export_all()["issue_approvals"] if each["id"] == 77]
    assert found["version"] == 2  # so that a search shows when it was


class _Server(SimpleNamespace):
    """A mail server that takes everything."""

    def __init__(self, sent: list[Any]) -> None:
        super().__init__(send_message=sent.append)

    def __enter__(self) -> "_Server":
        return self

    def __exit__(self, *_: object) -> None:
        return None


def test_what_was_refused_does_not_raise_it() -> None:
    before = version()
    with pytest.raises(Problem):
        mappings.create_mapping(ADMIN, replace(NEW_MAPPING, transition_id=999))
    assert version() == before


# -- a new composite principal ----------------------------------------------------------------

EXCLUDING = [
    {"kind": "group", "value": "jira-software-users"},
    {"kind": "user", "value": "bob", "is_excluded": True},
]


def test_a_new_composite_principal_raises_it_and_is_found_at_once() -> None:
    """Whoever meets a standing that nothing had before has one more principal from then on."""
    given(
        approvals=[{"id": 4, "approvers": {"$replace": EXCLUDING}}],
        approval_mappings=[{"id": 6, "approvals": {"$replace": [{"approval_id": 4}]}}],
        issues=[{"id": 12601, "issue_type_id": 10002}],
    )
    before, had = version(), people.principals("carol")
    with store.reading() as database:
        composites = stored_people.find_composites(database, had)
    issues.transition(ADMIN, "PROC-1", 131)
    after = version()
    assert after not in (None, before)
    (new,) = people.principals("carol") - had
    assert new.startswith("composite:")
    assert int(new.partition(":")[2]) not in composites
    assert new not in people.principals("bob")
    issues.transition(ADMIN, "PROC-2", 131)
    assert version() == after  # it is there by now


# -- nothing is forgotten ---------------------------------------------------------------------


def test_every_other_write_raises_it() -> None:
    assert {name for name in daily_writes() if name.partition(".")[0] not in APART} == DAILY


def daily_writes() -> Iterator[str]:
    """Give the functions of services that write what they say is daily."""
    for path in sorted(Path(services.__file__).parent.glob("*.py")):
        for function in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(function, ast.FunctionDef) and any(map(_is_daily, ast.walk(function))):
                yield f"{path.stem}.{function.name}"


def _is_daily(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) == "writing"
        and any(keyword.arg == "is_daily" for keyword in node.keywords)
    )


# -- what was kept is found no more -----------------------------------------------------------


def test_whatever_is_put_back_is_read_again() -> None:
    """The rows of an earlier state have earlier versions; what was kept of the later one is not found."""
    document = snapshot.export_all()

    def names() -> set[str]:
        wish = Wish(start_at=0, max_results=50)
        assert mappings.find_mappings(MappingFilters(), wish).entries
        return {each.name for each in approvals.find_approvals(None, wish).entries}

    first, principals = names(), people.principals("bob")
    approvals.edit_approval(ADMIN, replace(approvals.show_approval(1).entry, name="other"))
    logins.deactivate("bob")
    given(groups=[{"name": "more"}], users=[{"id": 10002, "groups": ["more"]}])
    assert names() != first
    assert people.principals("bob") != principals
    for put_back in (lambda: snapshot.import_all(document), snapshot.reset):
        put_back()
        assert names() == first
        assert people.principals("bob") == principals
