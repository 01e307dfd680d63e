"""SIGSTOP of a worker, alone and with its trainer, until others have its runs; then SIGCONT.

Run it from the repository's root: `.venv/bin/python -m tests.faults.campaign.pauses`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from tests.faults.campaign.bench import Bench, bench, wait, wrong
from tests.faults.campaign.report import Order, Report, main, spread
from tests.faults.campaign.servers import postgres

LEASE_S = 2.0
WORKERS = 4
AT_ONCE = 2


def _stop(place: Bench, worker: subprocess.Popen[bytes], trainer: bool) -> list[int]:
    """Stop a worker, and with `trainer` what it trains. Returns the numbers of what was stopped."""
    name = f"-{worker.pid}-"
    held = [run for run in place.store.runs.many(place.ids).values() if run.state == "running" and run.worker]
    crew = place.trainers.now()
    pids = [worker.pid]
    if trainer:
        pids += [pid for run in held if name in (run.worker or "") for pid in crew.get(run.id, [])]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    return pids


def _moved(place: Bench, ids: set[str], attempts: dict[str, int]) -> bool:
    """Whether none of the runs is held by who held it."""
    now = place.store.runs.many(ids)
    return not any(now[run_id].state == "running" and now[run_id].attempt == attempts[run_id] for run_id in ids)


def _pauses(
    order: Order, what: str, usual: int, *, trainer: bool, real: bool = False, url: str = "", name: str = "SQLite"
) -> Report:
    """Stop workers in turn, wait until each of their runs has another holder, and let them go on.

    One that is stopped within a transaction keeps SQLite locked for as long: it goes on, and is counted as `held`.
    """
    kind, held_lock = "real" if real else "fake", 0
    report = Report(f"SIGSTOP of {what} past the lease, SIGCONT", kind, name, n=order.of(usual))
    chance, taken = order.random(what), []
    workers, words = (2, "") if real else (WORKERS, "steps=60 pause=0.05")
    with bench(real=real, database=url, ONLYBN_LEASE_S=str(LEASE_S)) as place:
        for number in range(workers):  # each has a folder of its own, as on another machine; two real ones share one
            place.start_worker(**({} if real else {"ONLYBN_DATA": str(place.folder / f"data-{number}")}))
        wait("the workers", lambda: place.names() >= workers)
        undisturbed = place.submit(epochs=30) if real else None
        place.finish()
        done = 0
        while done < report.n:
            for _ in range(2 * workers - place.store.tallies.health().queued):
                place.submit(words, epochs=30) if real else place.submit(words)
            wait("runs that run", lambda: place.store.tallies.health().running >= workers)
            time.sleep(chance.uniform(0.1, 1.5))
            victims = chance.sample(place.workers, min(1 if real else AT_ONCE, report.n - done))
            held = {run.id: run.attempt for run in place.store.runs.many(place.ids).values() if run.state == "running"}
            mine = {r for r in held if any(f"-{v.pid}-" in (place.run(r).worker or "") for v in victims)}
            stopped = [pid for victim in victims for pid in _stop(place, victim, trainer)]
            began = time.monotonic()
            try:
                wait("a takeover", lambda mine=mine, held=held: _moved(place, mine, held), 25)
                taken.append(time.monotonic() - began)
            except TimeoutError:
                held_lock += 1
            time.sleep(chance.uniform(0.0, 0.5))
            for pid in stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            done += len(victims)
        place.finish()
        report.wrong = wrong(place, undisturbed)
        report.figures = {"runs": len(place.ids), **{f"taken over {k}": v for k, v in spread(taken).items()}}
        if held_lock and url:
            report.wrong.append(f"{held_lock} runs were not taken over")
        report.figures["held the lock of SQLite"] = held_lock
        report.figures["longest overlap s"] = round(place.trainers.longest_overlap(), 2)
    return report


def worker(order: Order) -> Report:
    with postgres() as server:
        return _pauses(order, "a worker", 50, trainer=False, url=server.url, name="PostgreSQL")


def both(order: Order) -> Report:
    with postgres() as server:
        return _pauses(order, "a worker and its trainer", 50, trainer=True, url=server.url, name="PostgreSQL")


def lite(order: Order) -> Report:
    return _pauses(order, "a worker and its trainer", 10, trainer=True)


def real(order: Order) -> Report:
    return _pauses(order, "a worker", 4, trainer=False, real=True)


FAULTS = {"worker": worker, "worker-and-trainer": both, "sqlite": lite, "real": real}

if __name__ == "__main__":
    sys.exit(main(__doc__, FAULTS))
