"""A month of a busy demo within minutes: whether the data folder stays in its budget, and who gets served.

    python -m tests.benchmarks.month                     # 30 days, 200 visitors a day, ten of them hostile
    python -m tests.benchmarks.month --days 3 --out month.json

Real are the store on SQLite, its limits, turns and prices, and the keeper of the worker, all with the settings of
ONLYBN_PROFILE=demo. Simulated are the clock and the trainers: a run takes its price, writes its points and its log into
the database, and leaves files of the sizes that its price says (sparse ones, which count but take no disk).

An honest visitor launches one to three small runs and cancels one of ten. A hostile one sends a new token with each
request and launches the dearest run that is allowed as often as it is let, cancels, resumes, and uploads files.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from core.machine.files import CAPSULE
from core.run.cost import point_stride, price
from core.run.events import Point
from core.run.spec import RunSpec
from jobs.quotas import MEGABYTE, Asker, Refused
from jobs.settings import WorkerSettings
from jobs.store.database import open_database
from jobs.store.records import Batch, Run
from jobs.store.shares.prices import too_expensive
from jobs.store.starts import StartsFull
from jobs.store.store import Store
from jobs.worker.keeper import Keeper
from tests.events import finished

HOUR_S, DAY_S = 3600.0, 86400.0
TIDY_EVERY_S = HOUR_S / 2
SLOTS = 2
MEMORY = Path("/dev/shm")
"""Where the data folder lies if it can: the disk is not the question here."""
TRIES_A_DAY = 24
"""How often a hostile visitor comes back within a day, each time until it has been refused PATIENCE times."""
PATIENCE = 5
HONEST = tuple(
    RunSpec(architecture=architecture, policy=policy, dataset=dataset, epochs=epochs)
    for architecture, policy, dataset, epochs in (
        ("resnet-14", "batchnorm", "digits", 20),
        ("resnet-20", "all", "digits", 40),
        ("resnet-8", "batchnorm", "fashion-mnist", 1),
        ("resnet-14", "random-2", "fashion-mnist", 1),
        ("wrn-14-2", "output", "digits", 30),
    )
)
DEAREST = RunSpec(architecture="wrn-14-4", policy="all", dataset="digits", epochs=400, recipe={"optimizer": "adam"})


@dataclass
class Month:
    """The simulated installation, and what was measured of it."""

    settings: WorkerSettings
    store: Store
    random: random.Random
    now: float
    slots: list[float] = field(default_factory=lambda: [0.0] * SLOTS)
    used: list[float] = field(default_factory=list)
    waits: dict[str, list[float]] = field(default_factory=lambda: {"honest": [], "hostile": []})
    refused: dict[str, int] = field(default_factory=lambda: {"honest": 0, "hostile": 0})
    asked: dict[str, int] = field(default_factory=lambda: {"honest": 0, "hostile": 0})
    kinds: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=lambda: {"honest": 0.0, "hostile": 0.0})
    tidied: int = 0

    def launch(self, kind: str, spec: RunSpec, by: Asker) -> str | None:
        """Ask for a run. Returns its id, or None if it is refused."""
        self.asked[kind] += 1
        try:
            run, _ = self.store.runs.submit(spec, by=by, limits=self.settings.limits)
        except Refused:
            self.refused[kind] += 1
            return None
        self.kinds[run.id] = kind
        return run.id

    def train_until(self, then: float) -> None:
        """Let the slots take runs until the time `then`."""
        while self.slots[0] < then:
            begins = max(self.slots[0], self.now)
            self.now = begins
            run = self.store.claims.take("worker", self.settings.limits)
            if run is None:
                heapq.heapreplace(self.slots, then)
                continue
            self._train(run, begins)
        self.now = then

    def _train(self, run: Run, begins: float) -> None:
        kind = self.kinds.pop(run.id)
        self.waits[kind].append(begins - run.created_at)
        cost = price(run.spec)
        self.seconds[kind] += cost.processor_s
        steps = range(1, run.spec.total_steps + 1, point_stride(run.spec))
        points = tuple(
            Point(step=step, epoch=step / run.spec.steps_per_epoch, split="train", loss=1.0, top1=0.5, lr=0.1)
            for step in steps[:2000]
        )
        self.store.claims.record(run.id, run.attempt, Batch(points=points))
        folder = self.settings.runs_folder / run.id
        folder.mkdir(parents=True, exist_ok=True)
        sizes = {"events.jsonl": cost.disk_bytes // 2, CAPSULE: cost.disk_bytes // 4, "trainer.log": 2000}
        for name, size in sizes.items():
            with (folder / name).open("wb") as file:
                file.truncate(size)
        self.now = begins + cost.processor_s
        self.store.claims.finish(run.id, run.attempt, finished(run.spec), None)
        heapq.heapreplace(self.slots, self.now)
        self.now = begins

    def tidy(self) -> None:
        keeper = Keeper(self.settings, self.store, now=lambda: self.now)
        self.used.append(keeper.used() / MEGABYTE)  # what the folder has at most: before it is tidied
        keeper.tidy()
        self.used.append(keeper.used() / MEGABYTE)
        self.tidied += 1


def honest(month: Month, day: int, visitor: int) -> None:
    by = Asker(f"honest {day} {visitor}", f"home {visitor}")
    for _ in range(month.random.randint(1, 3)):
        run = month.launch("honest", month.random.choice(HONEST), by)
        if run and month.random.random() < 0.1:
            month.store.runs.cancel(run)
            month.kinds.pop(run, None)


def hostile(month: Month, attacker: int) -> None:
    address = f"attacker {attacker}"
    cancelled: list[str] = []
    before = month.refused["hostile"]
    while month.refused["hostile"] - before < PATIENCE:
        by = Asker(f"token {month.random.random()}", address)
        run = month.launch("hostile", DEAREST, by)
        if run and month.random.random() < 0.3:
            month.store.runs.cancel(run)
            cancelled.append(run)
        if run is None and cancelled:
            try:
                month.store.runs.resume(cancelled.pop(), by=by, limits=month.settings.limits)
            except Refused:
                month.refused["hostile"] += 1
        try:
            content = month.random.randbytes(100_000)
            month.store.starts.keep(content, by=by, limits=month.settings.limits)
        except (Refused, StartsFull):
            month.refused["hostile"] += 1


def simulate(folder: Path, days: int, visitors: int, attackers: int, seed: int = 7) -> dict[str, Any]:
    """A number of days; returns what was measured."""
    settings = WorkerSettings(data=folder, profile="demo")
    store = Store(open_database(settings.store_url))
    store.migrate()
    sa.event.listen(store.database.engine, "connect", _without_sync)
    store.close()  # connections from before
    assert too_expensive(DEAREST, settings.limits.cap) is None
    month = Month(settings, store, random.Random(seed), now=1_800_000_000.0)
    month.slots = [month.now] * SLOTS
    real = time.time
    time.time = lambda: month.now
    began = time.monotonic()
    try:
        first = month.now
        arrivals: list[tuple[float, str, int]] = []
        for day in range(days):
            start = first + day * DAY_S
            arrivals += [(start + month.random.random() * DAY_S, "honest", day * visitors + i) for i in range(visitors)]
            for attacker in range(attackers):
                arrivals += [(start + hour * DAY_S / TRIES_A_DAY, "hostile", attacker) for hour in range(TRIES_A_DAY)]
        arrivals += [(first + n * TIDY_EVERY_S, "tidy", 0) for n in range(1, int(days * DAY_S / TIDY_EVERY_S) + 1)]
        for at, kind, number in sorted(arrivals):
            month.train_until(at)
            if kind == "tidy":
                month.tidy()
            elif kind == "honest":
                honest(month, int(number // visitors), number % visitors)
            else:
                hostile(month, number)
        with store.database.reading() as connection:
            sound = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
        last = store.keeping.last_eviction()
    finally:
        time.time = real
        store.close()
    waits = {kind: sorted(seconds) for kind, seconds in month.waits.items()}
    return {
        "days": days,
        "visitors_a_day": visitors,
        "hostile": attackers,
        "seed": seed,
        "budget_mb": settings.budget_mb,
        "most_mb": round(max(month.used)),
        "last_mb": round(month.used[-1]),
        "database": sound,
        "evicted": last is not None,
        "asked": month.asked,
        "refused": month.refused,
        "served": {kind: len(seconds) for kind, seconds in waits.items()},
        "hours_of_processor": {kind: round(seconds / HOUR_S, 1) for kind, seconds in month.seconds.items()},
        "wait_minutes_median": {kind: round(statistics.median(w) / 60, 1) for kind, w in waits.items() if w},
        "wait_minutes_p95": {kind: round(w[int(0.95 * len(w))] / 60, 1) for kind, w in waits.items() if w},
        "took_s": round(time.monotonic() - began, 1),
    }


def _without_sync(connection: Any, _: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")  # whether it survives a power failure is not the question here


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--visitors", type=int, default=190, help="honest ones a day")
    parser.add_argument("--hostile", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, help="also write the figures as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        figures = simulate(Path(folder), arguments.days, arguments.visitors, arguments.hostile, arguments.seed)
    print(json.dumps(figures, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
