"""The Jacobians of γ against torch's own, in float64, and on networks whose answer is known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from core.catalog.policy import trainable
from core.data.batches import batches
from core.engine.modules import ModuleEngine
from core.network.builder import Network, build
from core.network.freezing import draw_network
from core.run.cost import (
    JACOBIAN_AT_LEAST,
    JACOBIAN_BYTES,
    JACOBIAN_SHARE,
    MAX_CLASSES,
    ROWS_A_CHANNEL,
    jacobian_images,
    jacobian_macs,
    run_macs,
)
from core.run.events import Analysed
from core.run.findings import Findings, Jacobian
from core.run.spec import RunSpec
from core.trained import jacobian
from core.trained.analysis import Jacobians, analysing
from core.trained.evaluation import Sample
from core.trained.jacobian import chosen, condition, conditioning, jacobian_rows
from core.training.loop import train
from tests.core.trained.test_analysis import Few
from tests.core.training.test_loop import spec


def images_of(run: RunSpec, count: int = 6) -> Tensor:
    return torch.randn(count, *run.data.shape, generator=torch.Generator().manual_seed(3))


def used(network: Network, images: Tensor) -> Network:
    """With running statistics that fit the images a little."""
    with torch.no_grad():
        network.train()
        for _ in range(5):
            network(images)
    return network.eval()


def ours(network: Network, run: RunSpec, images: Tensor, classes: list[int]) -> dict[str, Tensor]:
    rows = list(jacobian_rows(network, run.plan, images, classes))
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"policy": "supermask-30+batchnorm"},
        {"policy": "random-2"},
        {"policy": "none"},
        {"norm": {"kind": "group"}},
        {"norm": {"kind": "instance"}},
        {"norm": {"kind": "layer"}},
        {"norm": {"kind": "none"}},
        {"architecture": "vgg-11", "dataset": "fashion-mnist"},
    ],
    ids=lambda changes: "-".join(map(str, changes.values())) or "batchnorm",
)
def test_the_derivatives_are_torchs_in_float64(changes: dict[str, Any]) -> None:
    run = spec(**changes)
    images = images_of(run)
    network = used(draw_network(run)[0], images)
    network.get_parameter("stem.norm.weight").data[0] = 0.0  # a γ of 0 has a derivative, too
    exact = draw_network(run)[0].double()
    exact.load_state_dict({name: tensor.double() for name, tensor in network.state_dict().items()}, strict=False)
    exact.eval()
    found = ours(network, run, images, [0, 3, 9])
    for norm in run.plan.norms:
        name = f"{norm.name}.weight"

        def logits(gamma: Tensor, name: str = name) -> Tensor:
            return functional_call(exact, {name: gamma}, (images.double(),))[:, [0, 3, 9]]

        derivatives = torch.autograd.functional.jacobian(logits, exact.get_parameter(name).detach())
        theirs = derivatives.detach().transpose(0, 1)  # (classes, images, C)
        assert found[norm.name].shape == theirs.shape
        scale = float(theirs.abs().max())
        assert torch.allclose(found[norm.name].double(), theirs, rtol=1e-3, atol=2e-5 * scale), norm.name


def test_the_condition_is_numpys() -> None:
    rows = torch.randn(40, 12, generator=torch.Generator().manual_seed(1))
    found = condition(rows)
    values = torch.linalg.svdvals(rows.double())
    assert found.rank == 12 and found.number == pytest.approx(float(values[0] / values[-1]))
    assert (found.greatest, found.least) == (float(values[0]), float(values[-1]))
    rows[:, 3] = 0  # a feature that nothing reads
    rows[:, 5] = rows[:, 4] / 3  # and two that say the same
    again = condition(rows)
    assert again.rank == 10 and again.number is not None and again.number < found.number * 1.5
    assert condition(torch.eye(7)).number == 1
    nothing = condition(torch.zeros(8, 4))
    assert (nothing.rank, nothing.number) == (0, None)
    assert condition(rows[:5]).rank == 5, "fewer rows than channels"


def whole(network: Network, run: RunSpec, images: Tensor, **options: Any) -> Jacobian:
    steps, shares = conditioning(network, run.plan, images, **options), []
    while True:
        try:
            shares.append(next(steps))
        except StopIteration as done:
            assert shares == sorted(shares) and shares[-1] == 1
            found: Jacobian = done.value
            return found


def test_few_images_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    run = spec()
    images = images_of(run, 7)
    network = used(build(run.plan, run.init, seed=1), images)
    together = whole(network, run, images, beginning=lambda some: used(build(run.plan, run.init, seed=1), some))
    monkeypatch.setattr(jacobian, "HELD_BYTES", 1)
    apart = whole(network, run, images)
    assert together.start is not None and apart.start is None and apart.layers[0].start is None
    for one, other in zip(together.layers, apart.layers, strict=True):
        assert one.end.rank == other.end.rank and one.end.number == pytest.approx(other.end.number, rel=1e-3)


def test_it_leaves_no_trace() -> None:
    run = spec()
    images = images_of(run)
    network = used(draw_network(run)[0], images)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.no_grad():
        logits = network(images)
    whole(network, run, images)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    with torch.no_grad():
        assert torch.equal(network(images), logits), "no hook stays"


def test_a_feature_that_nothing_reads_is_idle() -> None:
    """With one weight an output, a filter of the second convolution reads one feature of the first norm layer."""
    run = spec(init={"weights": "sparse-1", "norm": "ones"})
    images = images_of(run, 12)
    network = used(build(run.plan, run.init, seed=1), images)
    found = whole(network, run, images)
    for block in run.plan.blocks:
        first, second = block.units
        weight = network.get_parameter(f"{second.convolution.name}.weight")
        read = int((weight != 0).any(dim=(2, 3)).any(dim=0).sum())
        (layer,) = (layer for layer in found.layers if layer.name == first.norm.name)
        assert layer.end.rank <= read < layer.channels
    assert found.end.idle > 0.1


def test_the_classes_are_spread() -> None:
    assert chosen(10) == list(range(10)) and chosen(16) == list(range(16))
    many = chosen(1000)
    assert len(many) == len(set(many)) == MAX_CLASSES and many[0] == 0 and many[-1] == 937


def test_the_images_are_spread_over_the_sample() -> None:
    run = spec()
    few = Few(run)
    some = Sample(few, run.plan, None).some(5)
    assert torch.equal(some, few.images[[9, 19, 29, 39, 49]])
    held = Sample(few, run.plan, 10)
    assert torch.equal(held.some(5), few.images[[9, 19, 29, 39, 49]]) and len(held.some(99)) == 10


def test_it_takes_a_bounded_part_of_the_run_and_of_the_memory() -> None:
    long = spec(architecture="resnet-14", dataset="cifar-10", epochs=160, train_examples=None, test_examples=None)
    assert jacobian_images(long) == 16 == ROWS_A_CHANNEL * 64 / 10
    wide = spec(architecture="wrn-14-8", dataset="cifar-10", epochs=160, train_examples=None, test_examples=None)
    assert jacobian_images(wide) == 128
    short = spec(architecture="resnet-110", dataset="cifar-10", epochs=1, train_examples=640, test_examples=None)
    assert jacobian_images(short) == JACOBIAN_AT_LEAST
    for run in (long, wide):
        assert jacobian_macs(run) <= JACOBIAN_SHARE * run_macs(run)
        held = 4 * jacobian_images(run) * 10 * sum(norm.channels for norm in run.plan.norms)
        assert held <= JACOBIAN_BYTES
    assert jacobian_images(spec(norm={"affine": False}, policy="output")) == 0


@pytest.mark.training
def test_a_run_knows_its_jacobians_before_and_after() -> None:
    """The first are those of the network of its seeds, normalised by the images that they are measured on."""
    run = spec(init={"weights": "sparse-4", "norm": "ones"})
    events = list(train(run))
    (analysed,) = [event for event in events if isinstance(event, Analysed)]
    found = analysed.findings.jacobian
    assert found is not None and found.start is not None and found.images == jacobian_images(run)
    assert [layer.name for layer in found.layers] == [norm.name for norm in run.plan.norms]
    network = draw_network(run)[0]
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    images = Sample(batches(run, None, torch.device("cpu")), run.plan, None).some(found.images)  # type: ignore[arg-type]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        network(images)
    again = whole(network, run, images)
    assert again.end.median == pytest.approx(found.start.median, rel=1e-3) and again.end.idle == found.start.idle
    assert found.end.median != found.start.median
    assert trainable(run.trains) > 0


@pytest.mark.training
def test_nothing_trains_nothing_changes_but_the_statistics() -> None:
    run = spec(policy="none", norm={"kind": "group"})
    (analysed,) = [event for event in train(run) if isinstance(event, Analysed)]
    found = analysed.findings.jacobian
    assert found is not None and found.start == found.end


def test_findings_from_before_load_without_it() -> None:
    run = spec()
    network = build(run.plan, run.init, seed=1).eval()
    steps = analysing(ModuleEngine(network), network, run.plan, Few(run), None, Jacobians(4))
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: Findings = done.value
            break
    assert found.jacobian is not None and found.jacobian.start is None
    old = found.model_dump(exclude={"jacobian"})
    assert Findings.model_validate(old).jacobian is None
    assert Findings.model_validate_json(found.model_dump_json()) == found
