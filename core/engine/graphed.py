"""A network on a GPU: its modules in float32, forward and backward launched as CUDA graphs.

Networks for small images launch thousands of small kernels a step, and the launches take longer than the work. Before
the first step, the graph's results are compared with the modules'. If they differ, or if no graph can be made, the
modules run one by one and the run's log says why.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from core.engine.modules import ModuleEngine

Capture = Callable[[nn.Module, Tensor], Callable[[Tensor], Tensor]]
"""A module and images -> a function that computes the same from other images of that shape, gradients included."""
ALIKE = 1e-2
"""How large the relative norm of the difference between graph and modules may be."""


def cuda_graph(module: nn.Module, images: Tensor) -> Callable[[Tensor], Tensor]:
    graphed = torch.cuda.make_graphed_callables(module, (images,), allow_unused_input=True)
    return cast("Callable[[Tensor], Tensor]", graphed)


class GraphedEngine(ModuleEngine):
    """See the module. `images`: any images in a whole step's shape, on the device; `trains`: whether anything does."""

    def __init__(self, network: nn.Module, images: Tensor, *, trains: bool, capture: Capture = cuda_graph) -> None:
        super().__init__(network)
        self.device, self.shape = images.device, images.shape
        self.graph: Callable[[Tensor], Tensor] | None = None
        if trains:
            self._try(images, capture)
        self.words = f"torch, fp32{', CUDA graph' if self.graph else ''}"

    def train(self, images: Tensor, step: int) -> Tensor:
        self.network.train()
        if self.graph and images.shape == self.shape and torch.is_grad_enabled():
            return self.graph(images)
        return super().train(images, step)

    def _try(self, images: Tensor, capture: Capture) -> None:
        """Use a graph if one can be made that computes what the modules do; else say why not."""
        self.network.train()
        try:
            with _kept(self.network), _place(self.device):
                graph = capture(_Step(self.network), images)
                difference = self._difference(graph)
        except (RuntimeError, NotImplementedError, AssertionError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            self.notice = f"Trained without a CUDA graph, which is slower for small networks: {reason}"
        else:
            if difference <= ALIKE:
                self.graph = graph
                return
            self.notice = f"Trained without a CUDA graph: in a trial its result was off by {difference:.1%}."
            del graph
        gc.collect()  # an unused graph holds the memory of a whole step, in a reference cycle
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _difference(self, graph: Callable[[Tensor], Tensor]) -> float:
        """The worst relative difference, of logits or gradients, on images new to the graph; NaN if anything is."""
        draw = torch.Generator(self.device).manual_seed(200300152)
        others = torch.randn(self.shape, generator=draw, device=self.device)
        others = others.contiguous(memory_format=torch.channels_last)
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        results = []
        for way in (graph, self.network):
            logits = way(others)
            weights = torch.arange(logits.numel(), device=self.device).view_as(logits).sin()
            gradients = torch.autograd.grad((logits * weights).sum(), parameters, allow_unused=True)
            flat = [g.detach().flatten() for g in gradients if g is not None]
            results.append([logits.detach().clone(), torch.cat(flat) if flat else logits.detach().clone()])
        return float(torch.stack([(a - b).norm() / b.norm() for a, b in zip(*results, strict=True)]).max())


@contextmanager
def _place(device: torch.device) -> Iterator[None]:
    """On a GPU: make it current, and restore the current GPU and stream even if a capture failed midway."""
    if device.type != "cuda":
        yield
        return
    with torch.cuda.device(device), torch.cuda.stream(torch.cuda.current_stream(device)):
        yield


class _Step(nn.Module):
    """What a graph is made of: making one replaces a module's `forward`, and the network needs its own for tests."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images)
        return logits


@contextmanager
def _kept(network: nn.Module) -> Iterator[None]:
    """Restore the buffers afterwards: a trial must not change the running statistics."""
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, buffer in network.named_buffers():
                buffer.copy_(before[name])
