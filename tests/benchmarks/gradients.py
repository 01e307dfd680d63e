"""How exact the gradient of γ and β is: what `auto` computes, and PyTorch's modules in float32, against float64.

    python -m tests.benchmarks.gradients                               # ten minutes on two cores
    python -m tests.benchmarks.gradients --architectures resnet-56 --steps 100 --dataset cifar-10

Real images, policy `batchnorm`, at the start and after some steps of the paper's recipe. Printed: cosine of the whole
gradient with the exact one, norm of the difference relative to it, and the cosine of the worst single tensor. It exits
with 1 where `auto` falls below --least.
"""

from __future__ import annotations

import argparse
import copy
import sys
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.data.batches import batches
from core.engine.choice import Engine, make_engine
from core.engine.modules import ModuleEngine
from core.machine.files import datasets_folder
from core.machine.memory import keep_freed_memory
from core.machine.processor import processor
from core.network.builder import Network
from core.network.group import Group
from core.run.spec import RunSpec
from core.training.learner import Learner

ARCHITECTURES = (
    "resnet-14",
    "resnet-56",
    "resnet-110",
    "wrn-14-4",
    "vgg-11",
    "imagenet-resnet-18",
    "imagenet-resnet-50",
)
CPU = torch.device("cpu")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architectures", nargs="+", default=list(ARCHITECTURES))
    parser.add_argument("--dataset", default="fashion-mnist")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--least", type=float, default=0.99, help="the cosine that auto must reach")
    arguments = parser.parse_args()
    keep_freed_memory()
    print(f"{processor()}, torch {torch.__version__}, {arguments.dataset}, {arguments.images} images")
    print(f"{'network':<20}{'step':>5}  {'way':<8}{'cosine':>8}{'error':>8}{'worst tensor':>14}")
    least = 1.0
    for architecture in arguments.architectures:
        run = RunSpec.model_validate(
            {
                "architecture": architecture,
                "policy": "batchnorm",
                "dataset": arguments.dataset,
                "epochs": 1,
                "train_examples": max(16, arguments.images * arguments.steps),
                "recipe": {"batch_size": arguments.images},
            }
        )
        learner = Learner(run, datasets_folder(), CPU, Group(), Path())
        images, labels = next(iter(batches(run, datasets_folder(), CPU).train(1, 0)))
        for step, batch in enumerate(learner.batches.train(0, 0)):
            if step in (0, arguments.steps - 1):
                cosine = table(learner.network, run, step, images, labels)  # type: ignore[arg-type]
                least = min(least, cosine)
            if step < arguments.steps - 1:
                learner.train_step(*batch, 0.0)
    print(f"the least cosine of auto is {least:.4f}")
    return 0 if least >= arguments.least else 1


def table(network: Network, run: RunSpec, step: int, images: Tensor, labels: Tensor) -> float:
    """Print the rows of one network; returns the cosine of `auto`."""
    exact = gradients(ModuleEngine(copy.deepcopy(network).double()), images.double(), labels)
    float32, own = copy.deepcopy(network), copy.deepcopy(network)
    ways = {
        "fp32": gradients(ModuleEngine(float32), images, labels),
        "auto": gradients(make_engine(own, run, CPU), images, labels, own),
    }
    cosine = 0.0
    for way, found in ways.items():
        whole, right = torch.cat(found), torch.cat(exact)
        cosine = float(F.cosine_similarity(whole, right, dim=0))
        error = float((whole - right).norm() / right.norm())
        worst = min(float(F.cosine_similarity(a, b, dim=0)) for a, b in zip(found, exact, strict=True) if b.any())
        print(f"{run.architecture:<20}{step:>5}  {way:<8}{cosine:>8.4f}{error:>8.3f}{worst:>14.3f}", flush=True)
    return cosine


def gradients(engine: Engine, images: Tensor, labels: Tensor, network: nn.Module | None = None) -> list[Tensor]:
    """The gradients of all that trains, one flat float64 tensor each."""
    network = network or cast("ModuleEngine", engine).network
    network.zero_grad()
    F.cross_entropy(engine.train(images, 0), labels).backward()
    return [p.grad.double().flatten() for p in network.parameters() if p.grad is not None]


if __name__ == "__main__":
    sys.exit(main())
