"""Threshold ablation: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.studies.catalog.shared import ALL_AND_BATCHNORM, UNCHECKED
from core.studies.contrasts import alone
from core.studies.figures import ABLATION
from core.studies.named import NamedStudy
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "threshold",
    "Threshold ablation",
    "Are features with a small γ really disabled: can it be set to zero?",
    "Setting every γ with |γ| < 0.01 to zero, without retraining, leaves the accuracy as it is (here: within "
    "one point).",
    f"Section 5. {UNCHECKED}",
    ABLATION,
    Criterion("ablated", "within", alone("batchnorm"), margin=1.0),
    ALL_AND_BATCHNORM,
)
