"""SIGKILL at random moments: of trainers, workers, the server, and of everything at once.

Run it from the repository's root: `.venv/bin/python -m tests.faults.campaign.kills`.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from tests.faults.campaign.bench import START_S, Bench, bench, wait, wrong
from tests.faults.campaign.report import Order, Report, main, spread

WAITING = 6
"""So many runs are kept in the queue."""
SPARED = 3
"""A run is spared after so many crashes without a new checkpoint: after MAX_CRASHES it rightly fails."""
WORDS = "steps=20 pause=0.02"
EPOCHS = 12
SPEC = {"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": 1}
"""Of the runs that the server is asked for. Its own worker trains them, for a second or two."""


Kill = Callable[[Bench, random.Random], bool]


def _fill(place: Bench) -> None:
    """Keep some runs in the queue. A real run is the same one each time."""
    for _ in range(WAITING - place.store.tallies.health().queued):
        place.submit(WORDS, epochs=EPOCHS) if place.real else place.submit(WORDS)


def _spared(place: Bench, run_id: str) -> bool:
    """Whether the run has crashed so often in a row that a further kill could rightly end it."""
    rows = place.store.runs.log(run_id)
    row = 0
    for entry in rows:
        row = 0 if entry.kind == "checkpoint" else row + (entry.kind == "crashed")
    return row >= SPARED


def _kill_a_trainer(place: Bench, chance: random.Random) -> bool:
    victims = [(run, pid) for run, crew in place.trainers.now().items() for pid in crew if not _spared(place, run)]
    if not victims:
        return False
    with suppress(ProcessLookupError):
        os.kill(chance.choice(victims)[1], signal.SIGKILL)
    return True


def _kill_a_worker(place: Bench, chance: random.Random) -> bool:
    victim = chance.choice(place.workers)
    place.kill(victim)
    place.start_worker()
    return True


def _campaign(order: Order, what: str, usual: int, kill: Kill, pause_s: tuple[float, float], real: bool) -> Report:
    """Two workers and a queue that never empties; after `n` kills all runs must end as if nothing had been."""
    report = Report(f"kill -9 of a {what}", "real" if real else "fake", n=order.of(usual))
    chance = order.random(f"{what} {real}")
    with bench(real=real, ONLYBN_SLOTS="1" if real else "2") as place:
        for _ in range(2):
            place.start_worker()
        wait("two workers", lambda: place.names() >= 2)
        undisturbed = place.submit(WORDS, epochs=EPOCHS) if real else None
        place.finish()
        done = 0
        while done < report.n:
            _fill(place)
            time.sleep(chance.uniform(*pause_s))
            done += kill(place, chance)
        drained = place.finish()
        report.wrong = wrong(place, undisturbed)
        attempts = [run.attempt for run in place.store.runs.many(place.ids).values()]
        report.figures = {
            "runs": len(place.ids),
            "most attempts of a run": max(attempts),
            "seconds until the last run ended": round(drained, 1),
            "longest overlap s": round(place.trainers.longest_overlap(), 2),
        }
    return report


def trainers(order: Order) -> Report:
    return _campaign(order, "trainer", 200, _kill_a_trainer, (0.05, 0.4), real=False)


def workers(order: Order) -> Report:
    return _campaign(order, "worker", 100, _kill_a_worker, (0.2, 2.5), real=False)


def real_trainers(order: Order) -> Report:
    return _campaign(order, "trainer", 20, _kill_a_trainer, (0.5, 5.0), real=True)


def real_workers(order: Order) -> Report:
    return _campaign(order, "worker", 10, _kill_a_worker, (1.0, 8.0), real=True)


class Clients(threading.Thread):
    """Somebody who launches runs all the time and repeats a launch, with its key, until the answer comes."""

    def __init__(self, place: Bench, seed: int, pause_s: float) -> None:
        super().__init__(daemon=True)
        self.place, self.seed, self.pause_s, self.end = place, seed, pause_s, threading.Event()
        self.accepted: list[str] = []
        self.repeated = 0

    def run(self) -> None:
        number = 0
        while not self.end.wait(self.pause_s):
            number += 1
            key = f"campaign-{self.seed}-{number}-key-of-a-launch"
            status, told = self._launch(key)
            while status != 201 and not self.end.is_set():
                self.repeated += 1
                time.sleep(0.2)
                status, told = self._launch(key)
            if status == 201:
                self.accepted.append(told["id"])

    def _launch(self, key: str) -> tuple[int, dict[str, str]]:
        status, told = self.place.ask("/api/runs", SPEC, Idempotency_Key=key)
        return status, told or {}


def _kill_web(order: Order, what: str, usual: int, everything: bool) -> Report:
    """The server under clients that launch runs. `everything`: its real worker and the trainers die in the same moment;
    else fake workers go on meanwhile."""
    report = Report(f"kill -9 of {what}", "real" if everything else "fake", n=order.of(usual))
    chance, back = order.random(what), []
    with bench(real=everything) as place:
        if not everything:
            place.start_worker()
        place.start_web(worker=everything)
        wait("the server", place.answers, START_S)
        undisturbed = place.submit(**SPEC) if everything else None
        place.finish()
        clients = Clients(place, order.seed, 10.0 if everything else 0.3)
        clients.start()
        for _ in range(report.n):
            time.sleep(chance.uniform(0.0, 8.0 if everything else 3.0))
            if everything:
                _end_all(place)
            assert place.web is not None
            place.kill(place.web)
            began = time.monotonic()
            place.start_web(worker=everything)
            if chance.random() < 0.8:  # else it is killed while it starts
                wait("the server", place.answers, START_S)
                back.append(time.monotonic() - began)
        wait("the server", place.answers, START_S)
        clients.end.set()
        clients.join()
        found, total = place.store.runs.find(limit=5000)
        place.ids = [run.id for run in found]
        place.finish(600)
        report.wrong = _launches(place, clients, total - bool(undisturbed)) + _told(place)
        report.wrong += wrong(place, undisturbed)
        report.figures = {"accepted": len(clients.accepted), "repeated": clients.repeated}
        report.figures |= {f"server back {name}": value for name, value in spread(back).items()}
    return report


def _end_all(place: Bench) -> None:
    """SIGKILL to the trainers and to the worker of the server, which is its child."""
    assert place.web is not None
    children = subprocess.run(["pgrep", "-P", str(place.web.pid)], capture_output=True, text=True).stdout.split()
    pids = [pid for crew in place.trainers.now().values() for pid in crew] + [int(child) for child in children]
    place.web.kill()
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _launches(place: Bench, clients: Clients, there: int) -> list[str]:
    """Each launch that was accepted made one run, and no other run is there but that of a launch under way."""
    found, accepted = [], set(clients.accepted)
    if len(accepted) != len(clients.accepted):
        found.append("two launches have one run")
    if lost := accepted - set(place.ids):
        found.append(f"{len(lost)} accepted runs are gone")
    if not len(accepted) <= there <= len(accepted) + 1:
        found.append(f"{there} runs from {len(accepted)} launches")
    return found


def _told(place: Bench) -> list[str]:
    """Whether the server says of each run what the database has, within 10 s."""
    began, untrue = time.monotonic(), place.ids
    while untrue and time.monotonic() - began < 10:
        untrue = [
            run_id for run_id in untrue if place.ask(f"/api/runs/{run_id}")[1].get("state") != place.run(run_id).state
        ]
    return [f"of {len(untrue)} runs the server does not tell the truth"] if untrue else []


def web(order: Order) -> Report:
    return _kill_web(order, "the server", 50, everything=False)


def everything(order: Order) -> Report:
    return _kill_web(order, "everything", 20, everything=True)


FAULTS = {
    "trainers": trainers,
    "workers": workers,
    "real-trainers": real_trainers,
    "real-workers": real_workers,
    "web": web,
    "everything": everything,
}

if __name__ == "__main__":
    sys.exit(main(__doc__, FAULTS))
