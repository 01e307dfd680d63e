"""The data sets by name: shapes, classes, counts and sources. Imports no torch; `memory.py` loads the images."""

from __future__ import annotations

from dataclasses import dataclass

from core.catalog.registry import Registry


@dataclass(frozen=True)
class DataSet:
    """What is known of a data set without opening it.

    `shape` is (channels, height, width); `mean` and `deviation` are per channel for pixels in [0, 1].
    `flip` and `pad` are its standard augmentation: a random mirror image, and a random crop after
    `pad` black pixels were added on each side.
    `variable` names the environment variable that names its folder, where it is streamed from there (`folder.py`);
    of such a data set the counts are those that its folder must have, or 0 where any will do.
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
    variable: str | None = None

    @property
    def streamed(self) -> bool:
        """Whether its images stay on disk and are decoded while it trains; else they lie in memory."""
        return self.variable is not None


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
            IMAGENET_MEAN,
            IMAGENET_DEVIATION,
            flip=True,
            pad=4,
        ),
        DataSet(
            "cifar-100",
            "CIFAR-100",
            "60,000 colour photographs of 100 kinds of things, 32×32 pixels: 50,000 to train, 10,000 to test.",
            "Krizhevsky 2009",
            (3, 32, 32),
            tuple(name.strip() for name in CIFAR_100.split(",")),
            50_000,
            10_000,
            (0.5071, 0.4865, 0.4409),
            (0.2673, 0.2564, 0.2762),
            flip=True,
            pad=4,
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
        ),
        DataSet(
            "imagenet",
            "ImageNet",
            "1.3 million photographs of 1,000 kinds of things, cut to 224×224 pixels. The paper's large data set.",
            "Russakovsky et al. 2015 (ILSVRC 2012)",
            (3, 224, 224),
            tuple(map(str, range(1000))),
            1_281_167,
            50_000,
            IMAGENET_MEAN,
            IMAGENET_DEVIATION,
            flip=True,
            pad=0,
            variable="ONLYBN_IMAGENET",
        ),
        DataSet(
            "folder",
            "Own images",
            "The photographs in a folder of this server, one folder a class.",
            "the folder that ONLYBN_FOLDER names",
            (3, 64, 64),
            (),
            0,
            0,
            IMAGENET_MEAN,
            IMAGENET_DEVIATION,
            flip=True,
            pad=0,
            variable="ONLYBN_FOLDER",
        ),
    ),
)
