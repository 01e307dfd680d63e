"""What a page says of a run before it runs: the command is the run's, the picture is the plan's, warnings are true."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from app.estimate import Estimate, Estimator, Measured, estimate, modest_run_s
from app.preview import command_line, data_is_here, duration, picture, preview, warnings
from core import cost
from core.architectures.catalog import FEATURED
from core.arguments import parser, spec_of
from core.policies import POLICIES
from core.spec import RunSpec
from jobs.store import Store
from tests.app.conftest import SPEC, Trainer

QUICK: Estimate = {"low": 5.0, "high": 20.0, "basis": "assumed", "runs": 0}


def spec(**fields: Any) -> RunSpec:
    return RunSpec.model_validate({**SPEC, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"train_examples": 64, "test_examples": 32},
        {"recipe": {"lr": 0.05, "lr_drops": [0.25, 0.5], "augmentation": "none", "weight_decay": 1e-5}},
        {"recipe": {"lr_drops": []}},
        {"replicate": 3, "seeds": {"init": 1, "order": 2, "augmentation": 3, "choice": 4}},
        {"policy": "batchnorm+output", "name": "a (new) name; β = 0"},
    ],
)
def test_the_command_means_the_same_run(fields: dict[str, Any]) -> None:
    words = shlex.split(command_line(spec(**fields)))
    assert words[:4] == ["python", "-m", "core", "train"]
    assert spec_of(parser().parse_args(words[3:])) == spec(**fields)


def test_the_command_is_short_where_nothing_is_special() -> None:
    assert command_line(spec()) == (
        "python -m core train --architecture resnet-14 --policy batchnorm --dataset digits --epochs 2 --replicate 0 "
        "--out runs/resnet-14-batchnorm-digits-0"
    )
    assert "--set recipe.lr=0.05 " in command_line(spec(recipe={"lr": 0.05}))


@pytest.mark.parametrize("policy", [*POLICIES, "random-7"])
@pytest.mark.parametrize("architecture", [*FEATURED[:6], "wrn-14-2"])
def test_the_lit_parts_add_up_to_what_trains(architecture: str, policy: str) -> None:
    """The share of each part times its size is the number that the counts give."""
    wanted = spec(architecture=architecture, policy=policy)
    drawn = picture(architecture, policy, "digits")
    units = [drawn["stem"]]
    for block in drawn["blocks"]:
        units += [*block["units"], *([block["shortcut"]] if block["shortcut"] else [])]
    assert [unit["conv"] for unit in units] == [conv.name for conv in wanted.plan.convolutions]
    trained = drawn["output"]["trained"] * (drawn["output"]["features"] + 1) * drawn["output"]["classes"]
    for unit, conv in zip(units, wanted.plan.convolutions, strict=True):
        trained += round(unit["trained"] * conv.fan_in) * conv.outputs + 2 * unit["norm_trained"] * unit["channels"]
    assert trained == wanted.selection.trainable(wanted.plan)


def test_the_whole_preview(tmp_path: Path) -> None:
    said = preview(spec(), QUICK, tmp_path)
    assert said["counts"]["trainable"] == 1120
    assert said["share"] == 1120 / said["counts"]["total"]
    assert said["steps"] == 24 and said["warnings"] == [] and said["estimate_s"] == QUICK


def test_warnings() -> None:
    assert warnings(spec(), QUICK, here=True) == []
    assert "downloads it first (170 MB)" in warnings(spec(dataset="cifar-10"), QUICK, here=False)[0]
    assert "fewer than 16 weights" in warnings(spec(policy="random-16"), QUICK, here=True)[0]
    assert warnings(spec(policy="random-9"), QUICK, here=True) == []
    assert "Nothing trains" in warnings(spec(policy="none"), QUICK, here=True)[0]
    assert "single step" in warnings(spec(train_examples=64), QUICK, here=True)[0]
    slow: Estimate = {**QUICK, "low": 7200.0, "high": 9000.0}
    assert "2.0 h or more" in warnings(spec(), slow, here=True)[0]


def test_where_data_may_lie(tmp_path: Path) -> None:
    assert data_is_here("digits", tmp_path)
    assert not data_is_here("cifar-10", tmp_path)
    batch = tmp_path / "datasets" / "cifar-10-batches-py" / "test_batch"
    batch.parent.mkdir(parents=True)
    batch.touch()
    assert data_is_here("cifar-10", tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert not data_is_here("fashion-mnist", tmp_path, elsewhere)
    (elsewhere / "train-images-idx3-ubyte.gz").touch()
    assert data_is_here("fashion-mnist", tmp_path, elsewhere)
    raw = tmp_path / "datasets" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").touch()
    assert data_is_here("fashion-mnist", tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4, "4 s"), (80, "80 s"), (600, "10 min"), (7200, "2.0 h"), (100_000, "28 h"), (260_000, "3.0 days")],
)
def test_durations_are_said_in_one_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_an_estimate_says_what_it_rests_on(store: Store, trainer: Trainer) -> None:
    """Two runs of 2 s and 8 s were measured: the same run lies between them, with some room."""
    clock = [0.0]
    estimator = Estimator(store, clock=lambda: clock[0])
    assumed = estimator.estimate(spec())
    assert assumed["basis"] == "assumed" and assumed["low"] < assumed["high"]
    for seconds in (2.0, 8.0):
        run_id, _ = trainer.start()
        trainer.finish(run_id, seconds=seconds)
    assert estimator.estimate(spec()) == assumed  # still the kept answer
    clock[0] += 10
    measured = estimator.estimate(spec())
    assert measured == {"low": 4 + 1.6, "high": 4 + 10.0, "basis": "measured here", "runs": 2}
    longer = estimator.estimate(spec(epochs=20))
    assert longer["high"] - 4 == pytest.approx(10 * modest_run_s(spec(epochs=20)) / modest_run_s(spec()), rel=0.01)


def test_an_estimate_rests_on_the_runs_most_alike() -> None:
    small, large = cost.modest_step_s(spec()), cost.modest_step_s(spec(architecture="resnet-110"))
    known = [*(Measured(small, 10.0) for _ in range(5)), *(Measured(large, 1.0) for _ in range(5))]
    for architecture, factor in (("resnet-14", 10), ("resnet-110", 1)):
        wanted = spec(architecture=architecture)
        assert estimate(wanted, known)["high"] == pytest.approx(4 + 1.25 * factor * modest_run_s(wanted), abs=0.1)


def test_a_resumed_run_tells_no_speed(store: Store, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    store.release(run_id, 1, "stopped")
    assert store.claim("worker")
    result = trainer.result(seconds=1.0)
    assert store.finish(run_id, 2, result)
    assert Estimator(store).estimate(spec())["basis"] == "assumed"
