"""Whatever OpenAPI allows or forbids is answered as OpenAPI describes it."""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

from tests.live import LiveServer

EXAMPLES_OF_AN_OPERATION = {
    "herzum": 60,
    "jira": 30,
    "approval_path": 20,
    "administration": 12,
    "jsm_ops": 10,
    "emulator": 200,
}
EXAMPLES_WHERE_REFUSED = {"herzum": 60, "approval_path": 40, "administration": 10, "jsm_ops": 15}
"""Where nobody is served who asks so, every request meets the same few refusals: examples alone will do."""
CALLERS = (None, "carol", "admin")
RUNS = (
    *product(("herzum", "jira", "administration"), CALLERS),
    *product(("jsm_ops",), (None, "bob", "admin")),
    *product(("approval_path",), (None, "admin")),
    ("emulator", None),
)
ADMINISTRATED = ("administration", "jsm_ops")
"""Families that serve nobody but administrators."""

CASES_OF_A_RUN = 150
API_KEY = "mc96LyRi9nUQySSjKXEf8xfqUZzjS2CYhRK8bWSRRfQi"
"""What stands for a login in the Web API of Approval Path; it may do everything."""

# The same cases on every machine; FUZZ_SEED=random looks elsewhere, FUZZ_SEED=<number> looks there again.
_SEED = os.environ.get("FUZZ_SEED", "20200508")
SEED = random.randrange(2**32) if _SEED == "random" else int(_SEED)

CHECKS: dict[str, Any] = {
    "not_a_server_error": {"enabled": True},
    "status_code_conformance": {"enabled": True},
    "content_type_conformance": {"enabled": True},
    "response_headers_conformance": {"enabled": True},
    "response_schema_conformance": {"enabled": True},
    "negative_data_rejection": {"enabled": True},
    "missing_required_header": {"enabled": True},
    "unsupported_method": {"enabled": True},
    "allow_header_conformance": {"enabled": True},
    "ignored_auth": {"enabled": True},
    "use_after_free": {"enabled": True},
    "ensure_resource_availability": {"enabled": True},
    # A name that nothing has is refused, and no schema can tell it from one that something has.
    "positive_data_acceptance": {"enabled": False},
}

OWN_CHECKS: dict[str, dict[str, Any]] = {
    # What is created stands in a list, in which schemathesis takes the definition's id for the approval's.
    "approval_path": {"ensure_resource_availability": {"enabled": False}},
}
"""Where a family's checks differ."""

TWINS = "/approval-path/(conditions|spaces|pages)"
"""Doors of the same make as those of definitions, by one function; fuzzing them all takes minutes."""

KNOWN = {
    "appname": ["tech", "Roberto Pupo"],
    "username": ["admin", "bob"],
    "status": ["PENDING", "approved"],
    "issuekey": ["TEST-1", "SOFT-1"],
    "issuekeys": ["TEST-1,TEST-2"],
    "issueids": ["12500", "10500,10600"],
    "projectId": ["10000", "10300"],
    "approvalId": ["1", "3"],
    "name": ["tech"],
    "startAt": ["0", "1"],
    "maxResults": ["0", "2"],
    "identifierType": ["id", "name"],
}
"""What the demonstration site knows: without it all names are unknown, and all answers refusals."""

PLACES = {
    "cloud_id": ["11111111-2222-4333-8444-555555555555"],
    "identifier": ["288c1908-2337-47c0-8a15-9d80fb1256ea", "FinanceRole"],
    "account_id": ["630a55c646556c72662aaaaa"],
    "ref_id": ["TEST-1", "12305", "TEST"],
}
"""The same for parameters in paths."""


OWN_CREDENTIALS = "Invalid component: parameter `Authorization` in header"
"""No failure: the run's own credentials take the place of a header that was made up to be refused."""


@dataclass
class Tally:
    """What a run sent and what it found. served: how often it got what it asked for, OPTIONS aside."""

    statuses: Counter[int] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    served: int = 0

    @property
    def cases(self) -> int:
        return self.statuses.total()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that forgives failed logins: the runs sign in wrongly all the time."""
    log_file = tmp_path_factory.mktemp("fuzz") / "server.log"
    with LiveServer(log_file, failed_logins_allowed="1000000") as running:
        yield running


@pytest.mark.parametrize(("family", "caller"), RUNS)
def test_answers_are_as_described(
    server: LiveServer, tmp_path: Path, family: str, caller: str | None
) -> None:
    print(f"FUZZ_SEED={SEED}")
    server.reset()
    tally = run(server, family, caller, tmp_path)
    print(tally.cases, "cases:", dict(tally.statuses), dict(tally.checks))
    assert not tally.failures, "\n\n".join(tally.failures)
    assert tally.cases >= CASES_OF_A_RUN
    assert tally.checks["not_a_server_error"] >= CASES_OF_A_RUN
    assert bool(tally.served) is is_served(family, caller)
    assert any(400 <= status < 500 for status in tally.statuses)


def test_there_are_two_thousand_cases() -> None:
    assert CASES_OF_A_RUN * len(RUNS) >= 2000


def is_served(family: str, caller: str | None) -> bool:
    """Return whether the family lets the caller in."""
    is_anonymous = caller is None and family in ("herzum", "approval_path")
    return not is_anonymous and (caller == "admin" or family not in ADMINISTRATED)


def credentials(family: str, caller: str) -> dict[str, str]:
    """Return by what the family knows the caller: name and password, or e-mail address and API token."""
    if family == "jsm_ops":
        return {"username": f"{caller}@example.com", "password": f"demo-token-{caller}"}
    return {"username": caller, "password": caller}


def run(server: LiveServer, family: str, caller: str | None, directory: Path) -> Tally:
    """Run schemathesis over one family's document, signed in as the caller, and return its tally."""
    is_refused = not is_served(family, caller)
    examples = (EXAMPLES_WHERE_REFUSED if is_refused else EXAMPLES_OF_AN_OPERATION)[family]
    settings: dict[str, Any] = {
        "seed": SEED + RUNS.index((family, caller)),
        "checks": {**CHECKS, **OWN_CHECKS.get(family, {})},
        "generation": {"max-examples": examples, "database": "none", "mode": "all"},
        "phases": {name: {"enabled": not is_refused} for name in ("coverage", "stateful")},
        "reports": {"directory": str(directory)},
        "cache": {"enabled": False},
        "dictionaries": {name: {"values": values} for name, values in {**KNOWN, **PLACES}.items()},
        "parameters": {
            **{f"query.{name}": {"dictionary": name, "probability": 0.8} for name in KNOWN},
            **{f"path.{name}": {"dictionary": name, "probability": 0.8} for name in PLACES},
        },
    }
    if family == "approval_path" and caller is not None:
        settings["headers"] = {"Authorization": f"Bearer {API_KEY}"}
    elif caller is not None:
        settings["auth"] = {"basic": credentials(family, caller)}
    schema = schemathesis.openapi.from_url(
        f"{server.base_url}/openapi/{family}.json", config=SchemathesisConfig.from_dict(settings)
    )
    if family == "administration":
        schema = schema.exclude(path_regex=TWINS)
    tally = Tally()
    for event in from_schema(schema).execute():
        if isinstance(event, ScenarioFinished):
            _count(event, tally)
        elif isinstance(event, (FatalError, NonFatalError)):
            tally.failures.append(f"{family}: {event}")
    return tally


def _count(event: ScenarioFinished, tally: Tally) -> None:
    for interaction in event.recorder.interactions.values():
        assert interaction.response is not None, "the server closed the connection"
        status = interaction.response.status_code
        tally.statuses[status] += 1
        tally.served += 200 <= status < 300 and interaction.request.method != "OPTIONS"
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            tally.checks[check.name] += 1
            if check.status is Status.FAILURE:
                assert check.failure_info is not None
                if _is_never_sent(event, check.name, check.failure_info.failure.message):
                    continue
                tally.failures.append(_described(event, case_id, check.name, check.failure_info.failure))


def _is_never_sent(event: ScenarioFinished, check: str, message: str) -> bool:
    """Return whether what is said to be invalid was lost on the way: the login, and in chains of requests."""
    return check == "negative_data_rejection" and (event.label is None or OWN_CREDENTIALS in message)


def _described(event: ScenarioFinished, case_id: str, check: str, failure: Failure) -> str:
    curl = event.recorder.cases[case_id].value.as_curl_command()
    return f"{event.label}, {check}: {failure.title}\n{failure.message}\n{curl}"
