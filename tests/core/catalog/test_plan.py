"""Counts of every network against the authors' table 1, and plans against the modules built from them."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from core.catalog import architectures as catalog
from core.catalog.initializers import WEIGHT_INITIALIZERS, weight_initializer
from core.catalog.normalisation import Normalisation
from core.catalog.plan import NormKind
from core.catalog.policies import POLICIES, policy
from core.catalog.policy import trainable
from core.catalog.registry import UnknownName
from core.draws.seeds import mixed
from core.draws.versions import Version, drawn
from core.network.builder import Network, build
from core.run.cost import counts, step_macs
from core.run.spec import Init

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
    got = counts(plan, policy("batchnorm").trains(plan))
    assert (got.total, got.batchnorm, got.output, got.shortcut) == TABLE_1[name]
    assert got.trainable == got.batchnorm
    assert trainable(policy("random-2").trains(plan)) == got.batchnorm, "two weights a channel are as many as γ and β"
    assert trainable(policy("all").trains(plan)) == got.total
    assert trainable(policy("batchnorm+output").trains(plan)) == got.batchnorm + got.output
    assert trainable(policy("none").trains(plan)) == 0


@pytest.mark.parametrize("name", [n for n in catalog.FEATURED if n not in ("wrn-14-16", "wrn-14-32")])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_module_has_the_plans_parameters(name: str, channels: int) -> None:
    plan = catalog.plan(name, (channels, 28, 28), 10)
    with torch.device("meta"):
        network = Network(plan)
    built = {n: tuple(p.shape) for n, p in network.named_parameters()}
    assert built == {p.name: p.shape for p in plan.parameters}


@pytest.mark.parametrize(("name", "mmacs"), [("resnet-14", 26.7), ("resnet-56", 125.7), ("resnet-110", 253.1)])
def test_multiply_adds(name: str, mmacs: float) -> None:
    # 2.359296 (6N - 2) + 2 * 1.179648 + 0.262144 + 0.442368 + 0.00064 million for 6N + 2 layers
    plan = catalog.plan(name)
    assert round(plan.macs / 1e6, 1) == mmacs
    assert step_macs(plan, policy("batchnorm").trains(plan)) == 2 * plan.macs - plan.stem.convolution.macs
    assert step_macs(plan, policy("none").trains(plan)) == plan.macs


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
    "name", ["", "resnet", "resnet-014", "resnet--14", "vgg-12", "resnet-14 ", "resnet-" + "9" * 99]
)
def test_unknown_architectures_name_what_is_allowed(name: str) -> None:
    with pytest.raises(UnknownName, match=r"Allowed, with N: resnet-N|depth must be"):
        catalog.plan(name)


@pytest.mark.parametrize("name", ["bn", "random-0", "random-129", "random-02", "random-", "random-x"])
def test_unknown_policies_name_what_is_allowed(name: str) -> None:
    with pytest.raises(UnknownName, match="Allowed: batchnorm, all, output"):
        policy(name)


def test_any_k_is_a_policy() -> None:
    assert trainable(policy("random-3").trains(catalog.plan("resnet-14"))) == 3 * 560
    assert "random-2" in POLICIES


def test_small_filters_train_all_they_have() -> None:
    plan = catalog.plan("resnet-8", (1, 8, 8))
    trained = policy("random-16").trains(plan)["stem.conv.weight"]
    assert (trained.how, trained.count) == ("values", 9 * 16)


# architecture: total, BatchNorm, output (weight and bias), shortcut convolutions, at the classes of its data.
# Source: table 1 of v2/v3 (ImageNet), open_lth's definition (VGG); exact integers in reference/paper.md, section 1.
IMAGENET_TABLE = {
    "imagenet-resnet-18": (11_689_512, 9_600, 513_000, 172_032),
    "imagenet-resnet-34": (21_797_672, 17_024, 513_000, 172_032),
    "imagenet-resnet-50": (25_557_032, 53_120, 2_049_000, 2_768_896),
    "imagenet-resnet-101": (44_549_160, 105_344, 2_049_000, 2_768_896),
    "imagenet-resnet-200": (64_673_832, 176_000, 2_049_000, 2_768_896),
}
VGG_TABLE = {
    "vgg-11": (9_231_114, 5_504, 5_130, 2_752),
    "vgg-13": (9_416_010, 5_888, 5_130, 2_944),
    "vgg-16": (14_728_266, 8_448, 5_130, 4_224),
    "vgg-19": (20_040_522, 11_008, 5_130, 5_504),
}


@pytest.mark.parametrize("name", IMAGENET_TABLE)
def test_imagenet_counts_are_the_authors(name: str) -> None:
    plan = catalog.plan(name, (3, 224, 224), 1000)
    got = counts(plan, policy("batchnorm").trains(plan))
    assert (got.total, got.batchnorm, got.output, got.shortcut) == IMAGENET_TABLE[name]


@pytest.mark.parametrize("name", VGG_TABLE)
def test_vgg_counts_are_the_authors(name: str) -> None:
    plan = catalog.plan(name)
    got = counts(plan, policy("batchnorm").trains(plan))
    assert (got.total, got.batchnorm, got.output, plan.count("convolution-bias")) == VGG_TABLE[name]
    assert trainable(policy("bias").trains(plan)) == got.batchnorm // 2 + plan.count("convolution-bias") + 10


@pytest.mark.parametrize("name", [*TABLE_1, *VGG_TABLE])
@pytest.mark.parametrize(("channels", "classes"), [(1, 10), (3, 100), (1, 1000)])
def test_counts_follow_channels_and_classes(name: str, channels: int, classes: int) -> None:
    base, plan = catalog.plan(name), catalog.plan(name, (channels, 32, 32), classes)
    first = base.stem.convolution.outputs * 9 * (3 - channels)
    assert plan.total == base.total - first + (classes - 10) * (plan.output.features + 1)


def test_imagenet_resnets_are_torchvisions() -> None:
    from torchvision.models import resnet18, resnet50

    for depth, reference in ((18, resnet18), (50, resnet50)):
        plan = catalog.plan(f"imagenet-resnet-{depth}", (3, 224, 224), 1000)
        with torch.device("meta"):
            theirs = sorted(tuple(p.shape) for p in reference().parameters())
        assert sorted(p.shape for p in plan.parameters) == theirs


@pytest.mark.parametrize("kind", ["batch", "instance", "group", "layer", "none"])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("name", ["resnet-8", "vgg-11", "imagenet-resnet-18"])
def test_every_norm_layer_in_every_network(name: str, kind: NormKind, affine: bool) -> None:
    plan = catalog.plan(name, (1, 32, 32), 10, Normalisation(kind=kind, affine=affine))
    with torch.device("meta"):
        network = Network(plan)
    assert {n: tuple(p.shape) for n, p in network.named_parameters()} == {p.name: p.shape for p in plan.parameters}
    assert plan.count("gamma", "beta") == (2 * sum(c.outputs for c in plan.convolutions) if affine else 0)


def test_vgg_refuses_small_images() -> None:
    with pytest.raises(ValueError, match="vgg-11 needs images of at least 16x16 pixels, got 8x8"):
        catalog.plan("vgg-11", (1, 8, 8))


def test_orthogonal_weights_of_the_old_draw_are_torchs() -> None:
    for shape in ((16, 3, 3, 3), (64, 4, 1, 1)):
        old = drawn(1, 3)
        theirs = torch.empty(shape)
        torch.nn.init.orthogonal_(theirs, generator=torch.Generator().manual_seed(mixed(3)))
        torch.testing.assert_close(torch.from_numpy(WEIGHT_INITIALIZERS["orthogonal"].values(shape, old)), theirs)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("k", [1, 3, 100])
def test_sparse_weights_are_k_an_output_and_keep_the_variance_of_he(k: int, version: Version) -> None:
    for shape in ((4000, 16, 3, 3), (4000, 64), (4000, 1, 3, 3)):
        weight = weight_initializer(f"sparse-{k}").values(shape, drawn(version, 3, shape)).reshape(shape[0], -1)
        used = min(k, weight.shape[1])
        assert {int((row != 0).sum()) for row in weight} == {used}
        of_inputs_of_variance_one = float((weight.astype(float) ** 2).sum(axis=1).mean())
        assert of_inputs_of_variance_one == pytest.approx(2, rel=0.1), "the sum of an output's variances, as with He"
        places = (weight != 0).mean(axis=0)
        assert places == pytest.approx(used / weight.shape[1], abs=0.04), "every place equally often"


def test_a_sparse_network_is_the_seeds() -> None:
    plan = catalog.plan("resnet-14", (1, 28, 28))
    one, again, other = (build(plan, Init(weights="sparse-3"), seed) for seed in (1, 1, 2))
    states = [network.state_dict() for network in (one, again, other)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    weights = [name for name, tensor in states[0].items() if name.endswith("weight") and tensor.ndim > 1]
    assert not any(torch.equal(states[0][name], states[2][name]) for name in weights)
    assert all(int((states[0][name] != 0).sum()) == 3 * len(states[0][name]) for name in weights)


@pytest.mark.parametrize(
    "name", ["sparse-0", "sparse--1", "sparse-1.5", "sparse-10000", "sparse-", "sparse-" + "9" * 99]
)
def test_a_sparse_initialiser_says_what_k_may_be(name: str) -> None:
    with pytest.raises(UnknownName, match=r"k in sparse-k is how many .*: a whole number from 1 to 9999, got '"):
        weight_initializer(name)
    with pytest.raises(ValidationError, match=r"weights\n.*whole number from 1 to 9999"):
        Init(weights=name)


def test_an_unknown_initialiser_lists_all() -> None:
    with pytest.raises(UnknownName, match=r"Allowed: he-normal, .*, sparse-8; sparse-k with k from 1 to 9999"):
        weight_initializer("sparse")


def test_binary_weights_have_two_values_of_the_he_deviation() -> None:
    weight = torch.from_numpy(WEIGHT_INITIALIZERS["binary"].values((64, 32, 3, 3), drawn(2, 3)))
    assert len(weight.unique()) == 2
    assert float(weight.std()) == pytest.approx((2 / 288) ** 0.5, rel=0.02)
