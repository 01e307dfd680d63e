"""How many random weights a channel do as well as BatchNorm: a number with an interval. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log2

from core.studies.records import Record
from core.studies.spec import StudySpec
from core.studies.statistics import summary

RANDOM = re.compile(r"random-(\d+)")


def crossing(target: float, accuracies: Mapping[int, float]) -> float | None:
    """Where accuracy first reaches `target` as k grows, between two neighbours linear in log2 k; None if it never does
    between the least and the greatest k."""
    ks = sorted(accuracies)
    for less, more in pairwise(ks):
        low, high = accuracies[less], accuracies[more]
        if low <= target < high:
            return float(2 ** (log2(less) + (target - low) / (high - low) * (log2(more) - log2(less))))
    return None


def matching(study: StudySpec, records: Sequence[Record]) -> str:
    """For each architecture, k in words: `ResNet-14: 9.3 random weights a channel (7.1 to 12.2, n = 3) ...`.

    Each replicate gives one k; the mean and its 95% t-interval are those of log2 k. Empty before there are replicates.
    """
    return " ".join(filter(None, (_on(str(net), records) for net in study.values("architecture"))))


def _on(architecture: str, records: Sequence[Record]) -> str:
    own = [record for record in records if record.spec.architecture == architecture]
    targets = {r.spec.replicate: r.result.top1 for r in own if r.spec.policy == "batchnorm"}
    curves: dict[int, dict[int, float]] = {}
    for record in own:
        if found := RANDOM.fullmatch(record.spec.policy):
            curves.setdefault(record.spec.replicate, {})[int(found[1])] = record.result.top1
    both = sorted(targets.keys() & curves.keys())
    if len(both) < 2:
        return ""
    title = architecture.replace("resnet", "ResNet")
    reached = [crossing(targets[replicate], curves[replicate]) for replicate in both]
    if any(k is None for k in reached):
        most = max(max(curve) for curve in curves.values())
        never = sum(k is None and targets[r] >= max(curves[r].values()) for r, k in zip(both, reached, strict=True))
        return (
            f"On {title}, {never} of {len(both)} replicates stay below BatchNorm with up to {most} random weights per "
            "channel, so the number that matches it is unknown."
        )
    logs = summary([log2(k) for k in reached if k])
    assert logs and logs.low is not None and logs.high is not None
    mean, low, high = (2**value for value in (logs.mean, logs.low, logs.high))
    return (
        f"On {title}, {mean:.1f} random weights per channel do as well as γ and β "
        f"(95% interval {low:.1f} to {high:.1f}, n = {logs.n})."
    )
