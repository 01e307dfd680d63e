"""Which addresses may be told that a run has ended: the rules of a URL, and those of the network address behind it.

The rules of the URL are checked when somebody asks for it, so that a mistake is said at once. What protects the network
is the second check: of the addresses that the name has at the moment of the connection, which then goes to one of them.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal
from urllib.parse import SplitResult, urlsplit

Reach = Literal["off", "public", "private"]
"""off: nothing is sent. public: https to the Internet. private: also loopback and private networks."""
MAX_URL = 500
PORTS = (443, 8443)
"""The ports of a public address, so that nobody has this server try others."""
NAME = re.compile(r"(?=.{1,253}\Z)(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)+(?=[a-z])(?!-)[a-z0-9-]{2,63}(?<!-)", re.IGNORECASE)
"""A name with a dot whose last part begins with a letter: no resolver reads it as a number."""
NEARBY = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "arpa", "test", "invalid")
"""Last parts of names that never lead to the Internet."""
HIDDEN_IPV4: tuple[IPv6Network, ...] = tuple(
    IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
"""IPv6 addresses that stand for an IPv4 address: mapped, translated and tunnelled ones."""
UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that leads to the Internet."""
OWN = tuple(ip_network(text) for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
"""Loopback and private networks; `::1` is beside them. Not link-local ones, where clouds keep their credentials."""


class BadAddress(ValueError):
    """No message may be sent to this address; the message says why, and what would be right."""


def check(url: str, reach: Reach) -> str:
    """The URL, without spaces around it. Raises BadAddress if the rules refuse it."""
    url = url.strip()
    if reach == "off":
        raise BadAddress("this server sends no webhooks: ONLYBN_WEBHOOKS=off")
    if not url or len(url) > MAX_URL:
        raise BadAddress(f"the address of a webhook has 1 to {MAX_URL} characters; this one has {len(url)}")
    if not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise BadAddress("the address of a webhook may have only ASCII characters, no spaces and no backslashes")
    parts = _split(url)
    if parts.scheme != "https" and not (reach == "private" and parts.scheme == "http"):
        raise BadAddress("the address of a webhook must begin with https://")
    if "@" in parts.netloc:
        raise BadAddress("the address of a webhook must not have a user name or a password")
    if parts.fragment or "#" in url:
        raise BadAddress("the address of a webhook must not have a part after #")
    _check_host(parts.hostname or "", reach)
    if reach == "public" and port_of(url) not in PORTS:
        raise BadAddress(f"the port of a webhook must be {' or '.join(map(str, PORTS))}, got {port_of(url)}")
    return url


def host_of(url: str) -> str:
    """The name of the host, for a person: `example.org`."""
    return _split(url).hostname or ""


def port_of(url: str) -> int:
    parts = _split(url)
    return parts.port if parts.port is not None else {"https": 443, "http": 80}[parts.scheme]


def allows(address: str, reach: Reach, scheme: str = "https") -> bool:
    """Whether a connection may go to a network address such as 93.184.215.14. Without TLS only to an own network."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if reach == "off":
        return False
    if _is_own(ip):
        return reach == "private"
    return scheme == "https" and _is_public(ip)


def _split(url: str) -> SplitResult:
    """Raises BadAddress."""
    try:
        parts = urlsplit(url)
        if parts.port == 0:
            raise ValueError("a port is 1 to 65535")
    except ValueError as error:
        raise BadAddress(f"this is not a webhook address: {error}") from error
    return parts


def _check_host(host: str, reach: Reach) -> None:
    try:
        literal = str(ip_address(host))
    except ValueError:
        literal = ""
    if literal:
        if not allows(literal, reach):
            raise BadAddress(f"the address of a webhook must be on the Internet; {host} is not")
        return
    bare = host.removesuffix(".").lower()
    if reach == "private":
        if not re.fullmatch(r"[a-z0-9_.-]{1,253}", bare):
            raise BadAddress("this is not a host name")
        return
    if not NAME.fullmatch(bare):
        raise BadAddress("the address of a webhook must have a name such as example.org, or an IP address in full")
    if bare.rpartition(".")[2] in NEARBY:
        raise BadAddress(f"the address of a webhook must be on the Internet; {host} is not")


def _is_own(ip: IPv4Address | IPv6Address) -> bool:
    return ip == IPv6Address("::1") or any(ip.version == net.version and ip in net for net in OWN)


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv6Address) and (ip.scope_id or ip not in UNICAST or any(ip in net for net in HIDDEN_IPV4)):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local)
