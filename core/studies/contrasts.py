"""What a criterion compares: functions from a study's grid to its contrasts. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from core.policies import policy
from core.studies.spec import StudySpec
from core.studies.verdicts import Contrast

Contrasts = Callable[[StudySpec], Sequence[Contrast]]


def title(architecture: object) -> str:
    """`ResNet-14`, `WRN-14-4`, `ImageNet ResNet-50` for people."""
    name = str(architecture).replace("imagenet-", "ImageNet ")
    return name.replace("resnet", "ResNet").replace("wrn", "WRN").replace("vgg", "VGG")


def _policy_title(name: object) -> str:
    return policy(str(name)).title


def extremes(policy_name: str) -> Contrasts:
    """The last architecture of the grid (deepest, widest) less the first."""

    def contrasts(study: StudySpec) -> list[Contrast]:
        nets = study.values("architecture")
        if len(nets) < 2:
            return []
        first, last = ({"architecture": net, "policy": policy_name} for net in (nets[0], nets[-1]))
        return [Contrast(f"{title(nets[-1])} less {title(nets[0])}", last, first)]

    return contrasts


def couples(couples: Mapping[str, str]) -> Contrasts:
    """Of each pair of architectures that the grid has both of, the first less the second."""

    def contrasts(study: StudySpec) -> list[Contrast]:
        nets = study.values("architecture")
        return [
            Contrast(f"{title(a)} less {title(b)}", {"architecture": a}, {"architecture": b})
            for a, b in couples.items()
            if a in nets and b in nets
        ]

    return contrasts


def policies(more: str, less: Sequence[str], also: Sequence[str] = ()) -> Contrasts:
    """On each architecture, policy `more` less each of `less`; those of `also` are shown and do not decide."""

    def contrasts(study: StudySpec) -> list[Contrast]:
        rows = product(study.values("architecture"), [*((p, True) for p in less), *((p, False) for p in also)])
        return [
            Contrast(
                f"{_policy_title(more)} less {_policy_title(other)}, {title(net)}",
                {"architecture": net, "policy": more},
                {"architecture": net, "policy": other},
                pairs=True,
                decides=decides,
            )
            for net, (other, decides) in rows
            if other in study.values("policy") and more in study.values("policy")
        ]

    return contrasts


def alternatives(key: str, usual: str) -> Contrasts:
    """On each architecture, each other value of `key` (`init.norm`) less the usual one."""

    def contrasts(study: StudySpec) -> list[Contrast]:
        rows = product(study.values("architecture"), (v for v in study.values(key) if v != usual))
        return [
            Contrast(
                f"{value} less {usual}, {title(net)}",
                {"architecture": net, key: value},
                {"architecture": net, key: usual},
                pairs=True,
            )
            for net, value in rows
        ]

    return contrasts


def alone(policy_name: str) -> Contrasts:
    """On each architecture, the quantity under one policy."""

    def contrasts(study: StudySpec) -> list[Contrast]:
        return [
            Contrast(f"{_policy_title(policy_name)}, {title(net)}", {"architecture": net, "policy": policy_name})
            for net in study.values("architecture")
        ]

    return contrasts
