"""What a machine runs out of: disk, memory, and a clock that one can trust.

Run it from the repository's root: `.venv/bin/python -m tests.faults.campaign.resources`. A full disk is a small tmpfs,
which only root can mount. A clock that jumps is a library before the C library, which needs gcc.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.campaign.bench import START_S, Bench, bench, wait, wrong
from tests.faults.campaign.report import Order, Report, main
from tests.faults.campaign.servers import Missing

TRUTH_S = 10.0
TMPFS_MB = 24
LAUNCH = {"architecture": "resnet-8", "dataset": "digits", "policy": "batchnorm", "epochs": 1}


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """`folder` as a disk of its own. Yields the file to fill it with. Raises Missing where nobody may mount."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_MB}m", "tmpfs", str(folder)]
    if subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
        raise Missing("no tmpfs can be mounted here")
    try:
        yield folder / "filler"
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(file: Path) -> None:
    """Write until nothing more goes in."""
    try:
        with file.open("ab", buffering=0) as into:
            while into.write(bytes(4096)):
                pass
    except OSError:
        return


def _refused(place: Bench, filler: Path) -> float:
    """Fill the disk. Returns after how many seconds the server says so to somebody who launches a run."""
    began = time.monotonic()
    while time.monotonic() - began < 2 * TRUTH_S:
        fill(filler)
        if place.ask("/api/runs", LAUNCH)[0] == 503:
            break
    return time.monotonic() - began


def disk(order: Order) -> Report:
    """The disk under the data folder is full while runs run, and has room again."""
    report = Report("disk full under everything", n=order.of(3))
    chance = order.random("disk")
    told_after = []
    with TemporaryDirectory(prefix="onlybn-campaign-") as name, small_disk(Path(name)) as filler:
        place = Bench(filler.parent)
        try:
            place.start_web()
            place.start_worker()
            wait("the worker", lambda: place.names() >= 1)
            wait("the server", place.answers, START_S)
            for _ in range(report.n):
                for _ in range(3):
                    place.submit("steps=40 pause=0.1")
                time.sleep(chance.uniform(1, 3))
                told_after.append(_refused(place, filler))
                time.sleep(5)
                filler.unlink()
                place.ids = [run.id for run in place.store.runs.find(limit=500)[0]]
                place.finish()
            report.wrong = wrong(place)
        finally:
            place.close()
    if max(told_after) > TRUTH_S:
        report.wrong.append(f"a launch on a full disk is not refused within {TRUTH_S:g} s")
    report.figures = {"runs": len(place.ids), "refused after s": round(max(told_after), 1)}
    return report


def disk_of_one(order: Order) -> Report:
    """The disk of one of two workers is full, the database is elsewhere: the other one does all runs."""
    report = Report("disk full under one worker of two", "real", n=order.of(1))
    with bench(real=True) as place, small_disk(place.folder / "small") as filler:
        undisturbed = place.submit(epochs=3)
        place.start_worker()
        place.finish()
        place.start_worker(ONLYBN_DATA=str(filler.parent))
        wait("two workers", lambda: place.names() >= 2)
        fill(filler)
        for _ in range(8):
            place.submit(epochs=3)
        place.finish()
        notes = place.store.tallies.health().troubles
        report.wrong = wrong(place, undisturbed)
        for worker in list(place.workers):
            place.kill(worker)
        report.figures = {"runs": len(place.ids), "said": " ".join(notes) or "nothing: it got no run"}
    return report


def clock(order: Order) -> Report:
    """The clocks of both workers jump an hour to and fro while runs run: nothing is taken over, nothing lost."""
    report = Report("clock jumps an hour", n=order.of(10))
    with bench(ONLYBN_LEASE_S="20") as place:
        library, jump = place.folder / "clock.so", place.folder / "jump"
        command = ["gcc", "-shared", "-fPIC", "-o", str(library), str(Path(__file__).with_name("clock.c")), "-ldl"]
        subprocess.run(command, check=True)
        jump.write_text("0")
        for _ in range(2):
            place.start_worker(LD_PRELOAD=str(library), CAMPAIGN_CLOCK=str(jump))
        wait("two workers", lambda: len(place.store.workers.all()) >= 2)
        for number in range(report.n):
            for _ in range(2):
                place.submit("steps=30 pause=0.1")
            wait("a run", lambda: place.store.tallies.health().running >= 1)
            jump.write_text(str((3600, -3600, 0)[number % 3]))
            time.sleep(1.0)
        place.finish()
        report.wrong = wrong(place)
        attempts = [run.attempt for run in place.store.runs.many(place.ids).values()]
        if max(attempts) > 1:
            report.wrong.append(f"{sum(a > 1 for a in attempts)} runs were taken over")
        report.figures = {"runs": len(place.ids), "most attempts": max(attempts)}
    return report


def memory(order: Order) -> Report:
    """A worker's trainings may have less address space than torch needs: it says so and takes no runs, none is blamed,
    and a worker with more memory does them."""
    report = Report("memory gone (RLIMIT_AS)", "real", n=order.of(1))
    with bench(real=True) as place:
        place.start_worker(ONLYBN_MEMORY_GB="1")
        place.submit()
        told = wait("the truth", lambda: place.store.tallies.health().troubles)
        report.figures = {"told after s": round(told, 1), "said": place.store.tallies.health().troubles[0]}
        place.start_worker()
        place.finish()
        report.wrong = wrong(place)
    return report


FAULTS = {"disk": disk, "disk-of-one": disk_of_one, "clock": clock, "memory": memory}

if __name__ == "__main__":
    sys.exit(main(__doc__, FAULTS))
