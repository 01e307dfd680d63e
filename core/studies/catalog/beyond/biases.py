"""Scales or shifts: a question of our own (see named.py). Imports no torch."""

from __future__ import annotations

from core.studies.axes import BY_POLICY
from core.studies.catalog.shared import OURS, PAPER_CIFAR, PHOTOGRAPHS, RESNETS, small
from core.studies.contrasts import policies
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "biases",
    "Scales or shifts",
    "Are biases enough: does β alone learn as much as γ and β?",
    "γ and β together learn more than either alone.",
    OURS,
    BY_POLICY,
    Criterion("top1", "above", policies("batchnorm", ("gamma", "beta"), ("bias",))),
    grids(
        {"policy": ("batchnorm", "gamma", "beta", "bias")},
        minutes=(small(8_000, 4), RESNETS[:1], 3),
        evening=(PHOTOGRAPHS, RESNETS[:1], 3),
        paper=(PAPER_CIFAR, RESNETS[:4], 5),
    ),
    own=True,
)
