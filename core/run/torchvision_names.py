"""torchvision's names of a ResNet's tensors, as this project names them; and whether they fit a plan. No torch.

Source: torchvision/models/resnet.py. timm's plain ResNets (resnet18, 34, 50, 101) have the same names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from core.catalog.plan import Plan
from core.catalog.residual import BOTTLENECK_FROM, IMAGENET_BLOCKS

PREFIX = "module."
"""What DistributedDataParallel puts before each name."""
COUNTERS = ".num_batches_tracked"
"""BatchNorm's counters, which other programs store; nothing here reads them."""
OUTPUT = ("output.weight", "output.bias")
SIGNS = ("conv1.weight", "bn1.weight", "layer1.0.conv1.weight", "layer4.0.conv1.weight")
"""Names that all of torchvision's ResNets have, and no network of ours."""
OTHER_DEPTHS: dict[tuple[int, ...], str] = {(3, 8, 36, 3): "resnet152"}
OWN = (
    (re.compile(r"conv1\.(\w+)"), r"stem.conv.\1"),
    (re.compile(r"bn1\.(\w+)"), r"stem.norm.\1"),
    (re.compile(r"layer(\d+)\.(\d+)\.conv(\d)\.(\w+)"), r"stage\1.\2.conv\3.\4"),
    (re.compile(r"layer(\d+)\.(\d+)\.bn(\d)\.(\w+)"), r"stage\1.\2.norm\3.\4"),
    (re.compile(r"layer(\d+)\.(\d+)\.downsample\.0\.(\w+)"), r"stage\1.\2.shortcut.conv.\3"),
    (re.compile(r"layer(\d+)\.(\d+)\.downsample\.1\.(\w+)"), r"stage\1.\2.shortcut.norm.\3"),
    (re.compile(r"fc\.(\w+)"), r"output.\1"),
)

Shapes = Mapping[str, tuple[int, ...]]


def is_torchvision(names: Iterable[str]) -> bool:
    """Whether these are the names of one of torchvision's ResNets."""
    return {name.removeprefix(PREFIX) for name in names}.issuperset(SIGNS)


def own_name(name: str) -> str:
    """`layer1.0.bn2.weight` -> `stage1.0.norm2.weight`; a name of another kind stays as it is."""
    for pattern, own in OWN:
        if found := pattern.fullmatch(name):
            return found.expand(own)
    return name


def architecture_of(names: Iterable[str]) -> str | None:
    """The architecture here whose layers a torchvision file names; None: there is none."""
    blocks = _blocks(names)
    bottleneck = any(re.fullmatch(r"(module\.)?layer1\.0\.conv3\.weight", name) for name in names)
    for depth, counts in IMAGENET_BLOCKS.items():
        if counts == blocks and bottleneck == (depth >= BOTTLENECK_FROM):
            return f"imagenet-resnet-{depth}"
    return None


def misfit(shapes: Shapes, plan: Plan) -> str | None:
    """Why a file with tensors of these `shapes` has torchvision's names, but is not for `plan`; None otherwise.

    The output layer may be missing or have another number of classes. The answer is the rest of a sentence that begins
    with the file.
    """
    if not is_torchvision(shapes):
        return None
    wanted = architecture_of(list(shapes))
    if wanted is None:
        blocks = _blocks(shapes)
        known = OTHER_DEPTHS.get(blocks, f"a ResNet with {', '.join(map(str, blocks))} blocks in its stages")
        return (
            f"has torchvision's names of {known}, which has no architecture here; there are imagenet-resnet-18, -34, "
            "-50 and -101"
        )
    if wanted != plan.architecture:
        return (
            f"has torchvision's names of {wanted.removeprefix('imagenet-').replace('-', '')}: choose the architecture "
            f"{wanted}, not {plan.architecture}"
        )
    own = {own_name(name.removeprefix(PREFIX)): shape for name, shape in shapes.items()}
    for name, shape in _needed(plan):
        there = own.get(name)
        if there is None:
            return f"has torchvision's names, but nothing for {name}"
        if there != shape:
            return _unlike(name, there, shape)
    return None


def _needed(plan: Plan) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of all tensors but those of the output layer, running statistics too."""
    yield from ((parameter.name, parameter.shape) for parameter in plan.parameters if parameter.name not in OUTPUT)
    for unit in plan.units():
        if unit.norm.kind == "batch":
            yield f"{unit.norm.name}.running_mean", (unit.norm.channels,)
            yield f"{unit.norm.name}.running_var", (unit.norm.channels,)


def _unlike(name: str, there: tuple[int, ...], here: tuple[int, ...]) -> str:
    if name == "stem.conv.weight" and there[2:] == here[2:] and there[:1] == here[:1]:
        return f"is for images of {there[1]} channels, and these have {here[1]}"
    return f"has {name} in the shape {list(there)} and not {list(here)} (a wide ResNet, or a ResNeXt?)"


def _blocks(names: Iterable[str]) -> tuple[int, ...]:
    """How many blocks each of the four stages has."""
    found = [re.fullmatch(r"(?:module\.)?layer([1-4])\.(\d+)\.conv1\.weight", name) for name in names]
    places = {(int(match[1]), int(match[2])) for match in found if match}
    return tuple(sum(stage == wanted for stage, _ in places) for wanted in (1, 2, 3, 4))
