"""Which HTTP server can stand in the open without a proxy: each before an application that does nothing, attacked.

    python -m tests.benchmarks.servers                          # ours, and uvicorn with either of its parsers
    python -m tests.benchmarks.servers granian hypercorn        # after pip install granian hypercorn

Printed: processor time of a request like those for the feed, how long others waited during each attack and how much
the server took, and how many of 40 silent and half connections are open after 14 s.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import Any

from tests.faults.payloads import ROOT
from tests.faults.requests import CHUNKED, PIECE, endless, waiting
from tests.faults.server import Server, free_port

OURS = ("ours", "httptools", "h11")
OTHERS = ("granian", "hypercorn")
APPLICATION = "tests.benchmarks.servers:answer"
ASKED, TURNS = 900, 5
"""Hypercorn ends a connection after 1,000 requests."""
BODY = b"x" * 60
FEED = (
    b"POST /api/feed HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nContent-Type: application/json\r\n"
    b"Origin: http://127.0.0.1:7860\r\nReferer: http://127.0.0.1:7860/run?id=abcdefghij\r\nContent-Length: 60\r\n\r\n"
) + BODY
ANSWER = b"y" * 300
MOST = 40 << 20


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that reads a body of at most 256 KB and answers 300 bytes."""
    if scope["type"] == "lifespan":
        for _ in range(2):
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
        return
    size, more = 0, scope["method"] == "POST"
    while more and size < 256 * 1024:
        message = await receive()
        if message["type"] != "http.request":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


def serve(name: str, port: int) -> None:
    """Serve `answer` by the server called `name`, with the limits that it has."""
    if name == "granian":
        import granian
        from granian.constants import HTTPModes, Interfaces
        from granian.http import HTTP1Settings

        limits = HTTP1Settings(header_read_timeout=10_000, max_buffer_size=65536)
        granian.Granian(
            APPLICATION, port=port, interface=Interfaces.ASGI, http=HTTPModes.http1, http1_settings=limits
        ).serve()
    elif name == "hypercorn":
        from hypercorn.asyncio import serve as serving
        from hypercorn.config import Config

        config = Config()
        config.bind = [f"127.0.0.1:{port}"]
        asyncio.run(serving(answer, config))
    else:
        import uvicorn

        from app.web.connections import Bounded

        parser: Any = Bounded if name == "ours" else name
        limit = {"h11_max_incomplete_event_size": 48 * 1024} if name == "h11" else {}
        uvicorn.run(answer, port=port, http=parser, log_level="critical", access_log=False, ws="none", **limit)


@contextmanager
def running(name: str) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.servers", "--serve", name, "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        server = Server(port, process.pid, Path("/dev/null"))
        try:
            until = time.monotonic() + 30
            while server.ask("GET", "/healthz") != 200:
                if time.monotonic() > until:
                    raise RuntimeError(f"{name} does not answer; is it installed?")
                time.sleep(0.1)
            yield server
        finally:
            process.terminate()


def one_request_ms(server: Server) -> float:
    """Processor time of a request over a connection that stays open, the best of some turns."""
    best = float("inf")
    for _ in range(TURNS + 1):  # the first warms up
        with server.open() as connection:
            before = _scheduled_s(server.pid)
            for _ in range(ASKED):
                _exchange(connection)
            best = min(best, (_scheduled_s(server.pid) - before) / ASKED)
    return 1000 * best


def _scheduled_s(pid: int) -> float:
    """Processor time of a process and its children by the scheduler's clock, which ticks do not round."""
    threads = list(Path(f"/proc/{pid}/task").iterdir())
    children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    own = sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
    return own + sum(map(_scheduled_s, children))


def _exchange(connection: socket) -> None:
    connection.sendall(FEED)
    got = b""
    while not got.endswith(ANSWER):
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("the server ended the connection")
        got += piece


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("servers", nargs="*", metavar="NAME", help=", ".join((*OURS, *OTHERS)))
    parser.add_argument("--serve", choices=(*OURS, *OTHERS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.port)
        return
    for name in arguments.servers or OURS:
        with running(name) as server:
            print(f"{name}: {one_request_ms(server):.3f} ms a request", flush=True)
            head = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            for title, start, piece in (
                ("endless header line", head + b"X: ", PIECE),
                ("endless header lines", head, b"a: b\r\n" * 10_000),
                ("endless address", b"GET /", PIECE),
                ("endless chunk extension", CHUNKED + b";", PIECE),
                ("endless trailer", CHUNKED + b"\r\nx\r\n0\r\nX: ", PIECE),
            ):
                print(f"  {title}: {endless(server, start, piece, MOST)}", flush=True)
            print(f"  silent and half heads: {waiting(server, [b''] * 20 + [head] * 20)}", flush=True)


if __name__ == "__main__":
    main()
