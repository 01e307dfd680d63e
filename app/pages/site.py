"""The site: its pages, and the theme and scripts that they share."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.form import components as form
from app.pages import train
from app.pages.options import options_json
from app.pages.panels import panel, words
from app.pages.parts import parts_of
from app.pages.shell import FOOTER, HEADER
from app.pages.table import PAGES, SITE, Page
from app.web.assets import FONT_LINK, JOINED

FONTS = ("-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONOSPACE = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")


def build() -> gr.Blocks:
    """The pages as Gradio Blocks. They use the API from the browser, so they survive a restart of the server."""
    _, *others = PAGES.values()  # the first is a document of our own (landing.py), which never reaches Gradio
    with gr.Blocks(title=SITE, analytics_enabled=False, fill_width=True) as site:
        pass
    for page in others:
        with site.route(page.title, page.name, show_in_navbar=False):
            _frame(page, site)
    return site


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
    return (
        # early.js shows the page; if that file does not load, the animation shows it.
        "<style>html:not([data-ready]) gradio-app{visibility:hidden;animation:onlybn-show 0s 4s forwards}"
        "@keyframes onlybn-show{to{visibility:visible}}</style>"
        f"<style>{form.style()}</style>"
        '<link rel="icon" type="image/svg+xml" href="/static/favicon.svg">'
        f'{FONT_LINK}<link rel="stylesheet" href="/static/{JOINED}">'
        '<meta name="color-scheme" content="light dark">'
        '<script type="module" src="/static/site/early.js"></script>'
        f'<script id="onlybn-options" type="application/json">{options_json()}</script>'
    )


def _frame(page: Page, site: gr.Blocks) -> None:
    """Header, page, footer."""
    panel("site/site.js", HEADER, elem_id="site-header")
    if page.path == "/train":
        train.build(site)
    else:
        for part in parts_of(page):
            if part.module:
                panel(part.module, part.html, elem_id=part.name)
            else:
                words(part.html, elem_id=part.name)
    words(FOOTER, elem_id="site-footer")
