"""Counts of every network against the authors' table 1, and plans against the modules built from them."""

from __future__ import annotations

import pytest
import torch

from core.architectures import catalog
from core.architectures.builder import ResidualNetwork, build
from core.cost import counts, step_macs
from core.policies import POLICIES, policy
from core.registry import UnknownName
from core.spec import Init

# architecture: total, BatchNorm, output, shortcut convolutions. Source: table 1 of arXiv 2003.00152 v2/v3, exact
# integers computed from the architecture; 1,730,714 and 11,093,130 are also asserted by open_lth's own tests.
TABLE_1 = {
    "resnet-14": (175_258, 1_120, 650, 2_560),
    "resnet-32": (466_906, 2_464, 650, 2_560),
    "resnet-56": (855_770, 4_256, 650, 2_560),
    "resnet-110": (1_730_714, 8_288, 650, 2_560),
    "resnet-218": (3_480_602, 16_352, 650, 2_560),
    "resnet-434": (6_980_378, 32_480, 650, 2_560),
    "resnet-866": (13_979_930, 64_736, 650, 2_560),
    "wrn-14-1": (175_258, 1_120, 650, 2_560),
    "wrn-14-2": (696_618, 2_240, 1_290, 10_240),
    "wrn-14-4": (2_777_674, 4_480, 2_570, 40_960),
    "wrn-14-8": (11_093_130, 8_960, 5_130, 163_840),
    "wrn-14-16": (44_337_418, 17_920, 10_250, 655_360),
    "wrn-14-32": (177_279_498, 35_840, 20_490, 2_621_440),
}


@pytest.mark.parametrize("name", TABLE_1)
def test_counts_are_the_authors(name: str) -> None:
    plan = catalog.plan(name)
    got = counts(plan, policy("batchnorm"))
    assert (got.total, got.batchnorm, got.output, got.shortcut) == TABLE_1[name]
    assert got.trainable == got.batchnorm
    assert policy("random-2").trainable(plan) == got.batchnorm, "two weights a channel are as many as γ and β"
    assert policy("all").trainable(plan) == got.total
    assert policy("batchnorm+output").trainable(plan) == got.batchnorm + got.output
    assert policy("none").trainable(plan) == 0


@pytest.mark.parametrize("name", [n for n in catalog.FEATURED if n not in ("wrn-14-16", "wrn-14-32")])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_module_has_the_plans_parameters(name: str, channels: int) -> None:
    plan = catalog.plan(name, (channels, 28, 28), 10)
    with torch.device("meta"):
        network = ResidualNetwork(plan)
    built = {n: tuple(p.shape) for n, p in network.named_parameters()}
    assert built == {p.name: p.shape for p in plan.parameters}


@pytest.mark.parametrize(("name", "mmacs"), [("resnet-14", 26.7), ("resnet-56", 125.7), ("resnet-110", 253.1)])
def test_multiply_adds(name: str, mmacs: float) -> None:
    # 2.359296 (6N - 2) + 2 * 1.179648 + 0.262144 + 0.442368 + 0.00064 million for 6N + 2 layers
    plan = catalog.plan(name)
    assert round(plan.macs / 1e6, 1) == mmacs
    assert step_macs(plan, policy("batchnorm")) == 2 * plan.macs - plan.stem.convolution.macs
    assert step_macs(plan, policy("none")) == plan.macs


@pytest.mark.parametrize("size", [8, 28, 32, 33])
def test_the_plan_knows_the_size_of_every_image(size: int) -> None:
    plan = catalog.plan("resnet-8", (1, size, size))
    network = build(plan, Init(), seed=1).eval()
    sizes = {}
    for conv in plan.convolutions:
        network.get_submodule(conv.name).register_forward_hook(
            lambda _m, _x, out, name=conv.name: sizes.__setitem__(name, out.shape[-1])
        )
    network(torch.zeros(1, 1, size, size))
    assert sizes == {conv.name: conv.size for conv in plan.convolutions}


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("resnet-15", "resnet-14 and resnet-20"),
        ("resnet-18", "resnet-14 and resnet-20"),
        ("resnet-2", "resnet-8"),
        ("resnet-5000", "resnet-1202"),
        ("wrn-14-33", "wrn-14-32"),
        ("wrn-14-0", "wrn-14-1"),
    ],
)
def test_other_depths_are_refused_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(UnknownName, match=f"nearest: {nearest}"):
        catalog.plan(name)


@pytest.mark.parametrize(
    "name", ["", "resnet", "resnet-014", "resnet--14", "vgg-16", "resnet-14 ", "resnet-" + "9" * 99]
)
def test_unknown_architectures_name_what_is_allowed(name: str) -> None:
    with pytest.raises(UnknownName, match=r"Allowed: resnet-DEPTH|depth must be"):
        catalog.plan(name)


@pytest.mark.parametrize("name", ["bn", "random-0", "random-129", "random-02", "random-", "random-x"])
def test_unknown_policies_name_what_is_allowed(name: str) -> None:
    with pytest.raises(UnknownName, match="Allowed: batchnorm, all, output"):
        policy(name)


def test_any_k_is_a_policy() -> None:
    assert policy("random-3").trainable(catalog.plan("resnet-14")) == 3 * 560
    assert "random-2" in POLICIES


def test_small_filters_train_all_they_have() -> None:
    plan = catalog.plan("resnet-8", (1, 8, 8))
    assert policy("random-16").choices(plan)["stem.conv"] == (9, 16)
