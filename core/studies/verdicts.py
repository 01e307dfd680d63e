"""What our runs say about a claim: holds here, does not hold here, or not enough runs. Imports no torch.

A test is made of contrasts: "BatchNorm less two random weights, on ResNet-14". Each gives a difference with its
t-interval over replicates, and a rule turns the intervals into a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from core.catalog.model import Model
from core.studies.records import QUANTITIES, Record, matching
from core.studies.spec import StudySpec, StudyUnavailable
from core.studies.statistics import CONFIDENCE, Summary, paired, summary, welch

Outcome = Literal["holds", "fails", "undecided"]
WORDS: dict[Outcome, str] = {
    "holds": "holds here",
    "fails": "does not hold here",
    "undecided": "not enough runs",
}
Rule = Literal["above", "any-above", "within"]
"""above: each deciding difference is positive; any-above: at least one is (Bonferroni's correction); within: each is
at most the margin away from 0."""


@dataclass(frozen=True)
class Contrast:
    """The runs that match `more` less those that match `less`; without `less`, the quantity itself.

    `pairs`: both share everything random except what is compared, so replicates are compared one by one.
    """

    label: str
    more: Mapping[str, object]
    less: Mapping[str, object] | None = None
    pairs: bool = False
    decides: bool = True


@dataclass(frozen=True)
class Criterion:
    """How a claim is put to the test: the quantity, what is compared, and the rule. `margin` is in points."""

    quantity: str
    rule: Rule
    contrasts: Callable[[StudySpec], Sequence[Contrast]]
    margin: float = 0.0
    by_scale: Mapping[str, str] = field(default_factory=dict)

    def quantity_at(self, scale: str) -> str:
        """The quantity at `scale`, which may have its own (ImageNet is judged by top-5)."""
        return self.by_scale.get(scale, self.quantity)


class Compared(Model):
    """One contrast as our runs have it; `difference` is None where runs are missing."""

    label: str
    method: Literal["paired", "Welch", "mean"]
    difference: Summary | None
    confidence: float
    decides: bool


class Verdict(Model):
    """What our runs say: `outcome` in one of three words, why in a sentence, and the numbers it rests on."""

    outcome: Outcome
    words: str
    sentence: str
    unit: str
    comparisons: tuple[Compared, ...]


def judge(criterion: Criterion, study: StudySpec, records: Sequence[Record]) -> Verdict:
    """The verdict of `records`, any number of this study's runs.

    Raises StudyUnavailable where one side of a comparison has two runs of one replicate.
    """
    quantity = QUANTITIES[criterion.quantity_at(study.scale)]
    contrasts = criterion.contrasts(study)
    deciding = sum(contrast.decides for contrast in contrasts)
    confidence = 1 - (1 - CONFIDENCE) / deciding if criterion.rule == "any-above" and deciding else CONFIDENCE

    def values(where: Mapping[str, object]) -> dict[int, float]:
        found: dict[int, Record] = {}
        for record in matching(records, dict(where)):
            if found.setdefault(record.spec.replicate, record) != record:
                raise StudyUnavailable(
                    f"study {study.study}: two different runs are replicate {record.spec.replicate} of "
                    f"{', '.join(map(str, where.values()))}; no comparison can tell which of them counts"
                )
        return {replicate: value for replicate, record in found.items() if (value := quantity.of(record)) is not None}

    def compare(contrast: Contrast) -> Compared:
        difference, method = _difference(contrast, values, confidence)
        return Compared(
            label=contrast.label, method=method, difference=difference, confidence=confidence, decides=contrast.decides
        )

    comparisons = tuple(map(compare, contrasts))
    outcome, sentence = _decide(criterion, [c for c in comparisons if c.decides], quantity.difference)
    return Verdict(
        outcome=outcome,
        words=WORDS[outcome],
        sentence=sentence,
        unit=quantity.difference,
        comparisons=comparisons,
    )


def _difference(
    contrast: Contrast, values: Callable[[Mapping[str, object]], dict[int, float]], confidence: float
) -> tuple[Summary | None, Literal["paired", "Welch", "mean"]]:
    more = values(contrast.more)
    if contrast.less is None:
        return summary(list(more.values()), confidence), "mean"
    less = values(contrast.less)
    if contrast.pairs:
        return paired(more, less, confidence), "paired"
    return welch(list(more.values()), list(less.values()), confidence), "Welch"


def _decide(criterion: Criterion, comparisons: Sequence[Compared], unit: str) -> tuple[Outcome, str]:
    known = [c for c in comparisons if c.difference is not None and c.difference.low is not None]
    if not comparisons or len(known) < len(comparisons):
        missing = [c.label for c in comparisons if c not in known]
        if not missing:
            return "undecided", "Nothing in this grid decides the claim."
        more = f" and {len(missing) - 2} more" if len(missing) > 2 else ""
        return "undecided", f"Two finished replicates on each side are needed of: {', '.join(missing[:2])}{more}."
    outcome = _OUTCOMES[criterion.rule](known, criterion.margin)
    return outcome, _sentence(outcome, criterion, known, unit)


def _ends(compared: Compared) -> tuple[float, float]:
    difference = compared.difference
    assert difference is not None and difference.low is not None and difference.high is not None
    return difference.low, difference.high


def _above(known: Sequence[Compared], margin: float) -> Outcome:
    if all(_ends(c)[0] > margin for c in known):
        return "holds"
    return "fails" if any(_ends(c)[1] < margin for c in known) else "undecided"


def _any_above(known: Sequence[Compared], margin: float) -> Outcome:
    if any(_ends(c)[0] > margin for c in known):
        return "holds"
    return "fails" if all(_ends(c)[1] < margin for c in known) else "undecided"


def _within(known: Sequence[Compared], margin: float) -> Outcome:
    if all(-margin <= _ends(c)[0] and _ends(c)[1] <= margin for c in known):
        return "holds"
    outside = any(_ends(c)[0] > margin or _ends(c)[1] < -margin for c in known)
    return "fails" if outside else "undecided"


_OUTCOMES: dict[Rule, Callable[[Sequence[Compared], float], Outcome]] = {
    "above": _above,
    "any-above": _any_above,
    "within": _within,
}


def _sentence(outcome: Outcome, criterion: Criterion, known: Sequence[Compared], unit: str) -> str:
    shown = _telling(outcome, criterion.rule, known)
    low, high = _ends(shown)
    assert shown.difference is not None
    text = (
        f"{shown.label}: {shown.difference.mean:+.1f} {unit}, interval {low:+.1f} to {high:+.1f} "
        f"({100 * shown.confidence:.4g} %, {shown.method}, n = {shown.difference.n})."
    )
    if len(known) > 1:
        text += f" The least favourable of {len(known)} comparisons." if criterion.rule != "any-above" else ""
    if outcome == "undecided":
        edge = f"±{criterion.margin:g} points" if criterion.rule == "within" else f"{criterion.margin:g}"
        text += f" The interval reaches across {edge}: more replicates or longer runs would decide."
    return text


def _telling(outcome: Outcome, rule: Rule, known: Sequence[Compared]) -> Compared:
    """The comparison that the verdict depends on."""
    if rule == "within":
        return max(known, key=lambda c: max(abs(end) for end in _ends(c)))
    if rule == "any-above":
        return max(known, key=lambda c: _ends(c)[0])
    return min(known, key=lambda c: _ends(c)[1] if outcome == "fails" else _ends(c)[0])
