"""Every policy: how many parameters train, that they do, and that nothing else does."""

from __future__ import annotations

from functools import cache
from math import ceil
from typing import Any

import pytest
import torch

from core.catalog import architectures as catalog
from core.catalog.initializers import NORM_INITIALIZERS
from core.catalog.policies import POLICIES, policy
from core.catalog.policy import trainable
from core.data import batches
from core.data.memory import load
from core.draws.versions import drawn
from core.network.builder import build
from core.network.freezing import MaskedWeight, freeze, highest
from core.run.events import Finished
from core.run.spec import Init, RunSpec
from core.training.loop import train
from tests.core.catalog.expected import ARCHITECTURES, expected, layers
from tests.core.data.audit import audit

PARTIAL = ("batchnorm", "bias", "random-2", "random-2-layer", "supermask")
UNIONS = ("supermask+batchnorm", "supermask+output", "supermask+batchnorm+output+shortcut")


@pytest.fixture(autouse=True)
def _load_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "load", _loaded)


_loaded = cache(load)


def spec(name: str, **changes: Any) -> RunSpec:
    """Three steps of eight digits, with a weight decay that would show on a frozen tensor at once."""
    return RunSpec.model_validate(
        {
            "architecture": "resnet-14",
            "policy": name,
            "dataset": "digits",
            "epochs": 1,
            "train_examples": 24,
            "test_examples": 16,
            "recipe": {"batch_size": 8, "weight_decay": 0.01},
            **changes,
        }
    )


@pytest.mark.parametrize("norm", NORM_INITIALIZERS)
def test_a_policy_promises_of_a_frozen_beta_what_the_initialisers_give(norm: str) -> None:
    run = spec("gamma", init={"norm": norm})
    network = build(run.plan, run.init, seed=1)
    betas = {float(value) for unit in run.plan.units() for value in network.state_dict()[f"{unit.norm.name}.bias"]}
    (beta,) = betas
    assert beta == (1.0 if norm == "ones-shifted" else 0.0)
    assert beta in (0, 1) and "initial value, 0 or 1" in policy("gamma").sentence
    for name in ("beta", "batchnorm-stage-1"):
        assert "initial" in policy(name).sentence, "γ is random with some initialisers only"


def test_the_expected_counts_are_the_authors() -> None:
    """Those that this project did not compute: table 1 of the paper, and open_lth's definition of VGG-11."""
    assert [expected("resnet-14", p, 3) for p in ("all", "batchnorm", "output", "shortcut")] == [
        175258,
        1120,
        650,
        2560,
    ]
    four = [expected("wrn-14-4", p, 3) for p in ("all", "batchnorm", "output", "shortcut")]
    assert four == [2_777_674, 4_480, 2_570, 40_960]
    assert [expected("vgg-11", p, 3) for p in ("all", "batchnorm", "output")] == [9_231_114, 5_504, 5_130]
    eighteen = [expected("imagenet-resnet-18", p, 3) for p in ("batchnorm", "shortcut")]
    assert eighteen == [9_600, 172_032]
    thousand = expected("imagenet-resnet-18", "all", 3) + 990 * (layers("imagenet-resnet-18", 3).features + 1)
    assert thousand == 11_689_512


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("name", POLICIES)
def test_the_plan_counts_what_trains(architecture: str, colours: int, name: str) -> None:
    plan = catalog.plan(architecture, (colours, 32, 32))
    assert trainable(policy(name).trains(plan)) == expected(architecture, name, colours)


@pytest.mark.parametrize("architecture", ["vgg-11", "imagenet-resnet-18"])
@pytest.mark.parametrize(
    "name", ["batchnorm", "bias", "all-but-batchnorm", "random-2", "random-2-layer", "supermask", *UNIONS]
)
def test_the_network_has_what_the_plan_counts(architecture: str, name: str) -> None:
    plan = catalog.plan(architecture, (1, 28, 28))
    trained = freeze(build(plan, Init(), seed=1), policy(name).trains(plan), seed=2)
    assert sum(p.numel() for p in trained.values()) == expected(architecture, name)


@pytest.mark.parametrize("name", POLICIES)
def test_only_what_the_policy_names_changes(name: str) -> None:
    found = audit(spec(name))
    assert found.trainable == expected("resnet-14", name)
    assert (found.changed, found.unchanged) == (found.trained, found.frozen)
    assert bool(found.trained) == (name != "none")


@pytest.mark.parametrize("name", ["all-but-batchnorm", *PARTIAL, UNIONS[0]])
@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_no_optimizer_moves_a_frozen_tensor(name: str, optimizer: str) -> None:
    recipe = {"batch_size": 8, "weight_decay": 0.1, "lr": 0.001, "optimizer": optimizer}
    assert audit(spec(name, recipe=recipe)).ok


def test_gamma_and_beta_stay_at_one_and_zero_when_all_else_trains() -> None:
    found = audit(spec("all-but-batchnorm"))
    names = [norm.name for norm in found.training.plan.norms]
    assert all(torch.equal(found.after[f"{n}.weight"], torch.ones_like(found.after[f"{n}.weight"])) for n in names)
    assert not any(found.after[f"{n}.bias"].any() for n in names)
    chosen = audit(spec("all-but-batchnorm", init={"norm": "uniform"}))
    assert chosen.ok and float(chosen.after[f"{names[0]}.weight"].min()) < 0.9, "at U(0, 1) where the spec says so"


def test_a_supermask_keeps_its_share_of_frozen_weights() -> None:
    found = audit(spec("supermask-30"))
    assert found.ok, "γ and β among them, which stay at 1 and 0"
    masked = {n: m for n, m in found.training.network.named_modules() if isinstance(m, MaskedWeight)}
    assert len(masked) == len(layers("resnet-14", 1).all) + 1, "every convolution and the output layer"
    for layer in masked.values():
        used = layer.effective().detach()
        kept = int((used != 0).sum())
        assert kept == pytest.approx(0.3 * used.numel(), abs=1)
        lowest_kept = layer.scores.detach().abs()[used != 0].min()
        assert lowest_kept >= layer.scores.detach().abs()[used == 0].max()


@pytest.mark.parametrize("percent", [1, 7, 28, 50, 55, 99])
@pytest.mark.parametrize("parts", ["batchnorm", "output", "batchnorm+shortcut"])
def test_beside_gamma_and_beta_a_mask_keeps_its_share_exactly(percent: int, parts: str) -> None:
    found = audit(spec(f"supermask-{percent}+{parts}", architecture="resnet-8"))
    assert found.ok and found.trained
    whole = {"output": "output", "shortcut": "shortcut"}
    for name, module in found.training.network.named_modules():
        weight = getattr(module, "weight", None)
        if not isinstance(weight, torch.Tensor) or weight.ndim < 2:
            continue
        trains = any(part in parts.split("+") and word in name for part, word in whole.items())
        assert isinstance(module, MaskedWeight) is not trains, name
        if isinstance(module, MaskedWeight):
            assert int((module.effective() != 0).sum()) == -(-percent * weight.numel() // 100), name


@pytest.mark.parametrize("percent", range(1, 100))
def test_rounding_never_keeps_a_weight_too_many(percent: int) -> None:
    keep = policy(f"supermask-{percent}+batchnorm").keep
    for weights in (144, 640, 2304, 6400, 19_200, 51_200, 100_000_000):
        assert ceil(keep * weights) == -(-percent * weights // 100)


def test_the_gradient_of_a_score_raises_its_size() -> None:
    layer = MaskedWeight(torch.nn.Linear(8, 4, bias=False), 0.5, drawn(2, 1))
    (gradient,) = torch.autograd.grad(layer.effective().sum(), layer.scores)
    assert torch.equal(gradient, layer.weight * layer.scores.sign())
    assert (layer.scores < 0).any() and (layer.scores > 0).any()


@pytest.mark.training
def test_a_supermask_learns() -> None:
    run = {
        "architecture": "resnet-8",
        "policy": "supermask",
        "dataset": "digits",
        "epochs": 2,
        "recipe": {"batch_size": 32},
    }
    events = list(train(RunSpec.model_validate(run), analyses=False))
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.top1 > 0.4, "0.67 was seen; with the gradients of negative scores reversed it stays at chance, 0.1"


@pytest.mark.parametrize("count", [1, 2, 50, 999, 1000])
def test_the_highest_are_those_that_sorting_finds(count: int) -> None:
    values = torch.rand(1000, generator=torch.Generator().manual_seed(count))
    for scores in (values, (values * 5).round(), torch.zeros(1000)):
        kept = scores.argsort(stable=True)[1000 - count :]
        assert highest(scores, count).nonzero().flatten().tolist() == sorted(kept.tolist())


def test_a_policy_without_its_parameters_is_refused() -> None:
    assert expected("vgg-11", "shortcut") == 0
    with pytest.raises(ValueError, match="policy shortcut would train nothing: vgg-11"):
        spec("shortcut", architecture="vgg-11", dataset="fashion-mnist")
