"""The sentence of a verdict shows the numbers that it rests on."""

from __future__ import annotations

import random
import re

import pytest

from core.studies.catalog.table import study_spec
from tests.core.studies.test_verdicts import verdict


@pytest.mark.parametrize("name", ["depth", "norm-init", "weight-init", "sparse-weights"])
def test_what_is_undecided_shows_an_interval_that_leaves_it_open(name: str) -> None:
    seen = 0
    for seed in range(60):
        draw = random.Random(seed)
        spread = draw.choice([0.002, 0.01, 0.05])
        level = {str(dict(member.key)): draw.uniform(0.45, 0.55) for member in study_spec(name, "minutes").members}
        told = verdict(name, lambda m: level[str(dict(m.key))] + draw.gauss(0, spread))  # noqa: B023
        if told.outcome != "undecided":
            continue
        seen += 1
        found = re.search(r"CI (\S+) to (\S+), .* The interval includes (±?)(\S+?)(?: points)?, so", told.sentence)
        assert found, told.sentence
        low, high, edge = float(found[1]), float(found[2]), float(found[4])
        edges = (-edge, edge) if found[3] else (edge,)
        assert any(low - 0.05 <= one <= high + 0.05 for one in edges), told.sentence
    assert seen >= 3, "these draws test nothing"
