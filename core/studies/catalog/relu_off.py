"""Channels that ReLU switches off: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.studies.catalog.shared import ALL_AND_BATCHNORM, UNCHECKED
from core.studies.contrasts import policies
from core.studies.figures import BY_POLICY
from core.studies.named import NamedStudy
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "relu-off",
    "Channels that ReLU switches off",
    "Does BatchNorm-only training make ReLU channels that are almost always zero?",
    "More ReLU channels are off for over 99 % of the pixels than when everything trains.",
    f"Section 5. {UNCHECKED}",
    BY_POLICY,
    Criterion("relu-off", "above", policies("batchnorm", ("all",))),
    ALL_AND_BATCHNORM,
)
