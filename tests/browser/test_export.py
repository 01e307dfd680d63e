"""What one takes away from a run's page: the report, read from the disk without a network, and pictures of charts."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, Open
from tests.browser.puppet import Puppet


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_the_report_works_from_the_disk_without_a_network(
    open_page: Open, puppet: Puppet, browser: Browser, tmp_path: Path, scheme: str, width: int
) -> None:
    run_id = puppet.done(name=f"Report in the {scheme}")
    run = puppet.store.run(run_id)
    assert run and run.result
    page = open_page(f"/run?id={run_id}")
    page.locator(".menu summary", has_text="Download").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Report (HTML)").click()
    assert download.value.suggested_filename == f"onlybn-{run_id}.html"
    file = tmp_path / "report.html"
    download.value.save_as(file)

    context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    report = context.new_page()
    wrong: list[str] = []
    report.on("console", lambda message: wrong.append(message.text))
    report.on("pageerror", lambda error: wrong.append(str(error)))
    report.on("request", lambda request: wrong.append(request.url) if request.url != file.as_uri() else None)
    report.goto(file.as_uri())
    expect(report.get_by_role("heading", level=1)).to_have_text(f"Report in the {scheme}")
    expect(report.locator(".stats div", has_text="Test accuracy").locator("dd")).to_have_text(
        f"{run.result.top1:.2%}".replace("%", " %")
    )
    assert report.locator(".plot svg").count() == 7
    moves(report)
    assert report.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground = report.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(246, 247, 249)", "dark": "rgb(14, 17, 22)"}[scheme]
    report.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    found = Axe().run(report)
    assert found.violations_count == 0, found.generate_report()
    assert not wrong, wrong
    context.close()


def moves(report: Page) -> None:
    """The slider, the letters and the pointer each change what the charts show."""
    readout = report.locator("figure", has_text="Histogram of all layers").locator(".readout")
    expect(readout).to_contain_text("at epoch 12.0")
    slider = report.get_by_label("Moment of the training")
    bars = report.locator("[data-chart=histogram] .bar")
    before = bars.evaluate_all("all => all.map(bar => bar.getAttribute('height'))")
    slider.focus()
    report.keyboard.press("Home")
    expect(readout).to_contain_text("at epoch 0.0")
    expect(report.locator("[data-chart=layers]")).to_have_attribute(
        "aria-label", "Disabled features by layer: 0.0 % of all features at epoch 0.0. The tables have the numbers."
    )
    assert bars.evaluate_all("all => all.map(bar => bar.getAttribute('height'))") != before
    report.get_by_label("β", exact=True).check()
    expect(report.locator("[data-chart=histogram]")).to_contain_text("β; line: at the start")
    report.locator("[data-chart=accuracy] svg").hover()
    expect(report.locator("figure", has_text="Accuracy").first.locator(".readout")).to_contain_text("(epoch 5.0)")


def test_each_chart_is_saved_as_a_picture(open_page: Open, puppet: Puppet, tmp_path: Path) -> None:
    run_id = puppet.done()
    page = open_page(f"/run?id={run_id}")
    figures = page.locator("figure.chart")
    expect(figures).to_have_count(9)
    expect(figures.get_by_text("Picture", exact=True)).to_have_count(9)

    def saved(title: str, kind: str) -> tuple[str, bytes]:
        figure = figures.filter(has=page.get_by_role("heading", name=title, exact=True))
        figure.get_by_text("Picture", exact=True).click()
        with page.expect_download() as download:
            figure.get_by_role("button", name=f"Picture ({kind})").click()
        expect(figure.locator("details.menu")).not_to_have_attribute("open", "")
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        return file.name, file.read_bytes()

    name, content = saved("Accuracy", "PNG")
    assert name == f"onlybn-{run_id}-accuracy.png"
    assert content.startswith(b"\x89PNG")
    page.get_by_role("tab", name="Off by layer").click()
    page.wait_for_function("document.querySelectorAll('.tab-panel .plot:not([hidden])[data-drawn]').length === 2")
    name, content = saved("Over the training", "SVG")
    assert name == f"onlybn-{run_id}-over-the-training-off-by-layer.svg"
    assert b"<svg" in content and b"heatmaplayer" in content
