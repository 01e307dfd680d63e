"""Whether the fast engine costs accuracy: the same runs with torch's modules in float32, with the engine, and lean.

    python -m tests.benchmarks.precision                          # about half an hour on two cores
    python -m tests.benchmarks.precision --architectures resnet-14 --replicates 3 --train-examples 6400

Fashion-MNIST, `batchnorm`, the paper's recipe. Printed: mean test accuracy of the last epoch over the replicates, and
the mean difference to float32 with its paired 95 % interval; each replicate has the same seeds in all three. Runs go
side by side, one thread each. --json FILE keeps every single accuracy; a file that is there already is gone on with.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from core.events import Finished
from core.spec import RunSpec
from core.studies.statistics import Summary, paired, summary

WAYS = {"float32": {"precision": "fp32"}, "engine": {}, "lean": {"lean": True}}
Key = tuple[str, str, int]


def spec_of(architecture: str, way: str, replicate: int, fields: dict[str, Any]) -> RunSpec:
    run = {"architecture": architecture, "policy": "batchnorm", "dataset": "fashion-mnist", "replicate": replicate}
    return RunSpec.model_validate({**run, **fields, "recipe": WAYS[way]})


def train_one(key: Key, fields: dict[str, Any]) -> tuple[float, float, str]:
    """Test accuracy, seconds, and what computed it. In a process of its own with one thread."""
    import torch

    from core import learner, training
    from core.engine.memory import keep_freed_memory
    from core.engine.plain import PlainEngine

    keep_freed_memory()
    torch.set_num_threads(1)
    architecture, way, replicate = key
    if way == "float32":  # torch's own modules, not our kernels in float32
        learner.make_engine = lambda network, *rest: PlainEngine(network)  # type: ignore[assignment]
    words, last = "", None
    for event in training.train(spec_of(architecture, way, replicate, fields), analyses=False):
        words, last = getattr(event, "engine", words), event
    assert isinstance(last, Finished), last
    return last.top1, last.seconds, words


def trained(keys: list[Key], fields: dict[str, Any], processes: int) -> Iterator[tuple[Key, tuple[float, float, str]]]:
    """Each run in a fresh process, as `float32` patches its own."""
    with ProcessPoolExecutor(processes, get_context("spawn"), max_tasks_per_child=1) as pool:
        waiting = {pool.submit(train_one, key, fields): key for key in keys}
        for done in as_completed(waiting):
            yield waiting[done], done.result()


def compared(accuracies: dict[Key, float], architecture: str, way: str) -> tuple[Summary | None, Summary | None]:
    """The mean of one way, and its difference to float32, in points."""
    own = {r: 100 * value for (a, w, r), value in accuracies.items() if (a, w) == (architecture, way)}
    reference = {r: 100 * value for (a, w, r), value in accuracies.items() if (a, w) == (architecture, "float32")}
    return summary(list(own.values())), paired(own, reference)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architectures", nargs="+", default=["resnet-14", "resnet-32"])
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--replicates", type=int, default=5)
    parser.add_argument("--train-examples", type=int, default=12_800)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    fields = {"epochs": arguments.epochs, "train_examples": arguments.train_examples}
    rows: dict[str, Any] = {}
    if arguments.json and arguments.json.exists():
        rows = json.loads(arguments.json.read_text())
    keys = list(product(arguments.architectures, arguments.ways, range(arguments.replicates)))
    keys.sort(key=lambda key: key[2])  # a part of the runs compares all ways already
    missing = [key for key in keys if "/".join(map(str, key)) not in rows]
    for key, (top1, seconds, words) in trained(missing, fields, arguments.processes):
        rows["/".join(map(str, key))] = {"top1": top1, "seconds": seconds, "engine": words, **fields}
        print(f"{key[0]} {key[1]:8} replicate {key[2]}: {top1:.4f} in {seconds:.0f} s ({words})", flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    accuracies = {key: rows["/".join(map(str, key))]["top1"] for key in keys}
    print(f"{'network':<12}{'way':<10}{'n':>3}{'mean %':>9}{'sd':>7}   difference to float32, 95 %")
    for architecture, way in product(arguments.architectures, arguments.ways):
        own, difference = compared(accuracies, architecture, way)
        assert own is not None
        told = ""
        if difference is not None and way != "float32" and difference.low is not None and difference.high is not None:
            told = f"{difference.mean:+.2f} points, {difference.low:+.2f} to {difference.high:+.2f}"
        print(f"{architecture:<12}{way:<10}{own.n:>3}{own.mean:>9.2f}{own.sd or 0:>7.2f}   {told}")


if __name__ == "__main__":
    main()
