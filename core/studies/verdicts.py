"""What our runs say about a claim: holds here, does not hold here, or undecided. Imports no torch.

A test is made of contrasts: "BatchNorm less two random weights, on ResNet-14". Each gives a difference with its
t-interval over replicates, and a rule turns the intervals into a verdict.

Where there is no effect, at most 5% of the studies get a verdict. So nothing is decided before all planned replicates
have finished, of which there must be three, or by an interval narrower than one test image allows. Where one contrast
of k is enough to decide, its interval is Bonferroni's, at 1 - 0.05 / k; where all must agree, each may be at 0.95.
`tests/benchmarks/verdicts.py` simulates it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from core.catalog.model import Model
from core.studies.records import NEAR_ZERO, QUANTITIES, Record, matching, zeroed_at
from core.studies.spec import StudySpec, StudyUnavailable
from core.studies.statistics import CONFIDENCE, Summary, floored, paired, summary, welch

Outcome = Literal["holds", "fails", "undecided"]
WORDS: dict[Outcome, str] = {
    "holds": "holds here",
    "fails": "does not hold here",
    "undecided": "undecided",
}
Rule = Literal["above", "any-above", "within"]
"""above: each deciding difference is above the margin; any-above: in at least one group each is; within: each is at
most the margin away from 0."""
LEAST = 3
"""Replicates that a verdict needs."""


@dataclass(frozen=True)
class Contrast:
    """The runs that match `more` less those that match `less`; without `less`, the quantity itself.

    `pairs`: both share everything random except what is compared, so replicates are compared one by one. `group`: for
    the rule any-above.
    """

    label: str
    more: Mapping[str, object]
    less: Mapping[str, object] | None = None
    pairs: bool = False
    decides: bool = True
    group: str = ""


@dataclass(frozen=True)
class Criterion:
    """How a claim is put to the test: the quantity, what is compared, and the rule. `margin` is in points."""

    quantity: str
    rule: Rule
    contrasts: Callable[[StudySpec], Sequence[Contrast]]
    margin: float = 0.0
    by_scale: Mapping[str, str] = field(default_factory=dict)
    own: bool = False
    """Whether it is of a question that is in no file of the catalog."""
    undecided: str = WORDS["undecided"]
    nothing: str = "Nothing in this grid can decide the claim."
    """What is said where nothing is compared."""

    def quantity_at(self, scale: str) -> str:
        """The quantity at `scale`, which may have its own (ImageNet is judged by top-5)."""
        return self.by_scale.get(scale, self.quantity)


class Compared(Model):
    """One contrast as our runs have it; `difference` is None where runs are missing.

    `low` and `high`: the interval at the stricter confidence `one_of_many`, by which a single contrast may decide.
    """

    label: str
    group: str
    method: Literal["paired", "Welch", "mean"]
    difference: Summary | None
    confidence: float
    one_of_many: float
    low: float | None
    high: float | None
    decides: bool

    @property
    def ends(self) -> tuple[float, float]:
        """The interval at `confidence`."""
        assert self.difference and self.difference.low is not None and self.difference.high is not None
        return self.difference.low, self.difference.high

    @property
    def strict(self) -> tuple[float, float]:
        """The interval at `one_of_many`."""
        assert self.low is not None and self.high is not None
        return self.low, self.high


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

    known: dict[int, dict[int, float]] = {}

    def values(where: Mapping[str, object]) -> dict[int, float]:
        if id(where) not in known:
            known[id(where)] = measured(where)
        return known[id(where)]

    def measured(where: Mapping[str, object]) -> dict[int, float]:
        found: dict[int, Record] = {}
        for record in matching(records, dict(where)):
            if found.setdefault(record.spec.replicate, record) != record:
                raise StudyUnavailable(
                    f"study {study.study}: two different runs are replicate {record.spec.replicate} of "
                    f"{', '.join(map(str, where.values()))}; the verdict cannot tell which of them counts"
                )
        return {replicate: value for replicate, record in found.items() if (value := quantity.of(record)) is not None}

    step = max((quantity.step(record) for record in records), default=0.0)
    comparisons = tuple(
        _compared(contrast, values, _one_of_many(criterion.rule, contrast, contrasts), step) for contrast in contrasts
    )
    outcome, sentence = _decide(criterion, study, [c for c in comparisons if c.decides], quantity.difference)
    return Verdict(
        outcome=outcome,
        words=criterion.undecided if outcome == "undecided" else WORDS[outcome],
        sentence=" ".join([sentence, *correction(criterion, comparisons), *notes(criterion, study, records)]),
        unit=quantity.difference,
        comparisons=comparisons,
    )


def correction(criterion: Criterion, comparisons: Sequence[Compared]) -> Iterator[str]:
    """How several comparisons are accounted for; the paper's questions say it on their page."""
    many = [c for c in comparisons if c.decides]
    if not criterion.own or len(many) < 2:
        return
    alone = f"{100 * many[0].one_of_many:.4g}% (Bonferroni’s correction)"
    if criterion.rule == "any-above":
        yield f"Of {len(many)} comparisons, each decides with an interval at {alone}."
    else:
        yield f"All {len(many)} comparisons must agree at 95%; one alone decides against the claim at {alone}."


def notes(criterion: Criterion, study: StudySpec, records: Sequence[Record]) -> Iterator[str]:
    """What a reader of the verdict should know of the runs that it rests on."""
    formats = sorted({record.number_format for record in records if record.number_format})
    if len(formats) > 1:
        yield f"These runs were computed in different number formats: {'; '.join(formats)}."
    ablated = records if criterion.quantity_at(study.scale) == "ablated" else ()
    if any(record.findings for record in ablated) and not any(zeroed_at(record, NEAR_ZERO) for record in ablated):
        yield f"No run has any γ below {NEAR_ZERO:g}, so nothing was set to zero. This says nothing about the claim."


def _one_of_many(rule: Rule, contrast: Contrast, contrasts: Sequence[Contrast]) -> float:
    """The confidence at which this contrast alone may decide, by Bonferroni. Under any-above one group of several may
    decide for the claim, and one contrast of each group against it: the stricter of both serves."""
    deciding = [c for c in contrasts if c.decides]
    many = len(deciding)
    if rule == "any-above":
        many = max(len({c.group for c in deciding}), sum(c.group == contrast.group for c in deciding))
    return 1 - (1 - CONFIDENCE) / max(1, many)


def _compared(
    contrast: Contrast, values: Callable[[Mapping[str, object]], dict[int, float]], one_of_many: float, step: float
) -> Compared:
    difference, method = _difference(contrast, values, CONFIDENCE, step)
    strict, _ = _difference(contrast, values, one_of_many, step)
    return Compared(
        label=contrast.label,
        group=contrast.group,
        method=method,
        difference=difference,
        confidence=CONFIDENCE,
        one_of_many=one_of_many,
        low=strict.low if strict else None,
        high=strict.high if strict else None,
        decides=contrast.decides,
    )


def _difference(
    contrast: Contrast, values: Callable[[Mapping[str, object]], dict[int, float]], confidence: float, step: float
) -> tuple[Summary | None, Literal["paired", "Welch", "mean"]]:
    more = values(contrast.more)
    if contrast.less is None:
        return floored(summary(list(more.values()), confidence), step), "mean"
    less = values(contrast.less)
    if contrast.pairs:
        return floored(paired(more, less, confidence), step), "paired"
    return floored(welch(list(more.values()), list(less.values()), confidence), step), "Welch"


def _decide(criterion: Criterion, study: StudySpec, comparisons: Sequence[Compared], unit: str) -> tuple[Outcome, str]:
    if not comparisons:
        return "undecided", criterion.nothing
    if study.replicates < LEAST:
        return "undecided", f"A verdict needs {LEAST} replicates; this study has {study.replicates}."
    finished = [c.difference.n if c.difference else 0 for c in comparisons]
    if min(finished) < study.replicates:
        waited = [c.label for c, n in zip(comparisons, finished, strict=True) if n < study.replicates]
        more = f" and {len(waited) - 2} more" if len(waited) > 2 else ""
        return "undecided", (
            f"The verdict appears when all {study.replicates} replicates on each side have finished, so that an early "
            f"look decides nothing. Still open: {', '.join(waited[:2])}{more}."
        )
    outcome = _OUTCOMES[criterion.rule](comparisons, criterion.margin)
    return outcome, _sentence(outcome, criterion, comparisons, unit)


def _above(known: Sequence[Compared], margin: float) -> Outcome:
    if all(c.ends[0] > margin for c in known):
        return "holds"
    return "fails" if any(c.strict[1] < margin for c in known) else "undecided"


def _any_above(known: Sequence[Compared], margin: float) -> Outcome:
    groups: dict[str, list[Compared]] = {}
    for compared in known:
        groups.setdefault(compared.group, []).append(compared)
    if any(all(c.strict[0] > margin for c in group) for group in groups.values()):
        return "holds"
    return "fails" if all(any(c.strict[1] < margin for c in group) for group in groups.values()) else "undecided"


def _within(known: Sequence[Compared], margin: float) -> Outcome:
    if all(-margin <= c.ends[0] and c.ends[1] <= margin for c in known):
        return "holds"
    return "fails" if any(c.strict[0] > margin or c.strict[1] < -margin for c in known) else "undecided"


_OUTCOMES: dict[Rule, Callable[[Sequence[Compared], float], Outcome]] = {
    "above": _above,
    "any-above": _any_above,
    "within": _within,
}


def _sentence(outcome: Outcome, criterion: Criterion, known: Sequence[Compared], unit: str) -> str:
    shown = _telling(outcome, criterion.rule, known)
    alone = outcome == "fails" or criterion.rule == "any-above"
    if outcome == "undecided" and not _includes_an_edge(shown.ends, criterion):
        alone = True  # only the wider interval, by which one comparison decides against the claim, leaves it open
    (low, high), confidence = (shown.strict, shown.one_of_many) if alone else (shown.ends, shown.confidence)
    assert shown.difference is not None
    text = (
        f"{shown.label}: {shown.difference.mean:+.1f} {unit} "
        f"({100 * confidence:.4g}% CI {low:+.1f} to {high:+.1f}, {shown.method}, n = {shown.difference.n})."
    )
    if len(known) > 1:
        text += f" This is the least favourable of {len(known)} comparisons." if criterion.rule != "any-above" else ""
    if outcome == "undecided":
        edge = f"±{criterion.margin:g} points" if criterion.rule == "within" else f"{criterion.margin:g}"
        text += f" The interval includes {edge}, so this is undecided. More replicates or longer runs would help."
    return text


def _includes_an_edge(ends: tuple[float, float], criterion: Criterion) -> bool:
    edges = (-criterion.margin, criterion.margin) if criterion.rule == "within" else (criterion.margin,)
    return any(ends[0] <= edge <= ends[1] for edge in edges)


def _telling(outcome: Outcome, rule: Rule, known: Sequence[Compared]) -> Compared:
    """The comparison that the verdict depends on."""
    if rule == "within":
        return max(known, key=lambda c: max(abs(end) for end in c.ends))
    if rule == "any-above":
        groups: dict[str, list[Compared]] = {}
        for compared in known:
            groups.setdefault(compared.group, []).append(compared)
        end = 0 if outcome == "holds" else 1  # else the group that is furthest from being refuted
        best = max(groups.values(), key=lambda group: min(c.strict[end] for c in group))
        return min(best, key=lambda c: c.strict[1] if outcome == "fails" else c.strict[0])
    return min(known, key=lambda c: c.strict[1] if outcome == "fails" else c.ends[0])
