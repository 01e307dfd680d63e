"""What a fault led to, and the command line that all scripts of the campaign share."""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Report:
    """One line of the table. `n`: how many faults; `trainer`: fake or real; `wrong`: what does not hold afterwards."""

    fault: str
    trainer: str = "fake"
    database: str = "SQLite"
    n: int = 0
    seed: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        head = f"{self.fault} ({self.trainer}, {self.database}) n={self.n} seed={self.seed} {self.seconds:.0f} s"
        return f"{head}: {told or 'done'}" + "".join(f"\n  WRONG: {words}" for words in self.wrong)


@dataclass(frozen=True)
class Order:
    """What a script is asked for: so many faults of each kind, None: as many as is usual; and its random numbers."""

    rounds: int | None
    seed: int

    def of(self, usual: int) -> int:
        return usual if self.rounds is None else min(usual, self.rounds)

    def random(self, what: str) -> random.Random:
        return random.Random(f"{self.seed} {what}")


Fault = Callable[[Order], Report]


def carry_out(fault: Fault, order: Order) -> Report:
    """The report of a fault; one that could not be carried out is wrong, too."""
    began = time.monotonic()
    try:
        report = fault(order)
    except Exception as error:
        traceback.print_exc()
        name = getattr(fault, "__name__", str(fault)).replace("_", " ")
        report = Report(name, wrong=[f"it could not be carried out: {type(error).__name__}: {error}"])
    report.seed, report.seconds = order.seed, round(time.monotonic() - began, 1)
    return report


def main(about: str | None, faults: Mapping[str, Fault]) -> int:
    """The command line of a script with these `faults`. Returns its exit code."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, help="at most so many faults of each kind (default: the usual number)")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments (default 1)")
    parser.add_argument("--json", type=Path, help="a file for the figures; those of other faults in it stay")
    parser.add_argument("--only", nargs="+", choices=list(faults), metavar="FAULT", help=", ".join(faults))
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that nothing is left running
    order, wrong = Order(arguments.rounds, arguments.seed), 0
    for name in arguments.only or faults:
        report = carry_out(faults[name], order)
        print(report, flush=True)
        wrong += bool(report.wrong)
        if arguments.json:
            keep(arguments.json, report)
    return 1 if wrong else 0


def keep(file: Path, report: Report) -> None:
    """Write the report into a file of JSON, in place of an older one of the same fault."""
    there = json.loads(file.read_text()) if file.exists() else []
    key = report.fault, report.trainer, report.database
    others = [row for row in there if (row["fault"], row["trainer"], row["database"]) != key]
    file.write_text(f"{json.dumps([*others, asdict(report)], indent=1)}\n")


def spread(seconds: list[float]) -> dict[str, float]:
    """Median, 95% and longest of some times."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"p50_s": round(ordered[len(ordered) // 2], 2), "p95_s": round(p95, 2), "max_s": round(ordered[-1], 2)}
