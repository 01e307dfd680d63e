"""The paper's questions on CIFAR-10, a run at a time: trains what is missing, keeps what finishes, and reports on it.

    ONLYBN_CIFAR_10=... python -m tests.benchmarks.findings train WORK --hours 8   # goes on where it was
    python -m tests.benchmarks.findings report                                    # verdicts and tables of what there is

The plan is ORDER: studies at the scale `evening` (16 epochs of the paper's recipe), all settings of replicate 0 first.
Trainings and their checkpoints lie in the folder WORK. What finished is kept in results/findings, by the digest of its
spec: spec, result, analyses, the points at each epoch's end, what computed it; and the capsule where it is small. So a
training that takes days can be cut into evenings on any machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from core.catalog.model import Model
from core.machine.files import CAPSULE, write_atomically
from core.run.events import EVENT, Analysed, Finished, Measured, Point, Started
from core.run.findings import Findings
from core.run.spec import RunSpec
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.records import Record
from core.studies.results import rows
from core.studies.spec import Member
from core.studies.verdicts import judge

KEPT = Path(__file__).parent / "results" / "findings"
ORDER = (
    "depth",
    "random-k",
    "gamma",
    "width",
    "norm-init",
    "weight-init",
    "subsets",
    "without-batchnorm",
    "depth-or-width",
)
"""The studies in the order in which they are trained; `threshold` and `relu-off` share the runs of `gamma`."""
SMALL_BYTES = 64 << 10


class Kept(Model):
    """A finished run as it is kept."""

    spec: RunSpec
    started: Started
    result: Finished
    findings: Findings | None
    points: tuple[Point, ...]

    @property
    def record(self) -> Record:
        return Record(self.spec, self.result, self.findings, self.started.processes, self.started.engine)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    actions = parser.add_subparsers(dest="action", required=True)
    action = actions.add_parser("train")
    action.add_argument("work", type=Path, help="folder of the trainings and their checkpoints")
    action.add_argument("--hours", type=float, default=8.0)
    action.add_argument("--threads", type=int, default=2)
    actions.add_parser("report")
    arguments = parser.parse_args()
    return report() if arguments.action == "report" else train(arguments.work, arguments.hours, arguments.threads)


def plan() -> Iterator[Member]:
    """Every run of the plan once."""
    seen: set[str] = set()
    for name in ORDER:
        for member in study_spec(name, "evening").members:
            if member.digest not in seen:
                seen.add(member.digest)
                yield member


def train(work: Path, hours: float, threads: int) -> int:
    """Train what is missing until the time is up; the last one is stopped at a checkpoint and goes on next time."""
    until = time.monotonic() + 3600 * hours
    for member in plan():
        if _file(member.digest).exists():
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
        kept = keep(folder)
        print(f"{member.spec.name}: {kept.result.top1:.2%}, {(time.monotonic() - began) / 60:.1f} minutes", flush=True)
    return 0


def keep(folder: Path) -> Kept:
    """Keep the finished run that lies in `folder`."""
    events = [EVENT.validate_json(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    spec = RunSpec.model_validate_json((folder / "spec.json").read_bytes())
    (finished,) = [event for event in events if isinstance(event, Finished)]
    findings = [event.findings for event in events if isinstance(event, Analysed)]
    points = {(p.split, p.step): p for event in events if isinstance(event, Measured) for p in [event.point]}
    ends = tuple(point for point in points.values() if point.step % spec.steps_per_epoch == 0)
    started = [event for event in events if isinstance(event, Started)][-1]
    kept = Kept(spec=spec, started=started, result=finished, findings=findings[-1] if findings else None, points=ends)
    file = _file(spec.digest)
    write_atomically(file, kept.model_dump_json().encode() + b"\n")
    capsule = (folder / CAPSULE).read_bytes()
    if len(capsule) <= SMALL_BYTES:
        write_atomically(file.with_suffix(".safetensors"), capsule)
    return kept


def report() -> int:
    """Print what there is, study by study."""
    found = {}
    for file in sorted(KEPT.glob("*.json")):
        kept = Kept.model_validate_json(file.read_bytes())
        found[kept.spec.digest] = kept
    copies = {kept.spec.copy_of_data for kept in found.values()}
    hours = sum(kept.result.seconds for kept in found.values()) / 3600
    print(f"{len(found)} runs, {hours:.1f} hours of training; data: {', '.join(map(str, copies))}")
    for name in (*ORDER, "threshold", "relu-off"):
        named, study = STUDIES[name], study_spec(name, "evening")
        base = {**study.base, "copy_of_data": next((c.model_dump() for c in copies if c), None)}
        study = study.model_validate({**study.model_dump(), "base": base})
        records = [found[member.digest].record for member in study.members if member.digest in found]
        if not records:
            continue
        verdict = judge(named.criterion, study, records)
        print(f"\n{named.title}: {named.claim}\n  {verdict.words}: {verdict.sentence}")
        for row in rows(study, records):
            top1, disabled = row.values.get("top1"), row.values.get("disabled")
            if top1 and disabled:
                sd = f" ± {top1.sd:.2f}" if top1.sd is not None else ""
                told = f"{top1.mean:.2f}{sd} %, {disabled.mean:.1f} % disabled, n = {row.finished}"
                print(f"  {', '.join(map(str, row.key.values())):<50}{told}")
    return 0


def _file(digest: str) -> Path:
    return KEPT / f"{digest[:16]}.json"


if __name__ == "__main__":
    sys.exit(main())
