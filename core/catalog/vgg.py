"""VGG with BatchNorm for small images. Plans only, no torch.

Source: open_lth `models/cifar_vgg.py`: convolutions with bias, max-pools after stages 1 to 4, one linear layer.
"""

from __future__ import annotations

from core.catalog.model import Misfit
from core.catalog.normalisation import BATCH, Normalisation
from core.catalog.plan import Block, Output, Plan, Pool
from core.catalog.residual import Drawing, Shape

CONVOLUTIONS: dict[int, tuple[int, ...]] = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
CHANNELS = (64, 128, 256, 512, 512)
SMALLEST_IMAGE = 16
"""Four max-pools halve the image four times."""


def vgg_plan(
    architecture: str, depth: int, input_shape: Shape, classes: int, normalisation: Normalisation = BATCH
) -> Plan:
    """VGG-`depth`; its first convolution is the stem and belongs to stage 1. Raises Misfit for small images."""
    if min(input_shape[1:]) < SMALLEST_IMAGE:
        raise Misfit(
            "architecture",
            f"{architecture} needs images of at least {SMALLEST_IMAGE}x{SMALLEST_IMAGE} pixels, got "
            f"{input_shape[1]}x{input_shape[2]}",
        )
    drawing = Drawing(input_shape[0], input_shape[1], normalisation)
    stem = drawing.unit("stem", CHANNELS[0], 3, 1, 1, bias=True)
    blocks: list[Block] = []
    for stage, (count, channels) in enumerate(zip(CONVOLUTIONS[depth], CHANNELS, strict=True), start=1):
        for index in range(1 if stage == 1 else 0, count):
            pool = Pool(2, 2) if index == 0 else None
            if pool:
                drawing.size = pool.size(drawing.size)
            unit = drawing.unit(f"stage{stage}.{index}", channels, 3, 1, stage, number="1", bias=True)
            blocks.append(Block(stage, (unit,), residual=False, pool=pool))
    return Plan(architecture, input_shape, stem, tuple(blocks), Output("output", drawing.channels, classes))
