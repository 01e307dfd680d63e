"""Kills one of two processes that train a run together, their launcher, and their worker, while they train for real.

Run it from the repository's root: `.venv/bin/python -m tests.faults.processes`. See README.md beside it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.kill import Laboratory, Report, check, laboratory, long_enough, wait, watch_recovery

GONE_WITHIN_S = 10.0


def launcher(lab: Laboratory) -> int:
    """torchrun's process number."""
    (found,) = (pid for pid in lab.trainers() if b"torch.distributed.run" in Path(f"/proc/{pid}/cmdline").read_bytes())
    return found


def second(lab: Laboratory) -> int:
    """The process number of the process that does not speak."""
    (found,) = (pid for pid in lab.trainers() if b"RANK=1" in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    return found


def worker(lab: Laboratory) -> int:
    return next(process.pid for process in lab.workers if process.poll() is None)


def disturb(lab: Laboratory, epochs: int, fault: str, victim: Callable[[Laboratory], int]) -> tuple[str, Report]:
    """Kill `victim` in the middle of a run of two processes; all of them must be gone at once."""
    run_id = lab.submit(epochs)
    lab.wait_for_checkpoint(run_id)
    crew, report = lab.trainers(), Report(fault)
    if len(crew) != lab.crew:
        report.faults.append(f"{len(crew)} processes where {lab.crew} should be")
    os.kill(victim(lab), signal.SIGKILL)
    killed = time.monotonic()
    wait("the end of all processes", lambda: not set(crew) & set(lab.trainers()))
    report.seconds["all gone"] = time.monotonic() - killed
    if report.seconds["all gone"] > GONE_WITHIN_S:
        report.faults.append(f"a process lived on for {report.seconds['all gone']:.0f} s")
    if victim is worker:
        lab.workers[-1].wait()
        lab.start_worker()
    watch_recovery(lab, run_id, report, killed)
    return run_id, report


KILLS: dict[str, Callable[[Laboratory], int]] = {
    "kill -9 one of two processes": second,
    "kill -9 torchrun": launcher,
    "kill -9 worker of two processes": worker,
}


def campaign(epochs: int) -> list[Report]:
    """Each kind of kill once, on runs that must end like an undisturbed one of two processes."""
    reports = []
    with laboratory(processes=2) as lab:
        lab.start_worker()
        epochs, undisturbed = long_enough(lab, epochs)
        for fault, victim in KILLS.items():
            run_id, report = disturb(lab, epochs, fault, victim)
            check(lab, run_id, undisturbed, report)
            reports.append(report)
    return reports


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30, help="of each run (default 30; more where that is quick)")
    arguments = parser.parse_args()
    print(f"resnet-14 batchnorm on digits, {arguments.epochs} epochs, two processes; seconds count from the kill")
    reports = campaign(arguments.epochs)
    print(*reports, sep="\n")
    return 1 if any(report.faults for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
