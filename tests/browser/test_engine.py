"""The engine in the browser against the one in Python: the same draws to the bit, and the same networks."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page
from torch.nn import functional as F

from core.catalog import architectures
from core.catalog.datasets import DATASETS
from core.catalog.policies import policy
from core.data import browser as shipped
from core.data.augmentation import draw_shifts, normalise, shift
from core.draws.versions import drawn
from core.engine.algorithms import FLOAT32
from core.engine.compiled import compiled_kernels
from core.engine.fused import FusedNetwork
from core.network.freezing import draw_network
from core.network.group import Group
from core.run.layout import layout
from core.run.spec import RunSpec
from core.training.learner import Learner
from tests.browser.tab import page_from_disk

pytestmark = pytest.mark.browser

DIGESTS = json.loads((Path(__file__).parents[1] / "core" / "draws" / "digests.json").read_text())
BEGIN = """
window.onlybn = (async () => {
  const names = ["kernels", "draw", "network", "capsule", "policy", "plan", "datasets", "seeds", "images"];
  const training = ["learner", "batches", "schedules"];
  const all = {};
  for (const name of names) Object.assign(all, await import(`/sub/static/engine/${name}.js`));
  for (const name of training) Object.assign(all, await import(`/sub/static/engine/training/${name}.js`));
  all.open = (relaxed) => all.openKernels({ relaxed });
  all.floats = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  all.text = (values) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    let said = "";
    for (let at = 0; at < bytes.length; at += 8192) said += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(said);
  };
  return all;
})();
"""


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    with page_from_disk(browser) as page:
        page.evaluate(BEGIN)
        yield page
        assert page.problems == []  # type: ignore[attr-defined]


def sent(values: torch.Tensor) -> str:
    return base64.b64encode(values.contiguous().numpy().tobytes()).decode()


def received(text: str) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), np.float32).copy())


# -- draws ---------------------------------------------------------------------------------------------------------


DRAWS = """async ([wanted, relaxed]) => {
  const { open, Draw, NORMS } = await window.onlybn;
  const kernels = await open(relaxed);
  const digest = async (values) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return [...sum].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const found = {};
  const floats = (count, fill) => {
    const at = kernels.takeFloats(count);
    fill(at);
    const values = kernels.floats(at, count).slice();
    kernels.give(at);
    return values;
  };
  const long = (values) => BigInt64Array.from(values, BigInt);
  for (const key of wanted) {
    const [name, ...numbers] = key.split(/[ (,)]+/);
    const shape = numbers.filter(Boolean).map(Number);
    const uses = { order: [0], mirrored: ["augmentation", 0], shifts: ["augmentation", 0] };
    Object.assign(uses, { choice: ["choice"], scores: ["choice"] });
    const draw = new Draw(kernels, 1, ...(uses[name] ?? [Object.hasOwn(NORMS, name) ? "norm" : "weight"]));
    const count = shape.reduce((a, b) => a * b, 1);
    let values;
    if (name === "order") values = long(draw.order(shape[0]));
    else if (name === "mirrored") values = draw.coins(shape[0]);
    else if (name === "shifts") values = long(draw.below(2 * shape[0], shape[1]));
    else if (name === "choice") values = long(draw.ranks(...shape));
    else if (name === "scores") values = floats(count, (at) => draw.uniform(at, count, -1 / 24, 1 / 24));
    else if (Object.hasOwn(NORMS, name))
      values = floats(count, (at) => draw.uniform(at, count, NORMS[name].low, NORMS[name].high));
    else values = floats(count, (at) => draw.weight(at, shape, name));
    found[key] = await digest(values);
    draw.close();
  }
  return found;
}"""


@pytest.mark.parametrize("relaxed", [False, True])
def test_draws_are_the_same_bits(browser: Browser, relaxed: bool) -> None:
    with page_from_disk(browser) as page:
        page.evaluate(BEGIN)
        found = page.evaluate(DRAWS, [list(DIGESTS), relaxed])
    assert found == DIGESTS


def test_seeds_follow_from_the_replicate(tab: Page) -> None:
    asked = [0, 1, 17, 9999]
    found = tab.evaluate(
        "async (asked) => { const { open, seedsOf } = await window.onlybn; const kernels = await open(true);"
        " return asked.map((replicate) => seedsOf(kernels, replicate)); }",
        asked,
    )
    spec = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 1}
    assert found == [RunSpec(**spec, replicate=replicate).seeds.model_dump() for replicate in asked]


def test_batches_are_the_same(tab: Page) -> None:
    """Order, mirror images, shifts and normalisation of an epoch, to the bit."""
    data, rng = DATASETS["fashion-mnist"], np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (70, 28, 28, 1), np.uint8))
    spec = RunSpec(architecture="resnet-8", policy="batchnorm", dataset="fashion-mnist", epochs=1, train_examples=70)
    got = tab.evaluate(
        "async ([spec, pixels]) => { const { open, batchesOf, DATASETS, text } = await window.onlybn;"
        " const kernels = await open(true);"
        " const bytes = Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0));"
        " const split = { pixels: bytes, labels: Uint8Array.from({ length: 70 }, (_, i) => i) };"
        " const all = batchesOf(kernels, split, DATASETS['fashion-mnist'], spec, 3);"
        " return [...all].map(({ images, labels }) => [text(images), [...labels]]); }",
        [json.loads(spec.model_dump_json()), base64.b64encode(images.numpy().tobytes()).decode()],
    )
    order = torch.from_numpy(drawn(2, spec.seeds.order, 3).order(70))
    shifts = draw_shifts(data, 70, drawn(2, spec.seeds.augmentation, "augmentation", 3))
    moved = shift(images.permute(0, 3, 1, 2)[order], shifts, data.pad)
    wanted = normalise(moved, data).permute(0, 2, 3, 1)
    assert [label for _, labels in got for label in labels] == order.tolist()
    assert torch.equal(torch.cat([received(text) for text, _ in got]), wanted.flatten())


# -- what is known -------------------------------------------------------------------------------------------------


POLICIES = (
    *("batchnorm", "all", "output", "shortcut", "batchnorm+output", "batchnorm+output+shortcut", "all-but-batchnorm"),
    *("gamma", "beta", "bias", "batchnorm-stages-0-2", "batchnorm-stage-3", "random-1", "random-16", "random-2-layer"),
    *("supermask", "supermask-30", "supermask-30+batchnorm", "supermask-7+output+shortcut", "none"),
)


@pytest.mark.parametrize("architecture", ["resnet-8", "resnet-56", "wrn-14-4"])
def test_plans_and_policies_are_the_same(tab: Page, architecture: str) -> None:
    plan = architectures.plan(architecture, (1, 28, 28), 10)
    found = tab.evaluate(
        "async ([architecture, policies]) => { const { planOf, parametersOf, trainsOf } = await window.onlybn;"
        " const plan = planOf(architecture, [1, 28, 28], 10);"
        " const trains = policies.map((name) => [...trainsOf(name, plan)]"
        ".map(([own, { shape, how, keep, spread }]) => [own, shape, how, keep ?? 0, spread ?? false]));"
        " return { parameters: parametersOf(plan), trains, sizes: plan.units.map(({ conv }) => conv.size) }; }",
        [architecture, list(POLICIES)],
    )
    rows = [{"name": p.name, "shape": list(p.shape), "role": p.role, "stage": p.stage} for p in plan.parameters]
    assert found["parameters"] == rows
    assert found["sizes"] == [conv.size for conv in plan.convolutions]
    for name, trains in zip(POLICIES, found["trains"], strict=True):
        wanted = policy(name).trains(plan)
        assert trains == [[n, list(t.shape), t.how, t.keep, t.spread] for n, t in wanted.items()], name


def test_data_sets_are_the_same(tab: Page) -> None:
    found = tab.evaluate(
        "async () => { const { DATASETS, SHIPPED } = await window.onlybn; return [DATASETS, SHIPPED]; }"
    )
    assert set(found[0]) == {"digits", "mnist", "fashion-mnist", "cifar-10", "svhn"}
    for name, row in found[0].items():
        data = DATASETS[name]
        wanted = {"title": data.title, "shape": list(data.shape), "classes": list(data.classes), "train": data.train}
        wanted |= {"test": data.test, "mean": list(data.mean), "deviation": list(data.deviation)}
        assert row == wanted | {"flip": data.flip, "pad": data.pad}
    sizes = {name: tuple(row.values()) for name, row in found[1].items()}
    full = {"digits": (DATASETS["digits"].train, DATASETS["digits"].test)}
    assert sizes == {name: full.get(name, counts) for name, counts in shipped.SHIPPED.items()}


def test_the_shipped_images_are_those_of_the_data_sets() -> None:
    for name, body in shipped.files(Path("data/datasets")).items():
        assert (shipped.FOLDER / name).read_bytes() == body, name
    assert (shipped.FOLDER / "fashion-mnist-test.bin.gz").stat().st_size <= 300_000
    assert (shipped.FOLDER / "fashion-mnist-train.bin.gz").stat().st_size <= 6_000_000


# -- networks ------------------------------------------------------------------------------------------------------


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
    """The greatest distance of a tensor's gradient from Python's, relative to its size, for a batch of 16 images."""
    torch.manual_seed(seed)
    images, labels = torch.randn(16, *spec.data.shape), torch.randint(10, (16,))
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
