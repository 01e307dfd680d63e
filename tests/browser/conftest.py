"""A real server, and a real Chromium that looks at it. Whatever a page logs as an error, or asks of another host,
fails the test that opened the page."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

from jobs.store.database import open_database
from jobs.store.store import Store
from tests.browser.puppet import Puppet

ROOT = Path(__file__).parents[2]
TINY = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 3, "train_examples": 512}
ADMIN_TOKEN = "the token of the admin"
READY_WITHIN_S, TRAINED_WITHIN_S = 150.0, 120.0
PATIENCE_MS = 20_000
RUNNING = re.compile("^(Preparing|Training|Testing|Analysing)$")
"""The badge of a run that runs, in any of its phases."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """The browser that this machine has."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser the tests that need one skip at home and fail in CI."""
    if find_chromium() is None and not os.environ.get("CI"):
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="no Chromium here; on Debian and Ubuntu: apt install chromium"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """`python -m app` in a process of its own, with a data folder of its own. `settings`: further variables."""

    data: Path
    embedded_worker: bool
    examples: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when the server answers."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("ONLYBN_")}
        env |= {
            "ONLYBN_DATA": str(self.data),
            "ONLYBN_PORT": str(self.port),
            "ONLYBN_EMBEDDED_WORKER": str(self.embedded_worker),
            "ONLYBN_EXAMPLES": str(self.examples),
            **self.settings,
        }
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "server.txt").open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "app"], cwd=ROOT, env=env, stdout=log, stderr=log)
        until = time.monotonic() + READY_WITHIN_S
        while not self._answers():
            assert self.process.poll() is None, (self.data / "server.txt").read_text()
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def store(self) -> Store:
        """The server's store, opened by the test, too."""
        store = Store(open_database(f"sqlite:///{self.data / 'onlybn.db'}"))
        store.migrate()
        return store

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def call(site: Site, path: str, body: object = None) -> Any:
    """What the API answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(site.url + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def trained_run(site: Site) -> str:
    """A run that the site's worker has trained."""
    run_id: str = call(site, "/api/runs", TINY)["id"]
    until = time.monotonic() + TRAINED_WITHIN_S
    while (state := call(site, f"/api/runs/{run_id}")["state"]) != "finished":
        assert state in ("queued", "running") and time.monotonic() < until, state
        time.sleep(0.3)
    return run_id


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if find_chromium() is None:
        pytest.fail("no Chromium here; on Debian and Ubuntu: apt install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def serve(
    folder: Path, *, embedded_worker: bool = False, examples: bool = False, settings: dict[str, str] | None = None
) -> Iterator[Site]:
    """A server that keeps its data in `folder`."""
    site = Site(folder, embedded_worker=embedded_worker, examples=examples, settings=settings or {})
    try:
        site.start()
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server without a worker: `puppet` plays the worker."""
    yield from serve(tmp_path_factory.mktemp("site"), settings={"ONLYBN_ADMIN_TOKEN": ADMIN_TOKEN})


def play(site: Site) -> Iterator[Puppet]:
    """A puppet that works for `site`."""
    store = site.store()
    puppet = Puppet(store)
    puppet.hello()
    yield puppet
    store.close()


@pytest.fixture(scope="session")
def puppet(site: Site) -> Iterator[Puppet]:
    yield from play(site)


@pytest.fixture(scope="session")
def working_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with its embedded worker, which trains."""
    yield from serve(tmp_path_factory.mktemp("working"), embedded_worker=True)


@pytest.fixture(scope="session")
def public_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with the limits of a demo and an admin, without a worker."""
    settings = {"ONLYBN_PROFILE": "demo", "ONLYBN_ADMIN_TOKEN": ADMIN_TOKEN}
    yield from serve(tmp_path_factory.mktemp("public"), settings=settings)


@pytest.fixture(scope="session")
def public_puppet(public_site: Site) -> Iterator[Puppet]:
    yield from play(public_site)


@pytest.fixture(scope="session")
def fresh_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server as somebody starts it for the first time, without a worker."""
    yield from serve(tmp_path_factory.mktemp("fresh"), examples=True)


@pytest.fixture(scope="session")
def trained(working_site: Site) -> str:
    """A run that the worker of `working_site` has trained."""
    return trained_run(working_site)


Open = Callable[..., Page]


@dataclass
class Watch:
    """What pages did that they must not do. `expected`: parts of errors that a test provokes."""

    url: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._request(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url')})")

    def _request(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.foreign.append(url)

    def check(self) -> None:
        unexpected = [error for error in self.errors if not any(part in error for part in self.expected)]
        assert not unexpected, unexpected
        assert not self.foreign, self.foreign


def _opener(site: Site, browser: Browser) -> Iterator[tuple[Open, Watch]]:
    watch = Watch(site.url)
    contexts: list[BrowserContext] = []

    def open_page(path: str = "/", *, page: Page | None = None, **context: Any) -> Page:
        """A page at `path`; without `page` in a browser profile of its own."""
        if page is None:
            made = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
            made.set_default_timeout(PATIENCE_MS)
            contexts.append(made)
            page = made.new_page()
            watch.follow(page)
        page.goto(site.url + path)
        page.wait_for_selector(".site-header:visible, .frame-bar:visible")
        return page

    yield open_page, watch
    for context in contexts:
        context.close()
    watch.check()


@pytest.fixture
def opener(site: Site, browser: Browser) -> Iterator[tuple[Open, Watch]]:
    yield from _opener(site, browser)


@pytest.fixture
def open_page(opener: tuple[Open, Watch]) -> Open:
    """Opens pages of `site`."""
    return opener[0]


@pytest.fixture
def watch(opener: tuple[Open, Watch]) -> Watch:
    return opener[1]


@pytest.fixture
def public_opener(public_site: Site, browser: Browser) -> Iterator[tuple[Open, Watch]]:
    """Opens pages of `public_site`, and says what they must not do."""
    yield from _opener(public_site, browser)


@pytest.fixture
def open_working_page(working_site: Site, browser: Browser) -> Iterator[Open]:
    """Opens pages of `working_site`."""
    pages = _opener(working_site, browser)
    yield next(pages)[0]
    next(pages, None)
