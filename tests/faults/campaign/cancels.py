"""Cancels at random moments: how long until the run is cancelled and its trainer gone.

Run it from the repository's root: `.venv/bin/python -m tests.faults.campaign.cancels`.
"""

from __future__ import annotations

import sys
import time

from tests.faults.campaign.bench import Bench, bench, wait, wrong
from tests.faults.campaign.report import Order, Report, main, spread

MOST_S = 2.0
"""The p95 that a cancel may take."""


def _cancel(place: Bench, run_id: str, after_s: float) -> float | None:
    """Seconds from the cancel, so long after the run was claimed, to its end; None where it had ended before."""
    wait("the run's turn", lambda: place.run(run_id).state != "queued", every_s=0.01)
    time.sleep(after_s)
    place.store.runs.cancel(run_id)
    return wait("the cancel", lambda: place.over(run_id) and not place.trainers.now().get(run_id), every_s=0.02)


def _cancels(order: Order, usual: int, *, real: bool) -> Report:
    report = Report("cancel at a random moment", "real" if real else "fake", n=order.of(usual))
    chance, took, resumed = order.random(f"cancel {real}"), [], []
    longest_s = 6.0 if real else 1.0
    with bench(real=real) as place:
        place.start_worker()
        wait("the worker", lambda: place.names() >= 1)
        undisturbed = place.submit(epochs=40) if real else None
        place.finish()
        for number in range(report.n):
            run_id = place.submit("steps=20 pause=0.05", epochs=40)
            seconds = _cancel(place, run_id, chance.uniform(0.0, longest_s))
            if place.run(run_id).state == "cancelled":
                took.append(seconds or 0.0)
                if number % 20 == 0:
                    resumed.append(run_id)
        for run_id in resumed:
            place.store.runs.resume(run_id)
            place.wake(run_id)
        place.finish()
        report.wrong = wrong(place, undisturbed)
        figures = spread(took)
        if figures.get("p95_s", 0.0) > MOST_S:
            report.wrong.append(f"the p95 is {figures['p95_s']} s, more than {MOST_S:g} s")
        report.figures = {
            "cancelled": len(took),
            "had finished": report.n - len(took),
            "resumed after it": len(resumed),
        }
        report.figures |= figures
    return report


def fake(order: Order) -> Report:
    return _cancels(order, 300, real=False)


def real(order: Order) -> Report:
    return _cancels(order, 60, real=True)


FAULTS = {"fake": fake, "real": real}

if __name__ == "__main__":
    sys.exit(main(__doc__, FAULTS))
