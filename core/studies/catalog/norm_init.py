"""Initialisation of BatchNorm: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.initializers import NORM_INITIALIZERS
from core.catalog.paper import ALTERNATE, QUOTES, marks
from core.studies.catalog.shared import PAPER_CIFAR, PHOTOGRAPHS, RESNETS, small
from core.studies.contrasts import alternatives
from core.studies.figures import NORM_INIT
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "norm-init",
    "Initialisation of BatchNorm",
    "Does it matter from where γ and β start?",
    "An alternate initialisation of γ and β gives BatchNorm-only training more accuracy (here: the same "
    "alternate on every network).",
    "Appendix; v1, main figure (which alternate it is, the figure does not say)",
    NORM_INIT,
    Criterion("top1", "any-above", alternatives("batchnorm", "init.norm", "uniform")),
    grids(
        {"policy": ("batchnorm",), "init.norm": tuple(NORM_INITIALIZERS)},
        minutes=(small(8_000, 5), RESNETS[:1], 5),
        evening=(PHOTOGRAPHS, RESNETS[1:2], 5),
        paper=(PAPER_CIFAR, RESNETS, 5),
    ),
    marks("top1", {"batchnorm"}, {"resnet"}, ("uniform", ALTERNATE)),
    (QUOTES["alternate"],),
)
