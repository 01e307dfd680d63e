"""Kills trainers and workers with SIGKILL while they train for real, and says in seconds what happened.

Run it from the repository's root: `.venv/bin/python tests/faults/kill.py`. See README.md beside it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.run.spec import RunSpec
from jobs.queue import make_queue, waker
from jobs.settings import WorkerSettings
from jobs.store.database import open_database
from jobs.store.records import TERMINAL, Run
from jobs.store.store import Store

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 180.0
LOOK_EVERY_S = 0.01
MIN_S = 6.0
"""Checkpoints come every two seconds at the earliest, so a run must last longer than that on the fastest machine."""


def spec(epochs: int) -> RunSpec:
    return RunSpec(architecture="resnet-14", policy="batchnorm", dataset="digits", epochs=epochs)


@dataclass
class Report:
    """What one kill led to: seconds after it, and what should not have happened."""

    fault: str
    seconds: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        figures = "  ".join(f"{what} {after:.2f} s" for what, after in self.seconds.items())
        return f"{self.fault}: {figures}" + "".join(f"\n  WRONG: {fault}" for fault in self.faults)


class Laboratory:
    """A data folder of its own, with workers as processes and runs to disturb. `processes` train each run."""

    def __init__(self, folder: Path, processes: int = 1) -> None:
        self.processes = processes
        self.crew = 1 if processes == 1 else processes + 1  # torchrun too
        self.settings = WorkerSettings(data=folder, database_url=None, queue_url=None, threads=1)
        self.store = Store(open_database(self.settings.store_url))
        self.store.migrate()
        self.huey = make_queue(self.settings)
        self.wake = waker(self.huey)
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_worker(self) -> subprocess.Popen[bytes]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ONLYBN_")}
        environment |= {"ONLYBN_DATA": str(self.settings.data), "ONLYBN_THREADS": "1", "ONLYBN_DEVICE": "cpu"}
        environment["ONLYBN_PROCESSES"] = str(self.processes)
        log = (self.settings.data / "workers.log").open("ab")
        with log:
            worker = subprocess.Popen([sys.executable, "-m", "jobs"], cwd=ROOT, env=environment, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    def submit(self, epochs: int) -> str:
        run, _ = self.store.runs.submit(spec(epochs))
        self.wake(run.id)
        return run.id

    def run(self, run_id: str) -> Run:
        run = self.store.runs.get(run_id)
        assert run is not None
        return run

    def trainers(self) -> list[int]:
        """The process numbers of all trainers of this laboratory, by what /proc says."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = path.read_bytes().split(b"\0")
            except OSError:
                continue
            if b"train" in command and str(self.settings.runs_folder).encode() in b"\0".join(command):
                found.append(int(path.parent.name))
        return found

    def wait_for_checkpoint(self, run_id: str) -> None:
        """Until the current attempt has saved something and gone on."""

        def saved() -> bool:
            run = self.run(run_id)
            return run.checkpoint_step is not None and run.step > run.checkpoint_step

        wait("a checkpoint", saved)

    def finish(self, run_id: str) -> Run:
        wait("the end of the run", lambda: self.run(run_id).state in TERMINAL)
        return self.run(run_id)

    def curve(self, run_id: str) -> list[tuple[object, ...]]:
        return [(p.split, p.step, p.loss, p.top1, p.lr) for p in self.store.curves.points(run_id)]

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()
        self.huey.storage.close()
        self.store.close()


@contextmanager
def laboratory(processes: int = 1) -> Iterator[Laboratory]:
    with tempfile.TemporaryDirectory(prefix="onlybn-faults-") as folder:
        lab = Laboratory(Path(folder), processes)
        try:
            yield lab
        finally:
            lab.close()


def wait(what: str, condition: Callable[[], object]) -> float:
    """Seconds until `condition()` is true."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > PATIENCE_S:
            raise TimeoutError(f"waited {PATIENCE_S:.0f} s in vain for {what}")
        time.sleep(LOOK_EVERY_S)
    return time.monotonic() - began


def kill_trainer(lab: Laboratory, epochs: int) -> tuple[str, Report]:
    """kill -9 of the training process."""
    run_id = lab.submit(epochs)
    lab.wait_for_checkpoint(run_id)
    (trainer,) = lab.trainers()
    report = Report("kill -9 trainer")
    os.kill(trainer, signal.SIGKILL)
    watch_recovery(lab, run_id, report)
    return run_id, report


def kill_worker(lab: Laboratory, epochs: int, *, with_another: bool) -> tuple[str, Report]:
    """kill -9 of the worker; another one is there already, or one is started at the same moment."""
    if with_another:  # before the run: on a busy machine a worker takes longer to start than the run to train
        lab.start_worker()
        wait("the other worker", lambda: lab.store.tallies.health().workers >= 2)
    run_id = lab.submit(epochs)
    lab.wait_for_checkpoint(run_id)
    (trainer,) = lab.trainers()
    victim = next(worker for worker in lab.workers if f"-{worker.pid}-" in (lab.run(run_id).worker or ""))
    report = Report("kill -9 worker, another one there" if with_another else "kill -9 worker, a new one started")
    victim.kill()
    killed = time.monotonic()
    victim.wait()
    if not with_another:
        lab.start_worker()
    wait("the end of the trainer", lambda: trainer not in lab.trainers())
    report.seconds["trainer gone"] = time.monotonic() - killed
    watch_recovery(lab, run_id, report, killed)
    return run_id, report


def watch_recovery(lab: Laboratory, run_id: str, report: Report, killed: float | None = None) -> None:
    """Fill `report` with the seconds from the kill until it was noticed, the run was taken up, and it went on."""
    killed = killed or time.monotonic()
    before = lab.run(run_id)
    if before.state in TERMINAL:
        raise RuntimeError("the run was over before it could be disturbed: it wants more epochs")

    def after(what: str, condition: Callable[[], object]) -> None:
        wait(what, condition)
        report.seconds[what] = time.monotonic() - killed

    after("noticed", lambda: any(row.kind in ("crashed", "lost") for row in lab.store.runs.log(run_id)))
    after("claimed again", lambda: lab.run(run_id).attempt > before.attempt)
    after("resumed", lambda: any(row.kind == "resumed" for row in lab.store.runs.log(run_id)))
    after("beyond where it was", lambda: lab.run(run_id).step > before.step and lab.run(run_id).images_per_s)
    if len(lab.trainers()) > lab.crew:
        report.faults.append(f"{len(lab.trainers())} trainers of one run")


def check(lab: Laboratory, run_id: str, undisturbed: str, report: Report) -> None:
    """The run must end as the one that nobody disturbed: same curve, same bits, nothing left behind."""
    run, other = lab.finish(run_id), lab.run(undisturbed)
    if run.state != "finished" or run.result is None or other.result is None:
        report.faults.append(f"the run ended {run.state}: {run.error_message}")
        return
    if run.result.digest != other.result.digest:
        report.faults.append("the trained tensors differ from those of the undisturbed run")
    if lab.curve(run_id) != lab.curve(undisturbed):
        report.faults.append("the curve differs from that of the undisturbed run")
    curves = lab.store.curves
    if [s.step for s in curves.snapshots(run_id)] != [s.step for s in curves.snapshots(undisturbed)]:
        report.faults.append("the snapshots differ from those of the undisturbed run")
    if left := lab.trainers():
        report.faults.append(f"trainers left behind: {left}")


def long_enough(lab: Laboratory, epochs: int) -> tuple[int, str]:
    """An undisturbed run of `epochs`, or of so many more that there is time to kill it after its first checkpoint."""
    while True:
        run_id = lab.submit(epochs)
        run = lab.finish(run_id)
        if run.result is None:
            raise RuntimeError(f"the undisturbed run ended {run.state}: {run.error_message}")
        if run.result.seconds >= MIN_S:
            return epochs, run_id
        epochs = min(400, math.ceil(1.3 * epochs * MIN_S / run.result.seconds))


def campaign(epochs: int) -> list[Report]:
    """Each kind of kill once, on runs that must end like an undisturbed one."""
    reports = []
    with laboratory() as lab:
        lab.start_worker()
        epochs, undisturbed = long_enough(lab, epochs)
        for kill in (
            lambda: kill_trainer(lab, epochs),
            lambda: kill_worker(lab, epochs, with_another=False),
            lambda: kill_worker(lab, epochs, with_another=True),
        ):
            run_id, report = kill()
            check(lab, run_id, undisturbed, report)
            reports.append(report)
    return reports


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30, help="of each run (default 30; more where that is quick)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each kind of kill (default 1)")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    arguments = parser.parse_args()
    print(f"resnet-14 batchnorm on digits, {arguments.epochs} epochs, one CPU thread; seconds count from the kill")
    wrong, told = 0, []
    for _ in range(arguments.rounds):
        for report in campaign(arguments.epochs):
            print(report, flush=True)
            wrong += bool(report.faults)
            told.append(asdict(report))
    if arguments.json:
        arguments.json.write_text(json.dumps({"epochs": arguments.epochs, "kills": told}, indent=2))
    print(f"{3 * arguments.rounds} kills, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
