"""BatchNorm or random weights: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.paper import marks
from core.studies.axes import BY_POLICY
from core.studies.catalog.shared import PAPER_CIFAR, PHOTOGRAPHS, RANDOMS, RESNETS, small
from core.studies.contrasts import policies
from core.studies.matching import matching
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "random-k",
    "BatchNorm or random weights",
    "Is there something special about γ and β, or would any few parameters do?",
    "γ and β learn far more than the same number of random weights, two per channel.",
    "Section 4; its numbers for random weights have not been checked, so none are shown here",
    BY_POLICY,
    Criterion(
        "top1",
        "above",
        policies("batchnorm", ("random-2",), [name for name in RANDOMS if name != "random-2"]),
        margin=5.0,
    ),
    grids(
        {"policy": ("batchnorm", *RANDOMS)},
        minutes=(small(8_000, 4), RESNETS[:1], 3),
        evening=(PHOTOGRAPHS, RESNETS[:1], 3),
        paper=(PAPER_CIFAR, RESNETS, 5),
    ),
    marks("top1", {"batchnorm"}, {"resnet"}),
    further=matching,
    here="at least 5 points more",
)
