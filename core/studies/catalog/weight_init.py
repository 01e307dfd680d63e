"""Initialisation of the weights: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.initializers import WEIGHT_INITIALIZERS
from core.studies.axes import WEIGHT_INIT
from core.studies.catalog.shared import PAPER_CIFAR, PHOTOGRAPHS, RESNETS, small
from core.studies.contrasts import alternatives
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "weight-init",
    "Initialisation of the weights",
    "Does the distribution of the frozen weights matter?",
    "The distribution of the frozen weights matters little.",
    "Appendix",
    WEIGHT_INIT,
    Criterion("top1", "within", alternatives("batchnorm", "init.weights", "he-normal"), margin=5.0),
    grids(
        {"policy": ("batchnorm",), "init.weights": tuple(WEIGHT_INITIALIZERS)},
        minutes=(small(8_000, 5), RESNETS[:1], 5),
        evening=(PHOTOGRAPHS, RESNETS[:1], 5),
        paper=(PAPER_CIFAR, RESNETS, 5),
    ),
    here="all within 5 points of He normal",
    checked=False,
)
