"""What a claim compares: from its words and a study's grid to contrasts. Imports no torch.

Each side of a contrast names a value of every axis of the grid, whatever `--set` made of the grid. Otherwise runs of
different kinds would count as replicates of one setting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise

from core.catalog.architectures import parse
from core.catalog.initializers import NORM_INITIALIZERS
from core.catalog.normalisation import Normalisation
from core.catalog.policies import policy
from core.catalog.registry import UnknownName
from core.catalog.tasks.tasks import task
from core.run.recipe import OPTIMIZERS
from core.studies.asked.claim import Claim, Kind, Value
from core.studies.spec import StudySpec, in_text
from core.studies.verdicts import WORDS, Contrast, Criterion, Rule

Where = dict[str, Value]
Side = Mapping[Value, Where]
RULES: dict[Kind, Rule] = {
    "beats": "above",
    "rises": "above",
    "falls": "above",
    "same": "within",
    "some-beat": "any-above",
    "zero": "within",
}
UNPAIRED = ("architecture", "dataset")
"""Fields that leave nothing random in common: a replicate of one value has no partner among those of another."""


def criterion_of(claim: Claim | None, *, own: bool = False) -> Criterion:
    """How `claim` is tested; None: nothing is claimed. `own`: it is of a question in no file of the catalog."""
    if claim is None:
        nothing = "This question makes no claim: compare the means and their intervals."
        return Criterion("top1", "above", lambda _: (), own=own, undecided="no claim", nothing=nothing)

    def contrasts(study: StudySpec) -> list[Contrast]:
        return list(_MADE[claim.kind](claim, study))

    rule, undecided = RULES[claim.kind], "not enough runs" if own else WORDS["undecided"]
    return Criterion(claim.quantity, rule, contrasts, claim.margin, claim.by_scale, own, undecided)


def title(architecture: object) -> str:
    """`ResNet-14`, `WRN-14-4`, `ImageNet ResNet-50` for people."""
    name = str(architecture).replace("imagenet-", "ImageNet ")
    return name.replace("resnet", "ResNet").replace("wrn", "WRN").replace("vgg", "VGG")


def value_title(field: str, value: object) -> str:
    """A value of an axis, with words that say what it is: `initially γ = 1, β = 0`, `init.weights binary`."""
    if field == "architecture":
        return title(value)
    if field == "policy":
        return policy(str(value)).title
    if field == "init.norm" and value in NORM_INITIALIZERS:
        return f"initially {NORM_INITIALIZERS[str(value)].title}"
    if field == "task":
        return task(str(value)).title.lower()
    if field == "recipe.optimizer":
        return OPTIMIZERS[str(value)]
    if field == "norm.kind":
        return Normalisation.model_validate({"kind": value}).title
    return f"{field} {value if isinstance(value, str) else _plain(value)}"


def side_title(field: str, value: Value) -> str:
    """One side of a comparison: names say by themselves what they are, numbers do not."""
    if field in ("architecture", "policy", "recipe.optimizer"):
        return value_title(field, value)
    return value if isinstance(value, str) else f"{field} {_plain(value)}"


def _plain(value: object) -> str:
    return in_text(value) if isinstance(value, bool | int | float | tuple) or value is None else str(value)


def _groups(claim: Claim, study: StudySpec) -> Iterator[tuple[Side, str]]:
    """The settings by their value of the claim's field, in groups that differ in nothing else; with the end of a label.

    Side by side, the other fields differ along with it, and all settings are one group.
    """
    if any(value not in study.values(field) for field, value in claim.at.items()):
        return
    varying = [axis.field for axis in study.axes if len(axis.values) > 1]
    groups: dict[tuple[Value, ...], dict[Value, Where]] = {}
    for setting in study.settings:
        if any(field in setting and setting[field] != value for field, value in claim.at.items()):
            continue
        rest = () if study.is_paired else tuple(value for field, value in setting.items() if field != claim.field)
        groups.setdefault(rest, {})[setting.get(claim.field)] = setting
    for group in groups.values():
        where = next(iter(group.values()))
        net = [title(where["architecture"])] if "architecture" in where and claim.field != "architecture" else []
        told = [*claim.at, claim.field, "architecture"]
        rest_of = [] if study.is_paired else [field for field in varying if field not in told]
        words = [*net, *(value_title(field, where[field]) for field in rest_of)]
        yield group, "".join(f", {word}" for word in words)


def _decides(claim: Claim, where: Where) -> bool:
    return where.items() >= claim.only.items()


def _less(
    claim: Claim, sides: Side, words: str, more: Value, less: Value, *, decides: bool = True, group: Value = ""
) -> Contrast:
    """`more` less `less`, of `sides` that differ in nothing else."""
    return Contrast(
        f"{side_title(claim.field, more)} minus {side_title(claim.field, less)}{words}",
        sides[more],
        sides[less],
        pairs=claim.field not in UNPAIRED,
        decides=decides and _decides(claim, sides[less]),
        group=str(group),
    )


def _beats(claim: Claim, study: StudySpec) -> Iterator[Contrast]:
    """`value` less each other one; those of `also` are shown but do not decide."""
    for group, words in _groups(claim, study):
        couples = [(a, b, True) for a, b in claim.couples.items()]
        if not couples:
            others = claim.others or tuple(v for v in group if v != claim.value and v not in claim.also)
            rows = [*((value, True) for value in others), *((value, False) for value in claim.also)]
            couples = [(claim.value, other, decides) for other, decides in rows]  # type: ignore[misc]
        for more, less, decides in couples:
            if more in group and less in group:
                yield _less(claim, group, words, more, less, decides=decides)


def _steps(claim: Claim, study: StudySpec) -> Iterator[Contrast]:
    """Each value less the next smaller one, in whatever order they are; falling: the smaller one less the larger."""
    for group, words in _groups(claim, study):
        for ladder in _ladders(claim.field, group):
            for less, more in pairwise(ladder):
                pair = (less, more) if claim.kind == "falls" else (more, less)
                yield _less(claim, group, words, *pair)


def _ladders(field: str, values: Iterable[Value]) -> list[list[Value]]:
    """The values from the smallest to the largest; architectures of each family by depth or width. What has no order is
    left out."""
    if field != "architecture":
        return [[*sorted(value for value in values if isinstance(value, int | float))]]
    families: dict[str, list[tuple[int, Value]]] = {}
    for net in values:
        try:
            family, number = parse(str(net))
        except UnknownName:  # the grid's own error says it better
            continue
        families.setdefault(family.name, []).append((number, net))
    return [[net for _, net in sorted(rows, key=lambda row: row[0])] for rows in families.values()]


def _differences(claim: Claim, study: StudySpec) -> Iterator[Contrast]:
    """Each other value less `value`; without one, every two values."""
    for group, words in _groups(claim, study):
        if claim.value is None:
            pairs: Sequence[tuple[Value, Value]] = [(b, a) for a, b in combinations(claim.others or group, 2)]
        else:
            others = claim.others or tuple(value for value in group if value != claim.value)
            pairs = [(other, claim.value) for other in others]
        for more, less in pairs:
            if more in group and less in group:
                yield _less(claim, group, words, more, less, group=more)


def _alone(claim: Claim, study: StudySpec) -> Iterator[Contrast]:
    """The quantity itself in each setting, or in those with `value`."""
    for group, words in _groups(claim, study):
        for value, setting in group.items():
            if claim.value is None or value == claim.value:
                label = f"{value_title(claim.field, value)}{words}" if claim.field in setting else words[2:]
                yield Contrast(label or "all runs", setting, decides=_decides(claim, setting))


_MADE: dict[Kind, Callable[[Claim, StudySpec], Iterator[Contrast]]] = {
    "beats": _beats,
    "rises": _steps,
    "falls": _steps,
    "same": _differences,
    "some-beat": _differences,
    "zero": _alone,
}
