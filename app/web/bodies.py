"""The bodies of requests: how large, how long, how many at once, and how deeply nested, before anything parses them."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope

from app.web.answers import refuse

MAX_BODY = 8 * 1024
"""A spec, with every field said, has 2 KB."""
MAX_START = 8 << 20
"""Where nothing else is set (ONLYBN_LARGEST_START_MB)."""
STARTS = re.compile(r"/api/(starts|tabs)")
"""Files of tensors, and the curves that belong to one."""
LARGER = (
    (re.compile(r"/api/runs/(changes|order)"), 64 * 1024),
    (re.compile(r"/api/runs/[^/]+/evaluations"), 288 * 1024),
)
"""Addresses that accept larger bodies: 200 runs with their tokens, an image of 256 × 256 pixels. Files of tensors have
their own limit."""
BODY_WITHIN_S = 20.0
SLOWEST = 1 << 20
"""Bytes a second: a file larger than MAX_START may take so much longer."""
SMALL = 64 * 1024
MAX_HELD = 64 << 20
"""The most bytes that all bodies on their way may take together; the first SMALL of each do not count."""
MAX_OPENED = 1_000
"""The most lists and objects in a JSON body. The largest request for surgery has 403."""
MAX_DEPTH = 16
STRING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A string in JSON, also one that does not end: so the search never looks at a byte twice."""


class BadJson(ValueError):
    """A body is no JSON, or not such as is read here; the message says why."""


def read_json(body: bytes) -> Any:
    """The value of `body`, after its bounds have been checked. Raises BadJson.

    Takes at most 5 ms for the largest body, so it may run on the event loop.
    """
    opened = body.count(b"[") + body.count(b"{")
    if opened > MAX_OPENED:
        raise BadJson(f"the body has more than {MAX_OPENED:,} lists and objects")
    if opened > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        raise BadJson(f"the body is nested more than {MAX_DEPTH} deep")
    if b"\\u0000" in body:
        raise BadJson("the body has the character NUL, which no field allows")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadJson(f"the body is not valid JSON: {error}") from error


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for byte in re.sub(rb"[^\[\]{}]+", b"", STRING.sub(b"", body)):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


@dataclass
class Held:
    """How many bytes of bodies on their way are in memory. `largest_start`: the most that a file of tensors may have;
    two of them have room."""

    taken: int = 0
    largest_start: int = MAX_START

    def swap(self, before: int, after: int) -> bool:
        """Count `after` bytes of a body in place of `before`. Returns whether there is room for them."""
        more = max(0, after - SMALL) - max(0, before - SMALL)
        if more > 0 and self.taken + more > max(MAX_HELD, 2 * self.largest_start):
            return False
        self.taken += more
        return True


def most_of(path: str, largest_start: int) -> int:
    """The most bytes that a body for `path` may have."""
    if STARTS.fullmatch(path):
        return largest_start
    return next((limit for pattern, limit in LARGER if pattern.fullmatch(path)), MAX_BODY)


async def whole_body(scope: Scope, receive: Receive, held: Held) -> bytes | JSONResponse:
    """The body of the request, or an error response if it is too large or too slow."""
    limit = most_of(scope["path"], held.largest_start)
    within_s = BODY_WITHIN_S + max(0, limit - MAX_START) / SLOWEST
    too_large = f"the body is larger than {limit // 1024} KB"
    length = Headers(scope=scope).get("content-length", "")
    if length.isdecimal() and (len(length) > 15 or int(length) > limit):
        return refuse(413, too_large)
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return refuse(400, "the connection ended before the end of the body")
                piece = message.get("body", b"")
                if len(body) + len(piece) > limit:
                    return refuse(413, too_large)
                if not held.swap(len(body), len(body) + len(piece)):
                    return refuse(429, "too many large requests are arriving; please try again in a moment")
                body += piece
                more = message.get("more_body", False)
    except TimeoutError:
        return refuse(408, f"the body did not arrive within {within_s:g} s")
    finally:
        held.swap(len(body), 0)
    return bytes(body)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns the whole `body` first."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return first.pop() if first else await receive()

    return receive_again
