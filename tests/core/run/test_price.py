"""The price of a run against what real runs took (tests/benchmarks/price.py, which anybody may run again)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.run.cost import price
from core.run.spec import RunSpec

TAKEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "benchmarks" / "results" / "price.json").read_text()
)["runs"]


@pytest.mark.parametrize("what", ["processor_s", "memory_bytes", "disk_bytes"])
def test_the_price_is_within_thirty_percent_for_nine_of_ten(what: str) -> None:
    ratios = {}
    for run in TAKEN:
        spec = RunSpec.model_validate(run["spec"])
        ratios[f"{spec.architecture} {spec.policy}"] = price(spec).as_dict()[what] / run["taken"][what]
    assert len(TAKEN) == 10
    off = {name: round(ratio, 2) for name, ratio in ratios.items() if not 1 / 1.3 <= ratio <= 1.3}
    assert len(off) <= 1, off
