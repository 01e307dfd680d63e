"""What a study will cost: multiply-adds, and time on two ordinary cores. Imports no torch."""

from __future__ import annotations

from functools import lru_cache

from core.catalog.model import Model
from core.run import cost
from core.run.spec import RunSpec
from core.studies.spec import StudySpec

MACS_PER_S = 150e9
"""Multiply-adds a second of a training on two cores of a current server (AMD EPYC, Zen 4), in bfloat16: 131e9 to 164e9
in the runs of study depth (ResNet-14, 32, 56 on 28×28 images). Without bfloat16 ResNet-14 takes
1.7 times as long, without compiled kernels twice; older machines longer."""
START_S = 4.0
"""Seconds until a trainer has loaded its libraries and its data."""


class Cost(Model):
    """Of all runs of a study, none of them reused: their number, their multiply-adds, and seconds on two cores."""

    runs: int
    macs: float
    seconds: float


@lru_cache(4096)
def _run(spec: RunSpec) -> tuple[float, float]:
    plan = spec.plan
    macs = cost.run_macs(spec) + cost.analyses_macs(spec) + cost.adaptation_macs(spec)
    calls = cost.STEP_OVERHEAD_S * len(plan.norms) * spec.total_steps
    return float(macs), START_S + macs / MACS_PER_S + calls + cost.computing_s(spec) / 2


def run_s(spec: RunSpec) -> float:
    """Seconds that one run takes on two cores, its start and its analyses included."""
    return _run(spec)[1]


def study_cost(study: StudySpec) -> Cost:
    """The cost of all its runs. Raises StudyUnavailable."""
    rows = [_run(member.spec.model_copy(update={"name": None})) for member in study.members]
    return Cost(runs=len(rows), macs=sum(row[0] for row in rows), seconds=sum(row[1] for row in rows))
