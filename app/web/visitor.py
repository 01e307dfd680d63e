"""Who asks: the account, where one must sign in, or a token that the browser makes, keeps and sends with every request;
and a network address.

None is kept; the database gets keyed hashes. Who sends no token, such as a script, is told apart by the address.
"""

from __future__ import annotations

import hmac
from ipaddress import IPv6Address, ip_address

from starlette.requests import Request

from jobs.quotas import Asker

HEADER = "X-Visitor-Token"
MAX_TOKEN = 200
HOME_BITS = 64
"""A home or a machine with IPv6 has a whole network of this size."""


def asker_of(request: Request, key: bytes) -> Asker:
    """Who sent `request`; `key` is secret. Behind trusted proxies, the address is already that of the visitor."""
    address = _keyed(key, "address", network_of(request.client.host if request.client else "unknown"))
    account = getattr(request.state, "account", None)
    if account is not None and account.name:  # a password has no name: those who share it are told apart by token
        return Asker(_keyed(key, "account", account.name), address)
    token = request.headers.get(HEADER, "")[:MAX_TOKEN]
    return Asker(_keyed(key, "token", token) if token else address, address)


def network_of(host: str) -> str:
    """The part of an address that stands for one visitor."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> HOME_BITS << HOME_BITS))
    return str(address)


def _keyed(key: bytes, kind: str, value: str) -> str:
    return hmac.digest(key, f"onlybn/{kind}/{value}".encode(), "sha256").hex()
