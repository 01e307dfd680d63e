"""All but BatchNorm: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.paper import QUOTES, marks
from core.studies.axes import BY_POLICY
from core.studies.catalog.shared import PAPER_CIFAR, PHOTOGRAPHS, RESNETS, small
from core.studies.contrasts import policies
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "without-batchnorm",
    "All but BatchNorm",
    "How much do γ and β add when everything else trains?",
    "Training γ and β in addition to everything else improves accuracy.",
    "Section 1, figure 1",
    BY_POLICY,
    Criterion("top1", "above", policies("all", ("all-but-batchnorm",), decisive={"init.norm": "ones"})),
    grids(
        {"policy": ("all", "all-but-batchnorm"), "init.norm": ("ones", "uniform")},
        minutes=(small(6_000, 4, 4000), RESNETS[:1], 5),
        evening=(PHOTOGRAPHS, RESNETS[:1], 5),
        paper=(PAPER_CIFAR, RESNETS, 5),
    ),
    marks("top1", {"all"}, {"resnet"}),
    (QUOTES["gain"],),
    said="+0.5 to +2.0",
    here="both start from γ = 1, β = 0, where fixed γ and β have no effect",
)
