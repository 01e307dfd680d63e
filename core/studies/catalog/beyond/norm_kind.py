"""Statistics or two numbers: a question of our own (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.normalisation import TITLES
from core.studies.axes import NORM_KIND
from core.studies.catalog.shared import OURS, PAPER_CIFAR, PHOTOGRAPHS, RESNETS, small
from core.studies.contrasts import alternatives
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "norm-kind",
    "Statistics or two numbers",
    "What makes γ and β so effective: the batch statistics, or just two numbers per channel?",
    "γ and β learn as much with another normalisation, or with none, as with BatchNorm.",
    OURS,
    NORM_KIND,
    Criterion("top1", "within", alternatives("batchnorm", "norm.kind", "batch"), margin=5.0),
    grids(
        {"policy": ("batchnorm",), "norm.kind": tuple(TITLES)},
        minutes=(small(8_000, 4), RESNETS[:1], 3),
        evening=(PHOTOGRAPHS, RESNETS[:1], 3),
        paper=(PAPER_CIFAR, RESNETS[:4], 5),
    ),
    own=True,
    here="all within 5 points",
)
