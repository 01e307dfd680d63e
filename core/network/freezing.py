"""Makes a network train what a policy names; everything else is left exactly as it was drawn."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.policy import How, Trained, Trains
from core.draws.draw import Draw
from core.draws.versions import Version, drawn
from core.network.builder import Network, build
from core.run.spec import RunSpec


class FrozenWeight(nn.Module):
    """A convolution or linear layer whose weight and bias are frozen buffers; `effective()` is the weight it uses."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, layer: nn.Conv2d | nn.Linear) -> None:
        super().__init__()
        self.stride = layer.stride if isinstance(layer, nn.Conv2d) else None
        self.padding = layer.padding if isinstance(layer, nn.Conv2d) else 0
        self.register_buffer("weight", layer.weight.detach())
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach())

    def effective(self) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        if self.stride is None:
            return F.linear(x, self.effective(), self.bias)
        return F.conv2d(x, self.effective(), self.bias, self.stride, self.padding)


class ScatteredWeight(FrozenWeight):
    """A frozen layer some of whose weights train (paper section 4, "random parameters").

    The trainable `values` (count,) are scattered into the frozen `weight` at flat positions `indices` (count,) at each
    forward pass. So neither a gradient nor weight decay can reach a frozen weight, which a mask on the gradient of
    the whole tensor would not prevent.
    """

    indices: Tensor

    def __init__(self, layer: nn.Conv2d, indices: Tensor) -> None:
        super().__init__(layer)
        self.register_buffer("indices", indices, persistent=False)
        self.values = nn.Parameter(self.weight.flatten()[indices])

    def effective(self) -> Tensor:
        return self.weight.flatten().scatter(0, self.indices, self.values).view_as(self.weight)


def highest(values: Tensor, count: int) -> Tensor:
    """(N,) -> (N,) bool: the `count` highest, of equal ones the last. Does not sort, which took most of a step."""
    lowest = values.topk(count, sorted=False).values.min()
    mask = values > lowest
    equal = (values == lowest).nonzero().flatten()
    mask[equal[max(0, len(equal) - count + int(mask.sum())) :]] = True
    return mask


class Highest(torch.autograd.Function):
    """sizes, keep -> 1 for the share `keep` of the largest sizes, else 0; the gradient passes straight through."""

    @staticmethod
    def forward(ctx: Any, sizes: Tensor, keep: float) -> Tensor:
        flat = sizes.detach().flatten()
        return highest(flat, ceil(keep * len(flat))).to(sizes.dtype).view_as(sizes)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


class MaskedWeight(FrozenWeight):
    """A frozen layer that uses only the weights whose trainable `scores` are largest in size (1911.13299)."""

    def __init__(self, layer: nn.Conv2d | nn.Linear, keep: float, draw: Draw) -> None:
        super().__init__(layer)
        self.keep = keep
        # As nn.init.kaiming_uniform_(a=sqrt(5)), the source's choice: U(-1/sqrt(fan-in), 1/sqrt(fan-in)).
        bound = 1 / self.weight[0].numel() ** 0.5
        self.scores = nn.Parameter(torch.from_numpy(draw.uniform(tuple(self.weight.shape), -bound, bound)))

    def effective(self) -> Tensor:
        # The absolute value is a part of the graph: a weight that should be used more has its |score| raised, so a
        # negative score goes down (hidden-networks, `utils/conv_type.py`).
        return self.weight * Highest.apply(self.scores.abs(), self.keep)


def choose(outputs: int, fan_in: int, count: int, draw: Draw, *, spread: bool = False) -> Tensor:
    """Flat positions of `count` different weights of a layer, drawn without replacement.

    Each output channel has equally many; if `spread`, they are anywhere in the layer.
    """
    if spread:
        return torch.from_numpy(draw.ranks(1, outputs * fan_in)[0, :count]).sort().values
    order = torch.from_numpy(draw.ranks(outputs, fan_in)[:, : count // outputs])
    return (order.sort(dim=1).values + torch.arange(outputs).unsqueeze(1) * fan_in).flatten()


def _whole(network: Network, name: str, trained: Trained, draw: Draw) -> None:
    network.get_parameter(name).requires_grad_(True)


def _scatter(network: Network, name: str, trained: Trained, draw: Draw) -> None:
    name = name.removesuffix(".weight")
    layer = network.get_submodule(name)
    assert isinstance(layer, nn.Conv2d)
    outputs, fan_in = layer.weight.flatten(1).shape
    indices = choose(outputs, fan_in, trained.count, draw, spread=trained.spread)
    _replace(network, name, ScatteredWeight(layer, indices))


def _mask(network: Network, name: str, trained: Trained, draw: Draw) -> None:
    name = name.removesuffix(".weight")
    layer = network.get_submodule(name)
    assert isinstance(layer, nn.Conv2d | nn.Linear)
    _replace(network, name, MaskedWeight(layer, trained.keep, draw))


LETS_TRAIN: dict[How, Callable[[Network, str, Trained, Draw], None]] = {
    "whole": _whole,
    "values": _scatter,
    "scores": _mask,
}
"""For each way in which a tensor may train: what makes it train in the network."""


def freeze(network: Network, trains: Trains, seed: int, version: Version = 2) -> dict[str, nn.Parameter]:
    """Let what `trains` names train, and freeze the rest. Returns the trainable tensors by name.

    `network` is changed in place. `seed` chooses the scattered weights of a `random-k` policy and the scores of a
    supermask, by this version of the draw.
    """
    network.requires_grad_(False)
    for name, trained in trains.items():
        LETS_TRAIN[trained.how](network, name, trained, drawn(version, seed, name.removesuffix(".weight")))
    return {name: p for name, p in network.named_parameters() if p.requires_grad}


def draw_network(spec: RunSpec) -> tuple[Network, dict[str, nn.Parameter]]:
    """The network of `spec` on the CPU, as its seeds and its version of the draw give it; the trainable tensors."""
    network = build(spec.plan, spec.init, spec.seeds.init, spec.draw)
    return network, freeze(network, spec.trains, spec.seeds.choice, spec.draw)


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, attribute = name.rpartition(".")
    setattr(network.get_submodule(parent), attribute, module)


def running_statistics(network: nn.Module) -> dict[str, Tensor]:
    """The running mean and variance of every norm layer, by name."""
    return {n: b for n, b in network.named_buffers() if n.endswith(("running_mean", "running_var"))}
