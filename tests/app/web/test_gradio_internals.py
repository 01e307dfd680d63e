"""What we use of the inside of Gradio is still there. Each failure says what broke and what to do."""

from __future__ import annotations

import re
import warnings

import gradio as gr
import pytest
from fastapi import FastAPI
from starlette.routing import Route
from starlette.testclient import TestClient

from app.web import gradio_internals as inside

HERE = f"Gradio {gr.__version__} has changed: app/web/gradio_internals.py"
OURS_TOO = {"/", "/static/{path:path}", "/assets/{path:path}", "/favicon.ico", "/theme.css", "/robots.txt"}
"""Routes of Gradio's that visitors may ask: pages, their settings and files."""
HARMLESS = {"/pwa_icon", "/pwa_icon/{size}", "/manifest.json"}


@pytest.fixture(scope="module")
def blocks() -> gr.Blocks:
    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.Markdown("one")
    with blocks.route("Two", "two"):
        gr.Markdown("two")
    return blocks


@pytest.fixture(scope="module")
def mounted(blocks: gr.Blocks) -> FastAPI:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        app = gr.mount_gradio_app(FastAPI(), blocks, path="/", ssr_mode=False)
    words = [str(warning.message) for warning in said]
    assert any(line.startswith(inside.SSR_WARNING) for line in words), (
        f"{HERE}: it warns of several pages in other words than SSR_WARNING. Take its new words, or, where it says "
        f"nothing, delete what app/server.py does about it. It says: {words}"
    )
    return app


def test_its_queue_can_be_laid_to_rest(blocks: gr.Blocks) -> None:
    queue = getattr(blocks, "_queue", None)
    for name in ("sleep_when_free", "progress_update_sleep_when_free"):
        assert isinstance(getattr(queue, name, None), float), (
            f"{HERE}: Blocks._queue.{name} is not a number of seconds any more, so rest() does nothing, and an idle "
            "server looks for events all day. Find the loop of gradio/queueing.py that sleeps while nothing is there, "
            "and lengthen its sleep in rest(); if it waits for an event now, delete rest()."
        )
    inside.rest(blocks)
    assert queue is not None and queue.sleep_when_free == inside.NO_EVENTS_S


def test_its_scripts_are_where_we_serve_them_from() -> None:
    assert list(inside.scripts().glob("index-*.js")), (
        f"{HERE}: {inside.scripts()} has no index-HASH.js. Find the folder of the files that its page loads from "
        "/assets/, and name it in scripts(); else they are sent uncompressed and asked for at each visit."
    )


def test_its_page_says_of_itself_what_we_replace(mounted: FastAPI) -> None:
    head = TestClient(mounted).get("/").text.partition("</head>")[0]
    assert head.count(inside.CHARSET) == 1, (
        f"{HERE}: the head of its page has not one {inside.CHARSET}, so app/sharing/social.py cannot say there what a "
        "link shows. Put another line of the head into CHARSET, near its beginning."
    )
    assert re.search(r"og:title", head), f"{HERE}: its page says nothing to other sites any more: delete OWN_TAGS."
    assert not re.search(r"(og|twitter):\w", inside.OWN_TAGS.sub("", head)), (
        f"{HERE}: OWN_TAGS does not find all that its page says to other sites, which would see it beside our own."
    )


def test_we_know_all_its_routes(mounted: FastAPI) -> None:
    routes = getattr(mounted.routes[-1], "app", mounted).routes
    paths = {route.path.rstrip("/") or "/" for route in routes if isinstance(route, Route)}
    pages = {"/two", "/{page}"}
    new = {path for path in paths if not inside.is_gone(path)} - OURS_TOO - HARMLESS - pages
    assert not new, (
        f"{HERE}: there are routes that we do not know: {sorted(new)}. Add what a visitor must not reach to GONE, and "
        "the others to this test."
    )
    lost = OURS_TOO - paths
    assert not lost, f"{HERE}: it has no {sorted(lost)} any more. If no page misses them, this test shall forget them."


def test_its_page_asks_for_nothing_that_is_gone(mounted: FastAPI) -> None:
    asked = re.findall(r"(?:href|src)=\"\.?(/[^\"]*)\"", TestClient(mounted).get("/").text)
    lost = [path for path in asked if inside.is_gone(path.partition("?")[0])]
    assert asked and not lost, (
        f"{HERE}: its page loads {lost}, which is_gone() keeps from visitors: add what it needs to API_NEEDED."
    )
