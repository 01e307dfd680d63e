"""The pass over test images: all of them or an even sample, and how well a network answers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod

import torch
from torch import Tensor

from core.catalog.plan import Plan
from core.data.batches import TEST_BATCH, Batch, Batches
from core.engine.choice import Engine
from core.engine.fused import Seen
from core.network.scores import Window, tally

HELD_BYTES = 256 << 20
"""A sample of the test images is held in memory; it is smaller where it would need more than this."""


def evaluating(engine: Engine, batches: Iterable[Batch], window: Window, seen: Seen | None = None) -> Iterator[int]:
    """Add the tally of each batch to `window`; yields the number of its images. `seen`: see Engine."""
    for images, labels in batches:
        logits = engine.evaluate(images, seen)
        window.add(tally(logits, labels), len(labels))
        yield len(labels)


def _spread(seen: int, here: int, count: int, total: int) -> Tensor:
    """Which of `here` images, behind `seen` others, are among `count` that are spread evenly over `total`."""
    place = torch.arange(seen, seen + here)
    return (((place + 1) * count) // total > (place * count) // total).nonzero().flatten()


class Sample:
    """The test images that are looked at, in batches as for a test: all of them, or `images` spread over the split."""

    def __init__(self, batches: Batches, plan: Plan, images: int | None) -> None:
        total = batches.test_images
        self.count = total if images is None else min(images, total)
        if self.count < total:
            self.count = max(1, min(self.count, HELD_BYTES // (4 * prod(plan.input_shape))))
        self._batches = batches
        self._held = list(self._chosen()) if self.count < total else None

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._batches.test() if self._held is None else self._held)

    @property
    def numbers(self) -> Tensor:
        """(count,) int64: the numbers in the test set of the images, in their order here."""
        total = self._batches.test_images
        return _spread(0, total, self.count, total)

    def some(self, count: int) -> Tensor:
        """At most `count` of its images, spread evenly over them: (N, C, H, W), in channels-last memory."""
        rows, seen, count = [], 0, min(count, self.count)
        for images, _ in self:
            rows.append(images[_spread(seen, len(images), count, self.count).to(images.device)])
            seen += len(images)
        return torch.cat(rows).contiguous(memory_format=torch.channels_last)

    def _chosen(self) -> Iterator[Batch]:
        total, seen = self._batches.test_images, 0
        parts: list[Batch] = []
        for images, labels in self._batches.test():
            rows = _spread(seen, len(labels), self.count, total).to(labels.device)
            seen += len(labels)
            parts.append((images[rows], labels[rows]))
        images, labels = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        for begin in range(0, len(labels), TEST_BATCH):
            some = images[begin : begin + TEST_BATCH].contiguous(memory_format=torch.channels_last)
            yield some, labels[begin : begin + TEST_BATCH]
