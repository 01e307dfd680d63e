"""The player: a network from a file, an address and a link, without any server."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.pages import player
from app.web.assets import STATIC, sheets
from core.run.link.text import base64url, digits
from core.trained.capsule import read_capsule
from core.trained.linked import capsule_link
from tests.browser.tab import HOME, page_from_disk
from tests.core.run.link.made import link, spec

pytestmark = pytest.mark.browser

EXAMPLES = STATIC / "examples"
PLAYER = f"{HOME}static/player/index.html"
MOST = 150_000


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with page_from_disk(browser) as page:
        yield page
        assert page.problems == []  # type: ignore[attr-defined]


def opened(page: Page, behind: str) -> None:
    page.goto(f"{PLAYER}{behind}")
    expect(page.locator(".player-bars .best")).to_have_count(1, timeout=20_000)


def accuracy(page: Page) -> float:
    """What the page measured on its test images, in percent."""
    place = page.locator(".player-facts div", has_text="Accuracy here").locator("dd")
    expect(place).to_contain_text("%", timeout=30_000)
    return float(place.inner_text().split("%")[0])


@pytest.mark.parametrize("name", ["1-batchnorm", "2-random-2", "3-output", "4-all"])
def test_a_capsule_is_as_accurate_as_in_python(page: Page, name: str) -> None:
    opened(page, f"?url=static/examples/{name}.safetensors")
    wanted = read_capsule(EXAMPLES / f"{name}.safetensors").result.top1 * 100
    assert abs(accuracy(page) - wanted) <= 0.3


@pytest.mark.parametrize("write", [base64url, digits])
@pytest.mark.parametrize("name", ["1-batchnorm", "2-random-2", "3-output"])
def test_a_link_carries_the_network(page: Page, name: str, write: Callable[[bytes], str]) -> None:
    capsule = read_capsule(EXAMPLES / f"{name}.safetensors")
    opened(page, f"#{write(capsule_link(capsule))}")
    assert abs(accuracy(page) - capsule.result.top1 * 100) <= 1.5
    page.reload()
    expect(page.locator(".player-bars .best")).to_have_count(1, timeout=20_000)


def test_a_file_a_drawing_and_a_threshold(page: Page) -> None:
    page.goto(PLAYER)
    page.locator("#player-file").set_input_files(EXAMPLES / "1-batchnorm.safetensors")
    expect(page.get_by_role("heading", level=1)).to_have_text("ResNet-14")
    before = accuracy(page)
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(page.locator(".player-bars .best")).to_have_count(0)
    sheet = page.locator("canvas.drawing")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box
    x, top = box["x"] + box["width"] / 2, box["y"]
    page.mouse.move(x, top + 30)
    page.mouse.down()
    page.mouse.move(x, top + box["height"] - 30, steps=8)
    expect(page.locator(".player-bars .best")).to_have_count(1)  # before the pen is lifted
    page.mouse.up()
    page.locator("#player-layer").select_option(label="stage3.1.relu2")
    expect(page.locator(".map-grid figure")).to_have_count(64)
    assert page.locator(".map-grid .map.off").count() > 0
    slider = page.locator("#player-epsilon")
    slider.focus()
    slider.press("End")
    cards = page.locator(".threshold .stats dd")
    expect(cards.first).to_contain_text("560 of 560")
    expect(cards.last).to_have_text(re.compile(r"^\d"))
    assert float(cards.last.inner_text().rstrip("%")) < before / 2
    slider.press("Home")
    expect(cards.first).to_contain_text("0 of 560")


BAD = {
    "safetensors file: it has only 3 bytes": lambda whole: b"abc",
    "is cut short": lambda whole: whole[:-8],
    "bytes after its last tensor": lambda whole: whole + bytes(8),
    "not a capsule of OnlyBN": lambda whole: whole.replace(b"onlybn-capsule", b"another-format"),
    "version 9; this page reads version 1": lambda whole: whole.replace(b'"version":"1"', b'"version":"9"'),
    "ResNets for small images": lambda whole: whole.replace(b"resnet-14", b"vgg-00016"),
    "not a finite number": lambda whole: whole[:-4] + b"\xff\xff\xff\x7f",
    "negative variance": lambda whole: whole[:-4] + b"\x00\x00\x80\xbf",
}


@pytest.mark.parametrize("words", list(BAD))
def test_a_damaged_or_foreign_file_is_refused_in_words(page: Page, tmp_path: Path, words: str) -> None:
    file = tmp_path / "capsule.safetensors"
    file.write_bytes(BAD[words]((EXAMPLES / "1-batchnorm.safetensors").read_bytes()))
    page.goto(PLAYER)
    page.locator("#player-file").set_input_files(file)
    expect(page.get_by_role("alert")).to_contain_text(words)
    page.locator("#player-file").set_input_files(EXAMPLES / "3-output.safetensors")
    expect(page.get_by_role("heading", level=1)).to_have_text("ResNet-14")
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize(
    ("behind", "words"),
    [
        ("#AQ", "damaged or incomplete"),
        ("#this is no link!", "no link to a network"),
        ("?url=ftp://example.org/a", "must begin with https://"),
        *((f"#{base64url(link(spec(task=task)))}", f"one of its tasks, {task}") for task in ("rotated-1", "half-0")),
    ],
)
def test_a_bad_address_is_refused_in_words(page: Page, behind: str, words: str) -> None:
    page.goto(f"{PLAYER}{behind}")
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.get_by_role("heading", name="Open a network")).to_be_visible()


def test_the_examples_of_the_page_ship(page: Page) -> None:
    page.goto(PLAYER)
    links = page.locator(".player-open ul a")
    found = [str(link.get_attribute("href")).rpartition("/")[2] for link in links.all()]
    assert tuple(found) == player.EXAMPLES
    assert all((EXAMPLES / name).is_file() for name in found)


def test_the_page_is_small(browser: Browser) -> None:
    """All that it loads beside the network and the images, as a server compresses it."""
    with page_from_disk(browser) as page:
        loaded: set[str] = set()
        page.on("request", lambda request: loaded.add(request.url.split("?")[0]))
        opened(page, "?url=static/examples/1-batchnorm.safetensors")
        assert accuracy(page)
    files = {url.removeprefix(f"{HOME}static/") for url in loaded if "/examples/" not in url and "/data/" not in url}
    sizes = {name: len(gzip.compress(body(name), 9)) for name in files}
    assert {name for name in sizes if "wasm/" in name} == {"engine/wasm/kernels-relaxed.wasm.gz"}
    assert sum(sizes.values()) <= MOST, sizes


def body(name: str) -> bytes:
    if name == "site.css":
        return b"\n".join(sheet.read_bytes() for sheet in sheets(STATIC))
    return (STATIC / name).read_bytes()
