"""Our differences beside the paper's, in words: what a row of the Paper page and of the findings says.

Differences alone can stand side by side, since ours come from other data and fewer epochs than the paper's accuracies.
Imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from core.catalog.model import Model
from core.catalog.paper import ALTERNATE, Mark
from core.run.spec import RunSpec
from core.studies.catalog.table import STUDIES, named_of, study_spec
from core.studies.named import NamedStudy
from core.studies.records import Record, field
from core.studies.spec import StudySpec
from core.studies.verdicts import Verdict

NONE = "–"
PLAIN = RunSpec.model_validate({"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": 1})
"""A run whose fields are all as the paper has them, but for the network, the policy and the data set."""
SETTINGS = {"cifar-10": "CIFAR-10, 160 epochs, n=5", "imagenet": "ImageNet, 90 epochs"}


class PaperDifference(Model):
    """What the paper has for one of our comparisons, in points."""

    label: str
    value: float


@lru_cache(256)
def paper_differences(name: str) -> tuple[PaperDifference, ...]:
    """The paper's values of the deciding comparisons of study `name`, wherever both sides are known."""
    if name not in STUDIES:
        return ()
    named = STUDIES[name]
    found: dict[tuple[Mark, Mark | None], str] = {}
    for contrast in named.criterion.contrasts(study_spec(name, "paper")):
        more, less = _mark(named, contrast.more), contrast.less is not None and _mark(named, contrast.less)
        if contrast.decides and more and less is not None:
            found.setdefault((more, less or None), contrast.label)
    return tuple(
        PaperDifference(label=label, value=round(more.value - (less.value if less else 0.0), 2))
        for (more, less), label in found.items()
    )


def _mark(named: NamedStudy, where: Mapping[str, object]) -> Mark | None:
    """The mark of one side of a comparison; where several tell the same, the first."""
    fits = (mark for mark in named.marks if _fits(mark, named, where))
    return next(fits, None)


def _fits(mark: Mark, named: NamedStudy, where: Mapping[str, object]) -> bool:
    wanted = dict(where)
    norm = wanted.pop("init.norm", "uniform")
    same_norm = mark.norm == norm or (mark.norm == ALTERNATE and norm != "uniform")
    same = (mark.architecture, mark.policy) == (wanted.pop("architecture"), wanted.pop("policy"))
    usual = all(field(PLAIN, key) == value for key, value in wanted.items())
    return same and same_norm and usual and mark.quantity == named.criterion.quantity_at("paper")


def range_in_words(values: Sequence[float]) -> str:
    """`+21.3`, or of several the least and the greatest: `+3.1 to +9.5`."""
    if not values:
        return NONE
    ends = dict.fromkeys(signed(value) for value in (min(values), max(values)))
    return " to ".join(ends)


def signed(value: float) -> str:
    """-0.04 -> 0.0; 1.25 -> +1.2"""
    text = f"{value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def unit_in_words(verdict: Verdict) -> str:
    """`points`: what a difference of accuracies or shares is measured in."""
    return "points" if verdict.unit.startswith("points") else verdict.unit


def ours_in_words(verdict: Verdict) -> str:
    """The deciding differences, in points; one alone with its interval: `+21.3 (+18.4 to +24.2)`."""
    known = [c for c in verdict.comparisons if c.decides and c.difference]
    text = range_in_words([c.difference.mean for c in known if c.difference])
    if len(known) == 1 and known[0].difference and known[0].difference.low is not None:
        low, high = known[0].ends
        text += f" ({signed(low)} to {signed(high)})"
    return text


def paper_in_words(named: NamedStudy) -> str:
    """The paper's differences in points, or what it says in words; a dash where nothing is known."""
    if named.said:
        return named.said
    return range_in_words([row.value for row in paper_differences(named.name)])


def paper_setting(named: NamedStudy) -> str:
    """`CIFAR-10, 160 epochs, n=5`; empty where nothing is known."""
    if paper_in_words(named) == NONE:
        return ""
    return "; ".join(dict.fromkeys(SETTINGS[mark.dataset] for mark in named.marks)) or SETTINGS["cifar-10"]


def further(study: StudySpec, records: Sequence[Record]) -> str:
    """What the study says beside its verdict; often nothing."""
    more = named_of(study).further
    return more(study, records) if more else ""


def replicates(study: StudySpec, verdict: Verdict) -> int:
    """How many replicates there are of the deciding comparison that has the fewest; before any, the planned number."""
    known = [c.difference.n for c in verdict.comparisons if c.decides and c.difference]
    return min(known, default=study.replicates)


def setting_in_words(study: StudySpec, n: int) -> str:
    """`Fashion-MNIST, 8,000 images, 4 epochs, n=5`. Raises StudyUnavailable."""
    spec = study.members[0].spec
    images = f", {spec.train_examples:,} images" if spec.train_examples else ""
    epochs = "1 epoch" if spec.epochs == 1 else f"{spec.epochs} epochs"
    return f"{spec.data.title}{images}, {epochs}, n={n}"
