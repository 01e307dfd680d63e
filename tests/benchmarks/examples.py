"""Trains the runs of static/examples/ and packs them: what a fresh installation shows before anything has run there.

    python -m tests.benchmarks.examples train /tmp/examples     # into a new folder, two at a time
    python -m tests.benchmarks.examples pack /tmp/examples      # writes static/examples/

Everything in the files was said by a training: `train` writes down each event of `python -m core train` with the time
at which it came, `pack` leaves some of them out and adds nothing but the sentence of TABLE. The four runs differ in
their policy alone and follow the paper's recipe, so that the comparison favours none of them; they are short, and their
data set needs no download, so that surgery and `capsule evaluate` work on every machine.

Six more on photographs (PHOTOGRAPHS) are trained and packed by tests/benchmarks/findings.py, with its runs. They are in
results/photographs until all six are there; then move them to static/examples, since a network without its controls
shows nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.catalog.presets import PRESETS
from core.machine.files import CAPSULE, write_atomically
from core.run.cost import keeps_snapshot
from core.run.events import EVENT, Analysed, Event, Finished, Measured, Progress, Snapshot, Started
from core.run.spec import RunSpec
from core.trained.capsule import Capsule, read_capsule
from jobs.store.examples import FOLDER, Example, Speed

ROOT = Path(__file__).parents[2]
COMMON = ("--architecture", "resnet-14", "--dataset", "digits", "--epochs", "30", "--threads", "1")
AT_ONCE = 2
Said = TypeVar("Said")
SNAPSHOTS, POINTS, SPEEDS = 22, 100, 50
"""So many of each remain, evenly spread, the first and the last among them."""


@dataclass(frozen=True)
class Planned:
    policy: str
    name: str
    shows: str


TABLE = (
    Planned("batchnorm", "Only γ and β", "Every convolution and the output layer keep their random values."),
    Planned("random-2", "As many random weights", "Control: the same number of parameters, chosen at random."),
    Planned("output", "Only the output layer", "The usual way to use random features: a linear layer on top of them."),
    Planned("all", "Everything", "The whole network trains: what the same recipe reaches without any frozen part."),
)


KEPT = Path(__file__).parent / "results" / "photographs"
EVENING = {"dataset": "cifar-10", "epochs": 16, "replicate": 1}
PHOTOGRAPHS: dict[str, tuple[Planned, dict[str, Any]]] = {
    "0-1-batchnorm": (
        Planned("batchnorm", "Only γ and β, ResNet-56", "Photographs: 4,256 of 855,770 parameters train."),
        {**EVENING, "architecture": "resnet-56"},
    ),
    "0-2-random-2": (
        Planned("random-2", "As many random weights, ResNet-56", "Control: 4,256 weights, chosen at random."),
        {**EVENING, "architecture": "resnet-56"},
    ),
    "0-3-output": (
        Planned("output", "Only the output layer, ResNet-56", "A linear layer on top of random features."),
        {**EVENING, "architecture": "resnet-56"},
    ),
    "0-4-all": (
        Planned("all", "Everything, ResNet-56", "All 855,770 parameters train with the same recipe."),
        {**EVENING, "architecture": "resnet-56"},
    ),
    "0-5-wide": (
        Planned("batchnorm", "Only γ and β, four times as wide", "WRN-14-4 has about as many γ and β as ResNet-56."),
        {**EVENING, "architecture": "wrn-14-4"},
    ),
    "0-6-fast": (
        Planned("batchnorm", "Only γ and β, our recipe", "ResNet-56 with larger steps and Adam."),
        {**EVENING, "architecture": "resnet-56", "recipe": dict(PRESETS["fast"].recipe)},
    ),
}
"""By the name of their files, which stand before those of the digits."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("action", choices=["train", "pack"])
    parser.add_argument("folder", type=Path, help="where the runs lie")
    arguments = parser.parse_args()
    return {"train": train, "pack": pack}[arguments.action](arguments.folder)


def train(folder: Path) -> int:
    folder.mkdir(parents=True)  # a resumed run would tell its seconds since the resume only
    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = list(pool.map(lambda planned: _train(folder, planned), TABLE))
    return max(codes)


def _train(folder: Path, planned: Planned) -> int:
    """Runs one training and writes its events with their times to POLICY.events."""
    out = folder / planned.policy
    told = ("--policy", planned.policy, "--name", planned.name, "--out", str(out), "--events", "-")
    command = [sys.executable, "-m", "core", "train", *COMMON, *told]
    env = {**os.environ, "ONLYBN_DATA": str(folder / "data")}
    with (
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process,
        out.with_suffix(".events").open("w") as file,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            file.write(f'{{"at": {time.time()}, "event": {line.strip()}}}\n')
            file.flush()
    print(f"{planned.policy}: exit code {process.returncode}", flush=True)
    return process.returncode


def pack(folder: Path) -> int:
    """Writes the runs that are finished into FOLDER; 1 where one is not."""
    missing = 0
    for place, planned in enumerate(TABLE):
        example = _example(folder / planned.policy, planned)
        if example is None:
            print(f"{planned.policy}: not finished", file=sys.stderr)
            missing = 1
            continue
        stem = FOLDER / f"{place + 1}-{planned.policy}"
        capsule = (folder / planned.policy / CAPSULE).read_bytes()
        text = example.model_dump_json(exclude_defaults=True).encode()
        write_atomically(stem.with_suffix(".json"), text)
        write_atomically(stem.with_suffix(".safetensors"), capsule)
        print(f"{stem.name}: test accuracy {example.result.top1:.1%}, {(len(text) + len(capsule)) >> 10} KB")
    return missing


def photographs() -> dict[str, str]:
    """The names of the runs on photographs by the digest of their specs."""
    specs = {
        name: RunSpec.model_validate({**fields, "policy": planned.policy})
        for name, (planned, fields) in PHOTOGRAPHS.items()
    }
    return {spec.digest: name for name, spec in specs.items()}


def pack_photograph(name: str, run: Path) -> None:
    """Write the finished run in the folder `run` into KEPT. Its journal says no times, so only its end is known."""
    planned, _ = PHOTOGRAPHS[name]
    journal = run / "events.jsonl"
    end = journal.stat().st_mtime
    events = [EVENT.validate_json(line) for line in journal.read_text().splitlines()]
    seconds = next(event.seconds for event in events if isinstance(event, Finished))
    told = [(end - seconds if isinstance(event, Started) else end, event) for event in events]
    if (example := _packed(told, read_capsule(run / CAPSULE), planned, "two cores")) is None:
        return
    text = example.model_copy(update={"spec": example.spec.model_copy(update={"name": planned.name})})
    write_atomically((KEPT / name).with_suffix(".json"), text.model_dump_json(exclude_defaults=True).encode())
    write_atomically((KEPT / name).with_suffix(".safetensors"), (run / CAPSULE).read_bytes())


def _example(run: Path, planned: Planned) -> Example | None:
    told = list(_told(run.with_suffix(".events")))
    return _packed(told, read_capsule(run / CAPSULE), planned, "one core") if told else None


def _packed(told: list[tuple[float, Event]], capsule: Capsule, planned: Planned, cores: str) -> Example | None:
    started = next(((at, event) for at, event in told if isinstance(event, Started)), None)
    finished = next(((at, event) for at, event in told if isinstance(event, Finished)), None)
    analysed = next((event for _, event in told if isinstance(event, Analysed)), None)
    if started is None or finished is None or analysed is None or started[1].resumed_from is not None:
        return None
    points = [event.point for _, event in told if isinstance(event, Measured)]
    snapshots = [event for _, event in told if isinstance(event, Snapshot) and keeps_snapshot(capsule.spec, event.step)]
    speeds = {event.step: event for _, event in told if isinstance(event, Progress) and event.step}
    return Example(
        shows=planned.shows,
        machine=_machine(capsule.origin.processor, cores),
        started_at=round(started[0], 3),
        finished_at=round(finished[0], 3),
        spec=capsule.spec,
        started=started[1],
        points=(
            *_spread([point for point in points if point.split == "train"], POINTS),
            *[point for point in points if point.split == "test"],
        ),
        snapshots=_spread(snapshots, SNAPSHOTS),
        speeds=tuple(
            Speed(step=said.step, images_per_s=said.images_per_s) for said in _spread(list(speeds.values()), SPEEDS)
        ),
        findings=analysed.findings,
        result=finished[1],
    )


def _told(path: Path) -> Iterator[tuple[float, Event]]:
    for line in path.read_text().splitlines() if path.exists() else ():
        row = json.loads(line)
        yield row["at"], EVENT.validate_python(row["event"])


def _machine(processor: str, cores: str) -> str:
    """Such as `one core of an AMD EPYC 9B14`."""
    name = processor.split(",")[0] or "unnamed processor"
    return f"{cores} of {'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _spread(said: list[Said], number: int) -> tuple[Said, ...]:
    """At most `number` of `said`, evenly, the first and the last among them."""
    if len(said) <= number:
        return tuple(said)
    return tuple(said[round(place * (len(said) - 1) / (number - 1))] for place in range(number))


if __name__ == "__main__":
    sys.exit(main())
