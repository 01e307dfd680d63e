"""Jobs of Slurm that are requeued, preempted, out of time or lost with their node, while they train for real.

Run it from the repository's root: `.venv/bin/python -m tests.faults.slurm`. It makes a cluster of one node with
Debian's Slurm, on loopback, and submits `deploy/clusters/onlybn.sbatch` to it; PostgreSQL and Redis are those of the
tests. Each job has a data folder of its own, which is gone with it. Prints figures as JSON. See README.md beside it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

from sqlalchemy import make_url

from core.run.spec import MAX_EPOCHS
from jobs.queue import make_queue
from jobs.settings import WorkerSettings
from jobs.store.database import open_database
from jobs.store.records import TERMINAL, Run
from jobs.store.store import Store
from tests.faults.growth import alone, real_spec, schema, undisturbed
from tests.faults.machines import ROOT
from tests.faults.slurm_cluster import Cluster, missing
from tests.jobs.conftest import POSTGRES, REDIS

BATCH = ROOT / "deploy" / "clusters" / "onlybn.sbatch"
PATIENCE_S = 400.0
LOOK_EVERY_S = 0.02
STILL_TRAINS_S = 120.0
"""So long trains a run that a job of two minutes must not finish: its warning comes 30 to 90 s after its start."""
LEASE_S = 5.0
STEP = re.compile(r"step (\d+)")


@dataclass
class Report:
    """What one fault led to. Steps are of the optimizer; seconds of training by the run's own clock."""

    fault: str
    struck_at_step: int = 0
    resumed_at_step: int = 0
    steps_lost: int = 0
    steps_between_checkpoints: int = 0
    seconds_lost: float = 0.0
    trains_again_after_s: float = 0.0
    attempts: int = 0
    starts_of_the_job: int = 0
    same_bits: bool = False
    faults: list[str] = field(default_factory=list)


class Laboratory:
    """A cluster, an installation on PostgreSQL and Redis, and one run at a time."""

    def __init__(self, cluster: Cluster, folder: Path, name: str) -> None:
        self.cluster, self.folder = cluster, folder
        database = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={name}"})
        self.shared = {
            "ONLYBN_DATABASE_URL": database.render_as_string(hide_password=False),
            "ONLYBN_QUEUE_URL": REDIS,
            "ONLYBN_QUEUE_NAME": name,
            "ONLYBN_SECRET": "slurm",
            "ONLYBN_ARTEFACTS": f"file://{folder}/artefacts",
            "ONLYBN_LEASE_S": f"{LEASE_S:g}",
            "ONLYBN_SLOTS": "1",
            "ONLYBN_THREADS": "1",
            "ONLYBN_DEVICE": "cpu",
            "TMPDIR": str(folder),
        }
        self.settings = WorkerSettings(
            data=folder / "web", queue_name=name, secret="slurm", queue_url=REDIS,
            database_url=self.shared["ONLYBN_DATABASE_URL"],
        )  # fmt: skip
        self.store = Store(open_database(self.settings.store_url), self.shared["ONLYBN_ARTEFACTS"])
        self.store.migrate()
        self.huey = make_queue(self.settings)

    def submit(self, *arguments: str) -> str:
        """A worker as a job, with these arguments of sbatch before those in the file."""
        log = f"--output={self.folder}/job-%j.log"
        return self.cluster.submit("--cpus-per-task=1", log, *arguments, str(BATCH), cwd=ROOT, **self.shared)

    def log_of(self, job: str) -> str:
        path = self.folder / f"job-{job}.log"
        return path.read_text() if path.exists() else ""

    def close(self) -> None:
        with suppress(Exception):
            self.huey.flush()
        self.store.close()


def requeued(lab: Laboratory, job: str) -> None:
    lab.cluster.ask("scontrol", "requeue", job)


def preempted(lab: Laboratory, _job: str) -> None:
    cores = lab.cluster.ask("sinfo", "--noheader", "--format=%c", "--partition=high")
    lab.cluster.submit("--partition=high", f"--ntasks={cores}", "--output=/dev/null", "--wrap=sleep 3")


def out_of_time(_lab: Laboratory, _job: str) -> None:
    """Slurm does it: the job has two minutes, and is warned half a minute to a minute and a half before their end."""


def long_enough(epochs: int) -> int:
    """Epochs of a run that trains for STILL_TRAINS_S, judged by one of `epochs`."""
    _, seconds = undisturbed(0, epochs)
    return min(MAX_EPOCHS, round(epochs * STILL_TRAINS_S / seconds))


def lost(lab: Laboratory, job: str) -> None:
    lab.cluster.lose_node(job)
    time.sleep(1.0)
    lab.cluster.mend_node()


FAULTS: dict[str, tuple[Callable[[Laboratory, str], None], tuple[str, ...]]] = {
    "requeued by scontrol": (requeued, ()),
    "node lost, everything killed": (lost, ()),
    "preempted, with a grace time": (preempted, ()),
    "preempted, killed at once": (preempted, ("--partition=hasty",)),
    "out of time, warned before": (out_of_time, ("--time=2", "--signal=USR1@30")),
}


def strike(lab: Laboratory, fault: str, epochs: int, expected: str) -> Report:
    """Train a run as a job, do what `fault` names, and look until the run has ended."""
    report, (act, arguments) = Report(fault), FAULTS[fault]
    run, _ = lab.store.runs.submit(real_spec(0, epochs))
    job = lab.submit(*arguments)
    began = time.monotonic()
    struck_at: float | None = None
    seen, seen_s, again_at, saved = 0, 0.0, None, {0}
    while True:
        now = lab.store.runs.get(run.id)
        assert now is not None
        if now.attempt <= 1 and struck_at is None:
            saved.add(now.checkpoint_step or 0)
        if now.attempt <= 1 and now.step > seen:
            seen, seen_s = now.step, now.elapsed_s or 0.0
        if struck_at is None and _is_due(lab, now, act):
            report.struck_at_step, struck_at = now.step, time.monotonic()
            act(lab, job)
        if struck_at and again_at is None and now.attempt >= 2 and now.state == "running" and now.step > seen:
            again_at = time.monotonic()
        if now.state in TERMINAL or time.monotonic() - began > PATIENCE_S:
            break
        time.sleep(LOOK_EVERY_S)
    _measure(report, lab, now, job, seen, seen_s, saved)
    if struck_at and again_at:
        report.trains_again_after_s = round(again_at - struck_at, 1)
    report.same_bits = bool(now.result and now.result.digest == expected)
    if not report.same_bits:
        report.faults.append(f"the run is {now.state}, with other bits than one that nobody disturbs")
    return report


def _is_due(lab: Laboratory, run: Run, act: Callable[[Laboratory, str], None]) -> bool:
    """Whether the fault strikes now: after a third of the run, or by Slurm itself when the job gives the run back."""
    if act is out_of_time:
        return run.attempt == 1 and run.state == "queued"
    return lab.store.artefacts.find(run.id, "checkpoint") is not None and run.step >= run.total_steps // 3


def _measure(report: Report, lab: Laboratory, run: Run, job: str, seen: int, seen_s: float, saved: set[int]) -> None:
    rows = lab.store.runs.log(run.id)
    resumed = [int(found[1]) for row in rows if row.kind == "resumed" and (found := STEP.search(row.message))]
    report.attempts = run.attempt
    report.starts_of_the_job = lab.log_of(job).count("OnlyBN worker ")
    report.steps_between_checkpoints = max((b - a for a, b in pairwise(sorted(saved))), default=0)
    if not resumed:
        report.faults.append("it never resumed")
        return
    report.resumed_at_step = resumed[0]
    report.steps_lost = max(0, seen - resumed[0])
    report.seconds_lost = round(seen_s * report.steps_lost / seen, 1) if seen else 0.0
    most = report.steps_between_checkpoints
    if "killed" in report.fault:  # without a last word: checkpoints leave a machine every ten seconds
        most = max(most, round(seen * 11.0 / seen_s)) if seen_s else most
    if report.steps_lost > most:
        report.faults.append(f"it lost {report.steps_lost} steps, more than the {most} of one checkpoint")
    if run.attempt != 2 and FAULTS[report.fault][0] is not out_of_time:  # its second job may run out of time, too
        report.faults.append(f"{run.attempt} attempts in place of 2")
    if any(row.kind == "crashed" for row in rows):
        report.faults.append("it counts as a crash")


def campaign(only: str | None = None, epochs: int = 60) -> list[Report]:
    """All faults one after the other, or those whose name the regular expression `only` finds."""
    names = [name for name in FAULTS if only is None or re.search(only, name)]
    reports = []
    with tempfile.TemporaryDirectory(prefix="onlybn-slurm-") as folder, schema() as name:
        Path(folder).chmod(0o755)  # of munge's socket everybody must reach the folder
        (Path(folder) / "cluster").mkdir()
        cluster = Cluster(Path(folder) / "cluster")
        try:
            lab = Laboratory(cluster, Path(folder), name)
            expected: dict[int, str] = {}
            for fault in names:
                length = long_enough(epochs) if FAULTS[fault][0] is out_of_time else epochs
                expected[length] = expected.get(length) or alone(0, length)
                reports.append(strike(lab, fault, length, expected[length]))
                print(json.dumps(asdict(reports[-1]), indent=2), flush=True)
                cluster.ask("scancel", "--full", f"--user={cluster.user}")
                time.sleep(3.0)
            lab.close()
        finally:
            cluster.stop()
    return reports


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60, help="of each run (default 60)")
    parser.add_argument("--only", help="only faults whose name this regular expression finds")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    given = parser.parse_args()
    if reason := missing():
        print(f"skipped: {reason}")
        return 0
    reports = campaign(given.only, given.epochs)
    if given.json:
        given.json.write_text(json.dumps([asdict(report) for report in reports], indent=2))
    return 1 if not reports or any(report.faults for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
