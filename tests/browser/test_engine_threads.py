"""Threads in the browser: any number of them gives the bits of one thread."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page

from app.web.security import ISOLATION
from core.run.spec import RunSpec
from tests.browser.tab import in_worker, page_of_threads

pytestmark = pytest.mark.browser

TRAIN = """async ([spec, threads, relaxed, limit]) => {
  const { open, loadImages, Run, capsuleOf } = await window.onlybn;
  const kernels = await open(relaxed, threads);
  const split = await loadImages(spec.dataset, "test");
  const run = new Run(kernels, spec, { train: split, test: split });
  const events = [];
  for (const event of run.events()) if (event && event.event !== "progress") events.push(event);
  const tensors = [...run.learner.trainable.tensors].map(([name, { values }]) => [name, values().slice()]);
  const { result } = capsuleOf(kernels, spec, run.learner.network, tensors, run.result());
  const state = run.state();
  kernels.close();
  const shared = state.tensors.some(([, values]) => values.buffer instanceof (globalThis.SharedArrayBuffer ?? Array));
  return { threads: events[0].threads, points: events.slice(1), digest: result.digest, shared };
}"""


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    with page_of_threads(browser) as page:
        yield page


def trained(tab: Page, spec: RunSpec, threads: int, relaxed: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = in_worker(tab, TRAIN, [json.loads(spec.model_dump_json()), threads, relaxed])
    assert found.pop("threads") == threads
    assert not found["shared"], "a browser cannot keep what it shares"
    return found


@pytest.mark.parametrize("relaxed", [False, True])
@pytest.mark.parametrize(
    ("architecture", "policy", "dataset", "batch"),
    [
        ("resnet-14", "batchnorm", "digits", 128),
        ("resnet-8", "all", "digits", 37),
        ("resnet-8", "random-2", "fashion-mnist", 30),
        ("wrn-14-2", "supermask-30+batchnorm", "digits", 101),
        ("resnet-20", "batchnorm+output+shortcut", "digits", 1 + 64),
    ],
)
def test_any_number_of_threads_gives_the_same_bits(
    tab: Page, architecture: str, policy: str, dataset: str, batch: int, relaxed: bool
) -> None:
    """Batches that threads cannot divide, and an epoch that batches cannot."""
    given = {"architecture": architecture, "policy": policy, "dataset": dataset, "recipe": {"batch_size": batch}}
    spec = RunSpec(**given, epochs=2, train_examples=131, test_examples=67)
    one = trained(tab, spec, 1, relaxed)
    for threads in (2, 3):
        assert trained(tab, spec, threads, relaxed) == one, threads


EXHAUSTED = """async () => {
  const { open } = await window.onlybn;
  const kernels = await open(true, 3);
  const conv = { kernel: 3, stride: 1, from: 8, size: 8, inputs: 16, outputs: 16 };
  const images = 128;
  const [input, output, raw] = [images * 1024, images * 1024, 9 * 256].map((count) => kernels.takeFloats(count));
  const task = { images, input, output, weights: kernels.prepare(conv, raw) };
  kernels.exports.onlybn_threads(1);
  kernels.forward(conv, task); // the first thread takes memory for itself
  const small = [64, 128, 256, 512, 1024, 2048, 4096].map((bytes) => kernels.take(bytes));
  for (let bytes = 1 << 30; bytes >= 16; bytes /= 2) {
    try {
      for (;;) kernels.take(bytes);
    } catch {
      // no room for so much
    }
  }
  kernels.give(...small);
  kernels.exports.onlybn_threads(3);
  for (let again = 0; again < 100_000; again += 1) kernels.forward(conv, task);
}"""


def test_a_thread_without_memory_ends_the_training(tab: Page) -> None:
    """Instead of letting the others wait for it."""
    with pytest.raises(Error, match="unreachable"):
        in_worker(tab, EXHAUSTED, None)


def test_without_shared_memory_there_is_one_thread(browser: Browser) -> None:
    given = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 1}
    spec = RunSpec(**given, train_examples=64)
    found = []
    for headers in ({}, ISOLATION):
        with page_of_threads(browser, headers) as page:
            found.append(in_worker(page, TRAIN, [json.loads(spec.model_dump_json()), 2, True]))
    assert [one.pop("threads") for one in found] == [1, 2]
    assert found[0] == found[1]
