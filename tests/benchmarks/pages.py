"""How the pages bear a long history and many visitors, on this machine and with SQLite.

    python -m tests.benchmarks.pages                      # 10,000 runs of 200 points; 100 clients; some five minutes
    python -m tests.benchmarks.pages --runs 1000 --clients 20

Printed: p50 and p95 of the page /runs, its list and searches, of the first question that a run's page asks; memory and
idle processor time of the server and its worker; and what 100 clients that watch 20 live runs once a second get and
what they cost a training beside them (steps with and without them, in turns). Everything is made up and goes away.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import sqlalchemy as sa

from jobs.store.store import Store
from jobs.store.tables import POINTS, RUNS
from tests.benchmarks.pool import CORES
from tests.benchmarks.speed import Child
from tests.benchmarks.watchers import LIVE, STARTING_S, crowd, live_runs, used_s
from tests.browser.conftest import Site
from tests.browser.puppet import Puppet

POINTS_EACH = 200
QUESTIONS = 60
IDLE_S = 20.0
LOADED_S = 15.0


def fill(store: Store, count: int) -> list[str]:
    """`count` finished runs, copies of one, with POINTS_EACH points each; some of their ids."""
    template = Puppet(store).done(name="Template")
    run, point = (", ".join(column.name for column in t.columns if column.name not in skip) for t, skip in _COPIED)
    with store.database.engine.begin() as connection:
        number = connection.scalar(sa.select(RUNS.c.number).where(RUNS.c.id == template))
        connection.execute(sa.text(f"create temporary table serial as {_SERIES}"), {"count": count})
        connection.execute(
            sa.text(
                f"insert into runs (id, number, {run}) select 'copy' || printf('%08d', n), :number + n, {run} "
                "from serial, runs where number = :number"
            ),
            {"number": number},
        )
        connection.execute(
            sa.text(
                f"insert into points (run, {point}) select :number + n, {point} from serial, "
                "(select * from points where run = :number order by id limit :each)"
            ),
            {"number": number, "each": POINTS_EACH},
        )
    return [f"copy{n:08d}" for n in range(1, count + 1)]


_SERIES = "with recursive s(n) as (select 1 union all select n + 1 from s where n < :count) select n from s"
_COPIED = ((RUNS, ("id", "number")), (POINTS, ("id", "run")))


def told(name: str, seconds: Sequence[float]) -> None:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    print(f"{name:<52} p50 {1e3 * statistics.median(ordered):7.1f} ms   p95 {1e3 * p95:7.1f} ms   n = {len(ordered)}")


def timed(ask: Callable[[], httpx.Response], count: int = QUESTIONS) -> list[float]:
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        answer = ask()
        seconds.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text
    return seconds


def question(run: str) -> dict[str, object]:
    return {"runs": {run: {"points": 0, "snapshots": 0, "log": 0}}}


def tree(pid: int) -> list[int]:
    """`pid` and what it started."""
    children = [int(c) for file in Path(f"/proc/{pid}/task").glob("*/children") for c in file.read_text().split()]
    return [pid, *(p for child in children for p in tree(child))]


def memory_mib(pid: int) -> float:
    line = next(row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def under_load(site: Site, store: Store, clients: int) -> None:
    """The watchers' answers, and the steps of a training with and without them."""
    trainer = Child("ours", "resnet-14", "batchnorm")
    assert site.process
    pid, with_them, without, shares, theirs = site.process.pid, [], [], [], []
    answers: list[float] = []
    try:
        with live_runs(store) as live:
            for _ in range(3):
                without.append(_steps_for(trainer, LOADED_S))
                with crowd(site.port, live, clients, LOADED_S + STARTING_S + 2) as watching:
                    time.sleep(STARTING_S)
                    began, used, spent = time.monotonic(), used_s(pid), used_s(watching.pid)
                    with_them.append(_steps_for(trainer, LOADED_S))
                    cores = (time.monotonic() - began) * CORES
                    shares.append((used_s(pid) - used) / cores)
                    theirs.append((used_s(watching.pid) - spent) / cores)
                    out, _ = watching.communicate()
                answers += json.loads(out)
    finally:
        trainer.end()
    told(f"{clients} clients on {LIVE} live runs, a training beside: feed", answers)
    slower = statistics.median(a / b - 1 for a, b in zip(with_them, without, strict=True))
    print(f"{'a step of the training is slower by':<52} {100 * slower:.1f}%  (the clients run on the same cores)")
    print(f"{'the web process takes of the cores':<52} {100 * statistics.median(shares):.1f}%")
    print(f"{'the clients take of the cores':<52} {100 * statistics.median(theirs):.1f}%")


def _steps_for(child: Child, seconds: float) -> float:
    """Seconds a step."""
    end, before = time.monotonic() + seconds, len(child.turns)
    while time.monotonic() < end:
        child.turn()
    return statistics.median(turn["step_s"] for turn in child.turns[before:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data", embedded_worker=True)
        site.data.mkdir(parents=True)
        store = site.store()
        began = time.monotonic()
        ids = fill(store, arguments.runs)
        print(f"{arguments.runs:,} runs of {POINTS_EACH} points made in {time.monotonic() - began:.0f} s")
        site.start()
        assert site.process
        try:
            with httpx.Client(base_url=site.url, timeout=30) as http:
                told("/runs, the page", timed(lambda: http.get("/runs")))
                told("/api/runs, the newest 25", timed(lambda: http.get("/api/runs?limit=25")))
                told(
                    "the same by accuracy, page 200",
                    timed(lambda: http.get("/api/runs?limit=25&offset=5000&sort=top1")),
                )
                told("the same with a search by name", timed(lambda: http.get("/api/runs?limit=25&text=template")))
                told(
                    "/compare of all, whose preview counts them",
                    timed(lambda: http.get("/compare?state=finished")),
                )
                draw = random.Random(0)
                first = lambda: http.post("/api/feed", json=question(draw.choice(ids)))  # noqa: E731
                told("first question of a run's page", timed(first))
            time.sleep(3)
            pids = tree(site.process.pid)
            before = sum(map(used_s, pids))
            time.sleep(IDLE_S)
            print(f"{'idle, server and worker':<52} {100 * (sum(map(used_s, pids)) - before) / IDLE_S:.1f}% of a core")
            print(f"{'memory of the web process':<52} {memory_mib(site.process.pid):.0f} MiB")
        finally:
            site.stop()
        site.embedded_worker = False  # it would take the live runs
        site.start()
        try:
            under_load(site, store, arguments.clients)
            print(f"{'memory of the web process after it':<52} {memory_mib(site.process.pid):.0f} MiB")
        finally:
            site.stop()
            store.close()


if __name__ == "__main__":
    main()
