"""What the 8 bits of a link cost: test accuracy of networks as trained and out of their links, and the links' sizes.

    nice -n 19 python -m tests.benchmarks.link FOLDER --json tests/benchmarks/results/link.json

Each network trains by the command line, and `capsule link` measures it on all test images. Finished runs in FOLDER are
not repeated. Fashion-MNIST is Debian's package `dataset-fashion-mnist`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

from core.machine.processor import processor
from core.run.link.qr import most_bytes

DATA = {
    "digits": ["--epochs", "30"],
    "fashion-mnist": [
        "--epochs",
        "6",
        "--train-examples",
        "4000",
        "--test-examples",
        "4000",
        "--set",
        "schedule=one-cycle",
    ],
}
MOST_POINTS = 0.5
"""The bar: what the mean over seeds may lose."""
TITLES = {"architecture": "architecture", "policy": "policy", "dataset": "data set"}
SITE = "https://onlybn.example.org"
"""An address of usual length, for the question whether a QR code holds the link."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--architectures", nargs="+", default=["resnet-14", "resnet-32"])
    parser.add_argument("--policies", nargs="+", default=["batchnorm"])
    parser.add_argument("--datasets", nargs="+", default=list(DATA), choices=list(DATA))
    parser.add_argument("--replicates", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all rows as JSON")
    arguments = parser.parse_args()
    began, rows = time.monotonic(), []
    print(f"{_name(TITLES)}{'seed':>5}{'trained %':>11}{'link %':>9}{'points':>8}{'bytes':>8}")
    for row in _rows(arguments):
        rows.append(row)
        print(f"{_name(row)}{row['replicate']:>5}{_numbers([row])}", flush=True)
    print(f"\nmeans over {arguments.replicates} seeds; a QR code of {SITE} holds {most_bytes(SITE):,} bytes")
    worst = 0.0
    for name in dict.fromkeys(map(_name, rows)):
        group = [row for row in rows if _name(row) == name]
        points = [row["points"] for row in group]
        worst = min(worst, mean(points))
        print(f"{name}{'mean':>5}{_numbers(group)}   from {min(points):+.2f} to {max(points):+.2f}")
    print(f"worst mean {worst:+.2f} points, {MOST_POINTS} may be lost; {(time.monotonic() - began) / 60:.1f} minutes")
    if arguments.json:
        command = f"python -m tests.benchmarks.link {' '.join(sys.argv[2:])}".split(" --json")[0]
        told = {"command": command, "processor": processor(), "rows": rows}
        arguments.json.write_text(json.dumps(told, indent=1) + "\n")
    sys.exit(worst < -MOST_POINTS)


def _rows(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for dataset in arguments.datasets:
        for architecture in arguments.architectures:
            for policy in arguments.policies:
                for replicate in range(arguments.replicates):
                    out = arguments.folder / f"{architecture}-{policy}-{dataset}-{replicate}"
                    fields = ["--architecture", architecture, "--policy", policy, "--dataset", dataset]
                    fields += ["--replicate", str(replicate), "--out", str(out), "--no-analysis", *DATA[dataset]]
                    threads = ["--threads", str(arguments.threads)]
                    if not (out / "final.safetensors").exists():
                        _core("train", *fields, *threads)
                    told = json.loads(_core("capsule", "link", str(out / "final.safetensors"), "--json", *threads))
                    exact, there = told["cost"]["exact"]["top1"], told["cost"]["link"]["top1"]
                    yield {
                        "architecture": architecture,
                        "policy": policy,
                        "dataset": dataset,
                        "replicate": replicate,
                        "images": told["cost"]["images"],
                        "trained": exact,
                        "link": there,
                        "points": round(100 * (there - exact), 4),
                        "bytes": told["size_bytes"],
                    }


def _core(*words: str) -> str:
    return subprocess.run([sys.executable, "-m", "core", *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def _name(row: dict[str, Any]) -> str:
    return f"{row['architecture']:<14}{row['policy']:<18}{row['dataset']:<15}"


def _numbers(rows: list[dict[str, Any]]) -> str:
    trained, link = (100 * mean(row[key] for row in rows) for key in ("trained", "link"))
    points, size = mean(row["points"] for row in rows), max(row["bytes"] for row in rows)
    return f"{trained:>11.2f}{link:>9.2f}{points:>+8.2f}{size:>8,}"


if __name__ == "__main__":
    main()
