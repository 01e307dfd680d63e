"""The site: its pages, and the theme and scripts that they share."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from app.form import components as form
from app.pages import about, compare, paper, run, surgery, train
from app.pages import table as runs
from app.pages.options import options
from app.pages.panels import panel, words
from app.pages.shell import FOOTER, HEADER
from app.web.sheets import JOINED
from core.run.events import Point

FONTS = ("-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONOSPACE = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")


def build(store: object = None, settings: object = None) -> gr.Blocks:
    """The pages as Gradio Blocks.

    `store` and `settings` are what every page could draw on; these pages ask the API from the browser instead, so
    that they survive a restart of the server.
    """
    with gr.Blocks(title="OnlyBN", analytics_enabled=False, fill_width=True) as demo:
        _frame(train.build)
    with demo.route("Paper", "paper", show_in_navbar=False):
        _frame(paper.build)
    with demo.route("Runs", "runs", show_in_navbar=False):
        _frame(runs.build)
    with demo.route("Compare", "compare", show_in_navbar=False):
        _frame(compare.build)
    with demo.route("Run", "run", show_in_navbar=False):
        _frame(run.build)
    with demo.route("Surgery", "surgery", show_in_navbar=False):
        _frame(surgery.build)
    with demo.route("About", "about", show_in_navbar=False):
        _frame(about.build)
    return demo


def mount_options() -> dict[str, Any]:
    """Arguments of gr.mount_gradio_app that belong to the look."""
    return {"theme": theme(), "head": head(), "footer_links": []}


def theme() -> gr.themes.Base:
    """System fonts and the two backgrounds, which Gradio paints before our style sheet is there; all else is CSS."""
    return gr.themes.Base(font=FONTS, font_mono=MONOSPACE).set(
        body_background_fill="#f6f7f9",
        body_background_fill_dark="#0e1116",
        body_text_color="#161b22",
        body_text_color_dark="#e8ecf1",
    )


def head() -> str:
    """What Gradio adds to the page's head: icon, style sheet, what shows the page, and as data the registries and the
    columns of a point."""
    known = {**options(), "point": Point._fields}
    data = json.dumps(known, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        # early.js shows the page; the animation does if that file does not come.
        "<style>html:not([data-ready]) gradio-app{visibility:hidden;animation:onlybn-show 0s 4s forwards}"
        "@keyframes onlybn-show{to{visibility:visible}}</style>"
        f"<style>{form.style()}</style>"
        '<link rel="icon" type="image/svg+xml" href="/static/favicon.svg">'
        f'<link rel="stylesheet" href="/static/{JOINED}">'
        '<meta name="color-scheme" content="light dark">'
        '<script type="module" src="/static/site/early.js"></script>'
        f'<script id="onlybn-options" type="application/json">{data}</script>'
    )


def _frame(page: Any) -> None:
    """Header, page, footer."""
    panel("site/site.js", HEADER, elem_id="site-header")
    page()
    words(FOOTER, elem_id="site-footer")
