"""How many threads a page takes: several where its headers let it share memory, one elsewhere."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect
from rich.console import Console

from app.freeze.command import freeze
from app.freeze.wanted import read_filters
from app.settings import Settings
from app.web.security import ISOLATION
from jobs.store.database import open_database
from jobs.store.store import Store
from tests.browser.conftest import PATIENCE_MS, Open
from tests.browser.served import served

pytestmark = pytest.mark.browser

SPEC = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 2, "train_examples": 256}
HASH = base64.urlsafe_b64encode(json.dumps(SPEC).encode()).decode().rstrip("=")
CORES = min(os.cpu_count() or 1, 8)
SEVERAL = "one thread" if CORES == 1 else f"{CORES} threads"
TRAINED_MS = 60_000


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("frozen")
    settings = Settings(data=place / "data")
    store = Store(open_database(settings.store_url))
    store.migrate()
    freeze(settings, store, place / "site", read_filters([]), Console(file=StringIO()))
    store.close()
    return place / "site"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        yield page
        assert problems == []


def trains_with(page: Page | FrameLocator, threads: str) -> None:
    line = page.locator('[data-slot="line"]')
    expect(line).to_contain_text("Finished: 4 steps", timeout=TRAINED_MS)
    expect(line).to_contain_text(threads)


def test_a_click_leads_to_a_page_with_threads(open_page: Open) -> None:
    page = open_page("/train?architecture=resnet-8&policy=batchnorm&dataset=digits&epochs=2&train_examples=256")
    assert not page.evaluate("crossOriginIsolated")
    page.get_by_role("link", name="Train in this tab").click()
    trains_with(page, SEVERAL)
    assert page.evaluate("crossOriginIsolated")
    page.get_by_role("link", name="Open in the player").click()
    expect(page.locator(".player-bars .best")).to_have_count(1)


def test_a_file_server_that_reads_its_headers(frozen: Path, page: Page) -> None:
    lines = (frozen / "_headers").read_text().splitlines()[1:]
    headers = dict(line.strip().split(": ", 1) for line in lines)
    with served(frozen, headers) as url:
        page.goto(f"{url}tab.html#{HASH}")
        trains_with(page, SEVERAL)


def test_a_plain_file_server(frozen: Path, page: Page) -> None:
    with served(frozen) as url:
        page.goto(f"{url}tab.html#{HASH}")
        trains_with(page, "one thread")


def test_a_frame_of_another_site(frozen: Path, page: Page, tmp_path: Path) -> None:
    """As a Space is shown: the page around it shares no memory, so its frame may not, either."""
    with served(frozen, ISOLATION) as inner, served(tmp_path) as outer:
        (tmp_path / "index.html").write_text(
            f'<!doctype html><link rel="icon" href="data:,"><iframe src="{inner}tab.html#{HASH}">'
        )
        page.goto(outer)
        trains_with(page.frame_locator("iframe"), "one thread")


def test_a_stopped_training_ends_its_threads(open_page: Open) -> None:
    if CORES == 1:
        pytest.skip("one core, one thread")
    page = open_page("/train?architecture=resnet-8&policy=batchnorm&dataset=digits&epochs=190")
    page.get_by_role("link", name="Train in this tab").click()
    line = page.locator('[data-slot="line"]')
    expect(line).to_contain_text("images per second", timeout=TRAINED_MS)
    expect(line).to_contain_text(SEVERAL)
    page.get_by_role("button", name="Stop").click()
    expect(line).to_contain_text("Stopped")
    session = page.context.browser.new_browser_cdp_session()  # type: ignore[union-attr]
    until = time.monotonic() + PATIENCE_MS / 1000
    while workers := [one for one in session.send("Target.getTargets")["targetInfos"] if one["type"] == "worker"]:
        assert time.monotonic() < until, workers
        page.evaluate("() => new Promise(requestAnimationFrame)")
    page.get_by_role("button", name="Continue").click()
    expect(line).to_contain_text(SEVERAL)
