"""The optimiser: how trainable tensors move. PyTorch's own update, with its state in our hands."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from core.spec import Recipe


class Sgd:
    """SGD with momentum and weight decay on `parameters` (by name), as torch.optim.SGD computes it.

    The functional form, because the class imports torch's compiler at its first step: a second or two that every
    run would wait. `momentum` is its whole state.
    """

    def __init__(self, parameters: dict[str, nn.Parameter], recipe: Recipe) -> None:
        self.parameters, self.recipe = parameters, recipe
        self.momentum: dict[str, Tensor] = {}

    def clear_gradients(self) -> None:
        for parameter in self.parameters.values():
            parameter.grad = None

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Move every parameter along its gradient. Does nothing where nothing trains."""
        if not self.parameters:
            return
        tensors = list(self.parameters.values())
        gradients = [tensor.grad for tensor in tensors]
        buffers: list[Tensor | None] = [self.momentum.get(name) for name in self.parameters]
        sgd(
            tensors,  # type: ignore[arg-type]  # a list of parameters is a list of tensors
            gradients,  # type: ignore[arg-type]  # every trainable tensor takes part in the loss
            buffers,
            weight_decay=self.recipe.weight_decay,
            momentum=self.recipe.momentum,
            lr=lr,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )
        self.momentum = {n: b for n, b in zip(self.parameters, buffers, strict=True) if b is not None}
