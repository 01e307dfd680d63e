"""How near the price of a run (core/run/cost.py) comes to what the run then takes, on the CPU with one thread.

    python -m tests.benchmarks.price                     # 10 short runs, some 4 minutes of one core
    python -m tests.benchmarks.price --fitted            # the 12 runs that its numbers come from

Each run is `python -m core train` in a folder of its own. Taken are the processor seconds and the peak memory of the
process (wait4), and the most bytes that its folder had.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from core.run.cost import Price, price
from core.run.spec import RunSpec
from jobs.worker.keeper import size_of

LOOK_EVERY_S = 0.2

FASHION = {"dataset": "fashion-mnist", "test_examples": 2000}
FITTED: tuple[dict[str, Any], ...] = (
    {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 30},
    {"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": 60},
    {"architecture": "resnet-56", "policy": "batchnorm", "dataset": "digits", "epochs": 20},
    {"architecture": "resnet-14", "policy": "batchnorm", "epochs": 3, "train_examples": 8000, **FASHION},
    {"architecture": "resnet-14", "policy": "all", "epochs": 3, "train_examples": 8000, **FASHION},
    {"architecture": "resnet-32", "policy": "batchnorm", "epochs": 2, "train_examples": 8000, **FASHION},
    {"architecture": "resnet-56", "policy": "all", "epochs": 1, "train_examples": 8000, **FASHION},
    {"architecture": "resnet-110", "policy": "batchnorm", "epochs": 1, "train_examples": 4000, **FASHION},
    {"architecture": "wrn-14-4", "policy": "batchnorm", "epochs": 1, "train_examples": 4000, **FASHION},
    {"architecture": "wrn-14-4", "policy": "all", "epochs": 1, "train_examples": 4000, **FASHION},
    {"architecture": "resnet-20", "policy": "random-2", "epochs": 2, "train_examples": 8000, **FASHION},
    {"architecture": "resnet-20", "policy": "output", "epochs": 2, "train_examples": 8000, **FASHION},
)
"""The price's numbers come from these runs."""
OTHERS: tuple[dict[str, Any], ...] = (
    {"architecture": "resnet-20", "policy": "all", "dataset": "digits", "epochs": 40},
    {"architecture": "resnet-32", "policy": "gamma", "dataset": "digits", "epochs": 25},
    {"architecture": "wrn-14-2", "policy": "batchnorm", "dataset": "digits", "epochs": 20},
    {"architecture": "resnet-8", "policy": "batchnorm+output", "epochs": 4, "train_examples": 10000, **FASHION},
    {"architecture": "resnet-26", "policy": "batchnorm", "epochs": 2, "train_examples": 6000, **FASHION},
    {"architecture": "resnet-44", "policy": "random-4", "epochs": 1, "train_examples": 6000, **FASHION},
    {"architecture": "resnet-14", "policy": "batchnorm", "epochs": 2, "train_examples": 8000, **FASHION}
    | {"recipe": {"batch_size": 512}},
    {"architecture": "resnet-20", "policy": "all", "epochs": 2, "train_examples": 5000, **FASHION}
    | {"recipe": {"batch_size": 32}},
    {"architecture": "wrn-14-1", "policy": "all", "epochs": 1, "train_examples": 4000, **FASHION},
    {"architecture": "resnet-56", "policy": "none", "epochs": 1, "train_examples": 6000, **FASHION},
)
"""By these it is judged."""


def taken(spec: RunSpec, folder: Path, data: Path) -> Price:
    """What the run of `spec` takes. Raises RuntimeError if it fails."""
    (folder / "asked.json").write_text(spec.model_dump_json())
    command = [
        sys.executable,
        "-m",
        "core",
        "train",
        "--spec",
        str(folder / "asked.json"),
        "--out",
        str(folder / "run"),
    ]
    command += ["--device", "cpu", "--threads", "1", "--events", "-"]
    process = subprocess.Popen(command, env=os.environ | {"ONLYBN_DATA": str(data)}, stdout=subprocess.DEVNULL)
    kept = 0
    while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
        kept = max(kept, size_of(folder / "run"))
        time.sleep(LOOK_EVERY_S)
    _, status, used = ended
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{spec.architecture} ended with {process.returncode}")
    kept = max(kept, size_of(folder / "run"))
    return Price(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="also write the figures as JSON")
    parser.add_argument("--fitted", action="store_true", help="the runs that the numbers of the price come from")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for index, fields in enumerate(FITTED if arguments.fitted else OTHERS):
            spec = RunSpec.model_validate(fields)
            folder = Path(name) / str(index)
            folder.mkdir()
            was, said = taken(spec, folder, Path(name)), price(spec)
            row = {"spec": fields, "taken": was.as_dict(), "price": said.as_dict()}
            rows.append(row)
            ratios = "  ".join(
                f"{key} {row['price'][key] / row['taken'][key]:.2f} of {row['taken'][key]:,.0f}" for key in row["price"]
            )
            print(f"{spec.architecture} {spec.policy} {spec.dataset}: {ratios}", flush=True)
            if arguments.out:
                arguments.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
