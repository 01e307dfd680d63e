"""Does it need residual connections?: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.studies.axes import BY_POLICY
from core.studies.catalog.shared import PAPER_CIFAR, PHOTOGRAPHS, small
from core.studies.contrasts import policies
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

VGG = tuple(f"vgg-{depth}" for depth in (11, 13, 16, 19))

STUDY = NamedStudy(
    "vgg",
    "Networks without residuals",
    "Do γ and β also learn in a VGG, which has no residual connections?",
    "In a VGG, too, γ and β learn more than the same number of random weights.",
    "Appendix",
    BY_POLICY,
    Criterion("top1", "above", policies("batchnorm", ("random-2",))),
    grids(
        {"policy": ("batchnorm", "random-2")},
        minutes=(small(4_000, 4), VGG[:1], 3),
        evening=(PHOTOGRAPHS, VGG[:1], 3),
        paper=(PAPER_CIFAR, VGG, 5),
    ),
    here="two per channel",
    checked=False,
)
