"""Password checks, the lock after failures, the credential memory and sessions, on both engines."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import bcrypt
import pytest
import time_machine
from peewee import Database

from herzum_approval import clock, config, store
from herzum_approval.domain.people import LoginRecord
from herzum_approval.errors import Fault, Problem
from herzum_approval.services import logins, passwords
from herzum_approval.services.logins import Outcome
from herzum_approval.store import people as stored
from herzum_approval.store.tables import LoginRecord as LoginRecordTable
from herzum_approval.store.tables import Session, User

Result = TypeVar("Result")
NOW = datetime(2026, 3, 14, 9, 26, 53, 589_000, tzinfo=UTC)


@pytest.fixture(autouse=True)
def people(engine: Database, settings: config.Settings) -> None:
    add_user("alice")
    add_user("bob", password=None)
    add_user("dave", is_active=False)
    logins.forget_credentials()


def add_user(username: str, *, password: str | None = "secret", is_active: bool = True) -> None:
    password_hash = None if password is None else passwords.hash_password(password)
    with store.reading() as database:
        User.insert(
            username=username,
            username_key=username.casefold(),
            display_name=username.title(),
            email=f"{username}@example.com",
            is_active=is_active,
            password_hash=password_hash,
        ).execute(database)


def stored_hash(username: str = "alice") -> str:
    with store.reading() as database:
        user = stored.find_user(database, username)
    assert user is not None
    assert user.password_hash is not None
    return user.password_hash


class Hashes:
    """Counts the passwords that are hashed, to check or to store them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._lock = threading.Lock()
        self.checked = 0
        self.made = 0
        self.before_check: Callable[[], None] = lambda: None
        check, make = bcrypt.checkpw, bcrypt.hashpw

        def checkpw(password: bytes, hashed: bytes) -> bool:
            with self._lock:
                self.checked += 1
            self.before_check()
            return check(password, hashed)

        def hashpw(password: bytes, salt: bytes) -> bytes:
            with self._lock:
                self.made += 1
            return make(password, salt)

        monkeypatch.setattr(bcrypt, "checkpw", checkpw)
        monkeypatch.setattr(bcrypt, "hashpw", hashpw)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> Hashes:
    return Hashes(monkeypatch)


@pytest.fixture
def moment() -> Iterator[time_machine.Traveller]:
    """A stopped clock that tests move."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def at_once(count: int, work: Callable[[], Result]) -> list[Result]:
    """Run the work in so many threads, all of which start together, with this thread's settings."""
    barrier = threading.Barrier(count)

    def synchronised() -> Result:
        barrier.wait(30)
        return work()

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(copy_context().run, synchronised) for _ in range(count)]
        return [future.result(60) for future in futures]


def outcome(username: str = "alice", password: str = "secret", **options: Any) -> Outcome:
    return logins.verify_password(username, password, **options).outcome


def fail(times: int) -> None:
    for _ in range(times):
        assert outcome(password="wrong") is Outcome.FAILED


def record(username: str = "alice") -> LoginRecord:
    return logins.login_info(username)


# -- right and wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["alice", "ALICE", "aLiCe"])
def test_the_right_password_in_any_spelling_of_the_name(spelling: str) -> None:
    result = logins.verify_password(spelling, "secret")
    assert result.outcome is Outcome.OK
    assert result.actor is not None
    assert (result.actor.username, result.actor.display_name) == ("alice", "Alice")
    assert result.actor.session_digest is None


def test_names_are_compared_in_their_composed_form() -> None:
    add_user("jos\u00e9")
    assert outcome("jose\u0301") is Outcome.OK


@pytest.mark.parametrize(
    "username", ["alice", "nobody", "bob", "dave", "", "al\0ice", "\ud800", "x" * 10_000]
)
def test_a_failure_costs_one_hash_whoever_it_is(username: str, hashes: Hashes) -> None:
    """A5: unknown, without a password, inactive, or known with a wrong password."""
    result = logins.verify_password(username, "wrong")
    assert (result.outcome, result.actor) == (Outcome.FAILED, None)
    assert (hashes.checked, hashes.made) == (1, 0)


@pytest.mark.parametrize("password", ["", "\0", "\ud800", "secret ", "Secret", "x" * 100_000])
def test_odd_passwords_fail(password: str) -> None:
    assert outcome(password=password) is Outcome.FAILED


def test_outcomes_are_logged_without_the_password(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logins.verify_password("alice", "hunter2-marker")
        logins.verify_password("alice", "secret")
    assert [(entry.message, entry.username) for entry in caplog.records] == [
        ("login FAILED", "alice"),
        ("login OK", "alice"),
    ]
    assert "marker" not in repr([vars(entry) for entry in caplog.records])


# -- counting ---------------------------------------------------------------------------------


def test_logins_and_failures_are_counted(moment: time_machine.Traveller) -> None:
    assert record() == LoginRecord(username="alice")
    assert outcome(use_cache=False) is Outcome.OK
    moment.shift(60)
    fail(1)
    moment.shift(60)
    assert outcome(use_cache=False) is Outcome.OK
    assert record() == LoginRecord(
        username="alice",
        attempted_at=NOW + timedelta(minutes=2),
        login_count=2,
        total_failed_count=1,
        last_failed_at=NOW + timedelta(minutes=1),
        last_login_at=NOW + timedelta(minutes=2),
        previous_login_at=NOW,
    )


@pytest.mark.parametrize("allowed", [1, 3])
def test_after_the_allowed_failures_the_right_password_is_denied_too(
    allowed: int, settings: config.Settings, hashes: Hashes
) -> None:
    """A1: every door counts on the same record."""
    with config.active(replace(settings, failed_logins_allowed=allowed)):
        fail(allowed)
        assert hashes.checked == allowed
        for use_cache in (True, False):
            assert outcome(use_cache=use_cache) is Outcome.DENIED
            assert outcome(password="wrong", use_cache=use_cache) is Outcome.DENIED
    assert hashes.checked == allowed
    assert record().failed_count == allowed
    assert record().total_failed_count == allowed


def test_one_failure_less_and_the_right_password_clears_the_count() -> None:
    fail(2)
    assert outcome() is Outcome.OK
    assert record().failed_count == 0
    logins.forget_credentials()
    fail(2)
    assert outcome() is Outcome.OK


def test_a_lock_is_of_one_user_only() -> None:
    add_user("carol")
    fail(3)
    assert outcome("carol") is Outcome.OK


def test_an_unlocked_user_may_sign_in_again() -> None:
    fail(3)
    assert logins.unlock("ALICE")
    assert outcome() is Outcome.OK
    assert record().total_failed_count == 3
    assert not logins.unlock("nobody")


@pytest.mark.parametrize("guesses", [100])
def test_parallel_guesses_cannot_outrun_the_count(guesses: int, hashes: Hashes) -> None:
    """A2: of a hundred guesses at once, three are hashed."""
    outcomes = at_once(guesses, lambda: outcome(password="wrong", use_cache=False))
    assert outcomes.count(Outcome.FAILED) == 3
    assert outcomes.count(Outcome.DENIED) == guesses - 3
    assert hashes.checked == 3
    assert outcome() is Outcome.DENIED


def test_parallel_requests_with_the_right_password_cost_one_hash(hashes: Hashes) -> None:
    assert at_once(50, outcome) == [Outcome.OK] * 50
    assert hashes.checked == 1
    assert record().login_count == 1


def test_parallel_fresh_logins_with_the_right_password_all_succeed(hashes: Hashes) -> None:
    assert at_once(20, lambda: outcome(use_cache=False)) == [Outcome.OK] * 20
    assert hashes.checked == 20
    assert record().login_count == 20
    assert (record().failed_count, record().unresolved_count) == (0, 0)


class TestOtherProcesses:
    """Other processes check passwords of the same user: what they count is in the database."""

    def begin(self, attempts: int, *, seconds_ago: int = 0) -> None:
        moment = clock.now() - timedelta(seconds=seconds_ago)
        for _ in range(attempts):
            counted = store.writing(
                lambda database: stored.count_attempt(
                    database, "alice", limit=3, now=moment, doubtful_since=moment - timedelta(seconds=10)
                )
            )
            assert counted

    def test_their_success_is_waited_for(self) -> None:
        self.begin(3)
        timer = threading.Timer(
            0.2,
            copy_context().run,
            [store.writing, lambda database: stored.record_success(database, "alice", clock.now())],
        )
        timer.start()
        assert outcome() is Outcome.OK
        timer.join()
        # Two of the three are still being checked and stay counted until they are resolved.
        assert (record().failed_count, record().unresolved_count) == (2, 2)

    def test_their_failures_are_waited_for(self) -> None:
        self.begin(3)

        def resolve(database: Database) -> None:
            for _ in range(3):
                stored.record_failure(database, "alice", clock.now())

        timer = threading.Timer(0.2, copy_context().run, [store.writing, resolve])
        timer.start()
        assert outcome() is Outcome.DENIED
        timer.join()

    def test_who_waits_too_long_is_asked_to_come_again(self, settings: config.Settings) -> None:
        self.begin(3)
        with (
            config.active(replace(settings, database_wait_seconds=0.1)),
            pytest.raises(Problem) as problem,
        ):
            logins.verify_password("alice", "secret")
        assert problem.value.fault is Fault.BUSY

    def test_what_was_never_resolved_counts_as_failed(self) -> None:
        self.begin(3, seconds_ago=11)
        assert outcome() is Outcome.DENIED

    def test_what_was_never_resolved_is_not_waited_for_again(self) -> None:
        self.begin(1, seconds_ago=11)
        fail(1)
        assert (record().failed_count, record().unresolved_count) == (2, 0)
        assert outcome() is Outcome.OK
        assert record().failed_count == 0

    def test_a_count_that_was_lost_to_another_is_looked_at_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        find_account = stored.find_account
        late = iter([lambda: self.begin(3, seconds_ago=11)])

        def found_before_others_counted(database: Database, username_key: str) -> Any:
            account = find_account(database, username_key)
            next(late, lambda: None)()
            return account

        monkeypatch.setattr(stored, "find_account", found_before_others_counted)
        assert outcome(use_cache=False) is Outcome.DENIED


def test_a_user_who_was_deactivated_in_between_fails(monkeypatch: pytest.MonkeyPatch, hashes: Hashes) -> None:
    find_account = stored.find_account
    late = iter([lambda: logins.deactivate("alice")])

    def found_before_the_deactivation(database: Database, username_key: str) -> Any:
        account = find_account(database, username_key)
        next(late, lambda: None)()
        return account

    monkeypatch.setattr(stored, "find_account", found_before_the_deactivation)
    assert outcome(use_cache=False) is Outcome.FAILED
    assert hashes.checked == 1
    assert record() == LoginRecord(username="alice")


# -- the credential memory --------------------------------------------------------------------


def test_a_verified_credential_is_not_hashed_again(hashes: Hashes) -> None:
    assert [outcome(), outcome(), outcome("ALICE")] == [Outcome.OK] * 3
    assert hashes.checked == 1
    assert record().login_count == 1


def test_a_door_that_wants_a_fresh_check_gets_one(hashes: Hashes) -> None:
    outcome()
    assert outcome(use_cache=False) is Outcome.OK
    assert hashes.checked == 2


def test_another_password_is_hashed(hashes: Hashes) -> None:
    outcome()
    assert outcome(password="wrong") is Outcome.FAILED
    assert hashes.checked == 2


def test_a_remembered_credential_neither_clears_failures_nor_beats_the_lock() -> None:
    outcome()
    fail(2)
    assert outcome() is Outcome.OK
    assert record().failed_count == 2
    fail(1)
    assert outcome() is Outcome.DENIED


def test_a_credential_is_forgotten_after_a_minute(hashes: Hashes, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 1000.0
    monkeypatch.setattr(clock, "monotonic", lambda: seconds)
    outcome()
    seconds += 59
    outcome()
    assert hashes.checked == 1
    seconds += 1
    assert outcome() is Outcome.OK
    assert hashes.checked == 2


def test_nothing_is_remembered_where_that_is_switched_off(settings: config.Settings, hashes: Hashes) -> None:
    with config.active(replace(settings, credential_cache_seconds=0)):
        assert [outcome(), outcome()] == [Outcome.OK] * 2
    assert hashes.checked == 2


def test_a_new_password_makes_the_remembered_one_useless() -> None:
    outcome()
    assert logins.set_password("Alice", "other")
    assert outcome() is Outcome.FAILED
    assert outcome(password="other") is Outcome.OK


def test_a_deactivated_user_is_refused_at_once() -> None:
    outcome()
    assert logins.deactivate("Alice")
    assert outcome() is Outcome.FAILED


def test_there_is_nothing_to_change_about_nobody() -> None:
    assert not logins.set_password("nobody", "other")
    assert not logins.deactivate("nobody")


# -- hashes that grow stronger ----------------------------------------------------------------


def test_a_login_renews_an_outdated_hash_once(settings: config.Settings, hashes: Hashes) -> None:
    """A7."""
    old = stored_hash()
    outcome()
    with config.active(replace(settings, bcrypt_cost=5)):
        logins.forget_credentials()
        assert at_once(10, outcome) == [Outcome.OK] * 10
        renewed = stored_hash()
        assert old.startswith("$2b$04$")
        assert renewed.startswith("$2b$05$")
        assert (hashes.checked, hashes.made) == (2, 1)
        assert outcome(use_cache=False) is Outcome.OK
    assert stored_hash() == renewed


def test_an_older_variant_of_the_hash_is_renewed() -> None:
    with store.reading() as database:
        stored.set_password_hash(database, "alice", stored_hash().replace("$2b$", "$2a$"))
    assert outcome() is Outcome.OK
    assert stored_hash().startswith("$2b$04$")


def test_long_passwords_differ_behind_the_72nd_byte() -> None:
    logins.set_password("alice", "x" * 72 + "a")
    assert outcome(password="x" * 72 + "b") is Outcome.FAILED
    assert outcome(password="x" * 72) is Outcome.FAILED
    assert outcome(password="x" * 72 + "a") is Outcome.OK


def test_a_hash_renewed_meanwhile_is_no_failure(hashes: Hashes) -> None:
    """Two processes that check the same password renew its hash at once: the later one looks again."""
    renewals = iter([passwords.hash_password("secret")])

    def renew() -> None:
        for password_hash in renewals:
            with store.reading() as database:
                stored.set_password_hash(database, "alice", password_hash)

    hashes.before_check = renew
    assert outcome() is Outcome.OK
    assert record().failed_count == 0


def test_a_password_changed_meanwhile_is_a_failure(hashes: Hashes) -> None:
    changes = iter(["other"])

    def change() -> None:
        for password in changes:
            logins.set_password("alice", password)

    hashes.before_check = change
    assert outcome() is Outcome.FAILED
    assert (record().failed_count, record().unresolved_count) == (1, 0)


def test_a_user_deactivated_during_the_check_fails(hashes: Hashes) -> None:
    hashes.before_check = lambda: logins.deactivate("alice") and None
    assert outcome() is Outcome.FAILED


def test_under_a_hash_that_changes_all_the_time_nobody_says_that_the_password_is_wrong(
    hashes: Hashes,
) -> None:
    def renew() -> None:
        with store.reading() as database:
            stored.set_password_hash(database, "alice", passwords.hash_password("secret"))

    hashes.before_check = renew
    with pytest.raises(Problem) as caught:
        logins.verify_password("alice", "secret")
    assert (caught.value.fault, hashes.checked) == (Fault.BUSY, 3)
    assert logins.login_info("alice").failed_count == 0


# -- sessions ---------------------------------------------------------------------------------


def sign_in(username: str = "alice", **options: Any) -> str:
    result = logins.verify_password(username, "secret", use_cache=False)
    assert result.actor is not None
    return logins.open_session(result.actor, **options)


def session_rows() -> list[dict[str, Any]]:
    with store.reading() as database:
        return list(Session.select().dicts().execute(database))


def test_a_session_says_who_is_signed_in() -> None:
    actor = logins.session_actor(sign_in())
    assert actor is not None
    assert (actor.username, actor.display_name) == ("alice", "Alice")
    assert actor.session_digest == session_rows()[0]["token_digest"]


def test_ids_are_new_long_and_kept_hashed() -> None:
    """A8."""
    result = logins.verify_password("alice", "secret")
    assert result.actor is not None
    tokens = {logins.open_session(result.actor) for _ in range(200)}
    assert len(tokens) == 200
    assert all(len(token) >= 32 and token.replace("-", "").replace("_", "").isalnum() for token in tokens)
    kept = repr(session_rows())
    assert not any(token in kept for token in tokens)


@pytest.mark.parametrize("token", ["", "planted", "\0", "\ud800", "x" * 100_000, "é"])
def test_unknown_ids_are_nobody(token: str) -> None:
    assert logins.session_actor(token) is None


def test_the_kept_digest_is_no_id() -> None:
    sign_in()
    assert logins.session_actor(session_rows()[0]["token_digest"]) is None


def test_a_closed_session_is_dead_and_others_live() -> None:
    first, second = sign_in(), sign_in()
    assert logins.session_actor(first) is not None
    logins.close_session(first)
    assert logins.session_actor(first) is None
    assert logins.session_actor(second) is not None


def test_a_login_can_end_the_session_it_replaces() -> None:
    first = sign_in()
    second = sign_in(replacing=first)
    assert logins.session_actor(first) is None
    assert logins.session_actor(second) is not None
    sign_in(replacing="planted")
    assert logins.session_actor(second) is not None


@pytest.mark.parametrize(
    ("end_sessions", "argument"),
    [(logins.set_password, ["other"]), (logins.deactivate, [])],
    ids=["new password", "deactivated"],
)
def test_a_users_sessions_end(end_sessions: Callable[..., bool], argument: list[str]) -> None:
    add_user("carol")
    token, other = sign_in(), sign_in("carol")
    assert end_sessions("alice", *argument)
    assert logins.session_actor(token) is None
    assert logins.session_actor(other) is not None


def test_a_session_of_an_inactive_user_is_dead_even_if_its_row_is_left() -> None:
    token = sign_in()
    with store.reading() as database:
        stored.set_inactive(database, "alice")
    assert logins.session_actor(token) is None


def test_a_lock_leaves_sessions_alone() -> None:
    """A4: a stranger's guesses do not sign anybody out."""
    token = sign_in()
    fail(3)
    assert outcome() is Outcome.DENIED
    assert logins.session_actor(token) is not None


def test_a_session_dies_unused(moment: time_machine.Traveller, settings: config.Settings) -> None:
    token = sign_in()
    moment.shift(settings.session_idle_seconds - 1)
    assert logins.session_actor(token) is not None
    moment.shift(settings.session_idle_seconds - 1)
    assert logins.session_actor(token) is not None
    moment.shift(settings.session_idle_seconds)
    assert logins.session_actor(token) is None


def test_a_session_dies_of_age(moment: time_machine.Traveller, settings: config.Settings) -> None:
    token = sign_in()
    for _ in range(settings.session_absolute_seconds // 3600 - 1):
        moment.shift(3600)
        assert logins.session_actor(token) is not None
    moment.shift(3600)
    assert logins.session_actor(token) is None


def test_use_is_noted_once_a_minute(moment: time_machine.Traveller) -> None:
    token = sign_in()
    moment.shift(59)
    logins.session_actor(token)
    assert session_rows()[0]["seen_at"] == NOW
    moment.shift(1)
    logins.session_actor(token)
    moment.shift(59)
    logins.session_actor(token)
    assert session_rows()[0]["seen_at"] == NOW + timedelta(seconds=60)


def test_use_that_cannot_be_noted_is_no_reason_to_refuse(
    moment: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def busy(*arguments: object, **options: object) -> None:
        raise Problem(Fault.BUSY)

    token = sign_in()
    moment.shift(60)
    monkeypatch.setattr(logins, "writing", busy)
    assert logins.session_actor(token) is not None
    assert [entry.levelname for entry in caplog.records] == ["WARNING"]


def test_a_login_removes_what_expired(moment: time_machine.Traveller, settings: config.Settings) -> None:
    sign_in()
    moment.shift(settings.session_absolute_seconds + 1)
    sign_in()
    assert [row["created_at"] for row in session_rows()] == [clock.now()]


def test_rows_of_the_count_belong_to_users(engine: Database) -> None:
    fail(1)
    logins.verify_password("nobody", "wrong")
    with store.reading() as database:
        assert [
            row for (row,) in LoginRecordTable.select(LoginRecordTable.username).tuples().execute(database)
        ] == ["alice"]
