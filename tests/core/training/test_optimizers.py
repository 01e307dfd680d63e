"""The optimisers against torch.optim's classes, bit by bit, and their state through a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.run.events import Finished, Measured, Stopped
from core.run.recipe import Recipe
from core.run.spec import RunSpec
from core.training import optimizers
from core.training.loop import train
from core.training.optimizers import OPTIMIZERS

pytestmark = pytest.mark.training

RATES = (0.1, 0.1, 0.01, 0.003, 0.0)


def _parameters() -> dict[str, nn.Parameter]:
    draw = torch.Generator().manual_seed(1)
    shapes = {"gamma": (5,), "weight": (4, 3, 3, 3), "scalar": (1,)}
    return {
        name: nn.Parameter(torch.randn(shape, generator=draw).contiguous(memory_format=_format(shape)))
        for name, shape in shapes.items()
    }


def _format(shape: tuple[int, ...]) -> torch.memory_format:
    return torch.channels_last if len(shape) == 4 else torch.contiguous_format


def _gradients(parameters: dict[str, nn.Parameter], step: int) -> None:
    draw = torch.Generator().manual_seed(100 + step)
    for parameter in parameters.values():
        parameter.grad = torch.empty_like(parameter).copy_(torch.randn(parameter.shape, generator=draw))


def _ours(recipe: Recipe) -> dict[str, Tensor]:
    parameters = _parameters()
    optimizer = OPTIMIZERS[recipe.optimizer](parameters, recipe)
    for step, lr in enumerate(RATES):
        optimizer.clear_gradients()
        _gradients(parameters, step)
        optimizer.step(lr)
    return {name: parameter.detach() for name, parameter in parameters.items()}


def _theirs(make: Callable[[Any], torch.optim.Optimizer]) -> dict[str, Tensor]:
    parameters = _parameters()
    optimizer = make(parameters.values())
    for step, lr in enumerate(RATES):
        _gradients(parameters, step)
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
    return {name: parameter.detach() for name, parameter in parameters.items()}


TORCHS: dict[str, tuple[dict[str, Any], Callable[[Any], torch.optim.Optimizer]]] = {
    "the paper's": (
        {},
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-4),
    ),
    "plain SGD": (
        {"momentum": 0, "weight_decay": 0},
        lambda p: torch.optim.SGD(p, lr=0.1),
    ),
    "Nesterov": (
        {"nesterov": True, "weight_decay": 0.01},
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    ),
    "Adam": (
        {"optimizer": "adam", "weight_decay": 0.01},
        lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01),
    ),
    "Adam, beta 1": (
        {"optimizer": "adam", "momentum": 0.5, "weight_decay": 0},
        lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.5, 0.999), eps=1e-8),
    ),
    "AdamW": (
        {"optimizer": "adamw", "weight_decay": 0.01},
        lambda p: torch.optim.AdamW(p, lr=0.1, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01),
    ),
}


@pytest.mark.parametrize("together", [optimizers.TOGETHER, 0])
@pytest.mark.parametrize("name", TORCHS)
def test_every_step_is_torchs_to_the_bit(name: str, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizers, "TOGETHER", together)
    fields, make = TORCHS[name]
    ours, theirs = _ours(Recipe(**fields)), _theirs(make)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def _spec(optimizer: str, **recipe: Any) -> RunSpec:
    return RunSpec.model_validate(
        {
            "architecture": "resnet-8",
            "policy": "batchnorm+shortcut",
            "dataset": "digits",
            "epochs": 2,
            "train_examples": 160,
            "test_examples": 16,
            "recipe": {"batch_size": 32, "lr": 0.01, "optimizer": optimizer, **recipe},
        }
    )


@pytest.mark.parametrize(
    ("optimizer", "recipe"),
    [("sgd", {"nesterov": True}), ("adam", {}), ("adamw", {"schedule": "one-cycle"}), ("sgd", {"warmup_epochs": 1})],
)
def test_a_stopped_run_goes_on_to_the_same_bits(optimizer: str, recipe: dict[str, Any], tmp_path: Path) -> None:
    run = _spec(optimizer, **recipe)
    whole = list(train(run, device="cpu", analyses=False))
    asked = iter(range(100))
    first = list(train(run, tmp_path, device="cpu", should_stop=lambda: next(asked) >= 7, analyses=False))
    assert isinstance(first[-1], Stopped) and first[-1].step == 7
    second = list(train(run, tmp_path, device="cpu", attempt=2, analyses=False))
    curves = [[event for event in events if isinstance(event, Measured)] for events in (whole, first + second)]
    assert curves[0] == curves[1]
    one, two = whole[-1], second[-1]
    assert isinstance(one, Finished) and isinstance(two, Finished) and one.digest == two.digest


def test_nothing_to_train_is_no_error() -> None:
    for name, optimizer in OPTIMIZERS.items():
        optimizer({}, Recipe(optimizer=name)).step(0.1)  # type: ignore[arg-type]
