"""How the pages bear a long history and many visitors, on this machine and with SQLite.

    python -m tests.benchmarks.pages                      # 10,000 runs of 200 points; 100 clients; some five minutes
    python -m tests.benchmarks.pages --runs 1000 --clients 20

Printed: p50 and p95 of the page /runs, its list and searches, of the first question that a run's page asks; memory and
idle processor time of the server and its worker; and what 100 clients that watch 20 live runs once a second get and
what they cost a training beside them (steps with and without them, in turns). Everything is made up and goes away.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import orjson
import sqlalchemy as sa

from jobs.store.store import Store
from jobs.store.tables import POINTS, RUNS
from tests.benchmarks.pool import CORES
from tests.benchmarks.speed import Child
from tests.browser.conftest import Site
from tests.browser.puppet import Puppet

POINTS_EACH = 200
LIVE = 20
QUESTIONS = 60
IDLE_S = 20.0
LOADED_S = 15.0
QUESTION_HEAD = b"POST /api/feed HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
TICKS = os.sysconf("SC_CLK_TCK")


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


def used_s(pids: list[int]) -> float:
    fields = (Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids)
    return sum(int(row[11]) + int(row[12]) for row in fields) / TICKS


def memory_mib(pid: int) -> float:
    line = next(row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def watch(port: int, runs: list[str], clients: int, seconds: float) -> list[float]:
    """`clients` that each ask once a second for what is new of one of `runs`; how long each answer took.

    They write and read their connections themselves: an HTTP library would take more of the cores than the server.
    """
    took: list[float] = []
    end = time.monotonic() + seconds

    async def one(number: int) -> None:
        run, cursors = runs[number % len(runs)], {"points": 0, "snapshots": 0, "log": 0}
        await asyncio.sleep(number / clients)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < end:
            began = time.perf_counter()
            body = orjson.dumps({"runs": {run: cursors}})
            writer.write(QUESTION_HEAD % len(body) + body)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200"), head
            answer = await reader.readexactly(int(head.split(b"content-length: ")[1].split()[0]))
            took.append(time.perf_counter() - began)
            cursors = orjson.loads(gzip.decompress(answer) if b"gzip" in head else answer)["runs"][run]["cursor"]
            await asyncio.sleep(max(0.0, 1 - (time.perf_counter() - began)))
        writer.close()

    await asyncio.gather(*(one(number) for number in range(clients)))
    return took


def under_load(site: Site, store: Store, clients: int) -> None:
    """The watchers' answers, and the steps of a training with and without them."""
    puppet, live = Puppet(store), []
    for replicate in range(LIVE):
        run_id, _ = puppet.submit(replicate=replicate, epochs=100)
        puppet.claim(run_id)
        live.append(run_id)
    stop = threading.Event()

    def advance() -> None:
        share = 0.0
        while not stop.wait(1.0):
            share = min(0.99, share + 0.01)
            for run_id in live:
                puppet.advance(run_id, share)

    thread = threading.Thread(target=advance)
    thread.start()
    trainer = Child("ours", "resnet-14", "batchnorm")
    assert site.process
    with_them, without, shares, theirs = [], [], [], []
    answers: list[float] = []
    try:
        for _ in range(3):
            without.append(_steps_for(trainer, LOADED_S))
            command = [
                sys.executable,
                "-m",
                "tests.benchmarks.pages",
                "--watch",
                str(site.port),
                "--clients",
                str(clients),
            ]
            crowd = subprocess.Popen([*command, "--live", *live], stdout=subprocess.PIPE, text=True)
            time.sleep(2.5)  # until it has started
            began, used, spent = time.monotonic(), used_s([site.process.pid]), used_s([crowd.pid])
            with_them.append(_steps_for(trainer, LOADED_S))
            cores = (time.monotonic() - began) * CORES
            shares.append((used_s([site.process.pid]) - used) / cores)
            theirs.append((used_s([crowd.pid]) - spent) / cores)
            out, _ = crowd.communicate()
            answers += json.loads(out)
    finally:
        stop.set()
        thread.join()
        trainer.end()
    told(f"{clients} clients on {LIVE} live runs, a training beside: feed", answers)
    slower = statistics.median(a / b - 1 for a, b in zip(with_them, without, strict=True))
    print(f"{'a step of the training is slower by':<52} {100 * slower:.1f} %  (the clients run on the same cores)")
    print(f"{'the web process takes of the cores':<52} {100 * statistics.median(shares):.1f} %")
    print(f"{'the clients take of the cores':<52} {100 * statistics.median(theirs):.1f} %")


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
    parser.add_argument("--watch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--live", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.watch:
        print(json.dumps(asyncio.run(watch(arguments.watch, arguments.live, arguments.clients, LOADED_S + 4))))
        return
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
            before = used_s(pids)
            time.sleep(IDLE_S)
            print(f"{'idle, server and worker':<52} {100 * (used_s(pids) - before) / IDLE_S:.1f} % of a core")
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
