"""Subsets of the parameters: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.paper import marks
from core.studies.axes import BY_POLICY
from core.studies.catalog.shared import PAPER_CIFAR, PHOTOGRAPHS, RESNETS, SUBSETS, digits
from core.studies.contrasts import policies
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "subsets",
    "Subsets of the parameters",
    "Which small parts of a network are worth training: BatchNorm, the output layer, the shortcuts?",
    "Also training the output layer and the shortcuts beats BatchNorm alone.",
    "Section 4; v1, main figure",
    BY_POLICY,
    Criterion(
        "top1",
        "above",
        policies("batchnorm+output+shortcut", ("batchnorm",), ("output+shortcut", "batchnorm+output")),
    ),
    grids(
        {"policy": SUBSETS},
        minutes=(digits(30), RESNETS[1:2], 3),
        evening=(PHOTOGRAPHS, RESNETS[:1], 3),
        paper=(PAPER_CIFAR, RESNETS, 5),
    ),
    marks("top1", set(SUBSETS), {"resnet"}),
)
