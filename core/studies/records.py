"""What a verdict needs to know about a finished run, wherever that run is kept. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Literal

from core.catalog.registry import Registry
from core.run.events import Finished
from core.run.findings import Findings
from core.run.layout import kept_bytes
from core.run.spec import RunSpec

NEAR_ZERO = 0.01
"""The paper's threshold below which |γ| counts as disabled."""


FORMATS = {
    "fp32, gradients in bf16": "float32 with gradients in bfloat16",
    "bf16": "bfloat16",
    "fp32": "float32",
}
"""Number formats as engines say them, and as people read them."""


@dataclass(frozen=True)
class Record:
    """A finished run: its spec, its result, its analyses where there are some, how many processes trained it, and what
    computed it, in words."""

    spec: RunSpec
    result: Finished
    findings: Findings | None = None
    processes: int = 1
    engine: str = ""

    @property
    def number_format(self) -> str:
        """The formats of values and gradients; empty where the engine does not say them."""
        if found := re.search(r"fp32, gradients in bf16|\bbf16\b|\bfp32\b", self.engine):
            return FORMATS[found[0]]
        return ""


@dataclass(frozen=True)
class Quantity:
    """Something to measure in a record: `of` returns it in `unit`, or None where the record lacks it.

    `step` is the least change of it that a record can show, such as one test image; `difference` is the unit of a
    difference in words; `short` follows a value of the paper: `32% top-5`.
    """

    name: str
    title: str
    difference: str
    of: Callable[[Record], float | None]
    unit: str = "%"
    short: str = ""
    step: Callable[[Record], float] = lambda record: 0.0
    adapts: bool = False
    """Whether only runs that adapt at their end have it (RunSpec.adapt)."""


def _image(record: Record) -> float:
    """One test image, in percent."""
    return 100 / record.spec.images[1]


def _guessing(record: Record) -> float:
    """The accuracy in percent of guessing among the classes that occur."""
    return 100 / len(record.spec.variant.labels(len(record.spec.data.classes)))


def _disabled(record: Record) -> float | None:
    if record.findings is None:
        return 100 * record.result.disabled
    return 100 * record.findings.gamma.near_zero if record.findings.gamma else None


def _top5(record: Record) -> float | None:
    return None if record.result.top5 is None else 100 * record.result.top5


def _relu_off(record: Record) -> float | None:
    return None if record.findings is None else 100 * record.findings.relu_mostly_off


def _gamma(record: Record, part: Literal["mean", "sd", "negative"]) -> float | None:
    """A statistic of all γ of the network together."""
    if record.findings is None or record.findings.gamma is None:
        return None
    value: float = getattr(record.findings.gamma, part)
    return value


def _negative(record: Record) -> float | None:
    share = _gamma(record, "negative")
    return None if share is None else 100 * share


def _adapted(record: Record, which: str) -> float | None:
    """The accuracy in percent of one of PREDICTIONS, as the mean over the corruptions and severities."""
    rows = [row for row in record.findings.adapted if row.corruption] if record.findings else []
    return fmean(100 * getattr(row, which).share for row in rows) if rows else None


def _gain(record: Record, since: str) -> float | None:
    """How far the accuracy after adaptation is above that of another prediction, in points."""
    before, after = _adapted(record, since), _adapted(record, "entropy")
    return None if before is None or after is None else after - before


def _adapted_image(record: Record) -> float:
    """One test image under one corruption, in points of the mean over all."""
    rows = record.findings.adapted if record.findings else ()
    return 100 / sum(row.images for row in rows if row.corruption) if rows else 0.0


def _condition(record: Record, when: Literal["start", "end"], part: Literal["median", "idle"]) -> float | None:
    """A summary of the Jacobians of γ."""
    jacobian = record.findings and record.findings.jacobian
    summary = getattr(jacobian, when) if jacobian else None
    value: float | None = getattr(summary, part) if summary else None
    return value


def _idle(record: Record, when: Literal["start", "end"]) -> float | None:
    share = _condition(record, when, "idle")
    return None if share is None else 100 * share


def _teacher(record: Record) -> float | None:
    computed = record.findings.computed if record.findings else None
    return 100 * computed.teacher_top1 if computed else None


def _kept(record: Record) -> float:
    """The kilobytes of the values that a capsule of the run has."""
    return kept_bytes(record.spec) / 1000


def change_at(record: Record, epsilon: float) -> float | None:
    """The change of accuracy, in points, when every γ with |γ| < `epsilon` becomes 0."""
    if record.findings is None:
        return None
    return next((100 * row.change for row in record.findings.ablation if row.epsilon == epsilon), None)


def zeroed_at(record: Record, epsilon: float) -> float:
    """The share of γ with |γ| < `epsilon`; 0 where nobody has analysed the run."""
    rows = record.findings.ablation if record.findings else ()
    return next((row.zeroed for row in rows if row.epsilon == epsilon), 0.0)


QUANTITIES: Registry[Quantity] = Registry(
    "quantity",
    (
        Quantity(
            "top1",
            "Test accuracy",
            "points of test accuracy",
            lambda record: 100 * record.result.top1,
            short="top-1",
            step=_image,
        ),
        Quantity("top5", "Top-5 test accuracy", "points of top-5 accuracy", _top5, short="top-5", step=_image),
        Quantity(
            "over-chance",
            "Test accuracy above guessing",
            "points above guessing",
            lambda record: 100 * record.result.top1 - _guessing(record),
            " points",
            short="above guessing",
            step=_image,
        ),
        Quantity("train", "Train accuracy", "points of train accuracy", lambda record: 100 * record.result.train_top1),
        Quantity(
            "disabled", "Disabled features (|γ| < 0.01)", "points of the disabled share", _disabled, short="disabled"
        ),
        Quantity(
            "ablated",
            "Change of accuracy when |γ| < 0.01 becomes 0",
            "points of test accuracy",
            lambda record: change_at(record, NEAR_ZERO),
            " points",
            step=lambda record: 100 / record.findings.test_examples if record.findings else 0.0,
        ),
        Quantity("relu-off", "ReLU channels off for > 99% of the pixels", "points of the share", _relu_off),
        Quantity("gamma-mean", "Mean of γ", "of γ", lambda record: _gamma(record, "mean"), ""),
        Quantity("gamma-sd", "Standard deviation of γ", "of γ", lambda record: _gamma(record, "sd"), ""),
        Quantity("gamma-negative", "Negative γ", "points of the share", _negative),
        *(
            Quantity(name, title, "points of test accuracy", partial(_adapted, which=which), adapts=True)
            for name, which, title in (
                ("corrupted", "trained", "Accuracy on corrupted images, as trained"),
                ("test-statistics", "statistics", "Accuracy with the statistics of these images"),
                ("adapted", "entropy", "Accuracy with γ and β adapted, too"),
            )
        ),
        *(
            Quantity(name, title, "points", partial(_gain, since=since), " points", "", _adapted_image, adapts=True)
            for name, since, title in (
                ("adapt-gain", "trained", "Gain by adapting statistics, γ and β"),
                ("entropy-gain", "statistics", "Gain by adapting γ and β, beyond statistics"),
            )
        ),
        Quantity("teacher", "Test accuracy of the teacher", "points of test accuracy", _teacher, step=_image),
        Quantity("kept", "Kilobytes a task: what trained, and running statistics", "kB", _kept, " kB"),
        Quantity(
            "condition-start",
            "Condition number of γ before the first step (median of the layers)",
            "of the condition number",
            lambda record: _condition(record, "start", "median"),
            "",
        ),
        Quantity(
            "condition-end",
            "Condition number of γ after the last step (median of the layers)",
            "of the condition number",
            lambda record: _condition(record, "end", "median"),
            "",
        ),
        Quantity(
            "idle-start",
            "Directions of γ that change no logit before the first step",
            "points of the share",
            lambda record: _idle(record, "start"),
        ),
        Quantity(
            "idle-end",
            "Directions of γ that change no logit after the last step",
            "points of the share",
            lambda record: _idle(record, "end"),
        ),
    ),
)


def matching(records: Iterable[Record], where: dict[str, object]) -> list[Record]:
    """Those of `records` whose spec has these values; a key may be dotted (`init.norm`)."""
    return [record for record in records if all(field(record.spec, key) == value for key, value in where.items())]


def field(spec: RunSpec, key: str) -> object:
    """The value of a dotted field of `spec`."""
    found: object = spec
    for part in key.split("."):
        found = getattr(found, part)
    return found
