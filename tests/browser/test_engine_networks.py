"""Networks in the browser against the same ones in Python: logits, gradients, losses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page
from torch.nn import functional as F

from core.engine.algorithms import FLOAT32
from core.engine.compiled import compiled_kernels
from core.engine.fused import FusedNetwork
from core.network.freezing import draw_network
from core.network.group import Group
from core.run.layout import layout
from core.run.spec import RunSpec
from core.training.learner import Learner
from tests.browser.tab import engine_page, received, sent

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    yield from engine_page(browser)


def spec_of(architecture: str, name: str, dataset: str = "digits", **more: Any) -> RunSpec:
    return RunSpec(architecture=architecture, policy=name, dataset=dataset, epochs=4, **more)


def trained_like(spec: RunSpec) -> tuple[torch.nn.Module, dict[str, str]]:
    """The network of `spec` with other numbers where it would train, and these as a capsule's flat tensors."""
    torch.manual_seed(3)
    network, _ = draw_network(spec)
    state, groups = network.state_dict(), {}
    with torch.no_grad():
        for slot in layout(spec):
            tensor = state[slot.name]
            tensor.add_(torch.randn(tensor.shape) * 0.1 if "var" not in slot.name else torch.rand(tensor.shape))
            groups.setdefault(slot.group, []).append(tensor.flatten())
    return network.eval(), {group: sent(torch.cat(parts)) for group, parts in groups.items()}


LOGITS = """async ([spec, tensors, images, count, relaxed]) => {
  const { open, rebuilt, floats, text } = await window.onlybn;
  const kernels = await open(relaxed);
  const groups = Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, floats(values)]));
  const network = rebuilt(kernels, { spec, tensors: groups });
  return text(network.logits(floats(images), count));
}"""


@pytest.mark.parametrize("relaxed", [False, True])
@pytest.mark.parametrize(
    ("architecture", "name", "dataset"),
    [
        ("resnet-8", "random-2-layer", "digits"),
        ("resnet-14", "batchnorm", "fashion-mnist"),
        ("resnet-20", "all", "digits"),
        ("resnet-56", "batchnorm+output", "digits"),
        ("wrn-14-2", "supermask-30+batchnorm", "cifar-10"),
        ("wrn-14-4", "random-2", "digits"),
    ],
)
def test_logits_are_the_same(tab: Page, architecture: str, name: str, dataset: str, relaxed: bool) -> None:
    spec = spec_of(architecture, name, dataset)
    network, tensors = trained_like(spec)
    images = torch.randn(3, *spec.data.shape)
    with torch.no_grad():
        wanted = network(images).flatten()
    arguments = [json.loads(spec.model_dump_json()), tensors, sent(images.permute(0, 2, 3, 1)), 3, relaxed]
    found = received(tab.evaluate(LOGITS, arguments))
    scale = max(1.0, float(wanted.abs().max()))
    assert float((found - wanted).abs().max()) < 1e-4 * scale


GRADIENTS = """async ([spec, images, labels, relaxed]) => {
  const { open, Learner, floats, text } = await window.onlybn;
  const learner = new Learner(await open(relaxed), spec, labels.length);
  learner.gradients({ images: floats(images), labels: Int32Array.from(labels), count: labels.length });
  const all = [...learner.trainable.tensors];
  return Object.fromEntries(all.map(([name, { gradient }]) => [name, text(Float32Array.from(gradient()))]));
}"""


@pytest.mark.parametrize(
    ("architecture", "name", "dataset"),
    [
        ("resnet-14", "batchnorm", "fashion-mnist"),
        ("resnet-8", "all", "digits"),
        ("resnet-20", "batchnorm+output", "cifar-10"),
        ("wrn-14-2", "random-2", "digits"),
        ("resnet-8", "supermask-30+batchnorm", "digits"),
        ("resnet-56", "gamma", "digits"),
    ],
)
def test_gradients_are_the_same(tab: Page, architecture: str, name: str, dataset: str) -> None:
    """On one of some batches: where rounding moves a single value across a ReLU's zero, gradients differ by 1%."""
    spec = spec_of(architecture, name, dataset, recipe={"label_smoothing": 0.1})
    apart = (gradients_apart(tab, spec, seed) for seed in range(8))
    assert any(worst < 1e-3 for worst in apart)


def gradients_apart(tab: Page, spec: RunSpec, seed: int) -> float:
    """The greatest distance of a tensor's gradient from Python's, relative to its size, for a small batch."""
    torch.manual_seed(seed)
    count = 16 if spec.dataset == "digits" else 3
    images, labels = torch.randn(count, *spec.data.shape), torch.randint(10, (count,))
    arguments = [json.loads(spec.model_dump_json()), sent(images.permute(0, 2, 3, 1)), labels.tolist(), True]
    found = tab.evaluate(GRADIENTS, arguments)
    network, trainable = draw_network(spec)
    network.train().to(memory_format=torch.channels_last)
    engine = FusedNetwork(network, spec.plan, compiled_kernels(), FLOAT32)
    logits = engine.train(images.contiguous(memory_format=torch.channels_last), 0)
    F.cross_entropy(logits, labels, label_smoothing=0.1).backward()
    assert set(found) == set(trainable)
    worst = 0.0
    for own, parameter in trainable.items():
        assert parameter.grad is not None
        wanted = parameter.grad.flatten()
        worst = max(worst, float((received(found[own]) - wanted).norm() / wanted.norm().clamp(min=1e-12)))
    return worst


LOSSES = """async ([spec, steps]) => {
  const { open, Learner, batchesOf, loadImages } = await window.onlybn;
  const kernels = await open(true);
  const split = await loadImages(spec.dataset, "train");
  const learner = new Learner(kernels, spec, split.labels.length);
  const losses = [];
  for (let epoch = 0; losses.length < steps; epoch += 1)
    for (const batch of batchesOf(kernels, split, learner.data, spec, epoch)) {
      if (losses.length < steps) losses.push(learner.trainStep(batch).loss);
    }
  return losses;
}"""


def test_losses_stay_the_same(tab: Page) -> None:
    """At a low rate: at 0.1 rounding grows, and PyTorch's losses in float32 leave its own in float64 as far behind."""
    spec = spec_of("resnet-14", "batchnorm", recipe={"lr": 0.003, "precision": "fp32", "lean": False})
    found = tab.evaluate(LOSSES, [json.loads(spec.model_dump_json()), 50])
    assert tab.evaluate(LOSSES, [json.loads(spec.model_dump_json()), 50]) == found
    learner = Learner(spec, Path("data/datasets"), torch.device("cpu"), Group(), Path("none"))
    wanted: list[float] = []
    for epoch in range(5):
        for images, labels in learner.batches.train(epoch, 0):
            if len(wanted) < 50:
                learner.train_step(images, labels, 0.0)
                wanted.append(float(learner.take_window(epoch_ends=False).scores.loss))
    assert max(abs(a - b) / b for a, b in zip(found, wanted, strict=True)) < 1e-3
