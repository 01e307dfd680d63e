"""Everybody can use every page: axe finds nothing, nothing needs scrolling sideways, in both themes and two widths."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from core.studies.catalog import study_spec
from tests.browser.conftest import Open
from tests.browser.puppet import Puppet

WIDTHS = {1280: 900, 390: 844}


@pytest.fixture(scope="module")
def paths(puppet: Puppet) -> dict[str, str]:
    done = puppet.done(name="Seen by everybody")
    again = puppet.done(replicate=1)
    failed, _ = puppet.start()
    puppet.advance(failed, 0.3)
    puppet.fail(failed, "diverged", "The loss became infinite.")
    return {
        "train": "/",
        "train with all its fields": "/?architecture=resnet-26&policy=random-3&dataset=fashion-mnist&epochs=2",
        "train, layers": "/?architecture=imagenet-resnet-50&policy=batchnorm%2Boutput&dataset=cifar-10&epochs=2"
        "&norm.kind=group",
        "train, stages": "/?architecture=resnet-110&policy=batchnorm-stages-0-2&dataset=digits&epochs=2",
        "train, a supermask": "/?architecture=vgg-16&policy=supermask-30&dataset=cifar-100&epochs=2&schedule=cosine",
        "a finished run": f"/run?id={done}",
        "a failed run, layer by layer": f"/run?id={failed}&now=ridge&over=layers&step=20",
        "an unknown run": "/run?id=nosuchrun1234",
        "runs": f"/runs?compare={done},{failed}",
        "a comparison": f"/compare?runs={done},{again},{failed},nosuchrun1234&base={done}&smooth=0.5&colour=red",
        "nothing to compare": "/compare",
        "no runs": "/runs?text=nothing+has+this+name",
        "about": "/about",
        "a finished run in a frame": f"/run?id={done}&embed=1",
        "the paper's questions": f"/paper?study={study(puppet)}",
    }


def study(puppet: Puppet) -> str:
    """A study with all its runs; the other questions have none."""
    launched = puppet.store.launch_study(study_spec("gamma", "minutes"))
    for run_id in puppet.store.waiting():
        puppet.claim(run_id)
        puppet.finish(run_id)
    return launched.id


def settle(page: Page) -> None:
    """Everything that a page shows without being asked is there."""
    page.wait_for_selector(
        ".latest :is(li, [data-slot=empty]):visible, .run-line, .blank, .runs-list :is(tr, p):visible, .questions, "
        ".compare-table tbody tr, .compare-empty, .counts tbody tr"
    )
    if page.locator("#advanced").count():
        page.get_by_role("button", name="Recipe and more").click()
    for plot in page.locator(".plot:visible").all():
        plot.scroll_into_view_if_needed()
    page.wait_for_timeout(400)
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_has_an_obstacle(open_page: Open, paths: dict[str, str], width: int, theme: str) -> None:
    page: Page | None = None
    found: list[str] = []
    for name, path in paths.items():
        viewport = {"width": width, "height": WIDTHS[width]}
        page = open_page(path, page=page, viewport=viewport, color_scheme=theme)
        settle(page)
        assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{name}: scrolls sideways")
        for violation in Axe().run(page).response["violations"]:
            nodes = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
            found.append(f"{name}: {violation['id']} ({violation['impact']}): {nodes}")
    assert not found, "\n".join(found)


def test_the_theme_follows_the_system_until_the_reader_chooses(open_page: Open) -> None:
    page = open_page("/runs", color_scheme="light")
    dark = "document.body.classList.contains('dark')"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(dark)
    page.get_by_role("button", name="Switch to light").click()
    page.reload()
    expect(page.get_by_role("button", name="Switch to dark")).to_be_visible()
    assert not page.evaluate(dark)
    page.get_by_role("button", name="Switch to dark").click()
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"!{dark}")
