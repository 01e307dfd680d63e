"""Least squares for γ and β that sit before a ReLU: with its pattern held, what follows is linear in both.

relu(γx + β) = m(γx + β), where m says where the ReLU lets through. So for a held m, γ and β are one linear system; then
m is taken anew, and again, as long as the error falls (Gauss-Newton with Levenberg and Marquardt's damping).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

ROUNDS = 12
LEAST_GAIN = 1e-3
"""A round that lowers the error by less than this share of it is the last one."""
EXACT = 1e-8
"""Share of the target's power below which an error is rounding."""
DAMPING = 1e-3


class Normal(NamedTuple):
    """The normal equations `matrix` @ step = `right` of a small step from where they were made, and the squared
    `error` there. (K, K), (K,) float64."""

    matrix: Tensor
    right: Tensor
    error: float


class Problem(Protocol):
    """What γ and β, (2, C), should achieve; `power`: the squared error of doing nothing."""

    power: float

    def normal(self, values: Tensor) -> Normal:
        """The normal equations at `values`."""


def solve(problem: Problem, values: Tensor) -> tuple[Tensor, float]:
    """The γ and β, (2, C), to which `values` lead, and the share of the target's power that they explain."""
    values = values.double()
    here, damping = problem.normal(values), DAMPING
    for _ in range(ROUNDS):
        if here.error <= EXACT * problem.power:
            break
        ridge = damping * here.matrix.diagonal().mean()
        step = torch.linalg.solve(here.matrix + ridge * torch.eye(len(here.matrix), dtype=torch.float64), here.right)
        tried = values + step.view_as(values)
        there = problem.normal(tried)
        if there.error >= here.error:
            damping *= 10
            continue
        gain = 1 - there.error / here.error
        values, here, damping = tried, there, damping / 4
        if gain < LEAST_GAIN:
            break
    return values.float(), 1 - here.error / problem.power


@dataclass
class BeforeConvolution:
    """γ and β before a ReLU and a convolution whose outputs should be the targets, each but for a constant.

    At P places of its output: `inputs` (P, C, K), normalised, what the convolution's K = kernel² pixels see; `inside`
    (P, K), 0 for pixels beyond the edge, which are 0 after the ReLU, too; `weights` (O, C, K); `targets` (P, O).
    """

    inputs: Tensor
    inside: Tensor
    weights: Tensor
    targets: Tensor

    def __post_init__(self) -> None:
        self.targets = self.targets - self.targets.mean(dim=0)
        self.power = float(self.targets.double().square().sum())

    def normal(self, values: Tensor) -> Normal:
        gamma, beta = values.float()
        passed = ((gamma[:, None] * self.inputs + beta[:, None] > 0) * self.inside[:, None]).float()
        scaled, flat = passed * self.inputs, values.flatten().float()
        matrix = torch.zeros(len(flat), len(flat))
        right, error = torch.zeros(len(flat)), 0.0
        for weights, target in zip(self.weights, self.targets.T, strict=True):
            columns = torch.cat([(scaled * weights).sum(2), (passed * weights).sum(2)], 1)
            columns = columns - columns.mean(dim=0)
            rest = target - columns @ flat
            matrix.addmm_(columns.T, columns)
            right.addmv_(columns.T, rest)
            error += float(rest.double().square().sum())
        return Normal(matrix.double(), right.double(), error)


@dataclass
class BeforeOutput:
    """γ and β before the last ReLU, the mean over pixels and the output layer, whose logits should be the targets.

    `inputs` (N, C, S), normalised; `skip` (N, C, S): what a shortcut adds; `weights` (K, C) and `targets` (N, K), the
    logits less the bias. A number that is added to all logits of an image changes no answer, so it is taken out.
    """

    inputs: Tensor
    skip: Tensor
    weights: Tensor
    targets: Tensor

    def __post_init__(self) -> None:
        self.weights = self.weights - self.weights.mean(dim=0)
        self.targets = self.targets - self.targets.mean(dim=1, keepdim=True)
        self.power = float(self.targets.double().square().sum())

    def normal(self, values: Tensor) -> Normal:
        gamma, beta = values.float()
        # (N, C, S) at a time would be several times the memory of the inputs.
        parts = [
            _pooled(inputs, skip, gamma, beta)
            for inputs, skip in zip(self.inputs.split(64), self.skip.split(64), strict=True)
        ]
        features, added = (torch.cat(tensors).double() for tensors in zip(*parts, strict=True))
        weights, flat = self.weights.double().repeat(1, 2), values.flatten().double()
        rest = self.targets - added @ self.weights.double().T - (features * flat) @ weights.T
        matrix = (features.T @ features) * (weights.T @ weights)
        return Normal(matrix, (features * (rest @ weights)).sum(0), float(rest.square().sum()))


def _pooled(inputs: Tensor, skip: Tensor, gamma: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
    """Means over pixels, where the ReLU lets through: of the inputs and of 1, (N, 2C), and of the skip, (N, C)."""
    passed = (gamma[:, None] * inputs + beta[:, None] + skip > 0).float()
    return torch.cat([(passed * inputs).mean(2), passed.mean(2)], 1), (passed * skip).mean(2)
