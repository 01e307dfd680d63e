"""How many parameters each policy trains, from the layers as the papers print them: nothing here calls core.

A layer is (stage, outputs, inputs, side of the filter). Sources: He et al. 2016, section 4.2 and table 1; open_lth
`models/cifar_resnet.py`, `cifar_vgg.py` (whose convolutions have biases), `imagenet_resnet.py`.
"""

from __future__ import annotations

from typing import NamedTuple


class Layer(NamedTuple):
    stage: int
    outputs: int
    inputs: int
    side: int

    @property
    def weights(self) -> int:
        return self.outputs * self.inputs * self.side**2


class Layers(NamedTuple):
    """The convolutions, each with a norm; those of the shortcuts; features and classes; biases of convolutions."""

    main: list[Layer]
    shortcuts: list[Layer]
    features: int
    classes: int = 10
    biased: bool = False

    @property
    def all(self) -> list[Layer]:
        return self.main + self.shortcuts


def _resnet_14(width: int, colours: int) -> Layers:
    a, b, c = 16 * width, 32 * width, 64 * width
    main = [Layer(0, a, colours, 3), *[Layer(1, a, a, 3)] * 4]
    main += [Layer(2, b, a, 3), *[Layer(2, b, b, 3)] * 3, Layer(3, c, b, 3), *[Layer(3, c, c, 3)] * 3]
    return Layers(main, [Layer(2, b, a, 1), Layer(3, c, b, 1)], c)


def _vgg_11(colours: int) -> Layers:
    widths = [(1, 64), (2, 128), (3, 256), (3, 256), (4, 512), (4, 512), (5, 512), (5, 512)]
    inputs = [colours, *(width for _, width in widths)]
    main = [Layer(stage, width, inputs[i], 3) for i, (stage, width) in enumerate(widths)]
    return Layers(main, [], 512, biased=True)


def _imagenet_resnet_18(colours: int) -> Layers:
    main = [Layer(0, 64, colours, 7), *[Layer(1, 64, 64, 3)] * 4]
    for stage, width in ((2, 128), (3, 256), (4, 512)):
        main += [Layer(stage, width, width // 2, 3), *[Layer(stage, width, width, 3)] * 3]
    return Layers(main, [Layer(s, w, w // 2, 1) for s, w in ((2, 128), (3, 256), (4, 512))], 512)


def layers(architecture: str, colours: int) -> Layers:
    return {
        "resnet-14": lambda: _resnet_14(1, colours),
        "wrn-14-4": lambda: _resnet_14(4, colours),
        "vgg-11": lambda: _vgg_11(colours),
        "imagenet-resnet-18": lambda: _imagenet_resnet_18(colours),
    }[architecture]()


ARCHITECTURES = ("resnet-14", "wrn-14-4", "vgg-11", "imagenet-resnet-18")


def expected(architecture: str, policy: str, colours: int = 1) -> int:
    """How many parameters train, 0 where the network has none of the kind. Raises KeyError for an unknown policy."""
    net = layers(architecture, colours)
    channels = sum(layer.outputs for layer in net.all)
    convolutions = sum(layer.weights for layer in net.main)
    shortcuts = sum(layer.weights for layer in net.shortcuts)
    biases = channels if net.biased else 0
    matrix = net.features * net.classes
    output, norm = matrix + net.classes, 2 * channels

    def stage(number: int) -> int:
        return 2 * sum(layer.outputs for layer in net.all if layer.stage == number)

    def scattered(k: int) -> int:
        return sum(min(k, layer.inputs * layer.side**2) * layer.outputs for layer in net.all)

    scores = convolutions + shortcuts + matrix
    # A shortcut or an output layer that trains whole has no scores, but as many weights; the output's biases have none.
    masked = {
        f"supermask{'+batchnorm' * bn}{'+output' * out}{'+shortcut' * cut}": scores + norm * bn + net.classes * out
        for bn in (0, 1)
        for out in (0, 1)
        for cut in (0, 1)
    }

    return {
        **masked,
        "batchnorm": norm,
        "all": convolutions + shortcuts + biases + norm + output,
        "output": output,
        "shortcut": shortcuts,
        "batchnorm+output": norm + output,
        "batchnorm+shortcut": norm + shortcuts,
        "output+shortcut": output + shortcuts,
        "batchnorm+output+shortcut": norm + output + shortcuts,
        "all-but-batchnorm": convolutions + shortcuts + biases + output,
        "gamma": channels,
        "beta": channels,
        "bias": channels + biases + net.classes,
        "batchnorm-stage-1": stage(1),
        "batchnorm-stage-2": stage(2),
        "batchnorm-stage-3": stage(3),
        "random-1": scattered(1),
        "random-2": scattered(2),
        "random-4": scattered(4),
        "random-8": scattered(8),
        "random-16": scattered(16),
        "random-2-layer": scattered(2),
        "none": 0,
    }[policy]
