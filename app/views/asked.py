"""Somebody's own question before anything runs: its runs, its price, its time, and why it would be refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from typing_extensions import TypedDict

from core.run.cost import price
from core.run.spec import RunSpec
from core.studies.asked.question import EVENING_S, MINUTES_S, OwnQuestion
from core.studies.catalog.table import named_of
from core.studies.costs import study_cost
from core.studies.spec import SCALES, Scale, StudySpec
from core.studies.verdicts import LEAST
from jobs.quotas import Cap
from jobs.store.shares.prices import too_expensive

MOST_S = {"minutes": MINUTES_S, "evening": EVENING_S}
"""How long a question of a scale may take on two ordinary cores."""


class TimeView(TypedDict):
    """Seconds of all runs, one after another; `basis` is the source of the speed."""

    low: float
    high: float
    basis: str


class AskedPreview(TypedDict):
    """What a question would run and cost. `price`: of all runs together; `refusal`: why it would be refused, or null.

    `claim`: what is tested, in a sentence, or empty; `question`: itself, ready for POST /api/studies; `yaml`: the same
    as text; `warnings`: one sentence each.
    """

    title: str
    claim: str
    runs: int
    settings: int
    replicates: int
    scale: str
    estimate_s: TimeView
    price: dict[str, float]
    refusal: str | None
    warnings: list[str]
    question: dict[str, Any]
    yaml: str


def asked_preview(study: StudySpec, estimate: Callable[[RunSpec], Any], cap: Cap, largest: Scale) -> AskedPreview:
    """The preview of a question's `study`. `estimate` says how long a run takes; `largest`: see `too_large`."""
    assert study.asked is not None
    specs = [member.spec for member in study.members]
    times, question = [estimate(spec) for spec in specs], OwnQuestion.of(study)
    return {
        "title": study.asked.title,
        "claim": named_of(study).claim,
        "runs": len(specs),
        "settings": len(study.settings),
        "replicates": study.replicates,
        "scale": study.scale,
        "estimate_s": {
            "low": round(sum(time["low"] for time in times), 1),
            "high": round(sum(time["high"] for time in times), 1),
            "basis": times[0]["basis"],
        },
        "price": _total(specs),
        "refusal": too_large(study, largest)
        or next((why for spec in specs if (why := too_expensive(spec, cap))), None),
        "warnings": list(_warnings(study)),
        "question": question.model_dump(mode="json", exclude_defaults=True) | {"replicates": question.replicates},
        "yaml": question.text(),
    }


def too_large(study: StudySpec, largest: Scale) -> str | None:
    """Why visitors may not ask the question on a server that allows scales up to `largest`; None if they may."""
    if SCALES.index(study.scale) <= SCALES.index(largest):
        return None
    return (
        f"This question would take about {_hours(study_cost(study).seconds)} on two ordinary cores; this server runs "
        f"questions of up to {_hours(MOST_S[largest])}. Ask for fewer runs, epochs or images, or run its file on a "
        "machine of your own: python -m core studies run FILE"
    )


def _total(specs: Sequence[RunSpec]) -> dict[str, float]:
    """Processor seconds and bytes of disk of all runs, and the most memory that one of them takes."""
    prices = [price(spec) for spec in specs]
    return {
        "processor_s": round(sum(one.processor_s for one in prices)),
        "memory_bytes": round(max(one.memory_bytes for one in prices)),
        "disk_bytes": round(sum(one.disk_bytes for one in prices)),
    }


def _warnings(study: StudySpec) -> Sequence[str]:
    if study.asked and study.asked.claim and study.replicates < LEAST:
        return [f"A verdict needs {LEAST} replicates; this question has {study.replicates}."]
    return []


def _hours(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"
