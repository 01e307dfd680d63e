"""A worker whose trainer is fake for runs with a name that the fake one obeys, and real for all others.

`python -m tests.faults.mixed` is the worker, with settings from the environment; with arguments it is the trainer.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FAKE = (sys.executable, str(ROOT / "tests" / "jobs" / "fake_trainer.py"))
REAL = (sys.executable, "-m", "core", "train")
TRAINER = (sys.executable, str(Path(__file__).resolve()))


def train(arguments: list[str]) -> None:
    """Become the trainer that the spec wants."""
    spec = Path(arguments[arguments.index("--spec") + 1])
    name = json.loads(spec.read_text())["name"] or ""
    command = [*(FAKE if "steps=" in name else REAL), *arguments]
    os.execv(command[0], command)


def work() -> None:
    from jobs.queue import make_queue
    from jobs.settings import WorkerSettings
    from jobs.store.database import open_database
    from jobs.store.store import Store
    from jobs.worker.worker import Worker

    settings = WorkerSettings()
    store = Store(open_database(settings.store_url), settings.artefacts_place)
    worker = Worker(settings, store, make_queue(settings), TRAINER, reap_every_s=1.0)
    signal.signal(signal.SIGTERM, lambda *_: worker.stopping.set())
    worker.work()


if __name__ == "__main__":
    train(sys.argv[1:]) if len(sys.argv) > 1 else work()
