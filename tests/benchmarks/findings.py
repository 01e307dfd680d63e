"""The paper's questions, a run at a time: trains what is missing, keeps what finishes, and reports on it.

    ONLYBN_CIFAR_10=... python -m tests.benchmarks.findings train WORK --hours 8   # goes on where it was
    python -m tests.benchmarks.findings report                                    # verdicts and tables of what there is
    python -m tests.benchmarks.findings write                                     # FINDINGS.md and its figures anew

First every question at the scale `minutes`, then the runs for the gallery (examples.py) and those of EVENING at the
scale `evening` (16 epochs of the paper's recipe on CIFAR-10). Trainings and their checkpoints lie in the folder WORK.
What finished is kept in static/examples/results (core/studies/shipped.py), and the capsules of the evening in
results/findings where they are small. So a training that takes days can be cut into evenings on any machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from core.documents.findings import PICTURES, markdown, pictures
from core.machine.files import CAPSULE, write_atomically
from core.run.events import EVENT, Analysed, Finished, Measured, Started
from core.run.spec import RunSpec
from core.studies import shipped
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.results import in_words, rows
from core.studies.shipped import ShippedRun
from core.studies.spec import Member, StudyUnavailable
from core.studies.verdicts import judge
from jobs.store.examples import FOLDER
from tests.benchmarks.examples import KEPT, PHOTOGRAPHS, pack_photograph, photographs

ROOT = Path(__file__).parents[2]
CAPSULES = Path(__file__).parent / "results" / "findings"
EVENING = (
    "depth",
    "random-k",
    "gamma",
    "biases",
    "lumped",
    "subsets",
    "norm-init",
    "weight-init",
    "without-batchnorm",
    "width",
    "depth-or-width",
    "output-and-depth",
    "norm-kind",
)
"""In the order in which they are trained; `threshold` and `relu-off` share the runs of `gamma`."""
SLOW = ("resnet-110", "wrn-14-4")
"""Networks whose evenings are trained last."""
SMALL_BYTES = 64 << 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    actions = parser.add_subparsers(dest="action", required=True)
    action = actions.add_parser("train")
    action.add_argument("work", type=Path, help="folder of the trainings and their checkpoints")
    action.add_argument("--hours", type=float, default=8.0)
    action.add_argument("--threads", type=int, default=2)
    actions.add_parser("report")
    actions.add_parser("write")
    arguments = parser.parse_args()
    match arguments.action:
        case "train":
            return train(arguments.work, arguments.hours, arguments.threads)
        case "write":
            return write()
    return report()


def plan() -> Iterator[Member]:
    """Every run of the plan, some of them more than once."""
    for name in STUDIES:
        yield from study_spec(name, "minutes").members
    for planned, fields in PHOTOGRAPHS.values():
        spec = RunSpec.model_validate({**fields, "policy": planned.policy, "name": planned.name})
        yield Member({}, spec.replicate, spec)
    evening = [member for name in EVENING for member in study_spec(name, "evening").members]
    yield from sorted(evening, key=lambda member: member.spec.architecture in SLOW)


def train(work: Path, hours: float, threads: int) -> int:
    """Train what is missing until the time is up; the last one is stopped at a checkpoint and goes on next time."""
    until = time.monotonic() + 3600 * hours
    gallery, done = photographs(), set(shipped.read())
    studied = {member.digest for member in plan() if member.key}
    for member in plan():
        name = gallery.get(member.digest)
        packed = name is None or any((place / f"{name}.json").exists() for place in (KEPT, FOLDER))
        if packed and (member.digest in done or not member.key):
            continue
        if time.monotonic() > until:
            return 0
        folder = work / member.digest[:16]
        spec = work / f"{member.digest[:16]}.json"
        write_atomically(spec, member.spec.model_dump_json().encode())
        command = [sys.executable, "-m", "core", "train", "--spec", str(spec), "--out", str(folder)]
        began = time.monotonic()
        process = subprocess.Popen([*command, "--threads", str(threads)], stdout=subprocess.DEVNULL)
        try:
            process.wait(max(1.0, until - time.monotonic()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.terminate()
            process.wait()
            return 0
        if process.returncode:
            return process.returncode
        if name:
            pack_photograph(name, folder)
        if member.digest not in studied:
            continue
        kept = keep(folder)
        done.add(member.digest)
        print(f"{member.spec.name}: {kept.result.top1:.2%}, {(time.monotonic() - began) / 60:.1f} minutes", flush=True)
    return 0


def keep(folder: Path) -> ShippedRun:
    """Keep the finished run that lies in `folder`."""
    events = [EVENT.validate_json(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    (finished,) = [event for event in events if isinstance(event, Finished)]
    findings = [event.findings for event in events if isinstance(event, Analysed)]
    points = {(p.split, p.step): p for event in events if isinstance(event, Measured) for p in [event.point]}
    kept = ShippedRun.of(
        RunSpec.model_validate_json((folder / "spec.json").read_bytes()),
        [event for event in events if isinstance(event, Started)][-1],
        finished,
        findings[-1] if findings else None,
        points.values(),
        (folder / "events.jsonl").stat().st_mtime,
    )
    shipped.write({**shipped.read(), kept.spec.digest: kept}.values())
    capsule = (folder / CAPSULE).read_bytes()
    if len(capsule) <= SMALL_BYTES and kept.spec.dataset == "cifar-10":
        write_atomically(CAPSULES / f"{kept.spec.digest[:16]}.safetensors", capsule)
    return kept


def report() -> int:
    """Print what there is, study by study."""
    runs = shipped.read()
    hours = sum(run.result.seconds for run in runs.values()) / 3600
    print(f"{len(runs)} runs, {hours:.1f} hours of training")
    for study in shipped.studies(runs):
        named = STUDIES[study.spec.study]
        try:
            verdict = judge(named.criterion, study.spec, study.records)
        except StudyUnavailable as error:
            print(error)
            continue
        print(f"\n{named.title}, {study.spec.scale}: {named.claim}\n  {verdict.words}: {verdict.sentence}")
        for row in rows(study.spec, study.records):
            if top1 := row.values.get("top1"):
                sd = f" ± {top1.sd:.2f}" if top1.sd is not None else ""
                disabled = row.values.get("disabled")
                off = f", {disabled.mean:.1f}% disabled" if disabled else ""
                print(f"  {in_words(row.key):<60}{top1.mean:.2f}{sd}%{off}, n = {row.finished} of {row.wanted}")
    return 0


def write() -> int:
    """Write FINDINGS.md and its figures; figures that belong to nothing go."""
    for old in (ROOT / PICTURES).glob("*.svg"):
        old.unlink()
    for name, drawing in pictures().items():
        write_atomically(ROOT / name, drawing.encode())
    write_atomically(ROOT / "FINDINGS.md", markdown().encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
