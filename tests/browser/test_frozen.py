"""A frozen site in a browser: no server is alive, its files come from disk, from a folder below the host's root."""

from __future__ import annotations

import base64
import json
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from rich.console import Console

from app.freeze.command import freeze
from app.freeze.wanted import read_filters
from app.settings import Settings
from core.run.link.text import content_of
from core.run.spec import RunSpec
from core.trained.capsule import read_capsule
from core.trained.linked import capsule_link
from jobs.store.database import open_database
from jobs.store.examples import shipped
from jobs.store.store import Store
from tests.browser.charts import drawn, kinds, until
from tests.browser.conftest import PATIENCE_MS

BASE = "http://frozen.test/lab/site/"
PLAIN = {".js": "text/javascript", ".gz": "application/octet-stream", ".css": "text/css", ".html": "text/html"}
"""What a file server says that knows nothing of packed files."""
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}

COUNTS = "plot => JSON.stringify(plot.data[0].y)"


def some_chart(page: Page) -> None:
    """Wait until a chart is drawn where there is only one kind."""
    expect(page.locator('.plot[data-drawn="true"]:visible').first).to_be_visible()


@dataclass
class Frozen:
    """The site, and what its pages did that they must not do."""

    root: Path
    ids: dict[str, str]
    browser: Browser
    wrong: list[str] = field(default_factory=list)

    def open(self, address: str = "", **context: object) -> Page:
        made = self.browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})  # type: ignore[arg-type]
        made.set_default_timeout(PATIENCE_MS)
        made.route("**/*", self.answer)
        page = made.new_page()
        page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.goto(BASE + address)
        return page

    def answer(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        file = self.root / (unquote(path.removeprefix(urlsplit(BASE).path)) or "index.html")
        file = file / "index.html" if file.is_dir() else file
        if not route.request.url.startswith(BASE) or route.request.method != "GET" or not file.is_file():
            self.wrong.append(f"{route.request.method} {route.request.url}")
            route.fulfill(status=404, body="no such file")
            return
        kind = PLAIN.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        route.fulfill(body=file.read_bytes(), content_type=kind)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The frozen site of an installation with the shipped examples and one run of its own; the ids by policy."""
    place = tmp_path_factory.mktemp("frozen")
    settings = Settings(data=place / "data")
    store = Store(open_database(settings.store_url))
    store.migrate()
    store.examples.take_in(shipped())
    store.runs.submit(RunSpec(architecture="resnet-14", policy="none", dataset="digits", epochs=2, name="Waiting"))
    freeze(settings, store, place / "site", read_filters([]), Console(file=StringIO()))
    ids = {run.spec.policy: run.id for run in store.examples.all()}
    store.close()
    return place / "site", ids


@pytest.fixture
def site(folder: tuple[Path, dict[str, str]], browser: Browser) -> Iterator[Frozen]:
    frozen = Frozen(*folder, browser)
    yield frozen
    for context in browser.contexts:
        context.close()
    assert not frozen.wrong


def test_a_network_runs_and_another_one_trains_without_a_server(site: Frozen) -> None:
    page = site.open(f"run.html?id={site.ids['batchnorm']}")
    page.locator("summary", has_text="Download").click()
    page.get_by_role("link", name="Open in the player").click()
    here = page.locator(".player-facts div", has_text="Accuracy here").locator("dd")
    expect(here).to_contain_text("81.6%")
    page.get_by_role("link", name="As many random weights").click()
    expect(here).to_contain_text("28.1%")
    page.get_by_role("link", name="OnlyBN").click()
    expect(page).to_have_url(BASE)
    spec = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 2, "train_examples": 256}
    page = site.open(f"tab.html#{base64.urlsafe_b64encode(json.dumps(spec).encode()).decode().rstrip('=')}")
    expect(page.locator('[data-slot="line"]')).to_contain_text("Finished: 4 steps")
    page.get_by_role("link", name="Open in the player").click()
    expect(page.locator(".player-bars .best")).to_have_count(1)


def test_a_reader_walks_through_it(site: Frozen) -> None:
    page = site.open()
    expect(page.get_by_role("heading", level=1)).to_contain_text("A random network that trains only its")
    expect(page.locator(".latest li")).to_have_count(4)
    page.locator(".gallery-cards a").first.click()
    expect(page).to_have_url(f"{BASE}run.html?id={site.ids['batchnorm']}")
    assert set(kinds(drawn(page, "Accuracy"))) == {"scatter"}
    drawn(page, "Accuracy with small γ removed")
    expect(page.locator('[data-slot="test"]')).to_have_text("81.6%")
    expect(page.locator('[data-slot="story"] a')).to_have_attribute("href", f"run.html?id={site.ids['random-2']}")
    page.reload()
    drawn(page, "Loss")

    page.get_by_role("link", name="Runs", exact=True).first.click()
    expect(page.locator(".runs-table tbody tr")).to_have_count(4)
    page.get_by_role("searchbox").fill("random weights")
    expect(page.locator(".runs-table tbody tr")).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    expect(page.locator(".runs-table tbody tr")).to_have_count(4)
    page.get_by_role("button", name="Test accuracy").click()
    expect(page.locator(".runs-table tbody tr").first).to_contain_text("Everything")
    for tick in page.get_by_role("checkbox").all()[:2]:
        tick.check()
    page.get_by_role("link", name="Compare selected").click()
    expect(page.locator(".compare-table tbody tr")).to_have_count(2)
    some_chart(page)

    page.get_by_role("link", name="Paper", exact=True).first.click()
    page.locator("#random-k > summary").click()
    some_chart(page)
    expect(page.get_by_role("link", name="Report").locator("visible=true")).to_have_count(1)
    page.get_by_role("link", name="Findings", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Findings")
    page.get_by_role("link", name="About", exact=True).first.click()
    page.get_by_label("Depth of the ResNet").select_option("14")
    expect(page.get_by_text("ResNet-14 for CIFAR-10 has 175,258 parameters.")).to_be_visible()


@pytest.mark.parametrize(
    "address", ["", "runs.html", "run.html?id={batchnorm}", "compare.html?state=finished", "paper.html#gamma"]
)
def test_what_needs_a_server_is_absent(site: Frozen, address: str) -> None:
    page = site.open(address.format(**site.ids))
    page.wait_for_load_state("networkidle")
    for words in (
        "Launch",
        "Repeat it here",
        "Train",
        "Surgery",
        "Extend",
        "Change and run again",
        "Mine",
        "API docs",
        "Admin",
    ):
        assert page.get_by_text(words, exact=True).locator("visible=true").count() == 0, words
    assert page.locator('a[href^="/"]').count() == 0
    expect(page.locator(".site-footer")).to_contain_text("This is a copy without a server, frozen on ")


def test_a_layer_and_a_moment_survive_a_reload(site: Frozen) -> None:
    page = site.open(f"run.html?id={site.ids['batchnorm']}")
    drawn(page, "Accuracy")
    now = drawn(page, "Now")
    everything = now.evaluate(COUNTS)
    page.get_by_label("Layer of the γ panels").select_option(index=3)
    expect(page).to_have_url(re.compile("layer="))
    until(now, f"({COUNTS})(plot) !== '{everything}'")
    layer = now.evaluate(COUNTS)
    page.reload()
    until(drawn(page, "Now"), f"({COUNTS})(plot) === '{layer}'")
    assert "layer=" in page.url


def test_downloads_have_their_names_and_lead_back_to_this_site(site: Frozen, tmp_path: Path) -> None:
    run_id = site.ids["batchnorm"]
    page = site.open(f"run.html?id={run_id}")
    page.locator("summary", has_text="Download").click()
    files = {}
    for words in ("Points as CSV", "Report (HTML)", "Trained network (capsule)"):
        with page.expect_download() as download:
            page.get_by_role("link", name=words).click()
        files[download.value.suggested_filename] = Path(download.value.path()).read_bytes()
    assert set(files) == {f"onlybn-{run_id}-points.csv", f"onlybn-{run_id}.html", f"onlybn-{run_id}.safetensors"}
    assert files[f"onlybn-{run_id}-points.csv"].startswith(b"step,epoch,split,")
    assert f"{BASE}run.html?id={run_id}".encode() in files[f"onlybn-{run_id}.html"]
    assert files[f"onlybn-{run_id}.safetensors"] == next(one.capsule for one in shipped() if one.name == "1-batchnorm")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_label("Link")).to_have_value(f"{BASE}run.html?id={run_id}")


def test_the_network_is_shared_without_a_server(site: Frozen) -> None:
    page = site.open(f"run.html?id={site.ids['batchnorm']}", **PHONE)
    page.get_by_role("button", name="Share", exact=True).click()
    sheet = page.get_by_role("dialog", name="Share this page")
    sheet.get_by_text("The network itself").click()
    link = sheet.get_by_label("Link of the network")
    expect(link).to_have_value(re.compile(f"^{BASE}player/#A"))
    file = next(one.capsule for one in shipped() if one.name == "1-batchnorm")
    assert file is not None
    with NamedTemporaryFile(suffix=".safetensors") as capsule:
        Path(capsule.name).write_bytes(file)
        assert content_of(link.input_value()) == capsule_link(read_capsule(Path(capsule.name)))
    expect(sheet.locator('[data-slot="cost"]')).to_contain_text("81.62% without rounding to 8 bits")
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    page = site.open(f"run.html?id={site.ids['all']}")
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_role("dialog").get_by_label("Link", exact=True)).to_be_visible()
    expect(page.locator(".sheet-network")).to_have_count(0)  # its capsule is too large for a frozen site


def test_a_wrong_address_says_so(site: Frozen) -> None:
    page = site.open("compare.html?runs=abcdefgh&metric=beauty&color=red")
    expect(page.get_by_text("metric must be one of test, train")).to_be_visible()
    expect(page.get_by_text("This page has no option 'color'.")).to_be_visible()
    page.goto(f"{BASE}run.html?id=abcdefgh")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no run at this link")
    site.wrong = [one for one in site.wrong if "abcdefgh" not in one and "404" not in one]


def test_it_works_on_a_phone_and_in_a_frame(site: Frozen) -> None:
    page = site.open(f"run.html?id={site.ids['all']}", **PHONE)
    drawn(page, "Accuracy")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.goto(f"{BASE}run.html?id={site.ids['all']}&embed=1&figure=accuracy")
    some_chart(page)
    expect(page.get_by_role("link", name="Open in OnlyBN")).to_be_visible()
