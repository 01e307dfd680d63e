"""How sure the choice of each convolution's algorithm is: tried often, on a quiet machine and beside other work.

    python -m tests.benchmarks.algorithms                        # ResNet-14 on colour images of 32×32 and on digits
    python -m tests.benchmarks.algorithms --networks resnet-110 --datasets cifar-10

Printed for each shape: milliseconds of each algorithm (median of the trials), how often each was chosen, and the least
factor by which a trial was away from another choice.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("GOMP_SPINCOUNT", "5000")  # as `python -m core train` does

from core.engine.algorithms import CLEARLY, OWN, Algorithm, Shape, Trial, _trial, best, native_format, usual_algorithms
from core.engine.compiled import compiled_kernels
from core.machine.memory import keep_freed_memory
from core.run.spec import RunSpec

BATCH = 128
BUSY = "while True: pass"


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that compute meanwhile."""
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def margin(trial: Trial, usual: Algorithm) -> float:
    """By how much the seconds of the usual algorithm or of another would have to differ for another choice."""
    others = [seconds for algorithm, seconds in trial.items() if algorithm is not usual]
    if not others:
        return float("inf")
    if usual not in trial:  # it was wrong
        return 0.0
    factor = trial[usual] / (CLEARLY * min(others))
    return max(factor, 1 / factor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=["resnet-14"])
    parser.add_argument("--datasets", nargs="+", default=["cifar-10", "digits"])
    parser.add_argument("--trials", type=int, default=5)
    arguments = parser.parse_args()
    keep_freed_memory()
    kernels, dtype = compiled_kernels(), native_format()
    shapes: dict[Shape, None] = {}
    for network in arguments.networks:
        for dataset in arguments.datasets:
            spec = RunSpec.model_validate(
                {"architecture": network, "policy": "batchnorm", "dataset": dataset, "epochs": 1}
            )
            shapes |= dict.fromkeys(Shape.of(conv) for conv in spec.plan.convolutions)
    print(f"{'shape':<20} {'beside':<10} {'ms of each algorithm':<44} {'chosen':<24} least factor to another choice")
    for shape in shapes:
        for processes in (0, 1, 2):
            with busy(processes):
                trials = [_trial(shape, BATCH, kernels, dtype) for _ in range(arguments.trials)]
            winners = [best(trial, usual_algorithms(dtype)) for trial in trials]
            known = set.union(*(set(trial) for trial in trials))
            told = {
                each: statistics.median(trial.get(each, float("inf")) for trial in trials) for each in sorted(known)
            }
            milliseconds = ", ".join(f"{each} {1e3 * seconds:.2f}" for each, seconds in told.items())
            chosen = ", ".join(f"{each} {count}x" for each, count in Counter(winners).items())
            usual = Algorithm.FUSED if Algorithm.FUSED in known else OWN[dtype]
            least = min(margin(trial, usual) for trial in trials)
            beside = f"{processes} busy" if processes else "nothing"
            print(f"{shape.key:<20} {beside:<10} {milliseconds:<44} {chosen:<24} {least:.2f}", flush=True)


if __name__ == "__main__":
    main()
