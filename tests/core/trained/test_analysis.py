"""The analyses against networks whose answer is known, and against plain counting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from core.data.batches import Batch
from core.engine.modules import ModuleEngine
from core.network.builder import Network, build
from core.run.cost import ANALYSED_AT_LEAST, ANALYSES_SHARE, analysed_images, run_macs
from core.run.events import Analysed, Finished, Stopped
from core.run.findings import EPSILONS, Findings
from core.run.spec import RunSpec
from core.trained.analysis import MOSTLY_OFF, analyse, analysing, unused_parameters
from core.training.loop import train
from tests.core.training.test_loop import spec

pytestmark = pytest.mark.training


class Few:
    """So many random images with labels 0, 1, 2, ..., in batches of 20."""

    def __init__(self, run: RunSpec, count: int = 50) -> None:
        self.test_images, self.passes = count, 0
        self.images = torch.randn(count, *run.data.shape, generator=torch.Generator().manual_seed(1))
        self.labels = torch.arange(count) % 10

    def train(self, epoch: int, first: int) -> Iterator[Batch]:
        raise NotImplementedError

    def test(self) -> Iterator[Batch]:
        self.passes += 1
        yield from zip(self.images.split(20), self.labels.split(20), strict=True)


def network_of(run: RunSpec) -> Network:
    return build(run.plan, run.init, seed=1).eval()


def with_gammas(network: Network, run: RunSpec, *values: float) -> None:
    """γ of the stem becomes `values`, all others become 1."""
    for norm in run.plan.norms:
        network.get_parameter(f"{norm.name}.weight").data.fill_(1.0)
    network.get_parameter("stem.norm.weight").data[: len(values)] = torch.tensor(values)


def test_statistics_of_known_values() -> None:
    run = spec()
    network = network_of(run)
    with_gammas(network, run, 0.0, -0.5, 0.0099, 0.01, -0.009)
    network.get_parameter("stem.norm.bias").data[:2] = torch.tensor([-2.0, 2.0])
    found = analyse(network, run.plan, Few(run))
    stem = found.layers[0]
    assert (stem.name, stem.stage, stem.shortcut, stem.gamma.count) == ("stem.norm", 0, False, 16)
    assert stem.gamma.mean == pytest.approx((-0.5 + 0.0099 + 0.01 - 0.009 + 11) / 16)
    assert stem.gamma.negative == 2 / 16 and stem.gamma.near_zero == 3 / 16, "0.01 itself is not below 0.01"
    assert stem.beta.mean == 0 and stem.beta.sd == pytest.approx(0.5**0.5) and stem.beta.near_zero == 14 / 16
    total = sum(norm.channels for norm in run.plan.norms)
    shortcuts = sum(norm.channels for norm in run.plan.norms if norm.shortcut)
    assert found.gamma is not None and found.gamma_inner is not None and found.beta_inner is not None
    assert (found.gamma.count, found.gamma_inner.count) == (total, total - shortcuts)
    assert found.gamma.near_zero == 3 / total and found.gamma_inner.near_zero == 3 / (total - shortcuts)
    assert [layer.name for layer in found.layers] == [norm.name for norm in run.plan.norms]


def test_ablation_is_what_zeroing_by_hand_gives_and_leaves_no_trace() -> None:
    run = spec()
    network, data = network_of(run), Few(run)
    gammas = [network.get_parameter(f"{norm.name}.weight") for norm in run.plan.norms]
    gammas[0].data[0] = -0.0
    with torch.no_grad():
        network.train()
        for _ in range(30):  # running statistics with which the images look different to it
            network(data.images)
        data.labels = network.eval()(data.images).argmax(dim=1)  # so that it is always right as it is
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    found = analyse(network, run.plan, data)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor.view(torch.int32), before[name].view(torch.int32)), f"{name} to the sign of its zeros"
    assert [row.epsilon for row in found.ablation] == list(EPSILONS)
    for row in found.ablation:
        zeroed = 0
        for gamma in gammas:
            below = gamma.detach().abs() < row.epsilon
            gamma.data[below] = 0.0
            zeroed += int(below.sum())
        with torch.no_grad():
            top1 = float((network(data.images).argmax(dim=1) == data.labels).double().mean())
        network.load_state_dict(before, strict=False)  # BatchNorm would like its counters back
        assert row.top1 == pytest.approx(top1) and row.change == pytest.approx(top1 - found.ablation[0].top1)
        assert row.zeroed == zeroed / sum(len(gamma) for gamma in gammas)
    assert found.ablation[0].top1 == 1 and found.ablation[-1].change < -0.1
    assert found.ablation[0].zeroed == 0 and found.ablation[-1].zeroed > 0.4


def test_a_threshold_that_zeroes_nothing_more_needs_no_pass() -> None:
    run = spec()
    network, data = network_of(run), Few(run)
    with_gammas(network, run, 0.0035, 0.15)  # between .002 and .005, and between .1 and .2
    steps = list(analysing(ModuleEngine(network), network, run.plan, data))
    assert data.passes == 3
    assert len(steps) == 9 and steps == sorted(steps) and steps[-1] == pytest.approx(1), "three batches a pass"


def test_stopping_early_restores_gamma() -> None:
    run = spec()
    network, data = network_of(run), Few(run)
    with_gammas(network, run, 0.3)
    before = network.get_parameter("stem.norm.weight").detach().clone()
    steps = analysing(ModuleEngine(network), network, run.plan, data)
    while data.passes < 2:
        next(steps)
    assert not torch.equal(before, network.get_parameter("stem.norm.weight"))
    steps.close()
    assert torch.equal(before, network.get_parameter("stem.norm.weight"))


def test_relus_that_are_off() -> None:
    run = spec()
    network = network_of(run)
    for norm in run.plan.norms:  # every ReLU is on...
        network.get_parameter(f"{norm.name}.weight").data.zero_()
        network.get_parameter(f"{norm.name}.bias").data.fill_(1.0)
    # ...but channel 0 of the stem is off for every input.
    network.get_parameter("stem.norm.bias").data[0] = -1.0
    found = analyse(network, run.plan, Few(run))
    stem = found.relus[0]
    assert (stem.name, stem.position, stem.channels, stem.after_addition) == ("relu", 0, 16, False)
    assert stem.always_off == stem.mostly_off == 1 / 16
    assert stem.zero_shares == (1.0, *[0.0] * 15)
    assert all(len(relu.zero_shares) == relu.channels for relu in found.relus)
    assert [(r.name, r.position, r.after_addition) for r in found.relus[1:3]] == [
        ("stage1.0.relu1", 1, False),
        ("stage1.0.relu2", 2, True),
    ]
    assert sum(relu.channels for relu in found.relus) == 16 + 2 * (16 + 32 + 64)
    # Nine inputs to the channel, γ and β; and the sixteen filters of 3x3 that read it.
    assert found.unused_parameters == 9 + 2 + 16 * 9


@pytest.mark.parametrize("norm", ["batch", "group", "layer", "instance"])
@pytest.mark.parametrize("architecture", ["resnet-8", "wrn-14-1", "vgg-11", "imagenet-resnet-50"])
def test_unused_parameters_change_nothing(architecture: str, norm: str) -> None:
    """Whatever reads a channel that is off may be anything."""
    if (architecture, norm) == ("imagenet-resnet-50", "instance"):
        pytest.skip("its last images are single pixels, which InstanceNorm cannot normalise")
    run = spec(architecture=architecture, norm={"kind": norm}, dataset="cifar-10", recipe={"batch_size": 64})
    network = network_of(run)
    plan = run.plan
    first, second = plan.blocks[0].units[0], plan.blocks[1].units[0]
    path = first.convolution.name.rpartition(".")[0]
    network.get_parameter(f"{first.norm.name}.weight").data[3] = 0.0
    network.get_parameter(f"{first.norm.name}.bias").data[3] = -1.0
    images = torch.randn(4, *run.data.shape, generator=torch.Generator().manual_seed(2))
    off: dict[str, Tensor] = {}
    for name, module in network.named_modules():
        if name.rpartition(".")[2].startswith("relu"):
            module.register_forward_hook(
                lambda _m, _i, out, name=name: off.update({name: (out == 0).all(0).all(1).all(1)})
            )
    with torch.no_grad():
        logits = network(images)
        after = plan.blocks[0].units[1] if len(plan.blocks[0].units) > 1 else second
        assert off[f"{path}.relu1"][3]
        network.get_parameter(f"{after.convolution.name}.weight").data[:, 3] = 1e3
        assert torch.equal(logits, network(images))
    assert 0 < unused_parameters(plan, off) < plan.total
    everything = {name: torch.ones_like(channels) for name, channels in off.items()}
    assert unused_parameters(plan, everything) == plan.total - plan.output.classes, "all but the output's bias"
    assert unused_parameters(plan, {name: torch.zeros_like(channels) for name, channels in off.items()}) == 0


def test_99_percent_is_not_more_than_99_percent() -> None:
    assert MOSTLY_OFF == 0.99
    run = spec()
    data = Few(run, count=100)
    network = network_of(run)
    mostly = []
    for on in (1, 0):  # of 100 one-pixel images: channel 0 of the last ReLU is on for `on`
        network.relu.register_forward_hook(lambda _m, _i, out, on=on: _only(out, on))
        mostly.append(analyse(network, run.plan, data).relus[0].mostly_off)
        network.relu._forward_hooks.clear()
    assert mostly == [0.0, 1.0]


def _only(out: Tensor, on: int) -> Tensor:
    """Zeros, but for every hundredth entry of each channel where `on`."""
    result = torch.zeros_like(out)
    flat = result.permute(1, 0, 2, 3).reshape(out.shape[1], -1)
    flat[:, ::100] = float(on)
    return flat.reshape(out.shape[1], out.shape[0], *out.shape[2:]).permute(1, 0, 2, 3)


def test_a_network_without_gamma_has_only_its_relus() -> None:
    run = spec(policy="output", norm={"kind": "batch", "affine": False})
    found = analyse(network_of(run), run.plan, Few(run))
    assert found.gamma is None and found.beta_inner is None and found.layers == () and found.ablation == ()
    assert len(found.relus) == 7


def test_a_sample_is_spread_over_the_test_split() -> None:
    run = spec()
    data, network = Few(run), network_of(run)
    data.labels = (torch.arange(50) >= 40).long()  # sorted by class, as a folder is
    seen: list[int] = []
    network.relu.register_forward_hook(lambda _m, _i, out: seen.append(len(out)))
    found = analyse(network, run.plan, data, images=10)
    assert found.test_examples == 10 and seen[0] == 10 and data.passes == 1, "held in memory"
    assert analyse(network, run.plan, data, images=50).test_examples == 50
    chosen = analyse(network, run.plan, data, images=5).ablation[0].top1
    assert chosen in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def test_the_analyses_take_a_bounded_part_of_the_run() -> None:
    short = spec(architecture="resnet-110", dataset="cifar-10", train_examples=640, test_examples=None, epochs=1)
    long = spec(architecture="resnet-110", dataset="cifar-10", train_examples=None, test_examples=None, epochs=160)
    assert analysed_images(short) == ANALYSED_AT_LEAST
    assert analysed_images(long) == 10_000
    middle = spec(architecture="resnet-110", dataset="cifar-10", train_examples=6400, test_examples=None, epochs=3)
    passes = analysed_images(middle) * len(EPSILONS) * middle.plan.macs
    assert ANALYSED_AT_LEAST < analysed_images(middle) < 10_000 and passes <= ANALYSES_SHARE * run_macs(middle)


def test_a_run_ends_with_its_findings_after_its_capsule(tmp_path: Path) -> None:
    there: list[bool] = []
    events = []
    for event in train(spec(), tmp_path):
        if isinstance(event, Analysed):
            there.append((tmp_path / "final.safetensors").exists())
        events.append(event)
    *_, analysed, finished = events
    assert isinstance(analysed, Analysed) and isinstance(finished, Finished) and there == [True]
    assert analysed.findings.ablation[0].top1 == finished.top1, "the whole test set, as the last test"
    assert analysed.findings.gamma is not None and analysed.findings.gamma.near_zero == finished.disabled
    assert Findings.model_validate_json(analysed.findings.model_dump_json()) == analysed.findings
    without = list(train(spec(), analyses=False))
    assert not [event for event in without if isinstance(event, Analysed)] and isinstance(without[-1], Finished)


def test_a_stop_during_the_analyses_costs_only_them(tmp_path: Path) -> None:
    whole = list(train(spec(), tmp_path / "whole"))
    stopping: list[bool] = []
    first: list[Any] = []
    for event in train(spec(), tmp_path / "stopped", should_stop=lambda: bool(stopping)):
        first.append(event)
        if event.event == "checkpointed" and event.step == 10:
            stopping.append(True)
    assert isinstance(first[-1], Stopped) and (tmp_path / "stopped" / "final.safetensors").exists()
    second = list(train(spec(), tmp_path / "stopped", attempt=2))
    assert [event.event for event in second if event.event != "progress"] == [
        "started",
        "checkpointed",
        "checkpointed",
        "analysed",
        "finished",
    ]
    assert _without_seconds(second[-2].findings) == _without_seconds(whole[-2].findings)
    assert second[-1].digest == whole[-1].digest and second[-1].top1 == whole[-1].top1


def _without_seconds(findings: Findings) -> dict[str, Any]:
    return findings.model_dump(exclude={"seconds"})
