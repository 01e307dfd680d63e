"""What one takes away: reports, read from the disk without a network, and pictures of charts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from core.studies.catalog.table import STUDIES, study_spec
from core.version import VERSION
from tests.browser.charts import drawn
from tests.browser.conftest import PATIENCE_MS, Open
from tests.browser.puppet import Puppet

BOTH = (("light", 1280), ("dark", 390))
"""A document is looked at in the one theme on a screen and in the other on a phone."""


@contextmanager
def from_disk(browser: Browser, file: Path, scheme: str, width: int) -> Iterator[Page]:
    """The document in a browser without a network; at the end nothing went wrong, and nothing stands in one's way."""
    context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if request.url != file.as_uri() else None)
    page.goto(file.as_uri())
    yield page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(246, 247, 249)", "dark": "rgb(14, 17, 22)"}[scheme]
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert not wrong, wrong
    context.close()


def test_the_report_works_from_the_disk_without_a_network(
    open_page: Open, puppet: Puppet, browser: Browser, tmp_path: Path
) -> None:
    run_id = puppet.done(name="To take home")
    run = puppet.store.runs.get(run_id)
    assert run and run.result
    page = open_page(f"/run?id={run_id}")
    page.locator(".menu summary", has_text="Download").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Report (HTML)").click()
    assert download.value.suggested_filename == f"onlybn-{run_id}.html"
    file = tmp_path / "report.html"
    download.value.save_as(file)
    for scheme, width in BOTH:
        with from_disk(browser, file, scheme, width) as report:
            expect(report.get_by_role("heading", level=1)).to_have_text("To take home")
            expect(report.locator(".stats div", has_text="Test accuracy").locator("dd")).to_have_text(
                f"{run.result.top1:.2%}".replace("%", "%")
            )
            assert report.locator(".plot svg").count() == 7
            moves(report)


def test_a_comparison_works_from_the_disk_without_a_network(
    open_page: Open, puppet: Puppet, browser: Browser, tmp_path: Path
) -> None:
    ids = [puppet.done(policy=policy, replicate=k, epochs=4) for policy in ("batchnorm", "random-2") for k in range(3)]
    page = open_page(f"/compare?runs={','.join(ids)}&base={ids[0]}&find=batchnorm&columns=policy,test,difference")
    expect(page.locator(".legend-count")).to_have_text([" n = 3", " n = 3"])
    page.wait_for_function("document.querySelector('.overlay .plot')?.data?.length === 4")
    shown = page.locator(".legend-value").first.inner_text()
    page.locator(".overlay .menu summary").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Whole page (HTML)").click()
    file = tmp_path / download.value.suggested_filename
    assert file.name == "onlybn-comparison.html"
    download.value.save_as(file)
    for scheme, width in BOTH:
        with from_disk(browser, file, scheme, width) as report:
            expect(report.get_by_role("heading", level=1)).to_have_text("6 runs compared")
            link = report.locator(".made a")
            assert link.get_attribute("href") == page.url
            expect(report.locator(".made")).to_contain_text(f"by OnlyBN {VERSION}")
            curves = report.locator("[data-chart=curves]")
            assert (curves.locator(".curve").count(), curves.locator(".band").count()) == (2, 2)
            assert report.locator("[data-chart=scatter] .shape").count() == 6
            strokes = curves.locator(".curve").evaluate_all("all => all.map(line => getComputedStyle(line).stroke)")
            assert len(set(strokes)) == 2 and "none" not in strokes
            readout = report.locator("figure", has=curves).locator(".readout")
            expect(readout).to_contain_text(f"ResNet-14 · BatchNorm only: {shown.partition(' (')[0]}")
            box = curves.locator("svg").bounding_box()
            assert box
            report.mouse.move(box["x"] + box["width"] - 20, box["y"] + 30)
            expect(readout).to_have_text(
                f"ResNet-14 · BatchNorm only, n = 3: {shown[:-1].replace(' to ', ' to ')}%), epoch 4"
            )
            table = report.get_by_role("region", name="Table: Runs")
            expect(table.get_by_role("row")).to_have_count(4), "as searched for"
            expect(table.get_by_role("columnheader")).to_have_text(
                ["Run", "What trains", "Test accuracy", "Δ test accuracy"]
            )
            assert (
                table.get_by_role("link").first.get_attribute("href")
                == page.url.split("/compare")[0] + f"/run?id={ids[0]}"
            )
            differences = report.get_by_role("region", name="Table: Differences in configuration")
            expect(differences).to_contain_text("What trains")
            assert differences.locator("[data-differs]").count() >= 3
            expect(report.get_by_role("button")).to_have_count(0)


def test_a_study_is_downloaded_from_its_card(open_page: Open, puppet: Puppet, browser: Browser, tmp_path: Path) -> None:
    study = puppet.store.studies.launch(study_spec("random-k", "minutes"))
    for _ in study.new_runs[:2]:
        claimed = puppet.store.claims.take(puppet.identity.name)
        assert claimed
        puppet.begin(claimed)
        puppet.finish(claimed.id)
    puppet.store.studies.cancel(study.id)
    for waiting in puppet.store.queue.waiting():
        puppet.store.runs.cancel(waiting)
    page = open_page(f"/paper?study={study.id}")
    card = page.locator("#random-k")
    with page.expect_download() as download:
        card.get_by_role("link", name="Report").click()
    file = tmp_path / download.value.suggested_filename
    assert file.name == f"onlybn-random-k-minutes-{study.id}.html"
    download.value.save_as(file)
    for scheme, width in BOTH:
        with from_disk(browser, file, scheme, width) as report:
            expect(report.get_by_role("heading", level=1)).to_contain_text(STUDIES["random-k"].question)
            assert report.locator(".made a").get_attribute("href") == page.url.partition("#")[0]
            ours, papers = (report.locator(f"[data-chart={name}]") for name in ("study", "paper"))
            assert ours.locator(".shape:not(.open)").count() >= 1 and not ours.locator(".shape.open").count()
            assert papers.locator(".shape.open").count() >= 1 and not papers.locator(".shape:not(.open)").count()
            expect(report.locator(".legend li")).not_to_have_count(0)
            papers.locator(".shape.open").first.hover(force=True)
            expect(report.locator(".readout").last).to_contain_text("paper: ResNet-14")


def moves(report: Page) -> None:
    """The slider, the letters and the pointer each change what the charts show."""
    readout = report.locator("figure", has_text="Histogram of all layers").locator(".readout")
    expect(readout).to_contain_text("at epoch 12")
    slider = report.get_by_label("Moment in training")
    bars = report.locator("[data-chart=histogram] .bar")
    before = bars.evaluate_all("all => all.map(bar => bar.getAttribute('height'))")
    slider.focus()
    report.keyboard.press("Home")
    expect(readout).to_contain_text("at epoch 0")
    expect(report.locator("[data-chart=layers]")).to_have_attribute(
        "aria-label", "Disabled features by layer: 0.0% of all features at epoch 0. The tables have the numbers."
    )
    assert bars.evaluate_all("all => all.map(bar => bar.getAttribute('height'))") != before
    report.get_by_label("β", exact=True).check()
    expect(report.locator("[data-chart=histogram]")).to_contain_text("β; line: at the start")
    report.locator("[data-chart=accuracy] svg").hover()
    expect(report.locator("figure", has_text="Accuracy").first.locator(".readout")).to_contain_text("(epoch 5)")


def test_each_chart_is_saved_as_a_picture(open_page: Open, puppet: Puppet, tmp_path: Path) -> None:
    run_id = puppet.done()
    page = open_page(f"/run?id={run_id}")
    figures = page.locator("figure.chart")
    expect(figures).to_have_count(10)
    expect(figures.get_by_text("Picture", exact=True)).to_have_count(10)

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
    page.get_by_role("tab", name="Disabled by layer").click()
    drawn(page, "Over time")
    name, content = saved("Over time", "SVG")
    assert name == f"onlybn-{run_id}-over-time-disabled-by-layer.svg"
    assert b"<svg" in content and b"heatmaplayer" in content
