"""Which images each process takes when several processes train one run. Imports no torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Process `rank` of `world`, and number `local` of those on its machine. By default it is alone."""

    rank: int = 0
    world: int = 1
    local: int = 0

    @classmethod
    def of_this_process(cls, environment: Mapping[str, str] = os.environ) -> Part:
        """From the variables that torchrun puts into the environment; alone without them."""
        rank, world, local = (int(environment.get(name, 0)) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
        return cls(rank, max(1, world), local)

    @property
    def first(self) -> bool:
        """Whether this is the process that prints, writes the journal and saves."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        return self.world == 1

    def cut(self, begin: int, end: int) -> slice:
        """This process's share of the images begin..end-1 of a batch: neighbours, in shares of about the same length.

        A share has no images, or at least two, which BatchNorm needs where an image has shrunk to one pixel. The first
        process takes a batch of one image.
        """
        count = end - begin
        sharing = max(1, min(self.world, count // 2))
        if self.rank >= sharing:
            return slice(end, end)
        return slice(begin + self.rank * count // sharing, begin + (self.rank + 1) * count // sharing)


ALONE = Part()
