"""Networks for links, without training: specs of every kind, and made-up tensors for what trains in them."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.run.layout import layout
from core.run.link.levels import Floats
from core.run.link.link import encode
from core.run.link.words import LinkFacts
from core.run.spec import RunSpec

CARRIED: dict[str, dict[str, Any]] = {
    "batchnorm": {},
    "gamma": {"policy": "gamma"},
    "beta": {"policy": "beta", "init": {"norm": "uniform-signed"}},
    "output": {"policy": "output"},
    "nothing": {"policy": "none"},
    "biases": {"policy": "bias"},
    "one stage": {"policy": "batchnorm-stage-2"},
    "shortcuts": {"policy": "batchnorm+shortcut"},
    "all parts": {"policy": "batchnorm+output+shortcut"},
    "random weights": {"policy": "random-2"},
    "random weights of a layer": {"policy": "random-3-layer"},
    "without γ and β": {"policy": "output", "norm": {"affine": False}},
    "groups": {"norm": {"kind": "group", "groups": 4}},
    "layers": {"norm": {"kind": "layer"}, "policy": "gamma"},
    "images": {"norm": {"kind": "instance"}, "policy": "beta", "dataset": "fashion-mnist"},
    "no normalisation": {"norm": {"kind": "none"}},
    "biases of convolutions": {"architecture": "vgg-11", "policy": "bias", "dataset": "fashion-mnist"},
    "another recipe": {
        "recipe": {"lr": 0.05, "schedule": "one-cycle", "optimizer": "adamw", "lr_drops": (0.3,), "lean": False},
        "replicate": 7,
        "train_examples": 512,
        "init": {"weights": "sparse-5"},
        "seeds": {"init": 3, "order": 4},
    },
}
"""Changes to SPEC of networks that a link carries, by what is special about them."""
SPEC = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 3}


def spec(**changes: Any) -> RunSpec:
    return RunSpec.model_validate({**SPEC, **changes})


def tensors(run: RunSpec, seed: int = 0) -> dict[str, Floats]:
    """Made-up values for all that trains in the network of `run`, and its running statistics, by name."""
    random = np.random.default_rng(seed)

    def values(group: str, shape: tuple[int, ...]) -> Floats:
        if group == "running_var":
            return random.uniform(0.3, 3, shape).astype(np.float32)
        if group in ("output", "shortcut", "values"):
            return random.normal(0, (2 / max(1, np.prod(shape[1:]))) ** 0.5, shape).astype(np.float32)
        return random.normal(0.2, 0.5, shape).astype(np.float32)

    return {slot.name: values(slot.group, slot.shape) for slot in layout(run)}


def link(run: RunSpec, top1: float | None = 0.8022, edited: int = 0) -> bytes:
    return encode(run, tensors(run), LinkFacts(top1, edited))
