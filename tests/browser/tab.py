"""A page that loads static/ from disk, without any server: what a browser needs to draw, run and train a network."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import torch
from playwright.sync_api import Browser, Page, Route

from app.web.assets import STATIC, sheets
from app.web.security import ISOLATION
from tests.browser.served import served

HOME = "https://onlybn.test/sub/"
"""No such host is asked: every request is answered from the disk. A folder below its root, as on a file server."""
KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


BEGIN = """
globalThis.onlybn = (async () => {
  const names = ["kernels", "draw", "network", "capsule", "policy", "plan", "datasets", "seeds", "images", "writing"];
  const training = ["learner", "batches", "schedules", "run"];
  const all = {};
  for (const name of names) Object.assign(all, await import(`${origin}/sub/static/engine/${name}.js`));
  for (const name of training) Object.assign(all, await import(`${origin}/sub/static/engine/training/${name}.js`));
  all.open = (relaxed, threads) => all.openKernels({ relaxed, threads });
  all.floats = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  all.text = (values) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    let said = "";
    for (let at = 0; at < bytes.length; at += 8192) said += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(said);
  };
  return all;
})();
"""
"""Loads all of the engine as `onlybn`, with some functions that carry numbers to and fro."""
IN_WORKER = """([begin, script, given]) => new Promise((done, failed) => {
  const answer = `onmessage = ({ data }) => (${script})(data).then(
    (found) => postMessage({ found }), (error) => postMessage({ problem: error.message }));`;
  const source = new Blob([`globalThis.window = globalThis; ${begin}${answer}`], { type: "text/javascript" });
  const worker = new Worker(URL.createObjectURL(source), { type: "module" });
  worker.onerror = (event) => failed(new Error(event.message));
  worker.onmessage = ({ data: { found, problem } }) => {
    worker.terminate();
    problem ? failed(new Error(problem)) : done(found);
  };
  worker.postMessage(given);
})"""


@contextmanager
def page_from_disk(browser: Browser, **context: Any) -> Iterator[Page]:
    """A page at HOME; its list `problems` has all that it asked for in vain and all errors."""
    with browser.new_context(**context) as opened:
        page = opened.new_page()
        problems: list[str] = []
        page.problems = problems  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.route("**/*", lambda route: _answer(route, problems))
        page.goto(f"{HOME}blank")
        yield page


def engine_page(browser: Browser) -> Iterator[Page]:
    """A page with the engine; a fixture of a module yields from it."""
    with page_from_disk(browser) as page:
        page.evaluate(BEGIN)
        yield page
        assert page.problems == []  # type: ignore[attr-defined]


@contextmanager
def page_of_threads(browser: Browser, headers: Mapping[str, str] = ISOLATION) -> Iterator[Page]:
    """A page of a server with these headers, which let threads share memory; for in_worker()."""
    with TemporaryDirectory() as root:
        (Path(root) / "sub").mkdir()
        (Path(root) / "sub" / "static").symlink_to(STATIC)
        with served(Path(root), headers) as url, browser.new_context() as context:
            page = context.new_page()
            page.goto(f"{url}sub/")
            yield page


def in_worker(page: Page, script: str, given: Any) -> Any:
    """What the function `script` gives for `given` in a worker with the engine, which may wait for threads."""
    return page.evaluate(IN_WORKER, [BEGIN, script, given])


def _answer(route: Route, problems: list[str]) -> None:
    address = urlsplit(route.request.url)
    name = address.path.removeprefix("/sub/")
    if not route.request.url.startswith(HOME):
        problems.append(f"asked for {route.request.url}")
        route.abort()
    elif name == "blank":
        route.fulfill(body="<!doctype html><title>blank</title>", content_type="text/html")
    elif name == "static/site.css":
        route.fulfill(body="\n".join(sheet.read_text() for sheet in sheets(STATIC)), content_type="text/css")
    else:
        file = STATIC / name.removeprefix("static/")
        if name.startswith("static/") and file.is_file():
            kind = KINDS.get(file.suffix, "application/octet-stream")
            route.fulfill(body=file.read_bytes(), content_type=kind)
        else:
            problems.append(f"no file {name}")
            route.fulfill(status=404, body="")


def sent(values: torch.Tensor) -> str:
    return base64.b64encode(values.contiguous().numpy().tobytes()).decode()


def received(text: str) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), np.float32).copy())
