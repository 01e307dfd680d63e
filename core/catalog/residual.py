"""The residual networks: CIFAR ResNets and Wide ResNets, and the ImageNet ResNets. Plans only, no torch.

Source: open_lth `models/cifar_resnet.py` and `models/imagenet_resnet.py`, the code base of the paper's authors.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.catalog.normalisation import BATCH, Normalisation
from core.catalog.plan import Block, Convolution, Output, Plan, Pool, Unit

Shape = tuple[int, int, int]


@dataclass
class Drawing:
    """A plan in the making: the `channels` and the side `size` of the image that the next layer gets."""

    channels: int
    size: int
    normalisation: Normalisation

    def unit(
        self,
        name: str,
        outputs: int,
        kernel: int,
        stride: int,
        stage: int,
        *,
        number: str = "",
        shortcut: bool = False,
        bias: bool = False,
    ) -> Unit:
        """The next convolution `NAME.convNUMBER` and its norm; a `shortcut` does not change the next layer's input."""
        size = (self.size + stride - 1) // stride
        unit = Unit(
            Convolution(
                f"{name}.conv{number}",
                self.channels,
                outputs,
                kernel,
                stride,
                size,
                "shortcut" if shortcut else "convolution",
                bias,
            ),
            self.normalisation.layer(f"{name}.norm{number}", outputs, stage, shortcut=shortcut),
        )
        if not shortcut:
            self.channels, self.size = outputs, size
        return unit

    def block(self, name: str, layers: tuple[tuple[int, int, int], ...], stage: int, pool: Pool | None = None) -> Block:
        """A residual block of `layers` (outputs, kernel, stride).

        Its shortcut is the identity where the shape stays the same, else a projection (1x1 convolution and norm).
        """
        if pool:
            self.size = pool.size(self.size)
        outputs, stride = layers[-1][0], max(layer[2] for layer in layers)
        shortcut = None
        if stride != 1 or self.channels != outputs:
            shortcut = self.unit(f"{name}.shortcut", outputs, 1, stride, stage, shortcut=True)
        units = tuple(self.unit(name, *layer, stage, number=str(i)) for i, layer in enumerate(layers, start=1))
        return Block(stage, units, shortcut, pool=pool)


def cifar_plan(
    architecture: str, depth: int, width: int, input_shape: Shape, classes: int, normalisation: Normalisation = BATCH
) -> Plan:
    """A ResNet for small images of 6N+2 layers whose first stage has 16 * `width` channels (He et al., section 4.2).

    Three stages of N basic blocks; the first block of stages 2 and 3 halves the image and has a projection shortcut.
    """
    drawing = Drawing(input_shape[0], input_shape[1], normalisation)
    stem = drawing.unit("stem", 16 * width, 3, 1, 0)
    blocks: list[Block] = []
    for stage in (1, 2, 3):
        outputs = 16 * width * 2 ** (stage - 1)
        for index in range((depth - 2) // 6):
            stride = 2 if stage > 1 and index == 0 else 1
            blocks.append(drawing.block(f"stage{stage}.{index}", ((outputs, 3, stride), (outputs, 3, 1)), stage))
    return Plan(architecture, input_shape, stem, tuple(blocks), Output("output", drawing.channels, classes))


IMAGENET_BLOCKS: dict[int, tuple[int, int, int, int]] = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    200: (3, 24, 36, 3),
}
BOTTLENECK_FROM = 50


def imagenet_plan(
    architecture: str, depth: int, input_shape: Shape, classes: int, normalisation: Normalisation = BATCH
) -> Plan:
    """A ResNet for large images: 7x7 stem of stride 2, 3x3 max-pool, four stages (He et al. 2016, table 1).

    Basic blocks up to depth 34, bottlenecks beyond, with the stride on the 3x3 convolution as in torchvision.
    """
    drawing = Drawing(input_shape[0], input_shape[1], normalisation)
    stem = drawing.unit("stem", 64, 7, 2, 0)
    blocks: list[Block] = []
    for stage, count in enumerate(IMAGENET_BLOCKS[depth], start=1):
        inner = 64 * 2 ** (stage - 1)
        for index in range(count):
            stride = 2 if stage > 1 and index == 0 else 1
            basic = ((inner, 3, stride), (inner, 3, 1))
            bottleneck = ((inner, 1, 1), (inner, 3, stride), (4 * inner, 1, 1))
            layers = basic if depth < BOTTLENECK_FROM else bottleneck
            pool = Pool(3, 2, 1) if (stage, index) == (1, 0) else None
            blocks.append(drawing.block(f"stage{stage}.{index}", layers, stage, pool))
    return Plan(architecture, input_shape, stem, tuple(blocks), Output("output", drawing.channels, classes))
