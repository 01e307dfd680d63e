"""A network on a GPU: its modules in bfloat16 where the GPU has it, its kernels there and back launched as CUDA graphs.

Networks for small images launch thousands of small kernels a step, which takes longer than their work. Whether a graph
gives what the modules give is tried before the first step; where it does not, or cannot be made, the modules run one by
one and the run's log says why.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from core.engine.fused import Seen
from core.engine.modules import ModuleEngine

Capture = Callable[[nn.Module, Tensor], Callable[[Tensor], Tensor]]
"""A module and images -> what computes the same of other images of that shape, gradients included."""
ALIKE = 1e-2
"""Norm of the difference between graph and modules, relative; both round to bfloat16 in the same places."""


def cuda_graph(module: nn.Module, images: Tensor) -> Callable[[Tensor], Tensor]:
    graphed = torch.cuda.make_graphed_callables(module, (images,), allow_unused_input=True)
    return cast("Callable[[Tensor], Tensor]", graphed)


class GraphedEngine(ModuleEngine):
    """See the module. `images`: any of a whole step's shape, on the device; `trains`: whether anything does."""

    def __init__(
        self, network: nn.Module, images: Tensor, *, half: bool, trains: bool, capture: Capture = cuda_graph
    ) -> None:
        super().__init__(network)
        self.half, self.device, self.shape = half, images.device, images.shape
        self.graph: Callable[[Tensor], Tensor] | None = None
        self._step = _Step(network, self._formats)
        if trains:
            self._try(images, capture)
        self.words = f"torch, {'bf16' if half else 'fp32'}{', CUDA graph' if self.graph else ''}"

    def train(self, images: Tensor, step: int) -> Tensor:
        self.network.train()
        if self.graph and images.shape == self.shape and torch.is_grad_enabled():
            return self.graph(images)
        logits: Tensor = self._step(images)
        return logits

    @torch.no_grad()
    def evaluate(self, images: Tensor, seen: Seen | None = None) -> Tensor:
        with self._formats():
            return super().evaluate(images, seen).float()

    def _formats(self) -> AbstractContextManager[object]:
        # Without its cache of converted weights, which a graph must not find.
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.half, cache_enabled=False)

    def _try(self, images: Tensor, capture: Capture) -> None:
        """Take a graph if there can be one that computes what the modules do; say why not."""
        self.network.train()
        try:
            with _kept(self.network), _place(self.device):
                graph = capture(_Step(self.network, self._formats), images)
                difference = self._difference(graph)
        except (RuntimeError, NotImplementedError, AssertionError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            self.notice = f"Trained without a CUDA graph, which is slower for small networks: {reason}"
        else:
            if difference <= ALIKE:
                self.graph = graph
                return
            self.notice = f"Trained without a CUDA graph: it was off by {difference:.1%} when it was tried."
            del graph
        gc.collect()  # a graph that is not taken keeps the memory of a whole step, in a cycle
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _difference(self, graph: Callable[[Tensor], Tensor]) -> float:
        """Of logits and gradients, the worst, on images that the graph has not seen; NaN if anything is."""
        draw = torch.Generator(self.device).manual_seed(200300152)
        others = torch.randn(self.shape, generator=draw, device=self.device)
        others = others.contiguous(memory_format=torch.channels_last)
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        results = []
        for way in (graph, self._step):
            logits = way(others)
            weights = torch.arange(logits.numel(), device=self.device).view_as(logits).sin()
            gradients = torch.autograd.grad((logits * weights).sum(), parameters, allow_unused=True)
            flat = [g.detach().flatten() for g in gradients if g is not None]
            results.append([logits.detach().clone(), torch.cat(flat) if flat else logits.detach().clone()])
        return float(torch.stack([(a - b).norm() / b.norm() for a, b in zip(*results, strict=True)]).max())


@contextmanager
def _place(device: torch.device) -> Iterator[None]:
    """On a GPU: it and its stream are the current ones, also after a capture that failed midway."""
    if device.type != "cuda":
        yield
        return
    with torch.cuda.device(device), torch.cuda.stream(torch.cuda.current_stream(device)):
        yield


class _Step(nn.Module):
    """Logits in float32 of a network that computes in `formats`: what a graph is made of."""

    def __init__(self, network: nn.Module, formats: Callable[[], AbstractContextManager[object]]) -> None:
        super().__init__()
        self.network, self.formats = network, formats

    def forward(self, images: Tensor) -> Tensor:
        with self.formats():
            logits: Tensor = self.network(images)
        return logits.float()


@contextmanager
def _kept(network: nn.Module) -> Iterator[None]:
    """Running statistics are afterwards what they were: a trial must move nothing."""
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, buffer in network.named_buffers():
                buffer.copy_(before[name])
