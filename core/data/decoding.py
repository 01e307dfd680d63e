"""From image files to pixels: open, cut out, mirror, shrink. It runs in the worker processes of `streaming.py`."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset
from torchvision.transforms import v2

from core.draws.draw import Draw
from core.draws.exact import exponential, logarithm
from core.draws.seeds import mixed
from core.draws.versions import Version, drawn

Pixels = NDArray[np.uint8]

AREA, RATIO = (0.1, 1.0), (0.8, 1.25)
"""A training image is cropped to a share of its area and to a width : height in these ranges (open_lth
datasets/imagenet.py)."""
TRIES = 10
"""How many shapes are drawn before the middle of an image is taken."""
LOG_RATIO = tuple(float(limit) for limit in logarithm(np.array(RATIO)))
SHRINK = 256 / 224
"""A test image is shrunk until its shorter side is this much longer than what is cut out of its centre."""


class Task(NamedTuple):
    """An image to open. What is random about it follows from `seed`: version of the draw, seed of the augmentation,
    epoch, index; None: nothing.

    So an image is the same whichever process opens it, and after a resume in the middle of an epoch.
    """

    path: str
    seed: tuple[Version, int, int, int] | None


class Damaged(NamedTuple):
    """The file that cannot be read, and why."""

    path: str
    reason: str


class Images(Dataset[Pixels]):
    """Opens what it is asked for and knows nothing else, so that a worker process costs little memory.

    `size` is the side of the square that is cut out, in pixels; `flip` says whether a mirror image is the same thing.
    """

    def __init__(self, size: int, flip: bool) -> None:
        mirror = [v2.RandomHorizontalFlip()] if flip else []
        self.size, self.flip = size, flip
        self.augmented = v2.Compose([v2.RandomResizedCrop(size, scale=AREA, ratio=RATIO), *mirror])
        self.plain = v2.Compose([v2.Resize(round(size * SHRINK)), v2.CenterCrop(size)])

    def __getitems__(self, tasks: list[Task]) -> Pixels | Damaged:
        """(N, size, size, 3) uint8."""
        pixels = np.empty((len(tasks), self.size, self.size, 3), np.uint8)
        for row, task in enumerate(tasks):
            try:
                pixels[row] = np.asarray(self._pixels(task))
            except Exception as error:  # what a broken file makes a decoder raise is not known beforehand
                return Damaged(task.path, f"{type(error).__name__}: {error}")
        return pixels

    def _pixels(self, task: Task) -> Image.Image:
        with Image.open(task.path) as file:
            image = file.convert("RGB")
        if task.seed is None:
            return self.plain(image)
        version, seed, epoch, index = task.seed
        if version == 1:
            # torchvision draws from torch's global generator, which belongs to the training.
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(mixed(seed, "augmentation", epoch, index))
                return self.augmented(image)
        draw = drawn(version, seed, "augmentation", epoch, index)
        crop = v2.functional.resized_crop(image, *crop_of(*image.size, draw), [self.size, self.size])
        return v2.functional.horizontal_flip(crop) if self.flip and draw.coins(1)[0] else crop


def crop_of(width: int, height: int, draw: Draw) -> tuple[int, int, int, int]:
    """Top, left, height and width of what a training image of this size is cut down to, as torchvision's
    RandomResizedCrop: the first of ten shapes that fits; else the middle, as large as a ratio within RATIO can be."""
    areas = draw.uniform((TRIES,), *AREA).astype(float) * (width * height)
    ratios = exponential(draw.uniform((TRIES,), *LOG_RATIO).astype(float))
    for area, ratio in zip(areas, ratios, strict=True):
        across, down = round(sqrt(area * ratio)), round(sqrt(area / ratio))
        if 0 < across <= width and 0 < down <= height:
            return _place(height - down, draw), _place(width - across, draw), down, across
    across, down = min(width, round(height * RATIO[1])), min(height, round(width / RATIO[0]))
    return (height - down) // 2, (width - across) // 2, down, across


def _place(room: int, draw: Draw) -> int:
    return int(draw.below((1,), room + 1)[0])
