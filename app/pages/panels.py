"""Panels: places in a page that a script in `static/` fills and updates. The scripts have the content.

A panel is a gr.HTML whose template never changes, so Gradio never changes what the script has built. Panels are
functions, not classes, because Gradio writes a .pyi file beside every module that defines a component.
"""

from __future__ import annotations

import gradio as gr

STATIC = "/static"


def panel(module: str, skeleton: str, *, elem_id: str | None = None) -> gr.HTML:
    """An element that the function `mount(element)` of the module `static/MODULE` fills.

    `skeleton` is the HTML until then, of the same height, so that nothing jumps. Gradio reads it as a template, so it
    must not contain `${`, two braces in a row, or a backquote.
    """
    return _html(skeleton, f"{loaded(module)}.then((module) => module.mount(element))", elem_id)


def loaded(module: str) -> str:
    """JavaScript for the promise of the module `static/MODULE`.

    The address includes the origin, because Chromium caches compiled scripts by their text. It could resolve a
    relative address against another server on this host that this tab visited first.
    """
    return f"import(location.origin + '{STATIC}/{module}')"


def words(html: str, *, elem_id: str | None = None) -> gr.HTML:
    """Fixed HTML without a script, under the same rule as a skeleton."""
    return _html(html, None, elem_id)


def _html(template: str, script: str | None, elem_id: str | None) -> gr.HTML:
    return gr.HTML(
        html_template=template,
        js_on_load=script,
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes="panel-host",
    )
