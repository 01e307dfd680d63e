"""Depth or width: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.paper import marks
from core.studies.axes import COUNT
from core.studies.catalog.shared import COUPLES, PAPER_CIFAR, PHOTOGRAPHS, RESNETS, WIDE, small
from core.studies.contrasts import couples
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "depth-or-width",
    "Depth or width",
    "With the same number of γ and β, is it better to be deep or to be wide?",
    "With equally many γ and β, the deeper network is more accurate than the wider one.",
    "Section 4; v1, main figure",
    COUNT,
    Criterion("top1", "above", couples("batchnorm", COUPLES)),
    grids(
        {"policy": ("batchnorm",)},
        minutes=(small(8_000, 5), (RESNETS[1], WIDE[1]), 3),
        evening=(PHOTOGRAPHS, (*RESNETS[1:3], *WIDE[1:3]), 3),
        paper=(PAPER_CIFAR, (*RESNETS[1:6], *WIDE[1:]), 5),
    ),
    marks("top1", {"batchnorm"}, {"resnet", "wrn"}),
)
