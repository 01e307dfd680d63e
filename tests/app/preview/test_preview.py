"""What a page says of a run before it runs: the command is the run's, the picture is the plan's, warnings are true."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from app.preview.cautions import cautions
from app.preview.estimate import Estimate, Estimator, Measured, estimate, modest_analyses_s, modest_run_s
from app.preview.network import Picture, parts, picture
from app.preview.preview import command_line, data_is_here, duration, preview, warnings
from core.catalog import architectures as catalog
from core.catalog.normalisation import BATCH, Normalisation
from core.catalog.policies import POLICIES, policy
from core.catalog.policy import trainable
from core.catalog.residual import Shape
from core.commands.arguments import parser, spec_of
from core.run import cost
from core.run.spec import RunSpec
from jobs.store.store import Store
from tests.app.conftest import SPEC, Trainer
from tests.events import finished

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
        {"norm": {"kind": "group", "groups": 4}, "init": {"weights": "orthogonal"}},
        {"norm": {"affine": False}, "policy": "all"},
        {"policy": "all-but-batchnorm", "init": {"norm": "uniform"}},
        {"policy": "supermask-30", "recipe": {"schedule": "cosine", "nesterov": True}},
        {"adapt": {"corruptions": ["blur", "rotation"], "severities": [0, 5], "lr": 1e-4}},
        {"draw": 1, "seeds": {"order": 7}},
        {"recipe": {"optimizer": "adamw", "lr": 0.001, "warmup_epochs": 0.5, "lr_drops": [1 / 3, 2 / 3]}},
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
    assert "--set norm.kind=instance " in command_line(spec(norm={"kind": "instance"}))
    # What the policy itself wants is nothing special.
    assert "--set" not in command_line(spec(policy="supermask"))


@pytest.mark.parametrize("name", [*POLICIES, "random-7", "random-3-layer", "supermask-30", "batchnorm-stages-0-2"])
@pytest.mark.parametrize("norm", [{}, {"affine": False}, {"kind": "group"}], ids=["batch", "plain", "group"])
@pytest.mark.parametrize("architecture", ["resnet-14", "resnet-110", "wrn-14-2", "vgg-16", "imagenet-resnet-50"])
def test_the_lit_parts_add_up_to_what_trains(architecture: str, name: str, norm: dict[str, Any]) -> None:
    """The share of each part times its size is the number that the counts give."""
    shape, normalisation = (3, 32, 32), Normalisation(**norm)
    plan, chosen = catalog.plan(architecture, shape, 10, normalisation), policy(name)
    drawn = picture(plan, chosen.trains(plan), chosen, normalisation)
    units = [drawn["stem"]]
    for block in drawn["blocks"]:
        units += [*block["units"], *([block["shortcut"]] if block["shortcut"] else [])]
    assert [unit["conv"] for unit in units] == [conv.name for conv in plan.convolutions]
    trained = drawn["output"]["trained"] * (drawn["output"]["features"] + 1) * drawn["output"]["classes"]
    for unit, conv in zip(units, plan.convolutions, strict=True):
        assert (unit["bias_trained"] is None) == (not conv.bias)
        trained += unit["trained"] * conv.outputs * conv.fan_in + (unit["bias_trained"] or 0) * conv.outputs
        trained += 2 * unit["norm_trained"] * unit["channels"]
    assert trained == pytest.approx(trainable(chosen.trains(plan)), abs=1e-6)
    assert drawn["keep"] == chosen.keep


def drawn_as(architecture: str, name: str, shape: Shape, classes: int, norm: Normalisation = BATCH) -> Picture:
    plan, chosen = catalog.plan(architecture, shape, classes, norm), policy(name)
    return picture(plan, chosen.trains(plan), chosen, norm)


def test_the_picture_says_what_its_shapes_are() -> None:
    vgg = drawn_as("vgg-11", "gamma", (3, 32, 32), 100)
    assert not any(block["residual"] for block in vgg["blocks"])
    assert [block["pool"] for block in vgg["blocks"]] == [True, True, False, True, False, True, False]
    assert vgg["norm"] == {"title": "BatchNorm", "affine": True, "gamma": True, "beta": False}
    assert {unit["norm_trained"] for block in vgg["blocks"] for unit in block["units"]} == {0.5}
    large = drawn_as("imagenet-resnet-200", "batchnorm-stage-2", (3, 224, 224), 1000, Normalisation(kind="group"))
    assert {len(block["units"]) for block in large["blocks"]} == {3} and large["output"]["classes"] == 1000
    assert {block["stage"] for block in large["blocks"] if block["units"][0]["norm_trained"]} == {2}
    assert large["norm"]["title"] == "GroupNorm"


def test_a_picture_tells_scores_from_what_trains() -> None:
    mixed = drawn_as("resnet-14", "supermask-30+batchnorm+shortcut", (3, 32, 32), 10)
    units = [unit for block in mixed["blocks"] for unit in block["units"]]
    shortcuts = [block["shortcut"] for block in mixed["blocks"] if block["shortcut"]]
    assert all(unit["scored"] and unit["trained"] == unit["norm_trained"] == 1 for unit in units)
    assert shortcuts and all(not unit["scored"] and unit["trained"] == 1 for unit in shortcuts)
    assert mixed["output"]["scored"] and mixed["output"]["trained"] < 1
    plan = catalog.plan("resnet-14", (3, 32, 32))
    rows = {row["role"]: row["scored"] for row in parts(plan, policy("supermask+batchnorm+shortcut").trains(plan))}
    assert {role for role, scored in rows.items() if scored} == {"convolution", "output"}
    assert not any(unit["scored"] for unit in [drawn_as("resnet-14", "all", (3, 32, 32), 10)["stem"]])


def test_the_whole_preview(tmp_path: Path) -> None:
    said = preview(spec(), QUICK, tmp_path)
    assert said["counts"]["trainable"] == 1120
    assert said["share"] == 1120 / said["counts"]["total"]
    assert said["steps"] == 24 and said["warnings"] == [] and said["estimate_s"] == QUICK


def test_warnings() -> None:
    assert warnings(spec(), QUICK, here=True) == []
    assert "downloads it first (170 MB)" in warnings(spec(dataset="cifar-10"), QUICK, here=False)[0]
    slow: Estimate = {**QUICK, "low": 7200.0, "high": 9000.0}
    assert "2.0 h or more" in warnings(spec(), slow, here=True)[0]


VGG = {"architecture": "vgg-11", "dataset": "cifar-10"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"policy": "none"}, "only the running statistics change"),
        ({"policy": "none", "norm": {"kind": "group"}}, "the network stays as it is"),
        ({"train_examples": 64}, "single step"),
        (
            {"policy": "random-16"},
            "weights per output channel (the smallest has 9); there, whole filters train",
        ),
        ({"policy": "random-16-layer"}, "whole layers train"),
        ({"policy": "supermask"}, "Only scores train"),
        ({"policy": "supermask"}, "γ and β keep their initial values: γ = 1, β = 0."),
        ({"policy": "supermask+output"}, "γ and β keep their initial values: γ = 1, β = 0."),
        ({"policy": "supermask-30+batchnorm"}, "Every weight that stays frozen has a score and keeps its value."),
        ({**VGG, "policy": "supermask+shortcut"}, "vgg-11 has no projection shortcuts"),
        ({"policy": "supermask+batchnorm", "recipe": {"optimizer": "adam"}}, "0.1 is large; 0.001 is usual"),
        ({"policy": "all-but-batchnorm"}, "γ and β keep their initial values: γ = 1, β = 0."),
        ({"policy": "all-but-batchnorm", "init": {"norm": "uniform"}}, "γ from U(0, 1), β = 0."),
        ({"norm": {"kind": "group"}}, "Where the policy says BatchNorm, this network has GroupNorm layers."),
        ({"norm": {"kind": "none"}}, "Without normalisation"),
        ({"policy": "output", "norm": {"affine": False}}, "norm layers without γ and β"),
        ({"norm": {"kind": "group", "groups": 32}}, "5 of 15 norm layers have fewer than 32 groups"),
        ({"policy": "batchnorm-stages-1-4"}, "resnet-14 has no norm layers in stage 4; its stages are 0, 1, 2, 3."),
        ({**VGG, "policy": "batchnorm+shortcut"}, "vgg-11 has no projection shortcuts"),
        ({"architecture": "imagenet-resnet-18", "recipe": {"batch_size": 64}}, "see only one pixel"),
        ({"policy": "all", "recipe": {"optimizer": "adam"}}, "0.1 is large; 0.001 is usual"),
        ({"recipe": {"optimizer": "adam", "lr": 2}}, "2 is large; 0.2 is usual"),
        ({"recipe": {"warmup_epochs": 2}}, "the learning rate only rises"),
    ],
)
def test_what_a_person_should_know_before(fields: dict[str, Any], words: str) -> None:
    assert any(words in said for said in warnings(spec(**fields), QUICK, here=True)), cautions(spec(**fields))


@pytest.mark.parametrize(
    "fields", [{"policy": "random-9"}, {"recipe": {"optimizer": "adam", "lr": 0.2}}, {"policy": "all"}]
)
def test_what_is_usual_needs_no_words(fields: dict[str, Any]) -> None:
    assert cautions(spec(**fields)) == []


def test_where_data_may_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_is_here("digits", tmp_path)
    assert not data_is_here("cifar-10", tmp_path)
    batch = tmp_path / "datasets" / "cifar-10-batches-py" / "test_batch"
    batch.parent.mkdir(parents=True)
    batch.touch()
    assert data_is_here("cifar-10", tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("ONLYBN_FASHION_MNIST", str(elsewhere))
    assert not data_is_here("fashion-mnist", tmp_path)
    (elsewhere / "train-images-idx3-ubyte.gz").touch()
    assert data_is_here("fashion-mnist", tmp_path)
    raw = tmp_path / "datasets" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").touch()
    monkeypatch.setenv("ONLYBN_FASHION_MNIST", str(tmp_path / "nowhere"))
    assert data_is_here("fashion-mnist", tmp_path)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4, "4 s"), (80, "80 s"), (600, "10 min"), (7200, "2.0 h"), (100_000, "28 h"), (260_000, "3.0 days")],
)
def test_durations_are_said_in_one_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def whole(run: RunSpec) -> float:
    """Seconds that the model says of a run with its analyses."""
    return modest_run_s(run) + modest_analyses_s(run)


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
    more = whole(spec()) / modest_run_s(spec())  # the seconds of a run do not count its analyses
    assert measured["low"] == pytest.approx(4 + 1.6 * more, abs=0.1)
    assert measured["high"] == pytest.approx(4 + 10.0 * more, abs=0.1)
    assert (measured["basis"], measured["runs"]) == ("measured here", 2)
    longer = estimator.estimate(spec(epochs=20))
    assert longer["high"] - 4 == pytest.approx(10 * whole(spec(epochs=20)) / modest_run_s(spec()), rel=0.01)


def test_an_estimate_rests_on_the_runs_most_alike() -> None:
    small, large = cost.modest_step_s(spec()), cost.modest_step_s(spec(architecture="resnet-110"))
    known = [*(Measured(small, 10.0) for _ in range(5)), *(Measured(large, 1.0) for _ in range(5))]
    for architecture, factor in (("resnet-14", 10), ("resnet-110", 1)):
        wanted = spec(architecture=architecture)
        assert estimate(wanted, known)["high"] == pytest.approx(4 + 1.25 * factor * whole(wanted), abs=0.1)


def test_a_resumed_run_tells_no_speed(store: Store, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    store.claims.release(run_id, 1, "stopped")
    assert store.claims.take("worker")
    assert store.claims.finish(run_id, 2, finished(spec(), seconds=1.0))
    assert Estimator(store).estimate(spec())["basis"] == "assumed"
