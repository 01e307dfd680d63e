"""What other sites and messengers show of a link: title, description and picture, from the run that the link names.

Gradio's page says nothing of the kind, the same for every address. The middleware reads the page's HTML on its way
out and puts our lines in place of Gradio's. A reader's browser ignores them; crawlers run no scripts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qs, quote

from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.cards import Card, Curve
from core.datasets.catalog import DATASETS
from core.policies import policy
from jobs.rows import Run
from jobs.store import Store

SITE = "OnlyBN"
TITLE = "How much can a random network learn?"
DESCRIPTION = (
    "A browser laboratory: keep every weight random, let only a chosen few parameters train, and watch it happen."
)
PAGES: dict[str, tuple[str, str]] = {
    "/": (f"{SITE}: {TITLE[0].lower()}{TITLE[1:]}", DESCRIPTION),
    "/paper": ("The paper’s questions, put to the test", "Studies that say whether the paper’s claims hold here."),
    "/runs": ("Runs", "Networks whose weights stay random, and what the few trained parameters made of them."),
    "/about": ("About OnlyBN", "What training BatchNorm and only BatchNorm means, for newcomers, with live figures."),
}
"""Title and description of the pages whose addresses name no run."""
NAMES = ("id", "run", "runs", "compare")
"""What the parts of an address are called that name runs."""
MOST = 6
RUN_ID = re.compile(r"[A-Za-z0-9_-]{6,40}")
OLD = re.compile(r"\s*<meta\s[^>]*?(?:property|name)=\"(?:og|twitter):[^>]*>")
TITLE_TAG = re.compile(r"<title>.*?</title>", re.DOTALL)
CHARSET = '<meta charset="utf-8" />'
CARD = "/api/card.png"


@dataclass(frozen=True)
class Preview:
    """What is shown of a link; `card` is the picture's address without the host."""

    title: str
    description: str
    card: str


def asked(query: str) -> list[str]:
    """The ids of the runs that an address names."""
    values = parse_qs(query, max_num_fields=60) if query else {}
    words = [word for name in NAMES for value in values.get(name, []) for word in value.split(",")]
    return list(dict.fromkeys(word for word in words if RUN_ID.fullmatch(word)))[:MOST]


def preview(path: str, query: str, find: Callable[[list[str]], dict[str, Run]]) -> Preview | None:
    """What is shown of the page at `path`; None: it is none of ours."""
    try:
        ids = asked(query)
    except ValueError:
        ids = []
    known = find(ids) if ids else {}
    runs = [known[run_id] for run_id in ids if run_id in known]
    if not runs:
        said = PAGES.get(path) or (("Run", DESCRIPTION) if path in ("/run", "/compare", "/surgery") else None)
        return said and Preview(*said, CARD)
    card = f"{CARD}?runs={quote(','.join(run.id for run in runs), safe=',')}"
    if len(runs) == 1:
        return Preview(name_of(runs[0]), sentence(runs[0]), card)
    several = "; ".join(f"{name_of(run)}: {_outcome(run)}" for run in runs)
    return Preview(f"{len(runs)} runs compared", several[:300], card)


def name_of(run: Run) -> str:
    return run.spec.name or " · ".join(_words(run))


def sentence(run: Run) -> str:
    """The run in a sentence."""
    counts = run.counts
    trained = f"{counts.trainable:,} of {counts.total:,} parameters train ({counts.trainable / counts.total:.2%})"
    return f"{' · '.join(_words(run))}: {_outcome(run)}. {trained}; the rest stay random."


def _words(run: Run) -> tuple[str, str, str]:
    spec = run.spec
    return _title(spec.architecture), policy(spec.policy).title, DATASETS[spec.dataset].title


def _title(architecture: str) -> str:
    """resnet-14 -> ResNet-14; imagenet-resnet-50 -> ImageNet ResNet-50; as static/catalog.js says it."""
    return architecture.upper().replace("RESNET", "ResNet").replace("IMAGENET-", "ImageNet ")


def _outcome(run: Run) -> str:
    if run.top1 is None:
        return {"queued": "waiting in the queue", "running": "training now"}.get(run.state, run.state)
    now = "" if run.state == "finished" else f" so far ({run.state})"
    return f"{run.top1:.1%} test accuracy{now}"


def card_of(runs: list[Run], store: Store) -> Card:
    """The picture of `runs`; without any, that of the site."""
    if not runs:
        return Card("A browser laboratory", TITLE, ("Every weight stays random. Only a chosen few parameters train.",))
    curves = tuple(Curve(points, k) for k, run in enumerate(runs) if (points := _points(run, store)))
    if len(runs) > 1:
        lines = tuple(f"{name_of(run)}: {_outcome(run)}" for run in runs[:4])
        return Card("Compared", f"{len(runs)} runs", lines, curves=curves)
    run = runs[0]
    architecture, trains, dataset = _words(run)
    share = f"{run.counts.trainable:,} of {run.counts.total:,} parameters train"
    number, words = ("", "") if run.top1 is None else (f"{run.top1:.1%}", "test accuracy")
    facts = (trains, dataset) if not run.spec.name else (architecture, trains, dataset)
    state = "" if run.state == "finished" else f" · {run.state}"
    return Card(f"Run{state}", run.spec.name or architecture, (" · ".join(facts), share), number, words, curves)


def _points(run: Run, store: Store) -> tuple[tuple[float, float], ...]:
    return tuple((min(1.0, p.step / run.total_steps), p.top1) for p in store.tests(run.id))


class Social:
    """Puts the preview of the address into each page of Gradio's."""

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
        start: Message | None = None
        body = bytearray()

        async def hold(message: Message) -> None:
            """Pages are held back until they are whole; everything else passes."""
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
            said = await run_in_threadpool(preview, scope["path"], query, self.store.many)
        except DBAPIError:
            said = None  # the page itself says what is wrong
        if said and start["status"] == 200:
            origin = self.public_url or f"{scope['scheme']}://{Headers(scope=scope).get('host', '')}"
            address = origin + scope["path"] + (f"?{query}" if query else "")
            body = with_tags(body.decode(), tags(said, origin, address)).encode()
            MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
        await send(start)
        await send({"type": "http.response.body", "body": body})


def tags(said: Preview, origin: str, address: str) -> str:
    """The lines of a page's head, everything in them escaped."""
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
    """`html` with `lines` in its head instead of Gradio's own of the same kind."""
    head, end, rest = html.partition("</head>")
    if not end:
        return html
    return TITLE_TAG.sub("", OLD.sub("", head), count=1).replace(CHARSET, CHARSET + lines, 1) + end + rest
