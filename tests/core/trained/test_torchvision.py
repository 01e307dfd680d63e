"""A network of torchvision as the start of a run: the same logits, the refusals, and a whole way with real images."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file
from torch import Tensor, nn
from torchvision import models

from core.catalog import architectures
from core.catalog.plan import Plan
from core.network.builder import Network, build
from core.run.spec import Init
from core.run.torchvision_names import architecture_of, is_torchvision, misfit, own_name
from core.trained.start import BadStart, Taken, start_from
from tests.core.program import core

SIDE = 64


def plan_of(depth: int, classes: int = 1000, channels: int = 3) -> Plan:
    return architectures.plan(f"imagenet-resnet-{depth}", (channels, SIDE, SIDE), classes)


def lived_in(model: nn.Module, seed: int) -> nn.Module:
    """`model` with other values in all tensors than those that every new network has."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in model.state_dict().items():
        if ("bn" in name or "downsample.1" in name) and tensor.is_floating_point():
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return model.eval()


def started(state: dict[str, Tensor], plan: Plan, folder: Path) -> tuple[Network, Taken]:
    network = build(plan, Init(), seed=1)
    content = save(state)
    (folder / "weights.safetensors").write_bytes(content)
    return network, start_from(network, plan, folder / "weights.safetensors", hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("depth", [18, 50])
def test_the_logits_are_torchvisions(depth: int, tmp_path: Path) -> None:
    torch.manual_seed(depth)
    theirs = lived_in(getattr(models, f"resnet{depth}")(), depth)
    network, taken = started(theirs.state_dict(), plan_of(depth), tmp_path)
    images = torch.randn(3, 3, SIDE, SIDE)
    with torch.no_grad():
        expected, found = theirs(images), network.eval()(images)
    assert torch.equal(found, expected) and expected.std() > 0.01
    whole = len(theirs.state_dict()) - sum(name.endswith("num_batches_tracked") for name in theirs.state_dict())
    assert len(taken.taken) == whole and not (taken.unlike or taken.missing or taken.others or taken.classes)
    assert taken.sentence == f"Loaded {whole} of {whole} tensors from its file."


@pytest.mark.parametrize("depth", [18, 34, 50, 101])
def test_every_tensor_has_its_place(depth: int) -> None:
    with torch.device("meta"):
        shapes = {n: tuple(t.shape) for n, t in getattr(models, f"resnet{depth}")().state_dict().items()}
        network = Network(plan_of(depth))
    assert is_torchvision(shapes) and architecture_of(shapes) == f"imagenet-resnet-{depth}"
    ours = {own_name(name): shape for name, shape in shapes.items() if not name.endswith("num_batches_tracked")}
    assert ours == {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    assert misfit(shapes, plan_of(depth)) is None
    assert misfit({f"module.{name}": shape for name, shape in shapes.items()}, plan_of(depth)) is None


def test_no_network_of_ours_has_their_names() -> None:
    for name in architectures.FEATURED:
        assert not is_torchvision(parameter.name for parameter in architectures.plan(name).parameters)


def test_another_number_of_classes_leaves_the_output_layer_to_the_seed(tmp_path: Path) -> None:
    state = {name: tensor.half() for name, tensor in models.resnet18().state_dict().items()}
    network, taken = started(state, plan_of(18, classes=10), tmp_path)
    assert "output layer has 1,000 classes in the file and 10 here, so it is drawn from the seed." in taken.sentence
    assert "another shape" not in taken.sentence
    fresh = build(plan_of(18, classes=10), Init(), seed=1)
    assert torch.equal(network.output.weight, fresh.output.weight)
    assert torch.equal(network.stem.conv.weight, state["conv1.weight"].float())
    del state["fc.weight"], state["fc.bias"]
    _, headless = started(state, plan_of(18), tmp_path)
    assert "output layer is not in the file, so it is drawn from the seed." in headless.sentence


@pytest.mark.parametrize(
    ("make", "plan", "words"),
    [
        (models.resnet50, plan_of(18), "names of resnet50: choose the architecture imagenet-resnet-50, not"),
        (models.resnet18, architectures.plan("resnet-14"), "choose the architecture imagenet-resnet-18, not resnet-14"),
        (models.resnet152, plan_of(101), "names of resnet152, which has no architecture here"),
        (models.wide_resnet50_2, plan_of(50), r"stage1.0.conv1.weight in the shape \[128, 64, 1, 1\].*a wide ResNet"),
        (models.resnext50_32x4d, plan_of(50), "a wide ResNet, or a ResNeXt"),
        (models.resnet18, plan_of(18, channels=1), "is for images of 3 channels, and these have 1"),
    ],
)
def test_another_network_is_refused(make: Callable[[], nn.Module], plan: Plan, words: str) -> None:
    with torch.device("meta"):
        shapes = {name: tuple(tensor.shape) for name, tensor in make().state_dict().items()}
    assert re.search(words, misfit(shapes, plan) or "")


def test_a_file_without_statistics_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadStart, match=r"but nothing for stem\.norm\.running_mean"):
        started({name: tensor.detach() for name, tensor in models.resnet18().named_parameters()}, plan_of(18), tmp_path)


def test_the_command_line_refuses_before_anything_is_trained(tmp_path: Path) -> None:
    save_file(models.resnet18().state_dict(), tmp_path / "resnet18.safetensors")
    words = ["--policy", "batchnorm", "--epochs", "1", "--start", tmp_path / "resnet18.safetensors"]
    words += ["--out", tmp_path / "run"]
    other = core("train", "--architecture", "resnet-14", "--dataset", "cifar-10", *words)
    assert other.returncode == 2 and "choose the architecture imagenet-resnet-18" in other.stderr
    grey = core("train", "--architecture", "imagenet-resnet-18", "--dataset", "digits", *words)
    assert grey.returncode == 2 and "for images of 3 channels, and these have 1" in grey.stderr
    assert not (tmp_path / "run").exists()
