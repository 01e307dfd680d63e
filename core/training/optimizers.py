"""The optimisers, which update trainable tensors. The updates are PyTorch's own; the state is kept here.

They use PyTorch's functional forms, because its classes import torch's compiler at their first step, which takes every
run a second or two.
"""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from core.run.computation import LEAST_SQUARES
from core.run.recipe import Recipe

ADAM_BETA2, ADAM_EPS = 0.999, 1e-8
TOGETHER = 1 << 20
"""On a CPU, up to this many values are updated operator by operator, all tensors together: that saves the time between
the operators of many small tensors, but large ones would leave the cache in between. The bits are the same."""


class Optimizer:
    """Updates `parameters` (by name). `state` is all it remembers: tensors by `KIND/NAME`."""

    kinds: tuple[str, ...] = ()
    """What it remembers of each parameter, once it has made a step."""

    def __init__(self, parameters: dict[str, nn.Parameter], recipe: Recipe) -> None:
        self.parameters, self.recipe = parameters, recipe
        self.state: dict[str, Tensor] = {}

    def clear_gradients(self) -> None:
        for parameter in self.parameters.values():
            parameter.grad = None

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Update every parameter by its gradient. Does nothing where nothing trains."""
        if self.parameters:
            tensors: list[Tensor] = list(self.parameters.values())
            # Every trainable tensor takes part in the loss, so every one has a gradient.
            self.update(tensors, [tensor.grad for tensor in tensors], lr)  # type: ignore[misc]

    def update(self, tensors: list[Tensor], gradients: list[Tensor], lr: float) -> None:
        raise NotImplementedError

    @cached_property
    def together(self) -> bool | None:
        """Whether all tensors are updated together (`foreach`); None: PyTorch decides."""
        tensors = self.parameters.values()
        return None if any(t.is_cuda for t in tensors) else sum(t.numel() for t in tensors) <= TOGETHER

    def accepts(self, state: dict[str, Tensor]) -> bool:
        """Whether `restore` can take `state`: for each parameter, or for none, one tensor of each kind."""
        kinds = {key.partition("/")[0] for key in state}
        wanted = {f"{kind}/{name}": p for kind in kinds for name, p in self.parameters.items()}
        return (
            kinds in (set(), set(self.kinds))
            and state.keys() == wanted.keys()
            and all(_fits(tensor, wanted[key]) for key, tensor in state.items())
        )

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue with a `state` that was saved."""
        for key, tensor in state.items():
            parameter = self.parameters.get(key.partition("/")[2])
            if parameter is not None and tensor.shape == parameter.shape:
                # Same memory layout as the parameter's, so that the update takes the same path to the bit.
                self.state[key] = torch.empty_like(parameter.data).copy_(tensor)
            else:
                self.state[key] = tensor


def _fits(tensor: Tensor, parameter: nn.Parameter) -> bool:
    """Whether an optimiser can have remembered `tensor` of `parameter`: a number, or as many values of its kind."""
    if tensor.shape == parameter.shape:
        return tensor.dtype == parameter.dtype
    return tensor.shape == () and tensor.dtype.is_floating_point


class Sgd(Optimizer):
    """SGD with momentum, Nesterov's or not, and weight decay, as torch.optim.SGD computes it."""

    kinds = ("momentum",)

    def update(self, tensors: list[Tensor], gradients: list[Tensor], lr: float) -> None:
        buffers: list[Tensor | None] = [self.state.get(f"momentum/{name}") for name in self.parameters]
        sgd(
            tensors,
            gradients,
            buffers,
            weight_decay=self.recipe.weight_decay,
            momentum=self.recipe.momentum,
            lr=lr,
            dampening=0.0,
            nesterov=self.recipe.nesterov,
            maximize=False,
            foreach=self.together,
        )
        pairs = zip(self.parameters, buffers, strict=True)
        self.state = {f"momentum/{name}": buffer for name, buffer in pairs if buffer is not None}


class Adam(Optimizer):
    """Adam, or AdamW where `decoupled`, as torch.optim computes them; the recipe's momentum is beta 1."""

    kinds = ("mean", "square", "steps")

    decoupled = False

    def update(self, tensors: list[Tensor], gradients: list[Tensor], lr: float) -> None:
        kinds: dict[str, list[Tensor]] = {}
        for kind in ("mean", "square"):
            kinds[kind] = [
                self.state.setdefault(f"{kind}/{name}", torch.zeros_like(tensor))
                for name, tensor in self.parameters.items()
            ]
        steps = [self.state.setdefault(f"steps/{name}", torch.tensor(0.0)) for name in self.parameters]
        adam(
            tensors,
            gradients,
            kinds["mean"],
            kinds["square"],
            [],
            steps,
            amsgrad=False,
            beta1=self.recipe.momentum,
            beta2=ADAM_BETA2,
            lr=lr,
            weight_decay=self.recipe.weight_decay,
            eps=ADAM_EPS,
            maximize=False,
            foreach=self.together,
            decoupled_weight_decay=self.decoupled,
        )


class AdamW(Adam):
    """Adam whose weight decay does not pass through its moments (Loshchilov and Hutter 2019)."""

    decoupled = True


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": Sgd, "adam": Adam, "adamw": AdamW, LEAST_SQUARES: Optimizer}
"""By the name in a recipe; where γ and β are computed, nothing makes a step."""
