"""A connection's bounds, against a real server on a socket: no head, body or silence can hold it up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.web import connections
from app.web.connections import Bounded
from app.web.listen import listen

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1"
Open = Callable[..., socket.socket]


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())} bytes")


async def early(request: Request) -> PlainTextResponse:
    return PlainTextResponse("no need to read on", 413)


@pytest.fixture
def open_one(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens connections to a server whose deadlines are short and which allows six connections."""
    for name, value in {"HEAD_WITHIN_S": 0.5, "REQUEST_WITHIN_S": 0.8, "LINGER_S": 0.3}.items():
        monkeypatch.setattr(connections, name, value)
    protocol = type("Serving", (Bounded,), {"headers_of_refusals": {"X-Ours": "yes"}, "allowed": 6})
    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"]), Route("/early", early, methods=["POST"])])
    config = uvicorn.Config(app, http=protocol, log_config=None, access_log=False, ws="none", lifespan="off")
    listener = listen("127.0.0.1", 0)
    port, server = listener.getsockname()[1], uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    opened: list[socket.socket] = []

    def open_one(head: bytes = b"") -> socket.socket:
        opened.append(socket.create_connection(("127.0.0.1", port), timeout=10))
        opened[-1].sendall(head)
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()
    server.should_exit = True
    thread.join()
    listener.close()


def answered(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    got = b""
    try:
        while piece := connection.recv(65536):
            got += piece
    except ConnectionError:
        pass
    return got


def poured(connection: socket.socket, piece: bytes, most: int = 20 << 20) -> int:
    """How many bytes the server took before it ended the connection."""
    sent = 0
    try:
        while sent < most:
            connection.sendall(piece)
            sent += len(piece)
    except OSError:
        pass
    return sent


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"a" * 65536),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"a: b\r\n" * 10_000),
        (b"GET /", b"a" * 65536),
        (CHUNKED + b";", b"a" * 65536),
        (CHUNKED + b"\r\nx\r\n0\r\nX: ", b"a" * 65536),
        (CHUNKED + b"\r\nx\r\n0\r\n", b"a: b\r\n" * 10_000),
    ],
)
def test_what_has_no_end_is_cut(open_one: Open, head: bytes, piece: bytes) -> None:
    assert poured(open_one(head), piece) < 8 << 20
    assert b"0 bytes" in open_one(GET).recv(4096)


def test_a_large_head_is_refused_in_our_form(open_one: Open) -> None:
    said = answered(open_one(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 60_000 + b"\r\n\r\n"))
    assert said.startswith(b"HTTP/1.1 431 ") and b"X-Ours: yes" in said and b'{"detail":"' in said
    many = answered(open_one(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 200 + b"\r\n"))
    assert many.startswith(b"HTTP/1.1 431 ")


def test_what_is_not_http_is_refused_in_our_form(open_one: Open) -> None:
    for nonsense in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"CONNECT x HTTP/1.1\r\n\r\n"):
        said = answered(open_one(nonsense))
        assert said.startswith(b"HTTP/1.1 400 ") and b"not valid HTTP" in said, nonsense


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost: loc", CHUNKED])
def test_silence_ends(open_one: Open, head: bytes) -> None:
    began = time.monotonic()
    said = answered(open_one(head))
    assert 0.3 < time.monotonic() - began < 5
    assert (b" 408 " in said) is head.startswith(b"GET")


def test_a_head_may_not_come_letter_by_letter(open_one: Open) -> None:
    connection, began = open_one(), time.monotonic()
    with pytest.raises(OSError):
        for letter in GET * 100:
            connection.sendall(bytes([letter]))
            time.sleep(0.02)
    assert time.monotonic() - began < 5


def test_a_connection_serves_many_requests(open_one: Open) -> None:
    connection = open_one()
    for _ in range(20):
        connection.sendall(GET)
        assert b"0 bytes" in connection.recv(4096)
    connection.sendall(GET * 3)  # one after another without waiting
    time.sleep(0.2)
    assert connection.recv(65536).count(b"0 bytes") == 3
    body = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000
    connection.sendall(body)
    assert b"3000000 bytes" in connection.recv(4096)
    connection.sendall(CHUNKED + b"\r\nx\r\n" + b"1\r\ny\r\n" * 30_000 + b"0\r\n\r\n")
    assert b"30001 bytes" in connection.recv(4096)


def test_an_early_answer_reaches_who_still_sends(open_one: Open) -> None:
    connection = open_one(
        b"POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 100_000
    )
    assert b" 413 " in answered(connection)  # and then it is closed, although it has not sent everything


def test_a_flood_of_requests_on_one_connection_is_cut(open_one: Open) -> None:
    assert poured(open_one(), GET * 1000, 8 << 20) < 8 << 20
    assert b"0 bytes" in open_one(GET).recv(4096)


def test_who_waits_longest_makes_room(open_one: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_WITHIN_S", 10.0)  # silence alone ends none of them
    silent = [open_one() for _ in range(6)]
    time.sleep(0.1)
    assert b"0 bytes" in open_one(GET).recv(4096)
    silent[0].settimeout(5)
    assert answered(silent[0]) == b""  # the oldest has gone
    silent[5].sendall(GET)
    assert b"0 bytes" in silent[5].recv(4096)
