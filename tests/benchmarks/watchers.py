"""What many watchers of live runs cost the web process, on this machine and with SQLite.

    python -m tests.benchmarks.watchers                     # 100 clients on 20 live runs, 5 turns of 10 s
    python -m tests.benchmarks.watchers --clients 20

Printed: processor time of the web process for an answer and as a share of the cores, and how long answers took. To
compare two versions of the code, run both in turns, as other work on the machine changes every figure.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from jobs.store.store import Store
from tests.benchmarks.pool import CORES
from tests.browser.conftest import Site
from tests.browser.puppet import Puppet

LIVE = 20
STARTING_S = 2.0
"""All clients have asked for the first time by then."""
QUESTION_HEAD = b"POST /api/feed HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"


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


@contextmanager
def crowd(port: int, runs: list[str], clients: int, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A process whose clients `watch` for `seconds`, from the start of the block on; its output is how long each answer
    took, as JSON."""
    command = [sys.executable, "-m", "tests.benchmarks.watchers", "--watch", str(port), "--clients", str(clients)]
    command += ["--seconds", str(seconds), "--live", *runs]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        yield process


@contextmanager
def live_runs(store: Store) -> Iterator[list[str]]:
    """LIVE runs that go on meanwhile, a hundredth of their way in a second and never to the end."""
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
    try:
        yield live
    finally:
        stop.set()
        thread.join()


def used_s(pid: int) -> float:
    """Processor time of the threads of a process, by the scheduler's clock: the ticks of /proc/PID/stat miss much of
    what lasts less than a tick."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def settle(pid: int) -> None:
    """Wait until the web process has done what it does ahead after its start."""
    before = -1.0
    while (now := used_s(pid)) - before > 0.05:
        before = now
        time.sleep(1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--watch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--live", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.watch:
        print("ready", flush=True)
        took = asyncio.run(watch(arguments.watch, arguments.live, arguments.clients, arguments.seconds))
        print(json.dumps(took))
        return
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data", embedded_worker=False)
        site.start()
        store = site.store()
        assert site.process
        pid, shares, answers = site.process.pid, [], []
        try:
            settle(pid)
            with live_runs(store) as live:
                for turn in range(arguments.turns):
                    with crowd(site.port, live, arguments.clients, STARTING_S + arguments.seconds) as process:
                        time.sleep(STARTING_S)
                        began, used = time.monotonic(), used_s(pid)
                        time.sleep(arguments.seconds - 1)
                        shares.append((used_s(pid) - used) / (time.monotonic() - began) / CORES)
                        out, _ = process.communicate()
                    took = sorted(json.loads(out))
                    answers += took
                    print(f"turn {turn + 1}: {100 * shares[-1]:.1f}% of the cores, {len(took)} answers", flush=True)
        finally:
            site.stop()
            store.close()
    answers.sort()
    share = statistics.median(shares)
    print(f"{'the web process takes of the cores':<52} {100 * share:.1f}%")
    print(f"{'that is for an answer':<52} {1e3 * share * CORES / arguments.clients:.2f} ms")
    print(f"{'an answer came after, p50':<52} {1e3 * statistics.median(answers):.1f} ms")
    print(f"{'p95':<52} {1e3 * answers[int(0.95 * len(answers))]:.1f} ms")


if __name__ == "__main__":
    main()
