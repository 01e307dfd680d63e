"""Training as a user would check it: what is frozen stays, what trains moves, a stop changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from core.catalog.policies import POLICIES
from core.catalog.policy import trainable
from core.catalog.schedules import learning_rate
from core.draws.versions import drawn
from core.network.builder import build
from core.network.freezing import choose, freeze
from core.run.events import BINS, Event, Failed, Finished, Measured, Point, Snapshot, Started, Stopped
from core.run.recipe import Recipe
from core.run.spec import RunSpec
from core.training.loop import train
from core.training.training import Training

pytestmark = pytest.mark.training

POLICY_NAMES = [*POLICIES, "random-3"]


def spec(**changes: Any) -> RunSpec:
    return RunSpec.model_validate(
        {
            "architecture": "resnet-8",
            "policy": "batchnorm",
            "dataset": "digits",
            "epochs": 2,
            "train_examples": 300,
            "test_examples": 64,
            "recipe": {"batch_size": 64, "lr": 0.05},
            **changes,
        }
    )


def points(events: list[Event]) -> list[Point]:
    return [event.point for event in events if isinstance(event, Measured)]


@pytest.mark.parametrize("policy", POLICY_NAMES)
def test_frozen_tensors_stay_to_the_bit_and_trained_ones_move(policy: str, tmp_path: Path) -> None:
    training = Training(spec(policy=policy), None, tmp_path, torch.device("cpu"), 1)
    before = {name: tensor.clone() for name, tensor in training.network.state_dict().items()}
    list(training.run(lambda: False, 1e9))
    after = training.network.state_dict()
    running = {name for name in after if "running_" in name}
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    assert moved == set(training.trainable) | running
    assert sum(p.numel() for p in training.trainable.values()) == trainable(training.spec.trains)


def test_weight_decay_does_not_move_a_frozen_weight(tmp_path: Path) -> None:
    heavy = {"batch_size": 64, "lr": 0.05, "weight_decay": 0.5}
    training = Training(spec(policy="random-2", recipe=heavy), None, tmp_path, torch.device("cpu"), 1)
    before = training.network.get_buffer("stem.conv.weight").clone()
    values = training.network.get_parameter("stem.conv.values").detach().clone()
    list(training.run(lambda: False, 1e9))
    assert torch.equal(before, training.network.get_buffer("stem.conv.weight"))
    assert not torch.equal(values, training.network.get_parameter("stem.conv.values"))


def test_a_scattered_convolution_begins_as_the_frozen_one() -> None:
    plain = build(spec().plan, spec().init, seed=5).eval()
    scattered = build(spec().plan, spec().init, seed=5).eval()
    freeze(scattered, POLICIES["random-4"].trains(spec().plan), seed=1)
    x = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(plain(x), scattered(x))


def test_chosen_weights_are_distinct_and_k_for_each_channel() -> None:
    chosen = choose(outputs=16, fan_in=9, count=64, draw=drawn(2, 3))
    assert len(set(chosen.tolist())) == 64
    assert torch.bincount(chosen // 9).tolist() == [4] * 16
    assert not torch.equal(chosen, choose(16, 9, 64, drawn(2, 4)))


def test_initial_values_are_the_papers() -> None:
    big = spec(architecture="wrn-14-4")
    network = build(big.plan, big.init, seed=1)
    gamma = torch.cat([network.get_parameter(f"{n.name}.weight").detach() for n in big.plan.norms])
    beta = torch.cat([network.get_parameter(f"{n.name}.bias").detach() for n in big.plan.norms])
    assert gamma.min() >= 0 and gamma.max() <= 1 and abs(float(gamma.mean()) - 0.5) < 0.03
    assert not beta.any()
    weight = network.get_parameter("stage3.1.conv2.weight").detach()
    assert float(weight.std()) == pytest.approx((2 / weight[0].numel()) ** 0.5, rel=0.01)
    assert torch.equal(weight, build(big.plan, big.init, seed=1).get_parameter("stage3.1.conv2.weight"))
    assert not torch.equal(weight, build(big.plan, big.init, seed=2).get_parameter("stage3.1.conv2.weight"))


def test_the_learning_rate_drops_at_the_first_step_of_the_milestone() -> None:
    recipe, total = Recipe(), 62_560
    assert [learning_rate(recipe, s, 391, total) for s in (0, 31_279)] == [0.1, 0.1]
    assert learning_rate(recipe, 31_280, 391, total) == pytest.approx(0.01)  # paper.md section 2
    assert learning_rate(recipe, 46_919, 391, total) == pytest.approx(0.01)
    assert learning_rate(recipe, 46_920, 391, total) == pytest.approx(0.001)


def test_the_events_of_a_run() -> None:
    events = list(train(spec()))
    started, finished = events[0], events[-1]
    assert isinstance(started, Started) and isinstance(finished, Finished)
    assert started.total_steps == 10 and started.counts.trainable == finished.trainable
    tests = [p for p in points(events) if p.split == "test"]
    assert [p.step for p in tests] == [0, 5, 10], "at initialisation and after every epoch"
    assert finished.top1 == tests[-1].top1, "the last epoch, not the best"
    snapshots = [event for event in events if isinstance(event, Snapshot)]
    assert {0, 5, 10} <= {s.step for s in snapshots}
    for snapshot in snapshots:
        assert len(snapshot.gamma.counts) == len(started.layers)
        assert [sum(row) for row in snapshot.gamma.counts] == [layer.channels for layer in started.layers]
        assert all(len(row) == BINS + 2 for row in snapshot.beta.counts)
    first = snapshots[0]
    assert all(sum(row[: BINS // 2 + 1]) == 0 for row in first.gamma.counts), "γ begins in (0, 1)"
    json.loads(finished.model_dump_json())


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    first, again, other = (list(train(spec(replicate=r)))[-1] for r in (3, 3, 4))
    assert isinstance(first, Finished) and isinstance(again, Finished) and isinstance(other, Finished)
    assert first.digest == again.digest != other.digest


@pytest.mark.parametrize("policy", ["batchnorm", "all", "random-2", "supermask-30+batchnorm", "none"])
@pytest.mark.parametrize("stop_after", [1, 4, 5, 9])
def test_a_stopped_and_resumed_run_ends_with_the_same_bits(policy: str, stop_after: int, tmp_path: Path) -> None:
    run = spec(policy=policy)
    whole = list(train(run, tmp_path / "whole"))
    folder = tmp_path / "stopped"
    first = list(train(run, folder, should_stop=_after(stop_after)))
    assert isinstance(first[-1], Stopped) and first[-1].step == stop_after
    second = list(train(run, folder, attempt=2))
    assert isinstance(second[0], Started) and second[0].resumed_from == first[-1].step
    assert points(first) + points(second) == points(whole)
    assert _result(second[-1]) == _result(whole[-1])
    one, two = (load_file(tmp_path / name / "final.safetensors") for name in ("whole", "stopped"))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def _result(event: Event) -> dict[str, Any]:
    assert isinstance(event, Finished)
    return event.model_dump(exclude={"seconds"})


def test_a_damaged_checkpoint_is_put_aside_and_the_one_before_is_used(tmp_path: Path) -> None:
    run = spec(epochs=4)
    whole = list(train(run))
    for _ in train(run, tmp_path, checkpoint_every_s=0, should_stop=_after(15)):
        pass
    newest = sorted((tmp_path / "checkpoints").iterdir())[-1]
    damaged = bytearray(newest.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    newest.write_bytes(bytes(damaged))
    rest = list(train(run, tmp_path))
    assert isinstance(rest[0], Started) and 0 < (rest[0].resumed_from or 0) < 15
    assert _result(rest[-1]) == _result(whole[-1])
    assert newest.with_name(f"bad-{newest.name}").exists()


def _after(steps: int) -> Any:
    asked = iter(range(10**9))
    return lambda: next(asked) >= steps


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"\xff" * 64])
def test_a_foreign_checkpoint_is_never_used(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    import hashlib

    name = f"step-00000007-a1-{hashlib.sha256(content).hexdigest()[:16]}.safetensors"
    (folder / name).write_bytes(content)
    events = list(train(spec(epochs=1), tmp_path))
    assert isinstance(events[0], Started) and events[0].resumed_from is None
    assert isinstance(events[-1], Finished)


def test_divergence_stops_the_run_within_50_steps() -> None:
    events = list(train(spec(policy="all", epochs=40, recipe={"lr": 1e6, "batch_size": 16})))
    failed = events[-1]
    assert isinstance(failed, Failed) and failed.kind == "diverged"
    assert failed.step <= 50
    assert "smaller lr" in failed.message
    assert all(torch.isfinite(torch.tensor(p.loss)) for p in points(events))


def test_resnet_866_trains_its_64736_parameters() -> None:
    deep = spec(architecture="resnet-866", train_examples=16, test_examples=16, epochs=1, recipe={"batch_size": 8})
    events = list(train(deep))
    finished = events[-1]
    assert isinstance(finished, Finished) and finished.trainable == 64_736
    assert finished.step == 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_the_gpu_trains_and_resumes_too(tmp_path: Path) -> None:
    whole = list(train(spec(policy="random-2"), device="cuda"))
    first: list[Event] = list(train(spec(policy="random-2"), tmp_path, device="cuda", should_stop=_after(7)))
    second = list(train(spec(policy="random-2"), tmp_path, device="cuda"))
    assert points(first) + points(second) == points(whole)
