"""The images of a task: pure functions on whole batches and splits. Definitions: core/catalog/tasks/tasks.py."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from core.catalog.datasets import DataSet
from core.catalog.tasks.tasks import ImageTask
from core.data.memory import DataUnavailable, Split
from core.draws.versions import drawn


def seen(images: Tensor, task: ImageTask) -> Tensor:
    """(N, C, H, W) or (C, H, W) uint8 -> the same shape and type: each image as `task` has it.

    All channels of an image are turned or permuted alike: pixel i of a permuted image, counted row by row, is pixel
    order[i] of the image.
    """
    if task.turns:
        return torch.rot90(images, task.turns, (-2, -1))
    if task.permutation is not None:
        order = _order(task.permutation, images.shape[-2] * images.shape[-1]).to(images.device)
        return images.flatten(-2)[..., order].view(images.shape)
    return images


def of_task(split: Split, task: ImageTask, data: DataSet, count: int) -> Split:
    """Those images of `split`, a whole split of `data`, whose classes `task` has: `count` images. They are not turned
    or permuted. Raises DataUnavailable if it has another number of them."""
    if task.half is None:
        return split
    labels = task.labels(len(data.classes))
    chosen = (split.labels >= labels.start) & (split.labels < labels.stop)
    if int(chosen.sum()) != count:
        raise DataUnavailable(
            f"{data.title} is damaged: expected {count:,} images of {task.name}, got {int(chosen.sum()):,}."
        )
    return Split(split.images[chosen], split.labels[chosen])


@lru_cache(maxsize=16)
def _order(seed: int, pixels: int) -> Tensor:
    return torch.from_numpy(drawn(2, seed, "permutation").order(pixels))
