"""Plain Huey under faults that this store survives: what it loses is a figure, not a wrong.

Run it from the repository's root: `.venv/bin/python -m tests.faults.campaign.beside`.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huey import Huey, RedisHuey, SqliteHuey

from tests.faults.campaign.bench import wait
from tests.faults.campaign.report import Order, Report, main
from tests.faults.campaign.servers import redis

JOB_S = 0.3
WORKER = """
import sys, time
from huey import RedisHuey, SqliteHuey
from huey.consumer import Consumer
kind, place, done = sys.argv[1:]
options = {"name": "plain", "results": False}
huey = RedisHuey(url=place, **options) if kind == "redis" else SqliteHuey(filename=place, **options)
def job(number):
    with open(done + ".begun", "a") as file:
        file.write(f"{number}\\n")
    time.sleep(0.3)
    with open(done, "a") as file:
        file.write(f"{number}\\n")
huey.task(name="job")(job)
Consumer(huey, workers=1, periodic=False, max_delay=0.2).run()
"""


def _told(jobs: int, done: Path) -> dict[str, Any]:
    lines = done.read_text().split() if done.exists() else []
    return {"accepted": jobs, "lost": jobs - len(set(lines)), "doubled": len(lines) - len(set(lines))}


def _with(huey: Huey, kind: str, place: str, done: Path, jobs: int, fault: Callable[[Any], None]) -> dict[str, Any]:
    """Queue jobs, start a worker, let `fault` happen to it, and wait until the queue is empty."""
    task = huey.task(name="job")(lambda number: None)
    for number in range(jobs):
        task(number)
    worker = subprocess.Popen([sys.executable, "-c", WORKER, kind, place, str(done)], stderr=subprocess.DEVNULL)
    try:
        time.sleep(2.0)
        fault(worker)
        until = time.monotonic() + 60
        while huey.pending_count() and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(2 * JOB_S + 1)
    finally:
        worker.kill()
        worker.wait()
    return _told(jobs, done)


def killed(order: Order) -> Report:
    """A worker of plain Huey is killed at a random moment of a job, and another one started, again and again."""
    kills, chance = order.of(100), order.random("plain")
    with tempfile.TemporaryDirectory() as name:
        file, done, begun = f"{name}/huey.db", Path(name, "done"), Path(name, "done.begun")
        huey = SqliteHuey(name="plain", filename=file, results=False)
        task = huey.task(name="job")(lambda number: None)
        for number in range(3 * kills):
            task(number)
        for _ in range(kills):
            before = begun.stat().st_size if begun.exists() else 0
            worker = subprocess.Popen([sys.executable, "-c", WORKER, "sqlite", file, str(done)])
            wait("a job", lambda b=before: begun.exists() and begun.stat().st_size > b, every_s=0.01)
            time.sleep(chance.uniform(0, 2 * JOB_S))
            worker.kill()
            worker.wait()
        waiting = huey.pending_count()
        huey.storage.close()
        figures = _told(3 * kills, done)
    figures |= {"still queued": waiting, "lost": figures["lost"] - waiting}
    return Report("kill -9 of a worker", "plain Huey", n=kills, figures=figures)


def flushed(order: Order) -> Report:
    """Redis forgets what it holds."""
    with redis() as server, tempfile.TemporaryDirectory() as name:
        huey = RedisHuey(name="plain", url=server.url, results=False)
        figures = _with(huey, "redis", server.url, Path(name, "done"), 20, lambda _: server.flush())
    return Report("Redis flushed, restarted, away", "plain Huey", "Redis", n=1, figures=figures)


def deployed(order: Order) -> Report:
    """SIGTERM to the worker in the middle of a job, which plain Huey interrupts."""
    report = Report("SIGTERM deploy", "plain Huey", n=1)
    with tempfile.TemporaryDirectory() as name:
        file = f"{name}/huey.db"
        huey = SqliteHuey(name="plain", filename=file, results=False)

        jobs, done = 20, Path(name, "done")
        waiting: list[int] = []

        def fault(worker: subprocess.Popen[bytes]) -> None:
            worker.send_signal(signal.SIGTERM)
            worker.wait(30)
            waiting.append(huey.pending_count())
            huey.storage.flush_queue()

        figures = _with(huey, "sqlite", file, done, jobs, fault)
        figures |= {"still queued": waiting[0], "lost": figures["lost"] - waiting[0]}
        huey.storage.close()
    report.figures = figures
    return report


FAULTS = {"killed": killed, "flushed": flushed, "deployed": deployed}

if __name__ == "__main__":
    sys.exit(main(__doc__, FAULTS))
