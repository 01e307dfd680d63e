"""The distribution of γ: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.paper import QUOTES, marks
from core.studies.axes import BY_POLICY
from core.studies.catalog.shared import ALL_AND_BATCHNORM
from core.studies.contrasts import policies
from core.studies.named import NamedStudy
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "gamma",
    "The distribution of γ",
    "Does BatchNorm-only training switch features off?",
    "Trained alone, γ piles up at zero: far more features switch off than when everything trains.",
    "Section 5; abstract",
    BY_POLICY,
    Criterion("disabled", "above", policies("batchnorm", ("all",)), margin=10.0),
    ALL_AND_BATCHNORM,
    marks("disabled", {"batchnorm", "all"}, {"resnet"}),
    (QUOTES["third"],),
    ("gamma-mean", "gamma-sd", "gamma-negative"),
    here="at least 10 points more",
)
