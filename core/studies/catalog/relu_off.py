"""Channels that ReLU switches off: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.studies.axes import BY_POLICY
from core.studies.catalog.shared import ALL_AND_BATCHNORM
from core.studies.contrasts import policies
from core.studies.named import NamedStudy
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "relu-off",
    "Channels that ReLU switches off",
    "Does BatchNorm-only training make ReLU channels that are almost always zero?",
    "More ReLU channels are almost always zero than when everything trains.",
    "Section 5",
    BY_POLICY,
    Criterion("relu-off", "above", policies("batchnorm", ("all",))),
    ALL_AND_BATCHNORM,
    here="zero for over 99% of the pixels",
    checked=False,
)
