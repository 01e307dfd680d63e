"""The architectures by name. Each family turns a name into a plan; none of this imports torch.

Source of the definitions: open_lth `models/cifar_resnet.py`, the code base of the paper's authors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from core.architectures.plan import Block, Convolution, Norm, Output, Plan, Unit
from core.registry import Registry, UnknownName

MAX_DEPTH = 1202
MAX_WIDTH = 32


@dataclass(frozen=True)
class Family:
    """Architectures that differ in one number.

    `pattern` has one group, the number. `check(number)` returns None, or what is wrong with it.
    `featured` are the members that a form lists first.
    """

    name: str
    title: str
    sentence: str
    source: str
    number: str
    pattern: str
    featured: tuple[int, ...]
    check: Callable[[int], str | None]
    shape: Callable[[int], tuple[int, int]]

    def member(self, number: int) -> str:
        """The architecture's name: `resnet-14` for 14."""
        return self.pattern.replace(r"(\d+)", str(number))


def residual_plan(architecture: str, depth: int, width: int, input_shape: tuple[int, int, int], classes: int) -> Plan:
    """A CIFAR ResNet of 6N+2 layers whose first stage has 16 * `width` channels (He et al. 2016, section 4.2).

    Three stages of N basic blocks; the first block of stages 2 and 3 halves the image and has a projection
    shortcut (1x1 convolution of stride 2 and a norm).
    """
    channels, size = 16 * width, input_shape[1]
    stem = Unit(Convolution("stem.conv", input_shape[0], channels, 3, 1, size), Norm("stem.norm", channels, 0))
    blocks: list[Block] = []
    for stage in (1, 2, 3):
        outputs = 16 * width * 2 ** (stage - 1)
        for index in range((depth - 2) // 6):
            stride = 2 if stage > 1 and index == 0 else 1
            size = (size + stride - 1) // stride
            name = f"stage{stage}.{index}"
            units = (
                Unit(
                    Convolution(f"{name}.conv1", channels, outputs, 3, stride, size),
                    Norm(f"{name}.norm1", outputs, stage),
                ),
                Unit(Convolution(f"{name}.conv2", outputs, outputs, 3, 1, size), Norm(f"{name}.norm2", outputs, stage)),
            )
            shortcut = None
            if stride != 1:
                shortcut = Unit(
                    Convolution(f"{name}.shortcut.conv", channels, outputs, 1, stride, size, "shortcut"),
                    Norm(f"{name}.shortcut.norm", outputs, stage, shortcut=True),
                )
            blocks.append(Block(stage, units, shortcut))
            channels = outputs
    return Plan(architecture, input_shape, stem, tuple(blocks), Output("output", channels, classes))


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
            lambda depth: (depth, 1),
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
            lambda width: (14, width),
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
    raise UnknownName(
        f"unknown architecture {shown!r}. Allowed: resnet-DEPTH with depth 6N+2 up to {MAX_DEPTH} "
        f"({', '.join(f'resnet-{d}' for d in FAMILIES['resnet'].featured)}), wrn-14-K with K from 1 to {MAX_WIDTH}."
    )


@lru_cache(maxsize=256)
def plan(name: str, input_shape: tuple[int, int, int] = (3, 32, 32), classes: int = 10) -> Plan:
    """The plan of architecture `name` for images of `input_shape` (channels, height, width).

    Raises UnknownName for a name that is not an architecture.
    """
    family, number = parse(name)
    depth, width = family.shape(number)
    return residual_plan(name, depth, width, input_shape, classes)
