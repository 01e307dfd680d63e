"""Tasks: variants of one data set, which networks with the same random weights can learn one by one. Imports no torch.

Every task has the images' shape and as many outputs as the data set has classes, so the random network is the same for
all. `core/data/tasks.py` makes the images. Rotated and permuted images and halves of the classes are the variants of
SupSup (2006.14769; our reading); theirs differ in detail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from core.catalog.datasets import DataSet
from core.catalog.model import Misfit
from core.catalog.registry import Registry, UnknownName

WHOLE = "whole"
MAX_PERMUTATION = 9999
LISTED_PERMUTATIONS = (1, 2)
"""The permutations that the form offers; any other can be named."""


@dataclass(frozen=True)
class ImageTask:
    """A variant of a data set. `turns`: quarter turns of each image, counter-clockwise; `permutation`: the seed of the
    one order in which the pixels of all images stand; `half`: only images of the first (0) or second (1) half of the
    classes, which keep their labels, among all outputs."""

    name: str
    title: str
    turns: int = 0
    permutation: int | None = None
    half: int | None = None

    def labels(self, classes: int) -> range:
        """The labels that occur, of a data set with so many `classes`; with an odd number the second half has more."""
        if self.half is None:
            return range(classes)
        return range(classes // 2, classes) if self.half else range(classes // 2)

    def check(self, data: DataSet) -> None:
        """Raises Misfit where `data` cannot be seen so."""
        if self.name != WHOLE and data.streamed:
            raise Misfit("task", f"{data.name} is read from a folder, which can only be seen as {WHOLE}")

    def described(self, data: DataSet) -> DataSet:
        """`data` with the counts of the images that the task has, and a title that names it."""
        return data if self.name == WHOLE else _described(data, self)


@lru_cache(maxsize=64)
def _described(data: DataSet, task: ImageTask) -> DataSet:
    title = f"{data.title}, {task.title[0].lower()}{task.title[1:]}"
    train, test = data.first_half
    counts = {None: (data.train, data.test), 0: (train, test), 1: (data.train - train, data.test - test)}
    return replace(data, title=title, train=counts[task.half][0], test=counts[task.half][1])


def _permuted(number: int) -> ImageTask:
    return ImageTask(f"permuted-{number}", f"Pixels permuted, order {number}", permutation=number)


TASKS: Registry[ImageTask] = Registry(
    "task",
    (
        ImageTask(WHOLE, "As it is"),
        ImageTask("rotated-1", "Rotated by 90°", turns=1),
        ImageTask("rotated-2", "Rotated by 180°", turns=2),
        ImageTask("rotated-3", "Rotated by 270°", turns=3),
        *(_permuted(number) for number in LISTED_PERMUTATIONS),
        ImageTask("half-0", "First half of the classes", half=0),
        ImageTask("half-1", "Second half of the classes", half=1),
    ),
    also=f"permuted-N with N from 1 to {MAX_PERMUTATION}",
)


def task(name: str) -> ImageTask:
    """The task called `name`. Raises UnknownName, which says what N may be."""
    said = re.fullmatch(r"permuted-(.*)", name)
    if name in TASKS or said is None:
        return TASKS[name]
    if not re.fullmatch(r"[1-9][0-9]{0,3}", said[1]):
        shown = said[1] if len(said[1]) <= 20 else f"{said[1][:17]}..."
        raise UnknownName(
            f"N in permuted-N is the seed of the order of the pixels: a whole number from 1 to {MAX_PERMUTATION}, got "
            f"{shown!r}"
        )
    return _permuted(int(said[1]))
