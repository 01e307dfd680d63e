"""What a class in a room costs the web process: thirty members with a run each, and their pages, behind one address.

    python -m tests.benchmarks.rooms                    # 30 pages, 30 live runs, 30 s, then 5 reloads of all at once
    python -m tests.benchmarks.rooms --pages 100 --live 2

Each page asks as static/pages/room and the chart in it do: the room every 3 s, the list of its runs every 10 s, and
once a second what is new of the runs. Printed for each of the three: how long answers took, their bytes, how many were
refused, how many had nothing new; and the share of the cores that the web process took. It listens on loopback only
and stops by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from tests.benchmarks.pool import CORES
from tests.benchmarks.watchers import STARTING_S, settle, used_s
from tests.browser.conftest import Site
from tests.browser.puppet import SPEC, Puppet

ROOM_S, LIST_S, FEED_S = 3.0, 10.0, 1.0
ASKED = 20
"""Runs in one question to the feed, as static/server/feed.js has it."""
BURSTS, BURST_EVERY_S = 5, 3.0
HEAD = "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nX-Visitor-Token: {token}\r\n"
Taken = tuple[str, float, int, int]
"""What was asked for, seconds until the answer was there, its bytes with their head, its status."""


class Page:
    """One open page, with a connection for each of its loops, as a browser has them."""

    def __init__(self, port: int, room: str, number: int, taken: list[Taken]) -> None:
        self.port, self.room, self.token, self.taken = port, room, f"{number:024d}", taken
        self.cursors: dict[str, dict[str, int]] = {}
        self.tags: dict[str, str] = {}
        self.lines: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    async def ask(self, what: str, path: str, body: object = None) -> Any:
        """The answer as JSON; None if it was refused, or had nothing new."""
        if what not in self.lines:
            self.lines[what] = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.lines[what]
        head = HEAD.format(method="GET" if body is None else "POST", path=path, token=self.token)
        if body is None and path in self.tags:
            head += f"If-None-Match: {self.tags[path]}\r\n"
        content = b"" if body is None else orjson.dumps(body)
        began = time.perf_counter()
        writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        said = await reader.readuntil(b"\r\n\r\n")
        pairs = (line.partition(": ") for line in said.decode("latin-1").split("\r\n")[1:] if line)
        lines = {name.lower(): value for name, _, value in pairs}
        status = int(said.split()[1])
        length = 0 if status == 304 else int(lines["content-length"])
        answer = await reader.readexactly(length)
        self.taken.append((what, time.perf_counter() - began, len(said) + length, status))
        if status != 200:
            return None
        if "etag" in lines:
            self.tags[path] = lines["etag"]
        return orjson.loads(gzip.decompress(answer) if lines.get("content-encoding") == "gzip" else answer)

    async def look(self) -> None:
        await self.ask("room", f"/api/rooms/{self.room}")

    async def list(self) -> None:
        said = await self.ask("list", f"/api/compare?room={self.room}&group=run&embed=1&figure=curves")
        for run in said["runs"] if said else ():
            self.cursors.setdefault(run["id"], {"points": 0})

    async def follow(self) -> None:
        runs = list(self.cursors)
        for first in range(0, len(runs), ASKED):
            question = {run: self.cursors[run] for run in runs[first : first + ASKED]}
            said = await self.ask("feed", "/api/feed", {"runs": question, "layer": None})
            for run, delta in (said["runs"] if said else {}).items():
                self.cursors[run] = {"points": delta["cursor"]["points"]}


async def every(seconds: float, act: Any, until: float) -> None:
    while (began := time.monotonic()) < until:
        await act()
        await asyncio.sleep(max(0.0, seconds - (time.monotonic() - began)))


async def visit(port: int, room: str, pages: int, seconds: float, at_once: bool) -> list[Taken]:
    """`pages` that come within a second and stay, or, `at_once`, that load together a few times."""
    taken: list[Taken] = []

    async def one(number: int) -> None:
        page = Page(port, room, number, taken)
        if at_once:
            for burst in range(BURSTS):
                await asyncio.sleep(max(0.0, began + burst * BURST_EVERY_S - time.monotonic()))
                page.tags, page.cursors = {}, {}  # the page is loaded anew
                await asyncio.gather(page.look(), page.list())
                await page.follow()
            return
        await asyncio.sleep(number / pages)
        until = time.monotonic() + seconds
        loops = ((ROOM_S, page.look), (LIST_S, page.list), (FEED_S, page.follow))
        await asyncio.gather(*(every(pause_s, act, until) for pause_s, act in loops))

    began = time.monotonic()
    await asyncio.gather(*(one(number) for number in range(pages)))
    return taken


def call(site: Site, path: str, body: object, number: int) -> Any:
    """The answer to member `number`."""
    headers = {"content-type": "application/json", "X-Visitor-Token": f"{number:024d}"}
    request = urllib.request.Request(site.url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def launch_at_once(site: Site, room: str, members: int) -> None:
    """Everybody launches a run at the same moment, and again where that was refused. Prints how that went."""

    def launch(number: int) -> tuple[int, float]:
        spec = {**SPEC, "replicate": number, "epochs": 100, "name": f"Member {number}: a run"}
        refused, began = 0, time.perf_counter()
        while True:
            try:
                call(site, f"/api/runs?room={room}", spec, number)
                return refused, time.perf_counter() - began
            except urllib.error.HTTPError as error:
                assert error.code == 429, error
                refused += 1
                time.sleep(0.5)

    with ThreadPoolExecutor(members) as pool:
        done = list(pool.map(launch, range(members)))
    took = sorted(seconds for _, seconds in done)
    print(f"{members} launches at once: {sum(refused for refused, _ in done)} refused, the last after {took[-1]:.1f} s")


@contextmanager
def classroom(site: Site, members: int, live: int) -> Iterator[str]:
    """A room whose members each have a run. `live` of these go on meanwhile; of the others half have finished."""
    store = site.store()
    puppet, going = Puppet(store), []
    room: str = call(site, "/api/rooms", {"title": "Course"}, 0)["id"]
    for number in range(members):
        call(site, f"/api/rooms/{room}/join", {"nickname": f"Member {number}"}, number)
    launch_at_once(site, room, members)
    for number in range((live + members + 1) // 2):  # the rest waits
        run = store.claims.take(puppet.identity.name)
        assert run is not None
        puppet.begin(run)
        if number < live:
            going.append(run.id)
        else:
            puppet.finish(run.id)
    stop = threading.Event()

    def advance() -> None:
        share = 0.0
        while not stop.wait(1.0):
            share = min(0.99, share + 0.01)
            for run_id in going:
                puppet.advance(run_id, share)

    thread = threading.Thread(target=advance)
    thread.start()
    try:
        yield room
    finally:
        stop.set()
        thread.join()
        store.close()


def measure(site: Site, room: str, pages: int, seconds: float, *, at_once: bool) -> tuple[list[Taken], float]:
    """What the pages got, and the share of the cores that the web process took meanwhile."""
    assert site.process
    command = [sys.executable, "-m", "tests.benchmarks.rooms", "--visit", str(site.port), "--room", room]
    command += ["--pages", str(pages), "--seconds", str(seconds), *(["--at-once"] if at_once else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        time.sleep(STARTING_S)
        began, used = time.monotonic(), used_s(site.process.pid)
        time.sleep((BURSTS - 1) * BURST_EVERY_S - STARTING_S if at_once else seconds - STARTING_S - 1)
        share = (used_s(site.process.pid) - used) / (time.monotonic() - began) / CORES
        out, _ = process.communicate(timeout=seconds + 60)
    return [tuple(one) for one in json.loads(out)], share


def show(title: str, taken: list[Taken], share: float) -> None:
    print(f"{title}: the web process takes {100 * share:.1f}% of the cores")
    print(f"  {'':<6}{'asked':>7}{'refused':>9}{'nothing new':>13}{'p50 ms':>8}{'p95 ms':>8}{'bytes':>8}")
    for what in ("room", "list", "feed"):
        mine = [one for one in taken if one[0] == what]
        took = sorted(seconds for _, seconds, _, status in mine if status in (200, 304)) or [0.0]
        refused, nothing = (sum(status == which for *_, status in mine) for which in (429, 304))
        size = sum(size for *_, size, _ in mine) / max(1, len(mine))
        p50, p95 = 1000 * took[len(took) // 2], 1000 * took[int(0.95 * len(took))]
        print(f"  {what:<6}{len(mine):>7}{refused:>9}{nothing:>13}{p50:>8.1f}{p95:>8.1f}{size:>8.0f}")
    strange = {status for *_, status in taken} - {200, 304, 429}
    assert not strange, strange


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=30, help="members, and as many open pages")
    parser.add_argument("--live", type=int, default=30, help="runs that go on at once")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--visit", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--room", help=argparse.SUPPRESS)
    parser.add_argument("--at-once", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    pages, seconds = arguments.pages, min(arguments.seconds, 120.0)
    if arguments.visit:
        print("ready", flush=True)
        taken = asyncio.run(visit(arguments.visit, arguments.room, pages, seconds, arguments.at_once))
        print(json.dumps(taken))
        return
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data", embedded_worker=False)
        site.start()
        try:
            assert site.process
            settle(site.process.pid)
            with classroom(site, pages, arguments.live) as room:
                show(f"{pages} pages", *measure(site, room, pages, seconds, at_once=False))
                show(f"{pages} pages loaded at once", *measure(site, room, pages, seconds, at_once=True))
        finally:
            site.stop()


if __name__ == "__main__":
    main()
