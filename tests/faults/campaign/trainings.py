"""Trainings that hang, crash at each start, or diverge; workers that are asked to end; one kill a minute.

Run it from the repository's root: `.venv/bin/python -m tests.faults.campaign.trainings`.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from tests.faults.campaign.bench import Bench, bench, wait, wrong
from tests.faults.campaign.report import Order, Report, main, spread

PATIENCE_S = 3.0
STOP_S = 10.0
EVERY_S = 60.0
LEAST = 0.85
"""Effective training time under one kill a minute."""


def _at_work(place: Bench, run_id: str, step: int = 5) -> None:
    wait("the run's steps", lambda: place.over(run_id) or (place.run(run_id).step >= step and _lives(place, run_id)))


def _lives(place: Bench, run_id: str) -> bool:
    return run_id in place.trainers.now()


def hung(order: Order) -> Report:
    """Trainings stand still, by themselves or by SIGSTOP: they are noticed, started again, and end."""
    report = Report("hung trainer", n=order.of(10))
    noticed = []
    with bench(ONLYBN_PATIENCE_S=str(PATIENCE_S)) as place:
        place.start_worker()
        for number in range(report.n):
            run_id = place.submit("steps=60 pause=0.1" + " hang=12" * (number % 2))
            if number % 2:
                wait("the step where it hangs", lambda r=run_id: place.run(r).step >= 12 or place.over(r))
            else:
                _at_work(place, run_id)
                for pid in place.trainers.now().get(run_id, []):
                    os.kill(pid, signal.SIGSTOP)
            noticed.append(wait("a new attempt", lambda r=run_id: place.run(r).attempt > 1 or place.over(r)))
        place.finish()
        report.wrong = wrong(place)
        report.figures = {"patience s": PATIENCE_S, **spread(noticed)}
    return report


def crash_loop(order: Order) -> Report:
    """A training dies at each start: it fails after some attempts with a reason, and the next run goes on."""
    report = Report("crash at every start", n=order.of(2))
    with bench() as place:
        place.start_worker()
        loops = [place.submit("steps=20 kill=1 always") for _ in range(report.n)]
        others = [place.submit("steps=10") for _ in range(3)]
        wait("the others", lambda: place.over(*others), 60)
        took = place.finish(240)
        told = [place.run(run_id) for run_id in loops]
        if any(run.state != "failed" or run.error_kind != "crash_loop" or not run.error_message for run in told):
            report.wrong.append(f"it ended {told[0].state}: {told[0].error_kind}, {told[0].error_message}")
        report.wrong += wrong(place, may_fail=report.n)
        report.figures = {"attempts": told[0].attempt, "given up after s": round(took, 1)}
    return report


def diverged(order: Order) -> Report:
    """A learning rate of 1000: the run fails and says so."""
    report = Report("divergence", "real", n=order.of(1))
    with bench(real=True) as place:
        place.start_worker()
        run_id = place.submit(policy="all", recipe={"lr": 1000.0}, epochs=4)
        place.finish()
        run = place.run(run_id)
        if (run.state, run.error_kind) != ("failed", "diverged"):
            report.wrong.append(f"it ended {run.state}, {run.error_kind}: {run.error_message}")
        report.wrong += wrong(place, may_fail=1)
        report.figures = {"attempts": run.attempt, "step": run.step}
    return report


def _deploys(order: Order, usual: int, *, real: bool) -> Report:
    """SIGTERM to the worker at a random moment, and a new one: runs go on from where they were."""
    report = Report("SIGTERM deploy", "real" if real else "fake", n=order.of(usual))
    chance, took, behind = order.random(f"deploy {real}"), [], []
    with bench(real=real) as place:
        worker = place.start_worker()
        undisturbed = place.submit(epochs=60) if real else None
        place.finish()
        for _ in range(report.n):
            run_id = place.submit("steps=80 pause=0.1", epochs=60)
            _at_work(place, run_id)
            time.sleep(chance.uniform(0, 2.0))
            worker.terminate()
            began = time.monotonic()
            worker.wait(60)
            took.append(time.monotonic() - began)
            run = place.run(run_id)
            if run.state == "queued":
                behind.append(run.step - (run.checkpoint_step or 0))
            place.workers.remove(worker)
            worker = place.start_worker()
            place.finish()
        report.wrong = wrong(place, undisturbed)
        if max(took) > STOP_S:
            report.wrong.append(f"the worker took {max(took):.0f} s to end")
        report.figures = {f"worker ends {name}": value for name, value in spread(took).items()}
        report.figures["steps behind at most"] = max(behind, default=0)
    return report


def deploy(order: Order) -> Report:
    return _deploys(order, 10, real=False)


def real_deploy(order: Order) -> Report:
    return _deploys(order, 4, real=True)


def effective(order: Order) -> Report:
    """The share of each minute that counts if the trainer of a long run is killed once in it.

    What is lost is the time until the next attempt is beyond the step where the killed one was.
    """
    report = Report("one kill a minute: effective time", "real", n=order.of(6))
    chance, lost, death, run_id = order.random("effective"), [], 0.0, ""
    with bench(real=True) as place:
        place.start_worker()
        for _ in range(report.n):
            if not run_id or place.over(run_id):
                run_id = place.submit(architecture="resnet-20", epochs=400)
            wait("a checkpoint", lambda r=run_id: place.run(r).checkpoint_step and place.trainers.now().get(r))
            time.sleep(chance.uniform(10.0, 25.0))
            before = place.run(run_id)
            if before.state != "running":
                continue
            os.kill(place.trainers.now()[run_id][0], signal.SIGKILL)
            death = time.monotonic()
            wait("the step where it was", lambda r=run_id, b=before: _beyond(place, r, b.attempt, b.step))
            lost.append(time.monotonic() - death)
        place.store.runs.cancel(run_id)
        place.finish()
        share = 1 - sum(lost) / len(lost) / EVERY_S
        report.wrong = wrong(place)
        if share < LEAST:
            report.wrong.append(f"the effective time is {share:.1%}, less than {LEAST:.0%}")
        report.n = len(lost)
        report.figures = {"effective": round(share, 3), **{f"lost {k}": v for k, v in spread(lost).items()}}
    return report


def _beyond(place: Bench, run_id: str, attempt: int, step: int) -> bool:
    run = place.run(run_id)
    return run.attempt > attempt and run.state != "queued" and (run.step > step or place.over(run_id))


FAULTS = {
    "hung": hung,
    "crash-loop": crash_loop,
    "diverged": diverged,
    "deploy": deploy,
    "real-deploy": real_deploy,
    "effective": effective,
}

if __name__ == "__main__":
    sys.exit(main(__doc__, FAULTS))
