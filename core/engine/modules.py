"""A network run by its own modules, in float32: for what the fused engine does not know, and to compare it with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from core.engine.fused import Seen


class ModuleEngine:
    """`network` as torch runs it. See core.engine.choice.Engine."""

    notice: str | None = None

    def __init__(self, network: nn.Module, words: str = "torch, fp32") -> None:
        self.network, self.words = network, words

    def train(self, images: Tensor, step: int) -> Tensor:
        self.network.train()  # batch statistics under every policy, as the authors do
        logits: Tensor = self.network(images)
        return logits

    @torch.no_grad()
    def evaluate(self, images: Tensor, seen: Seen | None = None) -> Tensor:
        self.network.eval()
        with ExitStack() as watched:
            if seen:
                for name, module in self.network.named_modules():
                    if isinstance(module, nn.ReLU):
                        watched.callback(module.register_forward_hook(_telling(name, seen)).remove)
            logits: Tensor = self.network(images)
        return logits


def _telling(name: str, seen: Seen) -> Callable[[nn.Module, object, Tensor], None]:
    def tell(_module: nn.Module, _inputs: object, out: Tensor) -> None:
        seen(name, out)

    return tell
