"""Depth: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.paper import QUOTES, marks
from core.studies.axes import DEPTH
from core.studies.catalog.shared import PAPER_CIFAR, PHOTOGRAPHS, RESNETS, small
from core.studies.contrasts import steps
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "depth",
    "Depth",
    "Does a deeper network learn more when only BatchNorm trains?",
    "With only γ and β trained, accuracy rises with depth.",
    "Section 4; v1, main figure; abstract",
    DEPTH,
    Criterion("top1", "above", steps("batchnorm")),
    grids(
        {"policy": ("batchnorm",)},
        minutes=(small(8_000, 4), RESNETS[:3], 5),
        evening=(PHOTOGRAPHS, RESNETS[:4], 3),
        paper=(PAPER_CIFAR, RESNETS, 5),
    ),
    marks("top1", {"batchnorm"}, {"resnet"}),
    (QUOTES["abstract"],),
    here="at each step from one depth to the next",
)
