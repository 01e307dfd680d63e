"""SIGKILL before and after each durable write: each commit of a worker, each fsync, rename and unlink of a training.

Run it from the repository's root: `.venv/bin/python -m tests.faults.campaign.points`. The moments are all there are, so
`--rounds` leaves out the later ones and the seed means nothing.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from core.run.events import Event, Finished, Measured
from core.run.journal import Journal, record
from core.run.spec import RunSpec
from jobs.queue import make_queue
from jobs.settings import WorkerSettings
from jobs.store.database import open_database
from jobs.store.store import Store
from jobs.worker.folder import prepare
from jobs.worker.worker import Worker
from tests.faults.campaign.bench import Bench, bench, wait, wrong
from tests.faults.campaign.forks import Doom, end, ended, fork
from tests.faults.campaign.report import Order, Report, main
from tests.faults.campaign.servers import postgres
from tests.jobs.support import FAKE_TRAINER

WORDS = "steps=12 pause=0.1 findings capsule=1000"
SPEC = RunSpec.model_validate(
    {
        "architecture": "resnet-8",
        "policy": "batchnorm",
        "dataset": "digits",
        "epochs": 3,
        "train_examples": 256,
        "test_examples": 64,
    }
)
MOST = 200
"""More commits than a short run has."""


def _worker(place: Bench, doom: Doom) -> Callable[[], None]:
    """The work of a fork: a worker with a fake trainer whose commits are doomed."""
    settings = WorkerSettings.model_validate({**place.settings.model_dump(), "slots": 1})

    def work() -> None:
        store = Store(open_database(settings.store_url))
        doom.wrap(store.database.engine.dialect, "do_commit")
        Worker(settings, store, make_queue(settings), FAKE_TRAINER, reap_every_s=0.5).work()

    return work


def _commits(order: Order, name: str, url: str = "") -> Report:
    """For each commit: a worker that dies there, and another one that ends the run."""
    report = Report("kill -9 of a worker at each commit", database=name)
    died = 0
    with bench(database=url) as place:
        for number in range(1, order.of(MOST) + 1):
            deaths = 0
            for after in (False, True):
                run_id = place.submit(WORDS)
                doomed = fork(_worker(place, Doom(number, after=after)), place.log, place.scratch)
                gone = []
                wait("the death or the end", lambda run_id=run_id: gone or _over(place, run_id, doomed, gone))  # noqa: B023
                if not gone:
                    end(doomed)
                deaths += bool(gone)
                other = fork(_worker(place, Doom()), place.log, place.scratch)
                try:
                    place.finish()
                finally:
                    end(other)
            died += deaths
            report.n += 2
            if not deaths:
                break
        with_another = fork(_worker(place, Doom()), place.log, place.scratch)
        report.wrong = wrong(place)
        end(with_another)
    report.figures = {"died": died}
    return report


def _over(place: Bench, run_id: str, pid: int, gone: list[int]) -> bool:
    if ended(pid):
        gone.append(pid)
        return True
    return place.over(run_id)


def sqlite(order: Order) -> Report:
    return _commits(order, "SQLite")


def postgresql(order: Order) -> Report:
    with postgres() as server:
        return _commits(order, "PostgreSQL", server.url)


def training(folder: Path, attempt: int, doom: Doom, told: Path | None = None) -> Callable[[], None]:
    """The work of a fork: one attempt of a real training, as a worker and `python -m core train` make it."""

    def work() -> None:
        import torch

        from core.training.loop import train

        torch.set_num_threads(1)
        prepare(folder, SPEC)
        for name in ("fsync", "replace", "unlink"):
            doom.wrap(os, name)
        journal = Journal(folder, SPEC)
        journal.open()
        done = journal.finished()
        events: list[Event] = list(journal.events()) if done else []
        if not done:
            stream = train(SPEC, folder, device="cpu", attempt=attempt, checkpoint_every_s=0.0, analyses=False)
            events = list(record(journal, stream))
        if told:
            told.write_text(json.dumps({**result(events), "calls": doom.calls}))

    return work


def result(events: list[Event]) -> dict[str, object]:
    """The bits and the curve of a training; a point that is told again counts once."""
    points = {
        (e.point.split, e.point.step): (e.point.loss, e.point.top1, e.point.lr)
        for e in events
        if isinstance(e, Measured)
    }
    digest = next((event.digest for event in events if isinstance(event, Finished)), None)
    return {"digest": digest, "points": sorted([*key, *value] for key, value in points.items())}


def files(order: Order) -> Report:
    """For each fsync, rename and unlink of a training: one that dies there, and another one that resumes it."""
    import core.training.loop  # noqa: F401  # once, before the forks; it computes in them only

    report = Report("kill -9 of a training at each fsync, rename and unlink", "real", "none")
    with tempfile.TemporaryDirectory(prefix="onlybn-campaign-") as name:
        top, log, told = Path(name), Path(name) / "log.txt", Path(name) / "told.json"
        os.waitpid(fork(training(top / "undisturbed", 1, Doom(), told), log), 0)
        undisturbed = json.loads(told.read_text())
        calls = undisturbed.pop("calls")
        for number in range(1, order.of(calls) + 1):
            for after in (False, True):
                folder = top / f"{number}-{after}"
                os.waitpid(fork(training(folder, 1, Doom(number, after=after)), log), 0)
                told.unlink(missing_ok=True)
                os.waitpid(fork(training(folder, 2, Doom(), told), log), 0)
                report.n += 1
                found = json.loads(told.read_text()) if told.exists() else {}
                found.pop("calls", None)
                if found != undisturbed:
                    report.wrong.append(f"call {number}, {'after' if after else 'before'}: another result")
                if left := list(folder.rglob(".tmp-*")):
                    report.wrong.append(f"call {number}, {'after' if after else 'before'}: {left[0].name} stays")
        report.figures = {"durable writes": calls}
    return report


FAULTS = {"sqlite": sqlite, "postgresql": postgresql, "files": files}

if __name__ == "__main__":
    sys.exit(main(__doc__, FAULTS))
