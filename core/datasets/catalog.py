"""The data sets by name: shapes, classes, counts and sources. Imports no torch; `memory.py` loads the images."""

from __future__ import annotations

from dataclasses import dataclass

from core.registry import Registry


@dataclass(frozen=True)
class DataSet:
    """What is known of a data set without opening it.

    `shape` is (channels, height, width); `mean` and `deviation` are per channel for pixels in [0, 1].
    `flip` and `pad` are its standard augmentation: a random mirror image, and a random crop after
    `pad` black pixels were added on each side.
    """

    name: str
    title: str
    sentence: str
    source: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    train: int
    test: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    flip: bool
    pad: int


DATASETS: Registry[DataSet] = Registry(
    "data set",
    (
        DataSet(
            "digits",
            "Digits",
            "1,797 handwritten digits of 8×8 grey pixels. Needs no download; every fifth image is for testing.",
            "scikit-learn (UCI optical recognition of handwritten digits)",
            (1, 8, 8),
            tuple("0123456789"),
            1438,
            359,
            (0.305,),
            (0.376,),
            flip=False,
            pad=1,
        ),
        DataSet(
            "fashion-mnist",
            "Fashion-MNIST",
            "70,000 photographs of clothes, 28×28 grey pixels: 60,000 to train, 10,000 to test.",
            "Xiao, Rasul, Vollgraf 2017",
            (1, 28, 28),
            ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
            60_000,
            10_000,
            (0.2860,),
            (0.3530,),
            flip=True,
            pad=2,
        ),
        DataSet(
            "cifar-10",
            "CIFAR-10",
            "60,000 colour photographs of 32×32 pixels: 50,000 to train, 10,000 to test. The paper's data set.",
            "Krizhevsky 2009",
            (3, 32, 32),
            ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
            50_000,
            10_000,
            # The authors normalise CIFAR-10 with ImageNet's statistics (open_lth datasets/cifar10.py).
            (0.485, 0.456, 0.406),
            (0.229, 0.224, 0.225),
            flip=True,
            pad=4,
        ),
    ),
)
