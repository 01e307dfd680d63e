"""A folder of class folders with small PNG files, each class in a colour of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("cat", "dog", "eel")


def write_pictures(
    folder: Path, train: int = 24, test: int = 8, classes: Sequence[str] = CLASSES, test_name: str = "val"
) -> Path:
    """`train` and `test` images a class, of 20 to 40 pixels a side; red, green and blue by class."""
    rng = np.random.default_rng(0)
    for split, count in (("train", train), (test_name, test)):
        for label, name in enumerate(classes):
            place = folder / split / name
            place.mkdir(parents=True)
            for index in range(count):
                height, width = rng.integers(20, 41, 2)
                pixels = rng.integers(0, 100, (height, width, 3), dtype=np.uint8)
                pixels[..., label % 3] += 120
                Image.fromarray(pixels).save(place / f"{index:03}.png")
    return folder
