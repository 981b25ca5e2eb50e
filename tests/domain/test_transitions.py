"""Transitions under approval: the table of `tables/automatic.csv`, and how records make ballots."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from herzum_approval.domain.actions import Action
from herzum_approval.domain.configuration import Configuration
from herzum_approval.domain.issue_approvals import ApprovalStatus
from herzum_approval.domain.mappings import (
    ApprovalMapping,
    ConditionedMinimum,
    MappingSettings,
    MinimumKind,
)
from herzum_approval.domain.transitions import Ballot, ballots, set_off
from tests.domain.truth_tables import cases, is_yes, minimum, rows, vote, votes

APPROBATION, REJECTION = 11, 21
APPROBATIONS, REJECTIONS = MinimumKind.APPROBATIONS, MinimumKind.REJECTIONS
TARGETS = {"approbation": APPROBATION, "rejection": REJECTION, "nothing": None}
DRIVEN = Configuration(do_minimums_drive_transitions=True)


def mapping_to(rejection_id=REJECTION, conditioned=()):
    return ApprovalMapping(
        id=5,
        project_id=1,
        issue_type_id=1,
        source_status_id=1,
        transition_id=APPROBATION,
        settings=MappingSettings(rejection_transition_id=rejection_id),
        conditioned_minimums=conditioned,
    )


MAPPING = mapping_to()


def ballot_of(spelling, mapping=MAPPING, true_rules=(), **settings):
    return Ballot(records=votes(spelling, **settings), mapping=mapping, is_true=set(true_rules).__contains__)


@pytest.mark.parametrize("case", cases("automatic"))
def test_table(case):
    automatic = case["automatic"].split()
    assert set(automatic) <= {"approbations", "rejections"}
    ballot = ballot_of(
        case["votes"],
        transitions_on_approbations="approbations" in automatic,
        transitions_on_rejections="rejections" in automatic,
        waits_for_all_replies=is_yes(case["collect all"]),
        minimum_approbations=minimum(case["approbations"]),
        minimum_rejections=minimum(case["rejections"]),
    )
    configuration = Configuration(do_minimums_drive_transitions=is_yes(case["minimums drive"]))
    assert set_off(ballot, Action(case["action"]), configuration) == TARGETS[case["sets off"]]


def test_table_has_every_action_and_end():
    found = rows("automatic")
    assert {row["action"] for row in found} == {action.value for action in Action}
    assert {row["sets off"] for row in found} == set(TARGETS)


@pytest.mark.parametrize("mapping", [None, mapping_to(None)])
def test_rejections_set_nothing_off_where_no_transition_is_configured_for_them(mapping):
    settings = {"transitions_on_rejections": True, "transitions_on_approbations": True}
    assert set_off(ballot_of("R", mapping, **settings), Action.REJECT, Configuration()) is None
    assert set_off(ballot_of("A", mapping, **settings), Action.APPROVE, Configuration()) == APPROBATION


def test_where_rejections_have_no_transition_the_approbations_may_still_pass():
    ballot = ballot_of(
        "A R",
        mapping_to(None),
        transitions_on_approbations=True,
        transitions_on_rejections=True,
        minimum_approbations=1.0,
        minimum_rejections=1.0,
    )
    assert set_off(ballot, Action.REJECT, DRIVEN) == APPROBATION


# -- locks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelling", "settings", "is_passed"),
    [
        ("P", {}, False),
        ("A", {}, True),
        ("A P", {}, False),
        ("A P", {"minimum_approbations": 1.0}, True),
        ("A P", {"minimum_approbations": 1.0, "waits_for_all_replies": True}, True),
        ("P P", {"minimum_approbations": 0.0}, True),
        ("R P", {"minimum_rejections": 0.0}, False),
        ("A P", {"minimum_rejections": 1.0}, False),
    ],
)
def test_the_minimum_of_approbations_unlocks_whatever_is_automatic(spelling, settings, is_passed):
    assert ballot_of(spelling, **settings).is_passed is is_passed


@pytest.mark.parametrize(("true_rules", "is_passed"), [((), False), ((8,), True), ((9,), False)])
def test_a_conditioned_minimum_unlocks_where_its_rule_is_true(true_rules, is_passed):
    conditioned = (
        ConditionedMinimum(kind=APPROBATIONS, conditional_rule_id=8, minimum=1.0),
        ConditionedMinimum(kind=REJECTIONS, conditional_rule_id=9, minimum=1.0),
    )
    assert ballot_of("A P", mapping_to(conditioned=conditioned), true_rules).is_passed is is_passed


@pytest.mark.parametrize(("kind", "rule_id"), [(APPROBATIONS, 8), (REJECTIONS, 9)])
def test_conditioned_minimums_drive_each_kind_by_itself(kind, rule_id):
    conditioned = (
        ConditionedMinimum(kind=APPROBATIONS, conditional_rule_id=8, minimum=1.0),
        ConditionedMinimum(kind=REJECTIONS, conditional_rule_id=9, minimum=1.0),
    )
    mapping = mapping_to(conditioned=conditioned)
    decided = [
        each for each in MinimumKind if ballot_of("A R P", mapping, (rule_id,)).is_decided(each, DRIVEN)
    ]
    assert decided == [kind]


def test_without_its_mapping_a_ballot_goes_by_what_the_records_remember():
    ballot = ballot_of("A P", None, minimum_approbations=1.0, transitions_on_approbations=True)
    assert ballot.is_passed
    assert set_off(ballot, Action.APPROVE, DRIVEN) == APPROBATION


# -- how records make ballots -----------------------------------------------------------------


def found_in(records, status_id=1):
    return ballots(records, status_id, lambda record: record.mapping_id, bool)


def test_records_of_one_transition_are_one_ballot():
    records = [vote(1), vote(2, transition_id=31), vote(3)]
    found = found_in(records)
    assert list(found) == [11, 31]
    assert [record.id for record in found[11].records] == [1, 3]
    assert [found[11].transition_id, found[31].transition_id] == [11, 31]


@pytest.mark.parametrize(
    "absent",
    [{"source_status_id": 2}, {"submitted_at": None}, {"is_configuration": True}],
    ids=str,
)
def test_what_the_status_does_not_ask_for_has_no_part_in_a_ballot(absent):
    assert found_in([vote(1, **absent)]) == {}
    assert [record.id for record in found_in([vote(1, **absent), vote(2)])[11].records] == [2]


def test_the_first_record_leads_to_the_mapping():
    found = found_in([vote(1, mapping_id=6), vote(2, mapping_id=7), vote(3, mapping_id=8, transition_id=31)])
    assert [ballot.mapping for ballot in found.values()] == [6, 8]
    assert found[11].is_true is bool


pools = st.lists(
    st.builds(
        vote,
        st.just(0),
        st.sampled_from(ApprovalStatus),
        transition_id=st.sampled_from([11, 21, 31]),
        source_status_id=st.sampled_from([1, 2]),
        submitted_at=st.sampled_from([None, vote(1).submitted_at]),
        is_configuration=st.booleans(),
    ),
    max_size=12,
).map(lambda found: [replace(record, id=id) for id, record in enumerate(found, start=1)])


@settings(deadline=None)
@given(pools, st.sampled_from([1, 2]))
def test_ballots_part_the_records_that_are_asked_for(records, status_id):
    found = found_in(records, status_id)
    parted = [record for ballot in found.values() for record in ballot.records]
    asked = [record for record in records if record.is_asked_for(status_id)]
    assert sorted(parted, key=lambda record: record.id) == asked
    for transition_id, ballot in found.items():
        assert ballot.records
        assert {record.transition_id for record in ballot.records} == {transition_id}


spellings = st.lists(
    st.sampled_from(["P", "A", "R", "X", "o:P", "o:A", "o:R", "o:X"]), min_size=1, max_size=5
).map(" ".join)
automatic = st.fixed_dictionaries(
    {
        "transitions_on_approbations": st.booleans(),
        "transitions_on_rejections": st.booleans(),
        "waits_for_all_replies": st.booleans(),
        "minimum_approbations": st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]),
        "minimum_rejections": st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]),
    }
)


@settings(deadline=None)
@given(spellings, automatic, st.sampled_from(Action), st.booleans())
def test_what_is_set_off_was_switched_on_and_is_decided(spelling, switched, action, do_drive):
    configuration = Configuration(do_minimums_drive_transitions=do_drive)
    ballot = ballot_of(spelling, **switched)
    target = set_off(ballot, action, configuration)
    is_due = {
        APPROBATION: switched["transitions_on_approbations"]
        and ballot.is_decided(APPROBATIONS, configuration),
        REJECTION: switched["transitions_on_rejections"] and ballot.is_decided(REJECTIONS, configuration),
    }
    assert target is None or (is_due[target] and action is not Action.RESET)
    assert target is not None or action is Action.RESET or not any(is_due.values())


@settings(deadline=None)
@given(spellings, automatic, st.booleans())
def test_whatever_approbations_set_off_they_have_unlocked(spelling, switched, do_drive):
    ballot = ballot_of(spelling, **switched)
    if ballot.is_decided(APPROBATIONS, Configuration(do_minimums_drive_transitions=do_drive)):
        assert ballot.is_passed
