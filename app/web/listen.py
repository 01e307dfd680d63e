"""The HTTP server: its socket, uvicorn on it, and what it logs. Knows nothing about the application."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import time
from collections.abc import Callable, Mapping

import uvicorn
from starlette.types import ASGIApp

from app.web.connections import Bounded, connections_allowed

LOG = "%(levelname)s %(name)s: %(message)s"
DRAIN_S = 1
"""Seconds that responses in progress get at shutdown; then the server cuts open streams."""


TIMES_A_MINUTE, KINDS_A_MINUTE = 3, 200
AT_WILL = ("Invalid HTTP request", "Unsupported upgrade request", "No supported WebSocket library")
"""The starts of warnings of uvicorn's that any visitor can bring about."""


class PortTaken(OSError):
    """The server cannot listen there; the message says what to do."""


def listen(host: str, port: int) -> socket.socket:
    """The server's socket. It listens at once, so if two servers start together, one fails here.

    Raises PortTaken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Name TCP: asyncio disables Nagle's algorithm (a delay of 40 ms per response) only for sockets that name it.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # so a restart need not wait for old connections
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"port {port} is in use: stop the other program or set ONLYBN_PORT") from error
        raise PortTaken(
            f"cannot listen on {host} port {port} ({error.strerror or error}): set ONLYBN_HOST and ONLYBN_PORT"
        ) from error
    return listener


def run(app: ASGIApp, listener: socket.socket, ready: Callable[[], None], headers: Mapping[str, str]) -> None:
    """Serve `app` until SIGINT or SIGTERM, then raise KeyboardInterrupt. Calls `ready` once the server answers.

    `headers`: those of refusals that the application never sees.
    """
    logging.basicConfig(format=LOG, level=logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    for handler in logging.getLogger().handlers:
        handler.addFilter(Sparing())
    protocol = type("Serving", (Bounded,), {"headers_of_refusals": headers, "allowed": connections_allowed()})
    config = uvicorn.Config(
        app,
        http=protocol,
        log_config=None,
        access_log=False,
        ws="none",
        proxy_headers=False,  # anyone can send X-Forwarded-For
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=DRAIN_S,
    )
    _Server(config, ready).run([listener])


class _Server(uvicorn.Server):
    """A uvicorn server that calls `ready` once it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


class Sparing:
    """A filter that lets each kind of record through a few times a minute, so that no visitor can fill the log.

    Records are of one kind that have the same text before its arguments, or the same place in the code for an
    exception.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._minute = clock, 0
        self._seen: dict[object, int] = {}

    def __call__(self, record: logging.LogRecord) -> bool:
        if (minute := int(self._clock() // 60)) != self._minute:
            self._minute, self._seen = minute, {}
        kind = (record.name, _place(record) or record.msg)
        known = kind if kind in self._seen or len(self._seen) < KINDS_A_MINUTE else None
        self._seen[known] = self._seen.get(known, 0) + 1
        return self._seen[known] <= TIMES_A_MINUTE


def _place(record: logging.LogRecord) -> tuple[str, int] | None:
    """Where the exception of a record was raised."""
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace else None


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a log record is worth printing. Streams cut at shutdown are no errors, but each logs a stack trace.

    A second Ctrl-C, which cancels the shutdown, is no error either; Starlette passes its trace to uvicorn as text.
    """
    cut = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
    ended = record.msg.startswith("Traceback") and record.msg.rstrip().endswith("asyncio.exceptions.CancelledError")
    at_will = record.msg.startswith(AT_WILL)
    return not cut and not ended and not at_will and "timeout graceful shutdown exceeded" not in record.msg
