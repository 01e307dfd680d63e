"""The database locked, PostgreSQL restarted and silently cut off, Redis flushed and away.

Run it from the repository's root: `.venv/bin/python -m tests.faults.campaign.outages`. PostgreSQL and Redis are own
ones on free ports, from the system's programs.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from sqlalchemy.exc import DBAPIError

from tests.faults.campaign.bench import START_S, Bench, bench, wait, wrong
from tests.faults.campaign.report import Order, Report, main, spread
from tests.faults.campaign.servers import Proxy, postgres, redis

LEASE_S = 6.0
TRUTH_S = 10.0
WORDS = "steps=30 pause=0.1"


@contextmanager
def asking(place: Bench) -> Iterator[list[tuple[float, int]]]:
    """Meanwhile asks the server for its health, over and over. Seconds and status of each answer."""
    told: list[tuple[float, int]] = []
    end = threading.Event()

    def ask() -> None:
        while not end.wait(0.2):
            began = time.monotonic()
            status, _ = place.ask("/healthz")
            told.append((time.monotonic() - began, status))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield told
    finally:
        end.set()
        thread.join()


def _busy(place: Bench, workers: int = 2, runs: int = 4) -> None:
    for _ in range(workers):
        place.start_worker()
    for _ in range(runs):
        place.submit(WORDS)
    wait("runs that run", lambda: place.store.tallies.health().running >= workers)


def locked(order: Order) -> Report:
    """Somebody holds SQLite's lock of writers for 10 s while runs run and visitors look."""
    report = Report("database locked for 10 s", n=order.of(3))
    with bench() as place:
        place.start_web()
        wait("the server", place.answers, START_S)
        asked: list[tuple[float, int]] = []
        for _ in range(report.n):
            _busy(place, 0 if place.workers else 2)
            assert place.store.database.file
            with closing(sqlite3.connect(place.store.database.file, timeout=60, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                with asking(place) as told:
                    time.sleep(10)
                other.execute("ROLLBACK")
            asked += told
            place.finish()
        report.wrong = wrong(place)
        if any(status != 200 for _, status in asked):
            report.wrong.append("the server's health was no answer")
        attempts = {run.attempt for run in place.store.runs.many(place.ids).values()}
        report.figures = {"runs": len(place.ids), "most attempts": max(attempts)}
        report.figures |= {f"health {name}": value for name, value in spread([s for s, _ in asked]).items()}
    return report


def restarted(order: Order) -> Report:
    """PostgreSQL restarted, every other time as by a crash."""
    report = Report("PostgreSQL restarted", database="PostgreSQL", n=order.of(10))
    chance = order.random("postgres")
    with postgres() as server, bench(database=server.url) as place:
        for number in range(report.n):
            _busy(place, 0 if place.workers else 2)
            time.sleep(chance.uniform(0, 1))
            server.stop("immediate" if number % 2 else "fast")
            time.sleep(chance.uniform(0, 3))
            server.start()
            with suppress(DBAPIError):  # its connections are those of the old server
                place.over()
            place.finish()
        report.wrong = wrong(place)
        attempts = [run.attempt for run in place.store.runs.many(place.ids).values()]
        report.figures = {"runs": len(place.ids), "attempts": sum(attempts)}
    return report


def cut(order: Order) -> Report:
    """A proxy holds what one of two workers and the server say to PostgreSQL, and what it answers."""
    report = Report("PostgreSQL silently cut off from one worker", database="PostgreSQL", n=order.of(5))
    taken, silences, health = [], [], []
    with postgres() as server, bench(database=server.url, ONLYBN_LEASE_S=str(LEASE_S)) as place:
        proxy = Proxy(server.port)
        through = server.url.replace(str(server.port), str(proxy.port))
        place.environment["ONLYBN_DATABASE_URL"] = through
        place.start_web()
        place.environment["ONLYBN_DATABASE_URL"] = server.url
        wait("the server", place.answers, START_S)
        for number in range(report.n):
            place.start_worker(ONLYBN_DATABASE_URL=through, ONLYBN_DATA=str(place.folder / f"apart-{number}"))
            run_id = place.submit("steps=400 pause=0.1")
            wait("the run's start", lambda r=run_id: place.run(r).step > 3)
            place.start_worker()
            trainer = set(place.trainers.now()[run_id])
            proxy.held.set()
            began = time.monotonic()
            with asking(place) as told:
                silences.append(
                    wait("its end", lambda t=trainer, r=run_id: not set(t) & set(place.trainers.now().get(r, [])))
                )
                wait("a takeover", lambda r=run_id: place.run(r).attempt > 1, 60)
                taken.append(time.monotonic() - began)
                time.sleep(max(0.0, 25 - taken[-1]))
            proxy.held.clear()
            health += told
            wait("the server's truth", place.answers, 30)
            place.finish()
            for worker in list(place.workers):
                place.kill(worker)
        proxy.close()
        place.start_worker()
        report.wrong = wrong(place)
        if max(silences) > LEASE_S:
            report.wrong.append(f"a trainer lived for {max(silences):.1f} s, longer than the lease of {LEASE_S:g} s")
        slow = [seconds for seconds, _ in health if seconds > TRUTH_S - 0.5]
        if slow:
            report.wrong.append(f"{len(slow)} of {len(health)} questions had no answer within {TRUTH_S:g} s")
        report.figures = {"lease s": LEASE_S, "trainer ends after s": round(max(silences), 1)}
        report.figures |= {"taken over after s": round(max(taken), 1)}
        report.figures["longest overlap s"] = round(place.trainers.longest_overlap(), 2)
        report.figures |= {f"health {name}": value for name, value in spread([s for s, _ in health]).items()}
    return report


def queue(order: Order) -> Report:
    """Redis flushed and restarted while runs come, and away for a while: nothing waits for it, the server says so."""
    report = Report("Redis flushed, restarted, away", database="PostgreSQL", n=order.of(20))
    with postgres() as store, redis() as server, bench(database=store.url, queue=server.url) as place:
        place.start_web()
        place.start_worker()
        place.start_worker()
        wait("the workers", lambda: place.names() >= 2)
        wait("the server", place.answers, START_S)
        began_after, told_after = [], []
        for number in range(report.n):
            for _ in range(3):
                place.submit("steps=8 pause=0.05")
            if number % 5 == 4:
                server.stop()
                run_id = place.submit("steps=8 pause=0.05")
                began_after.append(wait("a start without Redis", lambda r=run_id: place.run(r).attempt, 60))
                told_after.append(wait("the truth", lambda: place.ask("/healthz")[1]["status"] == "degraded", 30))
                server.start()
            else:
                server.flush()
        place.finish()
        wait("the truth", lambda: place.ask("/healthz")[1]["status"] == "ok", 30)
        report.wrong = wrong(place)
        if told_after and max(told_after) > TRUTH_S:
            report.wrong.append(f"the server told of it after {max(told_after):.0f} s")
        report.figures = {"runs": len(place.ids), "begins without Redis after s": round(max(began_after, default=0), 1)}
        report.figures["told after s"] = round(max(told_after, default=0), 1)
    return report


FAULTS = {"locked": locked, "restarted": restarted, "cut": cut, "redis": queue}

if __name__ == "__main__":
    sys.exit(main(__doc__, FAULTS))
