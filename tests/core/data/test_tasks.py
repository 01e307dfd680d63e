"""Tasks: exact variants of a data set, the same network for all, and older specs as they were."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from core.catalog.datasets import DATASETS
from core.catalog.model import Misfit
from core.catalog.registry import UnknownName
from core.catalog.tasks.tasks import TASKS, task
from core.data.augmentation import pixels
from core.data.batches import batches
from core.data.memory import load
from core.data.tasks import of_task, seen
from core.network.freezing import draw_network
from core.network.tensors import digest_of
from core.run.spec import STORED, RunSpec
from tests.core.draws import plain
from tests.core.training.test_loop import spec

CPU = torch.device("cpu")
IMAGES = torch.arange(2 * 3 * 16, dtype=torch.uint8).view(2, 3, 4, 4)


def test_a_quarter_turn_is_counter_clockwise_and_four_are_none() -> None:
    point = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    point[0, 0, 0, 3] = 9  # top right
    assert seen(point, task("rotated-1"))[0, 0, 0, 0] == 9, "top left"
    assert torch.equal(seen(seen(IMAGES, task("rotated-1")), task("rotated-3")), IMAGES)
    assert torch.equal(seen(IMAGES, task("rotated-2")), IMAGES.flip(2, 3))


def test_a_permutation_is_an_order_of_the_draw_for_all_images_and_channels() -> None:
    order = plain.order(list(islice(plain.words(7, "permutation"), 16)))
    for image, permuted in zip(IMAGES.flatten(0, 1), seen(IMAGES, task("permuted-7")).flatten(0, 1), strict=True):
        assert permuted.flatten().tolist() == image.flatten()[order].tolist()
    assert not torch.equal(seen(IMAGES, task("permuted-7")), seen(IMAGES, task("permuted-8")))


def test_halves_share_out_all_images_and_keep_their_labels() -> None:
    data = DATASETS["digits"]
    for split, whole in zip(load("digits", Path()), (data.train, data.test), strict=True):
        place = 0 if whole == data.train else 1
        first, second = data.first_half[place], whole - data.first_half[place]
        halves = [of_task(split, task(f"half-{k}"), data, count) for k, count in enumerate((first, second))]
        assert sorted(set(halves[0].labels.tolist())) == [0, 1, 2, 3, 4]
        assert sorted(set(halves[1].labels.tolist())) == [5, 6, 7, 8, 9]
        assert sum(map(len, halves)) == len(split)


CLASSES = {
    "mnist": (
        (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
        (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    ),
    "fashion-mnist": ((6000,) * 10, (1000,) * 10),
    "cifar-10": ((5000,) * 10, (1000,) * 10),
    "cifar-100": ((500,) * 100, (100,) * 100),
    "svhn": (
        (4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659),
        (1744, 5099, 4149, 2882, 2523, 2384, 1977, 2019, 1660, 1595),
    ),
}
"""Images of each class, train and test, as the data sets' authors publish them: label by label, SVHN's 10 as 0."""


@pytest.mark.parametrize("name", [data.name for data in DATASETS.values() if not data.streamed])
def test_the_counts_of_the_first_half_are_those_of_its_classes(name: str) -> None:
    data, halves = DATASETS[name], len(DATASETS[name].classes) // 2
    if name == "digits":
        counts = [torch.bincount(split.labels).tolist() for split in load("digits", Path())]
    else:
        counts = [list(split) for split in CLASSES[name]]
    assert [sum(split) for split in counts] == [data.train, data.test]
    assert tuple(sum(split[:halves]) for split in counts) == data.first_half


def test_the_counts_of_halves_are_those_of_the_files_that_are_here(tmp_path: Path) -> None:
    if DATASETS["fashion-mnist"].given is None:
        pytest.skip("Fashion-MNIST is not installed here")
    run = spec(dataset="fashion-mnist", task="half-1", train_examples=None, test_examples=None)
    there = batches(run, tmp_path, CPU)
    assert (len(there.train_split), there.test_images) == run.images == (30_000, 5_000)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [*TASKS, "permuted-9999"])
def test_every_task_has_the_same_random_network(name: str) -> None:
    network, trained = draw_network(spec(task=name))
    whole, _ = draw_network(spec())
    assert digest_of(network.state_dict()) == digest_of(whole.state_dict()) and trained


@pytest.mark.parametrize("augmentation", ["standard", "none"])
def test_a_training_sees_the_images_of_its_task_after_the_augmentation(augmentation: str, tmp_path: Path) -> None:
    def first(name: str) -> torch.Tensor:
        run = spec(task=name, recipe={"augmentation": augmentation})
        images, _ = next(batches(run, tmp_path, CPU).train(0, 0))
        return pixels(images, run.data)

    for name in ("rotated-1", "permuted-3"):
        assert torch.equal(first(name), seen(first("whole"), task(name)))


def test_a_test_sees_the_images_of_its_task(tmp_path: Path) -> None:
    def all_of(name: str) -> torch.Tensor:
        run = spec(task=name, test_examples=None)
        return torch.cat([pixels(images, run.data) for images, _ in batches(run, tmp_path, CPU).test()])

    assert torch.equal(all_of("rotated-3"), seen(all_of("whole"), task("rotated-3")))
    assert len(all_of("half-0")) + len(all_of("half-1")) == len(all_of("whole"))


def test_a_spec_without_a_task_keeps_its_digest_and_one_with_a_task_has_another() -> None:
    whole = RunSpec(architecture="resnet-14", policy="batchnorm", dataset="digits", epochs=3)
    # Computed by version 0.3, which knew no tasks.
    assert whole.digest == "d56472e84594da15a563a2d1e3dc04f6ebf6146bef08732594b94f134e24c80f"
    assert "task" not in whole.model_dump_json()
    turned = RunSpec.model_validate({**whole.model_dump(), "task": "rotated-1"})
    assert turned.digest != whole.digest
    assert RunSpec.model_validate_json(turned.model_dump_json(), context=STORED) == turned
    assert turned.data.title == "Digits, rotated by 90°"


@pytest.mark.parametrize("name", ["rotated-4", "permuted-0", "permuted-01", "permuted-10000", "half-2", ""])
def test_other_names_are_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(UnknownName, match=r"permuted-N"):
        task(name)


def test_tasks_are_for_images_in_memory() -> None:
    with pytest.raises(ValidationError, match="must be from 16 to 168 for half-0 of digits, got 200"):
        spec(task="half-0", test_examples=200)
    with pytest.raises(Misfit, match="imagenet is read from a folder, which can only be seen as whole"):
        task("rotated-1").check(DATASETS["imagenet"])
    task("whole").check(DATASETS["imagenet"])
