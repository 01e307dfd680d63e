"""Whether the fast engine costs accuracy: the same runs with torch's modules in float32, and with the engine.

`engine` is what a launched run does; `32 bits` keeps 32 bits for backward instead of 8; `half gradients` rounds
gradients to bfloat16 on any machine (pool.py).

    python -m tests.benchmarks.precision                          # about half an hour on two cores
    python -m tests.benchmarks.precision --architectures resnet-14 --replicates 3 --train-examples 6400

Fashion-MNIST, `batchnorm`, the paper's recipe. Printed: mean test accuracy of the last epoch over the replicates, and
the mean difference to float32 with its paired 95% interval; each replicate has the same seeds in all three. --json
FILE keeps every single accuracy; a file that is there already is gone on with.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import Any, Literal

from core.run.spec import RunSpec
from core.studies.statistics import paired, summary
from tests.benchmarks.pool import CORES, Job, run_all

WAYS: dict[str, tuple[dict[str, Any], Literal["engine", "modules", "rounded"]]] = {
    "float32": ({"precision": "fp32"}, "modules"),
    "engine": ({}, "engine"),
    "32 bits": ({"lean": False}, "engine"),
    "half gradients": ({}, "rounded"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architectures", nargs="+", default=["resnet-14", "resnet-32"])
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=["float32", "engine"])
    parser.add_argument("--replicates", type=int, default=5)
    parser.add_argument("--train-examples", type=int, default=12_800)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--processes", type=int, default=CORES)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()

    def job(architecture: str, way: str, replicate: int) -> Job:
        recipe, by = WAYS[way]
        run = {
            "architecture": architecture,
            "policy": "batchnorm",
            "dataset": "fashion-mnist",
            "epochs": arguments.epochs,
            "train_examples": arguments.train_examples,
            "replicate": replicate,
            "recipe": recipe,
        }
        return Job(RunSpec.model_validate(run), by)

    # All ways of a replicate together, so that a part of the runs compares already.
    keys = [(a, w, r) for r, a, w in product(range(arguments.replicates), arguments.architectures, arguments.ways)]
    rows = run_all({_name(*key): job(*key) for key in keys}, arguments.json, arguments.processes)
    print(f"{'network':<12}{'way':<15}{'n':>3}{'mean %':>9}{'sd':>7}   difference to float32, 95%")
    for architecture, way in product(arguments.architectures, arguments.ways):
        own, reference = (
            {r: 100 * rows[_name(architecture, name, r)]["top1"] for r in range(arguments.replicates)}
            for name in (way, "float32" if "float32" in arguments.ways else way)
        )
        mean, difference = summary(list(own.values())), paired(own, reference)
        assert mean is not None and difference is not None
        told = ""
        if own is not reference and way != "float32" and difference.low is not None and difference.high is not None:
            told = f"{difference.mean:+.2f} points, {difference.low:+.2f} to {difference.high:+.2f}"
        print(f"{architecture:<12}{way:<15}{mean.n:>3}{mean.mean:>9.2f}{mean.sd or 0:>7.2f}   {told}")


def _name(architecture: str, way: str, replicate: int) -> str:
    return f"{architecture} {way} replicate {replicate}"


if __name__ == "__main__":
    main()
