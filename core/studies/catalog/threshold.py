"""Threshold ablation: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.studies.axes import ABLATION
from core.studies.catalog.shared import ALL_AND_BATCHNORM
from core.studies.contrasts import alone
from core.studies.named import NamedStudy
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "threshold",
    "Threshold ablation",
    "Are features with a small γ really disabled? Can that γ be set to zero?",
    "Features with a small γ can be set to zero without loss.",
    "Section 5",
    ABLATION,
    Criterion("ablated", "within", alone("batchnorm"), margin=1.0),
    ALL_AND_BATCHNORM,
    here="|γ| < 0.01, without retraining, within one point",
    checked=False,
)
