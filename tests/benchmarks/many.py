"""Whether a study of small runs ends sooner side by side, with one thread each, than one by one with all of them.

    python -m tests.benchmarks.many                     # 6 runs of ResNet-8 on digits, three turns of each way
    python -m tests.benchmarks.many --architecture resnet-14 --epochs 4 --turns 5

Each way is a real worker (`python -m jobs`) with a data folder of its own, all runs submitted at once; timed is from
there to the end of the last one. The ways take turns, so that whatever disturbs the machine hits both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.run.spec import RunSpec
from jobs.queue import make_queue, waker
from jobs.settings import WorkerSettings, available_cores
from jobs.store.database import open_database
from jobs.store.store import Store

RUNS = 6
PATIENCE_S = 900.0
WAYS = {"one by one": {"ONLYBN_SLOTS": "1"}, "side by side": {}}


def seconds(spec: RunSpec, runs: int, environment: dict[str, str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        settings = WorkerSettings(data=Path(folder), device="cpu")
        store = Store(open_database(settings.store_url))
        store.migrate()
        wake = waker(make_queue(settings))
        command = [sys.executable, "-m", "jobs"]
        worker = subprocess.Popen(
            command,
            env=os.environ | environment | {"ONLYBN_DATA": folder, "ONLYBN_DEVICE": "cpu"},
            stdout=-3,
            stderr=-3,
        )
        try:
            while not store.workers.all():
                time.sleep(0.05)
            began = time.monotonic()
            ids = [store.runs.submit(spec.model_copy(update={"replicate": i}))[0].id for i in range(runs)]
            wake(ids[0])
            while (states := {run.state for run in store.runs.many(ids).values()}) != {"finished"}:
                assert time.monotonic() - began < PATIENCE_S and "failed" not in states, states
                time.sleep(0.05)
            return time.monotonic() - began
        finally:
            worker.terminate()
            worker.wait()
            store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architecture", default="resnet-8")
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    fields = {name: getattr(arguments, name) for name in ("architecture", "dataset", "epochs")}
    spec = RunSpec.model_validate({**fields, "policy": "batchnorm"})
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    for turn in range(arguments.turns):
        for way in list(WAYS) if turn % 2 else reversed(WAYS):
            took[way].append(seconds(spec, arguments.runs, WAYS[way]))
            print(f"{way}: {took[way][-1]:.1f} s", flush=True)
    gain = statistics.median(a / b for a, b in zip(took["one by one"], took["side by side"], strict=True))
    print(
        f"{arguments.runs} runs of {spec.architecture} on {spec.dataset}, {spec.epochs} epochs, on {available_cores()} "
        f"cores: side by side {gain:.2f} times as soon (median of {arguments.turns})"
    )


if __name__ == "__main__":
    main()
