"""A page that loads static/ from disk, without any server: what a browser needs to draw, run and train a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route

from app.web.assets import STATIC, sheets

HOME = "https://onlybn.test/sub/"
"""No such host is asked: every request is answered from the disk. A folder below its root, as on a file server."""
KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


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
