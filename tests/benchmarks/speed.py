"""How fast a step is and what it keeps: ours against the usual way and the bare convolutions, turn by turn.

    make bench                                             # under ten minutes on two cores
    python -m tests.benchmarks.speed --networks resnet-110 --policies batchnorm --contenders plain ours limit

What is compared is in contenders.py. Each contender is a process; only one of them goes at a time, the others are
stopped, and they take turns, so that whatever disturbs the machine hits all alike. Printed: images per second (median
of the turns), ours / plain (median of the ratios turn by turn), how many times the bare convolutions' time ours takes
(without getting the images), bytes kept for backward an image, peak memory of the process. --json FILE keeps the
figures with the machine's description.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from core.machine.processor import processor
from tests.benchmarks.contenders import BATCH, CONTENDERS

NETWORKS = ("resnet-14", "resnet-56", "resnet-110", "wrn-14-4")
POLICIES = ("batchnorm", "all")
DEFAULT = ("plain", "plain-2", "ours", "ours-32-bits", "limit")
SECONDS = 25.0
"""For one network and policy, without the start; at least three turns each."""
TURN_S = 1.5
"""How long one turn is, at least one step."""
ROOT = Path(__file__).parents[2]


class Child:
    """One contender in a process group of its own, stopped while others go."""

    def __init__(self, name: str, network: str, policy: str) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.contenders", name, network, policy]
        self.name = name
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout and self.process.stdout.readline() == "ready\n", f"{name} did not start"
        self.turns: list[dict[str, Any]] = []
        self.steps = 1
        began = time.perf_counter()
        self._ask(1)
        self.steps = max(1, int(TURN_S / (time.perf_counter() - began)))
        self._signal(signal.SIGSTOP)

    def turn(self) -> None:
        self._signal(signal.SIGCONT)
        self.turns.append(self._ask(self.steps))
        self._signal(signal.SIGSTOP)

    def end(self) -> None:
        self._signal(signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def _ask(self, steps: int) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        told["step_s"] = told["seconds"] / steps
        told["computing_s"] = (told["seconds"] - told["waited"]) / steps
        return told

    def _signal(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)


def compare(network: str, policy: str, names: list[str], seconds: float) -> dict[str, Any]:
    """All `names` on one network and policy."""
    children: list[Child] = []
    try:
        for name in names:
            children.append(Child(name, network, policy))
        began, turns = time.monotonic(), 0
        while turns < 3 or time.monotonic() - began < seconds:
            for child in children if turns % 2 else reversed(children):
                child.turn()
            turns += 1
    finally:
        for child in children:
            child.end()
    rows = {child.name: _row(child) for child in children}
    plains = [child for child in children if child.name.startswith("plain")]
    for child in children:
        if plains and not child.name.startswith(("plain", "limit")):
            usual = min(plains, key=lambda p: statistics.median(t["step_s"] for t in p.turns))
            rows[child.name]["times_plain"] = _ratio(usual, child, "step_s")
            rows[child.name]["saved_share"] = (
                rows[child.name]["saved_image_bytes"] / usual.turns[-1]["saved_bytes"] * BATCH
            )
        limit = next((c for c in children if c.name == "limit"), None)
        if limit and not child.name.startswith(("plain", "limit")):
            rows[child.name]["times_limit"] = _ratio(child, limit, "computing_s")
    return {"network": network, "policy": policy, "turns": turns, "contenders": rows}


def _row(child: Child) -> dict[str, Any]:
    last = child.turns[-1]
    return {
        "words": last["words"],
        "steps": child.steps * len(child.turns),
        "step_ms": 1e3 * statistics.median(turn["step_s"] for turn in child.turns),
        "computing_ms": 1e3 * statistics.median(turn["computing_s"] for turn in child.turns),
        "images_per_s": BATCH / statistics.median(turn["step_s"] for turn in child.turns),
        "saved_image_bytes": last["saved_bytes"] / BATCH,
        "peak_bytes": last["peak_bytes"],
    }


def _ratio(more: Child, less: Child, key: str) -> float:
    """The median over the turns of how many times as long `more` took."""
    return statistics.median(a[key] / b[key] for a, b in zip(more.turns, less.turns, strict=True))


HEAD = (
    "network",
    "policy",
    "contender",
    "step ms",
    "images/s",
    "x plain",
    "x limit",
    "kB/image",
    "of plain",
    "peak MiB",
)
LINE = "{:<13}{:<11}{:<10}{:>9}{:>10}{:>9}{:>9}{:>10}{:>10}{:>10}  {}"


def show(found: dict[str, Any]) -> None:
    for name, row in found["contenders"].items():
        optional = {
            key: f"{row[key]:.2f}" if key in row else "" for key in ("times_plain", "times_limit", "saved_share")
        }
        print(
            LINE.format(
                found["network"],
                found["policy"],
                name,
                f"{row['step_ms']:.1f}",
                f"{row['images_per_s']:.0f}",
                optional["times_plain"],
                optional["times_limit"],
                f"{row['saved_image_bytes'] / 1e3:.0f}" if row["saved_image_bytes"] else "",
                optional["saved_share"],
                f"{row['peak_bytes'] / 2**20:.0f}",
                row["words"],
            ),
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS))
    parser.add_argument("--policies", nargs="+", default=list(POLICIES))
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), default=list(DEFAULT))
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"for each (default {SECONDS:g})")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the children are ended
    import torch

    machine = {
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    print(LINE.format(*HEAD, ""))
    found = []
    for network in arguments.networks:
        for policy in arguments.policies:
            found.append(compare(network, policy, arguments.contenders, arguments.seconds))
            show(found[-1])
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine, "comparisons": found}, indent=1) + "\n")
        print(f"kept in {arguments.json}")


if __name__ == "__main__":
    main()
