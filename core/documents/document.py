"""A document of ours in one file, which needs no network: its shell, its look, and the parts that all kinds share.

What a document says is elsewhere: of a run in `app.sharing.report`, of a study in `core.documents.study`, of a
comparison in static/pages/compare/document.js. Its own policy lets nothing run but the scripts of static/documents/
that it was made with, and nothing be loaded. Imports no torch.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from html import escape
from pathlib import Path

from core.version import VERSION

STATIC = Path(__file__).parents[2] / "static"
LONGEST = 120
"""So many letters of a link are shown."""
NOSCRIPT = "<noscript><p>The charts need JavaScript; the tables have all their numbers.</p></noscript>"


def page(title: str, body: str, data: str, scripts: Sequence[str]) -> str:
    """The whole file: `body` is HTML, `data` the JSON that the scripts (names in static/documents/) draw."""
    before, between, after = pieces(title, scripts)
    return before + body + between + data.replace("<", "\\u003c") + after


def pieces(title: str, scripts: Sequence[str]) -> tuple[str, str, str]:
    """What stands before the body, between it and the data (where "<" must be \\u003c), and behind."""
    look, script = style(), "\n".join(_file(f"documents/{name}") for name in ("pen.js", *scripts))
    policy = (
        f"default-src 'none'; script-src {_allowed(script)}; style-src {_allowed(look)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    before = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f'<link rel="icon" href="data:,"><title>{escape(title)} · OnlyBN</title><style>{look}</style></head>'
        "<body><main>"
    )
    between = '</main><script id="report-data" type="application/json">'
    return before, between, f"</script><script>{script}</script></body></html>\n"


def origin(made: datetime, link: str | None) -> str:
    """When the file was made, by what, and from where; without a link: on somebody's own machine."""
    where = "on the command line"
    if link:
        shown = link if len(link) <= LONGEST else f"{link[:LONGEST]}…"
        where = f'from <a href="{escape(link)}" rel="noreferrer">{escape(shown)}</a>'
    return (
        f'<p class="made">Made {made:%Y-%m-%d %H:%M} UTC by OnlyBN {escape(VERSION)} {where}. '
        "The file needs no network.</p>"
    )


def figures(titles: Mapping[str, str], wide: bool = False) -> str:
    """Places that the scripts draw into: name -> title; `wide`: each as wide as the page, and higher."""
    made = "".join(
        f'<figure><figcaption><h3>{escape(title)}</h3><p class="readout"></p></figcaption>'
        f'<div class="plot" data-chart="{name}" role="img" aria-label="{escape(title)}"></div></figure>'
        for name, title in titles.items()
    )
    return f'<div class="charts{" wide" if wide else ""}">{made}</div>'


def folded(title: str, content: str, open_: bool = False) -> str:
    return f'<details class="card"{" open" if open_ else ""}><summary>{escape(title)}</summary>{content}</details>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that scrolls by itself; the first cell of a row is its head."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in rest) + "</tr>"
        for first, *rest in rows
    )
    label = escape(", ".join(filter(None, heads[:3])))
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table: {label}"><table><thead><tr>{top}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


@lru_cache(1)
def style() -> str:
    """The documents' style sheet with the site's colours; dark where the reader's system is.

    `--away` is what a shade of a colour is mixed with (static/charts/colors.js).
    """
    site = _file("sheets/tokens.css")
    light, dark = (re.search(rf"^{name} {{\n(.*?)^}}", site, re.DOTALL | re.MULTILINE) for name in (":root", r"\.dark"))
    assert light and dark
    return (
        f":root {{\n{light[1]}  --away: #000;\n}}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{\n{dark[1]}  --away: #fff;\n}} }}\n"
        + _file("documents/report.css")
        + _file("documents/figures.css")
    )


@lru_cache(8)
def _file(name: str) -> str:
    text = Path(STATIC / name).read_text(encoding="utf-8")
    assert "</" not in text, f"{name} would end its element in a document"
    return text


def _allowed(text: str) -> str:
    """The source expression of exactly this script or style sheet."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
