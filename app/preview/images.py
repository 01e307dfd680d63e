"""Whether the images of a run are on this server. Looks for names only, and opens no image."""

from __future__ import annotations

from pathlib import Path

from core.catalog.folder import FolderUnusable, contents_of
from core.run.spec import RunSpec

DOWNLOADS = {"mnist": "12 MB", "fashion-mnist": "31 MB", "cifar-10": "170 MB", "cifar-100": "169 MB", "svhn": "246 MB"}
"""What a run downloads where its images are not here."""
KEPT_AS = {
    "mnist": ("MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-images-idx3-ubyte.gz"),
    "fashion-mnist": ("FashionMNIST/raw/train-images-idx3-ubyte", "FashionMNIST/raw/train-images-idx3-ubyte.gz"),
    "cifar-10": ("cifar-10-batches-py/test_batch", "cifar-10-python.tar.gz"),
    "cifar-100": ("cifar-100-python/test", "cifar-100-python.tar.gz"),
    "svhn": ("test_32x32.mat",),
}
"""Files below the folder of data sets; one of them is there when a data set was downloaded, or put there by hand."""
DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


def data_is_here(dataset: str, data: Path, fashion_mnist: Path | None = None) -> bool:
    """Whether the images of `dataset` are on this machine; if not, a run downloads them when it starts.

    `data` is the folder of ONLYBN_DATA and `fashion_mnist` the one that ONLYBN_FASHION_MNIST names.
    A run that finds a file damaged says so itself.
    """
    places = [data / "datasets" / name for name in KEPT_AS.get(dataset, ())]
    if dataset == "fashion-mnist":
        names = ("train-images-idx3-ubyte.gz", "train-images-idx3-ubyte")
        places += [(fashion_mnist or DEBIAN_FASHION_MNIST) / name for name in names]
    return not places or any(place.is_file() for place in places)


def changed_folder(spec: RunSpec) -> str | None:
    """Why a run on a folder of images would fail here: the folder is gone, or not the one that `spec` was made for."""
    if spec.contents is None:
        return None
    try:
        there = contents_of(spec.dataset)
    except FolderUnusable as error:
        return f"{error}. The run would fail."
    if there.model_copy(update={"size": spec.contents.size}) == spec.contents:
        return None
    return (
        f"{spec.data.title}: the folder here has {there.words} (fingerprint {there.fingerprint}); this run is "
        f"for {spec.contents.words} (fingerprint {spec.contents.fingerprint}) and would fail."
    )
