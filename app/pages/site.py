"""The site: its pages, and the theme and scripts that they share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from app.form import components as form
from app.pages import about, findings, train
from app.pages.options import options
from app.pages.panels import panel, words
from app.pages.shell import FOOTER, HEADER
from app.pages.table import PAGES, SITE, Page
from app.web.assets import FONT_LINK, JOINED
from core.run.events import Point

LOADING = '<div class="loading"><p role="status">Loading…</p><progress aria-label="Loading"></progress></div>'
"""The text of a skeleton, which appears if its script takes more than a second."""
FONTS = ("-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONOSPACE = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")


def build() -> gr.Blocks:
    """The pages as Gradio Blocks. They use the API from the browser, so they survive a restart of the server."""
    _, *others = PAGES.values()  # the first is a document of our own (landing.py), which never reaches Gradio
    with gr.Blocks(title=SITE, analytics_enabled=False, fill_width=True) as site:
        own = {"/train": lambda: train.build(site), "/about": about.build, "/findings": findings.build}
    for page in others:
        with site.route(page.title, page.name, show_in_navbar=False):
            _frame(page, own)
    return site


def skeleton(page: Page) -> str:
    """The HTML of a page until its script has loaded, for pages without Python code of their own."""
    return f'<div class="{page.name}-page">{page.head}{LOADING}</div>'


def mount_options() -> dict[str, Any]:
    """The arguments of gr.mount_gradio_app that set the look."""
    return {"theme": theme(), "head": head(), "footer_links": []}


def theme() -> gr.themes.Base:
    """The theme: system fonts and the two backgrounds, which Gradio paints before our style sheet has loaded. All else
    is CSS."""
    return gr.themes.Base(font=FONTS, font_mono=MONOSPACE).set(
        body_background_fill="#f6f7f9",
        body_background_fill_dark="#0e1116",
        body_text_color="#161b22",
        body_text_color_dark="#e8ecf1",
    )


def head() -> str:
    """HTML for the page's head: icon, style sheet, the script that shows the page, and as data the registries and the
    columns of a point."""
    known = {**options(), "point": Point._fields}
    data = json.dumps(known, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        # early.js shows the page; if that file does not load, the animation shows it.
        "<style>html:not([data-ready]) gradio-app{visibility:hidden;animation:onlybn-show 0s 4s forwards}"
        "@keyframes onlybn-show{to{visibility:visible}}</style>"
        f"<style>{form.style()}</style>"
        '<link rel="icon" type="image/svg+xml" href="/static/favicon.svg">'
        f'{FONT_LINK}<link rel="stylesheet" href="/static/{JOINED}">'
        '<meta name="color-scheme" content="light dark">'
        '<script type="module" src="/static/site/early.js"></script>'
        f'<script id="onlybn-options" type="application/json">{data}</script>'
    )


def _frame(page: Page, own: Mapping[str, Callable[[], None]]) -> None:
    """Header, page, footer; `own`: functions that build pages with Python code of their own, by path."""
    panel("site/site.js", HEADER, elem_id="site-header")
    if page.path in own:
        own[page.path]()
    else:
        panel(f"pages/{page.name}/page.js", skeleton(page), elem_id=page.name)
    words(FOOTER, elem_id="site-footer")
