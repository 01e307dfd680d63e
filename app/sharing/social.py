"""The preview of a link on other sites and in messengers: title, description and picture (`links.py`).

Gradio's page has the same tags for every address. The middleware replaces them with ours in the HTML of the response.
It works on the server, because crawlers run no scripts.
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import parse_qsl, urlencode

from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.pages.table import SITE
from app.sharing.links import LinkPreview, is_unknown, preview
from app.views.address import Reading, Source, filters_of, read_source
from app.web.gradio_internals import CHARSET, OWN_TAGS
from jobs.store.store import Store

TITLE_TAG = re.compile(r"<title>.*?</title>", re.DOTALL)


class Social:
    """Puts the preview of the address into each of Gradio's pages."""

    def __init__(self, app: ASGIApp, store: Store, public_url: str | None = None) -> None:
        self.app, self.store, self.public_url = app, store, public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or scope["path"].startswith(("/api", "/static", "/assets"))
        ):
            await self.app(scope, receive, send)
            return
        asks = scope["path"] == "/run" and b"latest" in scope["query_string"]
        if asks and (newest := await run_in_threadpool(latest, scope["query_string"], self.store)):
            await RedirectResponse(newest, 307, {"Cache-Control": "no-store"})(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def hold(message: Message) -> None:
            """Hold a page back until it is complete; pass everything else on."""
            nonlocal start
            if message["type"] == "http.response.start":
                if not Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                    await send(message)
                    return
                start = message
            elif start is None:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    await self._finish(scope, start, bytes(body), send)

        await self.app(scope, receive, hold)

    async def _finish(self, scope: Scope, start: Message, body: bytes, send: Send) -> None:
        query = scope["query_string"].decode("latin-1")
        try:
            said = await run_in_threadpool(preview, scope["path"], query, self.store)
            unknown = start["status"] == 200 and await run_in_threadpool(is_unknown, scope["path"], query, self.store)
        except DBAPIError:
            said, unknown = None, False  # the page itself reports the error
        if said and start["status"] == 200:
            origin = self.public_url or f"{scope['scheme']}://{Headers(scope=scope).get('host', '')}"
            address = origin + scope["path"] + (f"?{query}" if query else "")
            body = with_tags(body.decode(), tags(said, origin, address)).encode()
            MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
        await send({**start, "status": 404} if unknown else start)
        await send({"type": "http.response.body", "body": body})


def latest(query_string: bytes, store: Store) -> str | None:
    """The address of the newest run for `/run?id=latest`; None for other addresses, and where there is no run.

    With a list's filters, such as `tag=demo`, it is the newest that matches. Other parameters stay.
    """
    query = dict(parse_qsl(query_string.decode("latin-1")))
    if query.pop("id", None) != "latest":
        return None
    runs, _ = store.runs.find(filters=filters_of(read_source(Reading(query))), limit=1)
    kept = {key: value for key, value in query.items() if key not in Source.__annotations__}
    return f"/run?{urlencode({'id': runs[0].id, **kept})}" if runs else None


def tags(said: LinkPreview, origin: str, address: str) -> str:
    """The tags for a page's head, escaped."""
    title = said.title if SITE in said.title else f"{said.title} · {SITE}"
    named = {
        "og:site_name": SITE,
        "og:type": "website",
        "og:title": said.title,
        "og:description": said.description,
        "og:url": address,
        "og:image": origin + said.card,
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": f"{said.title}. {said.description}",
    }
    plain = {
        "description": said.description,
        "twitter:card": "summary_large_image",
        "twitter:title": said.title,
        "twitter:description": said.description,
        "twitter:image": origin + said.card,
    }
    rows = [f'<meta property="{name}" content="{escape(words)}">' for name, words in named.items()]
    rows += [f'<meta name="{name}" content="{escape(words)}">' for name, words in plain.items()]
    return "".join([f"<title>{escape(title)}</title>", *rows])


def with_tags(html: str, lines: str) -> str:
    """`html` with `lines` in its head in place of Gradio's own tags."""
    head, end, rest = html.partition("</head>")
    if not end:
        return html
    return TITLE_TAG.sub("", OWN_TAGS.sub("", head), count=1).replace(CHARSET, CHARSET + lines, 1) + end + rest
