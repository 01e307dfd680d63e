"""Initialisation of BatchNorm: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.initializers import NORM_INITIALIZERS
from core.catalog.paper import ALTERNATE, QUOTES, marks
from core.studies.axes import NORM_INIT
from core.studies.catalog.shared import PAPER_CIFAR, PHOTOGRAPHS, RESNETS, small
from core.studies.contrasts import alternatives
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "norm-init",
    "Initialisation of BatchNorm",
    "Do the starting values of γ and β matter?",
    "Another initialisation of γ and β makes BatchNorm-only training more accurate.",
    "Appendix; v1, main figure (the figure does not say which alternate it is)",
    NORM_INIT,
    Criterion("top1", "any-above", alternatives("batchnorm", "init.norm", "uniform")),
    grids(
        {"policy": ("batchnorm",), "init.norm": tuple(NORM_INITIALIZERS)},
        minutes=(small(8_000, 5), RESNETS[:1], 5),
        evening=(PHOTOGRAPHS, RESNETS[:1], 5),
        paper=(PAPER_CIFAR, RESNETS, 5),
    ),
    marks("top1", {"batchnorm"}, {"resnet"}, ("uniform", ALTERNATE)),
    (QUOTES["alternate"],),
    here="the same initialisation on every network",
)
