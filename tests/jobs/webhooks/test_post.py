"""Sending, to real receivers on loopback: the address is checked when it is known, and nothing else is connected to."""

from __future__ import annotations

import shutil
import ssl
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import anyio
import pytest

from jobs.webhooks import post as module
from jobs.webhooks.address import Reach
from jobs.webhooks.post import Undelivered, post
from tests.jobs.support import apart
from tests.jobs.webhooks.receiver import NAME, certificate, receiving

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")


def send(url: str, reach: Reach = "private", trust: ssl.SSLContext | None = None, limit_s: float = 5.0) -> None:
    async def go() -> None:
        await post(url, b'{"a": 1}', {"webhook-id": "msg_1"}, reach, trust=trust, limit_s=limit_s)

    apart(lambda: anyio.run(go))


def leads_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names lead to `answers`, one after another; the last one stays. Returns the names that were asked for."""
    asked: list[str] = []
    left = list(answers)

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(module, "resolve", resolve)
    return asked


def test_a_receiver_gets_the_message() -> None:
    with receiving() as receiver:
        send(receiver.url)
    ((headers, body, _),) = receiver.got
    assert body == b'{"a": 1}' and headers["webhook-id"] == "msg_1" and headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("OnlyBN/") and headers["host"] in receiver.url


@needs_openssl
def test_the_certificate_is_that_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to an address, and TLS still asks for the name."""
    server, client = certificate(tmp_path)
    leads_to(monkeypatch, ["127.0.0.1"])
    with receiving(server) as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        send(f"https://{NAME}:{port}/told", trust=client)
        assert [headers["host"] for headers, _, _ in receiver.got] == [f"{NAME}:{port}"]
        for url, trust in ((f"https://other.example.org:{port}/", client), (f"https://{NAME}:{port}/", None)):
            with pytest.raises(Undelivered, match="has no valid certificate"):
                send(url, trust=trust)
        assert len(receiver.got) == 1


PRIVATE = (
    ["127.0.0.1"],
    ["::1"],
    ["10.0.0.7"],
    ["192.168.1.1"],
    ["169.254.169.254"],
    ["100.64.0.1"],
    ["::ffff:127.0.0.1"],
    ["0.0.0.0"],
    ["93.184.215.14", "127.0.0.1"],
    ["127.0.0.1", "93.184.215.14"],
    [],
)


@pytest.mark.parametrize("addresses", PRIVATE, ids=" ".join)
def test_a_name_that_leads_into_the_own_network_is_refused(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bad address among good ones is enough. What cannot be found has the same words, and tells nothing."""
    leads_to(monkeypatch, addresses)
    with pytest.raises(Undelivered, match=r"^rebound\.example\.org has no address that this server may send to$"):
        send("https://rebound.example.org/", "public")


@pytest.mark.parametrize("host", ("2130706433", "0x7f000001", "017700000001", "127.1", "localhost", "localhost."))
def test_what_the_resolver_takes_for_this_machine_is_refused(host: str) -> None:
    """The rules of the URL refuse these before; the connection refuses them all the same, with the real resolver."""
    with receiving() as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        with pytest.raises(Undelivered, match="has no address that this server may send to"):
            send(f"https://{host}:{port}/", "public")
        assert receiver.got == []


def test_the_name_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere a moment later (DNS rebinding) changes nothing."""
    connected: list[str] = []

    class Noting(module.httpcore.AnyIOBackend):  # type: ignore[name-defined,misc]
        async def connect_tcp(self, host: str, *arguments: object, **options: object) -> object:
            connected.append(host)
            raise module.httpcore.ConnectError

    asked = leads_to(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    monkeypatch.setattr(module.httpcore, "AnyIOBackend", Noting)
    with pytest.raises(Undelivered, match="did not answer"):
        send("https://example.org/", "public")
    assert connected == ["93.184.215.14"] and asked == ["example.org."]


def test_a_connection_that_ended_elsewhere_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])

        class Diverted(module.httpcore.AnyIOBackend):  # type: ignore[name-defined,misc]
            async def connect_tcp(self, host: str, *arguments: object, **options: object) -> object:
                return await super().connect_tcp("127.0.0.1", port)

        leads_to(monkeypatch, ["93.184.215.14"])
        monkeypatch.setattr(module.httpcore, "AnyIOBackend", Diverted)
        with pytest.raises(Undelivered, match="has no address that this server may send to"):
            send("https://example.org/", "public")
        assert receiver.got == []


def test_redirects_are_not_followed() -> None:
    with receiving() as inner, receiving() as receiver:
        for status in (301, 302, 303, 307, 308):
            receiver.answers, receiver.headers = [status], {"Location": inner.url}
            with pytest.raises(Undelivered, match=f"status {status}, a redirect, which is not followed"):
                send(receiver.url)
        assert inner.got == []


def test_without_tls_only_within_the_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, ["93.184.215.14"])
    with pytest.raises(Undelivered, match="has no address that this server may send to"):
        send("http://example.org/", "private")


def test_what_a_receiver_may_answer() -> None:
    with receiving() as receiver:
        for status in (200, 202, 204):
            receiver.answers = [status]
            send(receiver.url)
        for status in (400, 404, 410, 429, 500, 503):
            receiver.answers = [status]
            with pytest.raises(Undelivered, match=rf"^127\.0\.0\.1 answered with status {status}$") as refused:
                send(receiver.url)
            assert refused.value.gone is (status == 410) and "told" not in str(refused.value)
    with pytest.raises(Undelivered, match="did not answer"):
        send(receiver.url)


def test_a_receiver_that_drips_or_never_ends_costs_little() -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        for letter in "HTTP/1.1 200 OK\r\nX-Slow: " + "a" * 1000:
            handler.wfile.write(letter.encode())
            time.sleep(0.05)

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
        for _ in range(100_000):
            handler.wfile.write(b"a" * 100_000)

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            handler.wfile.write(f"X-{number}: {'a' * 1000}\r\n".encode())

    def rubbish(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"\x00\xff" * 1000 + b"\r\n\r\n")

    with receiving() as receiver:
        receiver.act = drip
        began = time.monotonic()
        with pytest.raises(Undelivered, match=r"did not answer within 0\.5 s"):
            send(receiver.url, limit_s=0.5)
        assert time.monotonic() - began < 5
        receiver.act = flood
        send(receiver.url)  # the status is enough, and nothing behind it is read
        for receiver.act in (endless, rubbish):
            with pytest.raises(Undelivered, match="did not answer"):
                send(receiver.url)
