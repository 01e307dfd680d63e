"""Analyses a trained network's γ, β and ReLUs: statistics, threshold ablation, ReLUs that are always off, Jacobians.

Definitions: paper sections 5 and 6. Everything is measured in evaluation mode on test images without augmentation.
Afterwards the network is the same as before, to the bit. `findings.py` (core/run) has the results.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.catalog.plan import Norm, Plan, Unit
from core.data.batches import Batches
from core.engine.choice import Engine
from core.engine.fused import Seen
from core.engine.modules import ModuleEngine
from core.network.scores import Window
from core.run.events import DISABLED_BELOW
from core.run.findings import EPSILONS, Ablated, Findings, Jacobian, LayerSpread, ReluOff, Spread
from core.trained.evaluation import Sample, evaluating
from core.trained.jacobian import Beginning, conditioning
from core.trained.progress import scaled

MOSTLY_OFF = 0.99
Steps = Generator[float, None, Findings]


def analyse(network: nn.Module, plan: Plan, batches: Batches, images: int | None = None) -> Findings:
    """All findings on `network`, which was built from `plan`, in float32: `analysing` without its progress."""
    steps = analysing(ModuleEngine(network), network, plan, batches, images)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            findings: Findings = done.value
            return findings


@dataclass(frozen=True)
class Jacobians:
    """What the Jacobians of γ need beside the network: how many test `images`, and its `beginning`, if it is known."""

    images: int
    beginning: Beginning | None = None


def analysing(
    engine: Engine,
    network: nn.Module,
    plan: Plan,
    batches: Batches,
    images: int | None = None,
    jacobians: Jacobians | None = None,
) -> Steps:
    """The findings as a generator's result; after every batch it yields how much is done, 0..1. `engine` runs the
    `network`.

    `images`: look at this many test images, spread evenly over the test split; None: at all. It takes at most
    one pass over them for each of EPSILONS: the first also counts zeros behind all ReLUs, and a threshold that switches
    off no further γ needs none. γ are restored even if the generator is stopped early. `jacobians`: None leaves them
    out; they count as one pass of the progress.
    """
    began = time.monotonic()
    sample = Sample(batches, plan, images)
    gammas = [network.get_parameter(f"{norm.name}.weight") for norm in plan.norms]
    betas = [network.get_parameter(f"{norm.name}.bias") for norm in plan.norms]
    passes = len(_passes(gammas)) + bool(jacobians and gammas)
    watch, window = _ReluWatch(plan), Window(next(network.parameters()).device)
    top1 = yield from _accuracy(engine, sample, window, 0, passes, watch.see)
    ablation = yield from _ablate(engine, sample, gammas, top1, passes)
    found: Jacobian | None = None
    if jacobians and gammas:
        steps = conditioning(network, plan, sample.some(jacobians.images), jacobians.beginning)
        found = yield from scaled(steps, passes - 1, passes)
    relus, off = watch.relus(), watch.off()
    channels = sum(relu.channels for relu in relus)
    layers = tuple(
        LayerSpread(
            name=norm.name, stage=norm.stage, shortcut=norm.shortcut, gamma=_spread([gamma]), beta=_spread([beta])
        )
        for norm, gamma, beta in zip(plan.norms, gammas, betas, strict=True)
    )
    inner = [index for index, norm in enumerate(plan.norms) if not norm.shortcut]
    return Findings(
        gamma=_spread(gammas) if gammas else None,
        gamma_inner=_spread([gammas[i] for i in inner]) if inner else None,
        beta=_spread(betas) if betas else None,
        beta_inner=_spread([betas[i] for i in inner]) if inner else None,
        layers=layers,
        ablation=ablation,
        relus=relus,
        relu_mostly_off=sum(relu.mostly_off * relu.channels for relu in relus) / channels,
        relu_always_off=sum(relu.always_off * relu.channels for relu in relus) / channels,
        unused_parameters=unused_parameters(plan, off),
        test_examples=sample.count,
        seconds=round(time.monotonic() - began, 3),
        jacobian=found,
    )


def _accuracy(
    engine: Engine, sample: Sample, window: Window, before: int, passes: int, seen: Seen | None = None
) -> Generator[float, None, float]:
    """The share of right answers, counted in the empty `window`. Yields how much of all `passes` is done, `before` of
    which came before this one."""
    for _ in evaluating(engine, sample, window, seen):
        yield (before + window.seen / sample.count) / passes
    return window.mean().scores.top1


def _below(gammas: list[nn.Parameter], epsilon: float) -> int:
    return sum(int((gamma.detach().abs() < epsilon).sum()) for gamma in gammas)


def _passes(gammas: list[nn.Parameter]) -> set[int]:
    """The different numbers of γ below the thresholds, and 0: each needs one pass over the images."""
    return {0, *(_below(gammas, epsilon) for epsilon in EPSILONS)}


def _ablate(
    engine: Engine, sample: Sample, gammas: list[nn.Parameter], top1: float, passes: int
) -> Generator[float, None, tuple[Ablated, ...]]:
    """The network with γ := 0 below each threshold; `top1` is its accuracy as it is."""
    if not gammas:
        return ()
    total = sum(gamma.numel() for gamma in gammas)
    found = {0: top1}
    rows: list[Ablated] = []
    kept = [gamma.detach().clone() for gamma in gammas]
    numbers = [_below(gammas, epsilon) for epsilon in EPSILONS]
    try:
        for epsilon, zeroed in zip(EPSILONS, numbers, strict=True):
            if zeroed not in found:
                for gamma, values in zip(gammas, kept, strict=True):
                    gamma.data.copy_(values.masked_fill(values.abs() < epsilon, 0.0))
                found[zeroed] = yield from _accuracy(engine, sample, Window(gammas[0].device), len(found), passes)
            accuracy = found[zeroed]
            rows.append(Ablated(epsilon=epsilon, zeroed=zeroed / total, top1=accuracy, change=accuracy - top1))
    finally:
        for gamma, values in zip(gammas, kept, strict=True):
            gamma.data.copy_(values)
    return tuple(rows)


def _spread(tensors: list[nn.Parameter]) -> Spread:
    exact = torch.cat([tensor.detach().flatten().float().cpu() for tensor in tensors])
    values = exact.double()
    return Spread(
        count=len(values),
        mean=float(values.mean()),
        sd=float(values.std(correction=0)),
        negative=float((values < 0).double().mean()),
        near_zero=float((exact.abs() < DISABLED_BELOW).double().mean()),
    )


class _ReluWatch:
    """Counts for every channel of every ReLU how many (image, pixel) entries are 0."""

    def __init__(self, plan: Plan) -> None:
        self.places = list(_relus(plan))
        self.zeros: dict[str, Tensor] = {}
        self.entries = dict.fromkeys((name for name, *_ in self.places), 0)

    def see(self, name: str, out: Tensor) -> None:
        """Count the zeros in the output (N, C, H, W) of ReLU `name`."""
        zeros = (out == 0).sum(dim=(0, 2, 3))
        self.zeros[name] = self.zeros[name] + zeros if name in self.zeros else zeros
        self.entries[name] += out.shape[0] * out.shape[2] * out.shape[3]

    def _counts(self) -> Iterator[tuple[Tensor, int]]:
        for name, *_ in self.places:
            yield self.zeros[name].cpu(), self.entries[name]

    def relus(self) -> tuple[ReluOff, ...]:
        return tuple(
            ReluOff(
                name=name,
                stage=stage,
                position=position,
                after_addition=after_addition,
                channels=len(zeros),
                # In whole numbers: a share of exactly 99% is not more than 99%.
                mostly_off=float((zeros * 100 > entries * round(MOSTLY_OFF * 100)).double().mean()),
                always_off=float((zeros == entries).double().mean()),
                zero_shares=tuple(round(count / entries, 4) for count in zeros.tolist()),
            )
            for (name, stage, position, after_addition), (zeros, entries) in zip(
                self.places, self._counts(), strict=True
            )
        )

    def off(self) -> dict[str, Tensor]:
        """For every ReLU by name which of its channels are always off, (channels,) bool."""
        return {place[0]: zeros == entries for place, (zeros, entries) in zip(self.places, self._counts(), strict=True)}


def _relus(plan: Plan) -> Iterator[tuple[str, int, int, bool]]:
    """Name, stage, position in its block (0: the stem's) and whether it follows an addition, in forward order."""
    yield "relu", plan.stem.norm.stage, 0, False
    for block in plan.blocks:
        path = _path(block.units[0])
        for position in range(1, len(block.units) + 1):
            yield f"{path}.relu{position}", block.stage, position, block.residual and position == len(block.units)


def _path(unit: Unit) -> str:
    """The block that a unit is in: `stage1.0`."""
    return unit.convolution.name.rpartition(".")[0]


def unused_parameters(plan: Plan, off: dict[str, Tensor]) -> int:
    """How many parameters feed only channels whose ReLU is always off, or multiply only such channels.

    `off`: for every ReLU by name, (channels,) bool. A convolution's weight counts once, even if both hold.
    """
    unused, before = _unused_in(plan.stem, torch.zeros(plan.input_shape[0], dtype=torch.bool), off["relu"]), off["relu"]
    for block in plan.blocks:
        inputs, last = before, off[f"{_path(block.units[0])}.relu{len(block.units)}"]
        for position, unit in enumerate(block.units, start=1):
            after = off[f"{_path(unit)}.relu{position}"]
            unused += _unused_in(unit, before, after)
            before = after
        if block.shortcut is not None:
            unused += _unused_in(block.shortcut, inputs, last)
    return unused + int(before.sum()) * plan.output.classes


def _unused_in(unit: Unit, before: Tensor, after: Tensor) -> int:
    """The unused parameters of a convolution and its norm between two ReLUs' channels that are off."""
    conv, norm = unit.convolution, unit.norm
    silent = _silent(norm, after)
    used = int((~before).sum()) * int((~silent).sum())
    unused = (conv.inputs * conv.outputs - used) * conv.kernel**2
    return unused + int(silent.sum()) * conv.bias + 2 * int(after.sum()) * norm.affine


def _silent(norm: Norm, after: Tensor) -> Tensor:
    """The channels of a convolution that reach nothing; in a group they still set the scale of the others."""
    if norm.kind not in ("group", "layer"):
        return after
    return after.view(norm.groups, -1).all(dim=1).repeat_interleave(len(after) // norm.groups)
