"""The search for the recipe `fast`: a quarter of the epochs, at least the accuracy of the paper's recipe.

    python -m tests.benchmarks.recipes search --json recipes.json     # candidates, ResNet-14, one replicate
    python -m tests.benchmarks.recipes confirm --json recipes.json    # `fast` against the paper's, 3 replicates
    python -m tests.benchmarks.recipes confirm --json recipes.json --architectures resnet-110 --lengths 8

    ONLYBN_CIFAR_10=... python -m tests.benchmarks.recipes search --dataset cifar-10 --lengths 8 --equal --json FILE

`--equal`: candidates train as many epochs as the paper's recipe, which asks not who is first but who gets furthest.

Policy `batchnorm` on 12,800 images of Fashion-MNIST unless told otherwise. The paper's recipe trains E epochs, a
candidate E / 4, for E = 8 and 16. Test accuracy of the last epoch. The file keeps every run.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import Any

from core.catalog.presets import PRESETS
from core.run.spec import RunSpec
from core.studies.statistics import paired, summary
from tests.benchmarks.pool import CORES, Job, run_all

QUARTER = 4
PAPER: dict[str, Any] = {}
CANDIDATES: dict[str, dict[str, Any]] = {
    **{f"adam {lr:g}": {"optimizer": "adam", "lr": lr, "schedule": "one-cycle"} for lr in (0.05, 0.1, 0.2, 0.4)},
    **{f"sgd {lr:g}": {"lr": lr, "schedule": "one-cycle"} for lr in (1.0, 3.0, 6.0)},
    "nesterov 3": {"lr": 3.0, "schedule": "one-cycle", "nesterov": True},
    "adam 0.2, no decay": {"optimizer": "adam", "lr": 0.2, "schedule": "one-cycle", "weight_decay": 0.0},
    "adam 0.1, batch 64": {"optimizer": "adam", "lr": 0.1, "schedule": "one-cycle", "batch_size": 64},
    "adam 0.2, batch 64": {"optimizer": "adam", "lr": 0.2, "schedule": "one-cycle", "batch_size": 64},
    "adam 0.2, batch 512": {"optimizer": "adam", "lr": 0.2, "schedule": "one-cycle", "batch_size": 512},
    "adam 0.1, cosine": {"optimizer": "adam", "lr": 0.1, "schedule": "cosine"},
    "adam 0.2, smoothing": {"optimizer": "adam", "lr": 0.2, "schedule": "one-cycle", "label_smoothing": 0.1},
    "adam 0.2, no shift": {"optimizer": "adam", "lr": 0.2, "schedule": "one-cycle", "augmentation": "none"},
    "sgd 1, batch 64": {"lr": 1.0, "schedule": "one-cycle", "batch_size": 64},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["search", "confirm"])
    parser.add_argument("--architectures", nargs="+", default=None)
    parser.add_argument("--lengths", nargs="+", type=int, default=[8, 16], help="epochs of the paper's recipe")
    parser.add_argument("--policy", default="batchnorm")
    parser.add_argument("--replicates", type=int, default=3)
    parser.add_argument("--dataset", default="fashion-mnist")
    parser.add_argument("--equal", action="store_true", help="as many epochs for all")
    parser.add_argument("--train-examples", type=int, default=None, help="12,800 of Fashion-MNIST, else all")
    parser.add_argument("--processes", type=int, default=CORES)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    searching = arguments.what == "search"
    architectures = arguments.architectures or (["resnet-14"] if searching else ["resnet-14", "resnet-32"])
    recipes = {"paper": PAPER, **(CANDIDATES if searching else {"fast": dict(PRESETS["fast"].recipe)})}
    replicates = range(1 if searching else arguments.replicates)

    def job(architecture: str, length: int, recipe: str, replicate: int) -> Job:
        run = {
            "architecture": architecture,
            "policy": arguments.policy,
            "dataset": arguments.dataset,
            "epochs": length if recipe == "paper" or arguments.equal else length // QUARTER,
            "train_examples": arguments.train_examples or (12_800 if arguments.dataset == "fashion-mnist" else None),
            "replicate": replicate,
            "recipe": recipes[recipe],
        }
        return Job(RunSpec.model_validate(run))

    def name(architecture: str, length: int, recipe: str, replicate: int) -> str:
        return f"{architecture} {arguments.policy} E={length} {recipe}, replicate {replicate}"

    keys = [(a, e, c, r) for r, a, e, c in product(replicates, architectures, arguments.lengths, recipes)]
    rows = run_all({name(*key): job(*key) for key in keys}, arguments.json, arguments.processes)
    print(f"{'network':<12}{'E':>3} {'recipe':<20}{'n':>3}{'mean %':>9}{'sd':>7}   less the paper's recipe, 95%")
    for architecture, length, recipe in product(architectures, arguments.lengths, recipes):
        found = {r: rows[name(architecture, length, recipe, r)]["top1"] for r in replicates}
        usual = {r: rows[name(architecture, length, "paper", r)]["top1"] for r in replicates}
        points, usual_points = ({r: 100 * v for r, v in d.items() if v is not None} for d in (found, usual))
        mean, difference = summary(list(points.values())), paired(points, usual_points)
        if mean is None or difference is None:
            print(f"{architecture:<12}{length:>3} {recipe:<20}  0 diverged")
            continue
        told = f"{difference.mean:+.2f} points" if recipe != "paper" else ""
        if recipe != "paper" and difference.low is not None and difference.high is not None:
            told += f", {difference.low:+.2f} to {difference.high:+.2f}"
        if mean.n < len(found):
            told += f" ({len(found) - mean.n} diverged)"
        print(f"{architecture:<12}{length:>3} {recipe:<20}{mean.n:>3}{mean.mean:>9.2f}{mean.sd or 0:>7.2f}   {told}")


if __name__ == "__main__":
    main()
