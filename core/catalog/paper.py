"""The paper's numbers, each with its source. Values that nobody could check are absent. Imports no torch.

"Training BatchNorm and Only BatchNorm", Frankle, Schwab, Morcos (arXiv 2003.00152): v1 of 2020, v3 of 2021.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Tag = Literal["F", "D"]
ALTERNATE = "alternate"
"""The norm initialiser of a line in v1's main figure; the figure does not say which one it is."""


@dataclass(frozen=True)
class Provenance:
    """How a number of the paper came here; `words` are shown beside every mark."""

    tag: Tag
    words: str
    sentence: str


PROVENANCE: dict[Tag, Provenance] = {
    "F": Provenance("F", "paper, stated in words", "Stated in words in the paper or in a summary of it."),
    "D": Provenance("D", "paper, read off a figure, ±0.5 points", "Read off an image of a figure, ±0.5 points."),
}


@dataclass(frozen=True)
class Mark:
    """One value of the paper in per cent (or points): what was trained, what was measured, and its provenance."""

    architecture: str
    policy: str
    quantity: str
    value: float
    tag: Tag
    source: str
    dataset: str = "cifar-10"
    norm: str = "uniform"
    note: str = ""


@dataclass(frozen=True)
class Quote:
    """A statement of the paper in words that is not a point of a figure."""

    text: str
    tag: Tag
    source: str


FIGURE = "v1, main figure, mean of 5 runs on CIFAR-10"
SHORTCUT_NOTE = "v1 counts the shortcuts' BatchNorm as part of the shortcuts"
OVERLAP_NOTE = "two lines overlap here, so this one is less certain"

# The columns are the lines of v1's main figure; a value is None where another line hides it.
_COLUMNS = (
    ("all", "uniform"),
    ("batchnorm", "uniform"),
    ("batchnorm+output+shortcut", "uniform"),
    ("output+shortcut", "uniform"),
    ("batchnorm", ALTERNATE),
    ("none", "uniform"),
)
_ROWS: dict[str, tuple[float | None, ...]] = {
    "resnet-14": (90.5, 47.9, 63.2, 48.9, 50.7, 10.6),
    "resnet-32": (92.2, 57.6, 66.7, 45.7, 59.6, 10.3),
    "resnet-56": (93.2, 63.0, 71.3, 42.5, 65.0, 10.9),
    "resnet-110": (93.4, 69.8, 74.7, 19.2, 71.8, 10.4),
    "resnet-218": (93.4, 75.7, 78.8, 17.2, 77.6, 10.0),
    "resnet-434": (93.0, 79.5, 80.1, 12.8, 81.5, 10.4),
    "resnet-866": (92.8, None, 82.1, 13.2, 83.9, 10.2),
    "wrn-14-2": (93.1, 53.3, 72.6, 58.1, 56.7, 10.4),
    "wrn-14-4": (94.2, 59.6, 79.6, 66.2, 61.5, 9.4),
    "wrn-14-8": (94.9, 64.5, 83.5, 73.0, 66.5, 10.2),
    "wrn-14-16": (95.2, 68.4, 85.7, 77.5, 70.8, 10.2),
    "wrn-14-32": (95.3, 73.0, 87.0, 79.8, 74.6, 9.7),
}


def _note(architecture: str, policy: str, norm: str) -> str:
    if (architecture, policy, norm) == ("resnet-434", "batchnorm", "uniform"):
        return OVERLAP_NOTE
    return SHORTCUT_NOTE if policy == "output+shortcut" else ""


MARKS: tuple[Mark, ...] = (
    *(
        Mark(net, "none", "over-chance", round(row[-1] - 10, 1), "D", FIGURE, note="minus the 10% of guessing")
        for net, row in _ROWS.items()
        if row[-1] is not None
    ),
    *(
        Mark(architecture, policy, "top1", value, "D", FIGURE, norm=norm, note=_note(architecture, policy, norm))
        for architecture, row in _ROWS.items()
        for (policy, norm), value in zip(_COLUMNS, row, strict=True)
        if value is not None
    ),
    Mark("resnet-866", "batchnorm", "top1", 82.0, "F", "abstract of v3"),
    Mark("imagenet-resnet-200", "batchnorm", "top5", 32.0, "F", "abstract of v3", dataset="imagenet"),
    Mark("resnet-110", "batchnorm", "disabled", 27.0, "F", "v1, as summarised by others"),
    Mark(
        "resnet-110",
        "all",
        "disabled",
        9.0,
        "F",
        "v1, as summarised by others",
        note="later versions may say otherwise",
    ),
)

QUOTES: dict[str, Quote] = {
    "abstract": Quote(
        "Training only BatchNorm reaches 82% on CIFAR-10 (ResNet-866) and 32% top-5 on ImageNet (ResNet-200).",
        "F",
        "abstract of v3",
    ),
    "gain": Quote("γ and β add 0.5 to 2 points on CIFAR-10 and 2 on ImageNet.", "F", "introduction of v3"),
    "third": Quote("BatchNorm-only training disables around a third of the random features.", "F", "abstract"),
    "alternate": Quote(
        "An alternate initialisation of BatchNorm lies 1.6 to 3.4 points above the standard one.",
        "D",
        "v1, main figure",
    ),
}


def marks(
    quantity: str,
    policies: Collection[str],
    families: Collection[str],
    norms: Collection[str] = ("uniform",),
    architectures: Collection[str] = (),
) -> tuple[Mark, ...]:
    """The paper's values of `quantity` for these policies, families or single architectures, and norm initialisers."""
    return tuple(
        mark
        for mark in MARKS
        if mark.quantity == quantity
        and mark.policy in policies
        and (mark.architecture in architectures or _family(mark.architecture) in families)
        and mark.norm in norms
    )


def _family(architecture: str) -> str:
    return architecture.rpartition("-")[0].removesuffix("-14")
