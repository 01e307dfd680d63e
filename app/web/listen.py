"""The HTTP server: its socket, and uvicorn on it. Knows nothing about the application."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

LOG = "%(levelname)s %(name)s: %(message)s"
DRAIN_S = 1
"""Seconds that responses in progress get at shutdown; then the server cuts open streams."""


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


def run(app: ASGIApp, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve `app` until SIGINT or SIGTERM, then raise KeyboardInterrupt. Calls `ready` once the server answers."""
    logging.basicConfig(format=LOG, level=logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    config = uvicorn.Config(
        app,
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


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a log record is worth printing. Streams cut at shutdown are no errors, but each logs a stack trace.

    A second Ctrl-C, which cancels the shutdown, is no error either; Starlette passes its trace to uvicorn as text.
    """
    cut = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
    ended = record.msg.startswith("Traceback") and record.msg.rstrip().endswith("asyncio.exceptions.CancelledError")
    return not cut and not ended and "timeout graceful shutdown exceeded" not in record.msg
