"""Data sets: the real loading code on real data and on small files in the same formats; augmentation."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import struct
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

from core.catalog.datasets import DATASETS, IDX_FILES, Reader
from core.data import memory
from core.data.augmentation import Shifts, draw_shifts, normalise, shift
from core.data.memory import DataUnavailable, load
from core.draws.versions import drawn
from core.run.events import Failed
from core.run.spec import RunSpec
from core.training.loop import train


def write_idx(folder: Path, name: str, values: np.ndarray[Any, Any]) -> None:
    header = b"\x00\x00\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    (folder / f"{name}.gz").write_bytes(gzip.compress(header + values.astype(np.uint8).tobytes(), 1))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """All image data sets with 20 + 10 images."""
    table = {name: data if name == "digits" else replace(data, train=20, test=10) for name, data in DATASETS.items()}
    monkeypatch.setattr(memory, "DATASETS", table)


@pytest.fixture
def fashion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None) -> Path:
    rng = np.random.default_rng(0)
    for prefix, count in (("train", 20), ("t10k", 10)):
        write_idx(tmp_path, f"{prefix}-images-idx3-ubyte", rng.integers(0, 256, (count, 28, 28)))
        write_idx(tmp_path, f"{prefix}-labels-idx1-ubyte", np.arange(count) % 10)
    monkeypatch.setenv("ONLYBN_FASHION_MNIST", str(tmp_path))
    return tmp_path


def test_digits_are_here() -> None:
    train_split, test_split = load("digits", Path("nowhere"))
    assert (len(train_split), len(test_split)) == (1438, 359)
    assert train_split.images.dtype == torch.uint8 and int(train_split.images.max()) == 255
    assert sorted(set(test_split.labels.tolist())) == list(range(10))


def test_they_are_scikit_learns_digits() -> None:
    """Bit for bit what `load_digits` of scikit-learn 1.9.1 gives, scaled and split as below; as hashed with it."""
    table = np.loadtxt(memory.DIGITS, delimiter=",", dtype=np.uint8)
    raw = np.ascontiguousarray(table[:, :64]), table[:, 64].astype(np.int64)
    assert [hashlib.sha256(part.tobytes()).hexdigest() for part in raw] == [
        "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3",
        "a3c91c262eddcf7ba8f0e37507c30284493c9b20412ffe4af30d536401f7ba21",
    ]
    split = [tensor for part in load("digits", Path("nowhere")) for tensor in (part.images, part.labels)]
    assert [hashlib.sha256(tensor.numpy().tobytes()).hexdigest() for tensor in split] == [
        "7e4a10b8ab64bd5e1e08f8815901758e7896368a221c648e7744cd1a16e4637a",
        "d88bc14b5455324ff8c5b13f3d3dbf61f9f2fed107c1bdae032e8506d4ff6116",
        "ff652b6f02dc1ac62679e4d1be62c61d30721beae84fa43f2691c7a0e858f1ab",
        "5b60d960d691c63f4e10de32b748c8dadcfa8c4000d9b6fe5efbd78200686ddc",
    ]


@pytest.mark.skipif(not DATASETS["fashion-mnist"].given, reason="Debian's dataset-fashion-mnist is not installed")
def test_debians_fashion_mnist() -> None:
    train_split, test_split = load("fashion-mnist", Path("nowhere"))
    assert tuple(train_split.images.shape) == (60_000, 1, 28, 28)
    assert torch.bincount(test_split.labels).tolist() == [1000] * 10
    data = DATASETS["fashion-mnist"]
    pixels = train_split.images[:20_000].float() / 255
    assert float(pixels.mean()) == pytest.approx(data.mean[0], abs=0.003)
    assert float(pixels.std()) == pytest.approx(data.deviation[0], abs=0.003)


def test_fashion_mnist_from_a_named_folder(fashion: Path) -> None:
    train_split, test_split = load("fashion-mnist", Path("nowhere"))
    assert tuple(train_split.images.shape) == (20, 1, 28, 28)
    assert test_split.labels.tolist() == list(range(10))


@pytest.mark.parametrize("damage", ["absent", "cut", "foreign", "wrong count"])
def test_a_damaged_file_is_explained(fashion: Path, damage: str) -> None:
    path = fashion / "train-images-idx3-ubyte.gz"
    if damage == "absent":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "foreign":
        path.write_bytes(gzip.compress(b"not an idx file at all"))
    else:
        write_idx(fashion, "train-images-idx3-ubyte", np.zeros((7, 28, 28)))
    with pytest.raises(DataUnavailable, match="Fashion-MNIST"):
        load("fashion-mnist", Path("nowhere"))


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


CIFAR = {
    "cifar-10": ("CIFAR10", "labels", [f"data_batch_{number}" for number in range(1, 6)], "test_batch", "batches.meta"),
    "cifar-100": ("CIFAR100", "fine_labels", ["train"], "test", "meta"),
}


def write_cifar(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `cifar-...-python.tar.gz` of 20 + 10 images, and its checksums in place of the real ones."""
    from torchvision import datasets

    kind_name, labels, train_names, test_name, meta = CIFAR[name]
    kind = getattr(datasets, kind_name)
    base = folder / "make" / kind.base_folder
    base.mkdir(parents=True)
    rng = np.random.default_rng(1)
    classes = len(DATASETS[name].classes)
    for file in (*train_names, test_name):
        count = 10 if file == test_name else 20 // len(train_names)
        numbers = [(classes - 1 - i) % classes for i in range(count)]
        batch = {"data": rng.integers(0, 256, (count, 3072), dtype=np.uint8), labels: numbers}
        if name == "cifar-100":
            batch["coarse_labels"] = [0] * count
        (base / file).write_bytes(pickle.dumps(batch))
    (base / meta).write_bytes(pickle.dumps({kind.meta["key"]: list(DATASETS[name].classes)}))
    archive = folder / kind.filename
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(base, arcname=kind.base_folder)
    monkeypatch.setattr(kind, "tgz_md5", md5(archive))
    monkeypatch.setattr(kind, "train_list", [[file, md5(base / file)] for file in train_names])
    monkeypatch.setattr(kind, "test_list", [[test_name, md5(base / test_name)]])
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": md5(base / meta)})
    monkeypatch.setattr(kind, "url", f"http://127.0.0.1:9/{kind.filename}")
    return archive


@pytest.mark.parametrize("name", CIFAR)
def test_cifar_from_its_archive(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None) -> None:
    archive = write_cifar(name, tmp_path, monkeypatch)
    train_split, test_split = load(name, tmp_path)
    assert tuple(train_split.images.shape) == (20, 3, 32, 32) and len(test_split) == 10
    file = tmp_path / archive.name.removesuffix(".tar.gz").replace("cifar-10-python", "cifar-10-batches-py")
    first = pickle.loads((file / CIFAR[name][2][0]).read_bytes())["data"][0]
    assert torch.equal(train_split.images[0].flatten(), torch.from_numpy(first)), "channels, rows, columns"
    highest = len(DATASETS[name].classes) - 1
    assert test_split.labels.tolist() == list(range(highest, highest - 10, -1))


@pytest.mark.parametrize("name", CIFAR)
def test_a_wrong_checksum_and_a_failed_download_are_explained(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None
) -> None:
    archive = write_cifar(name, tmp_path, monkeypatch)
    archive.write_bytes(archive.read_bytes()[:-10] + b"0123456789")
    run = RunSpec(architecture="resnet-8", policy="batchnorm", dataset=name, epochs=1)
    failed = list(train(run, data_folder=tmp_path))[-1]
    assert isinstance(failed, Failed) and failed.kind == "data_unavailable"
    assert failed.message.startswith(f"{DATASETS[name].title} could not be downloaded or read")
    assert f"put {archive.name} into {tmp_path}" in failed.message
    assert "Traceback" not in failed.message


def place_svhn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`train_32x32.mat` and `test_32x32.mat` of 20 + 10 images, which `savemat` of SciPy 1.17.1 wrote compressed: the
    pixel at row y, column x of colour c of image n is 7y + 3x + 50c + 11n, modulo 256."""
    from torchvision import datasets

    listed = {}
    for split in ("train", "test"):
        path = folder / f"{split}_32x32.mat"
        path.write_bytes((Path(__file__).with_name("svhn") / path.name).read_bytes())
        listed[split] = [f"http://127.0.0.1:9/{path.name}", path.name, md5(path)]
    monkeypatch.setattr(datasets.SVHN, "split_list", listed)


def test_svhn_from_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None) -> None:
    place_svhn(tmp_path, monkeypatch)
    train_split, test_split = load("svhn", tmp_path)
    c, y, x = np.ogrid[:3, :32, :32]
    assert train_split.images[3].tolist() == ((7 * y + 3 * x + 50 * c + 33) % 256).tolist()
    assert train_split.images.dtype == torch.uint8 and train_split.images.is_contiguous()
    assert test_split.labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0], "the files say 10 for the digit 0"


@pytest.mark.parametrize("damage", ["absent", "cut"])
def test_svhn_says_which_files_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None, damage: str
) -> None:
    place_svhn(tmp_path, monkeypatch)
    path = tmp_path / "test_32x32.mat"
    path.unlink() if damage == "absent" else path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataUnavailable, match=rf"put train_32x32\.mat and test_32x32\.mat into {tmp_path} and"):
        load("svhn", tmp_path)


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None) -> Path:
    """The data folder with the four files of MNIST, as one puts them there by hand."""
    from torchvision import datasets

    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(3)
    for prefix, count in (("train", 20), ("t10k", 10)):
        write_idx(raw, f"{prefix}-images-idx3-ubyte", rng.integers(0, 256, (count, 28, 28)))
        write_idx(raw, f"{prefix}-labels-idx1-ubyte", np.arange(count) % 10)
    monkeypatch.setattr(datasets.MNIST, "resources", [(f"{n}.gz", md5(raw / f"{n}.gz")) for n in IDX_FILES])
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    return tmp_path


def test_mnist_from_its_files(mnist: Path) -> None:
    packed = gzip.decompress((mnist / "MNIST" / "raw" / "train-images-idx3-ubyte.gz").read_bytes())
    train_split, test_split = load("mnist", mnist)
    assert train_split.images.flatten().numpy().tobytes() == packed[16:]
    assert test_split.labels.tolist() == list(range(10))
    assert len(load("mnist", mnist)[0]) == 20, "a second time from the unpacked files"


@pytest.mark.parametrize("damage", ["absent", "cut", "wrong count"])
def test_mnist_says_which_files_it_needs(mnist: Path, damage: str) -> None:
    raw = mnist / "MNIST" / "raw"
    path = raw / "train-images-idx3-ubyte.gz"
    if damage == "absent":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    else:
        load("mnist", mnist)
        (raw / "train-images-idx3-ubyte").write_bytes(b"\x00\x00\x08\x03" + struct.pack(">3I", 2, 28, 28) + bytes(1568))
    with pytest.raises(DataUnavailable) as caught:
        load("mnist", mnist)
    if damage == "wrong count":
        assert "MNIST is damaged: expected 20 images" in str(caught.value)
    else:
        assert f"t10k-labels-idx1-ubyte.gz into {raw}" in str(caught.value) and "\n" not in str(caught.value)


def test_a_subset_is_always_the_same_one() -> None:
    split, _ = load("digits", Path("nowhere"))
    for version in (1, 2):
        assert torch.equal(split.first(100, version).images, split.first(200, version).images[:100])
    assert not torch.equal(split.first(100, 1).images, split.first(100, 2).images)
    assert len(split.first(None, 2)) == len(split)


def test_a_shift_is_a_crop_of_the_padded_and_mirrored_image() -> None:
    images = torch.arange(2 * 3 * 6 * 6, dtype=torch.uint8).view(2, 3, 6, 6)
    moved = shift(images, Shifts(torch.tensor([False, True]), torch.tensor([0, 2]), torch.tensor([3, 1])), pad=2)
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    assert torch.equal(moved[0], padded[0, :, 0:6, 3:9])
    assert torch.equal(moved[1], padded[1, :, 2:8, 1:7].flip(-1))
    same = shift(images, Shifts(torch.tensor([False, False]), torch.tensor([2, 2]), torch.tensor([2, 2])), pad=2)
    assert torch.equal(same, images)


def test_shifts_follow_from_seed_and_epoch() -> None:
    data = DATASETS["fashion-mnist"]
    one, again, other = (draw_shifts(data, 1000, drawn(2, 7, epoch)) for epoch in (3, 3, 4))
    assert torch.equal(one.top, again.top) and not torch.equal(one.top, other.top)
    assert sorted(set(one.left.tolist())) == list(range(2 * data.pad + 1))
    assert 400 < int(one.mirrored.sum()) < 600
    assert not draw_shifts(DATASETS["digits"], 100, drawn(2, 7, 0)).mirrored.any(), "a mirrored digit is another thing"


@pytest.mark.parametrize("name", DATASETS)
def test_normalised_images(name: str) -> None:
    data = DATASETS[name]
    images = torch.randint(0, 256, (4, *data.shape), dtype=torch.uint8)
    out = normalise(images, data)
    expected = (images.double() / 255 - torch.tensor(data.mean).view(-1, 1, 1)) / torch.tensor(data.deviation).view(
        -1, 1, 1
    )
    assert torch.allclose(out.double(), expected, atol=1e-5)
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_the_table_is_whole() -> None:
    in_memory = [name for name, data in DATASETS.items() if not data.streamed]
    assert {*memory.READERS, "folder"} == {data.reader for data in DATASETS.values()} == set(get_args(Reader))
    assert len(set(DATASETS["cifar-100"].classes)) == 100
    for name in in_memory:
        data = DATASETS[name]
        assert len(data.mean) == len(data.deviation) == data.shape[0]
    assert [name for name, data in DATASETS.items() if data.flip] == [
        "fashion-mnist",
        "cifar-10",
        "cifar-100",
        "imagenet",
        "folder",
    ], "a mirrored digit is another thing"
