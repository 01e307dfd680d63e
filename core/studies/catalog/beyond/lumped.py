"""Spread or lumped: a question of our own (see named.py). Imports no torch."""

from __future__ import annotations

from core.studies.axes import BY_POLICY
from core.studies.catalog.shared import OURS, PAPER_CIFAR, PHOTOGRAPHS, RESNETS, small
from core.studies.contrasts import policies
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "lumped",
    "Spread or lumped",
    "Does every channel need two random weights of its own, or does only the number per layer matter?",
    "Random weights learn equally well whether spread over all channels or lumped.",
    OURS,
    BY_POLICY,
    Criterion("top1", "within", policies("random-2", ("random-2-layer",)), margin=2.0),
    grids(
        {"policy": ("random-2", "random-2-layer")},
        minutes=(small(8_000, 4), RESNETS[:1], 5),
        evening=(PHOTOGRAPHS, RESNETS[:1], 3),
        paper=(PAPER_CIFAR, RESNETS[:4], 5),
    ),
    own=True,
    here="two per channel, or the same number anywhere in the layer; within 2 points",
)
