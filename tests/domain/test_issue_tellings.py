"""What decisions and moves tell: comments on the issue, and messages to be mailed."""

from dataclasses import replace

import pytest

from herzum_approval.domain.actions import Action
from herzum_approval.domain.history import MessageKind
from herzum_approval.domain.issues import (
    move,
)
from herzum_approval.domain.mappings import (
    ReplyNotification,
)
from tests.domain.pictures import (
    ALICE,
    AUTOMATIC,
    BACK,
    DELEGATE,
    DONE,
    EACH,
    FINISH,
    ISSUE,
    LATER,
    LEGAL,
    REJECT,
    REVIEW,
    TECH,
    after,
    decided,
    mapping,
    opened,
    picture,
)
from tests.domain.truth_tables import NOW, vote

APPROVE, ABSTAIN, RESET = Action.APPROVE, Action.ABSTAIN, Action.RESET


# -- comments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "comment", "body"),
    [
        (ALICE, None, "tech: APPROVED by alice (Submit)"),
        (ALICE, "Looks good.", "tech: APPROVED by alice (Submit)\n\nLooks good."),
        (DELEGATE, None, "tech: APPROVED by erin on behalf of alice (Submit)"),
    ],
)
def test_a_decision_is_commented_by_who_took_it(right, comment, body):
    (found,) = decided(opened(mapping(1, TECH)), 1, APPROVE, right, comment, LATER).comments
    assert (found.body, found.author, found.created_at, found.issue_id) == (
        body,
        right.username,
        LATER,
        ISSUE.id,
    )


def test_a_reset_is_commented_too():
    (found,) = decided(after(opened(mapping(1, TECH)), (1, APPROVE)), 1, RESET).comments
    assert found.body == "tech: PENDING by alice (Submit)"


def test_the_log_user_is_the_author_where_there_is_one():
    (found,) = decided(opened(mapping(1, TECH), decision_log_user="logger"), 1, APPROVE).comments
    assert (found.author, found.body) == ("logger", "tech: APPROVED by alice (Submit)")


def test_without_the_switch_only_history_keeps_the_comment():
    around = opened(mapping(1, TECH), are_decisions_logged_as_comments=False)
    found = decided(around, 1, APPROVE, comment="Looks good.")
    assert found.comments == ()
    assert found.events[0].comment == "Looks good."


@pytest.mark.parametrize(
    ("limit", "length"), [(40, 40), (1, 1), (0, 1034), (1033, 1033), (1034, 1034), (1035, 1034)]
)
def test_a_long_comment_is_cut_on_the_issue_and_kept_in_history(limit, length):
    around = opened(mapping(1, TECH), comment_limit=limit)
    found = decided(around, 1, APPROVE, comment="x" * 1000)
    whole = "tech: APPROVED by alice (Submit)\n\n" + "x" * 1000
    assert found.comments[0].body == whole[:length]
    assert found.events[0].comment == "x" * 1000


@pytest.mark.parametrize("log_user", [None, "logger"])
def test_a_request_is_announced_where_the_mapping_says_so(log_user):
    around = picture(
        mapping(1, TECH, announces_by_comment=True),
        mapping(2, LEGAL, transition=REJECT),
        status=DONE,
        decision_log_user=log_user,
        are_decisions_logged_as_comments=False,
    )
    (found,) = move(around, BACK, "dave", LATER).comments
    assert (found.body, found.author) == ("tech: approval requested (Submit)", log_user)
    assert (found.issue_id, found.created_at) == (ISSUE.id, LATER)


# -- messages ---------------------------------------------------------------------------------


def told(outcome):
    return [(message.issue_approval_id, message.recipient) for message in outcome.messages]


def test_a_request_is_mailed_to_the_approvers_where_the_mapping_says_so():
    around = picture(
        mapping(1, TECH, EACH, sends_request_mail=True),
        mapping(2, TECH, transition=REJECT),
        status=DONE,
    )
    found = move(around, BACK, "dave", LATER)
    assert told(found) == [(-1, "user:alice"), (-2, "user:bob"), (-3, "user:dave")]
    first = found.messages[0]
    assert (first.kind, first.created_at, first.issue_id) == (MessageKind.REQUEST, LATER, ISSUE.id)
    assert first.sent_at is None


def test_who_is_excluded_is_not_written_to():
    found = move(picture(mapping(1, LEGAL, sends_request_mail=True), status=DONE), BACK, "dave", NOW)
    assert told(found) == [(-1, "group:lawyers")]


def test_a_reply_is_mailed_to_the_assignee_and_the_approvers():
    found = decided(opened(mapping(1, TECH)), 1, APPROVE, now=LATER)
    assert told(found) == [(101, "user:alice"), (101, "user:dave")]
    first = found.messages[0]
    assert (first.kind, first.created_at, first.issue_id) == (MessageKind.REPLY, LATER, ISSUE.id)


def test_nobody_is_written_to_twice():
    issue = replace(ISSUE, assignee="alice")
    assert told(decided(opened(mapping(1, TECH), issue=issue), 1, APPROVE)) == [(101, "user:alice")]


def test_without_assignee_the_approvers_are_written_to():
    issue = replace(ISSUE, assignee=None)
    assert told(decided(opened(mapping(1, TECH), issue=issue), 1, APPROVE)) == [(101, "user:alice")]


REPLIES = [
    (None, (1, APPROVE), True),
    (None, (1, Action.REJECT), True),
    (None, (1, ABSTAIN), True),
    (ReplyNotification.EVERY_VOTE, (1, APPROVE), True),
    (ReplyNotification.EVERY_VOTE, (1, Action.REJECT), True),
    (ReplyNotification.EVERY_VOTE, (1, ABSTAIN), True),
    (ReplyNotification.EVERY_REJECTION, (1, APPROVE), False),
    (ReplyNotification.EVERY_REJECTION, (1, Action.REJECT), True),
    (ReplyNotification.EVERY_REJECTION, (1, ABSTAIN), False),
    (ReplyNotification.COMPLETE_APPROBATION, (1, APPROVE), False),
    (ReplyNotification.COMPLETE_APPROBATION, (1, Action.REJECT), False),
    (ReplyNotification.COMPLETE_APPROBATION, (2, APPROVE), True),
    (ReplyNotification.COMPLETE_APPROBATION, (2, ABSTAIN), True),
    (ReplyNotification.COMPLETE_APPROBATION, (2, Action.REJECT), False),
]


@pytest.mark.parametrize(("scheme", "last", "is_told"), REPLIES)
def test_the_scheme_says_which_replies_are_mailed(scheme, last, is_told):
    around = opened(mapping(1, TECH, TECH, reply_notification=scheme), is_abstain_enabled=True)
    number, action = last
    if number == 2:
        around = after(around, (1, APPROVE))
    assert bool(decided(around, number, action).messages) is is_told


def test_an_approbation_is_complete_once():
    around = opened(
        mapping(
            1,
            TECH,
            TECH,
            TECH,
            reply_notification=ReplyNotification.COMPLETE_APPROBATION,
            minimum_approbations=2.0,
        ),
        do_minimums_drive_transitions=True,
    )
    replies = []
    for number in (1, 2, 3):
        found = decided(around, number, APPROVE)
        replies.append(len(found.messages))
        around = found.around
    assert replies == [0, 2, 0]


@pytest.mark.parametrize("scheme", [None, *ReplyNotification])
def test_a_reset_is_no_reply(scheme):
    around = after(opened(mapping(1, TECH, reply_notification=scheme)), (1, Action.REJECT))
    assert decided(around, 1, RESET).messages == ()


def test_where_the_mapping_is_gone_every_vote_is_mailed():
    around = picture(records=[vote(1, approval_id=TECH, mapping_id=77)])
    assert told(decided(around, 1, APPROVE)) == [(1, "user:alice"), (1, "user:dave")]


def test_a_reply_is_told_of_before_what_it_sets_off():
    around = opened(
        mapping(1, TECH, **AUTOMATIC),
        mapping(
            2, TECH, source=REVIEW, transition=FINISH, sends_request_mail=True, announces_by_comment=True
        ),
    )
    found = decided(around, 1, APPROVE)
    assert [message.kind for message in found.messages] == [
        MessageKind.REPLY,
        MessageKind.REPLY,
        MessageKind.REQUEST,
    ]
    assert [comment.body for comment in found.comments] == [
        "tech: APPROVED by alice (Submit)",
        "tech: approval requested (Finish)",
    ]
