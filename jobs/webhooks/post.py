"""Sends one message to an address that a visitor chose: checks where it leads, and connects there and nowhere else.

httpcore does the HTTP. It follows no redirects, reads no environment and no proxy, and lets us make the connection.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import anyio
import httpcore

from core.version import VERSION
from jobs.webhooks.address import Reach, allows, host_of

LIMIT_S = 5.0
"""For everything: the name, the connection, TLS, the request, the first line and the headers of the response."""
MOST_ADDRESSES = 4
"""A host may have many; so many are tried."""
SENDER = f"OnlyBN/{VERSION} (webhook)"


class Undelivered(Exception):
    """The receiver did not take the message: a sentence for the owner, which does not name the path of the address.

    `gone`: the receiver wants no further message.
    """

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


class _Forbidden(Exception):
    """The name leads to no address, or to one that this server may not reach."""


@dataclass(frozen=True)
class Guarded(httpcore.AsyncNetworkBackend):
    """Resolves a name, checks every address that it has, and connects to one of these.

    So a name that leads elsewhere a moment later changes nothing: the connection takes an address, not the name.
    """

    reach: Reach
    scheme: str
    inner: httpcore.AsyncNetworkBackend

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises _Forbidden, and httpcore's errors."""
        addresses = await resolve(host if self.reach == "private" else absolute(host), port)
        if not addresses or not all(allows(address, self.reach, self.scheme) for address in addresses):
            raise _Forbidden
        for last, address in enumerate(addresses[:MOST_ADDRESSES], 1):
            try:
                stream = await self.inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                if last == min(len(addresses), MOST_ADDRESSES):
                    raise
                continue
            peer = stream.get_extra_info("server_addr")
            if peer is None or not allows(str(peer[0]), self.reach, self.scheme):
                await stream.aclose()
                raise _Forbidden
            return stream
        raise _Forbidden

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise _Forbidden

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


def absolute(host: str) -> str:
    """The name with a dot at its end, so that the resolver does not try it within the own network."""
    try:
        return str(ip_address(host))
    except ValueError:
        return f"{host.removesuffix('.')}."


async def resolve(host: str, port: int) -> list[str]:
    """The network addresses of a host, each once; none if it has none."""
    try:
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(address[4][0]) for address in found))


async def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    reach: Reach,
    *,
    trust: ssl.SSLContext | None = None,
    limit_s: float = LIMIT_S,
) -> None:
    """POST `body` as JSON. `trust`: which certificates are believed; None: those of the system. Raises Undelivered."""
    said = [("content-type", "application/json"), ("user-agent", SENDER), *headers.items()]
    host, scheme = host_of(url), url.partition(":")[0].lower()
    try:
        with anyio.fail_after(limit_s):
            status = await _status(url, body, said, Guarded(reach, scheme, httpcore.AnyIOBackend()), trust)
    except TimeoutError as error:
        raise Undelivered(f"{host} did not answer within {limit_s:g} s") from error
    except _Forbidden as error:
        raise Undelivered(f"{host} has no address that this server may send to") from error
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
        what = "has no valid certificate" if _is_about_tls(error) else "did not answer"
        raise Undelivered(f"{host} {what}") from error
    if not 200 <= status < 300:
        redirect = ", a redirect, which is not followed" if 300 <= status < 400 else ""
        raise Undelivered(f"{host} answered with status {status}{redirect}", gone=status == 410)


def _is_about_tls(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None


async def _status(
    url: str, body: bytes, headers: list[tuple[str, str]], network: Guarded, trust: ssl.SSLContext | None
) -> int:
    """The status of the response, of which the rest is not read."""
    pool = httpcore.AsyncConnectionPool(ssl_context=trust or ssl.create_default_context(), network_backend=network)
    async with pool, pool.stream("POST", url, headers=headers, content=body) as response:
        return response.status
