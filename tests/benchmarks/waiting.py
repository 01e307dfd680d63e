"""How long OpenMP threads should spin before they sleep while they wait for work, alone and beside other programs.

    python -m tests.benchmarks.waiting

Trains ResNet-14 on digits for 5 epochs under each setting in turn, first alone, then beside two busy processes, and
prints the median seconds of the training. libgomp spins 300,000 times by default; OMP_WAIT_POLICY=PASSIVE never.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRAIN = """
from core.run.spec import RunSpec
from core.training.loop import train
spec = RunSpec(architecture="resnet-14", policy="batchnorm", dataset="digits", epochs=5)
print(list(train(spec))[-1].seconds)
"""
ROUNDS = 2
SETTINGS: dict[str, dict[str, str]] = {
    "default": {},
    "PASSIVE": {"OMP_WAIT_POLICY": "PASSIVE"},
    **{f"spin {count}": {"GOMP_SPINCOUNT": str(count)} for count in (1_000, 5_000, 20_000, 100_000)},
}


def seconds(setting: dict[str, str]) -> float:
    """One training in a process of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))} | setting
    done = subprocess.run([sys.executable, "-c", TRAIN], env=environment, cwd=ROOT, capture_output=True, text=True)
    return float(done.stdout)


def main() -> None:
    print(" ".join(f"{name:>12}" for name in ("beside", *SETTINGS)), f" seconds, median of {ROUNDS}")
    for beside in (0, 1, 2):
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(beside)]
        try:
            rounds = [[seconds(setting) for setting in SETTINGS.values()] for _ in range(ROUNDS)]
        finally:
            for process in busy:
                process.kill()
                process.wait()
        medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
        print(f"{f'{beside} busy':>12}", *(f"{median:12.2f}" for median in medians), flush=True)


if __name__ == "__main__":
    main()
