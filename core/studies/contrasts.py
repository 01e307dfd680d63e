"""What a criterion compares: functions from a study's grid to its contrasts. Imports no torch.

Each side of a contrast names a value of every axis of the grid, whatever `--set` made of the grid. Otherwise runs of
different kinds would count as replicates of one setting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise, product

from core.catalog.architectures import parse
from core.catalog.initializers import NORM_INITIALIZERS
from core.catalog.normalisation import Normalisation
from core.catalog.policies import policy
from core.catalog.registry import UnknownName
from core.studies.spec import StudySpec, Value
from core.studies.verdicts import Contrast

Contrasts = Callable[[StudySpec], Sequence[Contrast]]
Where = dict[str, Value]


def title(architecture: object) -> str:
    """`ResNet-14`, `WRN-14-4`, `ImageNet ResNet-50` for people."""
    name = str(architecture).replace("imagenet-", "ImageNet ")
    return name.replace("resnet", "ResNet").replace("wrn", "WRN").replace("vgg", "VGG")


def _policy_title(name: object) -> str:
    return policy(str(name)).title


def value_title(field: str, value: object) -> str:
    """A value of an axis, with words that say what it is: `initially γ = 1, β = 0`, `init.weights binary`."""
    if field == "architecture":
        return title(value)
    if field == "policy":
        return _policy_title(value)
    if field == "init.norm" and value in NORM_INITIALIZERS:
        return f"initially {NORM_INITIALIZERS[str(value)].title}"
    if field == "norm.kind":
        return Normalisation.model_validate({"kind": value}).title
    return f"{field} {value}"


def _rest(study: StudySpec, *compared: str) -> list[tuple[Where, str]]:
    """Every combination of values of the axes that are not `compared`, with the end of a label: those that vary."""
    axes = [axis for axis in study.axes if axis.field not in compared]
    found = []
    for values in product(*(axis.values for axis in axes)):
        where = {axis.field: value for axis, value in zip(axes, values, strict=True)}
        words = [value_title(axis.field, where[axis.field]) for axis in axes if len(axis.values) > 1]
        found.append((where, "".join(f", {word}" for word in words)))
    return found


def _trained(study: StudySpec, policy_name: str) -> list[tuple[Where, str]]:
    """`_rest` of all axes but the architecture, with `policy_name` as the policy; empty if the grid lacks it."""
    if policy_name not in study.values("policy"):
        return []
    return [({**where, "policy": policy_name}, words) for where, words in _rest(study, "architecture", "policy")]


def _by_family(nets: Iterable[Value]) -> list[list[str]]:
    """The architectures of each family from the least deep (or wide) to the most; unknown ones are left out."""
    families: dict[str, list[tuple[int, str]]] = {}
    for net in map(str, nets):
        try:
            family, number = parse(net)
        except UnknownName:  # the grid's own error says it better
            continue
        families.setdefault(family.name, []).append((number, net))
    return [[net for _, net in sorted(rows)] for rows in families.values()]


def steps(policy_name: str, *, falling: bool = False) -> Contrasts:
    """For each family in the grid, each architecture less the next less deep (wide) one, in whatever order they are; if
    `falling`, the less deep one less the deeper."""

    def contrasts(study: StudySpec) -> list[Contrast]:
        return [
            Contrast(
                f"{title(more)} minus {title(less)}{words}",
                {**where, "architecture": more},
                {**where, "architecture": less},
            )
            for nets in _by_family(study.values("architecture"))
            for less, more in (pair[::-1] if falling else pair for pair in pairwise(nets))
            for where, words in _trained(study, policy_name)
        ]

    return contrasts


def couples(policy_name: str, couples: Mapping[str, str]) -> Contrasts:
    """For each pair of architectures of which the grid has both, the first less the second."""

    def contrasts(study: StudySpec) -> list[Contrast]:
        nets = study.values("architecture")
        return [
            Contrast(f"{title(a)} minus {title(b)}{words}", {**where, "architecture": a}, {**where, "architecture": b})
            for a, b in couples.items()
            for where, words in _trained(study, policy_name)
            if a in nets and b in nets
        ]

    return contrasts


def policies(
    more: str, less: Sequence[str], also: Sequence[str] = (), decisive: Mapping[str, Value] | None = None
) -> Contrasts:
    """On each architecture, policy `more` less each of `less`; those of `also` are shown but do not decide.

    `decisive`: values of further axes (`init.norm`); comparisons at others are shown but do not decide either.
    """

    def contrasts(study: StudySpec) -> list[Contrast]:
        others = [*((p, True) for p in less), *((p, False) for p in also)]
        rows = product(study.values("architecture"), others, _rest(study, "architecture", "policy"))
        return [
            Contrast(
                f"{_policy_title(more)} minus {_policy_title(other)}, {title(net)}{words}",
                {**where, "architecture": net, "policy": more},
                {**where, "architecture": net, "policy": other},
                pairs=True,
                decides=decides and where.items() >= (decisive or {}).items(),
            )
            for net, (other, decides), (where, words) in rows
            if other in study.values("policy") and more in study.values("policy")
        ]

    return contrasts


def alternatives(policy_name: str, key: str, usual: str) -> Contrasts:
    """On each architecture, each other value of `key` (`init.norm`) less the usual one."""

    def contrasts(study: StudySpec) -> list[Contrast]:
        if policy_name not in study.values("policy") or usual not in study.values(key):
            return []
        others = (value for value in study.values(key) if value != usual)
        rows = product(study.values("architecture"), others, _rest(study, "architecture", "policy", key))
        return [
            Contrast(
                f"{value} minus {usual}, {title(net)}{words}",
                {**where, "architecture": net, "policy": policy_name, key: value},
                {**where, "architecture": net, "policy": policy_name, key: usual},
                pairs=True,
                group=str(value),
            )
            for net, value, (where, words) in rows
        ]

    return contrasts


def alone(policy_name: str) -> Contrasts:
    """On each architecture, the quantity under one policy."""

    def contrasts(study: StudySpec) -> list[Contrast]:
        return [
            Contrast(f"{_policy_title(policy_name)}, {title(net)}{words}", {**where, "architecture": net})
            for net in study.values("architecture")
            for where, words in _trained(study, policy_name)
        ]

    return contrasts
