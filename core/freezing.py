"""Applies a policy to a network: what may train gets a gradient, everything else is left exactly as it was drawn."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.architectures.builder import ResidualNetwork
from core.architectures.plan import Plan
from core.policies import Policy
from core.randomness import generator


class ScatteredConvolution(nn.Module):
    """A frozen convolution some of whose weights train (paper section 4, "random parameters").

    The frozen `weight` (outputs, inputs, k, k) is a buffer, the trainable `values` (count,) are scattered into it
    at flat positions `indices` (count,) at each forward pass. So neither a gradient nor weight decay can reach a
    frozen weight, which a mask on the gradient of the whole tensor would not prevent.
    """

    weight: Tensor
    indices: Tensor

    def __init__(self, convolution: nn.Conv2d, indices: Tensor) -> None:
        super().__init__()
        self.stride, self.padding = convolution.stride, convolution.padding
        weight = convolution.weight.detach()
        self.register_buffer("weight", weight)
        self.register_buffer("indices", indices, persistent=False)
        self.values = nn.Parameter(weight.flatten()[indices])

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.flatten().scatter(0, self.indices, self.values).view_as(self.weight)
        return F.conv2d(x, weight, stride=self.stride, padding=self.padding)


def choose(outputs: int, fan_in: int, per_channel: int, draw: torch.Generator) -> Tensor:
    """Flat positions of `per_channel` different weights of each output channel, drawn without replacement."""
    order = torch.rand(outputs, fan_in, generator=draw).argsort(dim=1, stable=True)[:, :per_channel]
    return (order.sort(dim=1).values + torch.arange(outputs).unsqueeze(1) * fan_in).flatten()


def freeze(network: ResidualNetwork, plan: Plan, policy: Policy, seed: int) -> dict[str, nn.Parameter]:
    """Let `policy`'s parameters train and freeze the rest; the trainable tensors by name.

    `network` is changed in place. `seed` chooses the scattered weights of a `random-k` policy.
    """
    network.requires_grad_(False)
    for parameter in plan.parameters:
        if parameter.role in policy.roles:
            network.get_parameter(parameter.name).requires_grad_(True)
    fan_ins = {conv.name: conv.fan_in for conv in plan.convolutions}
    for name, (per_channel, outputs) in policy.choices(plan).items():
        convolution = network.get_submodule(name)
        assert isinstance(convolution, nn.Conv2d)
        indices = choose(outputs, fan_ins[name], per_channel, generator(seed, name))
        parent, _, attribute = name.rpartition(".")
        setattr(network.get_submodule(parent), attribute, ScatteredConvolution(convolution, indices))
    return {name: p for name, p in network.named_parameters() if p.requires_grad}


def running_statistics(network: nn.Module) -> dict[str, Tensor]:
    """The running mean and variance of every norm layer, by name."""
    return {n: b for n, b in network.named_buffers() if n.endswith(("running_mean", "running_var"))}
