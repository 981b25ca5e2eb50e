"""Writing what has come of decisions and moves: rows, numbers, candidates, versions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from peewee import Database

from herzum_approval import store
from herzum_approval.domain.actions import Action, Right
from herzum_approval.domain.history import (
    Comment,
    Event,
    EventKind,
    Message,
    MessageKind,
)
from herzum_approval.domain.issue_approvals import IssueApproval
from herzum_approval.domain.issues import Outcome, Surroundings, decide, move
from herzum_approval.examples import merged
from herzum_approval.services import databases, snapshot
from herzum_approval.store import Outrun, outcomes, sites, tables
from herzum_approval.store.delegations import find_delegations
from herzum_approval.store.numbering import reserve_ids
from herzum_approval.store.outcomes import write_outcome, write_outcomes
from herzum_approval.store.surroundings import read_surroundings

NOW = datetime(2026, 3, 1, 12, 0, 0, 123000, UTC)
ADMIN = Right(username="admin", is_approver=True)


@pytest.fixture(autouse=True)
def demonstration(engine: Database, settings: object) -> None:
    snapshot.reset()


def around(database: Database, issue_id: int = 10500) -> Surroundings:
    found = read_surroundings(database, issue_id)
    assert found is not None
    return found


def found(records: Sequence[IssueApproval], id: int) -> IssueApproval:
    return next(record for record in records if record.id == id)


def decided(before: Surroundings, id: int, action: Action = Action.APPROVE) -> Outcome:
    return decide(before, found(before.records, id), action, ADMIN, comment=None, now=NOW)


def test_what_was_written_reads_back(engine: Database) -> None:
    with engine.connection_context():
        before = around(engine)
        outcome = write_outcome(engine, before, decided(before, 11))
        after = around(engine)
        site = sites.read_site(engine)
    assert after == replace(outcome.around, records=after.records)
    assert set(after.records) == set(outcome.around.records)
    assert [replace(event, id=0) for event in site.history] == list(outcome.events)
    assert [replace(comment, id=0) for comment in site.comments] == list(outcome.comments)
    assert [replace(message, id=0) for message in site.messages] == list(outcome.messages)
    assert databases.find_faults() == []


def test_nothing_is_written_where_nothing_changed(engine: Database) -> None:
    with engine.connection_context():
        before = around(engine)
        assert write_outcome(engine, before, Outcome(around=before)) == Outcome(around=before)
        assert around(engine) == before


def test_new_records_get_numbers_that_events_and_messages_mean(engine: Database) -> None:
    with engine.connection_context():
        before = around(engine, 12600)
        given = move(before, 131, "admin", NOW)
        assert [record.id for record in given.around.records] == [-1]
        message = Message(
            id=0, recipient="user:bob", kind=MessageKind.REQUEST, created_at=NOW, issue_id=12600,
            issue_approval_id=-1,
        )  # fmt: skip
        outcome = write_outcome(engine, before, replace(given, messages=(message,)))
        (new,) = around(engine, 12600).records
        site = sites.read_site(engine)
    assert new == outcome.around.records[0]
    assert new.id == 91
    assert [event.issue_approval_id for event in site.history] == [None, 91]
    assert [message.issue_approval_id for message in site.messages] == [91]
    assert databases.find_faults() == []


def test_records_that_are_gone_are_deleted_with_their_candidates(engine: Database) -> None:
    with engine.connection_context():
        before = around(engine)
        write_outcome(engine, before, Outcome(around=replace(before, records=(found(before.records, 21),))))
        assert [record.id for record in around(engine).records] == [21]
        candidate = tables.Candidate
        assert not candidate.select().where(candidate.issue_approval == 11).execute(engine)[:]
    assert databases.find_faults() == []


@pytest.mark.parametrize("id", [11, 21])
def test_a_record_is_written_under_the_version_that_was_read(engine: Database, id: int) -> None:
    with engine.connection_context():
        before = around(engine)
        write_outcome(engine, before, decided(before, id))
        with pytest.raises(Outrun):
            write_outcome(engine, before, decided(before, id, Action.REJECT))


def test_records_that_open_or_close_count_as_written(engine: Database) -> None:
    """So that nobody who read them before can overwrite what is open."""
    with engine.connection_context():
        before = around(engine)
        moved = move(before, 31, "admin", NOW)
        write_outcome(engine, before, moved)
        assert {record.id: record.version for record in around(engine).records} == {11: 2, 21: 2}
    assert databases.find_faults() == []


def test_several_issues_at_once(engine: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Any] = []
    change = outcomes.change

    def counted(database: Database, shape: Any, build: Any, values: Sequence[Any]) -> int:
        written.extend([shape] if values else [])
        return change(database, shape, build, values)

    monkeypatch.setattr(outcomes, "change", counted)
    with engine.connection_context():
        pictures = [around(engine, id) for id in (10500, 12400, 12600, 12601)]
        results = [
            decided(pictures[0], 11),
            decided(pictures[1], 77, Action.REJECT),
            move(pictures[2], 131, "admin", NOW),
            move(pictures[3], 31, "admin", NOW),
        ]
        outcome = write_outcomes(engine, list(zip(pictures, results, strict=True)))
        assert [set(each.around.records) for each in outcome] == [
            set(around(engine, picture.issue.id).records) for picture in pictures
        ]
    assert len(written) == len(set(written))
    assert databases.find_faults() == []


def test_what_nobody_can_act_on_alone_is_kept_once(engine: Database) -> None:
    """Two conditions at once, or an exclusion, become one principal however many records need it."""
    both = [{"kind": "group", "value": "approvers"}, {"kind": "user", "value": "admin", "is_excluded": True}]
    snapshot.import_all(merged(snapshot.export_all(), {"approvals": [{"id": 2, "approvers": both}]}))
    with engine.connection_context():
        before = around(engine, 12600)
        write_outcome(engine, before, move(before, 131, "admin", NOW))
        count = tables.CompositePrincipal.select().count(engine)
        again = around(engine, 12700)
        assert again.records[0].is_configuration
    assert count == 1
    assert databases.find_faults() == []


def test_changed_approvers_of_an_open_record_are_written_anew(engine: Database) -> None:
    with engine.connection_context():
        before = around(engine)
        approval = before.approvals[3]
        other = replace(approval, approvers=approval.approvers[:1])
        tables.Approver.delete().where(
            (tables.Approver.approval == 3) & (tables.Approver.position == 1)
        ).execute(engine)
        pictures = {id: around(engine, id) for id in (12400, 12500)}
        old = {id: replace(each, approvals={**each.approvals, 3: approval}) for id, each in pictures.items()}
        after = replace(before, approvals={**before.approvals, 3: other})
        pairs = [(before, Outcome(around=after))]
        pairs += [(old[id], Outcome(around=each)) for id, each in pictures.items()]
        write_outcomes(engine, pairs)
    assert databases.find_faults() == []


def test_texts_of_every_kind_are_kept(engine: Database) -> None:
    comment = Comment(id=0, issue_id=10500, author=None, body="ä\n\u0001\U0001f600'\"", created_at=NOW)
    event = Event(
        id=0, at=NOW, kind=EventKind.ALIGNED, issue_id=10500, comment="%s ?", details={"a": [1, {"ö": None}]}
    )
    with engine.connection_context():
        before = around(engine)
        write_outcome(engine, before, Outcome(around=before, events=(event,), comments=(comment,)))
        site = sites.read_site(engine)
    assert [replace(each, id=0) for each in site.comments] == [comment]
    assert [replace(each, id=0) for each in site.history] == [event]


# -- numbers ----------------------------------------------------------------------------------


def test_numbers_are_given_once(engine: Database) -> None:
    with engine.connection_context():
        first = list(reserve_ids(engine, tables.IssueApproval, 3))
        second = list(reserve_ids(engine, tables.IssueApproval, 1))
        assert first == [91, 92, 93]
        assert second == [94]


def test_the_first_number_of_an_empty_table_is_1(engine: Database) -> None:
    snapshot.import_all({"format": "herzum-approval/1"})
    with engine.connection_context():
        assert list(reserve_ids(engine, tables.IssueApproval, 2)) == [1, 2]
        assert list(reserve_ids(engine, tables.IssueApproval, 1)) == [3]


def test_the_number_of_a_deleted_row_is_not_given_again(engine: Database) -> None:
    with engine.connection_context():
        tables.IssueApproval.delete().where(tables.IssueApproval.id == 90).execute(engine)
        assert list(reserve_ids(engine, tables.IssueApproval, 1)) == [91]


# -- delegations ------------------------------------------------------------------------------


def test_delegations_are_those_to_the_user_by_whom_is_active(engine: Database) -> None:
    delegations = [
        {"id": 4, "delegator": "bob", "delegate": "carol", "transition_id": 21},
        {"id": 2, "delegator": "admin", "delegate": "carol", "starts_at": "2026-03-01T12:00:00.123Z"},
        {"id": 3, "delegator": "alice", "delegate": "carol"},
        {"id": 1, "delegator": "carol", "delegate": "bob"},
    ]
    inactive = [{"id": 10001, "is_active": False}]
    snapshot.import_all(merged(snapshot.export_all(), {"delegations": delegations, "users": inactive}))
    with store.reading() as database:
        found = find_delegations(database, "carol")
        assert find_delegations(database, "nobody") == ()
        assert [each.delegator for each in find_delegations(database, "bob")] == ["carol"]
    assert [(each.id, each.delegator) for each in found] == [(2, "admin"), (4, "bob")]
    assert found[0].starts_at == NOW
    assert (found[1].transition_id, found[1].project_id) == (21, None)
