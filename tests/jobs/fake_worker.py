"""A worker process like `python -m jobs`, with the fake trainer. Its settings come from the environment; its arguments
are the words after `--until`. It prints its name, and at its end why it ended and what it did."""

from __future__ import annotations

import signal
import sys
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from jobs.queue import make_queue
from jobs.settings import WorkerSettings
from jobs.store.database import open_database
from jobs.store.store import Store
from jobs.worker.until import read_until
from jobs.worker.worker import Worker
from tests.jobs.support import FAKE_TRAINER


def main() -> None:
    settings = WorkerSettings()
    store = Store(open_database(settings.store_url), settings.artefacts_place)
    until = read_until([sys.argv[1:]] if sys.argv[1:] else [], datetime.now().astimezone())
    worker = Worker(settings, store, make_queue(settings), FAKE_TRAINER, reap_every_s=0.5, until=until)
    signal.signal(signal.SIGTERM, lambda *_: worker.stopping.set())
    print(worker.identity.name, flush=True)
    reason = worker.work()
    print(reason, worker.ledger.words(), flush=True)


if __name__ == "__main__":
    main()
