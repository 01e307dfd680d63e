"""How much of the gap is the optimiser's? γ and β computed by least squares against γ and β trained from the same seed.

    nice -n 19 python -m tests.benchmarks.computed FOLDER --dataset digits --widths 1 2 4

A ResNet-14 is trained whole: the teacher. For each width, a random network is computed from it, once wholly and once in
its last norm layer only; beside these, `batchnorm` from the same seed by the paper's recipe and by `fast`, and `fast`
from where the computed network stands. All runs go through the command line; finished ones are not repeated.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

from core.trained.capsule import Capsule, read_capsule

TEACHER_EPOCHS = 8
SLUG = re.compile(r"\W+")
WAYS: dict[str, list[str]] = {
    "computed": [],
    "computed, last layer only": ["--last-only"],
    "trained, the paper's recipe": [],
    "trained, fast": ["--preset", "fast"],
    "trained, fast, from computed": ["--preset", "fast"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--widths", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--epochs", type=int, default=10, help="of the trained ones")
    parser.add_argument("--examples", type=int, help="training images; default: all")
    parser.add_argument("--replicates", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    began = time.monotonic()
    common = ["--threads", str(arguments.threads)]
    data = [
        "--dataset",
        arguments.dataset,
        *(["--train-examples", str(arguments.examples)] if arguments.examples else []),
    ]

    def train(out: Path, architecture: str, policy: str, epochs: int, replicate: int, *words: str) -> Capsule:
        file = out / "final.safetensors"
        fields = ["--architecture", architecture, "--policy", policy, "--epochs", str(epochs)]
        fields += ["--replicate", str(replicate), "--no-analysis", "--out", str(out)]
        return _made(file, ["train", *data, *fields, *common, *words])

    print(f"{'width':>5}  {'way':<30}{'replicate':>9}{'test top-1 %':>14}{'seconds':>9}")
    for replicate in range(arguments.replicates):
        place = arguments.folder / f"{arguments.dataset}-{replicate}"
        words = ["--set", "schedule=one-cycle"]
        teacher = train(place / "teacher", "resnet-14", "all", TEACHER_EPOCHS, replicate, *words)
        print(f"    1  {'the teacher, all trained':<30}{_row(replicate, teacher)}", flush=True)
        for width in arguments.widths:
            name = f"wrn-14-{width}"
            computed = place / f"computed-{width}.safetensors"
            for way, words in WAYS.items():
                if way.startswith("computed"):
                    out = computed if not words else place / f"last-{width}.safetensors"
                    made = ["compute", str(place / "teacher" / "final.safetensors"), "--architecture", name]
                    capsule = _made(out, [*made, "--out", str(out), *common, *words])
                else:
                    out = place / f"{SLUG.sub('-', way)}-{width}"
                    start = ["--start", str(computed)] if way.endswith("from computed") else []
                    capsule = train(out, name, "batchnorm", arguments.epochs, replicate, *words, *start)
                print(f"{width:>5}  {way:<30}{_row(replicate, capsule)}", flush=True)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")


def _made(file: Path, words: list[str]) -> Capsule:
    """The capsule at `file`, which the command `words` makes if it is not there."""
    if not file.exists():
        subprocess.run([sys.executable, "-m", "core", *words], check=True, stdout=subprocess.DEVNULL)
    return read_capsule(file)


def _row(replicate: int, capsule: Capsule) -> str:
    return f"{replicate:>9}{100 * capsule.result.top1:>14.2f}{capsule.result.seconds:>9.0f}"


if __name__ == "__main__":
    main()
