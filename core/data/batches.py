"""Where a training gets its images from: batches that follow from the spec and the epoch alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from core.data.augmentation import draw_shifts, normalise, shift
from core.data.memory import load
from core.data.tasks import of_task, seen
from core.draws.versions import drawn
from core.machine.part import ALONE, Part
from core.run.spec import RunSpec

TEST_BATCH = 500

Batch = tuple[Tensor, Tensor]
"""Images (N, C, H, W) float32, normalised, channels-last, and labels (N,) int64, both on the device."""


class Batches(Protocol):
    """The two splits of a data set as batches; `test_images` is how many the test split has.

    Where several processes train one run, each gets its part of every batch: the same images, in the same order and
    augmented alike, as one process would see; a part may be empty.
    """

    test_images: int

    def train(self, epoch: int, first: int) -> Iterator[Batch]:
        """The batches of `epoch` from number `first` on."""

    def test(self) -> Iterator[Batch]:
        """The whole test split."""

    def warning(self) -> str | None:
        """What a person who watches the training should know, once; None: nothing (more)."""


class MemoryBatches:
    """A data set that lies as uint8 on the device; augmentation and normalisation work on whole batches.

    The splits have the images that the task has, as they are stored: a batch turns or permutes them, after the
    augmentation.
    """

    def __init__(self, spec: RunSpec, folder: Path, device: torch.device, part: Part = ALONE) -> None:
        self.spec, self.data, self.device, self.part = spec, spec.data, device, part
        whole = load(spec.dataset, folder, spec.copy_of_data)
        counts = (self.data.train, self.data.test)
        train, test = (of_task(split, spec.variant, self.data, n) for split, n in zip(whole, counts, strict=True))
        self.train_split = train.first(spec.train_examples, spec.draw).to(device)
        self.test_split = test.first(spec.test_examples, spec.draw).to(device)
        self.test_images = len(self.test_split)

    def train(self, epoch: int, first: int) -> Iterator[Batch]:
        seeds, version = self.spec.seeds, self.spec.draw
        order = torch.from_numpy(drawn(version, seeds.order, epoch).order(len(self.train_split)))
        shifts = draw_shifts(self.data, len(order), drawn(version, seeds.augmentation, "augmentation", epoch))
        size = self.spec.recipe.batch_size
        for begin in range(first * size, len(order), size):
            rows = self.part.cut(begin, min(begin + size, len(order)))
            chosen = order[rows].to(self.device)
            images = self.train_split.images[chosen]
            if self.spec.recipe.augmentation == "standard":
                images = shift(images, shifts.at(rows).to(self.device), self.data.pad)
            yield normalise(seen(images, self.spec.variant), self.data), self.train_split.labels[chosen]

    def test(self) -> Iterator[Batch]:
        size = TEST_BATCH * self.part.world
        for begin in range(0, self.test_images, size):
            rows = self.part.cut(begin, min(begin + size, self.test_images))
            images = seen(self.test_split.images[rows], self.spec.variant)
            yield normalise(images, self.data), self.test_split.labels[rows]

    def warning(self) -> str | None:
        return None


def batches(spec: RunSpec, folder: Path, device: torch.device, part: Part = ALONE) -> Batches:
    """The batches of `spec`'s data set, or this process's `part` of each. Raises DataUnavailable."""
    if spec.data.streamed:
        from core.data.streaming import StreamingBatches  # noqa: PLC0415 - torchvision takes a second to import

        return StreamingBatches(spec, device, part)
    return MemoryBatches(spec, folder, device, part)
