"""All that we use of Gradio's internals, which may change: files, routes, the HTML of its page, its queue.

If Gradio changes one of them, tests/app/web/test_gradio_internals.py says what broke and what to do.
static/sheets/gradio.css styles Gradio's components.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from app.web.packages import package_folder

if TYPE_CHECKING:
    from gradio import Blocks

API = "/gradio_api/"
API_NEEDED = ("theme.css",)
"""The routes below /gradio_api/ that our pages use. For data they use our own API, never a Python event. All others
(queue, run, upload, file=, proxy=, stream, component_server, deep_link, vibe-edit, run-history ...) do not exist for
visitors. A page with Python events would need "heartbeat/", "queue/" and "run/"."""
GONE = ("/config", "/monitoring", "/svelte", "/login", "/logout", "/gradio_api", "/openapi.json", "/docs", "/redoc")
"""Other routes that do not exist for visitors, with all routes below them."""

OWN_TAGS = re.compile(r"\s*<meta\s[^>]*?(?:property|name)=\"(?:og|twitter):[^>]*>")
"""The tags by which Gradio's page describes itself to other sites."""
CHARSET = '<meta charset="utf-8" />'
"""Occurs once in the head of Gradio's page, before everything that matters."""
SSR_WARNING = "SSR mode is not supported"
"""The start of a warning that Gradio prints for sites of several pages, even if nobody asked for that mode."""

NO_EVENTS_S = 3600.0


def is_gone(path: str) -> bool:
    """Whether `path` is one of Gradio's routes that this site does not have."""
    folded = path.casefold()
    if folded.startswith(API):
        return not folded.removeprefix(API).startswith(API_NEEDED)
    return any(folded == gone or folded.startswith(f"{gone}/") for gone in GONE)


def scripts() -> Path:
    """The folder of the scripts and styles of Gradio's pages; each file name has a hash of the content."""
    return (package_folder("gradio") / "templates" / "frontend" / "assets").resolve()


def rest(blocks: Blocks) -> None:
    """Let the queue of `blocks` sleep. It looks for Python events every millisecond, which takes 5% of a core, and
    our pages have none (see API_NEEDED)."""
    blocks._queue.sleep_when_free = blocks._queue.progress_update_sleep_when_free = NO_EVENTS_S
