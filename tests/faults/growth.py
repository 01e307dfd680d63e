"""Many runs on 1, 2 and 3 machines that share no disk, while every 20 s one machine is lost for good. Prints JSON.

Run it from the repository's root: `.venv/bin/python -m tests.faults.growth`. PostgreSQL and Redis are those of the
tests. Most trainers are fake, for the number; some train for real, for the bits. See README.md beside it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from sqlalchemy import make_url

from core.machine.processor import available_cores
from core.run.spec import RunSpec
from jobs.queue import make_queue, waker
from jobs.settings import WorkerSettings
from jobs.store.database import open_database
from jobs.store.records import TERMINAL, Run
from jobs.store.store import Store
from tests.faults.machines import ROOT, Machine, Ports, can_separate
from tests.jobs.conftest import POSTGRES, REDIS
from tests.jobs.support import fake_spec

STEPS, PAUSE_S = 20, 0.05
KILL_EVERY_S = 20.0
LEASE_S = 5.0
PATIENCE_S = 1200.0
CHECKED = "split", "step", "loss", "top1", "lr"


def real_spec(number: int, epochs: int) -> RunSpec:
    return RunSpec(architecture="resnet-14", policy="batchnorm", dataset="digits", epochs=epochs, replicate=number)


def alone(number: int, epochs: int) -> str:
    """The digest of the trained tensors of a run that nobody disturbs."""
    return undisturbed(number, epochs)[0]


def undisturbed(number: int, epochs: int) -> tuple[str, float]:
    """The digest of the trained tensors of a run that nobody disturbs, and the seconds of its training."""
    with tempfile.TemporaryDirectory(prefix="onlybn-growth-") as folder:
        path = Path(folder) / "spec.json"
        path.write_text(real_spec(number, epochs).model_dump_json())
        command = [sys.executable, "-m", "core", "train", "--spec", str(path), "--out", folder, "--events", "-"]
        command += ["--threads", "1", "--device", "cpu"]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.splitlines()
    (finished,) = [event for event in map(json.loads, said) if event["event"] == "finished"]
    return str(finished["digest"]), float(finished["seconds"])


@contextmanager
def schema() -> Iterator[str]:
    """The name of a schema of our own in the database of the tests."""
    name = f"onlybn_{secrets.token_hex(5)}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    try:
        yield name
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA {name} CASCADE")


class Laboratory:
    """An installation on PostgreSQL and Redis, with machines to lose."""

    def __init__(self, folder: Path, name: str, separate: bool, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.database, self.redis = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={name}"}), REDIS
        self.queue_name = name
        urls = {"database_url": self.database.render_as_string(hide_password=False), "queue_url": REDIS}
        settings = WorkerSettings(data=folder / "web", queue_name=name, secret="growth", **urls)  # type: ignore[arg-type]
        self.store = Store(open_database(settings.store_url), settings.artefacts_place)
        self.store.migrate()
        self.huey = make_queue(settings)
        self.wake = waker(self.huey)
        self.ports = Ports() if separate else None
        self.machines: list[Machine] = []
        self.made = 0
        self.kills = 0

    def add(self) -> Machine:
        """A new machine, whose worker begins."""
        there = urlsplit(self.redis)
        servers = {
            "postgres": (self.database.host or "127.0.0.1", self.database.port or 5432),
            "redis": (there.hostname or "127.0.0.1", there.port or 6379),
        }
        self.made += 1
        machine = Machine(self.made, self.folder, servers, self.ports)
        host, port = machine.servers["postgres"]
        database = self.database.set(host=host, port=port).render_as_string(hide_password=False)
        host, port = machine.servers["redis"]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ONLYBN_")} | {
            "ONLYBN_DATA": str(machine.folder),
            "ONLYBN_DATABASE_URL": database,
            "ONLYBN_QUEUE_URL": there._replace(netloc=f"{host}:{port}").geturl(),
            "ONLYBN_QUEUE_NAME": self.queue_name,
            "ONLYBN_SECRET": "growth",
            "ONLYBN_SLOTS": "1",
            "ONLYBN_THREADS": "1",
            "ONLYBN_DEVICE": "cpu",
            "ONLYBN_LEASE_S": f"{LEASE_S:g}",
        }
        machine.start([sys.executable, "-m", "tests.faults.mixed"], environment)
        self.machines.append(machine)
        return machine

    def lose_one(self) -> None:
        """Lose a machine, and put an empty one in its place."""
        victim = self.random.choice(self.machines)
        victim.crash()
        self.machines.remove(victim)
        self.add()
        self.kills += 1

    def runs(self, ids: list[str]) -> list[Run]:
        return list(self.store.runs.many(ids).values())

    def close(self) -> None:
        for machine in self.machines:
            machine.crash()
        with suppress(Exception):
            self.huey.flush()
        self.huey.storage.close() if hasattr(self.huey.storage, "close") else None
        self.store.close()


def arm(
    workers: int, runs: int, real: int, epochs: int, every_s: float, most_kills: float, seed: int, separate: bool
) -> dict[str, Any]:
    """Drain `runs` fake and `real` true runs with so many machines."""
    expected = {number: alone(number, epochs) for number in range(real)}
    with tempfile.TemporaryDirectory(prefix="onlybn-growth-") as folder, schema() as name:
        lab = Laboratory(Path(folder), name, separate, seed)
        try:
            true = [lab.store.runs.submit(real_spec(number, epochs))[0].id for number in range(real)]
            fake = [lab.store.runs.submit(fake_spec(f"steps={STEPS} pause={PAUSE_S}"))[0].id for _ in range(runs)]
            for _ in range(workers):
                lab.add()
            began = time.monotonic()
            while len(lab.store.workers.alive()) < workers and time.monotonic() - began < 60:
                time.sleep(0.05)
            seconds = drain(lab, [*true, *fake], every_s, most_kills)
            time.sleep(2 * LEASE_S)  # whatever was said twice would come now
            return {"workers": workers, **told(lab, true, fake, expected), "seconds": round(seconds, 1)}
        finally:
            lab.close()


def drain(lab: Laboratory, ids: list[str], every_s: float, most_kills: float) -> float:
    """Wait for the end of all runs, losing at most so many machines meanwhile. Returns the seconds it took."""
    began = time.monotonic()
    next_kill = began + every_s
    for run_id in ids:
        lab.wake(run_id)
    while any(run.state not in TERMINAL for run in lab.runs(ids)):
        if time.monotonic() - began > PATIENCE_S:
            break
        time.sleep(0.2)
        if time.monotonic() >= next_kill and lab.kills < most_kills:
            lab.lose_one()
            next_kill = time.monotonic() + every_s
    return time.monotonic() - began


def told(lab: Laboratory, true: list[str], fake: list[str], expected: dict[int, str]) -> dict[str, Any]:
    """What became of the runs."""
    found = lab.runs([*true, *fake])
    logs = {run.id: [row.kind for row in lab.store.runs.log(run.id)] for run in found}
    steps = {run_id: [p.step for p in lab.store.curves.points(run_id) if p.split == "train"] for run_id in fake}
    numbers = {run.id: run.spec.replicate for run in found}
    digests = {run.id: run.result.digest for run in found if run.result}
    return {
        "fake": len(fake),
        "real": len(true),
        "kills": lab.kills,
        "finished": sum(run.state == "finished" for run in found),
        "not terminal": sum(run.state not in TERMINAL for run in found),
        "failed": sum(run.state == "failed" for run in found),
        "finished twice": sum(kinds.count("finished") > 1 for kinds in logs.values()),
        "curves with holes or doubles": sum(
            sorted(step for step in mine if step) != list(range(1, STEPS + 1)) for mine in steps.values()
        ),
        "attempts": sum(run.attempt for run in found),
        "resumed elsewhere": sum(kinds.count("resumed") for kinds in logs.values()),
        "real resumed elsewhere": sum(logs[run_id].count("resumed") for run_id in true if run_id in logs),
        "reasons": sorted({run.error_message or "" for run in found if run.state == "failed"}),
        "begun anew": sum(max(0, kinds.count("started") - 1) for kinds in logs.values()),
        "other tensors": sum(digests.get(run_id) != expected[numbers[run_id]] for run_id in true),
        "checkpoints left": sum(lab.store.artefacts.find(run.id, "checkpoint") is not None for run in found),
    }


def wrong(figures: dict[str, Any]) -> bool:
    everything = figures["finished"] == figures["fake"] + figures["real"]
    faults = ("not terminal", "failed", "finished twice", "curves with holes or doubles", "other tensors")
    return not everything or any(figures[fault] for fault in faults)


def campaign(
    workers: list[int],
    runs: int,
    real: int,
    epochs: int,
    every_s: float = KILL_EVERY_S,
    seed: int = 1,
    most_kills: float = math.inf,
) -> dict[str, Any]:
    separate = can_separate()
    arms = [arm(number, runs, real, epochs, every_s, most_kills, seed, separate) for number in workers]
    apart = "data folders, host names and networks" if separate else "data folders"
    return {"seed": seed, "kill every s": every_s, "cores": available_cores(), "separate": apart, "arms": arms}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=300, help="runs with the fake trainer (default 300)")
    parser.add_argument("--real", type=int, default=3, help="runs that train for real (default 3)")
    parser.add_argument("--epochs", type=int, default=40, help="of each real run (default 40)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3], help="how many machines (default 1 2 3)")
    parser.add_argument("--kill-every", type=float, default=KILL_EVERY_S, help="seconds between losses (default 20)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="40 fake runs and one real one, on two machines")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    given = parser.parse_args()
    size = ([2], 40, 1) if given.short else (given.workers, given.runs, given.real)
    found = campaign(*size, given.epochs, given.kill_every, given.seed)
    text = json.dumps(found, indent=2)
    print(text)
    if given.json:
        given.json.write_text(text)
    return 1 if any(map(wrong, found["arms"])) else 0


if __name__ == "__main__":
    sys.exit(main())
