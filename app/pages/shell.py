"""Pages without Gradio in the site's style: the API's description, and the page for unknown addresses.

The header and the footer of all pages are here, too. A plain page is complete without its script, which only adds the
reader's theme and the state of the server.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.pages.table import PAGES, SITE
from app.web.assets import FONT_LINK, JOINED
from app.web.gradio_internals import CHARSET


def _link(path: str, words: str, wide: bool = False, keys: str | None = None) -> str:
    kind, shortcut = ' class="wide"' if wide else "", f' data-keys="{keys}"' if keys else ""
    return f'<a{kind} href="{path}"{shortcut}>{words}</a>'


LINKS = {
    **{
        page.path: _link(page.path, page.title, page.header == "wide", page.keys)
        for page in PAGES.values()
        if page.header
    },
    "/api/docs": _link("/api/docs", "API docs", wide=True),
}
"""The links of the header by path."""


def header(links: Iterable[str]) -> str:
    """The header with these links."""
    return f"""
<header class="site-header"><a class="skip" href="#content">Skip to the content</a><div class="site-bar">
  <a class="brand" href="/"><img src="/static/favicon.svg" alt="" width="26" height="26"><span>{SITE}</span></a>
  <nav aria-label="Pages">{"".join(links)}</nav>
  <div class="site-side"></div>
</div></header>
"""


HEADER = header(LINKS.values())
FOOTER = """
<footer class="site-footer">
  <p>OnlyBN trains networks with frozen random weights and a few trainable parameters.
  It follows “Training BatchNorm and Only BatchNorm”
  (<a href="https://arxiv.org/abs/2003.00152">arXiv 2003.00152</a>).
  <a href="/about">About, glossary, how to cite</a>. MIT licence.</p>
</footer>
"""

NOWHERE = """
<section class="blank">
  <h1>Page not found</h1>
  <p>The link may have been cut short or mistyped. Links to runs look like <code>/run?id=…</code>.</p>
  <p class="actions">
    <a class="button primary" href="/train">Train a network</a>
    <a class="button" href="/runs">See all runs</a>
    <a class="button" href="/paper">The paper’s questions</a>
  </p>
</section>
"""

THEME = (
    "<script>try{(t=>document.body.classList.toggle('dark',t?t==='dark':matchMedia('(prefers-color-scheme:dark)').matches))"
    "(localStorage.getItem('onlybn.theme'))}catch{}</script>"
)
"""Sets the theme before the first picture; static/base/theme.js keeps it."""

AGAIN = "const k='onlybn.again',n=Date.now();if(!(n-sessionStorage[k]&lt;3e4)){sessionStorage[k]=n;location.reload()}"
"""Loads the page once more if a part of its script was lost on the way, but not twice within 30 seconds."""

NO_PAGES = ("/api/", "/static/", "/assets/", "/gradio_api/")
"""Addresses that programs request: an error there does not become a page."""


def page(title: str, body: str, *, script: str = "site/shell.js", head: str = "", top: str = HEADER) -> str:
    """A complete page with the main part `body`; `script`: its module in static/, `head`: more for its head, `top`: its
    header."""
    return (
        f'<!doctype html><html lang="en"><head>{CHARSET}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<link rel="icon" type="image/svg+xml" href="/static/favicon.svg">'
        f'{FONT_LINK}<link rel="stylesheet" href="/static/{JOINED}"><title>{escape(title)} · OnlyBN</title>{head}'
        f'<script type="module" src="/static/{script}" onerror="{AGAIN}"></script></head>'
        f'<body class="plain panel-host">{THEME}{top}<main class="plain-main" id="content">{body}</main>'
        f"{FOOTER}</body></html>\n"
    )


class Nowhere:
    """A middleware that answers a request for an unknown page with a page of links.

    A page that says itself that its run is not here stays as it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _looks_for_a_page(scope):
            await self.app(scope, receive, send)
            return
        instead = False

        async def send_or_lead_on(message: Message) -> None:
            nonlocal instead
            if message["type"] == "http.response.start" and _is_bare(message):
                instead = True
                await HTMLResponse(page("Page not found", NOWHERE), 404)(scope, receive, send)
            elif not instead:
                await send(message)

        await self.app(scope, receive, send_or_lead_on)


def _is_bare(start: Message) -> bool:
    """Whether a response says that there is nothing, and has no page that says more."""
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return bool(start["status"] == 404 and not kind.startswith("text/html"))


def _looks_for_a_page(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] in ("GET", "HEAD")
        and not scope["path"].startswith(NO_PAGES)
        and "text/html" in Headers(scope=scope).get("accept", "")
    )
