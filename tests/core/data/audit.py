"""What a short training did to every tensor of a network, looked at bit by bit."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from core.network.freezing import FrozenWeight, ScatteredWeight, running_statistics
from core.run.events import Finished
from core.run.spec import RunSpec
from core.training.training import Training


@dataclass(frozen=True)
class Audit:
    """Counts of tensors; `trainable` counts parameters. `drawn`: names of what is neither trained nor measured."""

    trainable: int
    trained: int
    changed: int
    frozen: int
    unchanged: int
    before: dict[str, Tensor]
    after: dict[str, Tensor]
    training: Training

    @property
    def ok(self) -> bool:
        return self.changed == self.trained and self.unchanged == self.frozen


def same_bits(one: Tensor, two: Tensor) -> bool:
    """Also where a value is NaN or a negative zero."""
    kinds = {torch.float32: torch.int32, torch.int64: torch.int64}
    return torch.equal(one.contiguous().view(kinds[one.dtype]), two.contiguous().view(kinds[two.dtype]))


def audit(spec: RunSpec) -> Audit:
    """Train `spec` and compare every parameter and buffer with what it was: frozen weights inside layers with
    scattered or masked weights, and the positions of scattered ones, included; running statistics left out."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        training = Training(spec, None, Path(folder), torch.device("cpu"), 1)
        before = _tensors(training)
        *_, last = training.run(lambda: False, 1e9)
    assert isinstance(last, Finished) and last.step == spec.total_steps
    after = _tensors(training)
    moved = {name for name in before if not same_bits(before[name], after[name])}
    trained, measured = set(training.trainable), set(running_statistics(training.network))
    frozen = set(before) - trained - measured
    _check_layers(training)
    return Audit(
        trainable=sum(p.numel() for p in training.trainable.values()),
        trained=len(trained),
        changed=len(trained & moved),
        frozen=len(frozen),
        unchanged=len(frozen - moved),
        before=before,
        after=after,
        training=training,
    )


def _tensors(training: Training) -> dict[str, Tensor]:
    named = {**dict(training.network.named_parameters()), **dict(training.network.named_buffers())}
    return {name: tensor.detach().clone() for name, tensor in named.items()}


def _check_layers(training: Training) -> None:
    """What a layer with frozen weights uses is the frozen weight but where it may differ: at scattered positions, or
    0 where it is masked."""
    for layer in training.network.modules():
        if not isinstance(layer, FrozenWeight):
            continue
        used = layer.effective().detach()
        elsewhere = torch.ones(used.numel(), dtype=torch.bool)
        if isinstance(layer, ScatteredWeight):
            elsewhere[layer.indices] = False
        else:
            elsewhere = used.flatten() != 0
        assert same_bits(used.flatten()[elsewhere], layer.weight.flatten()[elsewhere])
