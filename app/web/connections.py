"""The bounds of a connection, which hold before the application sees a request and without a proxy.

uvicorn's fast parser (httptools) has no limits of its own: it collects a header line piece by piece, so that an endless
one costs time by the square of its length, and it waits for ever. Here a head has a size and a deadline, a request has
a deadline, what stands around a body is bounded, and there are only so many connections. tests/faults/README.md has the
measurements of this and of other servers.
"""

from __future__ import annotations

import asyncio
import itertools
import resource
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 48 * 1024
"""The most bytes of a request's line and headers. An address of a comparison of 200 runs has 9 KB."""
MAX_FIELDS = 100
MAX_AROUND = 64 * 1024
"""The most bytes around a body (lengths of its pieces, trailers), beyond AROUND times the body itself."""
AROUND = 8
MAX_WAITING = 8
"""How many requests may wait on one connection behind the one that is being answered."""
HEAD_WITHIN_S = 10.0
REQUEST_WITHIN_S = 30.0
LINGER_S = 2.0
"""How long a client whose request was answered before its end may go on sending, so that it reads the answer."""
UNREAD_S = 60.0
"""How long a client may leave an answer unread."""
MAX_CONNECTIONS = 1000
TURNS = itertools.count()
"""Tells who has waited longer; the event loop's clock has the same time for all that comes within a millisecond."""


def connections_allowed() -> int:
    """How many connections this process can hold: half of the files that it may open, MAX_CONNECTIONS at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * MAX_CONNECTIONS
    if 0 <= soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MAX_CONNECTIONS if soft < 0 else min(MAX_CONNECTIONS, soft // 2)


class Bounded(HttpToolsProtocol):
    """One connection. `headers` are those of its refusals; `allowed` is how many connections there may be."""

    headers_of_refusals: ClassVar[Mapping[str, str]] = {}
    allowed: ClassVar[int] = MAX_CONNECTIONS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._in_head, self._in_body, self._over = False, False, False
        self._received, self._body = 0, 0
        self._since = next(TURNS)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._within(HEAD_WITHIN_S)
        if len(self.connections) > self.allowed:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._over = True
        self._within(None)
        self._stop_unread()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        if not self._in_head and not self._in_body and self._idle:
            self._since = next(TURNS)
            self._within(HEAD_WITHIN_S)
        self._received += len(data) if self._in_head or self._in_body else 0
        super().data_received(data)
        if self._over or self.parser is None:
            return
        if self._in_head and self._received > MAX_HEAD:
            self._refuse(431, f"the address and the headers are larger than {MAX_HEAD // 1024} KB")
        elif self._in_body and self._received > MAX_AROUND + AROUND * self._body:
            self._refuse(400, "the body has too many extensions or trailers")

    def on_message_begin(self) -> None:
        self._in_head, self._received = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._over:
            return
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MAX_HEAD or len(self.headers) > MAX_FIELDS:
            self._refuse(431, f"the address and the headers are larger than {MAX_HEAD // 1024} KB, or too many")
            return
        if len(self.pipeline) >= MAX_WAITING:
            self._close_now()
            return
        self._in_body, self._received, self._body = True, 0, 0
        self._within(REQUEST_WITHIN_S)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        if not self._over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_head, self._in_body = False, False
        if not self._over:
            self._within(None)
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._since = next(TURNS)
        if self._in_body and self._idle:
            self._within(LINGER_S)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_unread()
        self._unread = self.loop.call_later(UNREAD_S, self._close_now)

    def resume_writing(self) -> None:
        self._stop_unread()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "the request is not valid HTTP")

    @property
    def _idle(self) -> bool:
        """Whether no answer is under way."""
        return self.cycle is None or self.cycle.response_complete

    def _within(self, seconds: float | None) -> None:
        """End the connection after `seconds` unless the next step of the request comes before; None: never."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._give_up)

    def _stop_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _give_up(self) -> None:
        if self._in_head:
            self._refuse(408, f"the headers did not arrive within {HEAD_WITHIN_S:g} s")
        elif self._idle:
            self._over = True
            self.transport.close()
        else:
            self._close_now()

    def _close_now(self) -> None:
        self._over = True
        self.transport.abort()

    def _refuse(self, status: int, detail: str) -> None:
        """Answer in our form and close; only close where another answer is under way."""
        if self._over:
            return
        self._over = True
        self._within(None)
        if self._idle:
            body = orjson.dumps({"detail": detail})
            headers = {
                **self.headers_of_refusals,
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                "Connection": "close",
            }
            lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{k}: {v}" for k, v in headers.items())]
            self.transport.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        self.transport.close()

    def _make_room(self) -> None:
        """Close the connection that has waited longest without a request; this one, where all are being answered."""
        others = (other for other in self.connections if other is not self)
        waiting = [other for other in others if isinstance(other, Bounded) and other._idle and not other._in_body]
        oldest = min(waiting, key=lambda other: other._since, default=None)
        if oldest is None:
            self._refuse(429, "too many connections are open; please try again in a moment")
        else:
            oldest._close_now()
