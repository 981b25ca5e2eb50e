"""Definitions of approval paths, drawn by hypothesis, and runs by them that come about as runs do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from herzum_approval.domain import approval_path_runs as runs
from herzum_approval.domain.approval_path_runs import Start
from herzum_approval.domain.approval_path_votes import Around
from herzum_approval.domain.approval_paths import (
    ASSIGNEE,
    REPORTER,
    ApprovalDefinition,
    Condition,
    Decision,
    DefinitionStep,
    FieldResolution,
    HttpMethod,
    Product,
    Reference,
    StepAction,
    StepKind,
)
from herzum_approval.domain.confluence import Page, PageComment, Space
from herzum_approval.domain.http_steps import AllowedHosts, CallPolicy, CallState
from herzum_approval.domain.jira import FieldType
from herzum_approval.errors import Problem

NOW = datetime(2022, 9, 26, 15, 32, 42, 340000, UTC)
HOSTS = AllowedHosts.parse("hooks.example.com")

actions = st.sampled_from([StepAction.APPROVAL, StepAction.CONSENT, StepAction.NOTIFICATION])
groups_of_steps = st.none() | st.integers(0, 2)
policies = st.builds(
    CallPolicy,
    hosts=st.sampled_from([AllowedHosts(), HOSTS]),
    unsent_status=st.sampled_from([None, 200, 404]),
)


def http_steps(condition_ids=()):
    return st.builds(
        DefinitionStep,
        kind=st.just(StepKind.HTTP),
        action=actions,
        parallel_group=groups_of_steps,
        notifies_watchers=st.booleans(),
        condition_id=_maybe(condition_ids),
        name=st.sampled_from(["", "hook"]),
        http_method=st.sampled_from(HttpMethod),
        url_template=st.sampled_from(
            ["https://hooks.example.com/${ref.id}", "https://x.example/", "nowhere"]
        ),
        headers_template=st.sampled_from(["", "X: ${approval.name}"]),
        body_template=st.sampled_from(["", "${approval.id}"]),
    )


def _maybe(values):
    return st.none() | st.sampled_from(sorted(values)) if values else st.none()


def steps(usernames, group_names, user_fields=(), group_fields=(), condition_ids=(), email_fields=()):
    """Steps of every kind that these allow."""
    shared = {
        "action": actions,
        "parallel_group": groups_of_steps,
        "condition_id": _maybe(condition_ids),
    }
    several = {
        "required_votes": st.integers(1, 4),
        "required_reject_votes": st.integers(1, 4),
        "is_creator_excluded": st.booleans(),
        "is_skipped_when_empty": st.booleans(),
    }
    fields = {"resolution": st.sampled_from(FieldResolution)}

    def of(kind, **members):
        return st.builds(DefinitionStep, kind=st.just(kind), **shared, **members)

    found = [
        of(StepKind.USER, username=st.sampled_from(sorted(usernames))),
        of(StepKind.EMAIL, email=st.sampled_from(["x@example.com", "Y@example.com"])),
        http_steps(condition_ids),
    ]
    if group_names:
        found.append(of(StepKind.GROUP, group=st.sampled_from(sorted(group_names)), **several))
    if user_fields:
        found.append(of(StepKind.USER_FIELD, field_id=st.sampled_from(user_fields), **several, **fields))
    if group_fields:
        found.append(of(StepKind.GROUP_FIELD, field_id=st.sampled_from(group_fields), **several, **fields))
    if email_fields:
        found.append(of(StepKind.EMAIL_FIELD, field_id=st.sampled_from(email_fields), **several, **fields))
    return st.one_of(found)


@st.composite
def definitions(draw, each_step, *, id=1, product=Product.JIRA, collection_ids=(), condition_ids=()):
    return ApprovalDefinition(
        id=id,
        product=product,
        name=draw(st.sampled_from(["QA", "Legal & co"])),
        description=draw(st.sampled_from(["", "text"])),
        collection_id=draw(_maybe(collection_ids)),
        condition_id=draw(_maybe(condition_ids)),
        is_available_for_customers=draw(st.booleans()),
        steps=tuple(draw(st.lists(each_step, min_size=1, max_size=5))),
        rejection_steps=tuple(draw(st.lists(http_steps(condition_ids), max_size=2))),
        success_steps=tuple(draw(st.lists(http_steps(condition_ids), max_size=2))),
    )


def happen(draw, outcome, around, now):
    """Let something happen to a run that waits: a vote, or an answer; return the outcome and what it was."""
    path = outcome.path
    waiting = [place for place, step in enumerate(path.steps) if step in path.active_steps]
    place = draw(st.sampled_from(waiting))
    step = path.steps[place]
    if step.definition.kind is StepKind.HTTP:
        call = next(each for each in outcome.calls if each.position == place and not each.informs_of_end)
        answered = replace(
            call, state=CallState.ANSWERED, status=draw(st.sampled_from([200, 500])), answered_at=now
        )
        later = runs.answer(path, answered, around=around, now=now)
        calls = tuple(answered if each is call else each for each in outcome.calls)
        return replace(later, calls=(*calls, *later.calls), mails=(*outcome.mails, *later.mails))
    voter = draw(st.sampled_from([name for name in step.members if name not in _voters(step)]))
    decision = draw(st.sampled_from(list(Decision) if path.allows_abstaining else list(Decision)[:2]))
    later = runs.vote(path, voter, decision, around=around, now=now, position=place)
    return replace(later, calls=(*outcome.calls, *later.calls), mails=(*outcome.mails, *later.mails))


def _voters(step):
    return {vote.voter for vote in step.votes}


def started(draw, definition, id, performer, around, now=NOW):
    """Return the outcome of a start, None where it is refused."""
    wish = Start(
        performer=performer,
        now=now,
        name=draw(st.none() | st.just("Renamed")),
        summary=draw(st.none() | st.just("Summary")),
        expires_at=draw(st.none() | st.just(now + timedelta(days=1))),
        allows_abstaining=draw(st.booleans()),
    )
    try:
        return runs.start(definition, id, wish, around)
    except Problem:
        return None


# -- parts of a site --------------------------------------------------------------------------


def path_parts(draw, collection, *, users, groups, projects, issues, fields):
    """Return what a site holds of approval paths, by its name there. collection: draws entries under ids."""
    usernames = [user.username for user in users]
    members = {
        group.name: [user.username for user in users if user.is_active and group.name in user.groups]
        for group in groups
    }
    spaces = collection(
        draw, lambda id: st.builds(Space, id=st.just(id), key=st.just(f"S{id}"), name=st.just("Space")), 2
    )
    pages = _of(
        draw,
        collection,
        spaces,
        lambda id: st.builds(
            Page,
            id=st.just(id),
            space_id=st.sampled_from([space.id for space in spaces]),
            title=st.sampled_from(["", "Title"]),
            creator=_maybe(usernames),
            modifier=_maybe(usernames),
        ),
    )
    comments = _of(
        draw,
        collection,
        pages,
        lambda id: st.builds(
            PageComment,
            id=st.just(id),
            page_id=st.sampled_from([page.id for page in pages]),
            author=_maybe(usernames),
            body=st.just("Body"),
            created_at=st.just(NOW),
        ),
    )
    conditions = collection(
        draw,
        lambda id: st.builds(
            Condition, id=st.just(id), name=st.just(f"condition {id}"), jql=st.just("type = Task")
        ),
        2,
    )
    condition_ids = [each.id for each in conditions]
    pickers = {kind: [each.id for each in fields if each.type is kind] for kind in FieldType}
    jira_steps = steps(
        usernames,
        members,
        [REPORTER, ASSIGNEE, *pickers[FieldType.USER_PICKER]],
        pickers[FieldType.GROUP_PICKER],
        condition_ids,
        pickers[FieldType.EMAIL],
    )

    def definition(id):
        if draw(st.booleans()):
            ids = [project.id for project in projects]
            return definitions(jira_steps, id=id, collection_ids=ids, condition_ids=condition_ids)
        ids = [space.id for space in spaces]
        return definitions(steps(usernames, members), id=id, product=Product.CONFLUENCE, collection_ids=ids)

    made = collection(draw, definition, 3)
    paths, calls, mails = _runs(draw, made, members, usernames, _references(issues, pages))
    return {
        "spaces": spaces,
        "pages": pages,
        "page_comments": comments,
        "approval_conditions": conditions,
        "approval_definitions": made,
        "approval_paths": paths,
        "http_calls": calls,
        "path_mails": mails,
    }


def _of(draw, collection, parents, make):
    return collection(draw, make, 2) if parents else ()


def _references(issues, pages):
    found = [
        Reference(
            product=Product.JIRA,
            id=issue.id,
            collection_id=issue.project_id,
            title=issue.summary,
            key=issue.key,
            fields=(
                *issue.fields.items(),
                *(
                    (name, (who,))
                    for name, who in ((REPORTER, issue.reporter), (ASSIGNEE, issue.assignee))
                    if who
                ),
            ),
        )
        for issue in issues
    ]
    return found + [
        Reference(product=Product.CONFLUENCE, id=page.id, collection_id=page.space_id, title=page.title)
        for page in pages
    ]


def _runs(draw, definitions, members, usernames, references):
    """Return runs by the definitions, each some way on, with their requests and mails, numbered."""
    paths, calls, mails = [], [], []
    for definition in definitions:
        fitting = [each for each in references if each.product is definition.product]
        if not fitting:
            continue
        asked = {id: draw(st.booleans()) for id in definition.condition_ids}
        around = Around(
            reference=draw(st.sampled_from(fitting)),
            members=members,
            conditions=asked,
            policy=draw(policies),
        )
        outcome = started(draw, definition, len(paths) + 1, draw(st.sampled_from(usernames)), around)
        if outcome is None:
            continue
        for minute in range(draw(st.integers(0, 3))):
            if outcome.path.is_running:
                outcome = happen(draw, outcome, around, NOW + timedelta(minutes=minute))
        path = outcome.path
        if draw(st.booleans()):
            path = runs.archive(path, NOW + timedelta(hours=1))
        paths.append(path)
        calls += [replace(each, id=len(calls) + place) for place, each in enumerate(outcome.calls, 1)]
        mails += [replace(each, id=len(mails) + place) for place, each in enumerate(outcome.mails, 1)]
    return tuple(paths), tuple(calls), tuple(mails)
