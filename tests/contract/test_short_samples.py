"""The vendor's older, shorter samples of listed approvals are part of what is answered.

`approval_path_short_samples.json` holds them as the pages print them. The younger sample of a reset has more
members, and every approval is answered in that shape: see `docs/deviations.md`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from herzum_approval import examples

SAMPLES = json.loads(Path(__file__).with_name("approval_path_short_samples.json").read_text(encoding="utf-8"))
ANSWERED_BY = {"4.2": "path-list-of-a-page", "4.3": "path-list-of-an-issue"}
LATER = {"activeSteps", "modificationDate"}
LATER_OF_STEPS = {"parallelGroupNumber", "lastUpdated"}


def lacks(full: Any, part: Any, path: str = "") -> list[str]:
    """Return where `full` does not hold what `part` does. Of pictures only the sizes are compared."""
    if path.endswith(".avatarUrls"):
        return [] if list(full) == list(part) else [path]
    if isinstance(part, dict):
        return [
            fault
            for name, value in part.items()
            for fault in (lacks(full[name], value, f"{path}.{name}") if name in full else [f"{path}.{name}"])
        ]
    if isinstance(part, list):
        if len(full) != len(part):
            return [path]
        pairs = enumerate(zip(full, part, strict=True))
        return [fault for place, pair in pairs for fault in lacks(*pair, f"{path}[{place}]")]
    return [] if full == part else [path]


@pytest.mark.parametrize("number", SAMPLES)
def test_a_short_sample_is_part_of_an_answer(number: str) -> None:
    (example,) = (each for each in examples.load() if each.name == ANSWERED_BY[number])
    sample, body = SAMPLES[number], example.expected.body
    assert lacks(body, sample) == []
    (approval,), (short,) = body["result"], sample["result"]
    assert set(approval) - set(short) == LATER
    assert set(approval["steps"][0]) - set(short["steps"][0]) == LATER_OF_STEPS


def test_what_is_lacking_is_seen() -> None:
    assert lacks({"a": [{"b": 1}]}, {"a": [{"b": 2}]}) == [".a[0].b"]
    assert lacks({"a": []}, {"a": [1], "c": 1}) == [".a", ".c"]
    assert lacks({"x": {"avatarUrls": {"a": 1}}}, {"x": {"avatarUrls": {"a": 2}}}) == []
    assert lacks({"x": {"avatarUrls": {"a": 1}}}, {"x": {"avatarUrls": {"b": 1}}}) == [".x.avatarUrls"]
