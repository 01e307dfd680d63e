"""Whether OpenMP threads should spin or sleep while they wait for work, alone and beside another program.

    python -m tests.benchmarks.waiting

Trains ResNet-14 on digits for 5 epochs with OMP_WAIT_POLICY=ACTIVE (libgomp's default comes close to it) and
PASSIVE, alternating, first alone and then beside two busy processes. Prints the median seconds of the training.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRAIN = """
from core.spec import RunSpec
from core.training import train
spec = RunSpec(architecture="resnet-14", policy="batchnorm", dataset="digits", epochs=5)
print(list(train(spec))[-1].seconds)
"""
ROUNDS = 3


def seconds(policy: str | None) -> float:
    """One training in a process of its own; `policy` None: as it comes."""
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    if policy:
        environment["OMP_WAIT_POLICY"] = policy
    done = subprocess.run([sys.executable, "-c", TRAIN], env=environment, cwd=ROOT, capture_output=True, text=True)
    return float(done.stdout)


def main() -> None:
    print(f"{'beside':>16} {'default':>8} {'PASSIVE':>8}  seconds, median of {ROUNDS}")
    for beside in (0, 2):
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(beside)]
        try:
            pairs = [(seconds(None), seconds("PASSIVE")) for _ in range(ROUNDS)]
        finally:
            for process in busy:
                process.kill()
                process.wait()
        default, passive = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{f'{beside} busy':>16} {default:8.2f} {passive:8.2f}", flush=True)


if __name__ == "__main__":
    main()
