"""Corrupted views of test images: pure functions on whole batches. The stored images never change.

What is random about image number i of a test set (its noise, the direction of its rotation) follows from the seed and i
alone, and is the same at every severity. Definitions: core/catalog/corruptions.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, cos, radians, sin

import torch
from torch import Tensor
from torch.nn import functional as F

from core.catalog.corruptions import CORRUPTIONS
from core.draws.draw import Draw
from core.draws.versions import drawn

FULL = 255.0
"""The whole range of a pixel value."""
REACH = 3
"""The filter of a blur ends at this many standard deviations."""


def corrupted(images: Tensor, name: str, severity: int, numbers: Sequence[int], seed: int) -> Tensor:
    """`images` under corruption `name` at `severity`, rounded to whole pixel values and cut off at 0 and 255.

    images: (N, C, H, W) uint8 -> the same shape and type, new memory. `numbers`: their N numbers in the test set. At
    severity 0 they are as they were. Raises UnknownName.
    """
    corruption = CORRUPTIONS[name]
    if severity == 0:
        return images.clone()
    draws = [drawn(2, seed, "corruption", name, number) for number in numbers]
    values = _MADE[name](images.float(), corruption.at(severity), draws)
    return values.round().clamp(0, FULL).to(torch.uint8)


def _noise(images: Tensor, strength: float, draws: Sequence[Draw]) -> Tensor:
    noise = torch.stack([torch.from_numpy(draw.normal(tuple(images.shape[1:]), 1.0)) for draw in draws])
    return images + FULL * strength * noise.to(images.device)


def _blur(images: Tensor, strength: float, draws: Sequence[Draw]) -> Tensor:
    """A Gaussian filter along rows, then along columns; beyond the edge, the pixel at the edge."""
    count, channels, height, width = images.shape
    deviation = strength * height**0.5
    reach = ceil(REACH * deviation)
    distance = torch.arange(-reach, reach + 1, dtype=torch.float32, device=images.device)
    weights = torch.exp(-(distance**2) / (2 * deviation**2))
    weights /= weights.sum()
    padded = F.pad(images.reshape(count * channels, 1, height, width), (reach,) * 4, mode="replicate")
    rows = F.conv2d(padded, weights.view(1, 1, 1, -1))
    return F.conv2d(rows, weights.view(1, 1, -1, 1)).view(images.shape)


def _contrast(images: Tensor, strength: float, draws: Sequence[Draw]) -> Tensor:
    mean = images.mean(dim=(2, 3), keepdim=True)
    return mean + strength * (images - mean)


def _brightness(images: Tensor, strength: float, draws: Sequence[Draw]) -> Tensor:
    return images + FULL * strength


def _rotation(images: Tensor, strength: float, draws: Sequence[Draw]) -> Tensor:
    """About the middle, with bilinear interpolation; black comes in at the corners."""
    height, width = images.shape[2:]
    angle = radians(strength)
    signs = torch.tensor([1.0 if draw.coins(1)[0] else -1.0 for draw in draws], device=images.device)
    turn = torch.zeros(len(images), 2, 3, device=images.device)
    turn[:, 0, 0] = turn[:, 1, 1] = cos(angle)
    # Coordinates run from -1 to 1 along both sides, however long these are.
    turn[:, 0, 1] = -sin(angle) * signs * height / width
    turn[:, 1, 0] = sin(angle) * signs * width / height
    grid = F.affine_grid(turn, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


_MADE: dict[str, Callable[[Tensor, float, Sequence[Draw]], Tensor]] = {
    "gaussian-noise": _noise,
    "blur": _blur,
    "contrast": _contrast,
    "brightness": _brightness,
    "rotation": _rotation,
}
"""By name: float32 values (N, C, H, W) in 0..255, the strength, and a draw for each image -> the values after it."""
