"""Reads γ and β of every norm layer into a Snapshot: fixed-edge histogram counts, quantiles, disabled features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.catalog.plan import Plan
from core.run.events import BINS, DISABLED_BELOW, EDGES, QUANTILES, Distribution, Snapshot


class NormReader:
    """Reads the norm layers of `network` that have γ and β, in the order of its `plan`; there may be none."""

    def __init__(self, network: nn.Module, plan: Plan) -> None:
        self.gammas = [network.get_parameter(f"{norm.name}.weight") for norm in plan.norms]
        self.betas = [network.get_parameter(f"{norm.name}.bias") for norm in plan.norms]
        self.sizes = [norm.channels for norm in plan.norms]
        self.layer = torch.repeat_interleave(torch.arange(len(self.sizes)), torch.tensor(self.sizes, dtype=torch.int64))

    def snapshot(self, step: int, epoch: float) -> Snapshot:
        """γ and β as they are now."""
        gamma, beta = self._flat(self.gammas), self._flat(self.betas)
        disabled = torch.bincount(self.layer[gamma.abs() < DISABLED_BELOW], minlength=len(self.sizes))
        return Snapshot(
            step=step,
            epoch=epoch,
            gamma=self._distribution(gamma),
            beta=self._distribution(beta),
            disabled=tuple(disabled.tolist()),
        )

    def disabled_share(self) -> float:
        """The share of all features, shortcut norms included, with |γ| < 0.01 (paper section 5)."""
        if not self.gammas:
            return 0.0
        return float((self._flat(self.gammas).abs() < DISABLED_BELOW).double().mean())

    @staticmethod
    def _flat(tensors: list[nn.Parameter]) -> Tensor:
        return torch.cat([torch.empty(0), *(tensor.detach().float().cpu() for tensor in tensors)])

    def _distribution(self, values: Tensor) -> Distribution:
        # Entry 0 counts values below the first edge, the last entry values above the last edge.
        bins = torch.bucketize(values, torch.tensor(EDGES), right=True)
        counts = torch.bincount(self.layer * (BINS + 2) + bins, minlength=len(self.sizes) * (BINS + 2))
        levels = torch.tensor(QUANTILES)
        quantiles = [torch.quantile(part, levels) for part in values.split(self.sizes) if len(part)]
        return Distribution(
            counts=tuple(map(tuple, counts.view(-1, BINS + 2).tolist())),
            quantiles=tuple(tuple(round(value, 5) for value in row.tolist()) for row in quantiles),
        )
