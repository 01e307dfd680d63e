"""The capsules in static/examples give the networks again that were shipped, and their results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.trained.capsule import has_its_seeds_weights, read_capsule, rebuild
from tests.core.program import core

ROOT = Path(__file__).parents[3]
CAPSULES = sorted((ROOT / "static" / "examples").glob("*.safetensors"))
TURNED = 2
"""So many of the 359 test images may be seen otherwise on another processor."""


@pytest.mark.parametrize("path", CAPSULES, ids=lambda path: path.stem)
def test_the_network_is_the_one_that_was_trained(path: Path) -> None:
    capsule = read_capsule(path)
    assert has_its_seeds_weights(capsule, rebuild(capsule))


def test_evaluate_gives_the_stored_accuracy() -> None:
    path = CAPSULES[0]
    done = core("capsule", "evaluate", path, "--json")
    said, stored = json.loads(done.stdout), read_capsule(path).result.top1
    assert abs(said["top1"] - stored) <= (TURNED + 0.5) / said["test_examples"]
