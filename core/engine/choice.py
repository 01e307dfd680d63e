"""Chooses the engine that runs a network, by what the network and the machine allow.

On CPUs it is `fused.py`, for networks whose norm layers are BatchNorm; on GPUs it is `graphed.py`. `modules.py` runs
all other networks, and every network where no kernels can be compiled: torch's operators, one after another, are slower
as `EagerKernels` than as modules, so `EagerKernels` serve only where memory matters more (lean mode).
"""

from __future__ import annotations

from functools import cache
from typing import Protocol

import torch
from torch import Tensor, nn

from core.catalog.plan import Plan
from core.engine.algorithms import FLOAT32, choose_dispatch
from core.engine.compiled import CompiledKernels, compiled_kernels
from core.engine.convolutions import LANES
from core.engine.eager import EagerKernels
from core.engine.fused import FusedNetwork, Seen
from core.engine.graphed import GraphedEngine
from core.engine.kernels import Kernels
from core.engine.modules import ModuleEngine
from core.kernels.library import Uncompiled
from core.machine.memory import memory_bytes
from core.network.builder import Network
from core.network.group import Group
from core.run.spec import RunSpec

ROOM = 0.5
"""A step may keep at most this share of the memory for backward; if it needs more, training becomes lean by itself."""


class Engine(Protocol):
    """Runs a network. `words`: describes the engine to people, in a line; `notice`: what they should know, or None."""

    words: str
    notice: str | None

    def train(self, images: Tensor, step: int) -> Tensor:
        """(N, C, H, W) float32, channels-last -> logits (N, classes) with the batch's statistics, differentiable in
        all that trains. Updates the running statistics."""

    def evaluate(self, images: Tensor, seen: Seen | None = None) -> Tensor:
        """The same with the running statistics and without gradients; `seen` gets the output of every ReLU."""


class FusedEngine(FusedNetwork):
    """A fused network with the words and the notice of an Engine."""

    words = ""
    notice: str | None = None


def make_engine(network: Network, spec: RunSpec, device: torch.device, group: Group | None = None) -> Engine:
    """The fastest engine for `network`, which is on `device` in channels-last memory, under `spec`.

    It is the same every time on one machine with one number of threads, because measurements are cached.
    """
    plan, recipe = spec.plan, spec.recipe
    group = group or Group()
    if device.type == "cuda":
        return _on_gpu(network, spec, device, group)
    if why := _unfit(network, plan):
        return ModuleEngine(network, f"torch, fp32 ({why})")
    kernels, notice = _kernels()
    crowded = _crowded(kept_bytes(plan, recipe.batch_size))
    if not isinstance(kernels, CompiledKernels) and crowded is None:
        uncompiled = ModuleEngine(network, "torch, fp32 (no compiled kernels)")
        uncompiled.notice = notice
        return uncompiled
    dispatch = FLOAT32
    if recipe.precision == "auto":
        chosen = choose_dispatch(plan, recipe.batch_size, kernels) if group.part.first else None
        dispatch = group.share(chosen)
    asked = recipe.lean and recipe.precision == "auto"
    lean = asked or crowded is not None
    engine = FusedEngine(network, plan, kernels, dispatch, lean=lean, seed=spec.seeds.order)
    engine.words = ", ".join([f"fused ({kernels.name} kernels)", dispatch.words, *(["kept in 8 bits"] if lean else [])])
    engine.notice = " ".join(filter(None, [notice, None if asked else crowded])) or None
    return engine


def kept_bytes(plan: Plan, batch: int) -> int:
    """The bytes that a step on `batch` images keeps for backward if it is not lean: the outputs of all convolutions."""
    values = sum(conv.outputs * conv.size**2 for conv in plan.convolutions)
    return batch * values * torch.float32.itemsize


def _crowded(kept: int) -> str | None:
    """Why a step that keeps `kept` bytes must be lean on this machine; None where there is room."""
    memory = memory_bytes()
    if memory is None or kept <= ROOM * memory:
        return None
    return (
        f"Trained in lean mode, with 8 bits per value: otherwise a step would keep {kept / 2**30:.1f} GiB, and this "
        f"machine has {memory / 2**30:.1f} GiB."
    )


def _on_gpu(network: Network, spec: RunSpec, device: torch.device, group: Group) -> Engine:
    if spec.recipe.sync_batchnorm and not group.part.alone:
        return ModuleEngine(network, "torch, fp32 (statistics of several processes)")
    share = group.part.cut(0, spec.recipe.batch_size)
    images = torch.randn(share.stop - share.start, *spec.data.shape, device=device)
    trains = any(parameter.requires_grad for parameter in network.parameters())
    return GraphedEngine(network, images.contiguous(memory_format=torch.channels_last), trains=trains)


def _unfit(network: Network, plan: Plan) -> str | None:
    """Why this network cannot run fused; None if it can."""
    for unit in plan.units():
        if type(network.get_submodule(unit.norm.name)) is not nn.BatchNorm2d:
            return "fused for BatchNorm only"
        if unit.convolution.outputs % LANES:
            return f"fused for multiples of {LANES} channels only"
    return None


@cache
def _kernels() -> tuple[Kernels, str | None]:
    try:
        return compiled_kernels(), None
    except Uncompiled as error:
        return EagerKernels(), (
            f"Training runs without compiled kernels ({error}). It is faster with a C compiler (on Debian and Ubuntu: "
            f"apt install gcc libc6-dev)."
        )
