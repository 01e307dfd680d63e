"""The control arm: what plain Huey loses under the same kills, and what this store loses. Prints JSON.

Run it from the repository's root: `.venv/bin/python -m tests.faults.control`. Both sides run the same short jobs in two
worker processes, of which one is killed with SIGKILL at random moments and started again. A plain Huey task writes
a line when it is done; a run ends in the database.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from huey import SqliteHuey

from jobs.settings import WorkerSettings
from jobs.store.database import open_database
from jobs.store.records import TERMINAL
from jobs.store.store import Store
from tests.jobs.support import fake_spec

ROOT = Path(__file__).resolve().parents[2]
JOB_S = 0.4
WORKERS = 2
PATIENCE_S = 120.0
PLAIN = """
import sys, time
from huey import SqliteHuey
from huey.consumer import Consumer
folder = sys.argv[1]
huey = SqliteHuey(filename=folder + "/huey.db", results=False)
def job(number):
    time.sleep(%s)
    with open(folder + "/done.txt", "a") as file:
        file.write(f"{number}\\n")
huey.task(name="job")(job)
Consumer(huey, workers=1, periodic=False, max_delay=0.2).run()
"""


class Crew:
    """Worker processes that are killed now and then."""

    def __init__(self, command: list[str], environment: dict[str, str], seed: int) -> None:
        self.command, self.environment, self.random = command, environment, random.Random(seed)
        self.workers = [self._start() for _ in range(WORKERS)]
        self.kills = 0

    def _start(self) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen(self.command, cwd=ROOT, env=self.environment, stdout=quiet, stderr=quiet)

    def disturb(self, kills: int, done: Callable[[], bool]) -> float:
        """Kill one of the workers at `kills` random moments, then wait for the end. Returns the seconds it took."""
        began = time.monotonic()
        while self.kills < kills and not done():
            time.sleep(self.random.uniform(1.0, 3.0))
            index = self.random.randrange(WORKERS)
            self.workers[index].kill()
            self.workers[index].wait()
            self.workers[index] = self._start()
            self.kills += 1
        until = time.monotonic() + PATIENCE_S
        while not done() and time.monotonic() < until:
            time.sleep(0.1)
        return time.monotonic() - began

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()


def plain(jobs: int, kills: int, seed: int) -> dict[str, object]:
    """Plain Huey: a task is off the queue before it runs."""
    with tempfile.TemporaryDirectory(prefix="onlybn-control-") as folder:
        huey = SqliteHuey(filename=f"{folder}/huey.db", results=False)
        task = huey.task(name="job")(lambda number: None)
        for number in range(jobs):
            task(number)
        done = Path(folder) / "done.txt"
        crew = Crew([sys.executable, "-c", PLAIN % JOB_S, folder], dict(os.environ), seed)
        try:
            # Its own idea of the end is an empty queue.
            seconds = crew.disturb(kills, lambda: huey.pending_count() == 0)
            time.sleep(2 * JOB_S + 1)
        finally:
            crew.close()
            huey.storage.close()
        times = Counter(done.read_text().split() if done.exists() else [])
        return _told("plain Huey", jobs, crew.kills, seconds, len(times), sum(n > 1 for n in times.values()))


def store(jobs: int, kills: int, seed: int) -> dict[str, object]:
    """The rows of this store, with the fake trainer."""
    with tempfile.TemporaryDirectory(prefix="onlybn-control-") as folder:
        settings = WorkerSettings(data=Path(folder), database_url=None, queue_url=None, slots=1)
        rows = Store(open_database(settings.store_url))
        rows.migrate()
        spec = fake_spec(f"steps=8 pause={JOB_S / 8}")
        ids = [rows.runs.submit(spec)[0].id for _ in range(jobs)]
        ours = {key: value for key, value in os.environ.items() if not key.startswith("ONLYBN_")}
        ours |= {"ONLYBN_DATA": folder, "ONLYBN_SLOTS": "1"}
        crew = Crew([sys.executable, str(ROOT / "tests" / "jobs" / "fake_worker.py")], ours, seed)
        try:
            seconds = crew.disturb(kills, lambda: all(r.state in TERMINAL for r in rows.runs.many(ids).values()))
            found = rows.runs.many(ids).values()
            finished = sum(run.state == "finished" for run in found)
            doubled = sum(_has_points_twice(rows, run.id) for run in found)
        finally:
            crew.close()
            rows.close()
        return _told("this store", jobs, crew.kills, seconds, finished, doubled)


def _has_points_twice(rows: Store, run_id: str) -> bool:
    points = [(point.split, point.step) for point in rows.curves.points(run_id)]
    return len(points) != len(set(points))


def _told(arm: str, jobs: int, kills: int, seconds: float, done: int, doubled: int) -> dict[str, object]:
    figures = {"accepted": jobs, "kills": kills, "finished": done, "lost": jobs - done, "doubled": doubled}
    return {"arm": arm, **figures, "seconds": round(seconds, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arms = [arm(arguments.jobs, arguments.kills, arguments.seed) for arm in (plain, store)]
    print(json.dumps({"seed": arguments.seed, "arms": arms}, indent=2))
    return 1 if arms[1]["lost"] or arms[1]["doubled"] else 0


if __name__ == "__main__":
    sys.exit(main())
