"""What runs a network: logits of a training step, logits of a test. Chosen here by what the network and machine allow.

On CPUs `fused.py`, for networks whose norm layers are BatchNorm; on GPUs `graphed.py`; `modules.py` for all others, and
where nothing can be compiled: torch's own operators, one after another, are slower as `EagerKernels` than as modules,
and serve only where memory matters more (lean).
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
"""Share of the memory that a step may keep for backward; above it, training is lean by itself."""


class Engine(Protocol):
    """`words`: for people, in a line; `notice`: what they should know, or None."""

    words: str
    notice: str | None

    def train(self, images: Tensor, step: int) -> Tensor:
        """(N, C, H, W) float32, channels-last -> logits (N, classes) with the batch's statistics, differentiable in
        what trains; moves the running statistics."""

    def evaluate(self, images: Tensor, seen: Seen | None = None) -> Tensor:
        """The same with the running statistics and without gradients; `seen` gets the output of every ReLU."""


class FusedEngine(FusedNetwork):
    """A fused network that tells what it is."""

    words = ""
    notice: str | None = None


def make_engine(network: Network, spec: RunSpec, device: torch.device, group: Group | None = None) -> Engine:
    """The fastest engine that `network`, on `device` in channels-last memory, can have under `spec`.

    The same every time on one machine with one number of threads: what was measured once is kept.
    """
    plan, recipe = spec.plan, spec.recipe
    group = group or Group()
    if device.type == "cuda":
        return _on_gpu(network, spec, device, group)
    if why := _unfit(network, plan):
        return ModuleEngine(network, f"torch, fp32 ({why})")
    kernels, notice = _kernels()
    if not isinstance(kernels, CompiledKernels) and not recipe.lean:
        uncompiled = ModuleEngine(network, "torch, fp32 (no compiled kernels)")
        uncompiled.notice = notice
        return uncompiled
    dispatch = FLOAT32
    if recipe.precision == "auto":
        chosen = choose_dispatch(plan, recipe.batch_size, kernels) if group.part.first else None
        dispatch = group.share(chosen)
    crowded = None if recipe.lean else _crowded(kept_bytes(plan, recipe.batch_size, dispatch.dtype))
    lean = recipe.lean or crowded is not None
    engine = FusedEngine(network, plan, kernels, dispatch, lean=lean, seed=spec.seeds.order)
    engine.words = ", ".join([f"fused ({kernels.name} kernels)", dispatch.words, *(["lean"] if lean else [])])
    engine.notice = " ".join(filter(None, [notice, crowded])) or None
    return engine


def kept_bytes(plan: Plan, batch: int, dtype: torch.dtype) -> int:
    """What a step keeps for backward of `batch` images, the outputs of all convolutions, unless it is lean."""
    values = sum(conv.outputs * conv.size**2 for conv in plan.convolutions)
    return batch * values * dtype.itemsize


def _crowded(kept: int) -> str | None:
    """Why a step that keeps `kept` bytes must be lean on this machine; None where there is room."""
    memory = memory_bytes()
    if memory is None or kept <= ROOM * memory:
        return None
    return (
        f"Trained in lean mode, with 8 bits a value: a step keeps {kept / 2**30:.1f} GiB otherwise, of the "
        f"{memory / 2**30:.1f} GiB that this machine has."
    )


def _on_gpu(network: Network, spec: RunSpec, device: torch.device, group: Group) -> Engine:
    if spec.recipe.sync_batchnorm and not group.part.alone:
        return ModuleEngine(network, "torch, fp32 (statistics of several processes)")
    share = group.part.cut(0, spec.recipe.batch_size)
    images = torch.randn(share.stop - share.start, *spec.data.shape, device=device)
    with torch.cuda.device(device):
        half = spec.recipe.precision == "auto" and torch.cuda.is_bf16_supported(including_emulation=False)
    trains = any(parameter.requires_grad for parameter in network.parameters())
    engine = GraphedEngine(network, images.contiguous(memory_format=torch.channels_last), half=half, trains=trains)
    if spec.recipe.lean:
        engine.notice = " ".join(filter(None, ["Lean mode is for CPUs: this run keeps all.", engine.notice]))
    return engine


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
            f"Training runs without compiled kernels ({error}). With a C compiler (on Debian and Ubuntu: apt install "
            "gcc libc6-dev) it is faster."
        )
