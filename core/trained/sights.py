"""What a corruption does to some test images, at every severity, as pictures for a page."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from core.catalog.corruptions import CORRUPTIONS, WORST
from core.data.augmentation import pixels
from core.data.corruptions import corrupted
from core.run.edits import Sight
from core.trained.evaluation import Sample
from core.trained.surgery import Operation, coded

MAX_SIDE_SHOWN = 64
"""Larger images are shrunk to this side, in pixels, after they were corrupted."""


def sights(on: Operation, sight: Sight) -> dict[str, Any]:
    """`images`: for each its `number` in the test set, its `label`, and its pixels (base64 of uint8) at the severities
    from 0, which is the clean image, to 5; `shape` is theirs. `strengths` are those of the severities from 1;
    `strength` says what they measure."""
    sample = Sample(on.batches, on.spec.plan, sight.count)
    parts = [(pixels(images, on.spec.data), labels) for images, labels in sample]
    images, labels = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
    numbers = sample.numbers.tolist()
    views = [
        _shrunk(corrupted(images, sight.corruption, severity, numbers, sight.seed)) for severity in range(WORST + 1)
    ]
    return {
        "corruption": sight.corruption,
        "strength": CORRUPTIONS[sight.corruption].strength,
        "strengths": CORRUPTIONS[sight.corruption].strengths,
        "shape": list(views[0].shape[1:]),
        "images": [
            {"number": number, "label": int(label), "pixels": [coded(view[place]) for view in views]}
            for place, (number, label) in enumerate(zip(numbers, labels, strict=True))
        ],
    }


def _shrunk(images: Tensor) -> Tensor:
    height, width = images.shape[2:]
    if max(height, width) <= MAX_SIDE_SHOWN:
        return images
    scale = MAX_SIDE_SHOWN / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return F.interpolate(images.float(), size=size, mode="area").round().to(torch.uint8)
