"""A run's page says what the run was: its specification in the registries' words, and only what it can have."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open, Watch
from tests.browser.puppet import Puppet


def said(page: Page, label: str) -> str:
    """The value beside a label of the specification."""
    row = page.locator(".spec div", has=page.get_by_text(label, exact=True))
    return row.locator("dd").inner_text()


def test_the_specification_says_every_choice(open_page: Open, puppet: Puppet) -> None:
    run_id = puppet.done(
        recipe={"nesterov": True, "schedule": "cosine", "warmup_epochs": 1.5, "label_smoothing": 0.1},
        norm={"kind": "group", "groups": 4},
        init={"weights": "binary", "norm": "ones-shifted"},
    )
    page = open_page(f"/run?id={run_id}")
    expect(page.locator(".spec")).to_be_visible()
    assert said(page, "Norm layers") == "GroupNorm of 4 groups"
    assert said(page, "Optimiser") == "SGD, Nesterov’s momentum 0.9, weight decay 0.0001"
    assert said(page, "Learning rate") == "0.1, cosine down to zero, after a warm-up of 1.5 epochs"
    assert said(page, "Label smoothing") == "0.1"
    assert said(page, "Initial weights").startswith("Binary: +σ or -σ")
    assert said(page, "Initial γ and β") == "γ = 1, β = 1"


def test_the_usual_recipe_is_said_in_short(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}")
    expect(page.locator(".spec")).to_be_visible()
    assert said(page, "Norm layers") == "BatchNorm"
    assert said(page, "Learning rate") == "0.1, times 0.1 at 50% and 75%"
    assert said(page, "Data set") == "Digits, all training images, 10 classes"
    assert "Label smoothing" not in page.locator(".spec").inner_text()
    expect(page.locator('[data-slot="top5"]')).to_have_count(0)


def test_a_network_without_gamma_has_no_gamma_panels(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done(policy='all', norm={'affine': False})}")
    expect(page.get_by_text("there is no γ to show")).to_be_visible()
    expect(page.get_by_label("Layer of the γ panels")).to_have_count(0)
    expect(page.locator('[data-slot="disabled"]')).to_have_count(0)
    expect(page.get_by_role("heading", name="γ now")).to_have_count(0)
    assert said(page, "Norm layers") == "BatchNorm without γ and β"
    assert "Initial γ and β" not in page.locator(".spec").inner_text()
    expect(page.locator(".network path.norm")).to_have_count(0)


def test_top5_where_there_are_many_classes(open_page: Open, puppet: Puppet) -> None:
    """Live from the last test point, in the table of points, and in the file to download."""
    run_id, _ = puppet.start(dataset="cifar-100", train_examples=640, test_examples=100)
    puppet.advance(run_id, 0.5)
    run = puppet.store.runs.get(run_id)
    assert run is not None
    last = [point for point in puppet.store.curves.points(run_id) if point.split == "test"][-1]
    assert last.top5 is not None and last.top5 > last.top1
    page = open_page(f"/run?id={run_id}")
    expect(page.locator('[data-slot="top5"]')).to_have_text(f"{last.top5 * 100:.1f}%")
    assert said(page, "Data set").endswith("100 classes")
    page.get_by_label("Data of the chart Accuracy").click()
    expect(page.get_by_role("columnheader", name="Top-5")).to_be_visible()
    csv = page.request.get(f"{page.url.partition('/run')[0]}/api/runs/{run_id}/points?format=csv").text()
    assert csv.startswith("step,epoch,split,loss,top1,top5,lr\r\n") and repr(last.top5) in csv
    puppet.finish(run_id)


def test_the_command_can_be_copied_once_it_is_there(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    watch.expected.append("429")
    page = open_page(f"/run?id={puppet.done()}", permissions=["clipboard-read", "clipboard-write"])
    page.locator("summary", has_text="More").click()
    page.get_by_role("button", name="Copy command").click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert "--architecture resnet-14" in page.evaluate("navigator.clipboard.readText()")
    held: list[Route] = []
    page.route("**/api/preview", lambda route: held.append(route))
    page.reload()
    page.locator("summary", has_text="More").click()
    expect(page.get_by_role("button", name="Copy command")).to_be_disabled()
    held[0].fulfill(status=429, json={"detail": "Too many questions."})
    expect(page.get_by_title("Could not load the command")).to_be_disabled()


def test_what_computes_a_run_is_said_once_it_has_started(open_page: Open, puppet: Puppet) -> None:
    puppet.done()  # whatever waited before is out of the way
    run_id, _ = puppet.submit(epochs=3)
    page = open_page(f"/run?id={run_id}")
    expect(page.locator(".spec")).to_be_visible()
    assert said(page, "Trained on") == "–"
    puppet.claim(run_id)
    expect(page.locator(".spec div", has_text="Trained on").locator("dd")).to_contain_text("fused (compiled kernels)")
    puppet.finish(run_id)
