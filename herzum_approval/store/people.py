"""Users, their groups and roles, and what is counted about their logins."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from peewee import JOIN, Case, Database, Query, Value

from herzum_approval.domain.approvals import Standing
from herzum_approval.domain.people import Account, LoginRecord, User
from herzum_approval.store.statements import list_size, run, slot, slots, spread
from herzum_approval.store.tables import (
    CompositePart,
    CompositePrincipal,
    Membership,
    Project,
    ProjectBrowser,
    RoleActor,
    moment,
)
from herzum_approval.store.tables import LoginRecord as LoginRecordTable
from herzum_approval.store.tables import User as UserTable


def find_user(database: Database, username_key: str) -> User | None:
    """Return the user, groups in order of name. username_key: the `people.folded` name."""
    if not _can_exist(username_key):
        return None
    rows = run(
        database,
        "find user",
        lambda: _user_rows().where(UserTable.username_key == slot("username_key")),
        {"username_key": username_key},
    )
    return _user(rows) if rows else None


def find_users(database: Database, usernames: Collection[str]) -> list[User]:
    """Return those of the users that exist, by id. usernames: as the accounts spell them."""
    if not usernames:
        return []
    names = sorted(usernames)
    rows = run(
        database,
        ("find users", list_size(names)),
        lambda: (
            _user_rows().where(UserTable.username.in_(slots("name", list_size(names)))).order_by(UserTable.id)
        ),
        dict(spread("name", names)),
    )
    return [_user(list(same)) for _, same in groupby(rows, itemgetter(0))]


def find_username_of_account(database: Database, account_id: str) -> str | None:
    """Return the username of who has the account id, else of who has none and this as username, else None."""
    rows = run(
        database,
        "user of account or name",
        lambda: UserTable.select(UserTable.username, UserTable.account_id).where(
            (UserTable.account_id == slot("account_id"))
            | (UserTable.account_id.is_null() & (UserTable.username == slot("account_id")))
        ),
        {"account_id": account_id},
    )
    names = {given: username for username, given in rows}
    return names.get(account_id) or names.get(None)


def _user(rows: Sequence[tuple[Any, ...]]) -> User:
    user_id, username, display_name, email, is_active, password_hash, account_id, _ = rows[0]
    return User(
        id=user_id,
        username=username,
        display_name=display_name,
        email=email,
        is_active=bool(is_active),
        password_hash=password_hash,
        account_id=account_id,
        groups=tuple(sorted(row[-1] for row in rows if row[-1] is not None)),
    )


def _user_rows() -> Query:
    """Return the query of users, a row for each group of each."""
    return UserTable.select(
        UserTable.id,
        UserTable.username,
        UserTable.display_name,
        UserTable.email,
        UserTable.is_active,
        UserTable.password_hash,
        UserTable.account_id,
        Membership.group,
    ).join(Membership, JOIN.LEFT_OUTER)


def find_account(database: Database, username_key: str) -> Account | None:
    """Return the account of an active user who has a password, with what is counted of its logins."""
    if not _can_exist(username_key):
        return None
    rows = run(database, "find account", _account_query, {"username_key": username_key})
    if not rows:
        return None
    username, display_name, password_hash, failed_count, unresolved_count, attempted_at = rows[0]
    return Account(
        username=username,
        display_name=display_name,
        password_hash=password_hash,
        failed_count=failed_count or 0,
        unresolved_count=unresolved_count or 0,
        attempted_at=None if attempted_at is None else moment(attempted_at),
    )


def _account_query() -> Query:
    return (
        UserTable.select(
            UserTable.username,
            UserTable.display_name,
            UserTable.password_hash,
            LoginRecordTable.failed_count,
            LoginRecordTable.unresolved_count,
            LoginRecordTable.attempted_at,
        )
        .join(LoginRecordTable, JOIN.LEFT_OUTER, on=LoginRecordTable.username == UserTable.username)
        .where(
            UserTable.username_key == slot("username_key"),
            UserTable.is_active == Value(True),
            UserTable.password_hash.is_null(False),
        )
    )


def _can_exist(name: str) -> bool:
    """Return whether a database can hold the text: no NUL (PostgreSQL), no lone surrogate."""
    return "\0" not in name and not any("\ud800" <= letter <= "\udfff" for letter in name)


# -- what is counted --------------------------------------------------------------------------


def count_attempt(
    database: Database, username: str, *, limit: int, now: datetime, doubtful_since: datetime
) -> bool:
    """Count an attempt as failed until it is resolved; return False where `limit` were counted already.

    doubtful_since: attempts unresolved before this moment will never be (their process is gone).
    """
    record = LoginRecordTable
    attempt = UserTable.select(
        UserTable.username, *map(Value, (1, 1)), record.attempted_at.to_value(now), *map(Value, (0, 0))
    ).where(UserTable.username == username, UserTable.is_active == Value(True))
    unresolved = Case(None, [(record.attempted_at < doubtful_since, 1)], record.unresolved_count + 1)
    counted = record.insert_from(
        attempt,
        [
            record.username,
            record.failed_count,
            record.unresolved_count,
            record.attempted_at,
            record.login_count,
            record.total_failed_count,
        ],
    ).on_conflict(
        conflict_target=[record.username],
        update={
            record.failed_count: record.failed_count + 1,
            record.unresolved_count: unresolved,
            record.attempted_at: now,
        },
        where=record.failed_count < limit,
    )
    return bool(counted.as_rowcount().execute(database))


def record_success(database: Database, username: str, now: datetime) -> None:
    """Resolve an attempt that succeeded; what others still check stays counted."""
    record = LoginRecordTable
    record.update(
        {
            record.failed_count: _one_less_unresolved(),
            record.unresolved_count: _one_less_unresolved(),
            record.login_count: record.login_count + 1,
            record.previous_login_at: record.last_login_at,
            record.last_login_at: now,
        }
    ).where(record.username == username).execute(database)


def record_failure(database: Database, username: str, now: datetime) -> None:
    """Resolve an attempt that failed."""
    record = LoginRecordTable
    record.update(
        {
            record.unresolved_count: _one_less_unresolved(),
            record.total_failed_count: record.total_failed_count + 1,
            record.last_failed_at: now,
        }
    ).where(record.username == username).execute(database)


def withdraw_attempt(database: Database, username: str) -> None:
    """Resolve an attempt that came to no end: it is not counted any more."""
    record = LoginRecordTable
    # Where nothing is unresolved any more the count was cleared meanwhile, and this attempt with it.
    failed_count = Case(None, [(record.unresolved_count > 0, record.failed_count - 1)], record.failed_count)
    record.update({record.failed_count: failed_count, record.unresolved_count: _one_less_unresolved()}).where(
        record.username == username
    ).execute(database)


def _one_less_unresolved() -> Case:
    unresolved = LoginRecordTable.unresolved_count
    return Case(None, [(unresolved > 0, unresolved - 1)], 0)


def clear_failures(database: Database, username: str) -> None:
    """Forget the failures that lock the user out; the totals stay."""
    LoginRecordTable.update(failed_count=0, unresolved_count=0).where(
        LoginRecordTable.username == username
    ).execute(database)


def read_login_record(database: Database, username: str) -> LoginRecord:
    """Return what is counted about the user's logins; all zero where nothing is."""
    rows = LoginRecordTable.select().where(LoginRecordTable.username == username).dicts().execute(database)
    for row in rows:
        return LoginRecord(**row)
    return LoginRecord(username=username)


# -- passwords --------------------------------------------------------------------------------


def exchange_password_hash(database: Database, username: str, old_hash: str, new_hash: str) -> bool:
    """Replace the hash and return True where the user is active and still has the old one.

    The row is written even where both are equal: it stays locked until the transaction ends.
    """
    exchanged = UserTable.update(password_hash=new_hash).where(
        UserTable.username == username,
        UserTable.is_active == Value(True),
        UserTable.password_hash == old_hash,
    )
    return bool(exchanged.execute(database))


def set_password_hash(database: Database, username: str, password_hash: str) -> None:
    UserTable.update(password_hash=password_hash).where(UserTable.username == username).execute(database)


def set_inactive(database: Database, username: str) -> None:
    UserTable.update(is_active=False).where(UserTable.username == username).execute(database)


# -- principals -------------------------------------------------------------------------------


def find_memberships(database: Database, usernames: Collection[str]) -> list[tuple[str, str]]:
    """Return username and group name of each membership of these users."""
    names = sorted(usernames)
    return run(
        database,
        ("memberships", list_size(names)),
        lambda: (
            Membership.select(UserTable.username, Membership.group)
            .join(UserTable)
            .where(UserTable.username.in_(slots("name", list_size(names))))
        ),
        dict(spread("name", names)),
    )


def find_roles(database: Database, principals: Collection[str]) -> list[tuple[str, int, int]]:
    """Return principal, project id and role id of each project role that one of the principals has."""
    names = sorted(principals)
    return run(
        database,
        ("roles", list_size(names)),
        lambda: (
            RoleActor.select(RoleActor.principal, RoleActor.project, RoleActor.role)
            .where(RoleActor.principal.in_(slots("name", list_size(names))))
            .distinct()
        ),
        dict(spread("name", names)),
    )


def find_composites(database: Database, principals: Collection[str]) -> dict[int, Standing]:
    """Return those composite principals, by id, that somebody with the principals might have."""
    names = sorted(principals)
    rows = run(
        database,
        ("composites", list_size(names)),
        lambda: CompositePrincipal.select(CompositePrincipal.id, CompositePrincipal.definition).where(
            CompositePrincipal.id.in_(
                CompositePart.select(CompositePart.composite_principal).where(
                    CompositePart.principal.in_(slots("name", list_size(names)))
                )
            )
        ),
        dict(spread("name", names)),
    )
    return {composite_id: _standing(definition) for composite_id, definition in rows}


def _standing(definition: str) -> Standing:
    document = json.loads(definition)
    return Standing(tuple(map(frozenset, document["one_of"])), frozenset(document["none_of"]))


def find_all_project_ids(database: Database) -> list[int]:
    """Return the ids of all projects."""
    return [id for (id,) in run(database, "projects", lambda: Project.select(Project.id), {})]


def find_visible_project_ids(database: Database, principals: Collection[str]) -> list[int]:
    """Return the ids of the projects that somebody with one of the principals may browse."""
    names = sorted(principals)
    rows = run(
        database,
        ("visible projects", list_size(names)),
        lambda: (
            ProjectBrowser.select(ProjectBrowser.project)
            .where(ProjectBrowser.principal.in_(slots("name", list_size(names))))
            .distinct()
        ),
        dict(spread("name", names)),
    )
    return [project_id for (project_id,) in rows]
