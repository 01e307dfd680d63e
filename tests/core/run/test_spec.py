"""RunSpec: what is refused and in which words, and what is derived."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.run.cost import MAX_STRIDE, keeps_snapshot, point_stride
from core.run.events import BINS, EDGES
from core.run.problems import explain
from core.run.spec import RunSpec

ROOT = Path(__file__).parents[3]
GOOD: dict[str, Any] = {
    "architecture": "resnet-14",
    "policy": "batchnorm",
    "dataset": "digits",
    "epochs": 2,
    "replicate": 0,
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epochs": 0}, "epochs must be a whole number from 1 to 400, got 0"),
        ({"epochs": "x"}, "epochs must be a whole number from 1 to 400, got 'x'"),
        ({"replicate": -1}, "replicate must be a whole number from 0 to 9,999, got -1"),
        ({"policy": "bn"}, "Allowed: batchnorm, all"),
        ({"dataset": "emnist"}, "Allowed: digits, mnist, fashion-mnist, cifar-10"),
        ({"architecture": "resnet-15"}, "nearest: resnet-14 and resnet-20"),
        ({"depth": 14}, "depth is not a field of a run; allowed fields: architecture, policy"),
        ({"recipe": {"bs": 1}}, "recipe.bs is not a field of a run; allowed fields: optimizer, lr"),
        ({"recipe": {"lr": -1}}, "recipe.lr must be a number above 0 and at most 1,000,000, got -1"),
        ({"recipe": {"lr": float("nan")}}, "recipe.lr must be a number"),
        ({"recipe": {"lr_drops": [0.5, 0.2]}}, "lr_drops must increase"),
        ({"recipe": {"augmentation": "cutout"}}, "recipe.augmentation must be one of standard, none"),
        ({"train_examples": 1439}, "train_examples must be from 16 to 1,438 for digits, got 1439"),
        ({"train_examples": 3}, "train_examples must be a whole number of at least 16"),
        ({"name": "<script>"}, "name"),
        ({"seeds": {"init": -1}}, "seeds.init must be a whole number of at least 0"),
        ({"seeds": {"luck": 1}}, "seeds.luck is not a field of a run; allowed fields: init, order"),
        ({"seeds": 7}, "seeds is an object with fields, got 7"),
    ],
)
def test_a_bad_field_is_explained(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RunSpec.model_validate({**GOOD, **change})
    assert words in explain(caught.value)


def test_a_group_of_one_value_is_refused() -> None:
    last = {**GOOD, "architecture": "imagenet-resnet-18"}  # of 8 × 8 pixels one is left, in 512 channels
    with pytest.raises(ValidationError) as caught:
        RunSpec.model_validate({**last, "norm": {"kind": "group", "groups": 512}})
    words = explain(caught.value)
    assert "GroupNorm needs more than one value per group" in words and "choose fewer norm.groups" in words
    assert RunSpec.model_validate({**last, "norm": {"kind": "group", "groups": 32}})
    assert RunSpec.model_validate({**GOOD, "norm": {"kind": "group", "groups": 512}}), "2 × 2 pixels are left here"


@pytest.mark.parametrize("missing", ["architecture", "policy", "dataset", "epochs"])
def test_a_missing_field_is_named(missing: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RunSpec.model_validate({k: v for k, v in GOOD.items() if k != missing})
    assert f"{missing} is missing" in explain(caught.value)


def test_seeds_derive_from_the_replicate_and_are_stored() -> None:
    first, second = RunSpec(**GOOD), RunSpec(**{**GOOD, "replicate": 1})
    assert len({*first.seeds.model_dump().values(), *second.seeds.model_dump().values()}) == 8
    again = RunSpec.model_validate_json(first.model_dump_json())
    assert again == first
    assert again.digest == first.digest


def test_seeds_that_are_left_out_derive_from_the_replicate_too() -> None:
    whole = RunSpec(**{**GOOD, "replicate": 3}).seeds.model_dump()
    one = RunSpec(**{**GOOD, "replicate": 3, "seeds": {"init": 7}})
    assert one.seeds.model_dump() == {**whole, "init": 7}
    assert RunSpec.model_validate_json(one.model_dump_json()).digest == one.digest


def test_the_name_does_not_change_the_run() -> None:
    assert RunSpec(**GOOD, name="mine").digest == RunSpec(**GOOD).digest != RunSpec(**{**GOOD, "epochs": 3}).digest


def test_steps_count_the_last_small_batch() -> None:
    cifar = RunSpec(**{**GOOD, "dataset": "cifar-10", "epochs": 160})
    assert (cifar.steps_per_epoch, cifar.total_steps) == (391, 62_560)  # paper.md section 2


@pytest.mark.parametrize("epochs", [1, 2, 30, 160, 399, 400])
@pytest.mark.parametrize(
    ("dataset", "architecture", "examples"),
    [("digits", "resnet-14", None), ("cifar-10", "resnet-14", None), ("fashion-mnist", "resnet-866", 16)],
)
def test_at_most_300_snapshots_are_kept(epochs: int, dataset: str, architecture: str, examples: int | None) -> None:
    spec = RunSpec(
        architecture=architecture, policy="batchnorm", dataset=dataset, epochs=epochs, train_examples=examples
    )
    stride, per_epoch = point_stride(spec), spec.steps_per_epoch
    emitted = {0, *range(per_epoch, spec.total_steps + 1, per_epoch), *range(stride, spec.total_steps + 1, stride)}
    kept = [step for step in emitted if keeps_snapshot(spec, step)]
    assert len(kept) <= 300
    assert {0, spec.total_steps} <= set(kept)
    if epochs <= 150:
        assert set(range(0, spec.total_steps + 1, per_epoch)) <= set(kept), "every epoch has its snapshot"


def test_divergence_is_seen_within_50_steps() -> None:
    assert MAX_STRIDE <= 50


def test_edges_are_even_and_centred_on_zero() -> None:
    assert len(EDGES) == BINS + 1
    assert EDGES[0] == -EDGES[-1] == -1.95
    assert EDGES[BINS // 2] == -EDGES[BINS // 2 + 1] == -0.03


def test_none_of_this_imports_torch() -> None:
    modules = (
        "core.run.spec, core.run.events, core.run.cost, core.run.journal, core.catalog.policies, "
        "core.commands.arguments, core.__main__"
    )
    code = f"import sys, {modules}\nassert not {{'torch', 'numpy', 'safetensors'}} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
