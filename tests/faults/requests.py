"""Attacks by requests on a running server: what each does to the others, before a change and now.

    python -m tests.faults.requests                       # this checkout
    python -m tests.faults.requests --before DIR          # and another checkout beside it
    python -m tests.faults.requests --database postgresql://...   # of its own; the attacks write to it
    python -m tests.faults.requests --only header,spec --json requests.json

Each attack runs against a server without a worker, on loopback, within bounds. `wait`: the longest that somebody else
waited for /healthz meanwhile, over a new connection; `cpu`: seconds of the processor that the server took; `rss`: by
how many MB its memory grew; `5xx`: how many answers were an error of the server's. Printed: attack, n, before, now.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import socket

from tests.faults.payloads import (
    CONTENTS,
    JSON_ROUTES,
    NESTED,
    ODD_ADDRESSES,
    ODD_TEXTS,
    ROOT,
    SPEC,
    flat_text,
    many_errors,
    many_tensors,
)
from tests.faults.server import PATIENCE_S, Server, serving

SILENT_S = 13.0
PIECE = b"a" * 65536


@contextmanager
def watched(server: Server) -> Iterator[Counter[str]]:
    """Ask for /healthz all the time; afterwards the counter has `wait` (ms), `cpu` (ms) and `rss` (MB)."""
    found: Counter[str] = Counter()
    stop = threading.Event()

    def honest() -> None:
        while not stop.is_set():
            began = time.monotonic()
            if server.ask("GET", "/healthz") != 200:
                found["refused"] += 1
            found["wait"] = max(found["wait"], int(1000 * (time.monotonic() - began)))
            time.sleep(0.02)

    cpu, rss, thread = server.cpu_s(), server.rss_mb(), threading.Thread(target=honest)
    thread.start()
    try:
        yield found
        time.sleep(0.3)
    finally:
        stop.set()
        thread.join()
        found["cpu"] = int(1000 * (server.cpu_s() - cpu))
        found["rss"] = max(0, int(server.rss_mb() - rss))


def told(found: Counter[str], statuses: Counter[int] | None = None, more: str = "") -> str:
    parts = [f"wait {found['wait'] / 1000:.2f} s", f"cpu {found['cpu'] / 1000:.1f} s", f"rss +{found['rss']}"]
    if found["refused"]:
        parts.append(f"{found['refused']} of the others refused")
    if statuses:
        parts.append(f"5xx {sum(n for status, n in statuses.items() if status >= 500)}")
        parts.append(", ".join(f"{n} × {status or 'cut'}" for status, n in sorted(statuses.items())))
    return "; ".join([*parts, more] if more else parts)


Ask = tuple[str, str, bytes | None, dict[str, str]]


def storm(server: Server, asks: list[Ask], at_once: int = 45) -> str:
    """Ask all of it, `at_once` at a time."""
    with watched(server) as found, ThreadPoolExecutor(at_once) as pool:
        statuses = Counter(pool.map(lambda ask: server.ask(*ask), asks))
    return told(found, statuses)


def endless(server: Server, head: bytes, piece: bytes, most: int = 30 << 20) -> str:
    """Send `piece` after `head` again and again until the server ends the connection, or `most` bytes."""
    sent, began = 0, time.monotonic()
    with watched(server) as found, server.open(head) as connection:
        try:
            while sent < most and time.monotonic() - began < PATIENCE_S:
                connection.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        while time.monotonic() - began < PATIENCE_S:  # until the server has worked through it
            before = server.cpu_s()
            time.sleep(0.3)
            if server.cpu_s() - before < 0.15:
                break
    return told(found, more=f"{sent / 2**20:.1f} MB taken")


def is_open(connection: socket) -> bool:
    connection.settimeout(0.01)
    try:
        while connection.recv(4096):
            pass
    except TimeoutError:
        return True
    except OSError:
        pass
    return False


def waiting(server: Server, heads: list[bytes]) -> str:
    """Open a connection for each of `heads`, and count those that are still open after SILENT_S."""
    with watched(server) as found:
        connections = [server.open(head) for head in heads]
        time.sleep(SILENT_S)
        alive = sum(map(is_open, connections))
        for connection in connections:
            connection.close()
    return told(found, more=f"{alive} open after {SILENT_S:g} s")


def held_uploads(server: Server) -> str:
    head = b"POST /api/starts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % (8 << 20)
    with watched(server) as found:
        connections = [server.open(head) for _ in range(40)]
        for connection in connections:
            with suppress(OSError):
                connection.sendall(b"x" * ((8 << 20) - 1))
        time.sleep(1.0)
        peak = server.rss_mb()
        for connection in connections:
            connection.close()
    return told(found, more=f"{peak:.0f} MB in all")


def posts(path: str, bodies: list[bytes]) -> list[Ask]:
    return [("POST", path, body, {"Content-Type": "application/json"}) for body in bodies]


def gets(*paths: str, method: str = "GET", **headers: str) -> list[Ask]:
    return [(method, path, None, {name.replace("_", "-"): value for name, value in headers.items()}) for path in paths]


CHUNKED = b"POST /api/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n1"
REAL = ("/", "/runs", "/healthz", "/api/runs", "/api/docs", "/static/site.css")
COSTLY = (
    *("/api/studies", "/api/runs?limit=200", "/api/compare?state=queued", "/api/compare/shell?state=queued"),
    *("/api/card.png?state=queued", "/api/experiments"),
)
PAGES = ("/run?id=NoSuchRun12345", "/run?id=%3Cb%3E", "/surgery?run=NoSuchRun12345")
Attack = Callable[[Server], str]
ATTACKS: dict[str, tuple[str, int, Attack]] = {
    "spec": ("16 KB of YAML", 45, lambda s: storm(s, posts("/api/spec", [flat_text(16_000)] * 45))),
    "small-spec": ("7 KB of YAML", 45, lambda s: storm(s, posts("/api/spec", [flat_text(7_000)] * 45))),
    "header": ("endless header line", 1, lambda s: endless(s, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", PIECE)),
    "headers": (
        "endless header lines",
        1,
        lambda s: endless(s, b"GET / HTTP/1.1\r\nHost: a\r\n", b"a: b\r\n" * 10_000),
    ),
    "address": ("endless address", 1, lambda s: endless(s, b"GET /", PIECE)),
    "extension": ("endless chunk extension", 1, lambda s: endless(s, CHUNKED + b";", PIECE)),
    "trailer": ("endless trailer", 1, lambda s: endless(s, CHUNKED + b"\r\nx\r\n0\r\nX: ", PIECE)),
    "silent": ("silent connections", 100, lambda s: waiting(s, [b""] * 100)),
    "half": ("half heads", 100, lambda s: waiting(s, [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"] * 100)),
    "many": ("silent connections at once", 1300, lambda s: waiting(s, [b""] * 1300)),
    "uploads": ("held uploads of 8 MB", 40, held_uploads),
    "nested": (
        "JSON nested 1000 deep",
        len(JSON_ROUTES),
        lambda s: storm(s, [ask for route in JSON_ROUTES for ask in posts(route, [NESTED])]),
    ),
    "yaml": ("YAML that is none", len(ODD_TEXTS), lambda s: storm(s, posts("/api/spec", ODD_TEXTS))),
    "addresses": ("odd addresses", len(ODD_ADDRESSES), lambda s: storm(s, gets(*ODD_ADDRESSES))),
    "errors": ("specs with 60,000 errors", 4, lambda s: storm(s, posts("/api/runs", [many_errors()] * 4))),
    "tensors": ("uploads of 49,999 tensors", 3, lambda s: storm(s, posts("/api/starts", [many_tensors(49_999)] * 3))),
    "previews": ("previews of made-up folders", len(CONTENTS), lambda s: storm(s, posts("/api/preview", CONTENTS), 4)),
    "deep": (
        "previews of the deepest networks",
        100,
        lambda s: storm(
            s,
            posts(
                "/api/preview",
                [
                    json.dumps({**SPEC, "architecture": f"resnet-{1202 - 6 * i}", "dataset": "cifar-10"}).encode()
                    for i in range(100)
                ],
            ),
            4,
        ),
    ),
    "costly": (
        "lists, studies, pictures and comparisons",
        300,
        lambda s: storm(s, gets(*COSTLY * 50), 150),
    ),
    "launch": ("runs of 2·10¹¹ steps", 1, lambda s: storm(s, posts("/api/runs", CONTENTS[-1:]))),
    "rebound": ("a rebound name", 4, lambda s: storm(s, gets(*REAL[:4], Host="rebind.example:7860"))),
    "head": ("HEAD", len(REAL), lambda s: storm(s, gets(*REAL, method="HEAD"))),
    "unknown": ("pages of unknown runs", len(PAGES), lambda s: storm(s, gets(*PAGES, Accept="text/html"))),
}


def measured(root: Path, names: list[str], database: str | None) -> dict[str, str]:
    """What each attack did, and the size of the log at the end."""
    results = {}
    with serving(root, database) as server:
        for name in names:
            results[name] = ATTACKS[name][2](server)
            print(f"  {name}: {results[name]}", file=sys.stderr, flush=True)
        results["log"] = f"{server.log.stat().st_size / 1024:.0f} KB"
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, help="another checkout, to compare with")
    parser.add_argument("--database", help="URL of a PostgreSQL database that may be filled")
    parser.add_argument("--only", default=",".join(ATTACKS), help="names of attacks, with commas")
    parser.add_argument("--json", type=Path, help="also write the results here")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    before = measured(arguments.before, names, arguments.database) if arguments.before else {}
    now = measured(ROOT, names, arguments.database)
    print("| attack | n | before | now |\n|---|---|---|---|")
    for name in names:
        title, n, _ = ATTACKS[name]
        print(f"| {title} | {n} | {before.get(name, '–')} | {now[name]} |")
    print(f"| the server's log after all that | | {before.get('log', '–')} | {now['log']} |")
    if arguments.json:
        arguments.json.write_text(json.dumps({"before": before, "now": now}, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
