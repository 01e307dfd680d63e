"""The architectures by name. Each family turns a name into a plan; none of this imports torch.

Source of the definitions: open_lth `models/`, the code base of the paper's authors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from core.catalog.cache import cached
from core.catalog.normalisation import BATCH, Normalisation
from core.catalog.plan import Plan
from core.catalog.registry import Registry, UnknownName
from core.catalog.residual import IMAGENET_BLOCKS, Shape, cifar_plan, imagenet_plan
from core.catalog.vgg import CONVOLUTIONS, vgg_plan

MAX_DEPTH = 1202
MAX_WIDTH = 32
PLANS_BYTES = 24 << 20
"""The most that the plans kept in memory may take: 14 of the deepest, or 800 of ResNet-14."""
UNIT_BYTES = 1400
"""What a plan takes for each convolution, with its norm and their parameters."""


@dataclass(frozen=True)
class Family:
    """Architectures that differ in one number.

    `pattern` has one group, the number. `check(number)` returns None, or what is wrong with the number.
    `featured` are the members that a form lists first. `draw(name, number, input_shape, classes, normalisation)`
    makes the plan; it raises ValueError for images that the family cannot take.
    """

    name: str
    title: str
    sentence: str
    source: str
    number: str
    pattern: str
    featured: tuple[int, ...]
    check: Callable[[int], str | None]
    draw: Callable[[str, int, Shape, int, Normalisation], Plan]

    def member(self, number: int) -> str:
        """The architecture's name: `resnet-14` for 14."""
        return self.pattern.replace(r"(\d+)", str(number))

    @property
    def template(self) -> str:
        """The name with N for the number: `resnet-N`."""
        return self.pattern.replace(r"(\d+)", "N")


def _check_depth(depth: int) -> str | None:
    if depth >= 8 and depth <= MAX_DEPTH and depth % 6 == 2:
        return None
    below = max(8, min(MAX_DEPTH, depth - (depth - 2) % 6))
    above = min(MAX_DEPTH, below + 6) if depth > below else below
    nearest = " and ".join(f"resnet-{d}" for d in sorted({below, above}))
    return f"depth must be 6N+2 from 8 to {MAX_DEPTH}, got {depth}; nearest: {nearest}"


def _check_width(width: int) -> str | None:
    if 1 <= width <= MAX_WIDTH:
        return None
    return f"width must be 1..{MAX_WIDTH}, got {width}; nearest: wrn-14-{min(max(width, 1), MAX_WIDTH)}"


def _check_listed(prefix: str, listed: tuple[int, ...], depth: int) -> str | None:
    if depth in listed:
        return None
    nearest = min(listed, key=lambda known: abs(known - depth))
    return f"depth must be one of {', '.join(map(str, listed))}, got {depth}; nearest: {prefix}-{nearest}"


FAMILIES: Registry[Family] = Registry(
    "architecture family",
    (
        Family(
            "resnet",
            "ResNet",
            "Residual network for small images: three stages of 16, 32 and 64 channels, depth 6N+2.",
            "He et al. 2016, section 4.2; open_lth models/cifar_resnet.py",
            "depth",
            r"resnet-(\d+)",
            (14, 20, 32, 44, 56, 110, 218, 434, 866),
            _check_depth,
            lambda name, depth, *rest: cifar_plan(name, depth, 1, *rest),
        ),
        Family(
            "wrn",
            "Wide ResNet",
            "ResNet-14 with k times as many channels in every layer.",
            "Zagoruyko and Komodakis 2016; open_lth cifar_resnet_14_W",
            "width",
            r"wrn-14-(\d+)",
            (1, 2, 4, 8, 16, 32),
            _check_width,
            lambda name, width, *rest: cifar_plan(name, 14, width, *rest),
        ),
        Family(
            "vgg",
            "VGG",
            "Plain network without shortcuts: five stages of 64 to 512 channels with max-pooling in between.",
            "Simonyan and Zisserman 2015; open_lth models/cifar_vgg.py",
            "depth",
            r"vgg-(\d+)",
            tuple(CONVOLUTIONS),
            partial(_check_listed, "vgg", tuple(CONVOLUTIONS)),
            vgg_plan,
        ),
        Family(
            "imagenet-resnet",
            "ImageNet ResNet",
            "Residual network for large images: a stem that shrinks them fourfold, then four stages.",
            "He et al. 2016, table 1; open_lth models/imagenet_resnet.py",
            "depth",
            r"imagenet-resnet-(\d+)",
            tuple(IMAGENET_BLOCKS),
            partial(_check_listed, "imagenet-resnet", tuple(IMAGENET_BLOCKS)),
            imagenet_plan,
        ),
    ),
)

FEATURED: tuple[str, ...] = tuple(family.member(n) for family in FAMILIES.values() for n in family.featured)


def parse(name: str) -> tuple[Family, int]:
    """The family of architecture `name` and its number (depth or width).

    Raises UnknownName, whose message names what is allowed: the families, or the nearest valid members.
    """
    for family in FAMILIES.values():
        match = re.fullmatch(family.pattern, name)
        if match is None or len(match[1]) > 6 or match[1] != str(int(match[1])):
            continue
        if problem := family.check(int(match[1])):
            raise UnknownName(f"unknown architecture {name!r}: {problem}.")
        return family, int(match[1])
    shown = name if len(name) <= 60 else f"{name[:57]}..."
    members = "; ".join(f"{family.template} ({', '.join(map(str, family.featured))})" for family in FAMILIES.values())
    raise UnknownName(f"unknown architecture {shown!r}. Allowed, with N: {members}.")


@cached(PLANS_BYTES, lambda plan: UNIT_BYTES * len(plan.convolutions))
def plan(name: str, input_shape: Shape = (3, 32, 32), classes: int = 10, normalisation: Normalisation = BATCH) -> Plan:
    """The plan of architecture `name` for images of `input_shape` (channels, height, width).

    Raises UnknownName for a name that is not an architecture, ValueError for images that it cannot take.
    """
    family, number = parse(name)
    return family.draw(name, number, input_shape, classes, normalisation)
