"""How well γ can be learned: the singular values of each norm layer's Jacobian, the logits' derivative in its γ.

Of a layer with C channels it is the matrix (images × classes, C) of the derivatives of the logits of some test images
in the layer's γ, all else held fixed. The network is in evaluation mode: its running statistics are constants. The
ratio of the greatest singular value to the least is the condition number; where only this layer's γ trains, by gradient
descent on a squared error, the worst direction takes about its square times as many steps as the best. A singular value
that rounding cannot tell from 0 belongs to a direction of γ that changes no logit; such directions are counted apart,
since with them the condition number would be infinite. `findings.py` (core/run) has the results.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.plan import Norm, Plan
from core.run.cost import MAX_CLASSES
from core.run.findings import Condition, Conditions, Jacobian, LayerJacobian

HELD_BYTES = 256 << 20
"""What a backward pass keeps takes about this at most, so that the images of large networks pass a few at a time."""
HELD_A_VALUE = 5
"""How often it keeps a value of a convolution's output: as it is, normalised, scaled, moved, and after its ReLU."""
Beginning = Callable[[Tensor], nn.Module]
"""Makes the network as it was before its first step, where norm layers that have seen nothing have the statistics of
these images."""


def conditioning(
    network: nn.Module, plan: Plan, images: Tensor, beginning: Beginning | None = None
) -> Generator[float, None, Jacobian]:
    """The conditioning of the trained `network` of `plan`, and of its `beginning`, on the same `images`
    (N, C, H, W), which are normalised and on the network's device. Yields how much is done, 0..1."""
    classes = chosen(plan.output.classes)
    first = yield from _half(beginning(images), plan, images, classes, 0.0) if beginning else _nothing()
    last = yield from _half(network, plan, images, classes, 0.5)
    rows = tuple(
        LayerJacobian(
            name=norm.name,
            stage=norm.stage,
            shortcut=norm.shortcut,
            channels=norm.channels,
            start=first.get(norm.name),
            end=last[norm.name],
        )
        for norm in plan.norms
    )
    return Jacobian(
        images=len(images),
        classes=len(classes),
        start=_all(plan.norms, first, len(images) * len(classes)) if first else None,
        end=_all(plan.norms, last, len(images) * len(classes)),
        layers=rows,
    )


def chosen(classes: int) -> list[int]:
    """The classes whose logits are looked at: all, or MAX_CLASSES of them, spread evenly."""
    some = min(classes, MAX_CLASSES)
    return [place * classes // some for place in range(some)]


def _nothing() -> Generator[float, None, dict[str, Condition]]:
    yield from ()
    return {}


def _half(
    network: nn.Module, plan: Plan, images: Tensor, classes: Sequence[int], before: float
) -> Generator[float, None, dict[str, Condition]]:
    """The condition of each layer. Yields how much is done, `before` of which came before this half."""
    rows: dict[str, list[Tensor]] = {norm.name: [] for norm in plan.norms}
    parts = images.split(_at_once(plan, images))
    for number, some in enumerate(parts, start=1):
        for derivatives in jacobian_rows(network, plan, some, classes):
            for name, values in derivatives.items():
                rows[name].append(values.cpu())
        yield before + 0.5 * number / len(parts)
    return {name: condition(torch.cat(parts)) for name, parts in rows.items()}


def _at_once(plan: Plan, images: Tensor) -> int:
    values = sum(conv.outputs * conv.size**2 for conv in plan.convolutions)
    return max(1, min(len(images), HELD_BYTES // (images.element_size() * HELD_A_VALUE * values)))


def jacobian_rows(
    network: nn.Module, plan: Plan, images: Tensor, classes: Sequence[int]
) -> Iterator[dict[str, Tensor]]:
    """For one of `classes` after another, by layer: the derivatives (N, C) of its logit of each image in γ.

    Each image gets a zero of its own beside each γ; so one backward pass gives the derivatives for all images apart.
    """
    network.eval()
    moves: dict[str, Tensor] = {}
    with ExitStack() as hooks, torch.enable_grad():
        for norm in plan.norms:
            hook = network.get_submodule(norm.name).register_forward_hook(_moving(norm, moves))
            hooks.callback(hook.remove)
        logits = network(images)
    for number in classes:
        found = torch.autograd.grad(logits[:, number].sum(), list(moves.values()), retain_graph=number != classes[-1])
        yield {name: values.flatten(1) for name, values in zip(moves, found, strict=True)}


def _moving(norm: Norm, moves: dict[str, Tensor]) -> Callable[[nn.Module, tuple[Tensor], Tensor], Tensor]:
    """A hook that adds to a norm layer's output, for each image, what a change of its γ would add."""

    def move(module: nn.Module, inputs: tuple[Tensor], out: Tensor) -> Tensor:
        moves[norm.name] = out.new_zeros((len(out), norm.channels, 1, 1)).requires_grad_()
        return out + moves[norm.name] * _normalised(module, inputs[0].detach())

    return move


def _normalised(layer: nn.Module, x: Tensor) -> Tensor:
    """What a norm layer multiplies by γ."""
    if isinstance(layer, nn.BatchNorm2d):
        return F.batch_norm(x, layer.running_mean, layer.running_var, eps=layer.eps)
    if isinstance(layer, nn.GroupNorm):
        return F.group_norm(x, layer.num_groups, eps=layer.eps)
    return F.instance_norm(x, eps=layer.eps) if isinstance(layer, nn.InstanceNorm2d) else x


def condition(rows: Tensor) -> Condition:
    """Of a Jacobian (R, C) in float32. Its singular values are computed in float64; those of at most the greatest times
    max(R, C) times the rounding of float32 count as 0, as in numpy.linalg.matrix_rank."""
    values = torch.linalg.svdvals(rows.double())
    greatest = float(values[0])
    above = values[values > greatest * max(rows.shape) * torch.finfo(torch.float32).eps]
    rank = len(above)
    least = float(above[-1]) if rank else 0.0
    return Condition(rank=rank, greatest=greatest, least=least, number=greatest / least if rank else None)


def _all(norms: Sequence[Norm], found: dict[str, Condition], rows: int) -> Conditions:
    numbers = [one.number for one in found.values() if one.number is not None]
    directions = sum(min(norm.channels, rows) for norm in norms)
    return Conditions(
        median=median(numbers) if numbers else None,
        idle=1 - sum(one.rank for one in found.values()) / directions,
    )
