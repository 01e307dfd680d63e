"""How long OpenMP threads should spin before they sleep while they wait for work, alone and beside other programs.

    python -m tests.benchmarks.waiting

Trains ResNet-14 on digits for 5 epochs under each setting in turn, first alone, then beside two busy processes, and
prints the median seconds of the training. libgomp spins 300,000 times by default; OMP_WAIT_POLICY=PASSIVE never.

    python -m tests.benchmarks.waiting --beside-a-training

Trains with weight gradients beside another training of as many threads, with and without a core for each thread
(core/machine/threads.py), and prints the images a second; after a minute it ends a training and counts what it did.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRAIN = """
from core.run.spec import RunSpec
from core.training.loop import train
spec = RunSpec(architecture="resnet-14", policy="batchnorm", dataset="digits", epochs=5)
print(list(train(spec))[-1].seconds)
"""
ROUNDS, LIMIT_S = 2, 60.0
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


COMMAND = (
    *(sys.executable, "-m", "core", "train", "--no-analysis", "--events", "-"),
    *("--architecture", "resnet-14", "--dataset", "digits"),
)


def beside_a_training(bound: bool, beside: bool) -> float:
    """Images a second of a training that has LIMIT_S seconds; `beside`: another one of all threads runs."""
    environment = {**os.environ, **({} if bound else {"OMP_PROC_BIND": "false"})}
    with tempfile.TemporaryDirectory() as folder:
        trainings = (("it", "random-2", "60"), ("other", "all", "400"))
        both = [
            subprocess.Popen(
                [*COMMAND, "--out", f"{folder}/{name}", "--policy", policy, "--epochs", epochs],
                env=environment,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            for name, policy, epochs in trainings[: 1 + beside]
        ]
        try:
            events: list[dict[str, float]] = []
            began = time.monotonic()
            assert both[0].stdout is not None
            for line in both[0].stdout:
                events.append(json.loads(line))
                if time.monotonic() - began > LIMIT_S:
                    break
            steps = max((event for event in events if "elapsed_s" in event), key=lambda event: event["elapsed_s"])
            return steps["step"] * 128 / steps["elapsed_s"]
        finally:
            for process in both:
                process.kill()
                process.wait()


def main() -> None:
    if "--beside-a-training" in sys.argv:
        for company in (False, True):
            for bound in (False, True):
                speed = beside_a_training(bound, company)
                where, how = "beside another" if company else "alone", "bound" if bound else "free"
                print(f"{where:>15} {how:>6} {speed:8,.0f} images/s", flush=True)
        return
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
