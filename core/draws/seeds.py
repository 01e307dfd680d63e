"""Seeds made of seeds."""

from __future__ import annotations

import hashlib


def mixed(seed: int, *parts: object) -> int:
    """A seed of 63 bits for one use of `seed`."""
    digest = hashlib.sha256("/".join(str(part) for part in (seed, *parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
