"""Bounds how often somebody may guess a password or a token that the operator has chosen."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import Request

from app.web.visitor import network_of

TRIES, TRIES_WITHIN_S, ADDRESSES = 20, 60.0, 10_000


class Tries:
    """How often an address was wrong lately. Bounded in memory: the address that was wrong longest ago is forgotten."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    def too_many(self, address: str) -> bool:
        since = self._now() - TRIES_WITHIN_S
        recent = [at for at in self._wrong.get(network_of(address), ()) if at > since]
        return len(recent) >= TRIES

    def right(self, address: str, given: str, wanted: bytes) -> bool:
        """Whether `given` is the secret with the SHA-256 `wanted`. Takes as long for a wrong one, of whatever length.

        After too many wrong ones not even the right one is taken.
        """
        if self.too_many(address):
            return False
        right = hmac.compare_digest(digest_of(given), wanted)
        if not right:
            self.wrong(address)
        return right

    def wrong(self, address: str) -> None:
        key, since = network_of(address), self._now() - TRIES_WITHIN_S
        self._wrong[key] = [*(at for at in self._wrong.pop(key, ()) if at > since), self._now()]
        if len(self._wrong) > ADDRESSES:
            self._wrong.popitem(last=False)


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""
