"""Checkpoints that are not what they seem: a training puts them aside and never uses them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from core.run.events import Finished, Started, Stopped
from core.training.checkpoint import read_metadata
from core.training.loop import train
from tests.core.training.test_loop import spec

pytestmark = pytest.mark.training


def without(*names: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(tensors: dict[str, Any], _numbers: dict[str, Any]) -> None:
        for name in [name for name in tensors if any(part in name for part in names)]:
            del tensors[name]

    return change


def number(name: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda _tensors, numbers: numbers.__setitem__(name, value)


def first(change: Callable[[torch.Tensor], torch.Tensor], part: str = "") -> Callable[[dict[str, Any], Any], None]:
    def apply(tensors: dict[str, Any], _numbers: Any) -> None:
        name = next(name for name in tensors if part in name)
        tensors[name] = change(tensors[name])

    return apply


FORGERIES = {
    "no statistics": without("running_mean"),
    "no weights": without("weight"),
    "no momentum of one": without("momentum/stem"),
    "cut": first(lambda tensor: tensor[:-1]),
    "one more axis": first(lambda tensor: tensor[None]),
    "float64": first(lambda tensor: tensor.to(torch.float64)),
    "integers": first(lambda tensor: tensor.to(torch.int64)),
    "momentum of float64": first(lambda tensor: tensor.to(torch.float64), "momentum/"),
    "momentum cut": first(lambda tensor: tensor[:-1], "momentum/"),
    "momentum of integers": first(lambda tensor: tensor.to(torch.int64), "momentum/"),
    "a foreign tensor": lambda tensors, _: tensors.__setitem__("foreign", torch.zeros(2)),
    "foreign momentum": lambda tensors, _: tensors.__setitem__("optimizer/foreign/x", torch.zeros(2)),
    "no tensors": lambda tensors, _: tensors.clear(),
    "step below 0": number("step", -1),
    "step beyond the end": number("step", 10**9),
    "step as text": number("step", "7"),
    "step as a truth": number("step", True),
    "no seconds": number("elapsed_s", None),
    "seconds nan": number("elapsed_s", float("nan")),
    "sum of text": number("window", {"loss": "a"}),
    "seen below 0": number("window", {"seen": -1}),
    "no window": number("window", None),
    "window of another kind": number("window", {"unknown": 1}),
    "no test": number("test", []),
    "test of nothing": number("test", [None, None, None]),
    "four scores": number("train", [1, 2, 3, 4]),
    "a number too many": number("surplus", 1),
    "no spec": lambda _, numbers: numbers.pop("spec"),
    "no numbers": lambda _, numbers: numbers.clear(),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_checkpoint_that_only_looks_right_is_put_aside(forgery: str, tmp_path: Path) -> None:
    """Its name, its hash and its format are right, its content is not that of this training."""
    stopped = iter([*[False] * 7, True])
    list(train(spec(), tmp_path, should_stop=lambda: next(stopped, True), analyses=False))
    *earlier, path = sorted((tmp_path / "checkpoints").iterdir())
    for one in earlier:  # a slow machine has written one on the way
        one.unlink()
    content = path.read_bytes()
    tensors, numbers = load(content), json.loads(read_metadata(content)["state"])
    FORGERIES[forgery](tensors, numbers)
    forged = save(tensors, metadata={"state": json.dumps(numbers)})
    path.unlink()
    step = numbers.get("step", 0)
    step = step if isinstance(step, int) and step > 0 else 9
    path = path.with_name(f"step-{step:08d}-a1-{hashlib.sha256(forged).hexdigest()[:16]}.safetensors")
    path.write_bytes(forged)
    begun = next(iter(train(spec(), tmp_path, analyses=False)))
    assert isinstance(begun, Started) and begun.resumed_from is None
    assert path.with_name(f"bad-{path.name}").exists()


def test_a_pipe_with_the_name_of_a_checkpoint_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    os.mkfifo(tmp_path / "checkpoints" / f"step-00000007-a1-{'0' * 16}.safetensors")
    begun = next(iter(train(spec(), tmp_path, analyses=False)))
    assert isinstance(begun, Started) and begun.resumed_from is None


def test_a_folder_with_the_name_of_a_checkpoint_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / f"step-00000007-a1-{'0' * 16}.safetensors").mkdir(parents=True)
    events = list(train(spec(), tmp_path, analyses=False))
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_what_each_optimiser_remembers_is_taken(optimizer: str, momentum: float, tmp_path: Path) -> None:
    recipe = {"batch_size": 64, "lr": 0.001, "optimizer": optimizer, "momentum": momentum}
    recipe |= {"nesterov": False}
    stopped = iter([*[False] * 7, True])
    events = list(train(spec(recipe=recipe), tmp_path, should_stop=lambda: next(stopped, True), analyses=False))
    assert isinstance(events[-1], Stopped)
    again = next(iter(train(spec(recipe=recipe), tmp_path, analyses=False)))
    assert isinstance(again, Started) and again.resumed_from == events[-1].step
