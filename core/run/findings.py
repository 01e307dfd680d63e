"""What the analyses of a finished run found: a pydantic model, stored with the run. Imports no torch.

`core/trained/analysis.py` computes it; definitions: paper sections 5 and 6.
"""

from __future__ import annotations

from pydantic import Field

from core.catalog.model import Model
from core.run.adaptation import Adapted


class Spread(Model):
    """The values of γ or β of some norm layers: how many, their mean and standard deviation, and shares in 0..1."""

    count: int
    mean: float
    sd: float
    negative: float
    near_zero: float = Field(description="Share with |value| < 0.01, strictly; of γ: the disabled features.")


class LayerSpread(Model):
    """γ and β of one norm layer."""

    name: str
    stage: int
    shortcut: bool
    gamma: Spread
    beta: Spread


class Ablated(Model):
    """The network with γ := 0 wherever |γ| < `epsilon`, β and running statistics kept, without retraining."""

    epsilon: float
    zeroed: float = Field(description="Share of all γ that were set to 0.")
    top1: float
    change: float = Field(description="top1 minus that of the network as it is.")


class ReluOff(Model):
    """One ReLU: of its `channels`, the shares that are 0 for more than 99% and for all of (image, pixel).

    `zero_shares`: for each channel the share of (image, pixel) for which it is 0, rounded to 4 digits; the two shares
    before were counted, not rounded.
    """

    name: str
    stage: int
    position: int = Field(description="Its place in its block: 1 for the first ReLU, 2 for the second; 0: the stem's.")
    after_addition: bool = Field(False, description="Whether it follows the addition of a residual block.")
    channels: int
    mostly_off: float
    always_off: float
    zero_shares: tuple[float, ...] = ()


class Findings(Model):
    """All analyses of one finished run. `gamma`, `beta`: over all norm layers; `..._inner`: without shortcuts'.

    `relu_mostly_off`, `relu_always_off`: shares over all ReLU channels of the network. `unused_parameters`: how many
    parameters feed only channels whose ReLU is always off, or multiply only such channels. All empty where the
    network has no γ. `test_examples`: how many test images were looked at, which is fewer than all where the analyses
    would otherwise take too large a part of the run's time (`cost.analysed_images`). `adapted`: what the adaptation
    that the spec asks for gave, a row for each corruption and severity; written only where it asks for one.
    """

    gamma: Spread | None
    gamma_inner: Spread | None
    beta: Spread | None
    beta_inner: Spread | None
    layers: tuple[LayerSpread, ...]
    ablation: tuple[Ablated, ...]
    relus: tuple[ReluOff, ...]
    relu_mostly_off: float
    relu_always_off: float
    unused_parameters: int
    test_examples: int
    seconds: float
    adapted: tuple[Adapted, ...] = Field((), exclude_if=lambda rows: not rows)


EPSILONS: tuple[float, ...] = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""The thresholds of the ablation (paper section 5 asks the same for a grid of them)."""
