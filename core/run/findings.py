"""What the analyses of a finished run found: a pydantic model, stored with the run. Imports no torch.

`core/trained/analysis.py` computes it; definitions: paper sections 5 and 6.
"""

from __future__ import annotations

from pydantic import Field

from core.catalog.model import Model
from core.run.adaptation import Adapted
from core.run.computation import Computed


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


class Condition(Model):
    """A layer's Jacobian: the derivatives of logits in its γ (core/trained/jacobian.py).

    `rank`: how many singular values rounding can tell from 0; `greatest` and `least` of these, and `number`, their
    ratio: the condition number on the directions of γ that change a logit. Null where none does.
    """

    rank: int
    greatest: float
    least: float
    number: float | None


class Conditions(Model):
    """The Jacobians of all layers: the `median` of their condition numbers, and `idle`, the share of the directions of
    γ that change no logit. A layer has as many directions as γ, or as its Jacobian has rows, if those are fewer."""

    median: float | None
    idle: float


class LayerJacobian(Model):
    """The Jacobian of one norm layer before the first step (null where nobody knows) and after the last."""

    name: str
    stage: int
    shortcut: bool
    channels: int
    start: Condition | None
    end: Condition


class Jacobian(Model):
    """The Jacobians of all norm layers: of the logits of so many `classes` for so many test `images`, in γ."""

    images: int
    classes: int
    start: Conditions | None
    end: Conditions
    layers: tuple[LayerJacobian, ...]


class Findings(Model):
    """All analyses of one finished run. `gamma`, `beta`: over all norm layers; `..._inner`: without shortcuts'.

    `relu_mostly_off`, `relu_always_off`: shares over all ReLU channels of the network. `unused_parameters`: how many
    parameters feed only channels whose ReLU is always off, or multiply only such channels. All empty where the
    network has no γ. `test_examples`: how many test images were looked at, which is fewer than all where the analyses
    would otherwise take too large a part of the run's time (`cost.analysed_images`). `jacobian`: null where there is no
    γ, and in findings from before it was computed. `adapted`: what the adaptation that the spec asks for gave, a row
    for each corruption and severity; written only where it asks for one. `computed`: how γ and β were computed, where
    they did not train.
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
    jacobian: Jacobian | None = None
    adapted: tuple[Adapted, ...] = Field((), exclude_if=lambda rows: not rows)
    computed: Computed | None = Field(None, exclude_if=lambda computed: computed is None)


EPSILONS: tuple[float, ...] = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""The thresholds of the ablation (paper section 5 asks the same for a grid of them)."""
