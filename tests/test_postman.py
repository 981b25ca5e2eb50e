"""The Postman collections: made from the examples, and green in newman against a live server, twice."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from herzum_approval import examples
from tests.live import LiveServer

POSTMAN = Path(__file__).parent.parent / "postman"
ON_CI = os.environ.get("CI") == "true"
MERGES = [
    ({"licence": {"state": "valid", "note": "n"}}, {"licence": {"state": "expired"}}),
    ({"users": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]}, {"users": [{"id": 2, "name": "B"}]}),
    ({"users": [{"id": 1, "name": "a"}]}, {"users": [{"id": 2, "name": "a"}]}),
    ({"users": [{"id": 1, "username": "a"}]}, {"users": [{"username": "a", "is_active": False}]}),
    ({"groups": [{"id": None, "name": "a"}]}, {"groups": [{"id": None, "name": "a", "note": 1}]}),
    ({"configurations": [{"issue_id": 1}]}, {"configurations": [{"issue_id": 2}, {"issue_id": 2, "x": 1}]}),
    ({"rows": [{"id": 1, "deep": {"a": [1, 2], "b": 3}}]}, {"rows": [{"id": 1, "deep": {"a": [9]}}]}),
    ({"names": ["a", "b"]}, {"names": ["c"]}),
    ({"approvers": [{"kind": "user"}]}, {"approvers": [{"kind": "group"}]}),
    ({"rows": [{"id": 1}]}, {"rows": []}),
    ({"rows": [{"id": 1}]}, {"rows": {"$replace": []}}),
    ({"rows": [{"id": 1}]}, {"rows": {"$replace": [{"id": 2}]}, "new": {"a": {"$replace": 1}}}),
    ({"a": 1, "b": [1]}, {"a": None, "b": {"c": False}}),
]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = spec_from_file_location("postman_generate", POSTMAN / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    return module


SLUGS = ("herzum-approval", "approval-path", "jsm-ops-roles")


@pytest.fixture(params=SLUGS)
def of(request: pytest.FixtureRequest, generator: ModuleType) -> Any:
    """Each collection in turn, as the generator describes it."""
    (found,) = (each for each in generator.COLLECTIONS if each.slug == request.param)
    return found


@pytest.fixture
def collection(of: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(of.collection_path.read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def newman() -> Path:
    """The pinned newman, installed where it is missing; no test is skipped on a build server."""
    runner = POSTMAN / "node_modules" / ".bin" / "newman"
    if runner.exists():
        return runner
    if shutil.which("npx") is None:
        assert not ON_CI, "newman needs Node's npm and npx"
        pytest.skip("newman needs Node's npm and npx")
    command = ["npm", "ci", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=POSTMAN, check=True, capture_output=True, timeout=240)
    return runner


def test_files_are_what_the_examples_make(generator: ModuleType) -> None:
    assert generator.main(["--check"]) == 0


def test_check_finds_a_stale_file(
    generator: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(generator, "FOLDER", tmp_path)
    assert generator.main(["--check"]) == 1
    assert generator.main([]) == 0
    assert generator.main(["--check"]) == 0
    for each in generator.COLLECTIONS:
        for path in (each.collection_path, each.environment_path):
            text = path.read_text(encoding="utf-8")
            path.write_text("{}", encoding="utf-8")
            capsys.readouterr()
            assert generator.main(["--check"]) == 1
            assert path.name in capsys.readouterr().out
            path.write_text(text, encoding="utf-8")


def test_every_example_is_in_one_of_them(generator: ModuleType) -> None:
    assert sorted(each.slug for each in generator.COLLECTIONS) == sorted(SLUGS)
    shown = [example.name for each in generator.COLLECTIONS for example in each.examples()]
    assert sorted(shown) == sorted(example.name for example in examples.load())


def test_every_example_is_in_it_once(of: Any, collection: dict[str, Any]) -> None:
    items = [item for folder in collection["item"][1:] for item in folder["item"]]
    named = [item["request"]["description"].split("`")[1] for item in items]
    assert sorted(named) == sorted(example.name for example in of.examples())
    assert len({item["name"] for item in items}) == len(items), "scripts find their set-up by name"


def test_every_request_has_its_answer_saved_and_checked(collection: dict[str, Any]) -> None:
    by_name = {example.name: example for example in examples.load()}
    for folder in collection["item"][1:]:
        for item in folder["item"]:
            expected = by_name[item["request"]["description"].split("`")[1]].expected
            (saved,) = item["response"]
            assert saved["code"] == expected.status
            if expected.body is None:
                assert saved["body"] == (expected.text or "")
            else:
                assert json.loads(saved["body"]) == expected.body
            script = "\n".join(item["event"][0]["script"]["exec"])
            assert script.count("pm.test(") >= 2 + len(expected.headers)


def test_every_variable_is_defined(of: Any, collection: dict[str, Any]) -> None:
    defined = {variable["key"] for variable in collection["variable"]}
    text = json.dumps({"item": collection["item"], "auth": collection["auth"]})
    used = {part.split("}}")[0] for part in text.split("{{")[1:]}
    assert {"hostname", *of.credentials} <= used <= defined


@pytest.mark.parametrize(("document", "given"), MERGES)
def test_merging_leaves_its_arguments_alone(document: Any, given: Any) -> None:
    before = json.dumps([document, given])
    examples.merged(document, given)
    assert json.dumps([document, given]) == before


def test_merging() -> None:
    merged = [examples.merged(document, given) for document, given in MERGES]
    assert merged == [
        {"licence": {"state": "expired", "note": "n"}},
        {"users": [{"id": 1, "name": "a"}, {"id": 2, "name": "B"}]},
        {"users": [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]},
        {"users": [{"id": 1, "username": "a", "is_active": False}]},
        {"groups": [{"id": None, "name": "a", "note": 1}]},
        {"configurations": [{"issue_id": 1}, {"issue_id": 2, "x": 1}]},
        {"rows": [{"id": 1, "deep": {"a": [9], "b": 3}}]},
        {"names": ["c"]},
        {"approvers": [{"kind": "group"}]},
        {"rows": [{"id": 1}]},
        {"rows": []},
        {"rows": [{"id": 2}], "new": {"a": 1}},
        {"a": None, "b": {"c": False}},
    ]


def test_merging_in_javascript_is_the_same(generator: ModuleType) -> None:
    node = shutil.which("node")
    if node is None:
        assert not ON_CI, "the collection's scripts need Node to be tested"
        pytest.skip("the collection's scripts need Node to be tested")
    cases = f"const CASES = {json.dumps(MERGES)};"
    shown = "console.log(JSON.stringify(CASES.map(([document, given]) => merged(document, given))));"
    script = "\n".join((generator.merge_script(), cases, shown))
    run = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(run.stdout) == [examples.merged(document, given) for document, given in MERGES]


@pytest.mark.timeout(600)
def test_newman_is_green_twice_in_a_row(
    newman: Path, live_server: LiveServer, tmp_path: Path, of: Any
) -> None:
    count = len(of.examples())
    for report in (tmp_path / "first.json", tmp_path / "second.json"):
        stats = _run(newman, live_server, report, of.slug)
        assert stats["requests"]["total"] > count > 0
        assert stats["assertions"]["total"] > count
        assert {name: count["failed"] for name, count in stats.items()} == dict.fromkeys(stats, 0)


@pytest.mark.parametrize(
    ("slug", "secret", "folder", "name"),
    [
        ("herzum-approval", "password", "Jira", "Who asks (200)"),
        ("approval-path", "jira_key", "Approval Path: lists", "No approvals (200)"),
        ("jsm-ops-roles", "api_token", "JSM Operations: roles", "List roles (200)"),
    ],
)
def test_newman_sees_a_wrong_answer(
    newman: Path, live_server: LiveServer, tmp_path: Path, slug: str, secret: str, folder: str, name: str
) -> None:
    """A run that cannot fail would prove nothing: with a wrong secret it must."""
    report = tmp_path / "report.json"
    wrong = ("--env-var", f"{secret}=wrong", "--folder", folder)
    command = _command(newman, live_server, report, slug, *wrong)
    run = subprocess.run(command, cwd=POSTMAN, capture_output=True, text=True, timeout=240)
    assert run.returncode == 1
    failures = json.loads(report.read_text(encoding="utf-8"))["run"]["failures"]
    assert name in {failure["source"]["name"] for failure in failures}


def _run(newman: Path, server: LiveServer, report: Path, slug: str) -> dict[str, Any]:
    command = _command(newman, server, report, slug)
    run = subprocess.run(command, cwd=POSTMAN, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stdout + run.stderr
    stats: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))["run"]["stats"]
    return stats


def _command(newman: Path, server: LiveServer, report: Path, slug: str, *more: str) -> list[str]:
    return [
        str(newman),
        "run",
        f"{slug}.postman_collection.json",
        "--environment",
        f"{slug}.postman_environment.json",
        "--env-var",
        f"hostname={server.hostname}",
        "--reporters",
        "cli,json",
        "--reporter-json-export",
        str(report),
        "--color",
        "off",
        *more,
    ]
