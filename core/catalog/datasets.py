"""The data sets by name: what is known about each, where its files are, and what reads them.

Imports no torch. `core/data/memory.py` has the readers of the data sets that are held in memory, by their names here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.catalog.registry import Registry

Reader = Literal["digits", "idx", "cifar", "svhn", "folder"]
"""What turns files into images; `folder` streams them from a folder of class folders during training."""


@dataclass(frozen=True)
class Download:
    """How to get missing files: torchvision's data set `kind` downloads and verifies them.

    `size` is the size of the download. Without a network, a person puts `files` (in words) into `place`, a path below
    the folder of data sets. `kept_as` are paths below the same folder; one of them exists once the data set is there.
    """

    kind: str
    size: str
    files: str
    place: str
    kept_as: tuple[str, ...]


@dataclass(frozen=True)
class DataSet:
    """What is known about a data set without opening it.

    `shape` is (channels, height, width); `mean` and `deviation` are per channel for pixels in [0, 1].
    `flip` and `pad` are its standard augmentation: a random mirror image, and a random crop after
    `pad` black pixels were added on each side.
    `variable` is the environment variable that names a folder with its files, or with a copy of them (copies.py), and
    `installed` is the folder where a system package puts them. A data set without these two and without `download` has
    its files in the project.
    The counts of a streamed data set are those that its folder must have; 0 allows any count.
    `first_half`: how many of the train and of the test images belong to the first half of the classes.
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
    reader: Reader
    download: Download | None = None
    variable: str | None = None
    installed: Path | None = None
    first_half: tuple[int, int] = (0, 0)

    @property
    def streamed(self) -> bool:
        """Whether its images stay on disk and are decoded during training; otherwise they are in memory."""
        return self.reader == "folder"

    @property
    def given(self) -> Path | None:
        """The folder with its files: named by the environment or made by a system package; None if there is neither."""
        if named := os.environ.get(self.variable or ""):
            return Path(named)
        return self.installed if self.installed and self.installed.is_dir() else None


IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""The files of a data set in the format of MNIST."""


def _idx(kind: str, size: str) -> Download:
    """The download of MNIST, or of a data set in its format."""
    listed = ", ".join(f"{name}.gz" for name in IDX_FILES)
    kept_as = (f"{kind}/raw/{IDX_FILES[0]}", f"{kind}/raw/{IDX_FILES[0]}.gz")
    return Download(kind, size, f"the four files {listed}", f"{kind}/raw", kept_as)


# open_lth datasets/imagenet.py and cifar10.py: the authors normalise CIFAR-10 with ImageNet's statistics, too.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
CIFAR_100 = """
apple, aquarium fish, baby, bear, beaver, bed, bee, beetle, bicycle, bottle, bowl, boy, bridge, bus, butterfly, camel,
can, castle, caterpillar, cattle, chair, chimpanzee, clock, cloud, cockroach, couch, crab, crocodile, cup, dinosaur,
dolphin, elephant, flatfish, forest, fox, girl, hamster, house, kangaroo, keyboard, lamp, lawn mower, leopard, lion,
lizard, lobster, man, maple tree, motorcycle, mountain, mouse, mushroom, oak tree, orange, orchid, otter, palm tree,
pear, pickup truck, pine tree, plain, plate, poppy, porcupine, possum, rabbit, raccoon, ray, road, rocket, rose, sea,
seal, shark, shrew, skunk, skyscraper, snail, snake, spider, squirrel, streetcar, sunflower, sweet pepper, table, tank,
telephone, television, tiger, tractor, train, trout, tulip, turtle, wardrobe, whale, willow tree, wolf, woman, worm
"""


DATASETS: Registry[DataSet] = Registry(
    "data set",
    (
        DataSet(
            "digits",
            "Digits",
            "1,797 handwritten digits of 8×8 grey pixels. Needs no download; every fifth image is used for testing.",
            "Alpaydin, Kaynak 1998 (UCI optical recognition of handwritten digits)",
            (1, 8, 8),
            tuple("0123456789"),
            1438,
            359,
            (0.305,),
            (0.376,),
            flip=False,
            pad=1,
            reader="digits",
            first_half=(733, 168),
        ),
        DataSet(
            "mnist",
            "MNIST",
            "70,000 handwritten digits, 28×28 grey pixels: 60,000 to train, 10,000 to test.",
            "LeCun, Cortes, Burges 1998",
            (1, 28, 28),
            tuple("0123456789"),
            60_000,
            10_000,
            (0.1307,),
            (0.3081,),
            flip=False,
            pad=2,
            reader="idx",
            download=_idx("MNIST", "12 MB"),
            variable="ONLYBN_MNIST",
            first_half=(30_596, 5_139),
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
            reader="idx",
            download=_idx("FashionMNIST", "31 MB"),
            variable="ONLYBN_FASHION_MNIST",
            installed=Path("/usr/share/datasets/fashion-mnist"),  # Debian's dataset-fashion-mnist
            first_half=(30_000, 5_000),
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
            IMAGENET_MEAN,
            IMAGENET_DEVIATION,
            flip=True,
            pad=4,
            reader="cifar",
            download=Download(
                "CIFAR10",
                "170 MB",
                "cifar-10-python.tar.gz",
                "",
                ("cifar-10-batches-py/test_batch", "cifar-10-python.tar.gz"),
            ),
            variable="ONLYBN_CIFAR_10",
            first_half=(25_000, 5_000),
        ),
        DataSet(
            "cifar-100",
            "CIFAR-100",
            "60,000 colour photographs of 100 kinds of objects, 32×32 pixels: 50,000 to train, 10,000 to test.",
            "Krizhevsky 2009",
            (3, 32, 32),
            tuple(name.strip() for name in CIFAR_100.split(",")),
            50_000,
            10_000,
            (0.5071, 0.4865, 0.4409),
            (0.2673, 0.2564, 0.2762),
            flip=True,
            pad=4,
            reader="cifar",
            download=Download(
                "CIFAR100",
                "169 MB",
                "cifar-100-python.tar.gz",
                "",
                ("cifar-100-python/test", "cifar-100-python.tar.gz"),
            ),
            variable="ONLYBN_CIFAR_100",
            first_half=(25_000, 5_000),
        ),
        DataSet(
            "svhn",
            "SVHN",
            "99,289 digits of house numbers in photographs, 32×32 colour pixels: 73,257 to train, 26,032 to test.",
            "Netzer et al. 2011, cropped digits without the extra set",
            (3, 32, 32),
            tuple("0123456789"),
            73_257,
            26_032,
            (0.4377, 0.4438, 0.4728),
            (0.1980, 0.2010, 0.1970),
            flip=False,
            pad=4,
            reader="svhn",
            download=Download("SVHN", "246 MB", "train_32x32.mat and test_32x32.mat", "", ("test_32x32.mat",)),
            variable="ONLYBN_SVHN",
            first_half=(45_349, 16_397),
        ),
        DataSet(
            "imagenet",
            "ImageNet",
            "1.3 million photographs of 1,000 kinds of objects, cut to 224×224 pixels. The paper's large data set.",
            "Russakovsky et al. 2015 (ILSVRC 2012)",
            (3, 224, 224),
            tuple(map(str, range(1000))),
            1_281_167,
            50_000,
            IMAGENET_MEAN,
            IMAGENET_DEVIATION,
            flip=True,
            pad=0,
            reader="folder",
            variable="ONLYBN_IMAGENET",
        ),
        DataSet(
            "folder",
            "Image folder",
            "Photographs in a folder on this server, one folder per class.",
            "the folder that ONLYBN_FOLDER names",
            (3, 64, 64),
            (),
            0,
            0,
            IMAGENET_MEAN,
            IMAGENET_DEVIATION,
            flip=True,
            pad=0,
            reader="folder",
            variable="ONLYBN_FOLDER",
        ),
    ),
)
