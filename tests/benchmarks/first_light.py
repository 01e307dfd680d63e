"""What the first experiments give on this machine: accuracy at equal parameter counts, and the cost of depth.

    python -m tests.benchmarks.first_light              # ResNet-14, Fashion-MNIST, 12,800 images, 4 epochs; depth
    python -m tests.benchmarks.first_light --replicates 3

Prints a table; --json FILE keeps the figures with the machine's description. The accuracy figures repeat to the bit
on the same machine and thread count, the seconds do not.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from pathlib import Path
from typing import Any

import torch

from core.run.events import Finished, Started
from core.run.spec import RunSpec
from core.training.loop import train

POLICIES = ("batchnorm", "random-2", "output", "all")


def measure(spec: RunSpec) -> dict[str, Any]:
    """Train `spec` and say what came of it."""
    began = time.perf_counter()
    events = list(train(spec))
    started, finished = events[0], events[-1]
    assert isinstance(started, Started) and isinstance(finished, Finished), finished
    return {
        "architecture": spec.architecture,
        "policy": spec.policy,
        "replicate": spec.replicate,
        "steps": finished.step,
        "trainable": finished.trainable,
        "top1": round(finished.top1, 4),
        "train_top1": round(finished.train_top1, 4),
        "disabled": round(finished.disabled, 4),
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def experiments(replicates: int) -> list[RunSpec]:
    """The policies side by side, then deeper networks for a few steps."""
    common = {"dataset": "fashion-mnist", "epochs": 4, "train_examples": 12_800}
    runs = [
        RunSpec(architecture="resnet-14", policy=policy, replicate=replicate, **common)
        for replicate in range(replicates)
        for policy in POLICIES
    ]
    short = {"dataset": "fashion-mnist", "epochs": 1, "test_examples": 500}
    runs.append(RunSpec(architecture="resnet-110", policy="batchnorm", train_examples=1280, **short))
    runs.append(RunSpec(architecture="resnet-866", policy="batchnorm", train_examples=256, **short))
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    machine = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    print(machine)
    print(
        f"{'architecture':12} {'policy':10} {'rep':>3} {'steps':>5} {'trainable':>9} {'top-1':>7} {'train':>7} {'s':>7}"
    )
    rows = []
    for spec in experiments(arguments.replicates):
        row = measure(spec)
        rows.append(row)
        print(
            f"{row['architecture']:12} {row['policy']:10} {row['replicate']:3} {row['steps']:5} {row['trainable']:9,} "
            f"{row['top1']:7.4f} {row['train_top1']:7.4f} {row['seconds']:7.1f}",
            flush=True,
        )
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
