"""How much of the gap between random and trained weights is the optimiser's: a share for each network. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from core.run.computation import LEAST_SQUARES
from core.studies.contrasts import title
from core.studies.records import QUANTITIES, Record
from core.studies.spec import StudySpec

COMPARED = ("sgd", "adam")


def optimiser_share(study: StudySpec, records: Sequence[Record]) -> str:
    """For each architecture, how far SGD ends below the teacher of the computed network, and how much of that Adam
    makes up, as means over the replicates that have all of it. Empty before there are any."""
    shares = "; ".join(filter(None, (_on(str(net), records) for net in study.values("architecture"))))
    return f"Of the points by which SGD ends below the teacher, Adam makes up: {shares}." if shares else ""


def _on(architecture: str, records: Iterable[Record]) -> str:
    own = [record for record in records if record.spec.architecture == architecture]
    trained = {name: _by_replicate(own, name, "top1") for name in COMPARED}
    taught = _by_replicate(own, LEAST_SQUARES, "teacher")
    shared = sorted(taught.keys() & trained["sgd"].keys() & trained["adam"].keys())
    if not shared:
        return ""
    teacher, sgd, adam = (fmean(values[r] for r in shared) for values in (taught, trained["sgd"], trained["adam"]))
    if sgd >= teacher:
        return f"{title(architecture)}, where SGD reaches the teacher (n = {len(shared)})"
    share = (adam - sgd) / (teacher - sgd)
    return f"{title(architecture)}, {share:.0%} of {teacher - sgd:.1f} (n = {len(shared)})"


def _by_replicate(records: Iterable[Record], optimizer: str, quantity: str) -> dict[int, float]:
    found = {r.spec.replicate: QUANTITIES[quantity].of(r) for r in records if r.spec.recipe.optimizer == optimizer}
    return {replicate: value for replicate, value in found.items() if value is not None}
