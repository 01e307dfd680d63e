"""The engine in the browser against the one in Python: the same draws to the bit, and the same networks."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page

from core.catalog import architectures
from core.catalog.datasets import DATASETS
from core.catalog.policies import policy
from core.data import browser as shipped
from core.data.augmentation import draw_shifts, normalise, shift
from core.draws.versions import drawn
from core.run.spec import RunSpec
from tests.browser.tab import BEGIN, engine_page, page_from_disk, received

pytestmark = pytest.mark.browser

DIGESTS = json.loads((Path(__file__).parents[1] / "core" / "draws" / "digests.json").read_text())


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    yield from engine_page(browser)


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
        # Compressed by another version of zlib, the same images have other bytes.
        assert gzip.decompress((shipped.FOLDER / name).read_bytes()) == gzip.decompress(body), name
    assert (shipped.FOLDER / "fashion-mnist-test.bin.gz").stat().st_size <= 300_000
    assert (shipped.FOLDER / "fashion-mnist-train.bin.gz").stat().st_size <= 6_000_000
