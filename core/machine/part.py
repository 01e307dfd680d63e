"""Which part of the images is whose, where one run is trained by several processes. Imports no torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Process number `rank` of `world`, and of those on its machine number `local`. Alone by default."""

    rank: int = 0
    world: int = 1
    local: int = 0

    @classmethod
    def of_this_process(cls, environment: Mapping[str, str] = os.environ) -> Part:
        """By what torchrun puts into the environment; alone without it."""
        rank, world, local = (int(environment.get(name, 0)) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
        return cls(rank, max(1, world), local)

    @property
    def first(self) -> bool:
        """Whether this is the process that speaks, writes the journal and saves."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        return self.world == 1

    def cut(self, begin: int, end: int) -> slice:
        """This process's share of the images begin..end-1 of a batch: a run of neighbours, all shares about as long.

        A share has at least two images, which BatchNorm needs where an image has shrunk to one pixel, or none; a
        batch of one image is the first process's.
        """
        count = end - begin
        sharing = max(1, min(self.world, count // 2))
        if self.rank >= sharing:
            return slice(end, end)
        return slice(begin + self.rank * count // sharing, begin + (self.rank + 1) * count // sharing)


ALONE = Part()
