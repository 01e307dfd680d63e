"""A random generator for each use of a seed, so that nothing depends on the order of draws."""

from __future__ import annotations

import hashlib

import torch


def generator(seed: int, *parts: object) -> torch.Generator:
    """The CPU generator for one use of `seed`: `generator(seed, "stem.conv.weight")`, `generator(seed, epoch)`."""
    return torch.Generator().manual_seed(mixed(seed, *parts))


def mixed(seed: int, *parts: object) -> int:
    """A seed of 63 bits for one use of `seed`."""
    digest = hashlib.sha256("/".join(str(part) for part in (seed, *parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
