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
COLUMNS = 1 << 24
"""Numbers of a system's columns that are in memory at a time (64 MB)."""


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
        flat, (outputs, channels, _) = values.flatten().float(), self.weights.shape
        matrix = torch.zeros(len(flat), len(flat), dtype=torch.float64)
        right, sums = torch.zeros(len(flat), dtype=torch.float64), torch.zeros(outputs, len(flat), dtype=torch.float64)
        rests = []
        size = max(1, COLUMNS // (outputs * len(flat)))
        for inputs, inside, target in zip(
            *(t.split(size) for t in (self.inputs, self.inside, self.targets)), strict=True
        ):
            passed = ((gamma[:, None] * inputs + beta[:, None] > 0) * inside[:, None]).float()
            columns = torch.stack([_applied(passed * inputs, self.weights), _applied(passed, self.weights)], 2)
            columns = columns.reshape(-1, outputs, 2 * channels)
            rest = target - columns @ flat
            matrix += (columns.flatten(0, 1).T @ columns.flatten(0, 1)).double()
            right += (columns.flatten(0, 1).T @ rest.flatten()).double()
            sums += columns.sum(0).double()
            rests.append(rest)
        rest = torch.cat(rests).double()
        # About the means over the places, output by output: the norm layer behind the convolution takes them out.
        matrix -= sums.T @ sums / len(rest)
        right -= rest.mean(0) @ sums
        return Normal(matrix, right, float((rest - rest.mean(0)).square().sum()))


def _applied(seen: Tensor, weights: Tensor) -> Tensor:
    """(P, C, K), (O, C, K) -> (P, O, C): what each channel adds to each output."""
    return torch.bmm(seen.transpose(0, 1), weights.permute(1, 2, 0)).permute(1, 2, 0)


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
