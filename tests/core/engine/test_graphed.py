"""The engine of a GPU, on the CPU: all but the capture itself, which stands in as a function here."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from core.engine import choice as engine
from core.engine.graphed import GraphedEngine
from core.engine.modules import ModuleEngine
from core.network.freezing import running_statistics
from tests.core.engine.test_fused import batch, differences, network_of, spec, step

RUN = spec("resnet-8", "batchnorm")


class Graph:
    """What a capture returns, as far as one can tell: its module, run a few times before."""

    def __init__(self, factor: float = 1.0) -> None:
        self.calls, self.factor = 0, factor

    def capture(self, module: nn.Module, images: Tensor) -> Callable[[Tensor], Tensor]:
        for _ in range(3):
            module(images)

        def replay(images: Tensor) -> Tensor:
            self.calls += 1
            return self.factor * module(images)

        return replay


def test_a_step_by_graph_is_that_of_the_modules() -> None:
    network, other, graph = network_of(RUN), network_of(RUN), Graph()
    images, labels = batch(RUN)
    made = GraphedEngine(network, torch.randn_like(images), trains=True, capture=graph.capture)
    assert made.words == "torch, fp32, CUDA graph" and made.notice is None
    before = running_statistics(network_of(RUN))
    assert all(torch.equal(value, before[name]) for name, value in running_statistics(network).items()), "only tried"
    graph.calls = 0
    own, reference = step(made, network, images, labels), step(ModuleEngine(other), other, images, labels)
    assert graph.calls == 1 and max(differences(own, reference).values()) == 0


def test_another_number_of_images_runs_without_the_graph() -> None:
    network, graph = network_of(RUN), Graph()
    images, _ = batch(RUN)
    made = GraphedEngine(network, images, trains=True, capture=graph.capture)
    graph.calls = 0
    made.train(images[:5], 0)
    with torch.no_grad():
        made.train(images, 0)
    assert graph.calls == 0


def test_where_nothing_trains_nothing_is_captured() -> None:
    run = spec("resnet-14", "none")

    def never(module: nn.Module, images: Tensor) -> Callable[[Tensor], Tensor]:
        raise AssertionError

    made = GraphedEngine(network_of(run), batch(run)[0], trains=False, capture=never)
    assert made.words == "torch, fp32" and made.notice is None
    assert not made.train(batch(run)[0], 0).requires_grad


def test_a_graph_that_cannot_be_made_is_told() -> None:
    def fail(module: nn.Module, images: Tensor) -> Callable[[Tensor], Tensor]:
        module(images)
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nmore")

    network, images = network_of(RUN), batch(RUN)[0]
    made = GraphedEngine(network, images, trains=True, capture=fail)
    assert made.words == "torch, fp32" and made.graph is None
    assert made.notice is not None and made.notice.endswith("operation not permitted when stream is capturing")
    before = running_statistics(network_of(RUN))
    assert all(torch.equal(value, before[name]) for name, value in running_statistics(network).items())


@pytest.mark.parametrize("factor", [1.05, float("nan")])
def test_a_graph_that_computes_something_else_is_not_taken(factor: float) -> None:
    made = GraphedEngine(network_of(RUN), batch(RUN)[0], trains=True, capture=Graph(factor).capture)
    assert made.graph is None and made.notice is not None and "its result was off by" in made.notice


def test_a_graph_whose_gradients_are_stale_or_lost_is_not_taken() -> None:
    def stale(module: nn.Module, images: Tensor) -> Callable[[Tensor], Tensor]:
        captured = images.clone()

        def replay(images: Tensor) -> Tensor:
            return module(images).detach() + module(captured) - module(captured).detach()

        return replay

    def lost(module: nn.Module, images: Tensor) -> Callable[[Tensor], Tensor]:
        def replay(images: Tensor) -> Tensor:
            logits: Tensor = module(images)
            logits.register_hook(lambda gradient: gradient * float("nan"))
            return logits

        return replay

    for capture in (stale, lost):
        made = GraphedEngine(network_of(RUN), batch(RUN)[0], trains=True, capture=capture)
        assert made.graph is None and made.notice is not None and "its result was off by" in made.notice


def test_on_a_gpu_the_share_of_a_batch_is_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, object] = {}

    def take(network: nn.Module, images: Tensor, **options: object) -> ModuleEngine:
        made.update(options, shape=tuple(images.shape))
        return ModuleEngine(network)

    monkeypatch.setattr(engine, "GraphedEngine", take)
    monkeypatch.setattr(engine.torch, "randn", lambda *shape, device: torch.zeros(shape))
    run = spec("resnet-14", "batchnorm", recipe={"batch_size": 96, "lean": True})
    found = engine.make_engine(network_of(run), run, torch.device("cuda"))
    assert made == {"trains": True, "shape": (96, 3, 32, 32)}
    assert found.notice is None
    full = spec("resnet-14", "none", recipe={"batch_size": 96, "precision": "fp32"})
    assert engine.make_engine(network_of(full), full, torch.device("cuda")).notice is None
    assert made == {"trains": False, "shape": (96, 3, 32, 32)}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("policy", ["batchnorm", "all", "random-2"])
def test_a_real_graph(policy: str) -> None:
    run = spec("resnet-14", policy)
    network, other = (network_of(run).to("cuda") for _ in range(2))
    images, labels = (tensor.to("cuda") for tensor in batch(run))
    made = GraphedEngine(network, torch.randn_like(images), trains=True)
    assert made.words == "torch, fp32, CUDA graph", made.notice
    own, reference = step(made, network, images, labels), step(ModuleEngine(other), other, images, labels)
    assert max(differences(own, reference).values()) < 1e-3
