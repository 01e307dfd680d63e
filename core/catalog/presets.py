"""Recipes by name: the paper's two, and one of ours that needs fewer steps. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.catalog.registry import Registry


@dataclass(frozen=True)
class Preset:
    """`recipe`: where it differs from the defaults of core.run.spec.Recipe; `epochs`: None where any number will do."""

    name: str
    title: str
    recipe: Mapping[str, Any]
    epochs: int | None
    source: str


PRESETS: Registry[Preset] = Registry(
    "preset",
    (
        Preset("paper-cifar", "Paper, CIFAR", {}, 160, "open_lth `models/cifar_resnet.py`, default_hparams"),
        Preset(
            "paper-imagenet",
            "Paper, ImageNet",
            {"batch_size": 1024, "lr": 0.4, "warmup_epochs": 5, "lr_drops": (30 / 90, 60 / 90, 80 / 90)},
            90,
            "open_lth `models/imagenet_resnet.py`, default_hparams",
        ),
        Preset(
            "fast",
            "Ours, fast",
            {"optimizer": "adam", "lr": 0.2, "schedule": "one-cycle", "weight_decay": 0.0},
            None,
            "not the paper's: γ and β tolerate far larger steps than weights do (tests/benchmarks/recipes.py)",
        ),
    ),
)
