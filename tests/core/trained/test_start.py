"""Warm start: what is taken from a file, what is not, and that such a run, too, is reproducible and self-contained."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import Tensor

from core.network.builder import Network, build
from core.run.events import Event, Failed, Finished, Measured, Started
from core.run.spec import RunSpec
from core.trained.capsule import read_capsule, rebuild
from core.trained.start import BadStart, start_from
from core.training.loop import train
from core.training.training import Training
from tests.core.program import core
from tests.core.training.test_loop import spec

pytestmark = pytest.mark.training

EXACT = {"batch_size": 64, "lr": 0.05, "precision": "fp32"}
"""The recipe of spec(), computed by PyTorch whatever trains: own kernels round in another order."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The capsule of a network that was trained whole."""
    folder = tmp_path_factory.mktemp("trained")
    list(train(spec(policy="all", recipe=EXACT, replicate=1), folder, analyses=False))
    return folder / "final.safetensors"


def placed(file: Path | bytes, folder: Path, **changes: Any) -> RunSpec:
    """A spec that starts from `file`, which lies in `folder` now."""
    content = file if isinstance(file, bytes) else file.read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "start.safetensors").write_bytes(content)
    return spec(start=hashlib.sha256(content).hexdigest(), **changes)


def begins_where(told: Finished, events: list[Event]) -> bool:
    """Whether a run that starts from a capsule gives its answers before its first step, but for rounding."""
    assert isinstance(events[1], Measured)
    first = events[1].point
    return first.top1 == told.top1 and first.loss == pytest.approx(told.loss, rel=1e-4)


def events_of(run: RunSpec, folder: Path, **options: Any) -> list[Event]:
    return list(train(run, folder, analyses=False, **options))


def test_a_run_starts_where_the_other_ended(trained: Path, tmp_path: Path) -> None:
    run = placed(trained, tmp_path, recipe=EXACT)
    events = events_of(run, tmp_path)
    started, finished = events[0], events[-1]
    assert isinstance(started, Started) and started.taken == "Loaded 47 of 47 tensors from its file."
    assert begins_where(read_capsule(trained).result, events)
    assert isinstance(finished, Finished) and finished.trainable == 672
    assert spec(recipe=EXACT).digest != run.digest


def test_its_capsule_carries_what_no_seed_gives_back(trained: Path, tmp_path: Path) -> None:
    run = placed(trained, tmp_path)
    training = Training(run, tmp_path, tmp_path, torch.device("cpu"), 1)
    list(training.run(lambda: False, 1e9))
    capsule = read_capsule(tmp_path / "final.safetensors")
    frozen = {p.name for p in run.plan.parameters} - run.trains.keys()
    assert set(capsule.carried) == frozen
    images = torch.randn(4, 1, 8, 8).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        assert torch.equal(training.network.eval()(images), rebuild(capsule)(images))


def test_of_frozen_weights_of_the_same_seed_nothing_is_carried(tmp_path: Path) -> None:
    events_of(spec(), tmp_path / "first")
    run = placed(tmp_path / "first" / "final.safetensors", tmp_path / "second", recipe={"lr": 0.01, "batch_size": 64})
    events_of(run, tmp_path / "second")
    capsule = read_capsule(tmp_path / "second" / "final.safetensors")
    assert capsule.carried == () and capsule.size_bytes < 10_000


@pytest.mark.parametrize("policy", ["random-2", "supermask", "supermask+batchnorm", "batchnorm"])
def test_a_run_starts_from_any_policys_capsule_and_under_any_policy(policy: str, tmp_path: Path) -> None:
    events_of(spec(policy=policy, recipe=EXACT), tmp_path / "first")
    file = tmp_path / "first" / "final.safetensors"
    told = read_capsule(file).result
    for after in ("none", "random-2"):  # supermask switches half of the weights off at once
        run = placed(file, tmp_path / after, policy=after, recipe=EXACT)
        assert begins_where(told, events_of(run, tmp_path / after))
        capsule = read_capsule(tmp_path / after / "final.safetensors")
        assert capsule.result.digest and rebuild(capsule)


def test_a_stopped_warm_start_ends_with_the_same_bits(trained: Path, tmp_path: Path) -> None:
    whole = events_of(placed(trained, tmp_path / "whole"), tmp_path / "whole")
    run = placed(trained, tmp_path / "stopped")
    asked = iter(range(100))
    events_of(run, tmp_path / "stopped", should_stop=lambda: next(asked) >= 4)
    rest = events_of(run, tmp_path / "stopped")
    assert isinstance(rest[0], Started) and rest[0].resumed_from == 4 and rest[0].taken
    assert isinstance(rest[-1], Finished) and isinstance(whole[-1], Finished)
    assert rest[-1].digest == whole[-1].digest
    ends = [(tmp_path / name / "final.safetensors") for name in ("whole", "stopped")]
    one, two = (read_capsule(end) for end in ends)
    assert one.frozen == two.frozen and one.carried == two.carried


def state_of(network: Network) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def drawn(**changes: Any) -> Network:
    run = spec(**changes)
    return build(run.plan, run.init, seed=3)


def written(tensors: dict[str, Tensor], folder: Path) -> tuple[Path, str]:
    content = save(tensors)
    path = folder / "state.safetensors"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_a_state_dict_gives_what_fits_and_the_log_says_what_does_not(tmp_path: Path) -> None:
    source = state_of(drawn(dataset="fashion-mnist", train_examples=64))
    source["output.weight"], source["output.bias"] = torch.ones(100, 64), torch.ones(100)  # another data set's
    del source["stage1.0.norm1.weight"]
    source["stem.norm.num_batches_tracked"] = torch.tensor(7)
    source["head.extra"] = torch.ones(3)
    source["stage1.0.norm1.bias"] = source["stage1.0.norm1.bias"].half()
    network = build(spec().plan, spec().init, seed=4)
    before = state_of(network)
    path, digest = written({f"module.{name}": tensor for name, tensor in source.items()}, tmp_path)
    taken = start_from(network, spec().plan, path, digest)
    assert set(taken.unlike) == {"output.weight", "output.bias"} and taken.missing == ("stage1.0.norm1.weight",)
    assert taken.others == ("head.extra",) and len(taken.taken) == 44
    assert "Loaded 44 of 47 tensors" in taken.sentence
    assert "another shape, left random: output.weight, output.bias" in taken.sentence
    assert "not in this network: head.extra" in taken.sentence
    after = network.state_dict()
    for name in taken.taken:
        assert torch.equal(after[name], source[name].float())
    for name in (*taken.unlike, *taken.missing):
        assert torch.equal(after[name], before[name])
    assert "stage1.0.norm1.bias" not in taken.changed, "β was 0 in both"


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"conv1.weight": torch.ones(3)}, "no tensor in the file that this run starts from fits: it has conv1.weight"),
        ({}, "no tensors"),
        ({"stem.norm.weight": torch.ones(16).long()}, "no tensor in the file"),
        ({"stem.norm.weight": torch.full((16,), float("inf"))}, "not a finite number, in stem.norm.weight"),
        ({"module.stem.norm.running_var": torch.linspace(-1, 1, 16)}, "negative variance, in stem.norm.running_var"),
    ],
)
def test_a_file_that_does_not_help_is_refused(tensors: dict[str, Tensor], words: str, tmp_path: Path) -> None:
    path, digest = written(tensors, tmp_path)
    with pytest.raises(BadStart, match=words) as told:
        start_from(drawn(), spec().plan, path, digest)
    assert str(tmp_path) not in str(told.value), "everybody reads it"


def test_a_missing_or_other_file_fails_the_run_in_words(trained: Path, tmp_path: Path) -> None:
    run = placed(trained, tmp_path)
    (tmp_path / "start.safetensors").write_bytes(b"something else")
    (failed,) = events_of(run, tmp_path)
    assert isinstance(failed, Failed) and failed.kind == "error" and "is not the file" in failed.message
    (tmp_path / "start.safetensors").unlink()
    (failed,) = events_of(run, tmp_path)
    assert isinstance(failed, Failed) and "not in its folder as start.safetensors" in failed.message


def test_the_command_line(trained: Path, tmp_path: Path) -> None:
    words = ["--architecture", "resnet-8", "--policy", "batchnorm", "--dataset", "digits", "--epochs", "1"]
    words += ["--no-analysis", "--threads", "1"]
    done = core("train", *words, "--start", trained, "--out", tmp_path / "run", "--events", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["taken"].startswith("Loaded 47 of 47")
    assert (tmp_path / "run" / "start.safetensors").read_bytes() == trained.read_bytes()
    assert (
        json.loads((tmp_path / "run" / "spec.json").read_text())["start"]
        == hashlib.sha256(trained.read_bytes()).hexdigest()
    )
    verified = core("capsule", "verify", tmp_path / "run" / "final.safetensors")
    assert verified.returncode == 0, verified.stdout
    other = core("train", *words, "--out", tmp_path / "run")
    assert other.returncode == 2 and "holds another run (start is " in other.stderr
    foreign = core("train", *words, "--start", Path(__file__), "--out", tmp_path / "other")
    assert foreign.returncode == 2 and "is not a safetensors file" in foreign.stderr
    nowhere = core("train", *words, "--start", "/nowhere", "--out", tmp_path / "other")
    assert nowhere.returncode == 2 and "cannot read /nowhere" in nowhere.stderr
