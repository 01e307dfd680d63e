"""The table of every policy: for each network, how many parameters should train and do, and what a training changed.

    python -m tests.benchmarks.policies                          # 20 steps each on Fashion-MNIST, minutes on one core
    python -m tests.benchmarks.policies --architectures resnet-14 --steps 5

`expected` is written down from the layers as the papers print them (tests/core/catalog/expected.py), `got` is counted
in the network that was trained. `trained changed`: trainable tensors with other bits than before; `frozen unchanged`:
all other parameters and buffers with the same bits as before, weights inside scattered and masked layers included. The
exit code is 1 where a line is wrong. --json FILE keeps the table.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

from core.catalog.policies import POLICIES
from core.data import batches
from core.data.memory import load
from core.run.spec import RunSpec
from tests.core.catalog.expected import ARCHITECTURES, expected
from tests.core.data.audit import audit

HEAD = ("network", "policy", "expected", "got", "trained changed", "frozen unchanged", "s")
LINE = "{:<20}{:<27}{:>12}{:>12}{:>17}{:>18}{:>7}"


def row(architecture: str, policy: str, steps: int, batch: int) -> dict[str, Any]:
    """One line of the table; `refused` says why there is nothing to train."""
    found: dict[str, Any] = {"network": architecture, "policy": policy, "expected": expected(architecture, policy)}
    began = time.perf_counter()
    try:
        spec = RunSpec.model_validate(
            {
                "architecture": architecture,
                "policy": policy,
                "dataset": "fashion-mnist",
                "epochs": 1,
                "train_examples": steps * batch,
                "test_examples": 16,
                "recipe": {"batch_size": batch},
            }
        )
    except ValueError as error:
        return {**found, "refused": "would train nothing" in str(error), "ok": not found["expected"]}
    seen = audit(spec)
    return {
        **found,
        "got": seen.trainable,
        "changed": seen.changed,
        "trained": seen.trained,
        "unchanged": seen.unchanged,
        "frozen": seen.frozen,
        "seconds": round(time.perf_counter() - began, 2),
        "ok": seen.ok and seen.trainable == found["expected"],
    }


def shown(line: dict[str, Any]) -> str:
    name, policy, count = line["network"], line["policy"], f"{line['expected']:,}"
    if "got" not in line:
        return LINE.format(name, policy, count, "refused", "", "", "")
    changed, unchanged = f"{line['changed']}/{line['trained']}", f"{line['unchanged']}/{line['frozen']}"
    text = LINE.format(name, policy, count, f"{line['got']:,}", changed, unchanged, f"{line['seconds']:.1f}")
    return text if line["ok"] else f"{text}  WRONG"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architectures", nargs="+", choices=ARCHITECTURES, default=ARCHITECTURES)
    parser.add_argument("--policies", nargs="+", choices=list(POLICIES), default=list(POLICIES), metavar="NAME")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=8, help="images a step (default 8)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    batches.load = cache(load)  # type: ignore[attr-defined]
    print(LINE.format(*HEAD))
    table = []
    for architecture in arguments.architectures:
        for policy in arguments.policies:
            table.append(row(architecture, policy, arguments.steps, arguments.batch))
            print(shown(table[-1]), flush=True)
    wrong = sum(not line["ok"] for line in table)
    print(f"{len(table)} lines of {arguments.steps} steps of {arguments.batch} images, {wrong} wrong")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
