"""Training in a tab: the events of a run, the same bits after a pause, a capsule that Python accepts, and the page."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from core.run.cost import point_stride
from core.run.events import EDGES, EVENT, QUANTILES
from core.run.link.link import decode
from core.run.link.text import content_of
from core.run.spec import RunSpec
from core.run.tab import read_record
from core.trained.capsule import has_its_seeds_weights, read_capsule, rebuild
from core.training.snapshot import NormReader
from tests.browser.conftest import Open
from tests.browser.tab import engine_page

pytestmark = pytest.mark.browser

SPEC = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 2, "train_examples": 512}
TRAIN = """async ([given, pauses, norm]) => {
  const all = await window.onlybn;
  const { completed } = await import("/sub/static/engine/spec.js");
  const { Run } = await import("/sub/static/engine/training/run.js");
  const { capsuleOf } = await import("/sub/static/engine/writing.js");
  const kernels = await all.open(true);
  const spec = completed(kernels, given, norm);
  const [train, test] = [await all.loadImages(spec.dataset, "train"), await all.loadImages(spec.dataset, "test")];
  const splits = { train, test };
  let run = new Run(kernels, spec, splits);
  const events = [];
  for (let going = true; going; ) {
    going = false;
    for (const event of run.events()) {
      if (event) events.push(event);
      if (run.learner.step !== pauses[0]) continue;
      pauses.shift();
      const state = run.state();
      run.close();
      run = new Run(kernels, spec, splits, state);
      going = true;
      break;
    }
  }
  const tensors = [...run.learner.trainable.tensors].map(([name, { values }]) => [name, values().slice()]);
  const { bytes, result } = capsuleOf(kernels, spec, run.learner.network, tensors, run.result());
  return { spec, events: [...events, result], capsule: all.text(bytes) };
}"""


TESTED = """async () => {
  const { loadImages, text } = await window.onlybn;
  const { pixels, labels } = await loadImages("digits", "test");
  return [text(pixels), [...labels]];
}"""


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    yield from engine_page(browser)


def trained(tab: Page, given: dict[str, Any], pauses: list[int], norm: str = "uniform") -> dict[str, Any]:
    found: dict[str, Any] = tab.evaluate(TRAIN, [given, pauses, norm])
    return found


def test_a_spec_is_completed_as_on_the_server(tab: Page) -> None:
    spec = trained(tab, SPEC | {"epochs": 1, "train_examples": 64, "test_examples": 16}, [])["spec"]
    wanted = RunSpec(**SPEC | {"epochs": 1, "train_examples": 64, "test_examples": 16})
    assert RunSpec(**spec).digest == wanted.digest


def test_events_are_those_of_a_run(tab: Page) -> None:
    found = trained(tab, SPEC, [])
    spec = RunSpec(**SPEC)
    for event in found["events"]:
        if event["event"] == "started":
            event |= {"spec_digest": spec.digest, "attempt": 1, "torch": "none"}
        EVENT.validate_python(event)
    points = [event for event in found["events"] if event["event"] == "point"]
    assert [point["step"] for point in points if point["split"] == "test"] == [0, 4, 8]
    stride = point_stride(spec)
    wanted = [step for step in range(1, 9) if step % stride == 0 or step % 4 == 0]
    assert [point["step"] for point in points if point["split"] == "train"] == wanted
    assert found["events"][-1]["top1"] == points[-1]["top1"]


def test_snapshots_are_those_of_the_network(tab: Page, tmp_path: Path) -> None:
    found = trained(tab, SPEC, [])
    network = rebuild(read_capsule(written(found, tmp_path)))
    wanted = NormReader(network, RunSpec(**SPEC).plan).snapshot(8, 2.0)
    last = [event for event in found["events"] if event["event"] == "snapshot"][-1]
    assert (last["step"], len(EDGES), len(QUANTILES)) == (8, 66, 7)
    for name in ("gamma", "beta"):
        assert last[name]["counts"] == [list(row) for row in getattr(wanted, name).counts]
        for row, own in zip(last[name]["quantiles"], getattr(wanted, name).quantiles, strict=True):
            assert row == pytest.approx(own, abs=2e-5)
    assert last["disabled"] == list(wanted.disabled)


@pytest.mark.parametrize(
    ("policy", "norm"),
    [("batchnorm", "uniform"), ("all", "uniform"), ("random-2", "uniform"), ("supermask+batchnorm", "uniform")],
)
def test_a_pause_changes_no_bit_and_python_accepts_the_capsule(
    tab: Page, tmp_path: Path, policy: str, norm: str
) -> None:
    given = SPEC | {"policy": policy}
    whole, paused = trained(tab, given, [], norm), trained(tab, given, [3, 5], norm)
    assert whole["events"][-1]["digest"] == paused["events"][-1]["digest"]
    capsule = read_capsule(written(paused, tmp_path))
    assert capsule.spec == RunSpec(**given)
    network = rebuild(capsule)
    assert has_its_seeds_weights(capsule, network)
    pixels, labels = tab.evaluate(TESTED)
    images = torch.frombuffer(bytearray(base64.b64decode(pixels)), dtype=torch.uint8).view(-1, 1, 8, 8).float() / 255
    with torch.no_grad():
        answers = network((images - 0.305) / 0.376).argmax(1)
    top1 = float((answers == torch.tensor(labels)).double().mean())
    assert top1 == pytest.approx(capsule.result.top1, abs=0.003)


def written(found: dict[str, Any], folder: Path) -> Path:
    file = folder / "final.safetensors"
    file.write_bytes(base64.b64decode(found["capsule"]))
    return file


RECORD = """async ([spec, events]) => {
  const { recordOf } = await import("/sub/static/engine/training/record.js");
  return recordOf(spec, events);
}"""


@pytest.mark.parametrize("wide", [1, 2000])
def test_the_record_for_a_server_is_one_that_it_takes(tab: Page, tmp_path: Path, wide: int) -> None:
    """Also where the snapshots are too large to be sent all."""
    found = trained(tab, SPEC, [3])
    capsule = read_capsule(written(found, tmp_path))
    events = [
        {**event, "note": "x" * 1000 * wide} if event["event"] == "snapshot" else event for event in found["events"]
    ]
    lines = tab.evaluate(RECORD, [found["spec"], events]).encode()
    record = read_record(re.sub(rb',"note":"x*"', b"", lines), capsule.spec, capsule.result)
    assert [point.step for point in record.points if point.split == "test"] == [0, 4, 8]
    steps = [snapshot.step for snapshot in record.snapshots]
    kept = [step for step in range(9) if step in (0, 4, 8) or step % point_stride(capsule.spec) == 0]
    assert steps == kept if wide == 1 else 0 in steps and len(steps) <= 2


REFUSED = [
    ({"dataset": "cifar-10"}, "digits and Fashion-MNIST"),
    ({"dataset": "fashion-mnist"}, "2500 images to train"),
    ({"architecture": "resnet-110"}, "up to depth 56"),
    ({"architecture": "wrn-14-8"}, "up to width 4"),
    ({"architecture": "vgg-16"}, "up to depth 56"),
    ({"norm": {"kind": "layer"}}, "BatchNorm"),
    ({"policy": "batchnorm+nothing"}, "does not know the policy"),
    ({"task": "rotated-1"}, "not on one of its tasks"),
    ({"start": "0" * 64}, "file of weights"),
    ({"recipe": {"optimizer": "least-squares"}}, "cannot compute them by least squares"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED)
def test_what_a_tab_cannot_train_is_refused_in_words(tab: Page, change: dict[str, Any], words: str) -> None:
    given = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 1} | change
    found = tab.evaluate("async (spec) => (await import('/sub/static/engine/spec.js')).obstacle(spec)", given)
    assert words in found


def test_from_the_form_to_the_player(open_page: Open) -> None:
    page = open_page("/train?architecture=resnet-8&policy=batchnorm&dataset=digits&epochs=12&train_examples=512")
    page.get_by_role("link", name="Train in this tab").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("ResNet-8")
    page.get_by_role("button", name="Stop").click()
    line = page.locator('[data-slot="line"]')
    expect(line).to_contain_text(re.compile("Stopped|Finished"))
    stopped = line.inner_text()
    page.reload()
    if "Stopped" in stopped:
        expect(line).to_contain_text("Stopped")
        page.get_by_role("button", name="Continue").click()
    expect(line).to_contain_text("Finished", timeout=60_000)
    page.reload()
    expect(line).to_contain_text("Finished: 48 steps")
    expect(page.locator(".charts .js-plotly-plot, .charts .plot svg").first).to_be_visible()
    page.get_by_role("button", name="Share", exact=True).click()
    sheet = page.get_by_role("dialog", name="Share this page")
    sheet.get_by_text("The network itself").click()
    expect(sheet.locator('[data-slot="cost"]')).to_contain_text("Measured on the 359 test images")
    link = sheet.get_by_label("Link of the network").input_value()
    told = decode(content_of(link)).told.top1 or 0.0
    expect(page.locator('[data-slot="test"]')).to_have_text(f"{told:.1%}")
    sheet.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Open in the player").click()
    expect(page.locator(".player-bars .best")).to_have_count(1)
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".player-bars .best")).to_have_count(1)


def test_the_empty_page_and_a_damaged_link(open_page: Open) -> None:
    page = open_page("/tab")
    expect(page.get_by_role("link", name="Only γ and β", exact=True)).to_be_visible()
    page = open_page("/tab#nothing")
    expect(page.locator(".tab-page")).to_contain_text("damaged or incomplete")
