"""Augmentation on whole batches: random mirror image and shifted crop, then normalisation and its inverse. Pure
functions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from core.catalog.datasets import DataSet
from core.draws.draw import Draw


@dataclass(frozen=True)
class Shifts:
    """What happens to each of N images: `mirrored` (N,) bool, crop corner `top` and `left` (N,) int64."""

    mirrored: Tensor
    top: Tensor
    left: Tensor

    def at(self, rows: slice) -> Shifts:
        return Shifts(self.mirrored[rows], self.top[rows], self.left[rows])

    def to(self, device: torch.device) -> Shifts:
        return Shifts(self.mirrored.to(device), self.top.to(device), self.left.to(device))


def draw_shifts(data: DataSet, count: int, draw: Draw) -> Shifts:
    """The shifts of a whole epoch, whose own draw this is: a resumed run needs no generator state."""
    mirrored = torch.from_numpy(draw.coins(count)) & data.flip
    top, left = torch.from_numpy(draw.below((2, count), 2 * data.pad + 1))
    return Shifts(mirrored, top, left)


def shift(images: Tensor, shifts: Shifts, pad: int) -> Tensor:
    """Pad with black, crop to the old size at each image's corner, mirror.

    images: (N, C, H, W) uint8 -> (N, C, H, W) uint8 in channels-last memory.
    """
    height, width = images.shape[2:]
    padded = F.pad(images, (pad, pad, pad, pad))
    rows = shifts.top[:, None] + torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device).expand(len(images), width)
    columns = torch.where(shifts.mirrored[:, None], columns.flip(1), columns) + shifts.left[:, None]
    batch = torch.arange(len(images), device=images.device)[:, None, None]
    return padded[batch, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def normalise(images: Tensor, data: DataSet) -> Tensor:
    """(N, C, H, W) uint8 -> float32 of zero mean and unit deviation by the data set's statistics, channels-last."""
    mean = torch.tensor(data.mean, device=images.device)[:, None, None]
    deviation = torch.tensor(data.deviation, device=images.device)[:, None, None]
    return ((images.float() / 255 - mean) / deviation).contiguous(memory_format=torch.channels_last)


def pixels(images: Tensor, data: DataSet) -> Tensor:
    """(..., C, H, W) float32 -> uint8: the images of which `images` are the normalised form."""
    mean = torch.tensor(data.mean, device=images.device)[:, None, None]
    deviation = torch.tensor(data.deviation, device=images.device)[:, None, None]
    return ((images * deviation + mean) * 255).round().clamp(0, 255).to(torch.uint8)
