"""The Postman collection: made from the examples, and green in newman against a live server, twice."""

import json
import os
import shutil
import subprocess
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
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def collection() -> dict[str, Any]:
    text = (POSTMAN / "herzum-approval.postman_collection.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
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
    for name in ("COLLECTION", "ENVIRONMENT"):
        monkeypatch.setattr(generator, name, tmp_path / getattr(generator, name).name)
    assert generator.main(["--check"]) == 1
    assert generator.main([]) == 0
    assert generator.main(["--check"]) == 0
    generator.COLLECTION.write_text("{}", encoding="utf-8")
    capsys.readouterr()
    assert generator.main(["--check"]) == 1
    assert generator.COLLECTION.name in capsys.readouterr().out


def test_every_example_is_in_it_once(collection: dict[str, Any]) -> None:
    items = [item for folder in collection["item"][1:] for item in folder["item"]]
    named = [item["request"]["description"].split("`")[1] for item in items]
    assert sorted(named) == sorted(example.name for example in examples.load())
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


def test_every_variable_is_defined(collection: dict[str, Any]) -> None:
    defined = {variable["key"] for variable in collection["variable"]}
    text = json.dumps({"item": collection["item"], "auth": collection["auth"]})
    used = {part.split("}}")[0] for part in text.split("{{")[1:]}
    assert {"hostname", "username", "password"} <= used <= defined


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
def test_newman_is_green_twice_in_a_row(newman: Path, live_server: LiveServer, tmp_path: Path) -> None:
    for report in (tmp_path / "first.json", tmp_path / "second.json"):
        stats = _run(newman, live_server, report)
        assert stats["requests"]["total"] > len(examples.load())
        assert stats["assertions"]["total"] > len(examples.load())
        assert {name: count["failed"] for name, count in stats.items()} == dict.fromkeys(stats, 0)


def test_newman_sees_a_wrong_answer(newman: Path, live_server: LiveServer, tmp_path: Path) -> None:
    """A run that cannot fail would prove nothing: with a wrong password it must."""
    report = tmp_path / "report.json"
    command = _command(newman, live_server, report, "--env-var", "password=wrong", "--folder", "Jira")
    run = subprocess.run(command, cwd=POSTMAN, capture_output=True, text=True, timeout=240)
    assert run.returncode == 1
    failures = json.loads(report.read_text(encoding="utf-8"))["run"]["failures"]
    assert "Who asks (200)" in {failure["source"]["name"] for failure in failures}


def _run(newman: Path, server: LiveServer, report: Path) -> dict[str, Any]:
    command = _command(newman, server, report)
    run = subprocess.run(command, cwd=POSTMAN, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stdout + run.stderr
    stats: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))["run"]["stats"]
    return stats


def _command(newman: Path, server: LiveServer, report: Path, *more: str) -> list[str]:
    return [
        str(newman),
        "run",
        "herzum-approval.postman_collection.json",
        "--environment",
        "herzum-approval.postman_environment.json",
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
